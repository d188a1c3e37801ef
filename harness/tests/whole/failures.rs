//! A failure is a row with a reason, and spoils nothing but itself.

use crate::lab::{Record, alone, lab, lab_in, root, stderr, stdout, suite, target};
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

/// The bare subject with benchmarks that time the same code, and answer for it wrongly: each for one part of a turn.
fn untrue(workspace: &Workspace) {
    let source = include_str!("bare_subject.rs");
    let listed = r#"{{\"name\":\"bits\",\"answer\":{answer},\"count_answer\":{answer}}}"#;
    let more = ["doubled", "still", "empty"].map(|name| listed.replace("bits", name)).join(",");
    let slice = r#"format!("{{\"iters\":{iters},"#;
    let answers = r#"let doubled = if line.contains("\"doubled\"") { iters * 2 } else { iters };
                let wall = if line.contains("\"still\"") { 0 } else { wall };
                let empty = if line.contains("\"empty\"") { wall } else { 0 };
                format!("{{\"iters\":{doubled},\"loop_ns\":{empty},"#;
    assert!(source.contains(listed) && source.contains(slice));
    let source = source.replace(listed, &format!("{listed},{more}")).replace(slice, answers);
    workspace.write("src/main.rs", &source);
}

#[test]
fn what_a_subject_says_of_its_turns_is_held_against_what_was_asked() {
    let workspace = Workspace::new();
    untrue(&workspace);
    workspace.flagset("other", &["-C", "target-cpu=x86-64-v2", "-C", "opt-level=2"]);
    workspace.suite("untrue", &["plain", "other"]);
    let claim = "[[claim]]\nid = \"c\"\ntext = \"as fast\"\nbaseline = \"plain\"\ncandidate = \"other\"\nspeed_up = [0.001]\n";
    let suite = std::fs::read_to_string(workspace.root().join("untrue.toml")).unwrap();
    workspace.write("untrue.toml", &format!("{suite}{claim}"));
    let record = Record::made_in(workspace.root(), 1, "untrue.toml", &[]);
    for arm in ["plain", "other", "plain (A/A)"] {
        for benchmark in ["doubled", "still"] {
            let failure = format!("{arm}, {benchmark}: not_a_subject");
            assert!(record.failures().contains(&failure), "{failure} is not in {:?}", record.failures());
        }
    }
    let rows = record.says["analysis"]["rows"].as_array().unwrap();
    assert!(rows.iter().all(|row| row["benchmark"] == "bits"), "{rows:#?}");
    let reservation = record.says["judgement"]["claims"][0]["reservation"].as_str().unwrap();
    assert_eq!(reservation, "3 benchmark(s) of other have no numbers and are left out");
    let shown = record.folder.to_str().unwrap();
    let table = stdout(&lab_in(workspace.root(), 1, &["analyse", shown]));
    let flowing = table.split_whitespace().collect::<Vec<_>>().join(" ");
    for said in [
        "doubled under other: the subject does not keep to the protocol: expected ",
        "calls took 0 ns: the subject's clock stands or its task is empty",
        "empty under other has no numbers, and claims leave it out",
        "empty under plain has no numbers, and claims leave it out",
    ] {
        assert!(flowing.contains(said), "{said} is missing in\n{table}");
    }
    let junit = stdout(&lab_in(workspace.root(), 0, &["export", "junit", shown]));
    assert!(
        junit.contains("name=\"empty\">\n      <skipped message=\"what was measured is not above 0\"/>"),
        "{junit}"
    );
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
