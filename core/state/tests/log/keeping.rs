//! Keeping records, within bounds; exporting and importing them.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use mcp_state::{LONGEST_RECORD, Limits, Log, OnDemand, StateError};

use crate::{LIMITS, Note, note, open, texts};

#[test]
fn records_are_asked_for_by_what_they_say_and_by_page() {
    let directory = tempfile::tempdir().unwrap();
    let log = open(directory.path());
    for (at, text) in [(10, "a1"), (20, "b1"), (30, "b2"), (40, "a2")] {
        log.append(note(at, text)).unwrap();
    }
    let ask = |before, limit, letter: &str| -> Vec<String> {
        let found = log.newest(before, limit, |note| note.text.starts_with(letter)).unwrap();
        found.into_iter().map(|record| record.entry.text).collect()
    };
    assert_eq!(ask(None, 9, "b"), ["b2", "b1"]);
    assert_eq!(ask(None, 1, ""), ["a2"]);
    let last = log.newest(None, 2, |_| true).unwrap()[1].id;
    assert_eq!(ask(Some(last), 9, ""), ["b1", "a1"]);
    let all: Vec<u64> = log.all().unwrap().iter().map(|record| record.id).collect();
    assert_eq!(all, [0, 1, 2, 3], "oldest first");
    drop(log);
    assert_eq!(texts(&open(directory.path())).len(), 4, "it is there the next time");
}

#[test]
fn the_oldest_go_where_the_limits_are_reached() {
    let directory = tempfile::tempdir().unwrap();
    let log = Log::<Note>::open(directory.path(), Limits { records: 10, bytes: 100_000 }).unwrap().state;
    for number in 0..25 {
        log.append(note(number, &format!("note {number}"))).unwrap();
    }
    assert_eq!(texts(&log).len(), 10);
    assert_eq!(texts(&log)[9], "note 15");
    drop(log);
    let log = Log::<Note>::open(directory.path(), Limits { records: 100, bytes: 1_000 }).unwrap().state;
    log.append(note(1, &"x".repeat(700))).unwrap();
    let stats = log.stats().unwrap();
    assert!(stats.bytes <= 1_000 && stats.records < 10, "{stats:?}");
    let error = log.append(note(1, &"x".repeat(2_000))).unwrap_err();
    assert_eq!(error.to_string(), "the record is larger than the whole notes may be");
    assert_eq!(log.stats().unwrap(), stats, "a refused record changes nothing");
}

#[test]
fn what_cannot_be_kept_is_refused_with_a_sentence() {
    let directory = tempfile::tempdir().unwrap();
    let log = open(directory.path());
    assert_eq!(log.append(note(1, "")).unwrap_err().to_string(), "an empty note is not kept");
    let error = log.append(note(1, &"x".repeat(LONGEST_RECORD))).unwrap_err();
    assert!(error.to_string().contains("more than 262144 bytes"), "{error}");
    assert_eq!(log.stats().unwrap().records, 0);
}

#[test]
fn a_record_is_changed_in_its_place_and_counted_anew() {
    let directory = tempfile::tempdir().unwrap();
    let log = open(directory.path());
    let id = log.append(note(1, "long ago")).unwrap();
    log.append(note(2, "later")).unwrap();
    log.update(id, |note| note.text = "hush".to_owned()).unwrap();
    assert_eq!(texts(&log), ["later", "***"], "a change is checked as a new record is");
    assert!(log.update(id, |note| note.text.clear()).is_err());
    let error = log.update(99, |_| ()).unwrap_err();
    assert_eq!(error.to_string(), "no record of the notes has the number 99");
    let mut exported = Vec::new();
    log.export(&mut exported).unwrap();
    let lines: usize = exported.split(|byte| *byte == b'\n').skip(1).map(<[u8]>::len).sum();
    assert_eq!(
        log.stats().unwrap().bytes,
        lines as u64,
        "the bytes are those of the records as they are now"
    );
}

