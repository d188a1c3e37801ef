//! The inputs that the kernels are measured with. Each is fixed: written to a file of this crate, or
//! drawn from a generator with a fixed seed.

use std::collections::HashSet;

use rustc_hash::FxBuildHasher;

use crate::cosine::Embeddings;
use crate::json_rpc::{Content, Reply, Structured, ToolResult};
use crate::tokens::tokens;

/// Messages that clients of MCP servers send, one a line.
static MESSAGES: &str = include_str!("../data/messages.jsonl");

/// The log of such a server.
static LOG: &str = include_str!("../data/server.log");

/// Rust source text.
static SOURCE: &str = include_str!("../data/source.rs.txt");

/// How many numbers an embedding has, as those of small sentence encoders.
pub const DIMS: usize = 384;

/// How much input a benchmark gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// For measuring time: a call takes some microseconds.
    Measure,
    /// For counting instructions: a call takes at most 50,000.
    Count,
}

impl Size {
    fn choose<T>(self, measure: T, count: T) -> T {
        match self {
            Self::Measure => measure,
            Self::Count => count,
        }
    }
}

/// Pseudo-random numbers: SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number
/// Generators", OOPSLA 2014).
#[derive(Clone, Debug)]
pub struct Numbers(u64);

impl Numbers {
    /// The numbers that follow from `seed`.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number below `end`, nearly uniform for small ends.
    pub fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.draw()) * u128::from(end)) >> 64) as u64
    }

    /// Two numbers around zero, each the sum of two uniform ones between -0.5 and 0.5.
    fn centred(&mut self) -> [f32; 2] {
        let bits = self.draw();
        let part = |shift: u32| f32::from((bits >> shift) as u16) / 65_536.0 - 0.5;
        [part(0) + part(16), part(32) + part(48)]
    }

    /// The next 64 bits.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

/// The start of a text, up to the last end of a line within `len` bytes.
fn start(text: &'static str, len: usize) -> &'static str {
    let end = text.as_bytes()[..len.min(text.len())]
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |newline| newline + 1);
    &text[..end]
}

/// Messages for `json_rpc::parse`.
pub fn messages(size: Size) -> Vec<&'static str> {
    MESSAGES.lines().take(size.choose(32, 6)).collect()
}

/// Tool results for `json_rpc::write`: snippets of source, with quotes and line ends to escape.
pub fn replies(size: Size) -> Vec<Reply<'static>> {
    const PATHS: [&str; 3] = ["src/server/router.rs", "crates/store/src/page.rs", "tests/protocol.rs"];
    let mut numbers = Numbers::new(1);
    let count = size.choose(12, 2);
    snippets(18)
        .into_iter()
        .zip(0_u64..count)
        .map(|(text, number)| Reply {
            id: 1000 + number,
            result: ToolResult {
                content: vec![Content::Text { text }],
                structured_content: Structured {
                    path: PATHS[number as usize % PATHS.len()],
                    lines: (0..8).map(|_| 1 + numbers.below(900) as u32).collect(),
                    scores: (0..8).map(|_| (1 + numbers.below(9999)) as f64 / 1e4).collect(),
                    truncated: number % 2 == 0,
                },
                is_error: false,
            },
        })
        .collect()
}

/// A query and rows for the dot products.
#[derive(Clone, Debug)]
pub struct Tile {
    /// [`DIMS`] numbers.
    pub query: Vec<f32>,
    /// Rows of [`DIMS`] numbers, one after another.
    pub rows: Vec<f32>,
}

impl Tile {
    /// How many rows there are.
    pub fn count(&self) -> usize {
        self.rows.len() / self.query.len()
    }
}

/// A tile for `dot::naive`, whose sums are too slow for many rows.
pub fn narrow_tile(size: Size) -> Tile {
    tile(size.choose(32, 8))
}

/// A tile for `dot::lanes`.
pub fn wide_tile(size: Size) -> Tile {
    tile(size.choose(128, 24))
}

fn tile(rows: usize) -> Tile {
    let embeddings = topics(rows + 1);
    let (query, rows) = embeddings.split_at(DIMS);
    Tile { query: query.to_vec(), rows: rows.to_vec() }
}

/// A table of 256 embeddings and a query.
pub fn embeddings(size: Size) -> (Embeddings, Vec<f32>) {
    table(size.choose(256, 48))
}

