//! What the code map says about who names whom.

#![expect(clippy::unwrap_used, reason = "this is a test: a panic is how it fails")]

use std::path::{Path, PathBuf};

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn only_the_folder_serve_names_the_protocol_library() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&source, &mut files);
    let (inside, outside): (Vec<_>, Vec<_>) =
        files.into_iter().partition(|file| file.starts_with(source.join("serve")));
    let names = |file: &PathBuf| std::fs::read_to_string(file).unwrap().contains("rmcp");
    // A misspelt name would look like one that is not there.
    assert!(inside.iter().any(names));
    let named: Vec<_> = outside.iter().filter(|file| names(file)).collect();
    assert!(named.is_empty(), "{named:?}");
}
