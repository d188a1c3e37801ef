use super::*;
use crate::measure::FailureReason;
use crate::record::call_counts::{COUNTS_SCHEMA, CodeOrigin, CountedArm};

/// Three arms: a baseline, one that is better, and one that cannot run.
pub(crate) fn counts() -> CountsFile {
    let arm =
        |name: &str| CountedArm { name: name.into(), profile: "release".into(), flags: vec![name.into()] };
    let call = |benchmark: &str, arm: &str, instructions: &[u64]| CountedCall {
        benchmark: benchmark.into(),
        arm: arm.into(),
        instructions: instructions.into(),
        rounds: 0,
    };
    let reason = FailureReason::MissingFeatures { features: vec!["avx512f".into()] };
    CountsFile {
        schema: COUNTS_SCHEMA,
        perflab: "0".into(),
        started: "2026-01-01T00:00:00Z".into(),
        seconds: 1.5,
        command: "perflab counts --suite s.toml".into(),
        suite: "s".into(),
        by: CountedBy::SingleStep,
        machine: "a CPU".into(),
        origin: CodeOrigin {
            rustc: "rustc 1.95.0 (abc)".into(),
            llvm: "21".into(),
            libc: "glibc 2".into(),
            features: vec!["avx2".into()],
            valgrind: None,
        },
        benchmarks: vec!["dot".into(), "map".into(), "sort".into()],
        arms: vec![arm("base"), arm("wide"), arm("wider"), arm("twin")],
        identical: [("twin".to_owned(), "base".to_owned())].into(),
        calls: vec![
            call("dot", "base", &[12_000, 12_000]),
            call("map", "base", &[1_000, 1_003]),
            call("sort", "base", &[30_000, 30_000]),
            call("dot", "wide", &[3_000, 3_000]),
            call("map", "wide", &[900, 900]),
            call("sort", "wide", &[30_001, 30_001]),
        ],
        failures: vec![RunFailure { arm: "wider".into(), benchmark: None, launch: None, reason }],
    }
}

#[test]
fn a_wide_terminal_shows_all_arms_beside_each_other() {
    insta::assert_snapshot!(text(&counts(), 100));
}

#[test]
fn a_narrow_one_shows_them_in_panels() {
    let text = text(&counts(), 60);
    assert!(text.lines().all(|line| line.chars().count() <= 60 || !line.starts_with("dot")), "{text}");
    assert_eq!(text.matches("benchmark ").count(), 2, "{text}");
}

#[test]
fn markdown_has_a_cell_for_every_arm() {
    let text = markdown(&counts());
    assert!(text.contains("|---|---:|---:|---:|---:|\n"), "{text}");
    let row = text.lines().find(|line| line.starts_with("| dot")).unwrap();
    assert_eq!(row.matches('|').count(), 6, "{row}");
}

#[test]
fn the_smallest_change_is_shown() {
    assert_eq!(change(100_000, 100_001), "+<0.1 %");
    assert_eq!(change(100_000, 99_999), "−<0.1 %");
    assert_eq!((change(5, 5).as_str(), change(0, 5).as_str()), ("=", "from none"));
    assert_eq!(change(12_000, 3_000), "−75.0 %");
}
