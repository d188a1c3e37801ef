//! Records: the wire form of a run, raw samples included. Text in, text out; the callers open files.
//!
//! `raw.csv` has one row a sample, integers only, nothing rounded. `run.json` has everything else. A launch
//! counts as finished once `run.json` names it, and `run.json` is only ever replaced whole, so a kill at any
//! moment leaves the last good state: rows of `raw.csv` that belong to no named launch are left out.

pub mod call_counts;
pub mod counts;
mod raw;
mod schema1;

pub use raw::{RAW_HEADER, raw_rows, read_raw};

use serde::{Deserialize, Serialize};

use crate::machine::Environment;
use crate::measure::{ArmFacts, Launch, LaunchArm, Pace, Run, RunFailure};
use crate::plan::{Plan, SCHEMA_VERSION};

/// How far a run came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Launches are still being added, or the lab was killed.
    Running,
    /// The user stopped it.
    Stopped,
    /// Everything that was planned is in it.
    Finished,
}

/// The commit that a work tree stood at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// Its full hash.
    pub hash: String,
    /// How many files of the work tree differed from it; they are what was measured.
    pub changed: usize,
    /// The first of those files, relative to the workspace; empty in records of labs that did not name them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
}

impl Commit {
    /// How many files differed, and the first of them: `4 files (a, b, c and more)`.
    #[must_use]
    pub fn difference(&self) -> String {
        let count = if self.changed == 1 { "1 file".to_owned() } else { format!("{} files", self.changed) };
        let more = if self.files.len() < self.changed { " and more" } else { "" };
        match self.files.is_empty() {
            true => count,
            false => format!("{count} ({}{more})", self.files.join(", ")),
        }
    }
}

/// `run.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunFile {
    /// The schema's version.
    pub schema: u32,
    /// perflab's version.
    pub perflab: String,
    /// The record's name: its directory's.
    pub name: String,
    /// When it was started (UTC, ISO 8601).
    pub started: String,
    /// Seconds of work so far, builds included.
    pub seconds: f64,
    /// The command that made it.
    pub command: String,
    /// The commit of the work tree; `None` outside of a repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<Commit>,
    /// How far it came.
    pub state: State,
    /// What was planned.
    pub plan: Plan,
    /// Where it ran.
    pub environment: Environment,
    /// The artifacts.
    pub facts: Vec<ArmFacts>,
    /// Calls a slice, by arm and benchmark.
    pub paces: Vec<Vec<Option<Pace>>>,
    /// What went wrong.
    pub failures: Vec<RunFailure>,
    /// The finished launches; their samples are in `raw.csv`.
    pub launches: Vec<LaunchFile>,
}

/// One finished launch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaunchFile {
    /// Its number.
    pub index: u32,
    /// Its processes.
    pub arms: Vec<LaunchArm>,
    /// How many rows of `raw.csv` are its own; `None` in records from before they were counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<usize>,
}

/// Why a record cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// `run.json` is not what it should be.
    #[error("run.json: {0}")]
    Run(serde_json::Error),
    /// Another version of perflab wrote it.
    #[error(
        "run.json has schema {found}, and this perflab reads 1 to {SCHEMA_VERSION}: use the perflab that wrote it ({perflab})"
    )]
    Schema {
        /// Its version.
        found: u64,
        /// Who wrote it.
        perflab: String,
    },
    /// `run.json` says of its plan what cannot be.
    #[error("run.json: {0}")]
    Plan(String),
    /// `raw.csv` is not what it should be.
    #[error("raw.csv, line {line}: {wrong}")]
    Raw {
        /// The line, from 1.
        line: u64,
        /// What was wrong.
        wrong: String,
    },
    /// A finished launch has other rows than it had when it was measured.
    #[error(
        "raw.csv has {found} rows of launch {launch}, expected {expected}: the file was cut or changed; take it from a copy, or measure again"
    )]
    Rows {
        /// The launch.
        launch: u32,
        /// Rows that were written.
        expected: usize,
        /// Rows that are there.
        found: usize,
    },
}

