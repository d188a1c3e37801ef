//! `search` and `ast_search`.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use mcp_server::context::Context;
use mcp_server::tool::ToolError;
use mcp_source::walk::{Rules, walk};
use mcp_source::{Language, Skips, read};
use parking_lot::Mutex;

use super::page::{Page, Row, rows};
use crate::answers::{SearchView, counted};
use crate::index::LIMITS;
use crate::params::{self, Mode};
use crate::pattern;
use crate::search::{self as text, FileHits, Query};
use crate::state::{Development, Named, Project};

/// Lines where nobody says.
const USUAL_LINES: usize = 100;
/// What there is to say of every search for code of Rust.
const IN_MACROS: &str =
    "the arguments of macros are tokens to the grammar: code in them is not matched, search finds it as text";
/// How long a search may take; an answer that is cut there says so.
const MOST_TIME: Duration = Duration::from_secs(60);
/// How long to look for what would match instead.
const HINT_TIME: Duration = Duration::from_secs(2);

pub(super) fn search(
    state: &Development,
    params: &params::Search,
    context: &Context,
) -> Result<SearchView, ToolError> {
    let scope = state.scope(params.path.as_deref())?;
    let mode = params.mode.unwrap_or_default();
    let limit = params.limit.map_or(USUAL_LINES, usize::from);
    let key = [&format!("{params:?}", params = Key::of(params))[..]];
    let page = Page::new(&key, limit, params.cursor.as_deref(), context)?;
    if mode == Mode::Symbol {
        return symbols(&scope, params, &page, context);
    }
    let query = query(params, &page);
    let mut all = Vec::new();
    let mut sum = text::Found::default();
    for named in &scope {
        let query = Query { below: named.below.clone().into(), ..query.clone() };
        let found = text::search(named.project.index.root(), &query, &|| context.is_cancelled());
        let found = found.map_err(|refused| ToolError::bad_arguments(refused.0))?;
        sum.searched += found.searched;
        sum.hits += found.hits;
        sum.skipped.merge(&found.skipped);
        sum.is_stopped |= found.is_stopped;
        all.extend(found.files.into_iter().map(|file| (named.project, file)));
    }
    rank(&mut all, &query);
    let hint = hint(&scope, &query, &sum, context);
    let (files, next_cursor) = view(&page, all);
    let mut about = scope[0].project.about_files(&sum.skipped);
    if sum.is_stopped {
        about.complete = false;
    }
    let hint = hint.or_else(|| narrowing(next_cursor.is_some(), files.len()));
    Ok(SearchView { files, hits: sum.hits, searched: sum.searched, hint, next_cursor, about })
}

/// What the order of the hits depends on.
#[derive(Debug)]
#[expect(dead_code, reason = "read by the derived form alone")]
struct Key<'k>(&'k str, Option<Mode>, Option<&'k str>, Option<&'k str>, [Option<bool>; 4], Option<u8>);

impl<'k> Key<'k> {
    fn of(params: &'k params::Search) -> Self {
        let flags = [params.ignore_case, params.word, params.multiline, params.all_files];
        Self(
            &params.query,
            params.mode,
            params.path.as_deref(),
            params.glob.as_deref(),
            flags,
            params.context,
        )
    }
}

fn query(params: &params::Search, page: &Page) -> Query {
    let mode = if params.mode == Some(Mode::Text) { text::Mode::Text } else { text::Mode::Regex };
    let everything = params.all_files == Some(true);
    Query {
        ignore_case: params.ignore_case == Some(true),
        word: params.word == Some(true),
        multiline: params.multiline == Some(true),
        glob: params.glob.clone(),
        hidden: everything,
        ignored: everything,
        context: params.context.map_or(0, usize::from),
        // No file needs to keep more than a page can show.
        most_lines: (page.start + page.limit)
            .saturating_mul(1 + 2 * params.context.map_or(0, usize::from))
            .min(100_000)
            + 1,
        deadline: Some(Instant::now() + MOST_TIME),
        ..Query::new(&params.query, mode)
    }
}

