//! `coverage`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::SystemTime;

use mcp_server::context::Context;
use mcp_server::tool::ToolError;
use mcp_workspace::Root;

use crate::answers::{CoverageFile, CoverageView, Share};
use crate::coverage::place::{Placed, place};
use crate::coverage::report::{Count, FileCoverage, Format};
use crate::gate::new_lines;
use crate::git::Repository;
use crate::params;
use crate::state::Quality;
use crate::tools::{bad, failed, page, reader};
use crate::tree;
use crate::words::files as files_of;

/// The most paths of a report that are named when they are not files here.
const MOST_UNMAPPED: usize = 20;

/// The most regions that are shown of a file.
const MOST_GAPS: usize = 200;

/// A report that was read and whose files were found.
pub(super) struct Read {
    pub format: Format,
    pub placed: Placed,
    pub stated: Option<Count>,
    pub all: Count,
    /// Files that were written after the report.
    pub newer: BTreeSet<String>,
    pub notices: Vec<String>,
}

/// Reads a report and finds its files in the tree of a root.
pub(super) fn read(state: &Quality, asked: &str, root: &Root) -> Result<Read, ToolError> {
    let (_, file) = state.file("report", asked)?;
    let written = file.metadata().and_then(|metadata| metadata.modified()).ok();
    let report =
        crate::coverage::read(reader(file)).map_err(|error| bad(format!("report {asked}: {error}")))?;
    let (format, stated, all) = (report.format, report.stated_lines, report.lines());
    let (files, _) = tree::files(root.path());
    let placed = place(report, &files, &[root.path()]);
    if placed.files.is_empty() {
        let example = placed.unmapped.first().map_or("nothing", String::as_str);
        return Err(bad(format!(
            "report {asked} names {} files and none of them is here, such as {example}: it is of another tree, or the \
             root is not the one that it was made in",
            placed.unmapped.len()
        )));
    }
    let mut notices = Vec::new();
    let newer: BTreeSet<String> = match written {
        Some(written) => placed.files.keys().filter(|path| is_newer(root, path, written)).cloned().collect(),
        None => BTreeSet::new(),
    };
    if !newer.is_empty() {
        notices.push(format!(
            "{} changed after the report was written, so its lines may not be those of now",
            files_of(newer.len())
        ));
    }
    let beyond =
        placed.files.iter().filter(|(path, file)| !newer.contains(*path) && is_beyond(root, path, file));
    if let Some((path, _)) = beyond.take(1).next() {
        notices.push(format!("the report describes lines that {path} does not have: it is of another state"));
    }
    Ok(Read { format, placed, stated, all, newer, notices })
}

/// Whether a file of the root was written after a time.
pub(super) fn is_newer(root: &Root, path: &str, time: SystemTime) -> bool {
    let metadata = root.file(Path::new(path)).and_then(|file| file.metadata());
    metadata.and_then(|metadata| metadata.modified()).is_ok_and(|modified| modified > time)
}

/// Whether a report describes lines after the end of a file.
fn is_beyond(root: &Root, path: &str, file: &FileCoverage) -> bool {
    let Some(last) = file.last_line() else { return false };
    let text = mcp_source::read(root, path.as_ref(), &mcp_source::Limits::default());
    // Some tools count the end of the file as a line.
    text.is_ok_and(|text| text.iter().filter(|byte| **byte == b'\n').count() + 1 < last as usize)
}

pub(super) fn coverage(
    state: &Quality,
    params: &params::Coverage,
    context: &Context,
) -> Result<CoverageView, ToolError> {
    let at = state.place(params.paths.as_deref())?;
    let Read { format, placed, stated, all, newer, mut notices } = read(state, &params.report, at.root)?;
    if let Some(stated) = stated.filter(|stated| *stated != all) {
        notices.push(format!(
            "the report itself gives {} of {} lines, and lists {} of {}",
            stated.hit, stated.found, all.hit, all.found
        ));
    }
    let names: Vec<String> = placed.files.keys().cloned().collect();
    let wanted = tree::below(&names, &at.paths);
    let mut chosen: BTreeMap<String, FileCoverage> = placed.files;
    chosen.retain(|path, _| wanted.contains(&path.as_str()));
    let (lines, files) = match &params.base {
        None => whole(&chosen),
        Some(base) => changed(state, at.root, base, &chosen, &newer, &mut notices)?,
    };
    let sum = |of: fn(&FileCoverage) -> Count| {
        chosen.values().fold(Count::default(), |mut sum, file| {
            sum.add(of(file));
            sum
        })
    };
    let (branches, functions) = match params.base {
        None => (sum(FileCoverage::branch_count), sum(FileCoverage::functions)),
        // Of changed lines only lines are counted.
        Some(_) => (Count::default(), Count::default()),
    };
    let unmapped = placed.unmapped.len();
    let unmapped_paths = placed.unmapped.into_iter().take(MOST_UNMAPPED).collect();
    let (files, next_cursor) = page(files, "files", params.cursor.as_deref(), None, context)?;
    Ok(CoverageView {
        lines: lines.into(),
        branches: branches.into(),
        functions: functions.into(),
        format,
        files,
        unmapped,
        unmapped_paths,
        notices,
        next_cursor,
    })
}

/// All lines: the files that miss most come first.
fn whole(files: &BTreeMap<String, FileCoverage>) -> (Count, Vec<CoverageFile>) {
    let mut sum = Count::default();
    let mut listed = Vec::new();
    for (path, file) in files {
        let lines = file.lines();
        sum.add(lines);
        if lines.hit < lines.found {
            listed.push(listed_file(path, lines, file.gaps()));
        }
    }
    sort(&mut listed);
    (sum, listed)
}

/// Only lines that were changed since a commit.
fn changed(
    state: &Quality,
    root: &Root,
    base: &str,
    files: &BTreeMap<String, FileCoverage>,
    newer: &BTreeSet<String>,
    notices: &mut Vec<String>,
) -> Result<(Count, Vec<CoverageFile>), ToolError> {
    let repository = Repository::open(root.path(), state.roots.paths()).map_err(failed)?;
    let changes = repository.changes(base).map_err(failed)?;
    let new = new_lines(&changes, files, newer);
    if !new.undescribed.is_empty() {
        let count = new.undescribed.len();
        notices.push(format!(
            "{} of changed code not in the report, such as {}",
            files_of(count),
            new.undescribed[0]
        ));
    }
    let list = new.gaps.into_iter().map(|(path, gaps)| {
        let missed: u64 = gaps.iter().map(|(from, to)| u64::from(to - from + 1)).sum();
        listed_file(&path, Count { found: missed, hit: 0 }, gaps)
    });
    let mut list: Vec<CoverageFile> = list.collect();
    sort(&mut list);
    Ok((new.count, list))
}

fn listed_file(path: &str, lines: Count, mut gaps: Vec<(u32, u32)>) -> CoverageFile {
    gaps.truncate(MOST_GAPS);
    CoverageFile { path: path.to_owned(), lines: Share::from(lines), gaps }
}

fn sort(files: &mut [CoverageFile]) {
    let missed = |file: &CoverageFile| file.lines.count.found - file.lines.count.hit;
    files.sort_by(|a, b| missed(b).cmp(&missed(a)).then_with(|| a.path.cmp(&b.path)));
}
