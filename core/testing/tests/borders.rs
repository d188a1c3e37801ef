//! What stands between `core/` and the servers: who may name whom, and how little of a server is not its domain.
#![expect(clippy::unwrap_used, reason = "this is a test: a panic is how it fails")]

#[path = "borders/glue.rs"]
mod glue;
#[path = "borders/names.rs"]
mod names;

use std::path::{Path, PathBuf};

/// The root of the repository.
fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

/// The directories of the servers, by name.
fn servers(repository: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(repository.join("servers")).unwrap();
    let mut found: Vec<PathBuf> =
        entries.map(|entry| entry.unwrap().path()).filter(|path| path.join("Cargo.toml").exists()).collect();
    found.sort();
    found
}

/// All files below a directory that are text of this repository: no links, nothing that was built.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut waiting = vec![directory.to_owned()];
    while let Some(path) = waiting.pop() {
        let metadata = path.symlink_metadata().unwrap();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if metadata.is_dir() && !["target", "__pycache__", ".pytest_cache"].contains(&&*name) {
            waiting.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if metadata.is_file() {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn is_of(path: &Path, kinds: &[&str]) -> bool {
    path.extension().is_some_and(|kind| kinds.iter().any(|known| kind == *known))
}
