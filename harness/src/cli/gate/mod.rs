//! `gate`: all verdicts of a comparison folded into an exit code.

mod against;
mod export;
mod file;
mod pairs;
mod references;
mod revision;
mod show;
pub(crate) mod trials;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::bail;

pub(crate) use file::GATE_FILE;
pub(crate) use revision::head;

use crate::cli::Exit;
use crate::cli::args::{Format, GateArgs, Shared};
use crate::cli::context::Context;
use crate::cli::gate::file::GateFile;
use crate::judge::{Fold, GateReport, GateRow, GateRule, Launches, Paired, gate_report, replay};

/// Compares the work tree with a revision or with references, or judges a record.
pub(crate) fn gate(shared: &Shared, args: &GateArgs) -> anyhow::Result<Exit> {
    args.export.check()?;
    match (&args.against, &args.references, &args.record) {
        (Some(rev), None, None) => against::against(shared, args, rev),
        (None, Some(folder), None) => references::measured(shared, args, folder.as_deref()),
        (None, Some(folder), Some(record)) => references::recorded(shared, args, folder.as_deref(), record),
        (None, None, Some(record)) => of_record(shared, args, record),
        _ => bail!(
            "what to compare with? --against REV measures a revision beside the work tree, --references what was accepted; a gate's RECORD is judged again"
        ),
    }
}

/// The exit code of a gate.
pub(crate) fn exit(fold: Fold) -> Exit {
    match fold {
        Fold::Passes => Exit::Fine,
        Fold::Regressed => Exit::Failed,
        Fold::Broken => Exit::Broken,
        Fold::Inconclusive => Exit::Inconclusive,
    }
}

/// Judges a gate's record again, by the rule of the day.
fn of_record(shared: &Shared, args: &GateArgs, record: &Path) -> anyhow::Result<Exit> {
    let Some(mut file) = GateFile::read(record)? else {
        bail!("{} holds no gate: it was not made by cargo lab gate", record.display())
    };
    file.allow_unmatched |= args.allow_unmatched;
    file.report = again(&file);
    let root = Context::open()?.root;
    file.false_alarms = against::false_alarms(&root, &file.environment, file.workload);
    tell(shared, args, &root, &file, Some(record))?;
    Ok(if file.stopped { Exit::Stopped } else { exit(file.report.fold) })
}

fn again(file: &GateFile) -> GateReport {
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

/// The gate on stdout, and for other tools. `folder` holds the samples, where there are any.
fn tell(
    shared: &Shared,
    args: &GateArgs,
    root: &Path,
    file: &GateFile,
    folder: Option<&Path>,
) -> anyhow::Result<()> {
    export::write(&args.export, root, file, folder)?;
    match shared.format {
        _ if args.export.takes_stdout() => {}
        Format::Table => out!("{}", show::table(file, &crate::cli::context::style(shared))),
        Format::Json => outln!("{}", serde_json::to_string_pretty(file)?),
    }
    Ok(())
}

/// How long a gate may take, and since when.
#[derive(Clone, Copy)]
pub(crate) struct Budget {
    /// When the command began.
    pub start: Instant,
    limit: Duration,
}

impl Budget {
    pub(crate) fn of(args: &GateArgs) -> Self {
        Self { start: Instant::now(), limit: args.budget }
    }

    pub(crate) fn end(self) -> Instant {
        self.start + self.limit
    }
}
