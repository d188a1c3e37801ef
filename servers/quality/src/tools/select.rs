//! `select_tests`.

use std::collections::BTreeMap;

use mcp_server::context::Context;
use mcp_server::tool::ToolError;
use mcp_source::{Language, Skips, parse};
use mcp_workspace::Root;

use crate::answers::SelectView;
use crate::git::{Changes, Limits, Repository};
use crate::metrics::measure;
use crate::params;
use crate::remembered::{observed, past};
use crate::selection::{
    CoverageMap, Imports, LARGEST_MAP, Material, Packages, Past, Risk, Selected, Selection, Source, Unit,
    select,
};
use crate::state::Quality;
use crate::tools::{bad, failed, page, reader};
use crate::tree;

/// What a change is compared with where nobody says: what is checked out.
pub(super) const USUAL_BASE: &str = "HEAD";

pub(super) fn select_tests(
    state: &Quality,
    params: &params::SelectTests,
    context: &Context,
) -> Result<SelectView, ToolError> {
    let root = state.first();
    let repository = Repository::open(root.path(), state.roots.paths()).map_err(failed)?;
    let mut changes = repository.changes(params.base.as_deref().unwrap_or(USUAL_BASE)).map_err(failed)?;
    let map = match &params.map {
        None => None,
        Some(asked) => {
            let (_, file) = state.file("map", asked)?;
            // A map that was just made is not part of the change.
            changes.files.remove(asked.as_str());
            if file.metadata().is_ok_and(|metadata| metadata.len() > LARGEST_MAP) {
                return Err(bad(format!("map {asked} has more than {} MiB", LARGEST_MAP >> 20)));
            }
            Some(CoverageMap::read(reader(file)).map_err(|error| bad(format!("map {asked}: {error}")))?)
        }
    };
    let remembered = state.remembered(root);
    let past = past(&remembered);
    let mut selection =
        selected(root, &repository, &changes, map.as_ref(), &past, || !context.is_cancelled())?;
    let mut seen = observed(&remembered);
    if let Some(map) = &map {
        seen.add(map.observed());
    }
    if changes.unnamed > 0 {
        selection
            .notices
            .push(format!("{} changed, with names that are not UTF-8", crate::words::files(changes.unnamed)));
    }
    if let Some(seconds) = params.budget_s {
        within(&mut selection, f64::from(seconds) * 1_000.0);
    }
    let (selected, total) = (selection.tests.len(), selection.total);
    let (tests, next_cursor) = page(selection.tests, "tests", params.cursor.as_deref(), None, context)?;
    Ok(SelectView {
        tests,
        selected,
        total,
        everything: selection.everything,
        miss_risk: Risk::of(seen),
        notices: selection.notices,
        next_cursor,
    })
}

/// Selects with all that a tree says.
fn selected(
    root: &Root,
    repository: &Repository,
    changes: &Changes,
    map: Option<&CoverageMap>,
    past: &BTreeMap<String, Past>,
    is_wanted: impl Fn() -> bool,
) -> Result<Selection, ToolError> {
    let (files, _) = tree::files(root.path());
    let mut skips = Skips::default();
    let mut texts: Vec<(&str, String)> = Vec::new();
    let mut manifests: Vec<(&str, String)> = Vec::new();
    for (number, path) in files.iter().enumerate() {
        if number % 256 == 0 && !is_wanted() {
            return Err(failed("the call was cancelled"));
        }
        if path.rsplit('/').next() == Some("Cargo.toml") {
            let text = mcp_source::read(root, path.as_ref(), &mcp_source::Limits::default());
            manifests
                .extend(text.ok().map(|text| (path.as_str(), String::from_utf8_lossy(&text).into_owned())));
        } else if let Some((_, text)) = tree::source(root, path, &mut skips) {
            texts.push((path, String::from_utf8_lossy(&text).into_owned()));
        }
    }
    let changed = changes.files.iter().flat_map(|(path, change)| [Some(path), change.old_path.as_ref()]);
    let changed = changed.flatten().map(String::as_str);
    let imports = Imports::read(texts.iter().map(|(path, text)| Source { path, text }), changed);
    let packages = Packages::read(manifests.iter().map(|(path, text)| (*path, text.as_str())));
    let mut notices = Vec::new();
    let history =
        repository.history(Limits { commits: 2_000, ..Limits::default() }, is_wanted).map_err(failed)?;
    if history.is_shallow {
        notices.push("the clone is shallow: what was changed together is not known in full".to_owned());
    }
    if !skips.is_complete() {
        notices.push("some files could not be read, so what they import is not known".to_owned());
    }
    let functions = map.map(|_| functions(repository, changes)).unwrap_or_default();
    let material = Material {
        changes,
        tree: &files,
        map,
        functions: &functions,
        imports: &imports,
        packages: &packages,
        together: &history.together,
        past,
    };
    let mut selection = select(&material);
    selection.notices.extend(notices);
    Ok(selection)
}

