use proptest::prelude::*;

use crate::history::{History, Quantity, history};
use crate::machine::Environment;
use crate::report::fixture::Fixture;
use crate::rows::fixture::measured;
use crate::rows::{Measure, Rows};
use crate::stats::Search;

const SEARCH: Search = Search { false_alarms: 0.05, seed: 1 };

fn run(index: usize, environment: Option<Environment>, value: f64) -> Rows {
    Rows {
        name: format!("run-{index:02}"),
        suite: "kernels".to_owned(),
        started: format!("2026-11-{:02}T00:00:00Z", index + 1),
        arms_are: "cpu".to_owned(),
        command: String::new(),
        made_by: "perflab 0.1.0".to_owned(),
        environment,
        rows: vec![measured("json/parse", "x86-64", Measure::Time, value)],
        missing: Vec::new(),
    }
}

fn joined(runs: &[Rows]) -> History {
    history(runs, Quantity::Value, SEARCH)
}

#[test]
fn runs_join_in_the_order_of_time_and_a_step_has_its_record() {
    let machine = Fixture::small().environment;
    let value = |index: usize| if index < 12 { 100.0 } else { 120.0 } + (index % 3) as f64;
    let mut runs: Vec<Rows> = (0..24).map(|index| run(index, Some(machine.clone()), value(index))).collect();
    runs.reverse();
    let history = joined(&runs);
    assert_eq!(history.series.len(), 1);
    let series = &history.series[0];
    assert_eq!(series.points[0].record, "run-00");
    let changes: Vec<_> = series.changes.iter().map(|change| (change.at, change.record.as_str())).collect();
    assert_eq!(changes, [(12, "run-12")]);
    assert!((series.changes[0].ratio.unwrap() - 1.2).abs() < 0.01, "{:?}", series.changes);
}

#[test]
fn another_build_suite_or_metric_is_another_series() {
    let machine = Some(Fixture::small().environment);
    let mut runs: Vec<Rows> = (0..4).map(|index| run(index, machine.clone(), 100.0)).collect();
    runs[1].rows[0].build = "ship".to_owned();
    runs[2].suite = "profiles".to_owned();
    runs[3].rows[0].measure = Measure::Instructions;
    assert_eq!(joined(&runs).series.len(), 4);
}

#[test]
fn ratios_follow_candidates_alone() {
    let mut runs = vec![crate::rows::fixture::rows()];
    runs[0].environment = Some(Fixture::small().environment);
    let history = history(&runs, Quantity::Ratio, SEARCH);
    let arms: Vec<&str> = history.series.iter().map(|series| series.arm.as_str()).collect();
    assert_eq!(arms, ["x86-64-v3", "x86-64-v3"]);
    assert_eq!(history.series[0].points[0].value, 1.08);
}

/// A machine that differs from the usual one in one field, or in none.
fn machine(kind: u8) -> Option<Environment> {
    let mut machine = Fixture::small().environment;
    match kind {
        0 => {}
        1 => machine.cpu.brand.push('X'),
        2 => machine.cpu.model += 1,
        3 => machine.cpu.stepping += 1,
        4 => machine.cpu.features.push("avx512f".to_owned()),
        5 => machine.cpu.hypervisor = None,
        6 => machine.cores += 1,
        7 => machine.quota = Some(1.5),
        8 => machine.kernel.push_str("-rt"),
        9 => machine.toolchain.rustc.push('x'),
        10 => machine.toolchain.commit.push('x'),
        11 => machine.toolchain.llvm.push_str(".1"),
        12 => machine.toolchain.linker = None,
        13 => machine.toolchain.native = "znver4".to_owned(),
        _ => return None,
    }
    Some(machine)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]
    #[test]
    fn records_of_another_fingerprint_never_join_a_series(kinds in proptest::collection::vec(0u8..15, 2..9)) {
        let runs: Vec<Rows> =
            kinds.iter().enumerate().map(|(index, kind)| run(index, machine(*kind), 100.0)).collect();
        let history = joined(&runs);
        let mut seen = 0;
        for series in &history.series {
            let kinds: Vec<u8> = series
                .points
                .iter()
                .map(|point| kinds[runs.iter().position(|run| run.name == point.record).expect("a run")])
                .collect();
            prop_assert!(kinds.iter().all(|kind| kind == &kinds[0]), "{kinds:?}");
            seen += kinds.len();
        }
        prop_assert_eq!(seen, runs.len(), "every run is in one series");
        let mut distinct = kinds.clone();
        distinct.sort_unstable();
        distinct.dedup();
        prop_assert_eq!(history.series.len(), distinct.len(), "and equal machines share one");
    }
}

#[test]
fn a_change_from_or_to_nothing_is_one_without_a_ratio() {
    let machine = Fixture::small().environment;
    for (from, to) in [(0.0, 7.0), (7.0, 0.0)] {
        let value = |index: usize| if index < 12 { from } else { to };
        let runs: Vec<Rows> = (0..24).map(|index| run(index, Some(machine.clone()), value(index))).collect();
        let history = joined(&runs);
        let changes = &history.series[0].changes;
        assert_eq!(changes.len(), 1, "{changes:?}");
        let change = &changes[0];
        assert_eq!((change.at, change.ratio), (12, None));
        assert!((change.before - from).abs() < 1e-9 && (change.after - to).abs() < 1e-9, "{change:?}");
        let text = serde_json::to_string(&history).unwrap();
        assert_eq!(serde_json::from_str::<History>(&text).unwrap(), history);
    }
    let still: Vec<Rows> = (0..24).map(|index| run(index, Some(machine.clone()), 0.0)).collect();
    assert!(joined(&still).series[0].changes.is_empty());
}
