//! Who uses a definition. A use counts as `resolved` where imports, scopes and the types that the text names lead from it
//! to the definition, as `likely` where the name is all that speaks for it and nothing else has that name. Whatever else
//! has the name is counted, never taken for a use.

mod aliases;
mod decide;
mod fields;
mod locals;
mod members;
mod occurrence;
mod types;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use mcp_source::symbols::Kind;
use mcp_source::{Language, Skips, parse, read};
use mcp_workspace::Root;
use parking_lot::Mutex;

use crate::facts::{PARSE_TIME, name_hash};
use crate::index::{Def, Entry, LIMITS};
use crate::resolve::{FileId, Resolver};
use decide::{Judge, Verdict};

/// How sure a use is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// Imports, scopes or named types lead to the definition.
    Resolved,
    /// Nothing else of the project has the name, and nothing speaks against it.
    Likely,
}

/// A definition whose uses are looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The file.
    pub file: FileId,
    /// Its name.
    pub name: String,
    /// The innermost type or module that it lies in; empty where there is none.
    pub owner: String,
    /// What it is.
    pub kind: Kind,
    /// Whether it belongs to a type, so that it is reached through one.
    pub is_member: bool,
    /// Where its name stands.
    pub name_start: usize,
    /// Its lines.
    pub lines: (usize, usize),
    /// The bytes in which its name is visible without anything before it.
    pub scope: std::ops::Range<usize>,
}

impl Target {
    /// The target that a definition of a file is.
    #[must_use]
    pub fn new(file: FileId, entry: Entry<'_>, def: &Def<'_>) -> Self {
        let around = around(&entry.defs(), def);
        let is_member = match &around {
            Some(around) => around.kind.is_type() || def.kind == Kind::Variant,
            // A method of Go or of C++ stands outside of its type, and `impl` is not a definition.
            None => !def.container.is_empty(),
        };
        let is_member = is_member || matches!(def.kind, Kind::Method | Kind::Field | Kind::Variant);
        Self {
            file,
            name: def.name.to_owned(),
            owner: def.owner().to_owned(),
            kind: def.kind,
            is_member,
            name_start: def.name_start,
            lines: def.lines,
            scope: around.map_or(0..usize::MAX, |around| around.range.clone()),
        }
    }
}

/// The innermost definition that a definition lies in.
fn around<'d>(defs: &[Def<'d>], def: &Def<'_>) -> Option<Def<'d>> {
    let holds = |other: &&Def<'_>| {
        other.range.start <= def.range.start
            && other.range.end >= def.range.end
            && other.name_start != def.name_start
            && other.range.len() > def.range.len()
    };
    defs.iter().filter(holds).min_by_key(|other| other.range.len()).cloned()
}

/// A use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// The file.
    pub file: FileId,
    /// The line, from 1.
    pub line: usize,
    /// What the line says.
    pub text: String,
    /// The definition that it stands in, with what that lies in.
    pub inside: Option<String>,
    /// How sure it is.
    pub confidence: Confidence,
    /// Of which of the targets.
    pub target: usize,
    /// Whether it is an import.
    pub is_import: bool,
}

/// A place that has the name and is not known to be a use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The file.
    pub file: FileId,
    /// The line, from 1.
    pub line: usize,
    /// What the line says.
    pub text: String,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Uses {
    /// The uses, by file and line.
    pub uses: Vec<Use>,
    /// Places with the name of which it is not known what they mean.
    pub unresolved: Vec<Candidate>,
    /// Places with the name that mean something else.
    pub others: usize,
    /// How many files were looked into.
    pub files: usize,
    /// Files that could not be looked into.
    pub skipped: Skips,
    /// Whether it was stopped before all were.
    pub is_stopped: bool,
}

/// How many bytes of a line are shown.
const LONGEST_LINE: usize = 200;

/// Looks for the uses of definitions that have one name.
#[must_use]
pub fn uses(
    resolver: &Resolver<'_>,
    root: &Root,
    targets: &[Target],
    stop: &(dyn Fn() -> bool + Sync),
) -> Uses {
    if targets.is_empty() {
        return Uses::default();
    }
    let judge = Judge::new(resolver, targets);
    let aliases = aliases::of(resolver, targets);
    let files = asked(resolver, targets, judge.name(), &aliases);
    let next = AtomicUsize::new(0);
    let all = Mutex::new(BTreeMap::new());
    let work = || {
        while let Some(asked) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            if stop() {
                all.lock().entry(FileId::MAX).or_insert_with(Uses::default).is_stopped = true;
                break;
            }
            let found = in_file(&judge, root, asked);
            all.lock().insert(asked.file, found);
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from).min(8);
    if files.len() < 4 || cores == 1 {
        work();
    } else {
        std::thread::scope(|scope| {
            (1..cores).for_each(|_| drop(scope.spawn(work)));
            work();
        });
    }
    let mut uses = Uses::default();
    for (_, found) in all.into_inner() {
        uses.uses.extend(found.uses);
        uses.unresolved.extend(found.unresolved);
        uses.others += found.others;
        uses.files += found.files;
        uses.skipped.merge(&found.skipped);
        uses.is_stopped |= found.is_stopped;
    }
    uses
}

