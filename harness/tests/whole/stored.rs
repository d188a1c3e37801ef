//! What the lab says of a stored record, word for word: record, analyse, judge and report in one.

use std::fs;

use serde_json::Value;

use crate::lab::{json, lab_in, stdout};
use crate::records::stored;
use crate::workspace::Workspace;

/// A workspace that holds the record, and no calibration that would change what is said of it.
fn workspace() -> Workspace {
    let workspace = Workspace::new();
    for name in ["run.json", "raw.csv"] {
        workspace.write(&format!("results/record/{name}"), &fs::read_to_string(stored().join(name)).unwrap());
    }
    workspace
}

#[test]
fn the_table_of_a_stored_record() {
    let workspace = workspace();
    let table = stdout(&lab_in(workspace.root(), 1, &["analyse", "results/record", "--format", "table"]));
    insta::assert_snapshot!(table);
}

#[test]
fn the_verdicts_of_a_stored_record() {
    let workspace = workspace();
    let says = json(&lab_in(workspace.root(), 1, &["analyse", "results/record", "--format", "json"]));
    insta::assert_json_snapshot!(rounded(&says["judgement"]));
}

/// The same with fractions rounded: the last digits of a logarithm depend on the C library.
fn rounded(value: &Value) -> Value {
    match value {
        Value::Array(members) => members.iter().map(rounded).collect(),
        Value::Object(members) => {
            members.iter().map(|(key, member)| (key.clone(), rounded(member))).collect()
        }
        Value::Number(number) if number.is_f64() => {
            number.as_f64().map(|fraction| (fraction * 1e6).round() / 1e6).into()
        }
        other => other.clone(),
    }
}
