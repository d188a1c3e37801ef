use super::*;
use crate::machine::{Cpu, Toolchain};
use crate::plan::fixture::{self, arm};
use crate::plan::{BuildSettings, CargoBuild, Unit, Workload, WorkloadKind};

const POLICY: Policy = Policy { noise_threshold: 0.01 };

fn row(benchmark: &str, arm: &str, lo: f64, hi: f64) -> Row {
    let ratio = (lo * hi).sqrt();
    // Launches whose t interval is about lo..hi.
    let spread = (hi / lo).ln() / 2.0;
    let launches =
        (0..16).map(|index| ratio.ln() + spread * if index % 2 == 0 { 1.8 } else { -1.8 }).collect();
    Row {
        benchmark: benchmark.into(),
        arm: arm.into(),
        role: if arm.contains("A/A") { Role::Control } else { Role::Candidate },
        unit: Unit::Nanos,
        baseline_value: 1.0,
        value: ratio,
        baseline_interval: None,
        value_interval: None,
        launches,
        estimate: Some(RowEstimate {
            ratio,
            interval: Interval { lo, hi },
            launch_sd: spread,
            layout_share: None,
            minimum_detectable: None,
            launches_to_decide: Some(40),
        }),
        measured_as: None,
    }
}

#[test]
fn verdicts_need_the_whole_interval() {
    let of = |lo, hi| verdicts(&[row("a", "x", lo, hi)], POLICY).remove(0);
    assert_eq!(of(0.90, 0.98), Verdict::Improved);
    assert_eq!(of(1.02, 1.10), Verdict::Regressed);
    assert_eq!(of(0.995, 1.005), Verdict::NoChange);
    let wide = Verdict::Inconclusive { reason: "about 40 launches would decide".into() };
    for (lo, hi) in [(0.98, 0.995), (0.985, 1.005), (0.5, 2.0), (1.005, 1.02)] {
        assert_eq!(of(lo, hi), wide, "{lo} {hi}");
    }
}

#[test]
fn many_rows_together_raise_the_bar_for_each() {
    let odd = row("odd", "x", 1.011, 1.05);
    assert_eq!(verdicts(std::slice::from_ref(&odd), POLICY), [Verdict::Regressed]);
    let mut table = vec![odd];
    table.extend((0..100).map(|index| row(&index.to_string(), "x", 0.998, 1.002)));
    let judged = verdicts(&table, POLICY);
    assert!(
        matches!(&judged[0], Verdict::Inconclusive { reason } if reason.contains("not among so many rows")),
        "{:?}",
        judged[0]
    );
    assert!(judged[1..].iter().all(|verdict| *verdict == Verdict::NoChange));
}

#[test]
fn a_value_without_spread_is_judged_by_itself() {
    let effect = |mean| Effect { mean, sd: 0.0, launches: 4 };
    assert_eq!(adjusted(&[effect(0.02), effect(-0.02), effect(0.009)], POLICY), [0.0, 0.0, 1.0]);
}

#[test]
fn answers_follow_the_interval_of_the_speed_up() {
    let margin = Margin { lo: 1.1, hi: 1.3 };
    let of = |lo, hi| answer_of(Interval { lo, hi }, margin);
    assert_eq!(of(0.90, 0.95), Answer::Negative);
    assert_eq!(of(0.98, 1.02), Answer::Below);
    assert_eq!(of(1.02, 1.05), Answer::Below);
    assert_eq!(of(1.10, 1.30), Answer::Inside);
    assert_eq!(of(1.31, 1.50), Answer::Above);
    assert_eq!(of(1.05, 1.15), Answer::CannotTell);
    assert_eq!(of(1.25, 1.35), Answer::CannotTell);
    assert_eq!(
        answer_of(Interval { lo: 5.0, hi: 6.0 }, Margin { lo: 1.1, hi: f64::INFINITY }),
        Answer::Inside
    );
}

fn plan(benchmarks: &[&str]) -> Plan {
    let arms =
        vec![arm("base", Role::Baseline), arm("znver4", Role::Candidate), arm("base (A/A)", Role::Control)];
    let claim = Claim {
        id: "c".into(),
        text: "t".into(),
        baseline: "base".into(),
        candidate: "znver4".into(),
        margin: Margin { lo: 1.1, hi: 1.3 },
        benchmarks: vec![],
        cpu: Some("znver4".into()),
    };
    Plan { claims: vec![claim], ..fixture::plan(16, arms, benchmarks) }
}

fn environment(microarchitecture: &str) -> Environment {
    Environment {
        cpu: Cpu {
            brand: "CPU".into(),
            vendor: "V".into(),
            family: 1,
            model: 1,
            stepping: 1,
            microarchitecture: Some(microarchitecture.into()),
            features: vec![],
            hypervisor: None,
        },
        cores: 2,
        memory_bytes: 1,
        kernel: "k".into(),
        os: "o".into(),
        quota: None,
        toolchain: Toolchain {
            rustc: "1".into(),
            commit: "c".into(),
            llvm: "1".into(),
            host: "h".into(),
            cargo: "1".into(),
            linker: None,
            native: "n".into(),
        },
        load: Some(0.0),
        governor: None,
        pinned_to: None,
        nice: None,
        python: None,
    }
}

