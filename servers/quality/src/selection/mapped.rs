//! The tests that a change needs by a map of what each test runs.

use std::collections::BTreeSet;

use mcp_source::Language;
use roaring::RoaringBitmap;

use crate::git::{Change, FileChange};
use crate::selection::{Chosen, CoverageMap, Material, Reason, Unit, is_test_file};

/// Selects the tests that run what was changed.
pub(super) fn select(material: &Material<'_>, map: &CoverageMap, chosen: &mut Chosen) {
    let is_same = map.commit().is_some_and(|commit| commit == material.changes.base);
    if !is_same {
        let of = map
            .commit()
            .map_or_else(|| "an unknown commit".to_owned(), |commit| commit.chars().take(12).collect());
        chosen.notices.push(format!(
            "the map is of {of} and not of the base, so every test that runs a changed file is selected, whatever its \
             lines"
        ));
    }
    let is_code = |path: &str| Language::of_path(path.as_ref()).is_some();
    for (path, change) in material.changes.files.iter().filter(|(path, _)| is_code(path)) {
        let known = change.old_path.as_ref().unwrap_or(path);
        let mut reach = Reach::of(map, known, change, material.functions.get(known));
        reach.is_whole |= !is_same;
        let mut is_mapped = false;
        for (test, lines) in map.of_file(known) {
            is_mapped = true;
            if reach.is_whole || lines.intersection_len(&reach.lines) > 0 {
                chosen.add((Unit::Test, test.to_owned()), Reason::Covers);
            }
        }
        // What is run when a file is loaded is run by whoever imports it, and belongs to no test.
        if !is_mapped || reach.is_loaded || path.ends_with("conftest.py") {
            importing(material, map, path, change, chosen);
        }
        // Whatever stands in a file of tests is a test that may be new.
        for test in map.tests().filter(|test| test.split("::").next() == Some(path.as_str())) {
            chosen.add((Unit::Test, test.to_owned()), Reason::Changed);
        }
        if is_test_file(path) && change.change != Change::Deleted {
            chosen.add((Unit::File, path.clone()), Reason::Changed);
        }
    }
}

/// Which tests a change of a file concerns.
struct Reach {
    /// All that run the file.
    is_whole: bool,
    /// Those that run any of these lines.
    lines: RoaringBitmap,
    /// All that load the file.
    is_loaded: bool,
}

impl Reach {
    /// The lines of the base that were changed. One that no test runs is part of a statement that begins before it, or
    /// is not run at all; where it lies in no function, it is run when the file is loaded.
    fn of(map: &CoverageMap, path: &str, change: &FileChange, functions: Option<&Vec<(u32, u32)>>) -> Self {
        let all = || Self { is_whole: true, lines: RoaringBitmap::new(), is_loaded: true };
        let is_moved = matches!(change.change, Change::Deleted | Change::Renamed);
        if is_moved || change.is_binary || change.old_lines.is_empty() {
            return all();
        }
        let run = map.of_file(path).fold(RoaringBitmap::new(), |run, (_, lines)| run | lines);
        let mut lines = RoaringBitmap::new();
        for line in change.old_lines.iter().flat_map(|(from, to)| *from..=*to) {
            if run.contains(line) {
                lines.insert(line);
                continue;
            }
            let holding =
                functions.into_iter().flatten().filter(|(first, last)| *first < line && line <= *last);
            let Some((first, _)) = holding.max_by_key(|(first, _)| *first) else { return all() };
            lines.extend(run.range(*first..line).next_back());
        }
        Self { is_whole: false, lines, is_loaded: false }
    }
}

/// The tests of the map that depend on a file by what imports what, or by what is built from what.
fn importing(
    material: &Material<'_>,
    map: &CoverageMap,
    path: &str,
    change: &FileChange,
    chosen: &mut Chosen,
) {
    let mut gone: Vec<&str> = change.old_path.iter().map(String::as_str).collect();
    let mut changed = Vec::new();
    if change.change == Change::Deleted {
        gone.push(path)
    } else {
        changed.push(path)
    }
    let packages = material.packages.affected(gone.iter().chain(&changed).copied());
    let built: BTreeSet<String> = packages.into_iter().map(|name| name.replace('-', "_")).collect();
    let dependents = material.imports.dependents(changed, gone);
    for test in map.tests() {
        let first = test.split("::").next().unwrap_or(test);
        if dependents.contains(first) || built.contains(first) {
            chosen.add((Unit::Test, test.to_owned()), Reason::Depends);
        }
    }
}
