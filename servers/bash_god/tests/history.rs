//! A history: what is asked of it, masked and forgotten, and that the files and exports which users have are read. What
//! becomes of torn files and of processes that die is tested in `core/state`.
#![expect(clippy::unwrap_used, reason = "this is a test: a panic is how it fails")]

use std::fs;
use std::path::Path;

use bash_god::history::{Feedback, Forget, History, LIMITS, NewRecord, Query};
use mcp_state::{Opened, StateError};

fn open(folder: &Path) -> History {
    let Opened { state: history, notice } = History::open(folder, LIMITS).unwrap();
    assert_eq!(notice, None);
    history
}

fn record(at_ms: u64, command: &str) -> NewRecord {
    NewRecord { at_ms, command: command.to_owned(), ..NewRecord::default() }
}

fn all(history: &History) -> Vec<String> {
    let records = history.query(&Query { limit: usize::MAX, ..Query::default() }).unwrap();
    records.into_iter().map(|record| record.entry.command).collect()
}

#[test]
fn records_are_asked_for_by_words_time_and_page() {
    let folder = tempfile::tempdir().unwrap();
    let history = open(folder.path());
    for (at, command) in [(10, "ls -l"), (20, "Git status"), (30, "git log"), (40, "df -h")] {
        history.append(record(at, command)).unwrap();
    }
    let ask = |query: Query| -> Vec<String> {
        history.query(&query).unwrap().into_iter().map(|record| record.entry.command).collect()
    };
    let contains = Some("GIT".to_owned());
    assert_eq!(
        ask(Query { contains: contains.clone(), limit: 9, ..Query::default() }),
        ["git log", "Git status"]
    );
    assert_eq!(ask(Query { since_ms: Some(30), limit: 9, ..Query::default() }), ["df -h", "git log"]);
    assert_eq!(ask(Query { limit: 1, ..Query::default() }), ["df -h"]);
    let last = history.query(&Query { limit: 2, ..Query::default() }).unwrap()[1].id;
    assert_eq!(ask(Query { before: Some(last), limit: 9, ..Query::default() }), ["Git status", "ls -l"]);
    drop(history);
    assert_eq!(all(&open(folder.path())).len(), 4, "it is there the next time");
}

#[test]
fn feedback_is_kept_and_reaches_suggestions() {
    let folder = tempfile::tempdir().unwrap();
    let history = open(folder.path());
    let id = history.append(NewRecord { exit_code: Some(0), ..record(1, "ls") }).unwrap();
    assert_eq!(history.pasts().unwrap()[0].good, Some(true));
    history.feedback(id, Feedback::Bad).unwrap();
    assert_eq!(history.pasts().unwrap()[0].good, Some(false));
    let error = history.feedback(99, Feedback::Good).unwrap_err();
    assert_eq!(error.to_string(), "no record of the history has the number 99");
    let counted = history.stats().unwrap().bytes;
    drop(history);
    let mut exported = Vec::new();
    open(folder.path()).log().export(&mut exported).unwrap();
    let line = exported.split(|byte| *byte == b'\n').nth(1).unwrap();
    assert_eq!(counted, line.len() as u64, "the bytes are those of the record as it is now");
}

#[test]
fn secrets_never_reach_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let history = open(folder.path());
    history
        .append(NewRecord {
            task: "log in with token=tok3n-value".to_owned(),
            cwd: Some("/srv/password=h1dden-value".to_owned()),
            ..record(1, "curl -u me:s3cret-value https://example.org")
        })
        .unwrap();
    let import = "{\"format\":\"bash-god history\",\"version\":1}\n\
                  {\"at_ms\":1,\"command\":\"tool --password imp0rted-value\"}\n";
    history.log().import(&mut import.as_bytes()).unwrap();
    drop(history);
    for secret in ["tok3n-value", "h1dden-value", "s3cret-value", "imp0rted-value"] {
        assert!(!holds(folder.path(), secret), "{secret}");
    }
    assert!(holds(folder.path(), "curl -u me:***"), "the search finds what is there");
}

/// Whether any file of a directory holds a text.
fn holds(folder: &Path, text: &str) -> bool {
    fs::read_dir(folder).unwrap().any(|entry| {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    })
}

