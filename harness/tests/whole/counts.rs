//! Instruction counts on calls that were counted by hand.

use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::Value;

use crate::lab::{alone, json, lab, stderr, stdout, suite};

/// Counts benchmarks of the fixture.
pub fn counts(code: i32, benchmarks: &str, more: &[&str]) -> Output {
    let _alone = alone();
    let out = tempfile::tempdir().unwrap();
    let shown = out.path().to_str().unwrap().to_owned();
    let suite = suite("counted");
    let all =
        ["counts", "--suite", &suite, "--benchmarks", benchmarks, "--out", &shown, "--flagsets", "x86-64"];
    lab(code, &[&all, more].concat())
}

/// The counts of a benchmark under x86-64, one a process.
pub fn instructions(says: &Value, benchmark: &str) -> Vec<u64> {
    let call = call(says, benchmark);
    call["instructions"].as_array().unwrap().iter().map(|count| count.as_u64().unwrap()).collect()
}

fn call<'a>(says: &'a Value, benchmark: &str) -> &'a Value {
    let calls = says["calls"].as_array().unwrap();
    let this = |call: &&Value| call["benchmark"] == benchmark && call["arm"] == "x86-64";
    calls.iter().find(this).unwrap_or_else(|| panic!("no {benchmark} in {says:#}"))
}

/// The one count of a benchmark.
fn exact(says: &Value, benchmark: &str) -> u64 {
    let all = instructions(says, benchmark);
    assert!(all.iter().all(|&count| count == all[0]), "{benchmark}: {all:?}");
    all[0]
}

#[test]
fn hand_counted_loops_are_counted_to_the_instruction() {
    let names = "nothing,scalar/100,scalar/1100,bytes/100,bytes/1100,system/100,system/1100,mix/100,mix/1100,handled,unheard";
    let says = json(&counts(0, names, &["--format", "json"]));
    let more = |name: &str| exact(&says, &format!("{name}/1100")) - exact(&says, &format!("{name}/100"));
    assert_eq!(more("scalar"), 1000 * 2);
    assert_eq!(more("system"), 1000 * 4, "a system call is one instruction");
    assert_eq!(more("bytes"), 0, "a rep-prefixed instruction is one, however many rounds it takes");
    let rounds = |name: &str| call(&says, name)["rounds"].as_u64().unwrap();
    assert_eq!(rounds("bytes/1100") - rounds("bytes/100"), 1000);
    let wide = is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("fma")
        && is_x86_feature_detected!("bmi2");
    assert_eq!(more("mix"), 1000 * if wide { 7 } else { 2 }, "no decoder has to know the instructions");
    // Around the loop: the call through a pointer, the loop of the batch, and what hands over the arguments.
    let around = exact(&says, "scalar/100") - 200 - exact(&says, "nothing");
    assert!(around < 40, "{around}");
    assert!(exact(&says, "nothing") < 60, "marks are subtracted");
    assert!(exact(&says, "handled") > exact(&says, "unheard"), "a handler's instructions are the call's");
    assert_eq!(says["by"], "single_step");
}

#[test]
fn ten_processes_count_the_same_and_a_random_hasher_is_told() {
    let says =
        json(&counts(0, "scalar/100,fixed_hasher,random_hasher", &["--processes", "10", "--format", "json"]));
    assert_eq!(instructions(&says, "scalar/100").len(), 10);
    exact(&says, "scalar/100");
    exact(&says, "fixed_hasher");
    let random = instructions(&says, "random_hasher");
    assert!(random.iter().any(|&count| count != random[0]), "{random:?}");
    let text = stdout(&counts(0, "random_hasher", &["--processes", "10"]));
    assert!(text.contains("x86-64, random_hasher: not exact"), "{text}");
    assert!(text.contains("1 counted, 0 of them exact"), "{text}");
}

#[test]
fn every_way_to_fail_is_a_row_and_what_follows_is_counted() {
    let names = "killed,exits,forever,sleeps,nothing";
    let output = counts(1, names, &["--limit", "3000", "--patience", "3", "--format", "json"]);
    let says = json(&output);
    let reason = |name: &str| {
        let failures = says["failures"].as_array().unwrap();
        let failure = failures.iter().find(|failure| failure["benchmark"] == name).unwrap();
        failure["reason"].clone()
    };
    assert_eq!((&reason("killed")["kind"], &reason("killed")["signal"]), (&"signal".into(), &9.into()));
    assert_eq!((&reason("exits")["kind"], &reason("exits")["code"]), (&"exited".into(), &5.into()));
    let why = reason("forever")["why"].as_str().unwrap().to_owned();
    assert!(why.starts_with("more than 3000 instructions"), "{why}");
    assert_eq!(
        (&reason("sleeps")["kind"], &reason("sleeps")["after_ms"]),
        (&"timed_out".into(), &3000.into())
    );
    exact(&says, "nothing");
}

