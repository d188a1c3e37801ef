//! `repo_map`.

use std::collections::BTreeMap;

use mcp_server::answer::{fitting, length};
use mcp_server::context::Context;
use mcp_server::tool::ToolError;
use mcp_source::symbols::Kind;

use super::page::FORMS;
use crate::answers::{HotView, MapView, MappedView};
use crate::history::Churn;
use crate::index::Entry;
use crate::params;
use crate::resolve::FileId;
use crate::state::{Development, Map, Named};

/// How many tokens a map has where nobody says: as many as a model reads at a start.
const USUAL_BYTES: usize = 12_000;
/// The most definitions of one file.
const MOST_SYMBOLS: usize = 12;
/// The most hot spots and cycles.
const MOST_HOT: usize = 10;
const MOST_CYCLES: usize = 5;
/// The most files of a cycle that are named.
const MOST_OF_CYCLE: usize = 12;
/// What an answer needs beside its lists.
const REST: usize = 900;

pub(super) fn repo_map(
    state: &Development,
    params: &params::RepoMap,
    context: &Context,
) -> Result<MapView, ToolError> {
    let named = match params.path.as_deref() {
        Some(path) => state.named(path)?,
        None => state.scope(None)?.swap_remove(0),
    };
    let project = named.project;
    let live = project.now(context)?;
    let map = project.map(&live);
    let entries: Vec<Entry<'_>> =
        live.entries().into_iter().filter(|entry| named.holds(entry.path())).collect();
    if entries.is_empty() {
        let (_, skips) = live.counts();
        let left_out: u64 = skips.list().iter().map(|skipped| skipped.n).sum();
        return Err(ToolError::failed(format!(
            "no file of a known language is below {}: {left_out} files are left out; search and read take any text",
            if named.below.is_empty() { "the root" } else { &named.below }
        )));
    }
    let churn = project.history.churn();
    let mut languages = BTreeMap::<&'static str, [u64; 2]>::new();
    for entry in &entries {
        let sums = languages.entry(entry.language().name()).or_default();
        sums[0] += 1;
        sums[1] += u64::from(entry.lines());
    }
    let hotspots = hot(&named, &entries, churn.as_deref());
    let cycles = cycles(&named, &map);
    let asked = context.budget();
    let room = if asked.max_tokens == mcp_server::budget::DEFAULT_MAX_TOKENS {
        USUAL_BYTES
    } else {
        asked.max_bytes()
    };
    let room = (room.saturating_sub(REST) / FORMS)
        .saturating_sub(length(&hotspots) + length(&cycles) + length(&languages));
    let ranked = ranked(&named, &entries, &map);
    let shown = fitting(&ranked, room, |file| length(*file) + 1).max(usize::from(!ranked.is_empty()));
    let left_out = ranked.len() - shown;
    let files: Vec<MappedView> = ranked.into_iter().take(shown).collect();
    let hint =
        (left_out > 0).then(|| format!("{left_out} more files: raise max_tokens, or ask for a directory"));
    let mut about = project.about(&live);
    if params.path.is_none() && state.projects.len() > 1 {
        let others: Vec<String> =
            state.projects[1..].iter().map(|other| other.root().display().to_string()).collect();
        about.notices.push(format!("this is the first root alone: give path for {}", others.join(", ")));
    }
    Ok(MapView {
        languages,
        files,
        left_out,
        hotspots,
        commits: churn.as_ref().map_or(0, |churn| churn.commits),
        commits_limit: churn.as_ref().map_or(Some("no git"), |churn| churn.limit),
        cycles,
        imports: map.graph.edges(),
        unresolved_imports: map.graph.unresolved.len(),
        hint,
        about,
    })
}

/// Files that change often and branch much: by the product of both, which finds what either alone does not (Tornhill
/// 2015).
fn hot(named: &Named<'_>, entries: &[Entry<'_>], churn: Option<&Churn>) -> Vec<HotView> {
    let Some(churn) = churn else { return Vec::new() };
    let view = |entry: &Entry<'_>| HotView {
        path: named.project.shown(entry.path()),
        changes: churn.changes.get(entry.path()).copied().unwrap_or_default(),
        decisions: entry.decisions(),
        lines: entry.lines(),
    };
    let weight = |view: &HotView| u64::from(view.changes) * u64::from(view.decisions);
    let mut views: Vec<HotView> = entries.iter().map(view).filter(|view| weight(view) > 0).collect();
    views.sort_by(|a, b| weight(b).cmp(&weight(a)).then_with(|| a.path.cmp(&b.path)));
    views.truncate(MOST_HOT);
    views
}

fn cycles(named: &Named<'_>, map: &Map) -> Vec<Vec<String>> {
    let is_here = |cycle: &&Vec<FileId>| cycle.iter().any(|file| named.holds(map.modules.path(*file)));
    let shown = |cycle: &Vec<FileId>| {
        cycle.iter().take(MOST_OF_CYCLE).map(|file| named.project.shown(map.modules.path(*file))).collect()
    };
    map.graph.cycles().iter().filter(is_here).take(MOST_CYCLES).map(shown).collect()
}

/// The files by how much of the project leads to them: the number of files that import them, those that are near to
/// the root first where that is equal.
fn ranked(named: &Named<'_>, entries: &[Entry<'_>], map: &Map) -> Vec<MappedView> {
    let mut files: Vec<(usize, usize, &str, &Entry<'_>)> = entries
        .iter()
        .map(|entry| {
            let importers = map.modules.number(entry.path()).map_or(0, |file| map.graph.importers(file));
            (importers, entry.path().matches('/').count(), entry.path(), entry)
        })
        .collect();
    files.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| (a.1, a.2).cmp(&(b.1, b.2))));
    files
        .into_iter()
        .map(|(importers, _, path, entry)| MappedView {
            path: named.project.shown(path),
            importers,
            symbols: outer(*entry),
        })
        .collect()
}

/// The names of the definitions that a file is known by.
fn outer(entry: Entry<'_>) -> Vec<String> {
    let defs = entry.defs();
    let is_outer = |kind: Kind| kind.is_type() || matches!(kind, Kind::Function | Kind::Macro);
    let outer: Vec<&crate::index::Def<'_>> =
        defs.iter().filter(|def| def.container.is_empty() && is_outer(def.kind)).collect();
    let mut names: Vec<String> =
        outer.iter().take(MOST_SYMBOLS).map(|def| format!("{} {}", def.kind.name(), def.name)).collect();
    if outer.len() > MOST_SYMBOLS {
        names.push(format!("and {} more", outer.len() - MOST_SYMBOLS));
    }
    names
}