#[test]
fn what_is_forgotten_leaves_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let history = open(folder.path());
    for number in 0..200_u64 {
        history.append(record(number, &format!("echo private-{number:03}"))).unwrap();
    }
    let id = history
        .query(&Query { contains: Some("private-150".to_owned()), limit: 1, ..Query::default() })
        .unwrap()[0]
        .id;
    assert!(holds(folder.path(), "private-150"));
    assert_eq!(history.forget(&Forget::One(id)).unwrap(), 1);
    assert!(!holds(folder.path(), "private-150") && holds(folder.path(), "private-151"));
    assert!(matches!(history.forget(&Forget::One(id)), Err(StateError::Unknown { .. })));
    assert_eq!(history.forget(&Forget::Containing("PRIVATE-19".to_owned())).unwrap(), 10);
    assert_eq!(history.forget(&Forget::Before(100)).unwrap(), 100);
    assert_eq!(history.stats().unwrap().records, 89);
    // Numbers are not given twice.
    assert_eq!(history.append(record(1, "ls")).unwrap(), 200);
    assert_eq!(history.forget(&Forget::All).unwrap(), 90);
    assert!(!holds(folder.path(), "private-") && history.stats().unwrap().bytes == 0);
    drop(history);
    assert!(all(&open(folder.path())).is_empty());
}

#[test]
fn what_cannot_be_kept_is_refused_with_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let history = open(folder.path());
    for (command, expected) in [
        ("  ".to_owned(), "an empty command is not kept"),
        ("a\0b".to_owned(), "a command with a NUL is not kept"),
        ("x".repeat(20_000), "a command of more than 16384 bytes is not kept"),
    ] {
        assert_eq!(history.append(record(1, &command)).unwrap_err().to_string(), expected);
    }
    assert_eq!(history.stats().unwrap().records, 0);
}

#[test]
fn an_export_is_imported_as_it_was() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (from, to) = (open(one.path()), open(two.path()));
    let id = from.append(NewRecord { task: "list\nfiles".to_owned(), ..record(5, "ls 'ä b'") }).unwrap();
    from.feedback(id, Feedback::Good).unwrap();
    from.append(NewRecord { exit_code: Some(1), duration_ms: Some(7), ..record(6, "false") }).unwrap();
    let mut exported = Vec::new();
    assert_eq!(from.log().export(&mut exported).unwrap(), 2);
    assert_eq!(to.log().import(&mut exported.as_slice()).unwrap(), 2);
    let entries = |history: &History| -> Vec<NewRecord> {
        let records = history.query(&Query { limit: 9, ..Query::default() }).unwrap();
        records.into_iter().map(|record| record.entry).collect()
    };
    assert_eq!(entries(&from), entries(&to));
}

#[test]
fn an_import_is_taken_as_a_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let history = open(folder.path());
    let good = "{\"format\":\"bash-god history\",\"version\":1}\n{\"at_ms\":1,\"command\":\"ls\"}\n";
    for (text, expected) in [
        (String::new(), "line 1 of the import is missing: an export begins with its format"),
        ("ls\n".to_owned(), "line 1 of the import does not name the format"),
        (good.replace(":1}\n{", ":2}\n{"), "line 1 of the import names another format"),
        (
            format!("{good}{{\"command\":\"x\"}}\n"),
            "line 3 of the import is not a record: missing field `at_ms`",
        ),
        (format!("{good}{{\"at_ms\":1,\"command\":\"\"}}\n"), "line 3 of the import cannot be kept"),
        (format!("{good}{{\"at_ms\":1,\"command\":\"x\",\"run\":1}}\n"), "unknown field `run`"),
    ] {
        let error = history.log().import(&mut text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(expected) && error.ends_with("nothing was imported"), "{error}");
        assert_eq!(history.stats().unwrap().records, 0);
    }
}

/// What the first release kept, and what it exported of that.
const FIRST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/state/first.redb");
const FIRST_EXPORT: &str = include_str!("fixtures/state/first.jsonl");

#[test]
fn the_file_of_the_first_release_is_read_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(FIRST, folder.path().join("history.redb")).unwrap();
    let history = open(folder.path());
    let records = history.query(&Query { limit: 9, ..Query::default() }).unwrap();
    let ids: Vec<u64> = records.iter().map(|record| record.id).collect();
    assert_eq!(ids, [5, 4, 3, 1, 0], "the one with number 2 was forgotten");
    assert_eq!(records[3].entry.feedback, Some(Feedback::Bad));
    assert_eq!(records[2].entry.command, "curl -u me:*** https://example.org");
    let mut exported = Vec::new();
    history.log().export(&mut exported).unwrap();
    assert_eq!(String::from_utf8(exported).unwrap(), FIRST_EXPORT, "an export is the same to the byte");
    assert_eq!(history.append(record(1, "ls")).unwrap(), 6);
    assert_eq!(history.forget(&Forget::Containing("git".to_owned())).unwrap(), 1);
    drop(history);
    assert_eq!(all(&open(folder.path())).len(), 5);
}

#[test]
fn an_export_of_the_first_release_is_imported() {
    let folder = tempfile::tempdir().unwrap();
    let history = open(folder.path());
    assert_eq!(history.log().import(&mut FIRST_EXPORT.as_bytes()).unwrap(), 5);
    let mut exported = Vec::new();
    history.log().export(&mut exported).unwrap();
    assert_eq!(String::from_utf8(exported).unwrap(), FIRST_EXPORT);
}
