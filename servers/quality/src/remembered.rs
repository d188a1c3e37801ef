//! What the server remembers of runs of tests.

use std::collections::BTreeMap;

use mcp_state::{Limits, Numbered, Record, Schema};
use serde::{Deserialize, Serialize};

use crate::runner::Runner;
use crate::selection::{Observed, Past};

/// How much is remembered: some months of a project that runs its tests often.
pub const LIMITS: Limits = Limits { records: 500, bytes: 32 << 20 };

/// The most tests of a run whose names are kept, of each kind.
const MOST_NAMES: usize = 3_000;

/// A run of tests.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TestRun {
    /// When it began: milliseconds since 1970, UTC.
    pub at_ms: u64,
    /// The root that it ran in.
    pub root: String,
    /// A digest of the files that it ran on.
    pub digest: u64,
    /// Whether it ran all tests.
    pub is_whole: bool,
    /// What ran them.
    #[serde(default)]
    pub runner: Option<Runner>,
    /// How often the tests ran.
    pub runs: u32,
    /// Tests that failed.
    #[serde(default)]
    pub failed: Vec<String>,
    /// Tests that passed and failed.
    #[serde(default)]
    pub flaky: Vec<String>,
    /// Tests that passed, with their milliseconds where those are known.
    #[serde(default)]
    pub passed: Vec<(String, Option<u32>)>,
    /// Why it is broken, where it is.
    #[serde(default)]
    pub broken: Option<String>,
    /// New failures, and how many of them a selection would have missed.
    #[serde(default)]
    pub observed: Observed,
}

impl Record for TestRun {
    const SCHEMA: Schema = Schema { name: "test_runs", format: "quality test-runs", version: 1 };

    fn checked(mut self) -> Result<Self, String> {
        if self.root.is_empty() || self.root.contains('\0') {
            return Err("a run without a root is not kept".to_owned());
        }
        for names in [&mut self.failed, &mut self.flaky] {
            names.truncate(MOST_NAMES);
        }
        self.passed.truncate(MOST_NAMES);
        // Names that are longer than any runner gives would fill the record.
        let names = self.failed.iter().chain(&self.flaky).chain(self.passed.iter().map(|(name, _)| name));
        let bytes: usize = names.map(String::len).sum();
        if bytes > mcp_state::LONGEST_RECORD / 2 {
            self.passed.clear();
        }
        Ok(self)
    }
}

/// What the runs in a root say of each test. The newest come first. A test that a later run of all tests by the same
/// runner does not name is gone or passed: it did not fail the last time.
#[must_use]
pub fn past(runs: &[Numbered<TestRun>]) -> BTreeMap<String, Past> {
    let mut tests: BTreeMap<String, Past> = BTreeMap::new();
    let mut failing: BTreeMap<String, Option<Runner>> = BTreeMap::new();
    for run in runs.iter().rev().map(|numbered| &numbered.entry) {
        if run.is_whole && run.broken.is_none() {
            let is_of_run = |_: &String, runner: &mut Option<Runner>| *runner == run.runner;
            for (name, _) in failing.extract_if(.., is_of_run) {
                tests.entry(name).or_default().failed_last = false;
            }
        }
        let failed = run.failed.iter().chain(&run.flaky).map(|name| (name, None, true));
        let passed = run.passed.iter().map(|(name, ms)| (name, *ms, false));
        for (name, ms, failed) in failed.chain(passed) {
            let past = tests.entry(name.clone()).or_default();
            past.runs += 1;
            past.failures += u32::from(failed);
            past.failed_last = failed;
            if failed {
                failing.insert(name.clone(), run.runner);
            }
            past.ms = ms.map(f64::from).or(past.ms);
        }
    }
    tests
}

/// What the runs in a root observed of the selection.
#[must_use]
pub fn observed(runs: &[Numbered<TestRun>]) -> Observed {
    runs.iter().fold(Observed::default(), |mut sum, run| {
        sum.add(run.entry.observed);
        sum
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_run_says_whether_a_test_failed_last() {
        let run = |id, failed: &[&str], passed: &[&str]| Numbered {
            id,
            entry: TestRun {
                root: "/p".to_owned(),
                failed: failed.iter().map(|name| (*name).to_owned()).collect(),
                passed: passed.iter().map(|name| ((*name).to_owned(), Some(7))).collect(),
                observed: Observed { failures: 1, missed: 0 },
                ..TestRun::default()
            },
        };
        let runs = [run(3, &["a"], &["b"]), run(2, &["b"], &["a"]), run(1, &["b"], &[])];
        let past = past(&runs);
        assert_eq!(past["a"], Past { runs: 2, failures: 1, failed_last: true, ms: Some(7.0) });
        assert_eq!(past["b"], Past { runs: 3, failures: 2, failed_last: false, ms: Some(7.0) });
        assert_eq!(observed(&runs), Observed { failures: 3, missed: 0 });
    }

    #[test]
    fn a_run_that_is_too_large_keeps_its_failures() {
        let name = "n".repeat(200);
        let run = TestRun {
            root: "/p".to_owned(),
            failed: vec![name.clone()],
            passed: vec![(name, None); 5_000],
            ..TestRun::default()
        };
        let kept = run.checked().unwrap();
        assert_eq!((kept.failed.len(), kept.passed.len()), (1, 0));
        assert!(TestRun::default().checked().is_err());
    }
}
