//! `outline` and `symbol`.

use std::path::Path;

use mcp_server::budget::Detail;
use mcp_server::context::Context;
use mcp_server::tool::ToolError;
use mcp_source::symbols::Kind;
use mcp_source::{Language, read};

use super::page::{Page, Row, rows};
use crate::answers::{DefinitionView, OutlineView, SymbolView, counted};
use crate::index::{Def, Entry, LIMITS, Live};
use crate::params;
use crate::state::{Development, Named, Project};

/// How long a signature may be.
const SIGNATURE: usize = 160;
/// Definitions where nobody says.
const USUAL_DEFINITIONS: usize = 20;
/// Lines of an outline on one page.
const USUAL_LINES: usize = 1_000;
/// The most characters of a documentation in a concise answer.
const SHORT_DOC: usize = 200;

/// The text of a file as it is now, as far as it can be read.
pub(super) fn text_of(project: &Project, path: &str) -> Vec<u8> {
    read(project.index.root(), Path::new(path), &LIMITS).unwrap_or_default()
}

pub(super) fn outline(
    state: &Development,
    params: &params::Outline,
    context: &Context,
) -> Result<OutlineView, ToolError> {
    let named = state.named(&params.path)?;
    let project = named.project;
    let live = project.now(context)?;
    let page = Page::new(&["outline", &named.below], USUAL_LINES, params.cursor.as_deref(), context)?;
    let all: Vec<Row> = match live.entry(&named.below) {
        Some(entry) => {
            if let Some(reason) = entry.refused() {
                return Err(ToolError::failed(format!(
                    "{} is left out of the index: {}",
                    params.path,
                    reason.name()
                )));
            }
            let text = text_of(project, entry.path());
            file_rows(project, entry, &text, context.detail())
        }
        None => directory_rows(&live, &named, context.detail())?,
    };
    let is_empty = all.is_empty();
    let (files, next_cursor) = rows(&page, all);
    let mut about = project.about(&live);
    let hint = match live.entry(&named.below) {
        Some(entry) if entry.has_errors() => {
            about.complete = false;
            let what = format!(
                "{} breaks the grammar of {} somewhere, or a macro hides part of it: definitions there may be missing",
                params.path,
                entry.language().name()
            );
            about.notices.push(what);
            None
        }
        Some(_) if is_empty => Some(format!(
            "{} defines nothing: it has statements alone, or macros make what it defines",
            params.path
        )),
        _ => None,
    };
    Ok(OutlineView { files, hint, next_cursor, about })
}

fn is_detail(kind: Kind) -> bool {
    matches!(kind, Kind::Field | Kind::Variant | Kind::Variable)
}

/// The definitions of a file, each indented by what it lies in.
fn file_rows(project: &Project, entry: Entry<'_>, text: &[u8], detail: Detail) -> Vec<Row> {
    let path = project.shown(entry.path());
    let mut around: Vec<Def<'_>> = Vec::new();
    let mut found = Vec::new();
    for def in entry.defs() {
        while around.last().is_some_and(|outer| outer.range.end < def.range.end) {
            around.pop();
        }
        // What lies in a function is its own affair, and fields and values are many.
        let is_local = around.iter().any(|outer| outer.kind.is_callable());
        let is_small = is_detail(def.kind) && !def.container.is_empty();
        if detail == Detail::Detailed || !(is_local || is_small) {
            let line = outlined(&def, around.len(), text);
            found.push(Row { path: path.clone(), line, counts: true });
        }
        around.push(def);
    }
    found
}

fn outlined(def: &Def<'_>, depth: usize, text: &[u8]) -> String {
    let signature =
        if text.is_empty() { def.name.to_owned() } else { def.symbol().signature(text, SIGNATURE) };
    // A method that stands outside of its type says whose it is.
    let is_apart = depth == 0 && !def.container.is_empty();
    let owner = if is_apart { format!("{}: ", def.container) } else { String::new() };
    format!("{}{}: {owner}{signature}", "  ".repeat(depth), span(def.lines))
}