#[test]
fn an_arm_that_cannot_run_here_is_a_row() {
    let _alone = alone();
    let out = tempfile::tempdir().unwrap();
    let shown = out.path().to_str().unwrap();
    let suite = suite("counted");
    let all = [
        "counts",
        "--suite",
        &suite,
        "--benchmarks",
        "nothing,scalar/100",
        "--out",
        shown,
        "--format",
        "json",
    ];
    let says = json(&lab(0, &all));
    let wide = says["calls"].as_array().unwrap().iter().filter(|call| call["arm"] == "x86-64-v4-512").count();
    let failed =
        says["failures"].as_array().unwrap().iter().any(|failure| {
            failure["arm"] == "x86-64-v4-512" && failure["reason"]["kind"] == "missing_features"
        });
    let identical = says["identical"]["x86-64-v4-512"].is_string();
    assert!(wide == 2 || failed || identical, "{says:#}");
    assert_eq!(failed, !is_x86_feature_detected!("avx512f"), "{says:#}");
}

/// The one file in a directory.
fn only_file(folder: &Path) -> std::path::PathBuf {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).next().unwrap()
}

#[test]
fn a_gate_takes_what_was_accepted_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().to_str().unwrap();
    let gate = |code: i32, benchmarks: &str| {
        let output = counts(code, benchmarks, &["--gate", "--accepted", at]);
        stdout(&output) + &stderr(&output)
    };
    assert!(gate(2, "nothing").contains("accept some with --accept"));
    counts(0, "nothing,scalar/100", &["--accept", "--accepted", at]);
    assert!(gate(0, "nothing,scalar/100").contains("2 counts: 2 as accepted, 0 fail"));
    let new = gate(1, "nothing,scalar/100,mix/100");
    assert!(new.contains("NOT ACCEPTED YET"), "{new}");

    let file = only_file(folder.path());
    let whole = fs::read_to_string(&file).unwrap();
    let accepted: Value = serde_json::from_str(&whole).unwrap();
    let lower = |by: u64| {
        let mut edited = accepted.clone();
        let count = &mut edited["counts"]["x86-64"]["scalar/100"];
        *count = (count.as_u64().unwrap() - by).into();
        fs::write(&file, edited.to_string()).unwrap();
    };
    lower(1);
    let more = gate(1, "nothing,scalar/100");
    assert!(more.contains("MORE") && more.contains("scalar/100"), "one instruction is enough: {more}");

    let mut other = accepted.clone();
    other["origin"]["llvm"] = "0.1".into();
    fs::write(&file, other.to_string()).unwrap();
    let other = gate(3, "nothing,scalar/100");
    assert!(other.contains("LLVM: accepted 0.1, here "), "{other}");

    fs::write(&file, whole.replace("\"counts\"", "\"count\"")).unwrap();
    let edited = gate(2, "nothing,scalar/100");
    assert!(edited.contains("changed by hand"), "{edited}");
    fs::write(&file, whole.replace("\"schema\": 1", "\"schema\": 7")).unwrap();
    assert!(gate(2, "nothing").contains("counts of schema 7"), "another schema is refused");
}

#[test]
fn misuse_is_one_sentence() {
    let said = |args: &[&str]| {
        let output = lab(2, args);
        stderr(&output)
            .lines()
            .filter(|line| line.starts_with("error:"))
            .map(str::to_owned)
            .collect::<String>()
    };
    let suite = suite("counted");
    let unknown = said(&["counts", "--suite", &suite, "--flagsets", "x86-64", "--benchmarks", "scaler/100"]);
    assert!(unknown.contains("unknown benchmark \"scaler/100\"; known: nothing, "), "{unknown}");
    let builds = said(&["counts", "--suite", "harness/suites/build.toml"]);
    assert!(builds.contains("measures builds"), "{builds}");
    assert!(said(&["counts", "--gate"]).contains("name what is to be counted"));
    if perflab::counter::hardware_works().is_err() {
        let none = said(&["counts", "--suite", &suite, "--counter", "hardware"]);
        assert!(none.contains("without the option, single steps count"), "{none}");
    }
}
