//! Each format against what its reader's documentation asks for. `scripts/export_consumers` asks the readers.

use serde::Deserialize;

use crate::report::export::*;
use crate::report::fixture::Fixture;
use crate::rows::fixture::{measured, rows};
use crate::rows::{Measure, Throughput, Work};

#[test]
fn go_text_has_a_line_a_launch_and_arms_as_a_key() {
    insta::assert_snapshot!(foreign(Foreign::Go, &rows()));
}

#[test]
fn junit_tells_failures_from_gaps() {
    insta::assert_snapshot!(foreign(Foreign::Junit, &rows()));
}

#[test]
fn junit_counts_what_a_gate_says() {
    let gate = |row: &Measured| match &row.change {
        Some(change) if change.ratio > 1.05 => Outcome::Failed("8 % slower".to_owned()),
        Some(_) => Outcome::Skipped("cannot tell".to_owned()),
        None => Outcome::Passed,
    };
    let text = junit_with(&rows(), &gate);
    assert!(
        text.contains("<testsuites name=\"kernels\" tests=\"7\" failures=\"1\" errors=\"1\" skipped=\"2\">"),
        "{text}"
    );
    assert!(text.contains("<failure message=\"8 % slower\"/>"), "{text}");
}

#[test]
fn every_element_of_junit_is_closed_and_no_control_character_is_left() {
    let text = foreign(Foreign::Junit, &rows());
    assert!(text.chars().all(|letter| letter == '\n' || !letter.is_control()), "{text}");
    let mut open: Vec<&str> = Vec::new();
    for tag in text.split('<').skip(1).filter(|tag| !tag.starts_with('?')) {
        let (tag, _) = tag.split_once('>').expect("an end");
        let name = tag.trim_start_matches('/').split([' ', '/']).next().expect("a name");
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "{text}");
        } else if !tag.ends_with('/') {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

/// The type `BenchmarkResult` of github-action-benchmark's custom JSON.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ActionResult {
    name: String,
    value: f64,
    unit: String,
    range: Option<String>,
    extra: Option<String>,
}

#[test]
fn the_action_gets_its_own_shape() {
    let results: Vec<ActionResult> = serde_json::from_str(&foreign(Foreign::Action, &rows())).unwrap();
    assert_eq!(results.len(), 5);
    let slower = &results[1];
    assert_eq!((slower.name.as_str(), slower.value), ("json_rpc/parse (x86-64-v3)", 1350.0));
    assert_eq!((slower.unit.as_str(), slower.range.as_deref()), ("ns", Some("± 0.75")));
    assert!(slower.extra.as_ref().unwrap().ends_with("against x86-64: regressed"), "{:?}", slower.extra);
}

/// One measure of Bencher Metric Format.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BencherMetric {
    value: f64,
    lower_value: Option<f64>,
    upper_value: Option<f64>,
}

type BencherFile = std::collections::BTreeMap<String, std::collections::BTreeMap<String, BencherMetric>>;

#[test]
fn bencher_gets_a_measure_a_metric_of_one_benchmark() {
    let mut rows = rows();
    rows.rows.push(measured("json_rpc/parse", "x86-64", Measure::Instructions, 4096.0));
    let file: BencherFile = serde_json::from_str(&foreign(Foreign::Bencher, &rows)).unwrap();
    let parse = &file["json_rpc/parse (x86-64)"];
    assert_eq!(parse.keys().collect::<Vec<_>>(), ["instructions", "latency"]);
    let latency = &parse["latency"];
    assert_eq!(
        (latency.value, latency.lower_value, latency.upper_value),
        (1250.0, Some(1249.5), Some(1251.0))
    );
}

