//! Instructions of one call: counted by single steps, the processor's counter or Callgrind, or read from what gungraun and
//! iai-callgrind saved; accepted, and held against what was accepted.

pub mod accepted;
mod callgrind;
mod steps;
pub mod summaries;
pub mod table;

use std::path::{Path, PathBuf};

use anyhow::Context as _;

pub use callgrind::{CallgrindOptions, UnderCallgrind, callgrind};
pub use steps::{StepOptions, steps};

use crate::experiment::context::Context;
use crate::experiment::store::{new_directory, record_name, replace};
use crate::measure::RunFailure;
use crate::record::call_counts::CountsFile;

/// The file of a record of counts.
const COUNTS: &str = "counts.json";

/// Counts and their record.
pub struct Counted {
    /// What was counted.
    pub counts: CountsFile,
    /// Where the record is kept.
    pub directory: PathBuf,
}

/// Writes the record.
fn kept(context: &Context, out: Option<&Path>, counts: CountsFile) -> anyhow::Result<Counted> {
    let out = out.map_or_else(|| context.results.clone(), Path::to_owned);
    let directory = new_directory(&out, &mut record_name(&out))?;
    let put = |name: &str, text: &str| {
        let path = directory.join(name);
        replace(&path, text.as_bytes()).with_context(|| format!("cannot write {}", path.display()))
    };
    put("counts.md", &table::markdown(&counts))?;
    // Last: a record is whole once it has this file.
    put(COUNTS, &(serde_json::to_string_pretty(&counts)? + "\n"))?;
    Ok(Counted { counts, directory })
}

/// The file of a record of counts, where a path leads to one: its directory, or the file itself.
#[must_use]
pub fn record(path: &Path) -> Option<PathBuf> {
    let file = if path.is_dir() { path.join(COUNTS) } else { path.to_owned() };
    (file.file_name().is_some_and(|name| name == COUNTS) && file.is_file()).then_some(file)
}

/// Reads a record of counts.
///
/// # Errors
/// The file cannot be read, or is not one of counts.
pub fn read(file: &Path) -> anyhow::Result<CountsFile> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    CountsFile::read(&text).with_context(|| file.display().to_string())
}

/// Where accepted counts lie in a workspace.
#[must_use]
pub fn directory(root: &Path) -> PathBuf {
    root.join("baselines/counts")
}

/// Whether a call could not be counted because something is broken.
#[must_use]
pub fn failed(counts: &CountsFile) -> bool {
    counts.failures.iter().any(RunFailure::is_broken)
}
