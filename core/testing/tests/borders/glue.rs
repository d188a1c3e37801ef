//! The glue of a server is small: what is not its domain is shared.

use std::path::{Path, PathBuf};

use crate::{files, is_of, repository, servers};

/// The most lines of a server that are not its domain.
const MOST_LINES: usize = 300;

/// What is glue in a server, beside its Python package: the program, options with `doctor` and the faces, the tests of
/// the protocol, the subject.
const GLUE: [&str; 5] =
    ["src/main.rs", "src/server.rs", "tests/protocol.rs", "workloads/Cargo.toml", "workloads/src/main.rs"];

/// The files of a server that are glue, with their lines. What a package shares with the others by a link is not
/// counted, and neither are tests of what its tools do.
fn glue(server: &Path) -> Vec<(PathBuf, usize)> {
    let is_domain = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("test_") || !is_of(path, &["rs", "toml", "py", "pyi"])
    };
    let python = server.join("python");
    let package = if python.is_dir() { files(&python) } else { Vec::new() };
    GLUE.iter()
        .map(|name| server.join(name))
        .filter(|path| path.exists())
        .chain(package.into_iter().filter(|path| !is_domain(path)))
        .map(|path| {
            let lines = std::fs::read_to_string(&path).unwrap().lines().count();
            (path, lines)
        })
        .collect()
}

#[test]
fn a_server_has_little_glue() {
    for server in servers(&repository()) {
        let glue = glue(&server);
        let all: usize = glue.iter().map(|(_, lines)| lines).sum();
        let list: Vec<String> =
            glue.iter().map(|(path, lines)| format!("{lines:5} {}", path.display())).collect();
        assert!(all <= MOST_LINES, "{all} lines are glue, {MOST_LINES} at most:\n{}", list.join("\n"));
        // A file that was renamed would not be counted any more.
        let missing: Vec<&str> =
            GLUE[..3].iter().copied().filter(|name| !server.join(name).exists()).collect();
        assert!(missing.is_empty(), "{} has no {missing:?}", server.display());
    }
}

#[test]
fn each_part_of_the_glue_is_counted() {
    let server = tempfile::tempdir().unwrap();
    let write = |name: &str, lines: usize| {
        let path = server.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "line\n".repeat(lines)).unwrap();
    };
    for (name, lines) in [
        ("src/main.rs", 1),
        ("src/server.rs", 10),
        ("src/domain.rs", 1_000),
        ("tests/protocol.rs", 100),
        ("python/pyproject.toml", 20),
        ("python/python/x/__init__.py", 3),
        ("python/tests/conftest.py", 4),
        ("python/tests/test_x.py", 1_000),
        ("python/python/x/py.typed", 1_000),
    ] {
        write(name, lines);
    }
    std::os::unix::fs::symlink("__init__.py", server.path().join("python/python/x/_types.py")).unwrap();
    assert_eq!(glue(server.path()).iter().map(|(_, lines)| lines).sum::<usize>(), 138);
}
