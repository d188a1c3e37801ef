//! Directories of other tools as rows: criterion's results, the summaries of gungraun.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::experiment::counts::summaries::{SUMMARY, files_named};
use crate::record::counts::read_summary;
use crate::rows::{CriterionFiles, Measured, Rows, of_counts, of_criterion};

/// What criterion calls a result's file.
const ESTIMATES: &str = "estimates.json";

/// Reads a directory of criterion's results (`target/criterion`, or one kept elsewhere) or of gungraun's summaries.
///
/// # Errors
/// When there is neither, or a file cannot be read.
pub fn read(folder: &Path) -> anyhow::Result<Rows> {
    if !folder.exists() {
        bail!("there is no {}", folder.display());
    }
    let results = results(folder)?;
    if !results.is_empty() {
        return criterion(folder, &results);
    }
    let summaries = files_named(&[folder.to_owned()], SUMMARY)?;
    if summaries.is_empty() {
        bail!(
            "{} is neither a record (run.json), nor criterion's results ({ESTIMATES} beside benchmark.json), nor gungraun's ({SUMMARY})",
            folder.display()
        );
    }
    let mut counts = Vec::new();
    for file in &summaries {
        counts.extend(read_summary(&text(file)?).with_context(|| file.display().to_string())?);
    }
    Ok(of_counts(&name(folder), &newest(&summaries), &counts))
}

/// Criterion's estimates below a directory that have a benchmark's name beside them: those of its own comparisons have
/// none.
fn results(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let files = files_named(&[folder.to_owned()], ESTIMATES)?;
    Ok(files.into_iter().filter(|file| file.with_file_name("benchmark.json").is_file()).collect())
}

fn criterion(folder: &Path, results: &[PathBuf]) -> anyhow::Result<Rows> {
    let rows: Vec<Measured> = results.iter().map(|file| result(file)).collect::<anyhow::Result<_>>()?;
    Ok(Rows {
        name: name(folder),
        suite: "criterion".to_owned(),
        started: newest(results),
        arms_are: "run".to_owned(),
        command: String::new(),
        made_by: "criterion".to_owned(),
        environment: None,
        rows,
        missing: Vec::new(),
    })
}

fn result(estimates: &Path) -> anyhow::Result<Measured> {
    let beside = |file: &str| estimates.with_file_name(file);
    let sample = beside("sample.json");
    let sample = if sample.is_file() { Some(text(&sample)?) } else { None };
    let parent = estimates.parent().map(name).unwrap_or_default();
    let files = CriterionFiles {
        kept_as: &parent,
        benchmark: &text(&beside("benchmark.json"))?,
        estimates: &text(estimates)?,
        sample: sample.as_deref(),
    };
    of_criterion(&files).with_context(|| estimates.parent().unwrap_or(estimates).display().to_string())
}

fn text(file: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

/// A directory's own name, whatever way leads to it.
fn name(folder: &Path) -> String {
    let whole = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    whole.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// When the last of the files was written; ISO 8601 sorts as it is.
fn newest(files: &[PathBuf]) -> String {
    files.iter().filter_map(|file| written_at(file)).max().unwrap_or_default()
}

/// When a file was written (UTC, ISO 8601): all that is known of when another tool measured.
fn written_at(path: &Path) -> Option<String> {
    let modified = std::fs::metadata(path).and_then(|metadata| metadata.modified()).ok()?;
    let time = jiff::Timestamp::try_from(modified).ok()?;
    Some(time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}
