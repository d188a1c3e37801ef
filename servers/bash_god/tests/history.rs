//! A history across processes: what was confirmed survives a kill, what is foreign is kept aside.
#![expect(clippy::unwrap_used, reason = "this is a test: a panic is how it fails")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use bash_god::history::{Feedback, Forget, History, HistoryError, Limits, NewRecord, Opened, Query};

const FOLDER: &str = "BASH_GOD_TEST_HISTORY";

fn open(folder: &Path) -> History {
    let Opened { history, notice } = History::open(folder, Limits::default()).unwrap();
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
    open(folder.path()).export(&mut exported).unwrap();
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
    history.import(&mut import.as_bytes()).unwrap();
    drop(history);
    for secret in ["tok3n-value", "h1dden-value", "s3cret-value", "imp0rted-value"] {
        assert!(!holds(folder.path(), secret), "{secret}");
    }
    assert!(holds(folder.path(), "curl -u me:***"), "the search finds what is there");
}

/// Whether any file of a folder holds a text.
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
    assert!(matches!(history.forget(&Forget::One(id)), Err(HistoryError::Unknown(_))));
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
fn the_oldest_go_where_the_limits_are_reached() {
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits { records: 10, bytes: 100_000 };
    let history = History::open(folder.path(), limits).unwrap().history;
    for number in 0..25 {
        history.append(record(number, &format!("echo {number}"))).unwrap();
    }
    assert_eq!(all(&history).len(), 10);
    assert_eq!(all(&history)[9], "echo 15");
    drop(history);
    let history = History::open(folder.path(), Limits { records: 100, bytes: 1_000 }).unwrap().history;
    history.append(record(1, &format!("echo {}", "x".repeat(600)))).unwrap();
    let stats = history.stats().unwrap();
    assert!(stats.bytes <= 1_000 && stats.records < 10, "{stats:?}");
    let error = history.append(record(1, &format!("echo {}", "x".repeat(2_000)))).unwrap_err();
    assert!(error.to_string().contains("larger than the whole history"), "{error}");
    assert_eq!(history.stats().unwrap(), stats, "a refused record changes nothing");
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
    assert_eq!(from.export(&mut exported).unwrap(), 2);
    assert_eq!(to.import(&mut exported.as_slice()).unwrap(), 2);
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
            "line 3 of the import is no record: missing field `at_ms`",
        ),
        (format!("{good}{{\"at_ms\":1,\"command\":\"\"}}\n"), "line 3 of the import cannot be kept"),
        (format!("{good}{{\"at_ms\":1,\"command\":\"x\",\"run\":1}}\n"), "unknown field `run`"),
    ] {
        let error = history.import(&mut text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(expected) && error.ends_with("nothing was imported"), "{error}");
        assert_eq!(history.stats().unwrap().records, 0);
    }
}

#[test]
fn a_second_process_is_told_that_the_file_is_in_use() {
    let folder = tempfile::tempdir().unwrap();
    let history = open(folder.path());
    history.append(record(1, "ls")).unwrap();
    let error = History::open(folder.path(), Limits::default()).unwrap_err();
    assert!(error.to_string().contains("is in use by another process"), "{error}");
    assert_eq!(all(&history), ["ls"]);
}

#[test]
fn a_folder_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = History::open(&file.join("state"), Limits::default()).unwrap_err().to_string();
    assert!(error.contains("cannot be used: ") && error.contains("Not a directory"), "{error}");
}

