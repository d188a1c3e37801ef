//! The hits of `search` are ripgrep's, where it is installed.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use development::search::{Mode, Query, search};
use mcp_workspace::Root;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;

/// The program to compare with, of the version whose libraries these are; else why there is none.
fn ripgrep() -> Result<String, String> {
    let program = std::env::var("RIPGREP").unwrap_or_else(|_| "rg".to_owned());
    let output = Command::new(&program).arg("--version").output();
    let version = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    match version.unwrap_or_default().lines().next() {
        Some(line) if line.starts_with("ripgrep 15.") => Ok(program),
        Some(line) => Err(format!("{program} is {line}, not ripgrep 15")),
        None => Err(format!("{program} is not there; RIPGREP names another")),
    }
}

/// Each hit: file, line, text.
type Hits = BTreeSet<(String, u64, String)>;

fn theirs(program: &str, root: &Path, query: &Query) -> Option<Hits> {
    let mut command = Command::new(program);
    command.current_dir(root).args(["--no-config", "--json", "--no-messages"]);
    for (flag, is_set) in [
        ("--fixed-strings", query.mode == Mode::Text),
        ("--ignore-case", query.ignore_case),
        ("--word-regexp", query.word),
        ("--multiline", query.multiline),
        ("--hidden", query.hidden),
        ("--no-ignore", query.ignored),
    ] {
        if is_set {
            command.arg(flag);
        }
    }
    // The repository's own directory is never searched.
    command.args(["--glob", "!.git"]);
    if let Some(glob) = &query.glob {
        command.args(["--glob", glob]);
    }
    let output = command.arg("-e").arg(&query.pattern).arg("./").output().unwrap();
    if output.status.code() == Some(2) && output.stdout.is_empty() {
        return None;
    }
    let text = |value: &Value| match value["text"].as_str() {
        Some(text) => text.to_owned(),
        None => String::from_utf8_lossy(&base64(value["bytes"].as_str().unwrap())).into_owned(),
    };
    let mut hits = Hits::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        if event["type"] == "match" {
            let data = &event["data"];
            let path = text(&data["path"]).trim_start_matches("./").to_owned();
            let line = text(&data["lines"]);
            let line = line.strip_suffix('\n').unwrap_or(&line).trim_end_matches('\r').to_owned();
            hits.insert((path, data["line_number"].as_u64().unwrap(), line));
        }
    }
    Some(hits)
}

fn base64(text: &str) -> Vec<u8> {
    let value = |letter: u8| match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let mut out = Vec::new();
    for part in text.trim_end_matches('=').as_bytes().chunks(4) {
        let bits = part.iter().fold(0_u32, |bits, letter| bits << 6 | u32::from(value(*letter)))
            << (6 * (4 - part.len()));
        out.extend_from_slice(&bits.to_be_bytes()[1..part.len()]);
    }
    out
}

fn ours(root: &Path, query: &Query) -> Option<Hits> {
    let root = Root::open(root).unwrap();
    let query = Query { most_bytes: usize::MAX, most_lines: usize::MAX, ..query.clone() };
    let found = search(&root, &query, &|| false).ok()?;
    let of = |file: &development::search::FileHits| {
        file.lines.iter().map(|line| (file.path.clone(), line.number, line.text.clone())).collect::<Vec<_>>()
    };
    Some(found.files.iter().flat_map(of).collect())
}

