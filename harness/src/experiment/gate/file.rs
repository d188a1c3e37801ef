//! What a gate leaves: `gate.json` beside the samples, and `gate.md` for a step summary.

use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};

use crate::experiment::store::{GATE_FILE, replace};
use crate::experiment::trials::{Measured, Row};
use crate::judge::{Allowed, FalseAlarms, GateReport};
use crate::machine::Environment;
use crate::plan::{Bounds, WorkloadKind};
use crate::record::Commit;

/// The version of `gate.json`.
pub(crate) const GATE_SCHEMA: u32 = 1;

/// The launches of one row.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RowLaunches {
    /// The benchmark.
    pub benchmark: String,
    /// The gated arm.
    pub arm: String,
    /// Its bounds.
    pub bounds: Bounds,
    /// ln(candidate / reference) of every launch of the screening.
    pub screening: Vec<f64>,
    /// Of the confirmation.
    pub confirmation: Vec<f64>,
    /// Of the reference against itself, while the row was screened.
    pub control: Vec<f64>,
    /// Seconds of measuring that the row and its reference took.
    pub seconds: f64,
}

/// Everything that a gate measured in pairs and said.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GateFile {
    /// The schema's version.
    pub schema: u32,
    /// perflab's version.
    pub perflab: String,
    /// The record's name: its directory's.
    pub name: String,
    /// When it was started (UTC).
    pub started: String,
    /// Seconds from start to end, builds included.
    pub seconds: f64,
    /// The command.
    pub command: String,
    /// The suite.
    pub suite: String,
    /// What kind of task it measures.
    pub workload: WorkloadKind,
    /// What was compared with: a commit's full hash.
    pub against: String,
    /// The name that it was given by.
    pub against_name: String,
    /// The commit of the work tree.
    pub candidate: Option<Commit>,
    /// The machine.
    pub environment: Environment,
    /// The rustc that compiled each side, by its own words, in the order reference, candidate; empty in records of labs
    /// that did not ask.
    #[serde(default)]
    pub compilers: Vec<String>,
    /// What limits its numbers, a sentence each; empty in records of labs that did not say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Whether the user stopped it.
    pub stopped: bool,
    /// Which rows without a counterpart were allowed.
    pub allow_unmatched: Allowed,
    /// What it says.
    pub report: GateReport,
    /// What it says that by.
    pub launches: Vec<RowLaunches>,
    /// How often such a gate is wrong, where it was calibrated.
    pub false_alarms: Option<FalseAlarms>,
}

impl GateFile {
    /// Writes it whole.
    pub(crate) fn write(&self, folder: &Path) -> anyhow::Result<()> {
        let path = folder.join(GATE_FILE);
        let text = serde_json::to_string_pretty(self)? + "\n";
        replace(&path, text.as_bytes()).with_context(|| format!("cannot write {}", path.display()))
    }

    /// Reads the one of a record; `None` where the record has none.
    pub(crate) fn read(folder: &Path) -> anyhow::Result<Option<Self>> {
        let path = folder.join(GATE_FILE);
        let text = match std::fs::read_to_string(&path) {
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            text => text.with_context(|| format!("cannot read {}", path.display()))?,
        };
        let value: serde_json::Value =
            serde_json::from_str(&text).with_context(|| path.display().to_string())?;
        let found = value["schema"].as_u64().unwrap_or(0);
        if found != u64::from(GATE_SCHEMA) {
            bail!(
                "{} has schema {found}, and this perflab reads {GATE_SCHEMA}: use the perflab that wrote it ({})",
                path.display(),
                value["perflab"].as_str().unwrap_or("unknown")
            );
        }
        Ok(Some(serde_json::from_value(value).with_context(|| path.display().to_string())?))
    }
}

/// The launches of the rows of one trial.
pub(crate) fn row_launches(
    arm: &str,
    names: &[String],
    bounds: &[Bounds],
    measured: &Measured,
    trial: usize,
) -> Vec<RowLaunches> {
    let of = |row: &Row| RowLaunches {
        benchmark: names[row.benchmark].clone(),
        arm: arm.to_owned(),
        bounds: bounds[row.benchmark],
        screening: row.screening.values.clone(),
        confirmation: row.confirmation.as_ref().map_or_else(Vec::new, |phased| phased.values.clone()),
        control: row.control.clone(),
        seconds: row.screening.seconds + row.confirmation.as_ref().map_or(0.0, |phased| phased.seconds),
    };
    measured.rows.iter().filter(|row| row.trial == trial).map(of).collect()
}