/// A file that may hold uses.
struct Asked<'a> {
    file: FileId,
    entry: Entry<'a>,
    /// Whether it may hold the name itself.
    holds_name: bool,
    /// The other names that it may know the targets by.
    aliases: Vec<&'a str>,
}

/// The files that hold the name of the targets, or another one under which they are imported.
fn asked<'a>(
    resolver: &Resolver<'a>,
    targets: &[Target],
    name: &str,
    aliases: &'a aliases::Aliases,
) -> Vec<Asked<'a>> {
    let families: Vec<u8> =
        targets.iter().map(|target| family(resolver.modules.language(target.file))).collect();
    let hash = name_hash(name.as_bytes());
    let of = |entry: Entry<'a>| {
        let file = resolver.modules.number(entry.path())?;
        let aliases = aliases.in_file(file, |alias| entry.holds(name_hash(alias.as_bytes())));
        let holds_name = entry.holds(hash);
        (holds_name || !aliases.is_empty()).then_some(Asked { file, entry, holds_name, aliases })
    };
    let entries = resolver.live.entries().into_iter();
    entries.filter(|entry| families.contains(&family(entry.language()))).filter_map(of).collect()
}

/// Languages whose code can use each other's definitions.
fn family(language: Language) -> u8 {
    match language {
        Language::Rust => 0,
        Language::Python => 1,
        Language::TypeScript | Language::Tsx | Language::JavaScript => 2,
        Language::Go => 3,
        Language::C | Language::Cpp => 4,
        Language::Java => 5,
    }
}

fn in_file(judge: &Judge<'_>, root: &Root, asked: &Asked<'_>) -> Uses {
    let (file, entry) = (asked.file, asked.entry);
    let mut found = Uses::default();
    let text = match read(root, Path::new(entry.path()), &LIMITS) {
        Ok(text) => text,
        Err(reason) => {
            found.skipped.add(reason);
            return found;
        }
    };
    let tree = match parse::parse(entry.language(), &text, PARSE_TIME) {
        Ok(tree) => tree,
        Err(refused) => {
            found.skipped.add(refused.reason());
            return found;
        }
    };
    found.files = 1;
    let defs = entry.defs();
    let place = decide::Place { file, language: entry.language(), text: &text, defs: &defs };
    if asked.holds_name {
        occurrences(judge, &place, &tree, &mut found);
    }
    for alias in &asked.aliases {
        // Whatever else has that name is nobody's business here.
        let mut other = Uses::default();
        occurrences(&judge.spelled(alias), &place, &tree, &mut other);
        found.uses.append(&mut other.uses);
    }
    found.uses.sort_by_key(|one| (one.line, one.target, one.confidence));
    // Two uses in one line are one line of an answer.
    found.uses.dedup_by(|a, b| (a.line, a.target, a.confidence) == (b.line, b.target, b.confidence));
    found
}

fn occurrences(
    judge: &Judge<'_>,
    place: &decide::Place<'_>,
    tree: &mcp_source::tree_sitter::Tree,
    found: &mut Uses,
) {
    let (file, text) = (place.file, place.text);
    for occurrence in occurrence::all(tree, place.language, text, judge.name()) {
        let (line, at) = (occurrence.node.start_position().row + 1, occurrence.node.start_byte());
        match judge.verdict(place, &occurrence) {
            Verdict::Use(target, confidence) => found.uses.push(Use {
                file,
                line,
                text: line_at(text, at),
                inside: inside(place.defs, at, place.language),
                confidence,
                target,
                is_import: occurrence.is_import(),
            }),
            Verdict::Unknown => found.unresolved.push(Candidate { file, line, text: line_at(text, at) }),
            Verdict::Other => found.others += 1,
            Verdict::Definition => {}
        }
    }
}

fn line_at(text: &[u8], at: usize) -> String {
    let start = text[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let end = text[at..].iter().position(|byte| *byte == b'\n').map_or(text.len(), |end| at + end);
    let line = String::from_utf8_lossy(&text[start..end]);
    let indent = line.len() - line.trim_start().len();
    let place = (at - start).saturating_sub(indent).min(line.trim().len());
    crate::search::cut(line.trim(), place..place, LONGEST_LINE)
}

/// The innermost function, type or module around a place.
fn inside(defs: &[Def<'_>], at: usize, language: Language) -> Option<String> {
    let holds = |def: &&Def<'_>| def.range.contains(&at) && def.body.is_some();
    defs.iter().filter(holds).min_by_key(|def| def.range.len()).map(|def| def.qualified(language))
}

#[cfg(test)]
mod tests;