#[test]
fn an_export_is_imported_as_it_was() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (from, to) = (open(one.path()), open(two.path()));
    from.append(Note { mark: Some(true), ..note(5, "two\nlines ä") }).unwrap();
    from.append(note(6, "plain")).unwrap();
    let mut exported = Vec::new();
    assert_eq!(from.export(&mut exported).unwrap(), 2);
    let first = exported.split(|byte| *byte == b'\n').next().unwrap();
    assert_eq!(first, br#"{"format":"test notes","version":1}"#);
    assert_eq!(to.import(&mut exported.as_slice()).unwrap(), 2);
    assert_eq!(from.all().unwrap(), to.all().unwrap());
    to.import(&mut "{\"format\":\"test notes\",\"version\":1}\n{\"at\":1,\"text\":\"hush\"}".as_bytes())
        .unwrap();
    assert_eq!(texts(&to)[0], "***", "an import is checked as a new record is");
}

#[test]
fn an_import_is_taken_as_a_whole_or_not_at_all() {
    let directory = tempfile::tempdir().unwrap();
    let log = Log::<Note>::open(directory.path(), Limits { records: 2, ..LIMITS }).unwrap().state;
    let good = "{\"format\":\"test notes\",\"version\":1}\n{\"at\":1,\"text\":\"a\"}\n";
    let line = "{\"at\":1,\"text\":\"b\"}\n";
    for (text, expected) in [
        (String::new(), "line 1 of the import is missing: an export begins with its format"),
        ("a\n".to_owned(), "line 1 of the import does not name the format"),
        (good.replace(":1}\n{", ":2}\n{"), "line 1 of the import names another format"),
        (good.replace("test", "other"), "names another format than \"test notes\" version 1"),
        (format!("{good}{{\"text\":\"x\"}}\n"), "line 3 of the import is not a record: missing field `at`"),
        (format!("{good}{{\"at\":1,\"text\":\"\"}}\n"), "line 3 of the import cannot be kept: an empty note"),
        (format!("{good}{{\"at\":1,\"text\":\"x\",\"run\":1}}\n"), "unknown field `run`"),
        (format!("{good}{line}{line}"), "line 4 of the import is one more than the 2 records that are kept"),
        (format!("{good}\"{}\"\n", "x".repeat(LONGEST_RECORD)), "line 3 of the import is not a record"),
    ] {
        let error = log.import(&mut text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(expected) && error.ends_with("nothing was imported"), "{error}");
        assert_eq!(log.stats().unwrap().records, 0);
    }
}

#[test]
fn a_second_process_is_told_that_the_file_is_in_use() {
    let directory = tempfile::tempdir().unwrap();
    let log = open(directory.path());
    log.append(note(1, "a")).unwrap();
    let error = Log::<Note>::open(directory.path(), LIMITS).unwrap_err();
    assert!(matches!(error, StateError::InUse { .. }), "{error}");
    assert!(error.to_string().contains("notes.redb is in use by another process"), "{error}");
    assert_eq!(texts(&log), ["a"]);
    // Whoever waits for it gets it when it is free.
    let waiting = OnDemand::<Note>::new(Some(directory.path().to_owned()), LIMITS);
    assert!(waiting.get().unwrap_err().contains("in use"));
    drop(log);
    assert_eq!(texts(&waiting.get().unwrap()), ["a"]);
    assert!(OnDemand::<Note>::new(None, LIMITS).get().unwrap_err().contains("--state none"));
}

#[test]
fn only_the_owner_can_read_it() {
    let directory = tempfile::tempdir().unwrap();
    let log = open(directory.path());
    let mode = || fs::metadata(directory.path().join("notes.redb")).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(), 0o600);
    log.append(note(1, "a")).unwrap();
    log.forget(|_| true).unwrap();
    assert_eq!(mode(), 0o600, "also after it was replaced");
}