/// The lines of the functions of changed files, as they are at the base. What cannot be parsed is left out: then every
/// line counts as one that is run when the file is loaded.
fn functions(repository: &Repository, changes: &Changes) -> BTreeMap<String, Vec<(u32, u32)>> {
    let mut functions = BTreeMap::new();
    for (path, change) in &changes.files {
        let path = change.old_path.as_ref().unwrap_or(path);
        let Some(text) = repository.text_at(&changes.base, path) else { continue };
        let Some(language) = Language::of_file(path.as_ref(), &text) else { continue };
        let Ok(tree) = parse::parse(language, &text, parse::USUAL_TIME) else { continue };
        let lines = measure(language, &tree, &text).functions;
        functions.insert(path.clone(), lines.iter().map(|one| (one.first_line, one.last_line)).collect());
    }
    functions
}

/// Whether a selection for what is changed now would select a test by its name. `is_wanted` is asked between the steps.
pub(super) fn would_select(
    state: &Quality,
    root: &Root,
    is_wanted: impl Fn() -> bool,
) -> Result<impl Fn(&str) -> bool, ToolError> {
    let repository = Repository::open(root.path(), state.roots.paths()).map_err(failed)?;
    let changes = repository.changes(USUAL_BASE).map_err(failed)?;
    // Without the past: what failed the last time is selected whatever was changed.
    let selection = selected(root, &repository, &changes, None, &BTreeMap::new(), is_wanted)?;
    let is_everything = selection.everything.is_some();
    Ok(move |test: &str| {
        let first = test.split("::").next().unwrap_or(test);
        is_everything
            || selection.tests.iter().any(|selected| match selected.unit {
                Unit::Test => selected.name == test,
                Unit::File => selected.name == first,
                Unit::Package => selected.name.replace('-', "_") == first,
            })
    })
}

/// Keeps what fits into a time: in the order of the list, which is that of the likelihood.
fn within(selection: &mut Selection, budget_ms: f64) {
    let known: Vec<f64> = selection.tests.iter().filter_map(|test| test.ms).collect();
    if known.is_empty() {
        selection.notices.push("no time of any test is known, so the budget leaves nothing out".to_owned());
        return;
    }
    #[expect(clippy::cast_precision_loss, reason = "counts of tests are small")]
    let usual = known.iter().sum::<f64>() / known.len() as f64;
    let mut left = budget_ms;
    let all = std::mem::take(&mut selection.tests);
    let count = all.len();
    let fits = |test: &Selected| {
        left -= test.ms.unwrap_or(usual);
        left >= 0.0
    };
    selection.tests = all
        .into_iter()
        .take_while({
            let mut fits = fits;
            move |test| fits(test)
        })
        .collect();
    let out = count - selection.tests.len();
    if out > 0 {
        selection
            .notices
            .push(format!("the budget leaves {out} selected tests out: the miss risk does not count them"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::selection::Reason;

    #[test]
    fn a_budget_keeps_the_first_tests() {
        let test = |name: &str, ms| Selected {
            unit: Unit::Test,
            name: name.to_owned(),
            reason: Reason::Covers,
            likelihood: 0.5,
            ms,
        };
        let mut selection = Selection {
            tests: vec![
                test("a", Some(100.0)),
                test("b", None),
                test("c", Some(300.0)),
                test("d", Some(1.0)),
            ],
            ..Selection::default()
        };
        within(&mut selection, 300.0);
        let names: Vec<&str> = selection.tests.iter().map(|test| test.name.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
        assert!(selection.notices[0].contains("2 selected tests"));
        let mut unknown = Selection { tests: vec![test("a", None)], ..Selection::default() };
        within(&mut unknown, 1.0);
        assert_eq!(unknown.tests.len(), 1);
    }
}
