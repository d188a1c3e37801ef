//! Records over time and rows of other tools, from the command line to the exit code.

use std::fs;
use std::path::Path;

use crate::lab::{json, lab, lab_in, root, stderr, stdout};

/// A stored record, copied under another name and day, with its times stretched.
fn copied(to: &Path, day: u32, stretch: f64) {
    let from = root().join("harness/tests/data/record");
    let folder = to.join(format!("run-{day:02}"));
    fs::create_dir_all(&folder).unwrap();
    let text = fs::read_to_string(from.join("run.json")).unwrap();
    let mut file: serde_json::Value = serde_json::from_str(&text).unwrap();
    file["name"] = format!("run-{day:02}").into();
    file["started"] = format!("2026-10-{day:02}T00:00:00Z").into();
    fs::write(folder.join("run.json"), file.to_string()).unwrap();
    let raw = fs::read_to_string(from.join("raw.csv")).unwrap();
    let head = raw.lines().next().unwrap();
    let wall = head.split(',').position(|column| column == "wall").unwrap();
    let lines = raw.lines().skip(1).map(|line| {
        let mut cells: Vec<String> = line.split(',').map(str::to_owned).collect();
        cells[wall] = ((cells[wall].parse::<f64>().unwrap() * stretch) as u64).to_string();
        cells.join(",") + "\n"
    });
    fs::write(folder.join("raw.csv"), format!("{head}\n") + &lines.collect::<String>()).unwrap();
}

#[test]
fn a_folder_of_records_is_joined_and_what_cannot_be_read_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for day in 1..=12 {
        copied(folder.path(), day, if day < 7 { 1.0 } else { 1.5 } + 0.002 * f64::from(day % 3));
    }
    for (name, text) in [("broken", "{"), ("older", r#"{"schema":0,"perflab":"0.0.1"}"#)] {
        fs::create_dir(folder.path().join(name)).unwrap();
        fs::write(folder.path().join(name).join("run.json"), text).unwrap();
    }
    let shown = folder.path().to_str().unwrap();
    let chart = folder.path().join("trend.svg");
    let again = folder.path().join("run-03");
    let again = again.to_str().unwrap();
    let args = ["history", shown, again, "--format", "json", "--chart", chart.to_str().unwrap()];
    let output = lab(0, &args);
    let says = json(&output);
    let series = says["history"]["series"].as_array().unwrap();
    assert!(!series.is_empty());
    for series in series {
        assert_eq!(series["points"].as_array().unwrap().len(), 12, "{series:#}");
        let changes = series["changes"].as_array().unwrap();
        assert_eq!((changes.len(), &changes[0]["record"]), (1, &"run-07".into()), "{series:#}");
    }
    let skipped: Vec<&str> = says["skipped"]
        .as_array()
        .unwrap()
        .iter()
        .map(|skipped| skipped["reason"].as_str().unwrap())
        .collect();
    assert!(skipped.len() == 2 && skipped[1].contains("schema 0"), "{skipped:?}");
    assert_eq!(stderr(&output).matches("skipped: ").count(), 2);
    assert!(fs::read_to_string(chart).unwrap().starts_with("<svg"));
    let table = stdout(&lab(0, &["history", shown]));
    assert!(table.contains("from run-07 on: +"), "{table}");
}

#[test]
fn without_a_record_it_says_what_to_name() {
    let empty = tempfile::tempdir().unwrap();
    let shown = empty.path().to_str().unwrap();
    let said = stderr(&lab(2, &["history", shown]));
    assert!(said.contains("error: no record that can be read in"), "{said}");
    let said = stderr(&lab(2, &["history", shown, "--chart", "trend.gif"]));
    assert_eq!(said, "error: --chart trend.gif: name a file that ends in .svg or .png\n");
    assert!(stderr(&lab(2, &["history", "/no/such"])).contains("cannot read the directory /no/such"));
}

/// Criterion's files of one result.
fn criterion(folder: &Path, kept_as: &str, nanos: f64) {
    let folder = folder.join("json/parse").join(kept_as);
    fs::create_dir_all(&folder).unwrap();
    let statistic = serde_json::json!({
        "confidence_interval": { "confidence_level": 0.95, "lower_bound": nanos - 1.0, "upper_bound": nanos + 1.0 },
        "point_estimate": nanos,
        "standard_error": 0.5,
    });
    let estimates = serde_json::json!({
        "mean": statistic, "median": statistic, "median_abs_dev": statistic, "slope": null, "std_dev": statistic,
    });
    let benchmark =
        serde_json::json!({ "group_id": "json", "function_id": "parse", "full_id": "json/parse" });
    fs::write(folder.join("estimates.json"), estimates.to_string()).unwrap();
    if kept_as != "change" {
        fs::write(folder.join("benchmark.json"), benchmark.to_string()).unwrap();
        fs::write(folder.join("sample.json"), r#"{"iters":[1.0],"times":[100.0]}"#).unwrap();
    }
}

#[test]
fn criterion_s_results_are_rows_and_its_comparison_is_not() {
    let folder = tempfile::tempdir().unwrap();
    for (kept_as, nanos) in [("new", 101.0), ("base", 99.0), ("change", 0.02)] {
        criterion(folder.path(), kept_as, nanos);
    }
    let shown = folder.path().to_str().unwrap();
    // Outside of any workspace too.
    let text = stdout(&lab_in(folder.path(), 0, &["export", "bencher", shown]));
    let rows: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(rows.as_object().unwrap().len(), 1, "base is a copy: {text}");
    assert_eq!(rows["json/parse (new)"]["latency"]["value"], 101.0);
    let says = json(&lab_in(folder.path(), 0, &["history", shown, "--format", "json"]));
    assert_eq!(says["history"]["series"][0]["machine"], serde_json::Value::Null);
    fs::write(folder.path().join("json/parse/new/estimates.json"), "{}").unwrap();
    let said = stderr(&lab_in(folder.path(), 2, &["export", "go", shown]));
    assert!(said.contains("json/parse/new: estimates.json is not as criterion"), "{said}");
}

#[test]
fn a_summary_is_added_to_the_file_of_the_step() {
    let folder = tempfile::tempdir().unwrap();
    copied(folder.path(), 1, 1.0);
    let record = folder.path().join("run-01");
    let step = folder.path().join("summary.md");
    fs::write(&step, "before\n").unwrap();
    let mut command = crate::lab::command(&root());
    command.args(["export", "summary", record.to_str().unwrap()]).env("GITHUB_STEP_SUMMARY", &step);
    assert!(command.status().unwrap().success());
    let text = fs::read_to_string(&step).unwrap();
    assert!(text.starts_with("before\n## perflab: suite "), "{text}");
    let mut command = crate::lab::command(&root());
    command.args(["export", "summary", record.to_str().unwrap()]).env_remove("GITHUB_STEP_SUMMARY");
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).starts_with("error: GITHUB_STEP_SUMMARY is not set"), "{}", stderr(&output));
}