/// A result as hyperfine's own scripts read it.
#[derive(Deserialize)]
struct HyperfineResult {
    command: String,
    mean: f64,
    stddev: Option<f64>,
    median: f64,
    min: f64,
    max: f64,
    times: Vec<f64>,
    memory_usage_byte: Option<Vec<u64>>,
    exit_codes: Option<Vec<Option<i32>>>,
    parameters: std::collections::BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct HyperfineFile {
    results: Vec<HyperfineResult>,
}

#[test]
fn hyperfine_gets_seconds_of_every_launch() {
    let file: HyperfineFile = serde_json::from_str(&foreign(Foreign::Hyperfine, &rows())).unwrap();
    assert_eq!(file.results.len(), 4, "a size is not time");
    let parse = &file.results[0];
    assert_eq!((parse.command.as_str(), parse.times.len()), ("json_rpc/parse (x86-64)", 3));
    assert!((parse.mean - 1250e-9).abs() < 1e-15 && (parse.median - 1250e-9).abs() < 1e-15);
    assert!((parse.min - 1249.75e-9).abs() < 1e-15 && (parse.max - 1250.25e-9).abs() < 1e-15);
    assert!(parse.stddev.unwrap() > 0.0 && parse.memory_usage_byte.is_none());
    assert_eq!(parse.parameters["arm"], "x86-64");
}

#[test]
fn of_commands_hyperfine_gets_one_result_each_with_its_memory() {
    let of = |measure: Measure, arm: &str, value| Measured {
        build: format!("sleep {arm}"),
        exit_codes: if arm == "A" { vec![Some(0), Some(3), None] } else { Vec::new() },
        ..measured(&measure.to_string(), arm, measure, value)
    };
    let mut rows = rows();
    rows.arms_are = "command".to_owned();
    rows.rows = [(Measure::Time, 2e9), (Measure::CpuTime, 2e9), (Measure::Memory, 1024.0)]
        .into_iter()
        .flat_map(|(measure, value)| ["A", "B"].map(|arm| of(measure, arm, value)))
        .collect();
    let file: HyperfineFile = serde_json::from_str(&foreign(Foreign::Hyperfine, &rows)).unwrap();
    let commands: Vec<&str> = file.results.iter().map(|result| result.command.as_str()).collect();
    assert_eq!(commands, ["sleep A", "sleep B"]);
    assert_eq!(file.results[0].exit_codes.as_deref(), Some(&[Some(0), Some(3), None][..]));
    assert_eq!(file.results[1].exit_codes, None);
    assert_eq!(file.results[1].memory_usage_byte.as_deref(), Some(&[1024, 1024, 1023][..]));
}

#[test]
fn a_summary_holds_what_matters_and_folds_the_rest() {
    let fixture = Fixture::small();
    let text = summary(&fixture.report(), SUMMARY_LIMIT);
    assert!(text.starts_with("## perflab: suite quick\n\n"), "{text}");
    for part in
        ["NOT ANSWERED for znver4", "| json_rpc/parse |", "A/A control", "<summary>Every row</summary>"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("]("), "a summary reaches no file of the record: {text}");
    assert!(!text.contains("Cut here"));
}

#[test]
fn a_summary_keeps_to_its_limit_and_says_that_it_was_cut() {
    let fixture = Fixture::large();
    let whole = summary(&fixture.report(), SUMMARY_LIMIT).len();
    for limit in [0, 50, 400, 2_000, whole - 1] {
        let text = summary(&fixture.report(), limit);
        assert!(text.len() <= limit, "{} of {limit}", text.len());
        assert!(limit < 200 || text.contains("Cut here"), "{limit}: {text}");
    }
    let mut many = rows();
    many.rows = (0..20_000)
        .map(|index| measured(&format!("a/benchmark/with/a/long/name/{index}"), "x86-64", Measure::Time, 5.0))
        .collect();
    let text = rows_summary(&many, SUMMARY_LIMIT);
    assert!(text.len() <= SUMMARY_LIMIT && text.len() > SUMMARY_LIMIT / 2, "{}", text.len());
    assert!(text.contains("Cut here"), "a cut without a word");
}

#[test]
fn what_is_done_in_a_second_goes_along_where_a_format_has_a_place() {
    let mut rows = rows();
    rows.rows.truncate(2);
    rows.rows[0].throughput = Some(Throughput { amount: 1024.0, of: Work::Bytes });
    rows.rows[1].throughput = Some(Throughput { amount: 27.0, of: Work::Elements });
    let go = foreign(Foreign::Go, &rows);
    assert!(go.contains("\t1\t1250 ns/op\t819.") && go.contains(" MB/s\n"), "{go}");
    assert!(go.contains("Unit elements/s better=higher") && go.contains(" elements/s\n"), "{go}");
    let bencher: BencherFile = serde_json::from_str(&foreign(Foreign::Bencher, &rows)).unwrap();
    let rate = |arm: &str, measure: &str| bencher[&format!("json_rpc/parse ({arm})")][measure].value;
    assert!((rate("x86-64", "bytes-per-second") / 819.2e6 - 1.0).abs() < 1e-9);
    assert!((rate("x86-64-v3", "throughput") / 20e6 - 1.0).abs() < 1e-9);
    let action: Vec<ActionResult> = serde_json::from_str(&foreign(Foreign::Action, &rows)).unwrap();
    assert_eq!(action[0].extra.as_ref().unwrap().replace('\u{a0}', " "), "819 MB/s");
    assert!(action[1].extra.as_ref().unwrap().replace('\u{a0}', " ").ends_with("\n20.0 M elements/s"));
    let summary = rows_summary(&rows, SUMMARY_LIMIT).replace('\u{a0}', " ");
    assert!(summary.contains("(819 MB/s) |") && summary.contains("(20.0 M elements/s) |"), "{summary}");
}

#[test]
fn names_that_a_format_cannot_tell_apart_are_numbered() {
    let mut rows = rows();
    rows.missing.clear();
    let time = |name: &str, value| measured(name, "x86-64", Measure::Time, value);
    rows.rows =
        vec![time("sort u32", 1.0), time("sort_u32", 2.0), time("Sort_u32", 3.0), time("sort u32", 4.0)];
    let go = foreign(Foreign::Go, &rows);
    let named: Vec<&str> =
        go.lines().filter_map(|line| line.split_once('\t')).map(|(name, _)| name).collect();
    let of = |launch: usize| named[launch * 3];
    assert_eq!(
        [of(0), of(1), of(2), of(3)].map(|name| name.strip_prefix("BenchmarkSort_u32/cpu=x86-64").unwrap()),
        ["-1", "#01-1", "#02-1", "-1"],
        "{go}"
    );
    let action: Vec<ActionResult> = serde_json::from_str(&foreign(Foreign::Action, &rows)).unwrap();
    assert!(action.iter().all(|result| !result.name.contains('#')), "JSON has all letters");
}
