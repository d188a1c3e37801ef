//! Between the directories arrows point one way: `core` and `servers` name nothing of `harness` but the subject
//! library, the reader of JSON Schema and what a program says of itself, and `harness` names nothing of theirs, neither
//! as a dependency nor in its files.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::dependencies::workspace;

/// The packages of `harness` that the others may name, because they are published on their own and name neither side:
/// what makes an executable a subject, the one definition of JSON Schema that servers and the load tester share, and what
/// every program says of itself.
const SHARED: [&str; 3] = ["perflab-subject", "mcp-schema", "perflab-program"];

/// What lies in `harness` and names what it measures, because that is what it is for: data of this repository. No
/// package holds it, and the lab knows none of it. The paths are in people's fingers and in the commands of records.
const DATA: [&str; 2] = ["harness/suites", "harness/peers"];

/// The tests that say what must not be named have to name it.
const THESE_TESTS: &str = "harness/tests/boundaries";

/// A member of the workspace.
struct Member {
    name: String,
    /// Its directory below the workspace.
    directory: PathBuf,
    /// Names of its libraries and programs.
    products: BTreeSet<String>,
    /// What its manifest names, for tests and benches too.
    needs: BTreeSet<String>,
}

fn members() -> Vec<Member> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--format-version", "1", "--no-deps"]).current_dir(workspace());
    let output = cargo.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().iter().map(member).collect()
}

fn member(package: &Value) -> Member {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let list = |key: &str| package[key].as_array().expect("a list").iter();
    let made = |target: &&Value| {
        let kinds = target["kind"].as_array().expect("kinds");
        kinds.iter().any(|kind| ["lib", "cdylib", "rlib", "bin"].contains(&kind.as_str().unwrap_or("")))
    };
    let manifest = PathBuf::from(text(&package["manifest_path"]));
    let directory = manifest.parent().unwrap().strip_prefix(workspace().canonicalize().unwrap());
    Member {
        name: text(&package["name"]),
        directory: directory.expect("a directory of the workspace").to_owned(),
        products: list("targets").filter(made).map(|target| text(&target["name"])).collect(),
        needs: list("dependencies").map(|dependency| text(&dependency["name"])).collect(),
    }
}

/// The dependencies between members that point the wrong way.
fn wrong_needs(members: &[Member]) -> Vec<String> {
    let in_harness = |member: &Member| member.directory.starts_with("harness");
    let mut wrong = Vec::new();
    for member in members {
        for other in members.iter().filter(|other| member.needs.contains(&other.name)) {
            if in_harness(member) != in_harness(other) && !SHARED.contains(&other.name.as_str()) {
                wrong.push(format!("{} ({}) names {}", member.name, member.directory.display(), other.name));
            }
        }
    }
    wrong
}

/// The names that `harness` may not hold: packages, libraries and programs of the other directories.
fn foreign_names(members: &[Member]) -> BTreeSet<String> {
    let foreign = members.iter().filter(|member| !member.directory.starts_with("harness"));
    let names = foreign.flat_map(|member| member.products.iter().chain([&member.name]));
    names.flat_map(|name| [name.replace('-', "_"), name.replace('_', "-")]).collect()
}

/// The files below a directory but for the data, as paths below the workspace.
fn files(directory: &Path, found: &mut Vec<PathBuf>) {
    let root = workspace();
    for entry in fs::read_dir(root.join(directory)).unwrap() {
        let path = directory.join(entry.unwrap().file_name());
        if DATA.iter().chain([&THESE_TESTS]).any(|data| path.starts_with(data)) {
            continue;
        }
        if root.join(&path).is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// The names that stand in a text as words of their own.
fn named<'a>(text: &str, names: &'a BTreeSet<String>) -> Vec<&'a str> {
    let of_a_word = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let is_word = |name: &&String| {
        text.match_indices(name.as_str()).any(|(at, _)| {
            !text[..at].ends_with(of_a_word) && !text[at + name.len()..].starts_with(of_a_word)
        })
    };
    names.iter().filter(is_word).map(String::as_str).collect()
}

#[test]
fn dependencies_point_one_way() {
    let members = members();
    for directory in ["core", "servers", "harness"] {
        assert!(members.iter().any(|member| member.directory.starts_with(directory)), "{directory}");
    }
    let wrong = wrong_needs(&members);
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn no_file_of_the_lab_names_what_it_measures() {
    let names = foreign_names(&members());
    let mut found = Vec::new();
    files(Path::new("harness"), &mut found);
    assert!(found.iter().any(|file| file.ends_with("ffi_subject.py")), "{found:?}");
    let mut wrong = Vec::new();
    for file in &found {
        // Fonts are not text.
        let Ok(text) = fs::read_to_string(workspace().join(file)) else { continue };
        for name in named(&text, &names) {
            wrong.push(format!("{} names {name}", file.display()));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn no_source_of_core_or_the_servers_reads_a_file_of_the_lab() {
    let mut wrong = Vec::new();
    for directory in ["core", "servers"] {
        let mut found = Vec::new();
        files(Path::new(directory), &mut found);
        let is_source = |file: &&PathBuf| file.extension().is_some_and(|kind| kind == "rs" || kind == "toml");
        for file in found.iter().filter(is_source) {
            let text = fs::read_to_string(workspace().join(file)).unwrap();
            // The protocol is for subjects in every place and language.
            let names = |line: &&str| line.replace("harness/PROTOCOL.md", "").contains("harness/");
            wrong.extend(
                text.lines().filter(names).map(|line| format!("{}: {}", file.display(), line.trim())),
            );
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn a_wrong_arrow_is_seen() {
    let member = |name: &str, directory: &str, needs: &[&str]| Member {
        name: name.to_owned(),
        directory: directory.into(),
        products: BTreeSet::new(),
        needs: needs.iter().map(|&need| need.to_owned()).collect(),
    };
    let members = [
        member("lab", "harness", &["loops", "serde", SHARED[0]]),
        member(SHARED[0], "harness/subject", &[]),
        member("loops", "core/loops", &[SHARED[0], "store"]),
        member("store", "core/store", &["lab"]),
    ];
    assert_eq!(wrong_needs(&members), ["lab (harness) names loops", "store (core/store) names lab"]);
    assert!(foreign_names(&members).contains("loops") && !foreign_names(&members).contains("lab"));
}

#[test]
fn a_name_is_a_word_of_its_own() {
    let names = BTreeSet::from(["mcp-core".to_owned(), "mcp_core".to_owned()]);
    assert_eq!(named("package = \"mcp-core\" uses mcp_core::x", &names), ["mcp-core", "mcp_core"]);
    assert_eq!(named("mcp-core-python, tests/mcp_core_x and the xmcp-core", &names), [""; 0]);
}
