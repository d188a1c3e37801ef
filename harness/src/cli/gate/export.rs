//! A gate in formats of other tools.

use std::path::{Path, PathBuf};

use crate::cli::args::ExportArgs;
use crate::cli::export::Kind;
use crate::experiment::gate::{GateFile, Gated, view};
use crate::experiment::judged::Judged;
use crate::judge::{GateRow, GateVerdict};
use crate::report::{self, Foreign, Outcome};
use crate::rows::{GateSource, Measured, Rows, gate_row_name, is_broken, of_gate};

/// Writes what `--export` asks for. Formats that have verdicts get the gate's; the others get the values of both
/// sides, launch by launch, where anything was measured.
pub(crate) fn write(args: &ExportArgs, root: &Path, gated: &Gated) -> anyhow::Result<()> {
    let Gated { file, directory, record } = gated;
    if args.exports.is_empty() {
        return Ok(());
    }
    let verdicts = of_gate(&GateSource {
        name: &file.name,
        started: &file.started,
        command: &file.command,
        perflab: &file.perflab,
        suite: &file.suite,
        workload: file.workload,
        environment: Some(&file.environment),
        report: &file.report,
        allowed: file.allow_unmatched,
    });
    let values = match record {
        Some(judged) => judged.rows(),
        None => match samples(root, directory.as_deref())? {
            Some(mut samples) => {
                samples.missing.extend(verdicts.missing.iter().filter(|missing| missing.identical).cloned());
                samples
            }
            None => verdicts.clone(),
        },
    };
    unmeasured(args, file);
    args.write_each(&|kind, limit| match kind {
        Kind::Summary => report::fitted(&[view::markdown(file)], limit),
        Kind::Rows(Foreign::Junit) => report::junit_with(&verdicts, &|row| outcome(file, row)),
        Kind::Rows(format) => report::foreign(format, &values),
    })
}

/// Says why a format of values has none for some rows.
fn unmeasured(args: &ExportArgs, file: &GateFile) {
    let of_values = |kind: &Kind| matches!(kind, Kind::Rows(format) if *format != Foreign::Junit);
    let identical = file.report.rows.iter().filter(|row| row.verdict == GateVerdict::Identical).count();
    if identical > 0 && args.kinds().any(|kind| of_values(&kind)) {
        let has_times_alone = args.kinds().any(|kind| kind == Kind::Rows(Foreign::Hyperfine));
        errln!(
            "note: {} of identical code {} not measured: the export has {} in place of a value{}; gate with --no-identity to measure identical code too",
            report::number_of(identical, "row"),
            if identical == 1 { "was" } else { "were" },
            if identical == 1 { "a change of 0" } else { "changes of 0" },
            if has_times_alone { ", and hyperfine's format, which is of times, nothing" } else { "" },
        );
    }
}

/// The rows of the record, or of the records of each gated arm, where there are any.
fn samples(root: &Path, folder: Option<&Path>) -> anyhow::Result<Option<Rows>> {
    let Some(folder) = folder else { return Ok(None) };
    let has_samples = |folder: &PathBuf| folder.join("run.json").is_file();
    let mut folders = vec![folder.to_owned()];
    if !has_samples(&folders[0]) {
        folders = std::fs::read_dir(folder)?
            .map(|entry| Ok(entry?.path()))
            .collect::<std::io::Result<Vec<_>>>()?
            .into_iter()
            .filter(has_samples)
            .collect();
        folders.sort();
    }
    let mut all: Option<Rows> = None;
    for folder in &folders {
        let rows = Judged::read(root, folder)?.rows();
        match &mut all {
            None => all = Some(rows),
            Some(all) => {
                all.rows.extend(rows.rows);
                all.missing.extend(rows.missing);
            }
        }
    }
    Ok(all)
}

/// What a row is as a test.
fn outcome(file: &GateFile, measured: &Measured) -> Outcome {
    let same = |row: &&GateRow| gate_row_name(row) == measured.benchmark && row.arm == measured.arm;
    match file.report.rows.iter().find(same) {
        Some(row) if is_broken(row, file.allow_unmatched) => Outcome::Failed(row.why.clone()),
        Some(GateRow { verdict: GateVerdict::Inconclusive, why, .. }) => Outcome::Skipped(why.clone()),
        _ => Outcome::Passed,
    }
}
