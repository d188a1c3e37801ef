//! Directories of other tools as rows: criterion's results, the summaries of gungraun.
//!
//! A directory may hold those of several runs (`monday/criterion`, `tuesday/criterion`). Each run is rows of its own:
//! where one begins follows from what its files say of their own places.

mod criterion;
mod gungraun;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::experiment::store::without_mark;
use crate::rows::{Measured, Missing, Rows};

/// What another tool's run left.
#[derive(Debug)]
pub struct Foreign {
    /// Its directory.
    pub folder: PathBuf,
    /// What could be read.
    pub rows: Rows,
    /// What could not, a sentence a result that names its place.
    pub unreadable: Vec<String>,
}

/// One result: what it says, and what tells it from another of the same name, from short to long.
struct Found {
    rows: Vec<Measured>,
    apart: Vec<String>,
}

/// Reads the one run of criterion's (`target/criterion`, or one kept elsewhere) or of gungraun's that a directory holds.
///
/// # Errors
/// When there is neither, none of it can be read, or there are several.
pub fn read(folder: &Path) -> anyhow::Result<Foreign> {
    let mut runs = runs(folder)?;
    match (runs.pop(), runs.len()) {
        (Some(run), 0) => Ok(run),
        (Some(last), more) => {
            let shown = runs.iter().chain([&last]).take(5).map(|run| run.folder.display().to_string());
            bail!(
                "{} holds {} runs of other tools: name one of them, as {}",
                folder.display(),
                more + 1,
                shown.collect::<Vec<_>>().join(" or ")
            )
        }
        (None, _) => bail!("nothing in {} can be read", folder.display()),
    }
}

/// Reads every run that a directory holds, criterion's first, in the order of their paths.
///
/// # Errors
/// When there is none, or nothing of one can be read.
pub fn runs(folder: &Path) -> anyhow::Result<Vec<Foreign>> {
    if !folder.exists() {
        bail!("there is no {}", folder.display());
    }
    let mut runs = criterion::runs(folder)?;
    runs.extend(gungraun::runs(folder)?);
    if runs.is_empty() {
        bail!(
            "{} is neither a record (run.json), nor criterion's results ({} beside benchmark.json, or benchmark.cbor), nor gungraun's ({})",
            folder.display(),
            criterion::ESTIMATES,
            crate::experiment::counts::summaries::SUMMARY
        );
    }
    Ok(runs)
}

/// Files by the run that they belong to.
type Runs = BTreeMap<PathBuf, Vec<PathBuf>>;

/// The rows of a run's files. Results that cannot be read are named, as long as another one can.
fn run(
    tool: &str,
    asked: &Path,
    folder: PathBuf,
    files: &[PathBuf],
    result: &dyn Fn(&Path) -> anyhow::Result<Option<Found>>,
) -> anyhow::Result<Option<Foreign>> {
    let (mut found, mut unreadable) = (Vec::new(), Vec::new());
    for file in files {
        match result(file) {
            Ok(result) => found.extend(result),
            Err(wrong) => unreadable.push(wrong),
        }
    }
    if found.is_empty() {
        return unreadable.into_iter().next().map_or(Ok(None), Err);
    }
    let unreadable: Vec<String> = unreadable.into_iter().map(|wrong| format!("{wrong:#}")).collect();
    let missing = |reason: &String| Missing {
        benchmark: Some("a result".to_owned()),
        arm: tool.to_owned(),
        reason: reason.clone(),
        broken: true,
        identical: false,
    };
    let rows = Rows {
        name: name(asked, &folder),
        suite: tool.to_owned(),
        started: newest(files),
        arms_are: "run".to_owned(),
        command: String::new(),
        made_by: tool.to_owned(),
        environment: None,
        rows: told_apart(found),
        missing: unreadable.iter().map(missing).collect(),
    };
    Ok(Some(Foreign { folder, rows, unreadable }))
}

/// The rows of all results. Those that share a name get what tells them apart behind it.
fn told_apart(mut found: Vec<Found>) -> Vec<Measured> {
    let longest = found.iter().map(|result| result.apart.len()).max().unwrap_or(0);
    let plain: Vec<Vec<String>> =
        found.iter().map(|result| result.rows.iter().map(|row| row.benchmark.clone()).collect()).collect();
    for step in 0..longest {
        let mut places: BTreeMap<(String, String), Vec<usize>> = BTreeMap::new();
        for (at, result) in found.iter().enumerate() {
            for row in &result.rows {
                places.entry((row.benchmark.clone(), row.arm.clone())).or_default().push(at);
            }
        }
        for at in places.into_values().filter(|places| places.len() > 1).flatten() {
            let Found { rows, apart } = &mut found[at];
            let Some(apart) = apart.get(step) else { continue };
            for (row, plain) in rows.iter_mut().zip(&plain[at]) {
                row.benchmark = format!("{plain} ({apart})");
            }
        }
    }
    found.into_iter().flat_map(|result| result.rows).collect()
}

fn text(file: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(file).map(without_mark).with_context(|| format!("cannot read {}", file.display()))
}

/// The name of a run: its directory's own, whatever way leads to it; below the one that was asked for, the way.
fn name(asked: &Path, folder: &Path) -> String {
    if let Ok(below) = folder.strip_prefix(asked)
        && !below.as_os_str().is_empty()
    {
        return below.display().to_string();
    }
    own_name(folder)
}

fn own_name(folder: &Path) -> String {
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
