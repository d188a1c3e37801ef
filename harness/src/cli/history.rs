//! `history`: records over time.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::cli::args::{Format, HistoryArgs, Shared};
use crate::cli::context::{reading_root, style};
use crate::cli::values::all_names;
use crate::cli::{Exit, mcp};
use crate::experiment::foreign::{self, Foreign};
use crate::experiment::judged::Judged;
use crate::experiment::store;
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
    folder: String,
    reason: String,
}

/// Joins records and prints the series.
pub(crate) fn history(shared: &Shared, args: &HistoryArgs) -> anyhow::Result<Exit> {
    let kind = args.chart.as_deref().map(picture).transpose()?;
    let root = reading_root()?;
    let folders = if args.folders.is_empty() { vec![root.join("results")] } else { args.folders.clone() };
    let (mut runs, skipped) = joined_from(&root, &folders)?;
    for Skipped { folder, reason } in &skipped {
        // Most reasons name their directory.
        let place = if reason.contains(folder.as_str()) { String::new() } else { format!("{folder}: ") };
        errln!("skipped: {place}{reason}");
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
            None => errln!("no chart: no series has two runs yet"),
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

/// The runs in these directories, and what could not be read.
fn joined_from(root: &Path, folders: &[PathBuf]) -> anyhow::Result<(Vec<Rows>, Vec<Skipped>)> {
    let (mut runs, mut skipped) = (Vec::new(), Vec::new());
    let mut skip = |folder: &Path, reason: String| {
        skipped.push(Skipped { folder: folder.display().to_string(), reason });
    };
    for member in members(folders)? {
        match member {
            Member::Record(folder) => match record(root, &folder) {
                Ok(rows) => runs.push((None, rows)),
                Err(error) => skip(&folder, format!("{error:#}")),
            },
            Member::Foreign(folder) => match foreign::runs(&folder) {
                Ok(foreign) => {
                    for Foreign { folder, rows, unreadable } in foreign {
                        unreadable.into_iter().for_each(|wrong| skip(&folder, wrong));
                        runs.push((Some(folder), rows));
                    }
                }
                Err(error) => skip(&folder, format!("{error:#}")),
            },
        }
    }
    Ok((told_apart(runs), skipped))
}

/// Runs of other tools whose directories have one name (`monday/criterion`, `tuesday/criterion`) are called by the whole
/// way.
fn told_apart(runs: Vec<(Option<PathBuf>, Rows)>) -> Vec<Rows> {
    let names: Vec<String> = runs.iter().map(|(_, rows)| rows.name.clone()).collect();
    let repeats = |name: &String| names.iter().filter(|other| *other == name).count() > 1;
    let named = |(folder, rows): (Option<PathBuf>, Rows)| match folder {
        Some(folder) if repeats(&rows.name) => Rows { name: folder.display().to_string(), ..rows },
        _ => rows,
    };
    runs.into_iter().map(named).collect()
}

/// A directory with results.
enum Member {
    /// A record of the lab's.
    Record(PathBuf),
    /// Runs of other tools, at or below it.
    Foreign(PathBuf),
}

/// The records among directories and directly below them. What lies beside those is another tool's where it says so;
/// a directory without records is taken for one.
fn members(folders: &[PathBuf]) -> anyhow::Result<Vec<Member>> {
    let mut members = Vec::new();
    for folder in folders {
        if is_record(folder) {
            members.push(Member::Record(folder.clone()));
            continue;
        }
        let entries = std::fs::read_dir(folder)
            .with_context(|| format!("cannot read the directory {}", folder.display()))?;
        let mut below: Vec<PathBuf> =
            entries.filter_map(Result::ok).map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
        below.sort();
        let (records, others): (Vec<_>, Vec<_>) = below.into_iter().partition(|path| is_record(path));
        if records.is_empty() {
            members.push(Member::Foreign(folder.clone()));
            continue;
        }
        members.extend(records.into_iter().map(Member::Record));
        members.extend(others.into_iter().filter(|path| foreign::runs(path).is_ok()).map(Member::Foreign));
    }
    // A directory that is named twice, or by two ways, is joined once.
    let mut seen = BTreeSet::new();
    members.retain(|member| {
        let (Member::Record(folder) | Member::Foreign(folder)) = member;
        seen.insert(folder.canonicalize().unwrap_or_else(|_| folder.clone()))
    });
    Ok(members)
}

fn is_record(folder: &Path) -> bool {
    folder.join("run.json").exists() || mcp::is_record(folder)
}

fn record(root: &Path, folder: &Path) -> anyhow::Result<Rows> {
    if mcp::is_record(folder) {
        bail!("a record of tool calls: histories hold records of runs, criterion's and gungraun's results");
    }
    let judged = Judged::read(root, folder)?;
    if judged.is_void() {
        bail!("its A/A control differs from itself, so that none of its numbers counts");
    }
    Ok(judged.rows())
}

fn chosen(rows: &mut Rows, args: &HistoryArgs) {
    let (benchmarks, arms) = (all_names(&args.benchmarks), all_names(&args.arms));
    let among = |names: &[String], name: &String| names.is_empty() || names.contains(name);
    rows.rows.retain(|row| among(&benchmarks, &row.benchmark) && among(&arms, &row.arm));
}