/// A table of 10,000 embeddings (15 MB) and a query.
pub fn many_embeddings(size: Size) -> (Embeddings, Vec<f32>) {
    table(size.choose(10_000, 64))
}

fn table(rows: usize) -> (Embeddings, Vec<f32>) {
    let mut rows = topics(rows + 1);
    let query = rows.split_off(rows.len() - DIMS);
    (Embeddings::new(DIMS, rows), query)
}

/// Embeddings that gather around sixteen topics, as those of texts do.
fn topics(count: usize) -> Vec<f32> {
    const TOPICS: usize = 16;
    let mut numbers = Numbers::new(2);
    let centres: Vec<f32> = (0..TOPICS * DIMS / 2).flat_map(|_| numbers.centred()).collect();
    let mut rows = Vec::with_capacity(count * DIMS);
    for _ in 0..count {
        let topic = numbers.below(TOPICS as u64) as usize;
        for pair in centres[topic * DIMS..][..DIMS].chunks_exact(2) {
            let [first, second] = numbers.centred();
            rows.extend([0.1 * (pair[0] + first), 0.1 * (pair[1] + second)]);
        }
    }
    rows
}

/// Response times in ms, measured once a minute: a daily cycle, noise, and now and then an outlier.
pub fn series(size: Size) -> Vec<f64> {
    let mut numbers = Numbers::new(3);
    (0..size.choose(1024, 160))
        .map(|minute| {
            let cycle = f64::from(i32::abs(minute % 288 - 144));
            let noise = numbers.below(1000) as f64 + numbers.below(1000) as f64;
            let outlier = if numbers.below(40) == 0 { 25_000.0 } else { 0.0 };
            // Two decimals, as telemetry has.
            (20.0 * cycle + 2.0 * noise + outlier).round() / 100.0
        })
        .collect()
}

/// How many values a moving window holds.
pub const WINDOW: usize = 24;

/// Level and trend weights that `smoothing::holt` tries.
pub fn weights() -> (Vec<f64>, Vec<f64>) {
    let grid = (1..=4).flat_map(|alpha| (1..=4).map(move |beta| (alpha, beta)));
    grid.map(|(alpha, beta)| (f64::from(alpha) * 0.2, f64::from(beta) * 0.1)).unzip()
}

/// Source text cut into pieces of `lines` lines.
fn snippets(lines: usize) -> Vec<&'static str> {
    let mut rest = SOURCE;
    let mut snippets = Vec::new();
    while !rest.is_empty() {
        let end = rest.match_indices('\n').nth(lines - 1).map_or(rest.len(), |(newline, _)| newline + 1);
        let (snippet, tail) = rest.split_at(end);
        snippets.push(snippet);
        rest = tail;
    }
    snippets
}

/// Documents for `tfidf::score`.
pub fn documents(size: Size) -> Vec<&'static str> {
    let mut documents = snippets(5);
    documents.truncate(size.choose(documents.len(), 80));
    documents
}

/// A query for `tfidf::score`: some lines of code, to find others like them.
pub fn question(size: Size) -> &'static str {
    snippets(size.choose(14, 4))[3]
}

/// Source text of about a quarter of a file, or a few lines.
pub fn passage(size: Size) -> &'static str {
    start(SOURCE, size.choose(3072, 640))
}

/// Source text of several files.
pub fn source(size: Size) -> &'static str {
    start(SOURCE, size.choose(96 * 1024, 4096))
}

/// Source text of one file.
pub fn file(size: Size) -> &'static str {
    start(SOURCE, size.choose(16 * 1024, 2048))
}

/// What `substring::scan` looks for.
pub const NEEDLE: &str = "assert";

/// Lines of a server's log.
pub fn log(size: Size) -> &'static str {
    start(LOG, size.choose(8192, 1024))
}

/// Names of functions, types and variables, each once.
pub fn names(size: Size) -> Vec<&'static str> {
    let mut seen: HashSet<&str, FxBuildHasher> = HashSet::default();
    tokens(SOURCE).filter(|token| token.len() > 3 && seen.insert(token)).take(size.choose(256, 48)).collect()
}

/// A misspelt name, for `edit_distance::levenshtein`.
pub const MISSPELT: &str = "accumlate_stripes";

