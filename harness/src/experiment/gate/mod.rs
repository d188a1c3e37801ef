//! The gate: the work tree against a revision, or against what was accepted; all verdicts folded into one.

mod against;
mod file;
mod pairs;
mod references;
pub mod view;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::anyhow;

pub use against::against;
pub use file::{GateFile, RowLaunches};
pub use references::{by_references, record_by_references};

use crate::called::program;
use crate::experiment::judged::Judged;
use crate::experiment::store;
use crate::judge::{Allowed, GateReport, GateRow, GateRule, Launches, Paired, gate_report, replay};
use crate::plan::{Arm, Source};

/// What a gate compares, and how long it may take.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GateOptions {
    /// The suite's file; `None` is the workspace's default.
    pub suite: Option<PathBuf>,
    /// The arms to gate, by name; empty is the suite's own choice, else its baseline.
    pub arms: Vec<String>,
    /// The benchmarks, by name; empty is the suite's choice.
    pub benchmarks: Vec<String>,
    /// Texts, of which a benchmark's name holds one; empty lets all pass.
    pub filters: Vec<String>,
    /// A Cargo profile in place of the suite's.
    pub profile: Option<String>,
    /// A Python interpreter in place of the suite's: a name on `PATH`, or a path.
    pub python: Option<String>,
    /// How long it may take, builds included. What is not decided by then is inconclusive.
    pub budget: Duration,
    /// Whether code that is identical on both sides passes without being measured.
    pub identity: bool,
    /// Which benchmarks that only one side has pass.
    pub allow_unmatched: Allowed,
    /// The seed of every random choice; `None` takes one from the clock.
    pub seed: Option<u64>,
    /// Where records go; `None` is `results` of the workspace.
    pub out: Option<PathBuf>,
    /// The command as a person would type it again, for the record.
    pub command: String,
}

/// What a gate said.
pub struct Gated {
    /// Its verdicts, and what it says them by.
    pub file: GateFile,
    /// Where its samples are kept; `None` where nothing was measured.
    pub directory: Option<PathBuf>,
    /// The ordinary record that was judged, where it was one.
    pub record: Option<Judged>,
}

impl Gated {
    /// A gate that was measured in pairs, or nothing was measured for.
    fn paired(file: GateFile, directory: Option<PathBuf>) -> Self {
        Self { file, directory, record: None }
    }
}

/// Writes a gate's file, its page and its chart into the record.
fn kept(mut file: GateFile, directory: PathBuf, start: Instant) -> anyhow::Result<Gated> {
    file.seconds = start.elapsed().as_secs_f64();
    file.write(&directory)?;
    store::replace(&directory.join("gate.md"), view::markdown(&file).as_bytes())?;
    if let Some(chart) = view::chart(&file)? {
        store::replace(&directory.join("charts/gate.svg"), chart.svg.as_bytes())?;
    }
    Ok(Gated::paired(file, Some(directory)))
}

/// The gate that a record holds, with the verdicts of its day; `None` where it holds none.
///
/// # Errors
/// Its file cannot be read.
pub fn stored(record: &Path) -> anyhow::Result<Option<Gated>> {
    let file = GateFile::read(record)?;
    Ok(file.map(|file| Gated::paired(file, Some(record.to_owned()))))
}

/// Judges a gate's record again, by the rule of the day. `root` is the workspace whose calibrations are taken.
///
/// # Errors
/// The record is not one of a gate, or cannot be read.
pub fn again(root: &Path, record: &Path, allowed: Allowed) -> anyhow::Result<Gated> {
    let Some(mut file) = GateFile::read(record)? else { return Err(no_gate(record)) };
    file.allow_unmatched = file.allow_unmatched.max(allowed);
    file.report = judged_again(&file);
    file.false_alarms = against::false_alarms(root, &file.environment, file.workload)?;
    Ok(Gated::paired(file, Some(record.to_owned())))
}

/// Why a record holds no gate. One that was killed has its samples, and the command that made them.
fn no_gate(record: &Path) -> anyhow::Error {
    let shown = record.display();
    let of_commit =
        |arm: &Arm| arm.workload.variant().is_some_and(|variant| variant.source != Source::Worktree);
    match store::read(record) {
        Ok((file, _)) if file.plan.arms.iter().any(of_commit) => anyhow!(
            "{shown} holds the samples of a gate that was interrupted before its answer; gate again: {}",
            file.command
        ),
        _ => anyhow!("{shown} holds no gate: it was not made by {} gate", program()),
    }
}

fn judged_again(file: &GateFile) -> GateReport {
    let mut rule = GateRule::new(file.launches.len());
    let launches: Vec<Launches> = file
        .launches
        .iter()
        .map(|row| Launches {
            screening: row.screening.clone(),
            confirmation: row.confirmation.clone(),
            bounds: row.bounds,
        })
        .collect();
    let replayed = replay(&mut rule, &launches);
    let confirmed = replayed.iter().filter(|row| row.confirmation.is_some()).count();
    let mut void = Vec::new();
    let rows: Vec<GateRow> = file
        .report
        .rows
        .iter()
        .map(|row| {
            let at = file.launches.iter().position(|known| {
                known.benchmark == row.benchmark && known.arm == row.arm && row.measure.is_time()
            });
            let Some(at) = at else { return row.clone() };
            let (known, now) = (&file.launches[at], replayed[at]);
            let seconds = known.seconds / (known.screening.len() + known.confirmation.len()).max(1) as f64;
            let screened = Paired {
                values: &known.screening[..now.screened_at],
                standing: now.screening,
                rows: 1,
                launch_seconds: seconds,
            };
            let confirmation = now.confirmation.map(|standing| Paired {
                values: &known.confirmation[..now.confirmed_at],
                standing,
                rows: confirmed,
                launch_seconds: seconds,
            });
            if rule.voids(&known.control, known.bounds) {
                void.push(format!("{} of {}", known.benchmark, known.arm));
            }
            row.clone().paired(&rule, &screened, confirmation.as_ref())
        })
        .collect();
    gate_report(rows, void, file.allow_unmatched)
}