fn span((first, last): (usize, usize)) -> String {
    if first == last { first.to_string() } else { format!("{first}-{last}") }
}

/// The outer definitions of the files of a directory, by name.
fn directory_rows(live: &Live, named: &Named<'_>, detail: Detail) -> Result<Vec<Row>, ToolError> {
    let mut found = Vec::new();
    let mut files = 0;
    for entry in live.entries().into_iter().filter(|entry| named.holds(entry.path())) {
        files += 1;
        let outer = entry.defs().into_iter().filter(|def| {
            detail == Detail::Detailed
                || def.container.is_empty() && !is_detail(def.kind) && !def.is_declaration
        });
        let path = named.project.shown(entry.path());
        found.extend(outer.map(|def| Row {
            path: path.clone(),
            line: format!("{}: {} {}", span(def.lines), def.kind.name(), def.qualified(entry.language())),
            counts: true,
        }));
    }
    if files == 0 {
        let known: Vec<&str> = Language::ALL.iter().map(|language| language.name()).collect();
        return Err(ToolError::failed(format!(
            "{} has no file that is indexed: it is not there, hidden, ignored, or in none of {}; read shows any file",
            if named.below.is_empty() { "the root" } else { &named.below },
            known.join(", ")
        )));
    }
    Ok(found)
}

/// A name as a caller writes it: its last part, and what stands before.
pub(super) fn split(name: &str) -> (Vec<&str>, &str) {
    let mut parts: Vec<&str> = name.split(['.', ':', '#', '/']).filter(|part| !part.is_empty()).collect();
    let last = parts.pop().unwrap_or(name);
    (parts, last.trim_end_matches("()"))
}

/// Whether a definition lies in what is said before its name: the parts are the last ones of its container, or of the
/// path of its file.
fn lies_in(entry: Entry<'_>, def: &Def<'_>, parts: &[&str]) -> bool {
    let container = def.container.split(['.', ':']).filter(|part| !part.is_empty());
    let file = entry.path().rsplit_once('.').map_or(entry.path(), |(stem, _)| stem).split('/');
    let whole: Vec<&str> =
        file.filter(|part| !matches!(*part, "mod" | "__init__" | "index" | "src")).chain(container).collect();
    whole.ends_with(parts)
}

/// The definitions that a name means within a scope.
pub(super) fn definitions<'l>(live: &'l Live, named: &Named<'_>, name: &str) -> Vec<(Entry<'l>, Def<'l>)> {
    let (parts, last) = split(name);
    let all = live
        .named(last)
        .into_iter()
        .filter(|(entry, _)| entry.refused().is_none() && named.holds(entry.path()));
    all.filter(|(entry, def)| lies_in(*entry, def, &parts)).collect()
}

pub(super) fn symbol(
    state: &Development,
    params: &params::Symbol,
    context: &Context,
) -> Result<SymbolView, ToolError> {
    if split(&params.name).1.is_empty() {
        return Err(ToolError::bad_arguments("name is empty: give a name such as parse or Parser.parse"));
    }
    let scope = state.scope(params.path.as_deref())?;
    let page = Page::new(
        &["symbol", &params.name, params.path.as_deref().unwrap_or("")],
        USUAL_DEFINITIONS,
        params.cursor.as_deref(),
        context,
    )?;
    let mut views = Vec::new();
    let mut about = None;
    let mut hints = Vec::new();
    for named in &scope {
        let live = named.project.now(context)?;
        let mut found = definitions(&live, named, &params.name);
        // What is defined comes before what is only declared.
        found.sort_by_key(|(_, def)| def.is_declaration);
        if found.is_empty() {
            hints.push(missing(&live, named, &params.name));
        }
        let is_first = views.is_empty() && !found.is_empty();
        let from = page.start.saturating_sub(views.len());
        for (place, (entry, def)) in found.iter().enumerate() {
            let is_shown = (from..from + page.limit).contains(&place);
            views.push(definition(
                named.project,
                *entry,
                def,
                params.body == Some(true),
                is_shown,
                context.detail(),
            ));
        }
        // It is about the root in which something was found.
        if about.is_none() || is_first {
            about = Some(named.project.about(&live));
        }
    }
    let total = views.len();
    let (definitions, next_cursor) = page.of(views);
    let hint = (total == 0).then(|| hints.join("; "));
    Ok(SymbolView { definitions, total, hint, next_cursor, about: about.unwrap_or_default() })
}

