//! `counts`: the instruction counts that gungraun or iai-callgrind saved.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::experiment::counts::table::{aligned, column};
use crate::experiment::store::without_mark;
use crate::experiment::surroundings::target_directory;
use crate::record::counts::{Count, CountRow, CountTool, read_summary};

/// How summaries are called.
pub(crate) const SUMMARY: &str = "summary.json";
/// The directories of gungraun and iai-callgrind below a target directory.
const DIRECTORIES: [&str; 2] = ["gungraun", "iai"];
/// The command that makes summaries.
const COMMAND: &str = "cargo bench --bench counts -- --save-summary=json";

/// A column of the cache simulation, which not every tool or run makes.
type Simulated = fn(&CountRow) -> Option<Count>;

/// The counts of one benchmark and the summary that has them.
pub struct Found {
    /// The summary.
    pub file: PathBuf,
    /// Its counts.
    pub row: CountRow,
}

/// The counts of every summary at or below these paths.
///
/// # Errors
/// A path is not there, no summary is, one cannot be read, or none of them counts instructions.
pub fn found(paths: &[PathBuf]) -> anyhow::Result<Vec<Found>> {
    counts_in(&present(paths)?)
}

/// The counts of the summaries in the target directory of a workspace.
///
/// # Errors
/// As [`found`].
pub fn found_in_target(root: &Path) -> anyhow::Result<Vec<Found>> {
    let target = target_directory(root);
    let directories = DIRECTORIES.map(|directory| target.join(directory));
    let present: Vec<_> = directories.iter().filter(|directory| directory.is_dir()).cloned().collect();
    counts_in(if present.is_empty() { &directories } else { &present })
}

fn counts_in(searched: &[PathBuf]) -> anyhow::Result<Vec<Found>> {
    let files = files_named(searched, SUMMARY)?;
    if files.is_empty() {
        bail!("{}", none_found(searched, on_path("valgrind"), on_path("gungraun-runner")));
    }
    let found = read(&files)?;
    if found.is_empty() {
        bail!(
            "{} summaries and no instruction counts in them: Callgrind and Cachegrind count instructions, other tools do not",
            files.len()
        );
    }
    Ok(found)
}

/// The paths that were asked for, if they are all there.
fn present(paths: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    match paths.iter().find(|path| !path.exists()) {
        Some(absent) => bail!("there is no {}", absent.display()),
        None => Ok(paths.to_vec()),
    }
}