/// A tree with all that makes ripgrep differ from grep.
fn tree() -> tempfile::TempDir {
    let base = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &[u8]| {
        let path = base.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    // What git keeps is never searched.
    write(".git/config", b"alpha one\nfn beta\n");
    write(".gitignore", b"ignored/\n*.log\n!keep.log\n");
    write(".ignore", b"also.txt\n");
    write("sub/.rgignore", b"third.rs\n");
    write(
        "a.rs",
        "fn alpha() {}\n// Ünïcode straße ΑΒΓ\nlet x = \"a\tb\";\n\n  fn beta(a: u8) -> u8 { a }\n"
            .as_bytes(),
    );
    write("b.txt", b"one\r\ntwo\r\nthree fn\r\n");
    write("latin.txt", b"caf\xe9 alpha\nna\xefve\n");
    write("utf16.txt", b"\xff\xfea\0l\0p\0h\0a\0\n\0b\0");
    write("bom.txt", b"\xef\xbb\xbfalpha first\nbeta\n");
    write("binary.bin", b"alpha\n\0\0alpha\n");
    let mut late = b"alpha\n".repeat(12_000);
    late.push(0);
    late.extend_from_slice(b"alpha\n");
    write("late.bin", &late);
    write("no_newline.txt", b"alpha at the end");
    write("empty.txt", b"");
    write("also.txt", b"alpha\n");
    write("x.log", b"alpha\n");
    write("keep.log", b"alpha\n");
    write("ignored/i.rs", b"alpha\n");
    write(".hidden/h.rs", b"alpha\n");
    write("sub/second.py", b"def alpha(self):\n    return alpha\n\nclass B: pass\n");
    write("sub/third.rs", b"alpha\n");
    write("sub/deep/c.ts", b"const alpha = (a: number) => a + 1;\nalpha(1);\nalphabet\n");
    std::os::unix::fs::symlink("a.rs", base.path().join("link.rs")).unwrap();
    base
}

fn pattern() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("alpha"),
        Just("beta"),
        Just("fn"),
        Just("a"),
        Just("ü"),
        Just("STRASSE"),
        Just("αβγ"),
        Just("é"),
        Just("one"),
        Just("self"),
        Just("caf"),
    ];
    let piece = prop_oneof![
        6 => word.prop_map(str::to_owned),
        2 => prop_oneof![Just(r"\w+"), Just(r"\s"), Just("."), Just("[a-z]"), Just("[^a-z]"), Just(r"\d"), Just(r"\b"), Just(r"\p{Greek}"), Just("^"), Just("$"), Just(r"\n"), Just(r"\r")].prop_map(str::to_owned),
        1 => prop_oneof![Just("(a|b)"), Just("(?i)ALPHA"), Just("a*"), Just("b{1,2}"), Just("(?s)."), Just("(?-u)\\xe9"), Just(r"\("), Just("|"), Just("(")].prop_map(str::to_owned),
    ];
    proptest::collection::vec(piece, 1..4).prop_map(|pieces| pieces.concat())
}

fn query() -> impl Strategy<Value = Query> {
    let glob = proptest::option::weighted(
        0.3,
        prop_oneof![
            Just("*.rs"),
            Just("!*.txt"),
            Just("sub/**"),
            Just("*.{py,ts}"),
            Just("**/deep/*"),
            Just("!sub/")
        ],
    );
    (pattern(), any::<[bool; 6]>(), 0..8_u8, glob).prop_map(|(pattern, flags, chance, glob)| {
        let [text, ignore_case, word, multiline, hidden, ignored] = flags;
        Query {
            // Most queries have few flags.
            ignore_case: ignore_case && chance < 4,
            word: word && chance < 3,
            multiline: multiline && chance < 4,
            hidden: hidden && chance < 4,
            ignored: ignored && chance < 3,
            glob: glob.map(str::to_owned),
            ..Query::new(&pattern, if text && chance < 3 { Mode::Text } else { Mode::Regex })
        }
    })
}

/// `EQUALITY_CASES` and `EQUALITY_ROOT` choose a longer run over a tree that is there.
#[test]
fn hits_are_those_of_ripgrep() {
    let program = match ripgrep() {
        Ok(program) => program,
        Err(reason) => {
            println!("skipped: {reason}");
            return;
        }
    };
    let made = tree();
    let given = std::env::var("EQUALITY_ROOT").ok();
    let root = given.as_ref().map_or(made.path(), Path::new).canonicalize().unwrap();
    let cases = std::env::var("EQUALITY_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(100);
    let counts = std::cell::Cell::new((0, 0));
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(cases) });
    let result = runner.run(&query(), |query| {
        let (theirs, ours) = (theirs(&program, &root, &query), ours(&root, &query));
        prop_assert_eq!(theirs.is_some(), ours.is_some(), "one of both refuses {:?}", query.pattern);
        if let (Some(theirs), Some(ours)) = (theirs, ours) {
            let (queries, hits) = counts.get();
            counts.set((queries + 1, hits + theirs.len()));
            let missing: Vec<_> = theirs.difference(&ours).take(3).collect();
            let more: Vec<_> = ours.difference(&theirs).take(3).collect();
            prop_assert!(missing.is_empty() && more.is_empty(), "missing {missing:?}, more {more:?}");
        }
        Ok(())
    });
    result.unwrap();
    println!(
        "{} of {cases} patterns were accepted by both, {} hits compared",
        counts.get().0,
        counts.get().1
    );
    assert!(counts.get().1 > 0, "nothing was compared");
}