/// A definition as it is shown. What is not on this page is not read.
fn definition(
    project: &Project,
    entry: Entry<'_>,
    def: &Def<'_>,
    with_body: bool,
    is_shown: bool,
    detail: Detail,
) -> DefinitionView {
    let text = if is_shown { text_of(project, entry.path()) } else { Vec::new() };
    let symbol = def.symbol();
    let doc =
        symbol.documentation(&text).map(|doc| if detail == Detail::Concise { shortened(&doc) } else { doc });
    let body = with_body
        .then(|| String::from_utf8_lossy(text.get(def.range.clone()).unwrap_or_default()).into_owned());
    DefinitionView {
        name: def.qualified(entry.language()),
        kind: def.kind.name(),
        path: project.shown(entry.path()),
        line: def.lines.0,
        end: def.lines.1,
        // The code has it.
        signature: if with_body { String::new() } else { symbol.signature(&text, SIGNATURE) },
        doc: doc.filter(|_| !with_body || detail == Detail::Detailed),
        body,
        declaration: def.is_declaration,
    }
}

/// The first paragraph, cut.
fn shortened(doc: &str) -> String {
    let first = doc.split("\n\n").next().unwrap_or(doc).replace('\n', " ");
    crate::search::cut(&first, 0..0, SHORT_DOC)
}

/// What is said where a name has no definition: what was looked through, and which names are near.
pub(super) fn missing(live: &Live, named: &Named<'_>, name: &str) -> String {
    let (parts, last) = split(name);
    let files = live.entries().iter().filter(|entry| named.holds(entry.path())).count();
    let mut said = format!("no definition of {name} in {}", counted(files as u64, "file"));
    if !parts.is_empty() {
        let elsewhere = live.named(last);
        if let Some((entry, def)) = elsewhere.first() {
            return format!(
                "{said}; {last} is defined {}, such as {} in {}",
                counted(elsewhere.len() as u64, "time"),
                def.qualified(entry.language()),
                entry.path()
            );
        }
    }
    if !named.below.is_empty()
        && let Some((entry, def)) = live.named(last).first()
    {
        return format!(
            "{said} below {}; {} is in {}",
            named.below,
            def.qualified(entry.language()),
            entry.path()
        );
    }
    let near = near(live, named, last);
    if near.is_empty() {
        said.push_str("; it may be of another package, made by a macro, or local: search finds text");
    } else {
        said = format!("{said}; near: {}", near.join(", "));
    }
    said
}

/// The names nearest to one: in other case, around it, or by few edits.
fn near(live: &Live, named: &Named<'_>, name: &str) -> Vec<String> {
    let wanted = name.to_lowercase();
    let mut found: Vec<(usize, &str)> = Vec::new();
    for known in live.all_names() {
        let lower = known.to_lowercase();
        let distance = if lower == wanted {
            0
        } else if lower.contains(&wanted) || (lower.len() > 3 && wanted.contains(&lower)) {
            1 + lower.len().abs_diff(wanted.len()) / 4
        } else if lower.len().abs_diff(wanted.len()) <= 2 {
            edits(&lower, &wanted)
        } else {
            continue;
        };
        // Of a short name every other one is few edits away.
        if distance <= (wanted.chars().count() / 3).clamp(1, 3) {
            found.push((distance, known));
        }
    }
    found.sort_unstable();
    let is_there = |name: &str| live.named(name).iter().any(|(entry, _)| named.holds(entry.path()));
    let names =
        found.into_iter().map(|(_, name)| name).filter(|name| named.below.is_empty() || is_there(name));
    names.take(5).map(str::to_owned).collect()
}

/// Optimal string alignment distance, cut at 4.
fn edits(a: &str, b: &str) -> usize {
    strsim::osa_distance(a, b).min(4)
}
