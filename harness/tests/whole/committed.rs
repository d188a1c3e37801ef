//! Every record of the repository is read, analysed and judged as it was when it was made, whatever its schema.

use std::fs;
use std::path::{Path, PathBuf};

use perflab::analyse::{Analysis, analyse};
use perflab::judge::{Judgement, judge};
use perflab::measure::{Launch, Run};
use perflab::plan::SCHEMA_VERSION;
use perflab::record::{RAW_HEADER, RunFile, raw_rows};
use serde_json::Value;

use crate::lab::root;
use crate::records::stored;

/// The directories of all committed records of runs.
fn records() -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join("results")).unwrap();
    let folders = entries.map(|entry| entry.unwrap().path()).chain([stored()]);
    folders.filter(|folder| folder.join("run.json").is_file()).collect()
}

fn text(folder: &Path, name: &str) -> String {
    let path = folder.join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn read(folder: &Path) -> (RunFile, Run) {
    let file = RunFile::read(&text(folder, "run.json")).unwrap();
    let run = file.run(&text(folder, "raw.csv")).unwrap();
    (file, run)
}

fn says(file: &RunFile, run: &Run) -> (Analysis, Judgement) {
    let analysis = analyse(&file.plan, run);
    let judgement = judge(&file.plan, &file.environment, &analysis, None);
    (analysis, judgement)
}

/// Whether two values are the same but for the last digits of a logarithm, which depend on the C library. What only
/// one of them has is another version's.
fn same(old: &Value, new: &Value) -> bool {
    match (old, new) {
        (Value::Array(old), Value::Array(new)) => {
            old.len() == new.len() && old.iter().zip(new).all(|(old, new)| same(old, new))
        }
        (Value::Object(old), Value::Object(new)) => {
            old.iter().all(|(key, value)| new.get(key).is_none_or(|now| same(value, now)))
        }
        (Value::Number(old), Value::Number(new)) => {
            let (old, new) = (old.as_f64().unwrap(), new.as_f64().unwrap());
            (old - new).abs() <= 1e-9 * old.abs().max(new.abs())
        }
        (old, new) => old == new,
    }
}

/// What is said of each row, claim and control, without the reasons, which are words.
fn verdicts(judgement: &Value) -> Vec<(String, String, String)> {
    let of = |list: &str, name: &str, said: &str| {
        let entries = judgement[list].as_array().unwrap().clone();
        entries
            .into_iter()
            .map(|entry| (entry[name].to_string(), entry["arm"].to_string(), entry[said].to_string()))
            .collect::<Vec<_>>()
    };
    [of("rows", "benchmark", "verdict"), of("claims", "id", "answer"), of("controls", "arm", "voids")]
        .concat()
}

#[test]
fn a_committed_record_says_what_it_said() {
    let mut old = 0;
    for folder in records() {
        let (file, run) = read(&folder);
        old += usize::from(text(&folder, "run.json").contains("\"schema\": 1,"));
        if !folder.join("verdicts.json").is_file() {
            continue;
        }
        let said: Value = serde_json::from_str(&text(&folder, "verdicts.json")).unwrap();
        let (analysis, judgement) = says(&file, &run);
        let (analysis, judgement) =
            (serde_json::to_value(analysis).unwrap(), serde_json::to_value(judgement).unwrap());
        assert!(same(&said["analysis"], &analysis), "{}", folder.display());
        assert_eq!(verdicts(&said["judgement"]), verdicts(&judgement), "{}", folder.display());
    }
    assert!(old > 0, "the stored record of the tests has schema 1");
}

#[test]
fn a_record_that_is_carried_over_stays_what_it_is() {
    for folder in records() {
        let (file, run) = read(&folder);
        assert_eq!(file.schema, SCHEMA_VERSION, "what is read is what would be written");
        let again = RunFile::read(&file.write().unwrap()).unwrap();
        assert_eq!(again, file, "{}", folder.display());
        let rows: String = run.launches.iter().map(|launch: &Launch| raw_rows(&file.plan, launch)).collect();
        assert_eq!(again.run(&(RAW_HEADER.to_owned() + &rows)).unwrap(), run, "{}", folder.display());
    }
}