#[test]
fn a_damaged_file_is_kept_aside_with_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.redb");
    let history = open(folder.path());
    for number in 0..300 {
        history.append(record(number, &format!("echo {number}"))).unwrap();
    }
    drop(history);
    let sound = fs::read(&path).unwrap();
    let at = sound.windows(8).position(|window| window == b"echo 123").unwrap();
    let mut flipped = sound.clone();
    flipped[at + 5] ^= 1;
    let damaged = [
        b"not a history".to_vec(),
        sound[..sound.len() / 2].to_vec(),
        sound[..100].to_vec(),
        flipped,
        vec![0; 8_192],
    ];
    for (number, bytes) in damaged.into_iter().enumerate() {
        fs::write(&path, &bytes).unwrap();
        let Opened { history, notice } = History::open(folder.path(), Limits::default()).unwrap();
        let kept = folder.path().join(format!("history.redb.kept-{}", number + 1));
        let notice = notice.unwrap_or_else(|| panic!("damage {number} was not noticed"));
        assert!(notice.contains("is damaged") && notice.contains(kept.to_str().unwrap()), "{notice}");
        assert_eq!(fs::metadata(&kept).unwrap().len(), bytes.len() as u64, "nothing is thrown away");
        assert!(all(&history).is_empty());
        history.append(record(1, "ls")).unwrap();
    }
}

#[test]
fn another_version_is_kept_aside_with_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.redb");
    drop(open(folder.path()));
    let numbers: redb::TableDefinition<'_, &str, u64> = redb::TableDefinition::new("numbers");
    let database = redb::Database::open(&path).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.open_table(numbers).unwrap().insert("schema", 7).unwrap();
    transaction.commit().unwrap();
    drop(database);
    let notice = History::open(folder.path(), Limits::default()).unwrap().notice.unwrap();
    assert!(notice.contains("has version 7, this program reads version 1; it was kept as "), "{notice}");
    assert!(folder.path().join("history.redb.kept-1").exists());
}

#[test]
fn only_the_owner_can_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    let mode = fs::metadata(folder.path().join("history.redb")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

/// Appends and forgets without end, and says each number once it is confirmed. Does nothing unless a test
/// below starts it as a process of its own.
#[test]
fn writer() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let history = open(Path::new(&folder));
    let mut out = std::io::stdout().lock();
    for number in 0.. {
        let id = history.append(record(number, &format!("echo {number} {}", "x".repeat(500)))).unwrap();
        writeln!(out, "id {id}").unwrap();
        if number % 50 == 49 {
            history.forget(&Forget::Containing(format!("echo {} ", number - 1))).unwrap();
            writeln!(out, "forgot {}", id - 1).unwrap();
        }
        out.flush().unwrap();
    }
}

fn spawn_writer(folder: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "writer", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn a_kill_in_the_middle_of_writing_loses_nothing_that_was_confirmed() {
    let folder = tempfile::tempdir().unwrap();
    let (mut confirmed, mut forgotten) = (Vec::new(), Vec::new());
    // Each round ends at another place of a write.
    for round in 0..6_usize {
        let mut child = spawn_writer(folder.path());
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut read = |line: std::io::Result<String>| {
            let line = line.unwrap();
            let number = |rest: &str| rest.parse::<u64>().unwrap();
            match line.split_once(' ') {
                Some(("id", rest)) => confirmed.push(number(rest)),
                Some(("forgot", rest)) => forgotten.push(number(rest)),
                _ => {}
            }
        };
        lines.by_ref().take(30 + round * 17).for_each(&mut read);
        child.kill().unwrap();
        child.wait().unwrap();
        lines.for_each(&mut read);
        let history = open(folder.path());
        let kept: Vec<u64> = history
            .query(&Query { limit: usize::MAX, ..Query::default() })
            .unwrap()
            .iter()
            .map(|r| r.id)
            .collect();
        let lost: Vec<&u64> =
            confirmed.iter().filter(|id| !forgotten.contains(id) && !kept.contains(id)).collect();
        // One forget may have been done but not yet said.
        assert!(lost.len() <= 1, "round {round}: {lost:?}");
        assert!(forgotten.iter().all(|id| !kept.contains(id)), "round {round}: what was forgotten came back");
        assert!(kept.len() as u64 == history.stats().unwrap().records);
        assert!(history.append(record(0, "ls")).unwrap() > *confirmed.last().unwrap());
    }
    assert!(confirmed.len() > 200);
}