impl RunFile {
    /// Reads `run.json`; one of schema 1 is carried over, as if it had been written today.
    ///
    /// # Errors
    /// [`RecordError`]: not JSON, another schema, a field missing, arms of two kinds.
    pub fn read(text: &str) -> Result<Self, RecordError> {
        let mut value: serde_json::Value = serde_json::from_str(text).map_err(RecordError::Run)?;
        let Some(schema) = value["schema"].as_u64() else {
            let wrong =
                format!("schema is {}, expected a number: it is not a record of perflab", value["schema"]);
            return Err(RecordError::Plan(wrong));
        };
        match schema {
            1 => {
                let plan: schema1::PlanFile =
                    serde_json::from_value(value["plan"].take()).map_err(RecordError::Run)?;
                let plan = plan.carried_over().map_err(RecordError::Plan)?;
                value["plan"] = serde_json::to_value(plan).map_err(RecordError::Run)?;
                value["schema"] = SCHEMA_VERSION.into();
            }
            found if found == u64::from(SCHEMA_VERSION) => {}
            found => {
                let perflab = value["perflab"].as_str().unwrap_or("unknown").to_owned();
                return Err(RecordError::Schema { found, perflab });
            }
        }
        let file: Self = serde_json::from_value(value).map_err(RecordError::Run)?;
        file.plan.of_one_kind().map_err(RecordError::Plan)?;
        Ok(file)
    }

    /// The text of `run.json`.
    ///
    /// # Errors
    /// When a number in it has no JSON form.
    pub fn write(&self) -> Result<String, RecordError> {
        serde_json::to_string_pretty(self).map(|text| text + "\n").map_err(RecordError::Run)
    }

    /// The run that this file and the text of `raw.csv` describe.
    ///
    /// # Errors
    /// [`RecordError::Raw`] with the line, when a sample cannot be read or names what the plan does not have.
    pub fn run(&self, raw: &str) -> Result<Run, RecordError> {
        let mut launches: Vec<Launch> = self
            .launches
            .iter()
            .map(|launch| Launch { index: launch.index, arms: launch.arms.clone(), turns: Vec::new() })
            .collect();
        read_raw(raw, &self.plan, &mut launches)?;
        self.whole(&launches)?;
        Ok(Run { launches, failures: self.failures.clone(), facts: self.facts.clone() })
    }
}

impl RunFile {
    /// Whether every finished launch has all of its rows. Records from before rows were counted have as many in each
    /// launch, where nothing failed.
    fn whole(&self, launches: &[Launch]) -> Result<(), RecordError> {
        let most = launches.iter().map(rows_of).max().unwrap_or(0);
        // What failed before the first launch has rows in none.
        let equal = self.failures.iter().all(|failure| failure.launch.is_none());
        let least = usize::from(self.failures.is_empty() && !self.plan.benchmarks.is_empty());
        for (file, launch) in self.launches.iter().zip(launches) {
            let found = rows_of(launch);
            let expected = file.rows.unwrap_or(if equal { most.max(least) } else { found });
            if found != expected {
                return Err(RecordError::Rows { launch: file.index, expected, found });
            }
        }
        Ok(())
    }
}

/// Rows of `raw.csv` that a launch has.
fn rows_of(launch: &Launch) -> usize {
    launch.turns.iter().map(|turn| turn.slices.len()).sum()
}

impl From<&Launch> for LaunchFile {
    fn from(launch: &Launch) -> Self {
        Self { index: launch.index, arms: launch.arms.clone(), rows: Some(rows_of(launch)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: &str = include_str!("../../tests/data/record/run.json");
    const RAW: &str = include_str!("../../tests/data/record/raw.csv");

    /// The record as it would be written today.
    fn counted() -> RunFile {
        let file = RunFile::read(RUN).unwrap();
        let launches = file.run(RAW).unwrap().launches.iter().map(LaunchFile::from).collect();
        RunFile::read(&RunFile { launches, ..file }.write().unwrap()).unwrap()
    }

    #[test]
    fn a_row_more_or_less_is_missed() {
        let file = counted();
        assert!(file.run(RAW).is_ok());
        let lines: Vec<&str> = RAW.lines().collect();
        for at in [1, lines.len() / 2, lines.len() - 1] {
            let mut fewer = lines.clone();
            fewer.remove(at);
            let error = file.run(&(fewer.join("\n") + "\n")).unwrap_err();
            assert!(
                matches!(&error, RecordError::Rows { expected, found, .. } if found + 1 == *expected),
                "{error}"
            );
            let mut more = lines.clone();
            more.insert(at, lines[at]);
            assert!(
                matches!(file.run(&(more.join("\n") + "\n")), Err(RecordError::Rows { .. })),
                "twice {at}"
            );
        }
    }

    #[test]
    fn no_cut_goes_unseen() {
        let (old, new) = (RunFile::read(RUN).unwrap(), counted());
        let ends: Vec<usize> = RAW.match_indices('\n').map(|(at, _)| at + 1).collect();
        let header = ends[0];
        for cut in ends.iter().step_by(97).filter(|cut| **cut > header && **cut < RAW.len()) {
            assert!(old.run(&RAW[..*cut]).is_err() && new.run(&RAW[..*cut]).is_err(), "cut at {cut}");
        }
        assert!(new.run(&RAW[..header]).is_err() && new.run("").is_err());
    }
}
