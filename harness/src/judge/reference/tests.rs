//! Stored values and fingerprints.

use proptest::prelude::*;

use crate::judge::gate::{GateVerdict, Unmatched};
use crate::judge::reference::{
    Anchored, Measured, REFERENCE_SCHEMA, Reference, ReferenceArm, References, bare, changes_code,
    differences, judge_anchored, judge_stored, unmatched,
};
use crate::machine::{Cpu, Environment, Toolchain};
use crate::plan::{Bounds, GateSettings, Measure, WorkloadKind};

fn environment() -> Environment {
    Environment {
        cpu: Cpu {
            brand: "AMD EPYC 7763".into(),
            vendor: "AuthenticAMD".into(),
            family: 25,
            model: 1,
            stepping: 1,
            microarchitecture: Some("Zen 3".into()),
            features: vec!["avx2".into(), "sse2".into()],
            hypervisor: Some("KVM".into()),
        },
        cores: 2,
        memory_bytes: 8 << 30,
        kernel: "Linux 6.18.5".into(),
        os: "Debian".into(),
        quota: None,
        toolchain: Toolchain {
            rustc: "rustc 1.95.0".into(),
            commit: "f00".into(),
            llvm: "22.1".into(),
            host: "x86_64-unknown-linux-gnu".into(),
            cargo: "cargo 1.95.0".into(),
            linker: Some("LLD 22".into()),
            native: "znver3".into(),
        },
        load: Some(0.1),
        governor: None,
        pinned_to: Some(1),
        nice: Some(-10),
        python: None,
    }
}

fn arm(flags: &[&str]) -> ReferenceArm {
    ReferenceArm {
        name: "x86-64".into(),
        profile: "release".into(),
        flags: flags.iter().map(|flag| (*flag).to_owned()).collect(),
    }
}

fn reference(measure: Measure, value: f64) -> Reference {
    Reference {
        benchmark: "b".into(),
        arm: "x86-64".into(),
        measure,
        value,
        lo: value,
        hi: value,
        spread: 0.0,
        launches: 16,
    }
}

fn references() -> References {
    References {
        schema: REFERENCE_SCHEMA,
        suite: "s".into(),
        workload: WorkloadKind::Kernel,
        commit: "c".repeat(40),
        record: "r".into(),
        measured: "t".into(),
        environment: environment(),
        arms: vec![arm(&["-C", "target-cpu=x86-64"])],
        rows: vec![reference(Measure::Time, 100.0)],
    }
}

/// Another machine: one or more of the fields that decide times, changed.
fn other() -> impl Strategy<Value = (Environment, ReferenceArm)> {
    let text = "[a-z]{1,12}";
    let change = (0_usize..13, text, 1_u32..64);
    prop::collection::vec(change, 1..4).prop_map(|changes| {
        let (mut there, mut arm) = (environment(), arm(&["-C", "target-cpu=x86-64"]));
        for (field, word, number) in changes {
            match field {
                0 => there.cpu.brand = format!("Other {word}"),
                1 => there.cpu.family += number,
                2 => there.cpu.model += number,
                3 => there.cpu.stepping += number,
                4 => there.cpu.features.push(format!("avx-{word}")),
                5 => there.cpu.hypervisor = Some(format!("Hyper {word}")),
                6 => there.cores += number as usize,
                7 => there.quota = Some(f64::from(number) / 8.0),
                8 => there.kernel = format!("Linux 9.{number}"),
                9 => there.toolchain.commit = format!("0{number}"),
                10 => there.toolchain.llvm = format!("99.{number}"),
                11 => arm.profile = format!("profile-{word}"),
                _ => arm.flags.push(format!("-Copt-{word}")),
            }
        }
        (there, arm)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn no_other_machine_is_compared_as_times((there, arm) in other()) {
        let found = differences(&references(), &there, std::slice::from_ref(&arm));
        prop_assert!(!found.is_empty());
        for difference in &found {
            prop_assert!(difference.left != difference.right && !difference.field.is_empty());
        }
        // Nor does a stored time judge here.
        prop_assert_eq!(judge_stored(&reference(Measure::Time, 100.0), 1e9, &GateSettings::default()), None);
    }
}

#[test]
fn the_same_machine_under_another_load_is_the_same_machine() {
    let mut now = environment();
    (now.load, now.memory_bytes, now.pinned_to, now.nice) = (Some(7.0), 16 << 30, None, Some(0));
    now.os = "Debian, a point release later".into();
    assert_eq!(differences(&references(), &now, &[arm(&["-C", "target-cpu=x86-64"])]), []);
}

#[test]
fn what_changes_the_code_is_told_from_what_changes_times() {
    let mut there = environment();
    there.cpu.model = 99;
    there.toolchain.native = "znver9".into();
    let plain = [arm(&["-C", "target-cpu=x86-64"])];
    let found = differences(&references(), &there, &plain);
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|difference| !changes_code(difference, &plain)));
    assert!(found.iter().any(|difference| changes_code(difference, &[arm(&["-C", "target-cpu=native"])])));
    there.toolchain.llvm = "1".into();
    assert!(
        differences(&references(), &there, &plain).iter().any(|difference| changes_code(difference, &plain))
    );
}