fn analysis(rows: Vec<Row>) -> Analysis {
    Analysis { launches: 16, rows, arms: vec![], failures: vec![], warnings: vec![] }
}

#[test]
fn a_claim_is_counted_by_row_and_kept_from_other_cpus() {
    let plan = plan(&["inside", "above", "below", "same", "slower", "wide"]);
    let rows = vec![
        row("inside", "znver4", 1.0 / 1.25, 1.0 / 1.15),
        row("above", "znver4", 0.4, 0.5),
        row("below", "znver4", 1.0 / 1.06, 1.0 / 1.04),
        row("same", "znver4", 0.995, 1.005),
        row("slower", "znver4", 1.05, 1.06),
        row("wide", "znver4", 0.8, 1.2),
        row("inside", "base (A/A)", 0.999, 1.001),
    ];
    let judged = judge(&plan, &environment("Zen 5"), &analysis(rows.clone()), None);
    let answer = &judged.claims[0];
    assert_eq!(
        answer.rows,
        RowCount { inside: 1, above: 1, below: 1, no_change: 1, slower: 1, undecided: 1 }
    );
    assert_eq!(answer.total(), 6);
    assert_eq!(answer.reservation.as_deref(), Some("this CPU is Zen 5"));
    assert!(answer.speed_up.unwrap() > 1.0 && answer.code_like_this.is_some());
    assert_eq!(
        (judged.controls[0].rows, judged.controls[0].false_alarms, judged.controls[0].voids),
        (1, 0, false)
    );
    assert_eq!(judge(&plan, &environment("Zen 4"), &analysis(rows), None).claims[0].reservation, None);
}

#[test]
fn a_control_that_differs_from_itself_voids_everything() {
    let plan = plan(&["a"]);
    let rows = vec![row("a", "znver4", 0.84, 0.85), row("a", "base (A/A)", 1.05, 1.06)];
    let judged = judge(&plan, &environment("Zen 4"), &analysis(rows), None);
    assert!(judged.controls[0].voids && judged.controls[0].false_alarms == 1);
    assert!(
        matches!(&judged.rows[0].verdict, Verdict::Inconclusive { reason } if reason.contains("A/A control"))
    );
    assert_eq!(judged.claims[0].answer, Answer::CannotTell);
}

#[test]
fn an_arm_that_was_not_measured_cannot_be_told() {
    let judged = judge(
        &plan(&["a"]),
        &environment("Zen 4"),
        &analysis(vec![row("a", "base (A/A)", 0.999, 1.001)]),
        None,
    );
    let answer = &judged.claims[0];
    assert_eq!((answer.answer, answer.total()), (Answer::CannotTell, 0));
    assert_eq!(answer.reservation.as_deref(), Some("znver4 was not measured here"));
}

#[test]
fn identical_code_answers_with_a_speed_up_of_one() {
    let twin = Row {
        estimate: None,
        launches: vec![],
        measured_as: Some("base".into()),
        ..row("a", "znver4", 1.0, 1.0)
    };
    let judged = judge(&plan(&["a"]), &environment("Zen 4"), &analysis(vec![twin]), None);
    assert_eq!((judged.claims[0].answer, judged.claims[0].speed_up), (Answer::Below, Some(1.0)));
    assert_eq!(judged.claims[0].reservation.as_deref(), Some("identical code"));
    assert_eq!(judged.rows[0].verdict, Verdict::NoChange);
}

#[test]
fn a_stored_calibration_bounds_false_alarms_for_its_own_machine_only() {
    let aa = CalibrationRow {
        benchmark: "a".into(),
        launches: 16,
        comparisons: 1000,
        alarms: 0,
        covered: 950,
        median_error: 0.0,
        launch_sd: 0.0,
    };
    let stored = Calibration {
        gate: None,
        schema: 1,
        finished: String::new(),
        command: String::new(),
        environment: environment("Zen 5"),
        noise_threshold: 0.01,
        workload: WorkloadKind::Kernel,
        experiments: Experiments { count: 300, alarmed: 0 },
        aa: vec![aa],
        injected: vec![],
        crosstalk: None,
        relink_seconds: 0.0,
        coverage: None,
    };
    let bound = |environment: &Environment| {
        judge(&plan(&[]), environment, &analysis(vec![]), Some(&stored)).false_alarms.unwrap()
    };
    let here = bound(&environment("Zen 5"));
    // The rule of three, exactly: 1 − 0.05^(1/1000).
    assert!((here.bound - 0.002_991).abs() < 1e-6, "{}", here.bound);
    assert!((here.experiments_bound - 0.009_936).abs() < 1e-6, "{}", here.experiments_bound);
    assert!(here.same_machine);
    let mut builds = plan(&[]);
    builds.arms[0].workload = Workload::Build(CargoBuild {
        variant: fixture::variant("x86-64"),
        settings: BuildSettings::default(),
    });
    let judged = judge(&builds, &environment("Zen 5"), &analysis(vec![]), Some(&stored));
    assert_eq!(judged.false_alarms, None, "kernels say nothing of builds");
    let mut other = environment("Zen 5");
    other.toolchain.llvm = "2".into();
    assert!(!bound(&other).same_machine);
}
