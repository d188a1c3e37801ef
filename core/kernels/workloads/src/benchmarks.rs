//! The list of benchmarks.

use mcp_kernels::input::Size;
use perflab_subject::{Benchmark, Input};

use crate::answers::ANSWERS;
use crate::{collections, messages, series, text, vectors};

/// A benchmark's name, and its answer by the plain form of the kernel.
#[cfg(test)]
pub type Plain = (&'static str, fn(Size) -> u64);

/// Every benchmark of this subject.
pub fn all() -> Vec<Benchmark> {
    [
        messages::benchmarks(),
        vectors::benchmarks(),
        series::benchmarks(),
        text::benchmarks(),
        collections::benchmarks(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A benchmark with its answers, whose calls `setup` prepares for a size of input. `code` names the
/// symbols that hold the measured code.
pub fn benchmark<F, S>(name: &'static str, code: &[&str], setup: S) -> Benchmark
where
    F: FnMut() -> u64 + 'static,
    S: Fn(Size) -> F + 'static,
{
    let answer = ANSWERS
        .iter()
        .find(|answer| answer.name == name)
        .expect("a test holds that every benchmark has answers");
    Benchmark::new(name, answer.measure, answer.count, move |input| {
        setup(match input {
            Input::Measure => Size::Measure,
            Input::Count => Size::Count,
        })
    })
    .code(code)
}

/// Of the symbols of a kernel's two forms the one that this build runs.
pub fn form(ordinary: &'static str, dispatched: &'static str) -> &'static str {
    if cfg!(feature = "dispatch") { dispatched } else { ordinary }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use perflab_subject::answer::Answer;

    fn plain() -> Vec<Plain> {
        [
            messages::plain::ALL,
            vectors::plain::ALL,
            series::plain::ALL,
            text::plain::ALL,
            collections::plain::ALL,
        ]
        .concat()
    }

    #[test]
    fn the_plain_forms_give_the_answers() {
        let computed: Vec<Answer> = plain()
            .into_iter()
            .map(|(name, answer)| Answer { name, measure: answer(Size::Measure), count: answer(Size::Count) })
            .collect();
        let mut table = String::new();
        for Answer { name, measure, count } in &computed {
            writeln!(table, "    Answer::new(\"{name}\", {measure:#018X}, {count:#018X}),").unwrap();
        }
        assert!(computed == ANSWERS, "the answers by the plain forms are\n{table}");
    }

    #[test]
    fn no_two_answers_are_equal() {
        let mut answers: Vec<u64> =
            ANSWERS.iter().flat_map(|answer| [answer.measure, answer.count]).collect();
        answers.sort_unstable();
        assert!(answers.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
