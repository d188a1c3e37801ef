//! The benchmarks, and their answers, which follow from the form of the input alone.

use std::collections::BTreeMap;

use mcp_source::{Language, parse};
use perflab_subject::answer::mix;
use perflab_subject::{Benchmark, Input};
use quality::coverage;
use quality::duplicates::{Corpus, Options};
use quality::git::{Change, Changes, FileChange};
use quality::metrics::measure;
use quality::selection::{Imports, Material, Packages, Source, select};

use crate::input::{FUNCTIONS, modules, source, trace};

/// All of them.
pub fn all() -> Vec<Benchmark> {
    vec![metrics(), copies(), report(), selection()]
}

fn size(input: Input, of: [u64; 2]) -> u64 {
    of[usize::from(input == Input::Count)]
}

/// Parsing a file and measuring it: the sums of both complexities.
fn metrics() -> Benchmark {
    // One, the loop, the condition and its `&&`, and the further conditions.
    let answer = |functions: u64| {
        let extra: u64 = (0..functions).map(|number| number % 3).sum();
        // The loop costs 1, the condition in it 2, its `&&` 1, each further one 1.
        mix(4 * functions + extra, 4 * functions + extra)
    };
    Benchmark::new("metrics/file", answer(FUNCTIONS[0]), answer(FUNCTIONS[1]), |input| {
        let text = source(size(input, FUNCTIONS));
        move || {
            let Ok(tree) = parse::parse(Language::Rust, text.as_bytes(), parse::USUAL_TIME) else { return 0 };
            let metrics = measure(Language::Rust, &tree, text.as_bytes());
            mix(metrics.cyclomatic(), metrics.cognitive())
        }
    })
    .code(&["quality::metrics", "mcp_source", "tree_sitter", "ts_"])
}

/// The files of which copies are looked for, and the small ones.
const COPIES: [u64; 2] = [12, 2];

/// Fingerprints of files and following what they share: each file is a copy of every other one.
fn copies() -> Benchmark {
    let answer = |files: u64| files;
    Benchmark::new("duplicates/files", answer(COPIES[0]), answer(COPIES[1]), |input| {
        let count = size(input, COPIES);
        let text = source(1);
        move || {
            let mut corpus = Corpus::default();
            for _ in 0..count {
                corpus.add(Language::Rust, text.as_bytes());
            }
            let pairs = corpus.pairs(Options::default(), None, || true);
            let mut seen: Vec<u32> = pairs.iter().flat_map(|pair| [pair.one.0, pair.other.0]).collect();
            seen.sort_unstable();
            seen.dedup();
            seen.len() as u64
        }
    })
    .code(&["quality::duplicates", "mcp_kernels::shingles"])
}

/// Files and lines of the report, and of the small one.
const REPORT: [(u64, u64); 2] = [(20, 300), (1, 30)];

/// Reading a trace file: lines, lines that were run, branches, branches that were taken.
fn report() -> Benchmark {
    let answer = |(files, lines): (u64, u64)| {
        let hit = lines - lines / 3;
        // Of two branches on each tenth line, the first is taken on each second of these lines.
        let branches = 2 * (lines / 10);
        let taken = lines / 10 - lines / 20;
        mix(mix(files * lines, files * hit), mix(files * branches, files * taken))
    };
    Benchmark::new("coverage/lcov", answer(REPORT[0]), answer(REPORT[1]), |input| {
        let (files, lines) = REPORT[usize::from(input == Input::Count)];
        let text = trace(files, lines);
        move || {
            let Ok(report) = coverage::read(text.as_bytes()) else { return 0 };
            let (lines, branches) = (report.lines(), report.branches());
            mix(mix(lines.found, lines.hit), mix(branches.found, branches.hit))
        }
    })
    .code(&["quality::coverage", "roaring"])
}

/// Modules, and few of them.
const MODULES: [u64; 2] = [80, 4];

/// Reading what imports what and selecting: the change of a module in the middle of a chain concerns the rest.
fn selection() -> Benchmark {
    let answer = |modules: u64| modules - modules / 2;
    Benchmark::new("select/imports", answer(MODULES[0]), answer(MODULES[1]), |input| {
        let count = size(input, MODULES);
        let files = modules(count);
        let tree: Vec<String> = files.iter().map(|(path, _)| path.clone()).collect();
        let change = FileChange {
            change: Change::Modified,
            old_path: None,
            lines: vec![(5, 5)],
            old_lines: vec![(5, 5)],
            removed: 1,
            is_binary: false,
        };
        let changed = BTreeMap::from([(format!("pkg/m{}.py", count / 2), change)]);
        let changes = Changes { base: String::new(), files: changed, ..Changes::default() };
        move || {
            let imports = Imports::read(files.iter().map(|(path, text)| Source { path, text }), []);
            let selection = select(&Material {
                changes: &changes,
                tree: &tree,
                map: None,
                functions: &BTreeMap::new(),
                imports: &imports,
                packages: &Packages::default(),
                together: &[],
                past: &BTreeMap::new(),
            });
            selection.tests.len() as u64
        }
    })
    .code(&["quality::selection"])
}
