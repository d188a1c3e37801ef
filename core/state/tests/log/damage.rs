//! Files that are torn, or that something else wrote.

use std::fs;

use mcp_state::redb::{Database, TableDefinition};
use mcp_state::{Limits, Log, Opened, Record, Schema};
use serde::{Deserialize, Serialize};

use crate::{LIMITS, Note, note, open, texts};

#[test]
fn a_directory_that_cannot_be_used_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    let error = Log::<Note>::open(&file.join("state"), LIMITS).unwrap_err().to_string();
    assert!(error.contains("cannot be used: ") && error.contains("Not a directory"), "{error}");
}

#[test]
fn a_damaged_file_is_kept_aside_with_a_sentence() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notes.redb");
    let log = open(directory.path());
    for number in 0..300 {
        log.append(note(number, &format!("note {number}"))).unwrap();
    }
    drop(log);
    let sound = fs::read(&path).unwrap();
    let at = sound.windows(8).position(|window| window == b"note 123").unwrap();
    let mut flipped = sound.clone();
    flipped[at + 5] ^= 1;
    let damaged = [
        b"no notes".to_vec(),
        sound[..sound.len() / 2].to_vec(),
        sound[..100].to_vec(),
        flipped,
        vec![0; 8_192],
    ];
    for (number, bytes) in damaged.into_iter().enumerate() {
        fs::write(&path, &bytes).unwrap();
        // Who only reads moves nothing and begins nothing.
        let error = Log::<Note>::open_existing(directory.path(), LIMITS).unwrap_err().to_string();
        assert!(error.contains("is damaged"), "{error}");
        let Opened { state: log, notice } = Log::<Note>::open(directory.path(), LIMITS).unwrap();
        let kept = directory.path().join(format!("notes.redb.kept-{}", number + 1));
        let notice = notice.unwrap_or_else(|| panic!("damage {number} was not noticed"));
        assert!(notice.contains("is damaged") && notice.contains(kept.to_str().unwrap()), "{notice}");
        assert_eq!(fs::metadata(&kept).unwrap().len(), bytes.len() as u64, "nothing is thrown away");
        assert!(texts(&log).is_empty());
        log.append(note(1, "a")).unwrap();
    }
}

#[test]
fn what_is_not_there_is_not_begun_by_reading_it() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("none");
    let error = Log::<Note>::open_existing(&place, LIMITS).unwrap_err().to_string();
    assert!(error.contains("is not there"), "{error}");
    assert!(!place.exists());
    drop(open(&place));
    assert!(texts(&Log::open_existing(&place, LIMITS).unwrap()).is_empty());
}

#[test]
fn a_new_directory_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("new/state");
    drop(open(&place));
    for made in [directory.path().join("new"), place] {
        assert_eq!(fs::metadata(&made).unwrap().permissions().mode() & 0o777, 0o700, "{}", made.display());
    }
}

#[test]
fn another_version_is_kept_aside_with_a_sentence() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notes.redb");
    drop(open(directory.path()));
    let numbers: TableDefinition<'_, &str, u64> = TableDefinition::new("numbers");
    let database = Database::open(&path).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.open_table(numbers).unwrap().insert("schema", 7).unwrap();
    transaction.commit().unwrap();
    drop(database);
    let notice = Log::<Note>::open(directory.path(), LIMITS).unwrap().notice.unwrap();
    assert!(notice.contains("has version 7, this program reads version 1; it was kept as "), "{notice}");
    assert!(directory.path().join("notes.redb.kept-1").exists());
}

/// Notes of another program, whose file has the same name.
#[derive(Deserialize, Serialize)]
struct Other {
    text: String,
}

impl Record for Other {
    const SCHEMA: Schema = Schema { name: "notes", format: "other notes", version: 1 };
}

#[test]
fn the_file_of_another_program_is_kept_aside_with_a_sentence() {
    let directory = tempfile::tempdir().unwrap();
    open(directory.path()).append(note(1, "a")).unwrap();
    let limits = Limits { records: 1, bytes: 100 };
    let notice = Log::<Other>::open(directory.path(), limits).unwrap().notice.unwrap();
    assert!(notice.contains("holds test notes, not other notes; it was kept as "), "{notice}");
}
