//! Two commands of known cost, from the command line to the exit code.

use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::lab::{alone, command, json, lab, only_folder, root, stderr, stdout, target};
use crate::processes::{Process, all, running_below, signal};
use crate::tool_server::program;

fn known(arguments: &str) -> String {
    format!("{} {arguments}", program("known-command"))
}

/// Compares two known commands and expects this exit code. No process may be left.
fn compared(code: i32, a: &str, b: &str, options: &[&str]) -> Value {
    let (a, b) = (known(a), known(b));
    let _alone = alone();
    let head = ["cmp", "--commands", &a, &b, "--format", "json"];
    let output = lab(code, &[&head, options].concat());
    assert_eq!(running_below(&target().join("debug")), [""; 0], "nothing is left running");
    json(&output)
}

fn row<'a>(says: &'a Value, part: &str, benchmark: &str, arm: &str) -> Option<&'a Value> {
    let rows = says[part]["rows"].as_array().unwrap();
    rows.iter().find(|row| row["benchmark"] == benchmark && row["arm"] == arm)
}

fn failures(says: &Value) -> Vec<String> {
    let all = says["analysis"]["failures"].as_array().unwrap();
    all.iter()
        .map(|failure| {
            format!("{}: {}", failure["arm"].as_str().unwrap(), failure["reason"]["kind"].as_str().unwrap())
        })
        .collect()
}

#[test]
fn known_effects_on_time_cpu_and_memory_are_found_and_named() {
    let says = compared(0, "work=8 memory=40", "work=24 memory=80", &["--launches", "12", "--check-output"]);
    assert_eq!(says["analysis"]["launches"], 12);
    for (benchmark, least) in [("wall time", 1.5), ("CPU time", 1.5), ("peak memory", 1.7)] {
        let ratio = row(&says, "analysis", benchmark, "B").unwrap()["estimate"]["ratio"].as_f64().unwrap();
        assert!(ratio > least, "{benchmark}: {ratio}");
        assert_eq!(row(&says, "judgement", benchmark, "B").unwrap()["verdict"], "regressed", "{benchmark}");
        let control = &row(&says, "judgement", benchmark, "A/A").unwrap()["verdict"];
        assert!(control != "regressed" && control != "improved", "{benchmark}: {control}");
    }
}

#[test]
fn memory_below_that_of_the_stand_in_is_no_number() {
    let says = compared(0, "work=1", "work=1", &["--launches", "6"]);
    assert!(row(&says, "analysis", "peak memory", "B").is_none());
    assert_eq!(failures(&says), ["A: not_offered", "B: not_offered", "A/A: not_offered"]);
}

#[test]
fn a_command_that_fails_is_a_row_with_its_code_unless_failures_are_ignored() {
    let options = ["--launches", "6"];
    let says = compared(1, "work=1", "exit=3", &options);
    assert_eq!(failures(&says)[0], "B: exited");
    let reason = &says["analysis"]["failures"][0]["reason"];
    assert_eq!((&reason["code"], &reason["stderr"]), (&3.into(), &"asked to fail with 3".into()));
    let says = compared(1, "exit=3", "work=1", &options);
    assert_eq!(says["analysis"]["launches"], 0, "without A there is nothing to compare with");
    let says = compared(0, "work=2", "work=2 exit=3", &[&options[..], &["--ignore-failure"]].concat());
    assert!(row(&says, "analysis", "wall time", "B").is_some());
}

#[test]
fn outputs_are_compared_where_that_is_asked_for() {
    let says = compared(1, "print=one", "print=two", &["--launches", "6", "--check-output"]);
    assert_eq!(failures(&says)[0], "B: other_output");
    let says = compared(0, "print=one", "print=two", &["--launches", "6"]);
    assert!(row(&says, "analysis", "wall time", "B").is_some());
}

#[test]
fn a_record_is_kept_where_that_is_asked_for_and_exports_take_the_place_of_the_table() {
    let out = tempfile::tempdir().unwrap();
    let shown = out.path().to_str().unwrap();
    let says = compared(0, "work=2", "work=4", &["--launches", "6", "--out", shown]);
    let record = only_folder(out.path());
    assert_eq!(says["record"], record.to_str().unwrap());
    for file in ["run.json", "raw.csv", "report.html", "report.md", "verdicts.json"] {
        assert!(record.join(file).is_file(), "{file}");
    }
    let text = stdout(&lab(0, &["report", record.to_str().unwrap(), "--export", "go"]));
    assert_eq!(text.matches("BenchmarkWall_time/command=B-1\t1\t").count(), 6, "{text}");
    let hyperfine: Value =
        serde_json::from_str(&stdout(&lab(0, &["export", "hyperfine", record.to_str().unwrap()]))).unwrap();
    let results = hyperfine["results"].as_array().unwrap();
    assert_eq!(results.len(), 2);
    assert!(results[1]["command"].as_str().unwrap().ends_with("known-command work=4"), "{results:?}");
    assert_eq!(results[1]["times"].as_array().unwrap().len(), 6);
}

#[test]
fn misuse_is_said_in_a_sentence() {
    let said = |code: i32, args: &[&str]| stderr(&lab(code, &[&["cmp"], args].concat()));
    let pipe = said(2, &["--commands", "true", "cat x | wc"]);
    assert!(pipe.starts_with("error: --commands, B: `|` joins commands in a shell"), "{pipe}");
    let absent = said(2, &["--commands", "no-such-program-here", "true"]);
    assert!(
        absent.starts_with("error: --commands, A: no program \"no-such-program-here\" on PATH"),
        "{absent}"
    );
    for wrong in [
        &["--commands", "true"][..],
        &["--commands", "true", "true", "--launches", "1"],
        &["--commands", "true", "true", "--budget", "5"],
        &["--commands", "true", "true", "--export", "xml"],
        &["a-record", "b-record", "--launches", "5"],
        &[],
    ] {
        let said = said(2, wrong);
        assert!(said.starts_with("error: "), "{wrong:?}: {said}");
    }
    let records = said(2, &["no-such-record", "no-such-record"]);
    assert!(records.contains("no-such-record is not a record"), "{records}");
}

#[test]
fn whatever_ends_the_lab_ends_the_command() {
    let _alone = alone();
    let sleeps = known("sleep=300");
    for (with, code) in [("INT", Some(130)), ("KILL", None)] {
        let mut lab = command(&root());
        lab.args(["cmp", "--commands", &sleeps, &sleeps]).stdout(Stdio::null()).stderr(Stdio::null());
        let mut lab = lab.spawn().unwrap();
        let folder = target().join("debug");
        let below = |process: &Process| process.executable.starts_with(folder.to_str().unwrap());
        wait_until(|| all().iter().any(below));
        assert!(signal(i32::try_from(lab.id()).unwrap(), with));
        assert_eq!(lab.wait().unwrap().code(), code);
        wait_until(|| running_below(&folder).is_empty());
    }
}

fn wait_until(done: impl Fn() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(120), "it did not come");
        sleep(Duration::from_millis(5));
    }
}
