//! `history`: records over time.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::cli::args::{Format, HistoryArgs, Shared};
use crate::cli::context::style;
use crate::cli::{Exit, mcp};
use crate::experiment::foreign;
use crate::experiment::judged::Judged;
use crate::experiment::store;
use crate::experiment::surroundings::workspace_root;
use crate::history::{Quantity, history as joined};
use crate::report;
use crate::rows::Rows;
use crate::stats::Search;

/// The share of histories without a change that report one.
const FALSE_ALARMS: f64 = 0.05;
/// The seed of the permutations: the same records give the same changes.
const SEED: u64 = 20_261_127;

/// A record that is not in the history, and why.
#[derive(serde::Serialize)]
struct Skipped {
    folder: PathBuf,
    reason: String,
}

/// Joins records and prints the series.
pub(crate) fn history(shared: &Shared, args: &HistoryArgs) -> anyhow::Result<Exit> {
    let kind = args.chart.as_deref().map(picture).transpose()?;
    let root = workspace_root(&std::env::current_dir()?).unwrap_or_else(|_| PathBuf::from("."));
    let folders = if args.folders.is_empty() { vec![root.join("results")] } else { args.folders.clone() };
    let (mut runs, mut skipped) = (Vec::new(), Vec::new());
    for folder in members(&folders)? {
        match run(&root, &folder) {
            Ok(rows) => runs.push(rows),
            Err(error) => skipped.push(Skipped { folder, reason: format!("{error:#}") }),
        }
    }
    for Skipped { folder, reason } in &skipped {
        let shown = folder.display().to_string();
        // Most reasons name their directory.
        let place = if reason.contains(&shown) { String::new() } else { format!("{shown}: ") };
        eprintln!("skipped: {place}{reason}");
    }
    if runs.is_empty() {
        let shown: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
        bail!("no record that can be read in {}: name directories of records", shown.join(", "));
    }
    for rows in &mut runs {
        chosen(rows, args);
    }
    let quantity = if args.ratios { Quantity::Ratio } else { Quantity::Value };
    let history = joined(&runs, quantity, Search { false_alarms: FALSE_ALARMS, seed: SEED });
    if history.series.is_empty() {
        bail!("no series left: check --benchmarks and --arms (and with --ratios that a run has candidates)");
    }
    if let (Some(file), Some(kind)) = (&args.chart, kind) {
        match report::trend_chart(&history)? {
            Some(chart) => {
                let bytes = if kind == "svg" { chart.svg.into_bytes() } else { chart.png()? };
                store::replace(file, &bytes).with_context(|| format!("cannot write {}", file.display()))?;
            }
            None => eprintln!("no chart: no series has two runs yet"),
        }
    }
    match shared.format {
        Format::Table => out!("{}", report::history_table(&history, &style(shared))),
        Format::Json => {
            let value = serde_json::json!({ "history": history, "skipped": skipped });
            outln!("{}", serde_json::to_string_pretty(&value)?);
        }
    }
    Ok(Exit::Fine)
}

fn picture(file: &Path) -> anyhow::Result<&str> {
    match file.extension().and_then(|ending| ending.to_str()) {
        Some(kind @ ("svg" | "png")) => Ok(kind),
        _ => bail!("--chart {}: name a file that ends in .svg or .png", file.display()),
    }
}

/// The directories themselves where they hold results, else those in them that do.
fn members(folders: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut members = Vec::new();
    for folder in folders {
        if is_record(folder) {
            members.push(folder.clone());
            continue;
        }
        let entries = std::fs::read_dir(folder)
            .with_context(|| format!("cannot read the directory {}", folder.display()))?;
        let mut below: Vec<PathBuf> =
            entries.filter_map(Result::ok).map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
        below.sort();
        let records: Vec<PathBuf> = below.into_iter().filter(|path| is_record(path)).collect();
        // A directory without records may be one of another tool's.
        members.extend(if records.is_empty() { vec![folder.clone()] } else { records });
    }
    Ok(members)
}

fn is_record(folder: &Path) -> bool {
    folder.join("run.json").exists() || mcp::is_record(folder)
}

fn run(root: &Path, folder: &Path) -> anyhow::Result<Rows> {
    if mcp::is_record(folder) {
        bail!("a record of tool calls: histories hold records of runs, criterion's and gungraun's results");
    }
    if !folder.join("run.json").exists() {
        return foreign::read(folder);
    }
    let judged = Judged::read(root, folder)?;
    if judged.is_void() {
        bail!("its A/A control differs from itself, so that none of its numbers counts");
    }
    Ok(judged.rows())
}

fn chosen(rows: &mut Rows, args: &HistoryArgs) {
    let among = |names: &[String], name: &String| names.is_empty() || names.contains(name);
    rows.rows.retain(|row| among(&args.benchmarks, &row.benchmark) && among(&args.arms, &row.arm));
}
