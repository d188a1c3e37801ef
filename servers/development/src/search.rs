//! Text in files: ripgrep's own walker, matcher and searcher, so that its hits are ripgrep's.

mod pattern;
mod sink;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Instant;

use grep_regex::RegexMatcher;
use grep_searcher::{BinaryDetection, Searcher, SearcherBuilder};
use ignore::overrides::OverrideBuilder;
use ignore::{DirEntry, WalkBuilder, WalkState};
use mcp_source::walk::{Rules, builder};
use mcp_source::{Reason, Skips};
use mcp_workspace::Root;
use parking_lot::Mutex;

pub use pattern::{LONGEST_PATTERN, Mode, matcher};
use sink::Hits;

/// The most threads: as many as ripgrep takes at most.
const MOST_THREADS: usize = 12;

/// What is looked for, and where.
#[derive(Clone, Debug)]
pub struct Query {
    /// The pattern.
    pub pattern: String,
    /// What the pattern is.
    pub mode: Mode,
    /// Capital and small letters are one.
    pub ignore_case: bool,
    /// Only whole words.
    pub word: bool,
    /// A hit may reach over several lines.
    pub multiline: bool,
    /// Only files of this glob; with `!` before it, all others. Braces hold alternatives.
    pub glob: Option<String>,
    /// A file or directory below the root; empty for the root.
    pub below: PathBuf,
    /// Also files whose name begins with a dot.
    pub hidden: bool,
    /// Also files that ignore files name.
    pub ignored: bool,
    /// Lines before and after each hit.
    pub context: usize,
    /// How many lines are kept; hits beyond are counted.
    pub most_lines: usize,
    /// How many bytes of a line are kept, around the hit.
    pub most_bytes: usize,
    /// When to stop.
    pub deadline: Option<Instant>,
}

impl Query {
    /// A query with what is usual.
    #[must_use]
    pub fn new(pattern: &str, mode: Mode) -> Self {
        Self {
            pattern: pattern.to_owned(),
            mode,
            ignore_case: false,
            word: false,
            multiline: false,
            glob: None,
            below: PathBuf::new(),
            hidden: false,
            ignored: false,
            context: 0,
            most_lines: 10_000,
            most_bytes: 240,
            deadline: None,
        }
    }
}

/// A line of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its number, from 1; of a hit over several lines the first one's.
    pub number: u64,
    /// What it says, without its end; cut around the hit where it is long.
    pub text: String,
    /// Whether it is a hit, not one of the lines around one.
    pub is_hit: bool,
}

/// The hits of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileHits {
    /// Below the root; where the name is not UTF-8, with marks in place of what is not.
    pub path: String,
    /// How many hits there are.
    pub hits: u64,
    /// The first of them.
    pub lines: Vec<Line>,
    /// Where the file stopped being text, if it did: what follows was not searched.
    pub binary_at: Option<u64>,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The files with hits, in the order of their paths.
    pub files: Vec<FileHits>,
    /// How many files were searched.
    pub searched: u64,
    /// How many hits there are in all.
    pub hits: u64,
    /// What was left out.
    pub skipped: Skips,
    /// Whether the time was over before everything was searched.
    pub is_stopped: bool,
}

/// Why nothing was searched: one sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub String);

