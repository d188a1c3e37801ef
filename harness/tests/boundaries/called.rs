//! One place knows how the program is called: a sentence that names it otherwise is wrong for half of its readers.

use std::fs;
use std::path::{Path, PathBuf};

use perflab::called::{IN_REPOSITORY, INSTALLED};

use crate::modules::harness;

/// Where the names stand.
const PLACE: &str = "host/src/called.rs";

fn sources(path: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            sources(&entry, found);
        } else if entry.extension().is_some_and(|kind| kind == "rs") {
            found.push(entry);
        }
    }
}

/// The verbs, as the page that is made of `--help` has them.
fn verbs() -> Vec<String> {
    let page = fs::read_to_string(harness().join("../docs/src/reference/verbs.md")).unwrap();
    let heads = page.lines().filter_map(|line| line.strip_prefix("## `")?.strip_suffix('`'));
    heads
        .filter_map(|head| head.strip_prefix(INSTALLED))
        .map(|verb| verb.trim().to_owned())
        .filter(|verb| !verb.is_empty())
        .collect()
}

/// The lines of a text that name the program: by the alias anywhere, or before a verb in code that is not a comment.
fn named<'a>(text: &'a str, verbs: &[String]) -> Vec<&'a str> {
    let program = format!("{INSTALLED} ");
    let by_verb = |line: &str| {
        let mut rest = line.split(&program).skip(1);
        !line.trim_start().starts_with("//")
            && rest.any(|rest| {
                let word: String = rest.chars().take_while(|c| c.is_alphanumeric()).collect();
                // Behind a verb that begins a title stands a colon.
                let is_title = rest[word.len()..].starts_with(':');
                (verbs.contains(&word) && !is_title) || rest.starts_with("{verb}")
            })
    };
    let release = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    text.lines()
        .filter(|line| line.contains(IN_REPOSITORY))
        .chain(release.lines().filter(|line| by_verb(line)))
        .collect()
}

#[test]
fn no_other_place_names_the_program() {
    let verbs = verbs();
    assert!(verbs.contains(&"gate".to_owned()) && verbs.contains(&"mcp".to_owned()), "{verbs:?}");
    let mut files = Vec::new();
    for directory in ["src", "host/src", "load/src"] {
        sources(&harness().join(directory), &mut files);
    }
    let place = harness().join(PLACE);
    assert!(files.contains(&place) && files.len() > 200, "{}", files.len());
    let helps_tests = |path: &Path| path.ends_with("tests.rs") || path.ends_with("fixture.rs");
    files.retain(|path| *path != place && !helps_tests(path));
    let mut found = Vec::new();
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        let lines =
            named(&text, &verbs).into_iter().map(|line| format!("{}: {}", path.display(), line.trim()));
        found.extend(lines);
    }
    assert!(found.is_empty(), "write crate::called::program():\n{}", found.join("\n"));
}

#[test]
fn names_are_seen_in_code_and_not_in_comments_or_tests() {
    let verbs = ["gate".to_owned()];
    let text = "/// perflab gate\nlet a = \"perflab gate\";\nlet b = \"perflab gates\";\n\n\
                #[cfg(test)]\nmod tests {\n    \"perflab gate\"\n}\n";
    assert_eq!(named(text, &verbs), ["let a = \"perflab gate\";"]);
    assert_eq!(named(&format!("// {IN_REPOSITORY} x\n"), &verbs).len(), 1);
}
