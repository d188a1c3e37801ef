//! What several runs of the same tests say together.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::results::{Outcome, RunResult};

/// What is known of a test after one or several runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It failed each time.
    Failed,
    /// It passed and it failed, with nothing changed in between.
    Flaky,
    /// It was lost each time: whatever ran it ended, or its output is cut.
    Broken,
    /// It passed or failed in some runs and is missing in others, so that more cannot be said.
    Unclassified,
    /// It passed each time.
    Passed,
    /// It was skipped each time.
    Skipped,
}

/// How often a test had which outcome.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    /// Passed.
    pub passed: u32,
    /// Failed, also where the runner tried again by itself.
    pub failed: u32,
    /// Skipped.
    pub skipped: u32,
    /// Lost.
    pub lost: u32,
    /// The longest time it took, in milliseconds.
    pub ms: Option<f64>,
    /// Why it failed, the first time.
    pub message: Option<String>,
}

impl Tally {
    /// What the numbers say, of so many runs.
    #[must_use]
    pub fn verdict(&self, runs: u32) -> Verdict {
        let seen = self.passed + self.failed + self.skipped + self.lost;
        match (self.passed, self.failed) {
            (0, 0) if self.lost > 0 => Verdict::Broken,
            (0, 0) => Verdict::Skipped,
            (passed, failed) if passed > 0 && failed > 0 => Verdict::Flaky,
            _ if self.lost > 0 || seen < runs => Verdict::Unclassified,
            (0, _) => Verdict::Failed,
            _ => Verdict::Passed,
        }
    }
}

/// All tests of several runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verdicts {
    /// By name.
    pub tests: BTreeMap<String, Tally>,
    /// How many runs there were.
    pub runs: u32,
    /// Why runs are broken, each reason once.
    pub broken: Vec<String>,
    /// How many tests the project's own configuration left out, at most.
    pub deselected: usize,
}

impl Verdicts {
    /// How many tests have a verdict.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> usize {
        self.tests.values().filter(|tally| tally.verdict(self.runs) == verdict).count()
    }
}

/// Joins the runs.
#[must_use]
pub fn judge(runs: &[RunResult]) -> Verdicts {
    let mut verdicts =
        Verdicts { runs: u32::try_from(runs.len()).unwrap_or(u32::MAX), ..Verdicts::default() };
    for run in runs {
        verdicts.deselected = verdicts.deselected.max(run.deselected);
        if let Some(why) = run.broken.as_ref().filter(|why| !verdicts.broken.contains(why)) {
            verdicts.broken.push(why.clone());
        }
        for test in &run.tests {
            let tally = verdicts.tests.entry(test.name.clone()).or_default();
            match test.outcome {
                Outcome::Passed => tally.passed += 1,
                Outcome::PassedAfterRetry => {
                    tally.passed += 1;
                    tally.failed += 1;
                }
                Outcome::Failed => tally.failed += 1,
                Outcome::Skipped => tally.skipped += 1,
                Outcome::Lost => tally.lost += 1,
            }
            if let Some(ms) = test.ms {
                tally.ms = Some(tally.ms.map_or(ms, |most| most.max(ms)));
            }
            if test.outcome != Outcome::Skipped && tally.message.is_none() {
                tally.message.clone_from(&test.message);
            }
        }
    }
    verdicts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::TestResult;

    fn run(outcomes: &[(&str, Outcome)]) -> RunResult {
        let test = |(name, outcome): &(&str, Outcome)| TestResult {
            name: (*name).to_owned(),
            outcome: *outcome,
            ms: None,
            message: None,
        };
        RunResult { tests: outcomes.iter().map(test).collect(), ..RunResult::default() }
    }

    #[test]
    fn flaky_broken_and_unclassified_are_told_apart() {
        use Outcome::{Failed, Lost, Passed, PassedAfterRetry, Skipped};
        let runs = [
            run(&[
                ("a", Passed),
                ("b", Failed),
                ("c", Passed),
                ("d", Lost),
                ("e", Passed),
                ("f", Skipped),
                ("g", PassedAfterRetry),
                ("h", Failed),
            ]),
            run(&[
                ("a", Passed),
                ("b", Failed),
                ("c", Failed),
                ("d", Lost),
                ("f", Skipped),
                ("g", Passed),
                ("h", Lost),
            ]),
        ];
        let verdicts = judge(&runs);
        let of = |name: &str| verdicts.tests[name].verdict(verdicts.runs);
        assert_eq!(of("a"), Verdict::Passed);
        assert_eq!(of("b"), Verdict::Failed);
        assert_eq!(of("c"), Verdict::Flaky);
        assert_eq!(of("d"), Verdict::Broken);
        assert_eq!(of("e"), Verdict::Unclassified);
        assert_eq!(of("f"), Verdict::Skipped);
        assert_eq!(of("g"), Verdict::Flaky);
        assert_eq!(of("h"), Verdict::Unclassified);
        assert_eq!(verdicts.count(Verdict::Unclassified), 2);
    }

    #[test]
    fn reasons_are_said_once() {
        let verdicts = judge(&[RunResult::broken("x"), RunResult::broken("x"), RunResult::broken("y")]);
        assert_eq!(verdicts.broken, ["x", "y"]);
        assert!(verdicts.tests.is_empty());
    }
}
