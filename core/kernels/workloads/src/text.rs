//! Source text and logs.

use mcp_kernels::bytes::{self, Classes};
use mcp_kernels::edit_distance::{self, Pattern};
use mcp_kernels::input;
use mcp_kernels::level::Level;
use mcp_kernels::regex::{self, Scanner};
use mcp_kernels::shingles::{self, Cut, Fingerprint, Scratch};
use mcp_kernels::substring;
use mcp_kernels::tfidf::{self, Index};
use memchr::memmem::Finder;
use perflab_subject::Benchmark;
use perflab_subject::answer::mix;

use crate::answers::fold;
use crate::benchmarks::{benchmark, form};

/// How source text is cut for fingerprints: shingles of five tokens, one of eight kept.
const CUT: Cut = Cut { shingle: 5, window: 8 };

/// The benchmarks of `mcp_kernels::{tfidf, shingles, edit_distance, regex, substring, bytes}`.
pub fn benchmarks() -> Vec<Benchmark> {
    let mut benchmarks = comparisons();
    benchmarks.extend(scans());
    benchmarks
}

fn comparisons() -> Vec<Benchmark> {
    vec![
        benchmark("tfidf/score", &["mcp_kernels::tfidf::score"], |size| {
            let index = Index::new(&input::documents(size));
            let question = input::question(size);
            let mut scores = vec![0.0; index.documents()];
            move || {
                tfidf::score(&index, question, &mut scores);
                fold(&scores)
            }
        }),
        benchmark("shingles/winnow", &["mcp_kernels::shingles::"], |size| {
            let mut scratch = Scratch::default();
            let mut found = Vec::new();
            move || {
                shingles::winnow(input::passage(size), CUT, &mut scratch, &mut found);
                fingerprints(&found)
            }
        }),
        benchmark("edit_distance/levenshtein", &["mcp_kernels::edit_distance::levenshtein"], |size| {
            let names = input::names(size);
            let mut pattern = Pattern::new(input::MISSPELT.as_bytes());
            move || {
                names.iter().fold(0, |sum, name| {
                    mix(sum, edit_distance::levenshtein(&mut pattern, name.as_bytes()) as u64)
                })
            }
        }),
    ]
}

fn scans() -> Vec<Benchmark> {
    vec![
        benchmark(
            "regex/scan",
            &[
                "mcp_kernels::regex::scan",
                "regex_automata::meta::",
                "<regex_automata::meta::",
                "regex_automata::hybrid::",
                "aho_corasick::packed::",
                "<aho_corasick::packed::",
                "<regex_automata::hybrid::",
            ],
            |size| {
                let scanner = Scanner::new();
                let mut spans = Vec::new();
                move || {
                    regex::scan(&scanner, input::log(size).as_bytes(), &mut spans);
                    places(&spans)
                }
            },
        ),
        benchmark(
            "substring/scan",
            &["mcp_kernels::substring::scan", "memchr::memmem::", "<memchr::memmem::", "memchr::arch::"],
            |size| {
                let needle = Finder::new(input::NEEDLE);
                let mut places = Vec::new();
                move || {
                    substring::scan(&needle, input::source(size).as_bytes(), &mut places);
                    fold(&places)
                }
            },
        ),
        benchmark("bytes/histogram", &["mcp_kernels::bytes::histogram"], |size| {
            move || fold(&bytes::histogram(input::file(size).as_bytes()))
        }),
        benchmark(
            "bytes/classes",
            &[form("mcp_kernels::bytes::classes", "mcp_kernels::bytes::dispatched")],
            |size| {
                move || {
                    let text = input::file(size).as_bytes();
                    counts(if cfg!(feature = "dispatch") {
                        bytes::dispatched(Level::detected(), text)
                    } else {
                        bytes::classes(text)
                    })
                }
            },
        ),
    ]
}

fn fingerprints(found: &[Fingerprint]) -> u64 {
    found.iter().fold(found.len() as u64, |sum, print| mix(sum ^ u64::from(print.token), print.hash))
}

fn places(spans: &[regex::Span]) -> u64 {
    spans
        .iter()
        .fold(spans.len() as u64, |sum, (start, end)| mix(sum, u64::from(*start) << 32 | u64::from(*end)))
}

fn counts(classes: Classes) -> u64 {
    let Classes { white, word, punctuation, control, high } = classes;
    fold(&[white, word, punctuation, control, high])
}

#[cfg(test)]
pub mod plain {
    //! The same answers by the plain forms.

    use crate::benchmarks::Plain;
    use crate::text::*;

    pub const ALL: &[Plain] = &[
        ("tfidf/score", |size| {
            let documents = input::documents(size);
            let mut scores = vec![0.0; documents.len()];
            tfidf::plain(&documents, input::question(size), &mut scores);
            fold(&scores)
        }),
        ("shingles/winnow", |size| fingerprints(&shingles::plain(input::passage(size), CUT))),
        ("edit_distance/levenshtein", |size| {
            input::names(size).iter().fold(0, |sum, name| {
                let distance = edit_distance::plain(input::MISSPELT.as_bytes(), name.as_bytes());
                mix(sum, distance as u64)
            })
        }),
        ("regex/scan", |size| places(&regex::plain(input::log(size).as_bytes()))),
        ("substring/scan", |size| {
            fold(&substring::plain(input::NEEDLE.as_bytes(), input::source(size).as_bytes()))
        }),
        ("bytes/histogram", |size| fold(&bytes::histogram_plain(input::file(size).as_bytes()))),
        ("bytes/classes", |size| counts(bytes::plain(input::file(size).as_bytes()))),
    ];
}
