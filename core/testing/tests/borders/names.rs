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

/// The files below a directory that name a server.
fn naming(directory: &Path, server: &Path) -> Vec<PathBuf> {
    let names = names(server);
    let is_naming = |path: &PathBuf| {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        names.iter().any(|name| text.contains(name.as_str()))
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
