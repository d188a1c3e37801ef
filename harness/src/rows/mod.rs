//! Measured rows of any origin: a record of the lab, criterion's files, the counts of gungraun. What exports write
//! and histories join. Pure: text and types in, rows out.

mod counts;
mod criterion;
#[cfg(test)]
pub(crate) mod fixture;
mod gate;
mod measured;

pub use crate::plan::{Measure, Unit};
pub use counts::of_counts;
pub use criterion::{
    CriterionError, CriterionFiles, CriterionResult, last_measurement, of_cargo_criterion, of_criterion,
};
pub use gate::{GateSource, gate_row_name, is_broken, of_gate};
pub use measured::{Source, of_record};

use serde::{Deserialize, Serialize};

use crate::judge::Verdict;
use crate::machine::Environment;
use crate::stats::Interval;

/// A ratio to the baseline of the same run, with what is said of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The arm that it is compared with.
    pub baseline: String,
    /// Arm / baseline.
    pub ratio: f64,
    /// Its 95 % interval.
    pub interval: Interval,
    /// The verdict.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// One benchmark of one arm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The benchmark's name.
    pub benchmark: String,
    /// The arm's name; of other tools the name under which they keep the result (`new`), or the tool's.
    pub arm: String,
    /// What is measured.
    pub measure: Measure,
    /// The value: of a record the median over launches.
    pub value: f64,
    /// Its 95 % interval where there is one. Criterion's speaks of the samples of one process alone.
    pub interval: Option<Interval>,
    /// The values of independent repetitions, in order: one a launch. Other tools start one process, which is one
    /// repetition however many samples it took.
    pub launches: Vec<f64>,
    /// The comparison with the baseline of the same run; `None` for the baseline itself and for other tools.
    pub change: Option<Change>,
    /// What the code was built with (profile and flags), as far as it is known: values of two builds are of two
    /// series.
    pub build: String,
    /// What a call gets done, where its benchmark says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throughput: Option<Throughput>,
    /// Of commands the exit code of each launch, `None` for a signal; empty for everything else.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exit_codes: Vec<Option<i32>>,
}

/// What one call gets done.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Throughput {
    /// How many.
    pub amount: f64,
    /// Of what.
    pub of: Work,
}

/// What a throughput counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// Bytes.
    Bytes,
    /// Elements of whatever the benchmark works on.
    Elements,
}

impl Measured {
    /// Bytes or elements a second; `None` where the benchmark does not say, or the value is not a time.
    #[must_use]
    pub fn rate(&self) -> Option<(f64, Work)> {
        let Throughput { amount, of } = self.throughput?;
        let rate = amount / (self.value / 1e9);
        (self.measure.unit() == Unit::Nanos && rate.is_finite()).then_some((rate, of))
    }
}

/// A row that has no value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// The benchmark's name; `None` where it concerns the whole arm.
    pub benchmark: Option<String>,
    /// The arm's name.
    pub arm: String,
    /// Why, in a sentence.
    pub reason: String,
    /// Whether something is broken, and not merely that this machine or this arm does not offer it.
    pub broken: bool,
    /// Whether it is the code of what it is compared with, so that nothing changed without anything being measured.
    #[serde(default)]
    pub identical: bool,
}

/// The rows of one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rows {
    /// The name of the record, or of the directory.
    pub name: String,
    /// The suite; of other tools their name.
    pub suite: String,
    /// When it was measured (UTC, ISO 8601).
    pub started: String,
    /// What tells arms apart: `cpu` (flag sets), `arm`, `command`, `run` (kept results of another tool).
    pub arms_are: String,
    /// The command that measures it again; empty where it is not known.
    pub command: String,
    /// Who measured: name and version as far as it is known.
    pub made_by: String,
    /// The machine; `None` where the files do not say.
    pub environment: Option<Environment>,
    /// What was measured, A/A controls left out.
    pub rows: Vec<Measured>,
    /// What has no value.
    pub missing: Vec<Missing>,
}
