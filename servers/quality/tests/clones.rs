//! Copies that were made here, of functions of this package: how many of them are found, and how much else is.

#![expect(clippy::unwrap_used, reason = "this is a test: a panic is how it fails")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mcp_source::{Language, parse};
use quality::duplicates::{Corpus, Options, Pair};
use quality::metrics::measure;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng as Chance;

/// Nothing here is about time, and the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// The words that a renaming leaves alone.
const WORDS: [&str; 30] = [
    "as", "break", "const", "continue", "else", "enum", "false", "fn", "for", "if", "impl", "in", "let",
    "loop", "match", "mod", "move", "mut", "pub", "ref", "return", "self", "static", "struct", "super",
    "true", "type", "use", "where", "while",
];

/// Tokens of a text: names and numbers, and every other character by itself.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut is_open = false;
    for letter in text.chars() {
        let is_part = letter.is_ascii_alphanumeric() || letter == '_';
        match tokens.last_mut().filter(|_| is_part && is_open) {
            Some(last) => last.push(letter),
            None => tokens.push(letter.to_string()),
        }
        is_open = is_part;
    }
    tokens
}

fn is_name(token: &str) -> bool {
    token.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_') && !WORDS.contains(&token)
}

fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Runs of six tokens, without names and numbers: by which texts are compared in another way than the one that is tested.
fn runs(text: &str) -> BTreeSet<Vec<String>> {
    let plain = |token: String| match token {
        token if is_name(&token) => "name".to_owned(),
        token if token.starts_with(|first: char| first.is_ascii_digit()) => "number".to_owned(),
        token => token,
    };
    let all: Vec<String> =
        tokens(text).into_iter().filter(|token| !token.trim().is_empty()).map(plain).collect();
    all.windows(6).map(<[String]>::to_vec).collect()
}

/// The share of its runs that the smaller of two texts has in common with the other.
fn likeness(one: &BTreeSet<Vec<String>>, other: &BTreeSet<Vec<String>>) -> f64 {
    one.intersection(other).count() as f64 / one.len().min(other.len()).max(1) as f64
}

/// Functions of this package with enough tokens, none of which is like another one, and no tests.
fn functions() -> Vec<String> {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    files.sort();
    let mut functions: Vec<String> = Vec::new();
    let mut known = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(file).unwrap();
        let tree = parse::parse(Language::Rust, text.as_bytes(), PATIENCE).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        // What lies in another one is part of that.
        let mut end = 0;
        for function in measure(Language::Rust, &tree, text.as_bytes()).functions {
            if function.first_line <= end {
                continue;
            }
            end = function.last_line;
            let body = lines[function.first_line as usize - 1..function.last_line as usize].join("\n");
            // Tests repeat each other on purpose.
            let is_long = function.lines() >= 9 && !body.contains("assert");
            if is_long && tokens(&body).iter().filter(|token| token.trim() != "").count() >= 110 {
                let own = runs(&body);
                if known.iter().all(|known| likeness(known, &own) < 0.15) {
                    known.push(own);
                    functions.push(body + "\n");
                }
                if functions.len() == 60 {
                    return functions;
                }
            }
        }
    }
    functions
}

/// Another layout, with comments.
fn laid_out(text: &str) -> String {
    text.replace(";\n", "; // so it is\n\n").replace("{\n", "{\n\n    /* begins */\n")
}

/// Every name another one, each time the same, and every number another one.
fn renamed(text: &str) -> String {
    let rename = |token: String| match () {
        () if is_name(&token) => format!("{token}_of_the_copy"),
        () if token.starts_with(|first: char| first.is_ascii_digit()) => format!("{token}7"),
        () => token,
    };
    tokens(text).into_iter().map(rename).collect()
}

/// One token in twelve is another one, is gone, or has one before it.
fn edited(text: &str, chance: &mut Chance) -> String {
    let edit = |token: String| {
        if token.trim().is_empty() || chance.random_range(0..12) != 0 {
            return token;
        }
        match chance.random_range(0..3) {
            0 if is_name(&token) => "73".to_owned(),
            0 => " edited ".to_owned(),
            1 => " ".to_owned(),
            _ => format!(" added {token}"),
        }
    };
    tokens(text).into_iter().map(edit).collect()
}

/// How many of the originals are found with their copy, and how many of the pairs that were found are such. The copies
/// stand in another order, so that each is one by itself.
fn found(originals: &[String], copies: &[String]) -> (f64, f64) {
    let mut corpus = Corpus::default();
    let count = originals.len();
    // A step that shares no factor with the count visits each once.
    let step = (count / 2 + 1..)
        .find(|step| (2..=*step).all(|by| step % by != 0 || !count.is_multiple_of(by)))
        .unwrap();
    let shuffled: Vec<usize> = (0..count).map(|number| number * step % count).collect();
    let texts: [Vec<&String>; 2] =
        [originals.iter().collect(), shuffled.iter().map(|number| &copies[*number]).collect()];
    let mut starts = Vec::new();
    for texts in &texts {
        let mut text = String::new();
        let mut lines = Vec::new();
        for one in texts {
            lines.push(text.matches('\n').count() as u32 + 1);
            text.push_str(one);
        }
        corpus.add(Language::Rust, text.as_bytes());
        starts.push(lines);
    }
    let pairs = corpus.pairs(Options::default(), None, || true);
    let of = |place: (u32, u32, u32)| {
        let (first, last) = corpus.lines(place);
        let middle = first.midpoint(last);
        let number = starts[place.0 as usize].partition_point(|start| *start <= middle) - 1;
        if place.0 == 0 { number } else { shuffled[number] }
    };
    let across = |pair: &&Pair| pair.one.0 != pair.other.0;
    let across: Vec<(usize, usize)> =
        pairs.iter().filter(across).map(|pair| (of(pair.one), of(pair.other))).collect();
    let right = across.iter().filter(|(one, other)| one == other).count();
    let hit = (0..count).filter(|number| across.contains(&(*number, *number))).count();
    (hit as f64 / count as f64, right as f64 / across.len().max(1) as f64)
}

#[test]
fn copies_of_each_type_are_found_and_little_else() {
    let originals = functions();
    assert!(originals.len() >= 40, "{} functions", originals.len());
    let exact: Vec<String> = originals.iter().map(|text| laid_out(text)).collect();
    let names: Vec<String> = originals.iter().map(|text| renamed(text)).collect();
    for (what, copies) in [("exact", exact), ("renamed", names)] {
        let (recall, precision) = found(&originals, &copies);
        println!("{what}: recall {recall:.3}, precision {precision:.3}");
        assert!(recall >= 0.95 && precision >= 0.95, "{what}: recall {recall:.3}, precision {precision:.3}");
    }
    let mut chance = Chance::seed_from_u64(11);
    let edits: Vec<String> = originals.iter().map(|text| edited(text, &mut chance)).collect();
    let (recall, precision) = found(&originals, &edits);
    println!("edited: recall {recall:.3}, precision {precision:.3}");
    // Edits in one token of ten leave short functions no run of tokens that is long enough for a fingerprint.
    assert!(recall >= 0.60 && precision >= 0.95, "edited: recall {recall:.3}, precision {precision:.3}");
}
