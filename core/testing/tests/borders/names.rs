//! `core/` names no server, and servers do not name each other: neither in their sources nor in their manifests. The
//! exceptions are listed, each with its reason.

use std::path::{Path, PathBuf};

use crate::{files, is_of, repository, servers};

/// Servers whose library another one uses, without its server: the one that uses, the one that is used, and the files
/// that may name it.
const USED: [(&str, &str, &[&str]); 1] = [
    // What a suggested command would do is said by the code that says it everywhere; a second analysis of shell
    // commands would differ from it one day.
    ("devops", "bash_god", &["Cargo.toml", "src/remedies.rs"]),
];

/// Whether a file of a server may name another server.
fn may_name(server: &Path, other: &Path, file: &Path) -> bool {
    USED.iter().any(|(user, used, files)| {
        server.ends_with(user) && other.ends_with(used) && files.iter().any(|name| server.join(name) == file)
    })
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
    let servers = repository().join("servers");
    for (user, used, files) in USED {
        let found = naming(&servers.join(user), &servers.join(used));
        let listed: Vec<PathBuf> = files.iter().map(|name| servers.join(user).join(name)).collect();
        assert_eq!(found, listed, "{user} and {used}");
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