/// Files that define what is looked for come first, then by path.
fn rank(files: &mut [(&Project, FileHits)], query: &Query) {
    let is_word = query.pattern.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
    if !is_word {
        return;
    }
    files.sort_by_cached_key(|(project, file)| {
        let live = project.index.last();
        let entry = live.as_ref().and_then(|live| live.entry(&file.path));
        let defines = entry.is_some_and(|entry| !entry.named(&query.pattern).is_empty());
        (!defines, file.path.clone())
    });
}

fn view(page: &Page, files: Vec<(&Project, FileHits)>) -> (Vec<crate::answers::FileView>, Option<String>) {
    let totals: Vec<(String, u64)> =
        files.iter().map(|(project, file)| (project.shown(&file.path), file.hits)).collect();
    let row = |(project, file): (&Project, FileHits)| {
        let path = project.shown(&file.path);
        file.lines.into_iter().map(move |line| Row {
            path: path.clone(),
            line: format!("{}{} {}", line.number, if line.is_hit { ':' } else { '-' }, line.text),
            counts: line.is_hit,
        })
    };
    let (mut views, next) = rows(page, files.into_iter().flat_map(row).collect());
    for view in &mut views {
        let total = totals.iter().find(|(path, _)| *path == view.path).map_or(0, |(_, hits)| *hits);
        let shown = view
            .lines
            .iter()
            .filter(|line| line.split(' ').next().is_some_and(|mark| mark.ends_with(':')))
            .count();
        view.hits = (total > shown as u64).then_some(total);
    }
    (views, next)
}

fn narrowing(is_cut: bool, files: usize) -> Option<String> {
    is_cut.then(|| {
        format!(
            "shown are {}: narrow by path, glob or a longer query, or go on with next_cursor",
            counted(files as u64, "file")
        )
    })
}

