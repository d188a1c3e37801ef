//! A failure is a row with a reason, and spoils nothing but itself.

use crate::lab::{Record, alone, lab, root, stderr, stdout, suite, target};
use crate::processes::running_below;
use crate::workspace::Workspace;

#[test]
fn every_failure_is_named_and_the_rest_is_measured() {
    let _alone = alone();
    let record = Record::of(1, "failures", &[]);
    let mut failures = record.failures();
    failures.sort_unstable();
    assert_eq!(
        failures,
        [
            "greets: not_a_subject",
            "hangs, words: timed_out",
            "illegal, words: illegal_instruction",
            "panics, words: exited",
            "silent: exited",
            "unbuildable: not_built",
            "wrong, words: wrong_answer",
        ]
    );
    for arm in ["wrong", "panics", "hangs", "illegal", "slower"] {
        for benchmark in ["chain", "vector"] {
            let row = record.row(benchmark, arm);
            assert_eq!(row["launches"].as_array().map(Vec::len), Some(3), "{row:#}");
        }
    }
    assert_eq!(record.row("words", "slower")["launches"].as_array().map(Vec::len), Some(3));
    assert_eq!(running_below(&target()), [""; 0], "what hung is ended");
    let table = stdout(&lab(1, &["analyse", record.folder.to_str().unwrap()]));
    let reasons = [
        "words under wrong: expected 7530, found 7531",
        "words under panics: the process ended by itself with code 101",
        "words cannot be counted today",
        "words under hangs: no answer within 2.50 s",
        "words under illegal: an illegal instruction ended the process",
        "silent: the process ended by itself with code 7: “no licence for this machine”",
        "greets: the executable does not speak the subject protocol, it said “Hello”",
        "does not contain this feature: no-such-feature",
    ];
    let flowing = table.split_whitespace().collect::<Vec<_>>().join(" ");
    for reason in reasons {
        assert!(flowing.contains(reason), "{reason} is missing in\n{table}");
    }
}

#[test]
fn a_baseline_that_is_no_subject_ends_the_run_with_one_sentence() {
    let _alone = alone();
    let out = tempfile::tempdir().unwrap();
    let output = lab(2, &["run", "--suite", &suite("nobody"), "--out", out.path().to_str().unwrap()]);
    let said = stderr(&output);
    let errors: Vec<_> = said.lines().filter(|line| line.contains("error")).collect();
    assert_eq!(
        errors,
        ["error: the baseline cannot be measured: the executable does not speak the subject protocol, \
          it said “Hello”; link it with perflab-subject"]
    );
    assert_eq!(out.path().read_dir().unwrap().count(), 0, "no record of nothing");
    assert_eq!(running_below(&target()), [""; 0]);
}

#[test]
fn code_that_this_cpu_cannot_run_is_not_started() {
    let Some(feature) = crate::workspace::lacking_feature() else {
        println!("skipped: this CPU has every feature that the test knows");
        return;
    };
    let _alone = alone();
    let workspace = Workspace::new();
    workspace.flagset("beyond", &["-C", &format!("target-feature=+{feature}")]);
    workspace.suite("beyond", &["plain", "beyond"]);
    let record = Record::made_in(workspace.root(), 0, "beyond.toml", &[]);
    assert_eq!(record.failures(), ["beyond: missing_features"]);
    assert_eq!(record.file()["failures"][0]["reason"]["features"], serde_json::json!([feature]));
    assert_eq!(record.row("bits", "plain (A/A)")["launches"].as_array().map(Vec::len), Some(3));
    assert!(record.says["analysis"]["arms"][0]["peak_rss"].as_f64() > Some(0.0));
}

#[test]
fn flag_sets_with_the_same_code_are_measured_once() {
    let _alone = alone();
    let workspace = Workspace::new();
    workspace.flagset("spelled", &["-C", "target-cpu=x86-64", "-C", "target-feature=+sse2"]);
    workspace.suite("spelled", &["plain", "spelled"]);
    let record = Record::made_in(workspace.root(), 0, "spelled.toml", &[]);
    assert_eq!(record.facts("spelled")["identical_to"], "plain");
    assert_ne!(root(), workspace.root());
}
