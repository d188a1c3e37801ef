//! `core/` names no server, and servers do not name each other: neither in their sources nor in their manifests. The
//! exceptions are listed, each with its reason.

use std::path::{Path, PathBuf};

use crate::{files, is_of, repository, servers};

/// A server whose library another one uses, and the files that may name it; `servers/uses.txt` has them with the reasons.
struct Use {
    user: PathBuf,
    used: PathBuf,
    files: Vec<PathBuf>,
}

fn uses(servers: &Path) -> Vec<Use> {
    let text = std::fs::read_to_string(servers.join("uses.txt")).unwrap();
    let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let user = servers.join(words[0]);
            let files = words[2..].iter().map(|name| user.join(name)).collect();
            Use { used: servers.join(words[1]), files, user }
        })
        .collect()
}

/// How a server may be named: by its directory, or by its package.
fn names(server: &Path) -> [String; 2] {
    let directory = server.file_name().unwrap().to_string_lossy().into_owned();
    let package = directory.replace('_', "-");
    [directory, package]
}

/// Whether a text names a server. A name that is one word of English is none in a sentence: it has to stand where code
/// names a package, a module, a program or a directory.
fn is_named(text: &str, name: &str) -> bool {
    if name.contains(['_', '-']) {
        return text.contains(name);
    }
    let is_of_a_word = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    text.match_indices(name).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + name.len()..]);
        let begins = !before.ends_with(is_of_a_word);
        let code =
            ["::", " = {", ".workspace", ".path", "-mcp", "_mcp", "-workloads", "_workloads", "-python"];
        begins && code.iter().any(|code| after.starts_with(code))
            || before.ends_with("servers/") && !after.starts_with(is_of_a_word)
            || before.ends_with("../") && !after.starts_with(is_of_a_word)
    })
}

/// The files below a directory that name a server.
fn naming(directory: &Path, server: &Path) -> Vec<PathBuf> {
    let names = names(server);
    let is_naming = |path: &PathBuf| {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        names.iter().any(|name| is_named(&text, name))
    };
    files(directory)
        .into_iter()
        .filter(|path| is_of(path, &["rs", "toml", "py", "pyi"]))
        .filter(is_naming)
        .collect()
}

#[test]
fn what_is_shared_names_no_server() {
    let repository = repository();
    for server in servers(&repository) {
        let found = naming(&repository.join("core"), &server);
        assert!(found.is_empty(), "{found:?}");
        assert!(!naming(&server, &server).is_empty(), "the search finds nothing at all");
    }
}

#[test]
fn servers_do_not_name_each_other() {
    let uses = uses(&repository().join("servers"));
    let may_name = |server: &Path, other: &Path, file: &PathBuf| {
        uses.iter().any(|one| one.user == server && one.used == other && one.files.contains(file))
    };
    let servers = servers(&repository());
    for server in &servers {
        for other in servers.iter().filter(|other| *other != server) {
            let found = naming(server, other);
            let wrong: Vec<&PathBuf> = found.iter().filter(|file| !may_name(server, other, file)).collect();
            assert!(wrong.is_empty(), "{wrong:?}");
        }
    }
}

#[test]
fn what_is_listed_is_used() {
    for Use { user, used, files } in uses(&repository().join("servers")) {
        assert_eq!(naming(&user, &used), files, "{}", user.display());
    }
}

#[test]
fn a_name_is_found_in_sources_and_manifests() {
    let base = tempfile::tempdir().unwrap();
    let (one, other) = (base.path().join("one_server"), base.path().join("other"));
    for (path, text) in [
        ("src/lib.rs", "use one_server::x;"),
        ("Cargo.toml", "one-server = { path = \"../one_server\" }"),
        ("README.md", "one_server"),
        ("src/main.rs", "fn main() {}"),
    ] {
        let path = other.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    assert_eq!(naming(&other, &one), [other.join("Cargo.toml"), other.join("src/lib.rs")]);
}

#[test]
fn a_word_of_english_is_a_name_in_code_alone() {
    for text in ["use kind::x;", "kind = { path = \"../kind\" }", "run kind-mcp", "servers/kind"] {
        assert!(is_named(text, "kind"), "{text}");
    }
    for text in ["a new kind of report", "mod mankind;", "be kind: it is", "../kinds", "mankind::x"] {
        assert!(!is_named(text, "kind"), "{text}");
    }
}
