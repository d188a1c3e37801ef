//! Records that are not as the lab wrote them.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::lab::{lab, stderr};

/// The stored record.
pub fn stored() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/record")
}

/// A copy of the stored record that a test may spoil.
fn copy() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["run.json", "raw.csv"] {
        fs::copy(stored().join(name), folder.path().join(name)).unwrap();
    }
    folder
}

/// What every verb that reads records says to one with a file edited.
fn said_to(name: &str, edit: impl Fn(&str) -> String) -> String {
    let folder = copy();
    let path = folder.path().join(name);
    fs::write(&path, edit(&fs::read_to_string(&path).unwrap())).unwrap();
    let shown = folder.path().to_str().unwrap();
    let said = stderr(&lab(2, &["analyse", shown]));
    for args in [&["report", shown][..], &["cmp", shown, shown], &["run", "--resume", shown]] {
        assert_eq!(stderr(&lab(2, args)), said, "{args:?}");
    }
    assert_eq!(said.lines().count(), 1, "one sentence: {said}");
    said.replace(shown, "RECORD")
}

#[test]
fn a_record_of_another_schema_names_who_wrote_it() {
    let said = said_to("run.json", |text| text.replacen("\"schema\": 1", "\"schema\": 99", 1));
    assert!(
        said.starts_with(
            "error: RECORD: run.json has schema 99, and this perflab reads 1 to 2: use the perflab that wrote it"
        ),
        "{said}"
    );
}

#[test]
fn a_record_without_a_schema_is_not_taken_for_an_old_one() {
    for (to, shown) in [("\"version\": 1", "null"), ("\"schema\": \"x\"", "\"x\""), ("\"schema\": -1", "-1")]
    {
        let said = said_to("run.json", |text| text.replacen("\"schema\": 1", to, 1));
        assert!(
            said.starts_with(&format!("error: RECORD: run.json: schema is {shown}, expected a number")),
            "{said}"
        );
    }
}

#[test]
fn a_truncated_record_names_the_place() {
    let said = said_to("run.json", |text| text[..text.len() / 2].to_owned());
    assert!(said.starts_with("error: RECORD: run.json: ") && said.contains(" line "), "{said}");
    let said = said_to("run.json", |_| String::new());
    assert!(said.starts_with("error: RECORD: run.json: EOF"), "{said}");
}

#[test]
fn rows_that_are_gone_are_missed() {
    let said = said_to("raw.csv", |text| text[..text.len() * 7 / 8].to_owned());
    assert!(said.contains(" rows of launch ") && said.contains("the file was cut or changed"), "{said}");
}

#[test]
fn a_corrupt_sample_names_its_line() {
    let nth = |text: &str, from: &str, to: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        assert!(lines[4].contains(from), "{}", lines[4]);
        lines[4] = lines[4].replacen(from, to, 1);
        lines.join("\n") + "\n"
    };
    let said = said_to("raw.csv", |text| nth(text, ",x86-64", ",x86-65"));
    assert!(said.starts_with("error: RECORD: raw.csv, line 5: the plan has no benchmark"), "{said}");
    let said = said_to("raw.csv", |text| nth(text, "0,", "zero,"));
    assert!(said.starts_with("error: RECORD: raw.csv, line 5: "), "{said}");
    let said = said_to("raw.csv", |text| nth(text, "chain,0", "chain"));
    assert!(said.starts_with("error: RECORD: raw.csv, line 5: "), "{said}");
}

#[test]
fn a_folder_without_a_record_is_none() {
    let empty = tempfile::tempdir().unwrap();
    let shown = empty.path().to_str().unwrap();
    let said = stderr(&lab(2, &["analyse", shown]));
    assert!(said.starts_with(&format!("error: {shown} is not a record: cannot read run.json: ")), "{said}");
    let folder = copy();
    fs::remove_file(folder.path().join("raw.csv")).unwrap();
    assert!(stderr(&lab(2, &["analyse", folder.path().to_str().unwrap()])).contains("cannot read raw.csv"));
}

#[test]
fn a_finished_record_cannot_be_resumed() {
    let folder = copy();
    let said = stderr(&lab(2, &["run", "--resume", folder.path().to_str().unwrap()]));
    assert!(said.contains("is finished: there is nothing to go on with"), "{said}");
}
