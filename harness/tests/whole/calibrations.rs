//! Calibrations of gates: experiments of known truth that add up over sittings.

use serde_json::Value;

use crate::lab::{alone, json, lab, stderr, suite};

/// Two gates of one benchmark: against itself, and against itself with a fifth more work.
fn sitting(folder: &str) -> Value {
    let args = ["calibrate", "--suite", &suite("effects"), "--benchmarks", "chain", "--inject", "20"];
    let more = ["--experiments", "2", "--out", folder, "--format", "json"];
    json(&lab(0, &[&args[..], &more].concat()))
}

#[test]
fn gates_of_known_truth_add_up() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    let _alone = alone();
    sitting(out);
    let says = sitting(out);
    let gate = &says["gate"];
    assert_eq!(gate["comparisons"], 2, "{gate:#}");
    assert_eq!(gate["failed"], 0, "{gate:#}");
    assert_eq!(gate["experiments"]["count"], 2, "{gate:#}");
    let slower = gate["power"].as_array().unwrap().iter().find(|row| row["nominal"] == 0.2).unwrap();
    assert_eq!((&slower["trials"], &slower["failed"]), (&2.into(), &2.into()), "{slower:#}");
    let truth = slower["truth"].as_f64().unwrap();
    assert!((0.1..0.3).contains(&truth), "{slower:#}");
    let mut names: Vec<_> = folder.path().read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    let ends = [".gate.csv", ".json", ".power.svg"];
    assert!(names.iter().zip(ends).all(|(name, end)| name.to_str().unwrap().ends_with(end)), "{names:?}");
}

#[test]
fn what_cannot_be_calibrated_is_told() {
    let said = stderr(&lab(2, &["calibrate", "--suite", &suite("tool_call"), "--inject", "5"]));
    assert!(said.contains("perflab mcp calibrate has the rest"), "{said}");
    let said = stderr(&lab(2, &["calibrate", "--suite", &suite("effects"), "--inject", "70"]));
    assert!(said.contains("between 0 and 50 percent"), "{said}");
}

#[test]
fn a_torn_calibration_is_named_with_its_line_and_not_passed_over() {
    let workspace = crate::workspace::Workspace::new();
    let record = crate::lab::root().join("harness/tests/data/record");
    let record = record.to_str().unwrap();
    // 1: an arm of this record failed.
    crate::lab::lab_in(workspace.root(), 1, &["analyse", record]);
    workspace.write("baselines/calibration/x.json", "{\n  \"schema\": 1,\n  \"finished\"");
    let said = stderr(&crate::lab::lab_in(workspace.root(), 2, &["analyse", record]));
    let place = "baselines/calibration/x.json:3: malformed calibration: ";
    assert!(said.starts_with("error: ") && said.contains(place), "{said}");
}
