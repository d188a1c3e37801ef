//! Criterion's directories, and those of `cargo criterion`.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::experiment::counts::summaries::files_named;
use crate::experiment::foreign::{Foreign, Found, Runs, own_name, run, text};
use crate::rows::{CriterionFiles, CriterionResult, last_measurement, of_cargo_criterion, of_criterion};

/// What criterion calls a result's file.
pub(super) const ESTIMATES: &str = "estimates.json";
/// What `cargo criterion` calls a benchmark's.
const STORED: &str = "benchmark.cbor";

/// Every run of criterion's at or below a directory.
pub(super) fn runs(folder: &Path) -> anyhow::Result<Vec<Foreign>> {
    let mut runs = Runs::new();
    let files = files_named(&[folder.to_owned()], ESTIMATES)?;
    for file in files.into_iter().filter(|file| is_result(file)) {
        runs.entry(root(&file).unwrap_or_else(|| folder.to_owned())).or_default().push(file);
    }
    for file in files_named(&[folder.to_owned()], STORED)? {
        let root = timeline(&file).and_then(|timeline| timeline.ancestors().nth(2).map(Path::to_owned));
        runs.entry(root.unwrap_or_else(|| folder.to_owned())).or_default().push(file);
    }
    let each = runs.into_iter().map(|(root, files)| run("criterion", folder, root, &files, &result));
    each.filter_map(Result::transpose).collect()
}

/// Whether estimates are of a run: those of criterion's own comparisons have no benchmark's name beside them, and
/// `base` beside `new` is what criterion keeps of the last run to compare the next one with.
fn is_result(estimates: &Path) -> bool {
    let Some(kept) = estimates.parent() else { return false };
    let has_new = || kept.with_file_name("new").join(ESTIMATES).is_file();
    kept.join("benchmark.json").is_file() && !(kept.ends_with("base") && has_new())
}

/// The directory that criterion kept all results of a run in, as `benchmark.json` tells; `None` where it does not.
fn root(estimates: &Path) -> Option<PathBuf> {
    let kept = estimates.parent()?;
    let value: serde_json::Value = serde_json::from_str(&text(&kept.join("benchmark.json")).ok()?).ok()?;
    let directory = Path::new(value["directory_name"].as_str()?);
    let place = kept.parent()?;
    let depth = place.ends_with(directory).then(|| directory.components().count())?;
    place.ancestors().nth(depth).map(Path::to_owned)
}

/// The timeline of `cargo criterion` that a file lies in: `data/main` of `target/criterion/data/main/…`.
fn timeline(file: &Path) -> Option<&Path> {
    file.ancestors().find(|above| above.parent().is_some_and(|parent| parent.ends_with("data")))
}

fn result(file: &Path) -> anyhow::Result<Option<Found>> {
    let place = file.parent().unwrap_or(file);
    let read = if file.ends_with(STORED) { stored(file) } else { kept(file) };
    let CriterionResult { row, group, directory } = read.with_context(|| place.display().to_string())?;
    let directory = directory.unwrap_or_else(|| place.display().to_string());
    Ok(Some(Found { rows: vec![row], apart: vec![format!("group {group}"), directory] }))
}

fn kept(estimates: &Path) -> anyhow::Result<CriterionResult> {
    let beside = |file: &str| estimates.with_file_name(file);
    let sample = beside("sample.json");
    let sample = if sample.is_file() { Some(text(&sample)?) } else { None };
    let files = CriterionFiles {
        kept_as: &estimates.parent().map(own_name).unwrap_or_default(),
        benchmark: &text(&beside("benchmark.json"))?,
        estimates: &text(estimates)?,
        sample: sample.as_deref(),
    };
    Ok(of_criterion(&files)?)
}

fn stored(benchmark: &Path) -> anyhow::Result<CriterionResult> {
    let bytes = |file: &Path| std::fs::read(file).with_context(|| format!("cannot read {}", file.display()));
    let text = bytes(benchmark)?;
    let measurement = benchmark.with_file_name(last_measurement(&text)?);
    let timeline = timeline(benchmark).map(own_name).unwrap_or_else(|| "main".to_owned());
    Ok(of_cargo_criterion(&timeline, &text, &bytes(&measurement)?)?)
}
