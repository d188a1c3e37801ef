//! What test runners say, in one schema: which tests there are, and what came of each over several runs.
//!
//! A run that did not come to its tests is broken: it never counts as one without failures.

pub mod junit;
pub mod libtest;
mod verdict;

use serde::Serialize;

pub use verdict::{Tally, Verdict, Verdicts, judge};

/// What came of a test in one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It passed.
    Passed,
    /// It passed after it had failed, because the runner tried again by itself.
    PassedAfterRetry,
    /// It failed.
    Failed,
    /// It was not run, because it says so.
    Skipped,
    /// It began, and there is no word of its end.
    Lost,
}

/// A test in one run.
#[derive(Clone, Debug, PartialEq)]
pub struct TestResult {
    /// The name by which the runner takes it.
    pub name: String,
    /// What came of it.
    pub outcome: Outcome,
    /// How long it took, in milliseconds, where the runner says so.
    pub ms: Option<f64>,
    /// Why it failed, as the runner says it.
    pub message: Option<String>,
}

/// One run of a runner.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunResult {
    /// The tests, each once.
    pub tests: Vec<TestResult>,
    /// Why there may be tests of which nothing is said: it did not build, it was ended, its output is cut.
    pub broken: Option<String>,
    /// How many tests the project's own configuration left out.
    pub deselected: usize,
}

impl RunResult {
    /// A run without a word of any test.
    #[must_use]
    pub fn broken(why: impl Into<String>) -> Self {
        Self { broken: Some(why.into()), ..Self::default() }
    }
}

/// The most bytes of a message that is kept.
const LONGEST_MESSAGE: usize = 4 << 10;

/// The first two thirds and the last third of what is kept of a long message, at borders of characters.
fn kept(message: &str) -> String {
    cut(message.trim(), LONGEST_MESSAGE)
}

fn cut(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let head = text.floor_char_boundary(most - most / 3);
    let tail = text.ceil_char_boundary(text.len() - most / 3);
    format!("{}\n[… {} bytes left out …]\n{}", &text[..head], tail - head, &text[tail..])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_message_keeps_its_ends(text in "[aé漢]{0,60}", most in 20_usize..60) {
            let short = cut(&text, most);
            prop_assert!(short.len() <= most + 60);
            if text.len() <= most {
                prop_assert_eq!(short, text);
            } else {
                let (head, tail) = (short.split('\n').next().unwrap(), short.split('\n').next_back().unwrap());
                prop_assert!(text.starts_with(head) && text.ends_with(tail));
                prop_assert!(head.len() + 3 > most - most / 3 && tail.len() + 3 > most / 3);
            }
        }
    }
}