/// Where nothing was found: what was searched, how the query was understood, and what would match.
fn hint(scope: &[Named<'_>], query: &Query, found: &text::Found, context: &Context) -> Option<String> {
    if found.hits > 0 {
        return None;
    }
    let what = match query.mode {
        text::Mode::Text => "the text",
        text::Mode::Regex => "the regex",
    };
    let mut said = format!("nothing matches {what} {} in {}", query.pattern, counted(found.searched, "file"));
    if found.searched == 0 {
        said.push_str(match query.glob {
            Some(_) => ": path and glob leave no file to search",
            None => ": there is no file to search, or all are hidden or ignored (all_files)",
        });
        return Some(said);
    }
    let would = alternatives(query).into_iter().find_map(|(name, query)| {
        let hits: u64 = scope.iter().map(|named| hits(named, &query, context)).sum();
        (hits > 0).then(|| format!("; {name} would match {}", counted(hits, "time")))
    });
    said.push_str(would.as_deref().unwrap_or("; other case, mode and ignored files would not match either"));
    Some(said)
}

fn hits(named: &Named<'_>, query: &Query, context: &Context) -> u64 {
    let query = Query {
        below: named.below.clone().into(),
        most_lines: 0,
        context: 0,
        deadline: Some(Instant::now() + HINT_TIME),
        ..query.clone()
    };
    let found = text::search(named.project.index.root(), &query, &|| context.is_cancelled());
    found.map_or(0, |found| found.hits)
}

fn alternatives(query: &Query) -> Vec<(&'static str, Query)> {
    let mut found = Vec::new();
    let has_signs = query.pattern.contains(['|', '(', '[', '.', '*', '+', '?', '\\', '^', '$', '{']);
    if !query.ignore_case {
        found.push(("ignore_case", Query { ignore_case: true, ..query.clone() }));
    }
    if has_signs && query.mode == text::Mode::Text {
        found.push(("mode regex", Query { mode: text::Mode::Regex, ..query.clone() }));
    }
    if query.mode == text::Mode::Regex {
        // Alternatives and groups as grep's basic expressions write them.
        if query.pattern.contains("\\|") || query.pattern.contains("\\(") {
            let pattern = query.pattern.replace("\\|", "|").replace("\\(", "(").replace("\\)", ")");
            found.push((
                "without the backslashes before | and brackets it",
                Query { pattern, ..query.clone() },
            ));
        }
        if has_signs {
            found.push(("mode text", Query { mode: text::Mode::Text, ..query.clone() }));
        }
    }
    if query.word {
        found.push(("without word it", Query { word: false, ..query.clone() }));
    }
    if !query.hidden {
        found.push(("all_files", Query { hidden: true, ignored: true, ..query.clone() }));
    }
    found
}

/// Definitions whose name holds a text: those that are it first, then those that begin with it.
fn symbols(
    scope: &[Named<'_>],
    params: &params::Search,
    page: &Page,
    context: &Context,
) -> Result<SearchView, ToolError> {
    let wanted = params.query.trim().to_lowercase();
    if wanted.is_empty() {
        return Err(ToolError::bad_arguments("query is empty: give a part of a name"));
    }
    let mut found = Vec::new();
    let mut searched = 0;
    for named in scope {
        let live = named.project.now(context)?;
        searched += live.entries().len() as u64;
        let fits: Vec<&str> =
            live.all_names().into_iter().filter(|name| name.to_lowercase().contains(&wanted)).collect();
        for name in fits {
            let lower = name.to_lowercase();
            let rank = if lower == wanted {
                0
            } else if lower.starts_with(&wanted) {
                1
            } else {
                2
            };
            for (entry, def) in live.named(name).into_iter().filter(|(entry, _)| named.holds(entry.path())) {
                let qualified = def.qualified(entry.language());
                let line = format!("{}: {} {qualified}", def.lines.0, def.kind.name());
                found.push((rank, name.len(), named.project.shown(entry.path()), def.lines.0, line));
            }
        }
    }
    found.sort();
    let hits = found.len() as u64;
    let all = found.into_iter().map(|(_, _, path, _, line)| Row { path, line, counts: true }).collect();
    let (files, next_cursor) = rows(page, all);
    let project = scope[0].project;
    let live = project.now(context)?;
    let hint = (hits == 0).then(|| {
        format!(
            "no definition of {searched} files has {} in its name; mode regex looks for text",
            params.query
        )
    });
    Ok(SearchView { files, hits, searched, hint, next_cursor, about: project.about(&live) })
}

pub(super) fn ast_search(
    state: &Development,
    params: &params::AstSearch,
    context: &Context,
) -> Result<SearchView, ToolError> {
    let language = Language::of_name(&params.language).ok_or_else(|| {
        let names: Vec<&str> = Language::ALL.iter().map(|language| language.name()).collect();
        ToolError::bad_arguments(format!(
            "{} is not a language here: give one of {}",
            params.language,
            names.join(", ")
        ))
    })?;
    let query = pattern::Query::new(&params.pattern, params.selector.as_deref(), language)
        .map_err(ToolError::bad_arguments)?;
    let scope = state.scope(params.path.as_deref())?;
    let key = [
        &params.pattern[..],
        language.name(),
        params.path.as_deref().unwrap_or(""),
        params.glob.as_deref().unwrap_or(""),
    ];
    let page = Page::new(&key, USUAL_LINES, params.cursor.as_deref(), context)?;
    let mut sum = Shapes::default();
    for named in &scope {
        sum.add(shapes(named, &query, language, params.glob.as_deref(), context)?);
    }
    let hits = sum.rows.len() as u64;
    let (files, next_cursor) = rows(&page, sum.rows);
    let hint = (hits == 0).then(|| unmatched(&query, language, sum.searched, sum.holding));
    let mut about = scope[0].project.about_files(&sum.skipped);
    about.complete &= !sum.is_stopped;
    if language == Language::Rust && sum.holding > 0 {
        about.notices.push(IN_MACROS.to_owned());
    }
    Ok(SearchView { files, hits, searched: sum.searched, hint, next_cursor, about })
}

#[derive(Default)]
struct Shapes {
    rows: Vec<Row>,
    searched: u64,
    /// Files with the pattern's fixed word.
    holding: u64,
    skipped: Skips,
    is_stopped: bool,
}

impl Shapes {
    fn add(&mut self, other: Self) {
        self.rows.extend(other.rows);
        self.searched += other.searched;
        self.holding += other.holding;
        self.skipped.merge(&other.skipped);
        self.is_stopped |= other.is_stopped;
    }
}

fn shapes(
    named: &Named<'_>,
    query: &pattern::Query,
    language: Language,
    glob: Option<&str>,
    context: &Context,
) -> Result<Shapes, ToolError> {
    let root = named.project.index.root();
    let walked = walk(root.path(), &Rules::default());
    let glob = glob.map(|glob| globbed(root.path(), glob)).transpose()?;
    let is_meant = |path: &str| {
        let fits = glob.as_ref().is_none_or(|glob| !glob.matched(path, false).is_ignore());
        let of = Language::of_path(Path::new(path));
        // Headers may be either; TypeScript's grammar reads JavaScript, too, but they are told apart by name.
        let is_header = path.ends_with(".h") && matches!(language, Language::C | Language::Cpp);
        fits && named.holds(path) && (of == Some(language) || is_header)
    };
    let files: Vec<&str> =
        walked.files.iter().map(|file| file.path.as_str()).filter(|path| is_meant(path)).collect();
    let word = query.word();
    let next = AtomicUsize::new(0);
    let all = Mutex::new(Vec::new());
    let sum = Mutex::new(Shapes::default());
    let work = || {
        while let Some(path) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            if context.is_cancelled() {
                sum.lock().is_stopped = true;
                break;
            }
            let text = match read(root, Path::new(path), &LIMITS) {
                Ok(text) => String::from_utf8_lossy(&text).into_owned(),
                Err(reason) => {
                    sum.lock().skipped.add(reason);
                    continue;
                }
            };
            let is_holding = word.as_ref().is_none_or(|word| text.contains(word.as_str()));
            let found = if is_holding { query.matches(&text) } else { Ok(Vec::new()) };
            let mut sum = sum.lock();
            sum.searched += 1;
            sum.holding += u64::from(is_holding);
            match found {
                Ok(found) => all.lock().extend(found.into_iter().map(|found| ((*path).to_owned(), found))),
                Err(refused) => sum.skipped.add(refused.reason()),
            }
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from).min(8);
    std::thread::scope(|scope| {
        (1..cores).for_each(|_| drop(scope.spawn(work)));
        work();
    });
    let mut all = all.into_inner();
    all.sort_by(|(a, x), (b, y)| (a, x.line, x.end).cmp(&(b, y.line, y.end)));
    let mut sum = sum.into_inner();
    let row = |(path, found): (String, pattern::Match)| {
        let first = found.text.lines().next().unwrap_or_default();
        let shown = text::cut(first, 0..0, 200);
        let lines = if found.end > found.line {
            format!("{}-{}", found.line, found.end)
        } else {
            found.line.to_string()
        };
        Row { path: named.project.shown(&path), line: format!("{lines}: {shown}"), counts: true }
    };
    sum.rows = all.into_iter().map(row).collect();
    Ok(sum)
}

fn globbed(root: &Path, glob: &str) -> Result<ignore::overrides::Override, ToolError> {
    let refused =
        |error: ignore::Error| ToolError::bad_arguments(format!("the glob {glob} is not one ({error})"));
    let mut builder = ignore::overrides::OverrideBuilder::new(root);
    builder.add(glob).map_err(refused)?;
    builder.build().map_err(refused)
}

/// Why a pattern matched nothing.
fn unmatched(query: &pattern::Query, language: Language, searched: u64, holding: u64) -> String {
    let name = language.name();
    let kind = &query.understood.kind;
    let mut said = format!(
        "nothing matches in {} of {name}; the pattern was read as one {kind}",
        counted(searched, "file")
    );
    if query.understood.has_error {
        said.push_str(", and a part of it breaks the grammar: give code that stands alone, or a selector");
    } else if searched == 0 {
        said.push_str(": no file of that language is there");
    } else if holding == 0 {
        let word = query.word().unwrap_or_default();
        said = format!("{said}; no file holds {word}");
    } else if holding < searched {
        said = format!(
            "{said}; {holding} files hold its fixed part, so its shape differs there: put $$$ where arguments or statements may be more"
        );
    }
    said
}
