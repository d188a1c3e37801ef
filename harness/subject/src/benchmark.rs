//! A benchmark: a name, the answers it must give, and the code that is timed.

use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::os::thread_cpu;
use crate::protocol::{BenchmarkInfo, Slice};

/// Which input a benchmark is set up with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// The input whose time is measured.
    Measure,
    /// A small input of at most 50,000 instructions a call, for counting instructions.
    Count,
}

/// One task with a fixed input and a checked answer.
pub struct Benchmark {
    pub(crate) info: BenchmarkInfo,
    setup: Box<dyn Fn(Input) -> Box<dyn Task>>,
}

impl Benchmark {
    /// A benchmark called `name`, whose calls return `answer` on [`Input::Measure`] and
    /// `count_answer` on [`Input::Count`]. `setup` builds the input, untimed, and returns the call.
    pub fn new<F, S>(name: &str, answer: u64, count_answer: u64, setup: S) -> Self
    where
        F: FnMut() -> u64 + 'static,
        S: Fn(Input) -> F + 'static,
    {
        let info = BenchmarkInfo { name: name.to_owned(), answer, count_answer, ..BenchmarkInfo::default() };
        Self { info, setup: Box::new(move |input| Box::new(setup(input))) }
    }

    /// Marks a benchmark whose single call takes longer than a slice: one call a slice, one slice a turn, no
    /// settling, and no part in means over benchmarks.
    #[must_use]
    pub fn long(mut self) -> Self {
        self.info.long = true;
        self
    }

    /// Names the measured code: path prefixes of the symbols in which it ends up after inlining
    /// (`"my_crate::dot"`), for the census of instructions.
    #[must_use]
    pub fn code(mut self, prefixes: &[&str]) -> Self {
        self.info.code = prefixes.iter().map(|&prefix| prefix.to_owned()).collect();
        self
    }

    pub(crate) fn prepare(&self, input: Input) -> Box<dyn Task> {
        (self.setup)(input)
    }
}

/// A prepared call, behind one dynamic call a batch: the loop itself is compiled for each benchmark.
pub(crate) trait Task {
    /// Calls the code `iters` times, then does `extra` dependent steps for every 1,000 of these calls; the
    /// wrapping sum of the answers is the checksum.
    fn batch(&mut self, iters: u64, extra: u64) -> u64;
}

impl<F: FnMut() -> u64> Task for F {
    #[inline(never)]
    fn batch(&mut self, iters: u64, extra: u64) -> u64 {
        let mut checksum = 0_u64;
        for _ in 0..iters {
            checksum = checksum.wrapping_add(black_box(self()));
        }
        if extra > 0 {
            // One chain for the whole batch: short chains between the calls hide behind the next call on a core
            // that executes out of order, by another amount in each layout, and their effect is not known.
            black_box(burn(checksum, iters.saturating_mul(extra) / 1_000));
        }
        checksum
    }
}

/// `steps` multiplications, each waiting for the one before: work of a known kind that the compiler can
/// neither shorten nor overlap with itself. It starts from the calls' result, so that it waits for them.
#[inline(never)]
pub(crate) fn burn(seed: u64, steps: u64) -> u64 {
    (0..steps).fold(seed | 1, |chain, step| chain.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ step)
}

/// One timed batch. The thread clock is read outside the wall clock, so that its system call is not
/// part of the time that is compared.
pub(crate) fn time_slice(task: &mut dyn Task, iters: u64, extra: u64) -> Slice {
    let cpu_start = thread_cpu();
    let start = Instant::now();
    let checksum = task.batch(iters, extra);
    let wall = start.elapsed();
    let cpu = thread_cpu().saturating_sub(cpu_start);
    Slice { iters, wall_ns: nanos(wall), cpu_ns: nanos(cpu), checksum }
}

/// Runs the task untimed until `settle` has passed, in batches of `iters`: caches, predictors and the
/// clock that the core grants to wide vectors are then those of this arm alone.
pub(crate) fn settle(task: &mut dyn Task, iters: u64, extra: u64, settle: Duration) {
    let start = Instant::now();
    let batch = iters.div_ceil(8).max(1);
    while start.elapsed() < settle {
        black_box(task.batch(batch, extra));
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn constant() -> Benchmark {
        Benchmark::new("constant", 7, 3, |input| move || if input == Input::Measure { 7 } else { 3 })
    }

    #[test]
    fn a_batch_sums_the_answers_of_every_call() {
        let mut task = constant().prepare(Input::Measure);
        assert_eq!(task.batch(10, 0), 70);
        assert_eq!(task.batch(10, 100_000), 70, "extra work leaves the answer alone");
        assert_eq!(constant().prepare(Input::Count).batch(2, 0), 6);
    }

    #[test]
    fn burn_does_every_step() {
        let step = |chain: u64, step: u64| chain.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ step;
        assert_eq!(burn(4, 0), 5, "an odd start keeps every multiplication reversible");
        assert_eq!(burn(4, 3), step(step(step(5, 0), 1), 2));
    }

    #[test]
    fn a_slice_holds_what_was_asked_for() {
        let mut task = constant().prepare(Input::Measure);
        let slice = time_slice(task.as_mut(), 1_000, 0);
        assert_eq!((slice.iters, slice.checksum), (1_000, 7_000));
    }
}
