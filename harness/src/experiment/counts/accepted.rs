//! Counts that were accepted, and later ones held against them. The threshold is none: counts are exact.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::experiment::calibrations::class;
use crate::experiment::counts::table::{aligned, change, column, failures};
use crate::experiment::store::{entries, replace};
use crate::judge::Fold;
use crate::machine::{Difference, Environment};
use crate::measure::{FailureReason, RunFailure};
use crate::record::call_counts::{AcceptedCounts, CountedBy, CountsFile};
use crate::report::thousands;

/// How a count compares with the accepted one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As many.
    Equal,
    /// Fewer: better, and worth accepting.
    Fewer,
    /// More: a regression.
    More,
    /// Accepted as not exact: nothing to hold it against.
    NotGated,
    /// It was exact, and is not any more.
    NotExact,
    /// It has no accepted count.
    New,
    /// An accepted count without a call.
    Gone,
    /// Not counted, since something is broken.
    Failed,
    /// Not counted, since this machine cannot run it.
    CannotRun,
}

impl Verdict {
    /// In a few words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Equal => "as accepted",
            Self::Fewer => "fewer: accept it",
            Self::More => "MORE",
            Self::NotGated => "not exact: not gated",
            Self::NotExact => "NO LONGER EXACT",
            Self::New => "NOT ACCEPTED YET",
            Self::Gone => "ACCEPTED, NOT THERE",
            Self::Failed => "FAILED",
            Self::CannotRun => "cannot run here",
        }
    }

    /// Whether it fails a gate.
    #[must_use]
    pub fn fails(self) -> bool {
        matches!(self, Self::More | Self::New | Self::Gone | Self::Failed)
    }
}

/// One row of the gate.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Row {
    /// The benchmark.
    pub benchmark: String,
    /// The arm.
    pub arm: String,
    /// The accepted count; `None` where there is none, or it was not exact.
    pub accepted: Option<u64>,
    /// The count of now; `None` where there is none, or it is not exact.
    pub counted: Option<u64>,
    /// How the two compare.
    pub verdict: Verdict,
}

/// Where the accepted counts of a suite lie. Those of Callgrind hold for a toolchain on any machine; others hold for
/// CPUs on which the same code runs.
#[must_use]
pub fn file(directory: &Path, counts: &CountsFile, environment: &Environment) -> PathBuf {
    let whole = class(environment);
    // The class ends with the toolchain.
    let place = match counts.by {
        CountedBy::Callgrind => whole.find("rustc-").map_or(whole.as_str(), |at| &whole[at..]),
        CountedBy::SingleStep | CountedBy::Hardware => &whole,
    };
    directory.join(format!("{}-{}-{place}.json", counts.suite, counts.by.name()))
}

/// What accepting counts did.
pub struct Accepted {
    /// The rows whose accepted count changed.
    pub changed: Vec<Row>,
    /// How many counts the file holds now.
    pub counts: usize,
}

/// Accepts all counts of a record. What the record does not have stays as it was.
///
/// # Errors
/// A call failed, nothing was counted, or the file cannot be read or written.
pub fn accept(file: &Path, counts: &CountsFile) -> anyhow::Result<Accepted> {
    if counts.failures.iter().any(RunFailure::is_broken) {
        bail!("not accepted: {}", failures(counts).trim_end());
    }
    let mut new = counts.accepted();
    if new.counts.is_empty() {
        bail!("nothing was counted, so that nothing can be accepted");
    }
    let old = if file.exists() { Some(read(file)?) } else { None };
    let mut changed = old.as_ref().map(|old| compare(old, counts)).unwrap_or_default();
    // Arms and benchmarks that were left out this time stay as they were, where the same code runs.
    if let Some(old) = old.filter(|old| differences(old, counts).is_empty()) {
        for (arm, kept) in old.counts {
            let of_arm = new.counts.entry(arm).or_default();
            for (benchmark, count) in kept {
                of_arm.entry(benchmark).or_insert(count);
            }
        }
        let known: BTreeSet<String> = new.arms.iter().map(|arm| arm.name.clone()).collect();
        new.arms.extend(old.arms.into_iter().filter(|arm| !known.contains(&arm.name)));
    }
    let text = serde_json::to_string_pretty(&new)? + "\n";
    replace(file, text.as_bytes()).with_context(|| format!("cannot write {}", file.display()))?;
    changed.retain(|row| !matches!(row.verdict, Verdict::Equal | Verdict::NotGated | Verdict::Gone));
    Ok(Accepted { changed, counts: new.counts.values().map(BTreeMap::len).sum() })
}

/// What a gate of counts said.
pub struct CountsGate {
    /// The accepted counts that it was held against.
    pub file: PathBuf,
    /// Where other code may run than was accepted: nothing is compared then.
    pub differences: Vec<Difference>,
    /// Every call, with what was accepted of it.
    pub rows: Vec<Row>,
}

impl CountsGate {
    /// All verdicts folded into one.
    #[must_use]
    pub fn fold(&self) -> Fold {
        if self.differences.is_empty() { fold(&self.rows) } else { Fold::Inconclusive }
    }
}

/// Holds counts against the accepted ones in `file`; without that file, against those of another machine, to say what
/// differs.
///
/// # Errors
/// There are no accepted counts, or they cannot be read.
pub fn gate(file: &Path, counts: &CountsFile) -> anyhow::Result<CountsGate> {
    let Some(file) = nearest(file, counts)? else {
        bail!("no accepted counts in {}: accept some with --accept", file.display());
    };
    let accepted = read(&file)?;
    let differences = differences(&accepted, counts);
    let rows = if differences.is_empty() { compare(&accepted, counts) } else { Vec::new() };
    Ok(CountsGate { file, differences, rows })
}

