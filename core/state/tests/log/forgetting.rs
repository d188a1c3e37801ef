//! What is forgotten leaves the file.

use std::fs;
use std::path::Path;

use mcp_state::StateError;

use crate::{note, open, texts};

/// Whether any file of a directory holds a text.
fn holds(directory: &Path, text: &str) -> bool {
    fs::read_dir(directory).unwrap().any(|entry| {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    })
}

#[test]
fn what_is_forgotten_leaves_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let log = open(directory.path());
    for number in 0..200_u64 {
        log.append(note(number, &format!("private-{number:03}"))).unwrap();
    }
    assert!(holds(directory.path(), "private-150"));
    log.forget_one(150).unwrap();
    assert!(!holds(directory.path(), "private-150") && holds(directory.path(), "private-151"));
    assert!(matches!(log.forget_one(150), Err(StateError::Unknown { id: 150, .. })));
    assert_eq!(log.forget(|record| record.entry.text.contains("private-19")).unwrap(), 10);
    assert_eq!(log.forget(|record| record.entry.at < 100).unwrap(), 100);
    assert_eq!(log.stats().unwrap().records, 89);
    assert_eq!(log.append(note(1, "next")).unwrap(), 200, "numbers are not given twice");
    assert_eq!(log.forget(|_| true).unwrap(), 90);
    assert!(!holds(directory.path(), "private-") && log.stats().unwrap().bytes == 0);
    drop(log);
    assert!(texts(&open(directory.path())).is_empty());
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "no other file is left");
}

#[test]
fn forgetting_nothing_leaves_the_file_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let log = open(directory.path());
    log.append(note(1, "a")).unwrap();
    let before = fs::read(log_file(directory.path())).unwrap();
    assert_eq!(log.forget(|_| false).unwrap(), 0);
    assert!(before == fs::read(log_file(directory.path())).unwrap());
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn what_a_dead_process_left_of_a_new_file_is_in_nobodys_way() {
    let directory = tempfile::tempdir().unwrap();
    let log = open(directory.path());
    log.append(note(1, "a")).unwrap();
    log.append(note(2, "b")).unwrap();
    fs::write(directory.path().join("notes.redb.new"), "half a file").unwrap();
    log.forget_one(0).unwrap();
    assert_eq!(texts(&log), ["b"]);
}

fn log_file(directory: &Path) -> std::path::PathBuf {
    directory.join("notes.redb")
}