/// Words to look up in a table of [`names`]: those of a text, so most are absent or repeated.
pub fn words(size: Size) -> Vec<&'static str> {
    tokens(&SOURCE[SOURCE.len() / 2..]).take(size.choose(768, 128)).collect()
}

/// A query set and sets to intersect it with, each of `query.len()` words.
#[derive(Clone, Debug)]
pub struct BitSets {
    /// The set that is looked for.
    pub query: Vec<u64>,
    /// The sets it is compared with, one after another.
    pub sets: Vec<u64>,
}

impl BitSets {
    /// How many sets the query is compared with.
    pub fn count(&self) -> usize {
        self.sets.len() / self.query.len()
    }
}

/// Sets of trigrams, a quarter full.
pub fn bit_sets(size: Size) -> BitSets {
    const WORDS: usize = 64;
    let mut numbers = Numbers::new(4);
    let mut words =
        |count: usize| -> Vec<u64> { (0..count).map(|_| numbers.draw() & numbers.draw()).collect() };
    BitSets { query: words(WORDS), sets: words(WORDS * size.choose(128, 16)) }
}

/// Document ids in the order of an unordered table.
pub fn ids(size: Size) -> Vec<u32> {
    let mut numbers = Numbers::new(5);
    (0..size.choose(1024, 192)).map(|_| numbers.below(1 << 24) as u32).collect()
}

/// Latencies in µs: most some hundred, a few much longer.
pub fn latencies(size: Size) -> Vec<u64> {
    let mut numbers = Numbers::new(6);
    (0..size.choose(1500, 300))
        .map(|_| {
            let base = 120 + numbers.below(200) + numbers.below(200);
            match numbers.below(100) {
                0 => base * 40,
                1..8 => base * 6,
                _ => base,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json_rpc::{Handler, parse};
    use crate::{regex, substring};

    #[test]
    fn the_generator_is_splitmix64() {
        // The first outputs for seed 1234567 that implementations agree on.
        let mut numbers = Numbers::new(1_234_567);
        assert_eq!(numbers.draw(), 6_457_827_717_110_365_317);
        assert_eq!(numbers.draw(), 3_203_168_211_198_807_973);
        assert!((0..1000).all(|_| numbers.below(10) < 10));
    }

    #[test]
    fn every_message_is_understood() {
        let routed: Vec<_> = MESSAGES.lines().map(|line| parse(line).unwrap()).collect();
        assert!(routed.len() >= 32);
        let calls = routed.iter().filter(|message| message.handler == Handler::ToolsCall).count();
        assert!(calls * 2 > routed.len(), "most messages call tools");
    }

    #[test]
    fn texts_hold_what_is_looked_for() {
        for size in [Size::Measure, Size::Count] {
            assert!(regex::plain(log(size).as_bytes()).len() >= 3);
            assert!(log(size).ends_with('\n'));
        }
        assert!(source(Size::Measure).len() > 90_000);
        let places = substring::plain(NEEDLE.as_bytes(), source(Size::Measure).as_bytes());
        assert!(places.len() >= 5, "{} places", places.len());
        assert!(!substring::plain(NEEDLE.as_bytes(), source(Size::Count).as_bytes()).is_empty());
    }

    #[test]
    fn sizes_are_as_promised() {
        assert_eq!(wide_tile(Size::Count).count(), 24);
        assert_eq!(embeddings(Size::Measure).0.len(), 256);
        assert_eq!(embeddings(Size::Measure).0.dims(), DIMS);
        assert_eq!(names(Size::Measure).len(), 256);
        assert_eq!(words(Size::Measure).len(), 768);
        assert_eq!(snippets(16).concat(), SOURCE);
        assert!(documents(Size::Measure).len() > 400);
        assert_eq!(weights().0.len(), 16);
        assert_eq!(replies(Size::Measure).len(), 12);
        assert!(series(Size::Measure).iter().all(|value| *value >= 0.0));
    }

    #[test]
    fn a_text_is_cut_at_the_end_of_a_line() {
        assert_eq!(start("one\ntwo\nthree", 9), "one\ntwo\n");
        assert_eq!(start("one\ntwo", 99), "one\n");
        assert_eq!(start("one", 2), "");
    }
}