/// Searches the files of a root. `stop` is asked now and then.
///
/// # Errors
/// The pattern or the glob is none, or the path is not there.
pub fn search(root: &Root, query: &Query, stop: &(dyn Fn() -> bool + Sync)) -> Result<Found, Refused> {
    let matcher = matcher(query)?;
    let start = root.path().join(&query.below);
    let work = Work { root, query, matcher: &matcher, stop, found: Mutex::new(Found::default()) };
    if root.file(&query.below).is_ok() {
        // Whoever names a file means it, whatever the rules say of it.
        let mut searcher = searcher(query, BinaryDetection::convert(0));
        work.file(&query.below, &mut searcher);
    } else {
        mcp_workspace::open_directory(std::os::fd::AsFd::as_fd(root), &query.below).map_err(|error| {
            Refused(format!(
                "{} cannot be searched ({error}): name a file or directory below the root",
                query.below.display()
            ))
        })?;
        let mut builder = walker(&start, query)?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
        work.walk(builder.threads(cores));
    }
    let mut found = work.found.into_inner();
    found.files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

/// The hits in a text that is not a file.
///
/// # Errors
/// What the searcher says, which for a text in memory is nothing.
pub fn in_text(query: &Query, matcher: &RegexMatcher, text: &[u8]) -> std::io::Result<FileHits> {
    let mut hits = Hits::new(matcher, query.most_lines, query.most_bytes, &|| false);
    searcher(query, BinaryDetection::quit(0)).search_slice(matcher, text, &mut hits)?;
    Ok(hits.file)
}

fn walker(start: &Path, query: &Query) -> Result<WalkBuilder, Refused> {
    let rules = Rules { hidden: query.hidden, ignored: query.ignored, ..Rules::default() };
    let mut builder = builder(start, &rules);
    if let Some(glob) = &query.glob {
        let refused = |error: ignore::Error| {
            Refused(format!("the glob {glob} is not one ({error}): give one such as *.rs or src/**"))
        };
        let mut overrides = OverrideBuilder::new(start);
        overrides.add(glob).map_err(refused)?;
        builder.overrides(overrides.build().map_err(refused)?);
    }
    Ok(builder)
}

fn searcher(query: &Query, binary: BinaryDetection) -> Searcher {
    SearcherBuilder::new()
        .line_number(true)
        .multi_line(query.multiline)
        .binary_detection(binary)
        .before_context(query.context)
        .after_context(query.context)
        .build()
}

struct Work<'w> {
    root: &'w Root,
    query: &'w Query,
    matcher: &'w RegexMatcher,
    stop: &'w (dyn Fn() -> bool + Sync),
    found: Mutex<Found>,
}

impl Work<'_> {
    fn is_over(&self) -> bool {
        self.query.deadline.is_some_and(|deadline| Instant::now() >= deadline) || (self.stop)()
    }

    fn walk(&self, builder: &WalkBuilder) {
        builder.build_parallel().run(|| {
            let mut searcher = searcher(self.query, BinaryDetection::quit(0));
            Box::new(move |entry| {
                if self.is_over() {
                    self.found.lock().is_stopped = true;
                    return WalkState::Quit;
                }
                match entry {
                    Ok(entry) => self.entry(&entry, &mut searcher),
                    Err(_) => self.found.lock().skipped.add(Reason::Unreadable),
                }
                WalkState::Continue
            })
        });
    }

    fn entry(&self, entry: &DirEntry, searcher: &mut Searcher) {
        let Some(kind) = entry.file_type().filter(|kind| !kind.is_dir()) else { return };
        if !kind.is_file() {
            self.found.lock().skipped.add(Reason::NotRegular);
            return;
        }
        let below = entry.path().strip_prefix(self.root.path()).unwrap_or(entry.path());
        self.file(below, searcher);
    }

    fn file(&self, below: &Path, searcher: &mut Searcher) {
        let file = match self.root.file(below) {
            Ok(file) => file,
            Err(error) => {
                let outside = error.kind() == std::io::ErrorKind::CrossesDevices;
                let reason = if outside { Reason::OutsideRoot } else { Reason::Unreadable };
                self.found.lock().skipped.add(reason);
                return;
            }
        };
        let room = self.query.most_lines;
        let is_over = || self.is_over();
        let mut hits = Hits::new(self.matcher, room, self.query.most_bytes, &is_over);
        let result = searcher.search_file(self.matcher, &file, &mut hits);
        let is_stopped = hits.is_stopped;
        let mut file = hits.file;
        let mut found = self.found.lock();
        found.searched += 1;
        found.is_stopped |= is_stopped;
        if result.is_err() {
            found.skipped.add(Reason::Unreadable);
        }
        if file.binary_at.is_some() {
            found.skipped.add(Reason::Binary);
        }
        if file.hits > 0 {
            found.hits += file.hits;
            file.path = below.to_string_lossy().into_owned();
            found.files.push(file);
        }
    }
}

/// A line cut to `most` bytes around a place in it, with marks where something is left out.
#[must_use]
pub fn cut(line: &str, place: Range<usize>, most: usize) -> String {
    if line.len() <= most {
        return line.to_owned();
    }
    let room = most.saturating_sub((place.end - place.start).min(most));
    let floor = |at: usize| (0..=at.min(line.len())).rev().find(|at| line.is_char_boundary(*at)).unwrap_or(0);
    let start = floor(place.start.saturating_sub(room / 3));
    let end = floor(start.saturating_add(most));
    let (before, after) = (if start > 0 { "…" } else { "" }, if end < line.len() { "…" } else { "" });
    format!("{before}{}{after}", &line[start..end])
}

#[cfg(test)]
mod tests;