fn fold(rows: &[Row]) -> Fold {
    if rows.iter().any(|row| row.verdict.fails()) {
        Fold::Regressed
    } else if rows.is_empty() || rows.iter().any(|row| row.verdict == Verdict::NotExact) {
        Fold::Inconclusive
    } else {
        Fold::Passes
    }
}

/// The file itself; else one of the same suite and counter that was made elsewhere, to tell what differs.
fn nearest(file: &Path, counts: &CountsFile) -> anyhow::Result<Option<PathBuf>> {
    if file.exists() {
        return Ok(Some(file.to_owned()));
    }
    let prefix = format!("{}-{}-", counts.suite, counts.by.name());
    let Some(directory) = file.parent() else { return Ok(None) };
    let mut others = entries(directory)?;
    others.retain(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&prefix)));
    others.sort();
    Ok(others.into_iter().next())
}

fn read(path: &Path) -> anyhow::Result<AcceptedCounts> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    AcceptedCounts::read(&text).with_context(|| path.display().to_string())
}

/// In what the accepted counts were made otherwise, as far as the arms that were counted now are concerned.
fn differences(accepted: &AcceptedCounts, counts: &CountsFile) -> Vec<Difference> {
    let mut all = accepted.origin.differences(&counts.origin);
    for arm in &counts.arms {
        let Some(known) = accepted.arms.iter().find(|known| known.name == arm.name) else { continue };
        // What was not built has no flags.
        if known != arm && counts.calls.iter().any(|call| call.arm == arm.name) {
            let told = |profile: &str, flags: &[String]| format!("{profile} {}", flags.join(" "));
            all.push(Difference {
                field: "profile or flags",
                left: told(&known.profile, &known.flags),
                right: told(&arm.profile, &arm.flags),
            });
        }
    }
    all
}

/// Every call of the arms and benchmarks that were asked for, with what was accepted of it.
fn compare(accepted: &AcceptedCounts, counts: &CountsFile) -> Vec<Row> {
    let mut rows = Vec::new();
    for arm in counts.arms.iter().map(|arm| &arm.name).filter(|arm| !counts.identical.contains_key(*arm)) {
        let known = accepted.counts.get(arm);
        let names: BTreeSet<&String> =
            counts.benchmarks.iter().chain(known.into_iter().flat_map(|known| known.keys())).collect();
        for benchmark in names {
            let was = known.and_then(|known| known.get(benchmark));
            let call = counts.calls.iter().find(|call| &call.arm == arm && &call.benchmark == benchmark);
            let now = call.map(|call| call.exact());
            let why = counts.failures.iter().find(|failure| {
                &failure.arm == arm && failure.benchmark.as_ref().is_none_or(|name| name == benchmark)
            });
            let Some(verdict) =
                verdict(was, now, why.map(|failure| &failure.reason), &counts.benchmarks, benchmark)
            else {
                continue;
            };
            rows.push(Row {
                benchmark: benchmark.clone(),
                arm: arm.clone(),
                accepted: was.copied().flatten(),
                counted: now.flatten(),
                verdict,
            });
        }
    }
    rows
}

/// `was` and `now` hold `None` inside where a count is not exact. Nothing where nobody asked.
fn verdict(
    was: Option<&Option<u64>>,
    now: Option<Option<u64>>,
    why: Option<&FailureReason>,
    asked: &[String],
    benchmark: &String,
) -> Option<Verdict> {
    Some(match (was, now) {
        (_, None) if why.is_some_and(cannot_run) => Verdict::CannotRun,
        (_, None) if why.is_some() => Verdict::Failed,
        (Some(_), None) => Verdict::Gone,
        (None, None) if asked.contains(benchmark) => Verdict::Failed,
        (None, None) => return None,
        (None, Some(_)) => Verdict::New,
        (Some(None), Some(_)) => Verdict::NotGated,
        (Some(Some(_)), Some(None)) => Verdict::NotExact,
        (Some(Some(was)), Some(Some(now))) if now > *was => Verdict::More,
        (Some(Some(was)), Some(Some(now))) if now < *was => Verdict::Fewer,
        (Some(Some(_)), Some(Some(_))) => Verdict::Equal,
    })
}

fn cannot_run(reason: &FailureReason) -> bool {
    use FailureReason::{MissingFeatures, MissingTool, NotOffered};
    matches!(reason, MissingFeatures { .. } | MissingTool { .. } | NotOffered { .. })
}

/// Rows as a table; nothing for none.
#[must_use]
pub fn lines(rows: &[Row]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let number = |count: Option<u64>| count.map_or_else(|| "-".to_owned(), thousands);
    let changed = |row: &Row| match (row.accepted, row.counted) {
        (Some(was), Some(now)) => change(was, now),
        _ => String::new(),
    };
    let mut text = aligned(&[
        column("benchmark", rows.iter().map(|row| row.benchmark.clone())),
        column("arm", rows.iter().map(|row| row.arm.clone())),
        column("accepted", rows.iter().map(|row| number(row.accepted))),
        column("counted", rows.iter().map(|row| number(row.counted))),
        column("change", rows.iter().map(changed)),
        column("", rows.iter().map(|row| row.verdict.words().to_owned())),
    ]);
    let _ = writeln!(text);
    text
}

#[cfg(test)]
mod tests;