#[test]
fn exact_values_are_judged_by_what_they_may_grow() {
    let settings = GateSettings { size: 0.01, memory: 0.05, count: 0.0, ..GateSettings::default() };
    let verdict =
        |measure, value| judge_stored(&reference(measure, 1_000.0), value, &settings).unwrap().verdict;
    assert_eq!(verdict(Measure::FileSize, 1_010.0), GateVerdict::Passed);
    assert_eq!(verdict(Measure::FileSize, 1_011.0), GateVerdict::Regressed);
    assert_eq!(verdict(Measure::CodeSize, 900.0), GateVerdict::Passed);
    assert_eq!(verdict(Measure::Memory, 1_049.0), GateVerdict::Passed);
    assert_eq!(verdict(Measure::Memory, 1_051.0), GateVerdict::Regressed);
    assert_eq!(verdict(Measure::Instructions, 1_000.0), GateVerdict::Passed);
    assert_eq!(verdict(Measure::Instructions, 1_001.0), GateVerdict::Regressed);
    let row = judge_stored(&reference(Measure::Instructions, 1_000.0), 1_001.0, &settings).unwrap();
    assert!(row.why.contains("1001 instructions, accepted were 1000 (+0.10 %)"), "{}", row.why);
    for time in [Measure::Time, Measure::P50, Measure::P99, Measure::CleanBuild, Measure::Rebuild] {
        assert_eq!(judge_stored(&reference(time, 1_000.0), 9_000.0, &settings), None, "{time:?}");
    }
}

#[test]
fn an_anchor_finds_large_changes_and_admits_small_ones() {
    let measured = |value| Measured { value, spread: 0.01, launches: 16 };
    let judged = |value: f64, between_runs| {
        let anchored = Anchored {
            reference: measured(100.0),
            anchor_reference: measured(50.0),
            // The whole machine is a fifth slower today.
            value: measured(value * 1.2),
            anchor: measured(60.0),
            between_runs,
            runs: 30,
        };
        let bounds = Bounds { noise_threshold: 0.01, tolerance: 0.05 };
        judge_anchored(bare(&reference(Measure::Time, 100.0)), &anchored, bounds)
    };
    assert_eq!(judged(100.0, 0.005).verdict, GateVerdict::Passed, "{}", judged(100.0, 0.005).why);
    assert_eq!(judged(130.0, 0.005).verdict, GateVerdict::Regressed);
    assert_eq!(judged(104.0, 0.005).verdict, GateVerdict::Inconclusive);
    assert_eq!(judged(130.0, 0.2).verdict, GateVerdict::Inconclusive, "runs that differ by a fifth");
    assert!(judged(104.0, 0.005).why.contains("--against REV"));
}

#[test]
fn what_has_no_counterpart_says_what_to_do() {
    for (how, says) in [(Unmatched::New, "has no reference"), (Unmatched::Gone, "without a benchmark")] {
        let row = unmatched("b", "a", Measure::Time, how);
        assert!(row.why.contains(says) && row.verdict == (GateVerdict::Unmatched { how }), "{}", row.why);
    }
}