/// The files among `paths`, and those of this name below the directories among them, in order and each once. A
/// directory that is not there has none: the caller tells how to make them.
pub(crate) fn files_named(paths: &[PathBuf], name: &str) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = Vec::new();
    for path in paths {
        if path.is_file() {
            files.push(path.clone());
        } else {
            folders.push(path.clone());
        }
    }
    while let Some(folder) = folders.pop() {
        let shown = || format!("cannot read {}", folder.display());
        let entries = match std::fs::read_dir(&folder) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            entries => entries.with_context(shown)?,
        };
        for entry in entries {
            let entry = entry.with_context(shown)?;
            // Links to directories are not followed: they may lead around in a circle.
            if entry.file_type().with_context(shown)?.is_dir() {
                folders.push(entry.path());
            } else if entry.file_name() == name {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    files.dedup();
    Ok(files)
}

pub(crate) fn read(files: &[PathBuf]) -> anyhow::Result<Vec<Found>> {
    let mut found = Vec::new();
    for file in files {
        let shown = || file.display().to_string();
        let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", shown()))?;
        let rows = read_summary(&without_mark(text)).with_context(shown)?;
        found.extend(rows.into_iter().map(|row| Found { file: file.clone(), row }));
    }
    Ok(found)
}

/// What to do when there are no summaries.
fn none_found(searched: &[PathBuf], valgrind: bool, runner: bool) -> String {
    let folders: Vec<_> = searched.iter().map(|folder| folder.display().to_string()).collect();
    let mut text = format!("no {SUMMARY} in {}: make them with `{COMMAND}`", folders.join(" or "));
    if !valgrind {
        text.push_str("; Valgrind is missing, which it needs: `apt-get install valgrind`");
    }
    if !runner {
        text.push_str(
            "; gungraun-runner is missing, which it needs: `cargo install --locked gungraun-runner --version` and the version of gungraun in Cargo.lock",
        );
    }
    text
}

pub(crate) fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// The counts of each benchmark, for other programs.
#[must_use]
pub fn values(found: &[Found]) -> Vec<serde_json::Value> {
    let value = |count: Option<Count>| {
        count.map(|count| {
            serde_json::json!({ "new": count.new, "old": count.old, "change_percent": count.change_percent() })
        })
    };
    found
        .iter()
        .map(|Found { file, row }| {
            serde_json::json!({
                "benchmark": row.benchmark,
                "tool": row.tool,
                "instructions": value(Some(row.instructions)),
                "estimated_cycles": value(row.cycles),
                "l1_hits": value(row.l1_hits),
                "ll_hits": value(row.ll_hits),
                "ram_hits": value(row.ram_hits),
                "file": file.display().to_string(),
            })
        })
        .collect()
}

/// A line for each benchmark, then how many there are: a filter that is wrong runs nothing.
#[must_use]
pub fn table(found: &[Found]) -> String {
    let prefix = common_path(found);
    let head = if prefix.is_empty() { "benchmark".to_owned() } else { prefix.clone() };
    let names = found.iter().map(|one| name(one, &prefix, found));
    let mut columns = vec![column(&head, names)];
    let rows = || found.iter().map(|one| &one.row);
    columns.push(column("instructions", rows().map(|row| row.instructions.new.to_string())));
    let compared = rows().filter(|row| row.instructions.old.is_some()).count();
    if compared > 0 {
        let old = |row: &CountRow| row.instructions.old.map_or_else(|| "-".to_owned(), |old| old.to_string());
        columns.push(column("before", rows().map(old)));
        columns.push(column("change", rows().map(|row| change(row.instructions))));
    }
    let caches: [(&str, Simulated); 4] = [
        ("est. cycles", |row| row.cycles),
        ("L1 hits", |row| row.l1_hits),
        ("LL hits", |row| row.ll_hits),
        ("RAM hits", |row| row.ram_hits),
    ];
    for (head, of) in caches {
        if rows().any(|row| of(row).is_some()) {
            let cell = |row: &CountRow| of(row).map_or_else(|| "-".to_owned(), |count| count.new.to_string());
            columns.push(column(head, rows().map(cell)));
        }
    }
    let changed =
        rows().filter(|row| row.instructions.old.is_some_and(|old| old != row.instructions.new)).count();
    let mut text = aligned(&columns);
    let _ = match compared {
        0 => writeln!(text, "{} counted, nothing to compare with", found.len()),
        _ => writeln!(text, "{} counted, {compared} compared, {changed} changed", found.len()),
    };
    text
}

/// The path that all benchmarks have in common, up to and with the last `::`; none for a single benchmark.
pub(crate) fn common_path(found: &[Found]) -> String {
    let (Some(first), true) = (found.first(), found.len() > 1) else {
        return String::new();
    };
    let mut prefix = first.row.benchmark.as_str();
    while let Some(end) = prefix.rfind("::") {
        let path = &first.row.benchmark[..end + 2];
        if found.iter().all(|one| one.row.benchmark.starts_with(path)) {
            return path.to_owned();
        }
        prefix = &prefix[..end];
    }
    String::new()
}

/// The benchmark without `prefix`; with the tool where it is not Callgrind, and with the file where
/// another summary has the same benchmark.
fn name(one: &Found, prefix: &str, found: &[Found]) -> String {
    let row = &one.row;
    let mut name = row.benchmark.strip_prefix(prefix).unwrap_or(&row.benchmark).to_owned();
    if row.tool == CountTool::Cachegrind {
        name.push_str(" (cachegrind)");
    }
    let same = |other: &&Found| other.row.benchmark == row.benchmark && other.row.tool == row.tool;
    if found.iter().filter(same).count() > 1 {
        let folder = one.file.parent().unwrap_or(Path::new("."));
        let _ = write!(name, " in {}", folder.display());
    }
    name
}

/// Counts are exact: the smallest change is one, and never rounds to none.
fn change(count: Count) -> String {
    match (count.old, count.change_percent()) {
        (None, _) => "-".to_owned(),
        (Some(_), None) => "from none".to_owned(),
        (Some(old), Some(_)) if old == count.new => "none".to_owned(),
        (Some(_), Some(percent)) if percent.abs() < 0.005 => {
            format!("{}<0.01 %", if percent < 0.0 { '-' } else { '+' })
        }
        (Some(_), Some(percent)) => format!("{percent:+.2} %"),
    }
}

#[cfg(test)]
mod tests;
