//! `references`.

use mcp_server::context::Context;
use mcp_server::tool::ToolError;

use super::page::{Page, Row, rows};
use super::structure;
use crate::answers::{FileView, ReferencesView, TargetView};
use crate::index::Live;
use crate::params;
use crate::references::{Candidate, Confidence, Target, Use, Uses, uses};
use crate::resolve::Resolver;
use crate::state::{Development, Map, Named, Project};

/// Uses where nobody says.
const USUAL_USES: usize = 200;
/// More definitions of one name are not told apart in one answer.
const MOST_TARGETS: usize = 50;
/// The most candidates that are shown.
const MOST_CANDIDATES: usize = 50;

/// Marks paths of likely uses while they are in one list with the others; no path begins with it.
const LIKELY: char = '\0';

/// The targets of a name, and the uses of each.
pub(super) struct Found {
    pub targets: Vec<Target>,
    pub uses: Uses,
}

/// Looks for the uses of what a name means within a scope.
pub(super) fn find(
    named: &Named<'_>,
    live: &Live,
    map: &Map,
    name: &str,
    context: &Context,
) -> Result<Found, ToolError> {
    let definitions = structure::definitions(live, named, name);
    if definitions.len() > MOST_TARGETS {
        return Err(ToolError::failed(format!(
            "{name} is defined {} times: give path, or more of its name, such as {}",
            definitions.len(),
            definitions[0].1.qualified(definitions[0].0.language())
        )));
    }
    let target = |(entry, def): &(crate::index::Entry<'_>, crate::index::Def<'_>)| {
        Some(Target::new(map.modules.number(entry.path())?, *entry, def))
    };
    let targets: Vec<Target> = definitions.iter().filter_map(target).collect();
    let project = named.project;
    let resolver = Resolver { modules: &map.modules, live, root: Some(project.index.root()) };
    let uses = uses(&resolver, project.index.root(), &targets, &|| context.is_cancelled());
    Ok(Found { targets, uses })
}

/// Rows for uses: line, what it stands in, text.
pub(super) fn use_rows(project: &Project, map: &Map, uses: &[&Use]) -> Vec<Row> {
    let row = |found: &&Use| {
        let inside = match (&found.inside, found.is_import) {
            (_, true) => " (import)".to_owned(),
            (Some(inside), false) => format!(" in {inside}"),
            (None, false) => String::new(),
        };
        Row {
            path: project.shown(map.modules.path(found.file)),
            line: format!("{}{inside}: {}", found.line, found.text),
            counts: true,
        }
    };
    uses.iter().map(row).collect()
}

fn candidate_rows(project: &Project, map: &Map, candidates: &[Candidate]) -> Vec<FileView> {
    let mut files: Vec<FileView> = Vec::new();
    for candidate in candidates.iter().take(MOST_CANDIDATES) {
        let path = project.shown(map.modules.path(candidate.file));
        let line = format!("{}: {}", candidate.line, candidate.text);
        match files.last_mut() {
            Some(file) if file.path == path => file.lines.push(line),
            _ => files.push(FileView { path, hits: None, lines: vec![line] }),
        }
    }
    files
}

pub(super) fn references(
    state: &Development,
    params: &params::References,
    context: &Context,
) -> Result<ReferencesView, ToolError> {
    if structure::split(&params.name).1.is_empty() {
        return Err(ToolError::bad_arguments("name is empty: give a name such as parse or Parser.parse"));
    }
    let scope = state.scope(params.path.as_deref())?;
    let key = ["references", &params.name, params.path.as_deref().unwrap_or("")];
    let mut page = Page::new(&key, USUAL_USES, params.cursor.as_deref(), context)?;
    let mut hints = Vec::new();
    for (place, named) in scope.iter().enumerate() {
        let project = named.project;
        let live = project.now(context)?;
        let map = project.map(&live);
        let found = find(named, &live, &map, &params.name, context)?;
        if found.targets.is_empty() {
            hints.push(structure::missing(&live, named, &params.name));
            if place + 1 < scope.len() {
                continue;
            }
        }
        let mut view = view(project, &map, &found, &mut page);
        view.about = project.about(&live);
        view.about.complete &= !found.uses.is_stopped && found.uses.skipped.is_complete();
        if params.candidates == Some(true) {
            view.candidates = candidate_rows(project, &map, &found.uses.unresolved);
        }
        if found.targets.is_empty() {
            view.hint = Some(hints.join("; "));
        } else if found.uses.uses.is_empty() {
            view.hint = Some(unused(&found, params.candidates == Some(true)));
        }
        return Ok(view);
    }
    Err(ToolError::failed(hints.join("; ")))
}

fn unused(found: &Found, shows: bool) -> String {
    let Uses { files, others, unresolved, .. } = &found.uses;
    let mut said = format!(
        "no use is known: {files} files with the name were looked into, {others} places mean something else"
    );
    if unresolved.is_empty() {
        said.push_str("; nothing is unresolved, but macros, strings and other packages may still use it");
    } else {
        said = format!("{said}, {} are unresolved", unresolved.len());
        if !shows {
            said.push_str(" (candidates shows them)");
        }
    }
    said
}

fn view(project: &Project, map: &Map, found: &Found, page: &mut Page) -> ReferencesView {
    // Which overload is called only a type checker knows: each has the uses of all.
    let is_overload = |a: &Target, b: &Target| {
        a.file == b.file && a.owner == b.owner && a.kind.is_callable() && b.kind.is_callable()
    };
    let count = |target: usize| {
        let own = &found.targets[target];
        let of = |one: &&Use| one.target == target || is_overload(own, &found.targets[one.target]);
        found.uses.uses.iter().filter(of).count()
    };
    let target = |(place, target): (usize, &Target)| TargetView {
        name: if target.owner.is_empty() {
            target.name.clone()
        } else {
            format!("{}.{}", target.owner, target.name)
        },
        kind: target.kind.name(),
        path: project.shown(map.modules.path(target.file)),
        line: target.lines.0,
        uses: count(place),
    };
    let definitions: Vec<TargetView> = found.targets.iter().enumerate().map(target).collect();
    page.room = page.room.saturating_sub(mcp_server::answer::length(&definitions));
    let of =
        |confidence| found.uses.uses.iter().filter(|one| one.confidence == confidence).collect::<Vec<&Use>>();
    // One list for the page: first what is resolved, then, marked, what is likely.
    let mut all = use_rows(project, map, &of(Confidence::Resolved));
    let likely = use_rows(project, map, &of(Confidence::Likely));
    all.extend(likely.into_iter().map(|row| Row { path: format!("{LIKELY}{}", row.path), ..row }));
    let (files, next_cursor) = rows(page, all);
    let (mut likely, resolved): (Vec<FileView>, Vec<FileView>) =
        files.into_iter().partition(|file| file.path.starts_with(LIKELY));
    for file in &mut likely {
        file.path.remove(0);
    }
    ReferencesView {
        definitions,
        resolved,
        likely,
        unresolved: found.uses.unresolved.len(),
        candidates: Vec::new(),
        others: found.uses.others,
        hint: None,
        next_cursor,
        about: crate::answers::About::default(),
    }
}
