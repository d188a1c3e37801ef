//! Known effects are found, and none where there is none.

use std::collections::BTreeMap;
use std::fs;

use crate::lab::{Record, alone, command, json, lab, root, stderr, suite};

#[test]
fn five_per_cent_more_work_is_a_regression() {
    let _alone = alone();
    let record =
        Record::of(0, "effects", &["--flagsets", "slower", "--benchmarks", "chain", "--launches", "16"]);
    let row = record.row("chain", "slower");
    let ratio = row["estimate"]["ratio"].as_f64().unwrap();
    assert!((1.02..1.09).contains(&ratio), "{row:#}");
    assert_eq!(record.verdict("chain", "slower"), "regressed");
    let claim = &record.says["judgement"]["claims"][0];
    assert_eq!((&claim["answer"], &claim["rows"]["slower"]), (&"negative".into(), &1.into()), "{claim:#}");
}

/// The time of a call in the launch where it took least, and in the one where it took most: of each its fastest slice.
fn fastest_of_launches(raw: &str, arm: &str) -> (f64, f64) {
    let mut fastest: BTreeMap<&str, f64> = BTreeMap::new();
    for line in raw.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        if fields[4] == arm {
            let call = fields[7].parse::<f64>().unwrap() / fields[6].parse::<f64>().unwrap();
            let least = fastest.entry(fields[0]).or_insert(call);
            *least = least.min(call);
        }
    }
    let all = || fastest.values().copied();
    (all().reduce(f64::min).unwrap(), all().reduce(f64::max).unwrap())
}

/// An allocation more moves what comes after it in every launch alike, unless every launch begins elsewhere.
#[test]
fn an_allocation_before_the_input_is_no_change_of_the_code() {
    let _alone = alone();
    let record = Record::of(0, "moved", &["--seed", "7"]);
    let verdict = record.verdict("placed", "moved");
    assert!(!["regressed", "improved"].contains(&verdict), "{:#}", record.row("placed", "moved"));
    // Where inputs lie makes a difference, and each arm had them in several places.
    let raw = fs::read_to_string(record.folder.join("raw.csv")).unwrap();
    for arm in ["x86-64", "moved"] {
        let (least, most) = fastest_of_launches(&raw, arm);
        assert!(most / least > 1.05, "{arm}: launches take {least} to {most} ns a call");
    }
}

#[test]
fn the_same_code_is_measured_once() {
    let _alone = alone();
    let record = Record::of(0, "effects", &["--flagsets", "twin", "--launches", "2"]);
    assert_eq!(record.facts("twin")["identical_to"], "x86-64");
    for benchmark in ["chain", "words", "vector"] {
        let row = record.row(benchmark, "twin");
        assert_eq!(
            (&row["measured_as"], row["launches"].as_array().map(Vec::len)),
            (&"x86-64".into(), Some(0))
        );
        assert_eq!(record.verdict(benchmark, "twin"), "no_change");
    }
    let raw = fs::read_to_string(record.folder.join("raw.csv")).unwrap();
    assert!(!raw.contains("twin") && raw.contains(",x86-64,"), "{raw}");
}

#[test]
fn scalar_code_and_512_bit_vectors_are_measured_side_by_side() {
    if !std::arch::is_x86_feature_detected!("avx512f") || !std::arch::is_x86_feature_detected!("avx512vl") {
        println!("skipped: this CPU has no AVX-512");
        return;
    }
    let _alone = alone();
    let record = Record::of(0, "wide", &[]);
    let row = record.row("vector", "x86-64-v4-512");
    assert!(row["baseline_value"].as_f64() > Some(0.0) && row["value"].as_f64() > Some(0.0), "{row:#}");
    let wide = |arm: &str| record.facts(arm)["benchmark_widths"]["vector"]["zmm"].as_u64().unwrap();
    assert_eq!(wide("x86-64"), 0);
    assert!(wide("x86-64-v4-512") > 0, "{:#}", record.facts("x86-64-v4-512"));
    assert_eq!(record.failures(), [""; 0]);
}

#[test]
fn flags_of_the_environment_are_named_and_have_no_force() {
    let _alone = alone();
    let plain = json(&lab(0, &["build", "--suite", &suite("stopped"), "--format", "json"]));
    let mut command = assert_cmd::Command::from_std(command(&root()));
    command.env("RUSTFLAGS", "-Ctarget-cpu=x86-64-v3").env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0");
    let out = tempfile::tempdir().unwrap();
    let shown = out.path().to_str().unwrap();
    let args = ["measure", "--suite", &suite("stopped"), "--launches", "1", "--out", shown];
    let output = command.args(args).assert().code(0).get_output().clone();
    let said = stderr(&output);
    assert!(
        said.contains("note: environment variable RUSTFLAGS (-Ctarget-cpu=x86-64-v3) is switched off here"),
        "{said}"
    );
    assert!(said.contains("CARGO_PROFILE_RELEASE_OPT_LEVEL"), "{said}");
    let file = crate::lab::run_file(&crate::lab::only_folder(out.path())).unwrap();
    for (with, without) in file["facts"].as_array().unwrap().iter().zip(plain.as_array().unwrap()) {
        assert_eq!(with["flags"], serde_json::json!(["-C", "target-cpu=x86-64"]));
        assert_eq!(with["digest"], without["digest"], "the same executable, bit by bit");
    }
}
