use super::*;
use crate::measure::{LaunchArm, Sample, Turn};
use crate::plan::fixture::{self, arm};
use crate::plan::{Ffi, Library, Shape, Unit, Workload};
use crate::stats::Interval;

fn slice(iters: u64, wall: u64, cpu_ns: u64, loop_ns: u64) -> Slice {
    Slice { iters, sample: Sample { value: wall, unit: Unit::Nanos }, cpu_ns, loop_ns }
}

fn called(library: Library) -> Workload {
    let variant = fixture::variant("x86-64");
    Workload::Ffi(Ffi { variant, shape: Shape::Cython, library, python: "python3".into() })
}

fn plan(launches: u32, benchmarks: &[&str]) -> Plan {
    let arms =
        vec![arm("base", Role::Baseline), arm("fast", Role::Candidate), arm("base (A/A)", Role::Control)];
    fixture::plan(launches, arms, benchmarks)
}

/// `time(launch, benchmark, arm, block)` in ns a call.
fn run(plan: &Plan, time: impl Fn(u32, usize, usize, u32) -> u64) -> Run {
    let launch = |index| {
        let mut turns = Vec::new();
        for benchmark in 0..plan.benchmarks.len() {
            for block in 0..plan.budget.blocks {
                for arm in 0..plan.arms.len() {
                    let wall = time(index, benchmark, arm, block) * 10;
                    let slices = vec![slice(10, wall, wall, 0); 3];
                    turns.push(Turn { benchmark, block, position: 0, arm, slices });
                }
            }
        }
        let process = |arm| LaunchArm {
            arm,
            layout: Some(1),
            pad: 0,
            peak_rss: Some(1000 + u64::from(index)),
            code: None,
            signal: None,
        };
        Launch { index, arms: (0..plan.arms.len()).map(process).collect(), turns }
    };
    Run { launches: (0..plan.budget.launches).map(launch).collect(), ..Run::default() }
}

#[test]
fn a_known_ratio_comes_out_with_the_t_interval() {
    let plan = plan(4, &["a"]);
    // Ratios 0.5·e^(±0.01, ±0.02): mean log ratio ln 0.5.
    let times = [1_010_050, 990_050, 1_020_201, 980_199];
    let analysis = analyse(
        &plan,
        &run(&plan, |launch, _, arm, _| if arm == 1 { times[launch as usize] } else { 2_000_000 }),
    );
    let row = &analysis.rows[0];
    let estimate = row.estimate.unwrap();
    assert!((estimate.ratio - 0.5).abs() < 1e-6, "{estimate:?}");
    // sd = sqrt((1+1+4+4)e-4/3) = 0.018257; half = t(0.975, 3) · sd / 2 = 3.182446 · 0.0091287 = 0.029051.
    assert!((estimate.launch_sd - 0.018_257).abs() < 1e-5);
    assert!((estimate.interval.hi.ln() - (0.5_f64.ln() + 0.029_051)).abs() < 1e-5);
    assert_eq!((row.baseline_value, row.unit), (2_000_000.0, Unit::Nanos));
    let control = analysis.rows[1].estimate.unwrap();
    assert_eq!((control.ratio, analysis.rows[1].role), (1.0, Role::Control));
    assert_eq!(analysis.arms[0].peak_rss, Some(1001.5));
}

#[test]
fn calls_from_python_have_an_interval_of_the_value_itself() {
    let mut plan = plan(8, &["a"]);
    let time = |launch: u32, _, arm: usize, _| 100 + if arm == 1 { u64::from(launch) } else { 0 };
    assert_eq!(analyse(&plan, &run(&plan, time)).rows[0].value_interval, None, "a kernel has none");
    plan.arms.iter_mut().for_each(|arm| arm.workload = called(Library::Cdylib));
    let row = analyse(&plan, &run(&plan, time)).rows[0].clone();
    // Of eight values the second and the seventh hold the median with 93 %, the first and the last with 99 %.
    assert_eq!(row.value_interval, Some(Interval { lo: 100.0, hi: 107.0 }));
    assert_eq!((row.value, row.baseline_interval), (103.5, Some(Interval { lo: 100.0, hi: 100.0 })));
}

#[test]
fn only_what_counts_time_is_measured_time() {
    let plan = plan(2, &["clean build", "size"]);
    let mut run = run(&plan, |_, _, _, _| 1_000_000);
    // Three slices of 10 ms a turn.
    let known = run.launches.iter().map(|launch| launch.turns.len()).sum::<usize>() as f64 * 0.03;
    let measured = |run: &Run| analyse(&plan, run).arms.iter().map(|arm| arm.measured_seconds).sum::<f64>();
    assert!((measured(&run) - known).abs() < 1e-9, "{}", measured(&run));
    let sizes =
        run.launches.iter_mut().flat_map(|launch| &mut launch.turns).filter(|turn| turn.benchmark == 1);
    sizes.flat_map(|turn| &mut turn.slices).for_each(|slice| slice.sample.unit = Unit::Bytes);
    assert!((measured(&run) - known / 2.0).abs() < 1e-9, "{}", measured(&run));
}

#[test]
fn an_outlying_block_does_not_move_a_launch() {
    let plan = plan(8, &["a"]);
    let time = |_, _, arm, block| if block == 0 && arm == 1 { 9_000 } else { 1_000 };
    let analysis = analyse(&plan, &run(&plan, time));
    assert!((analysis.rows[0].estimate.unwrap().ratio - 1.0).abs() < 1e-12);
}

#[test]
fn a_turn_is_worth_its_least_disturbed_slice() {
    let clean = slice(2, 200, 200, 0);
    let disturbed = slice(1, 900, 100, 0);
    assert_eq!(block_value(&[disturbed, clean, disturbed]), Some(100.0));
    assert_eq!(block_value(&[disturbed]), Some(900.0));
    assert_eq!(block_value(&[]), None);
}

#[test]
fn what_was_measured_and_has_no_value_is_named() {
    let plan = plan(2, &["a", "b"]);
    let mut run = run(&plan, |_, _, _, _| 100);
    let warned = |run: &Run| {
        let all = analyse(&plan, run).warnings;
        all.into_iter().filter(|warning| matches!(warning, Warning::NoNumbers { .. })).collect::<Vec<_>>()
    };
    assert_eq!(warned(&run), []);
    let turns = run.launches.iter_mut().flat_map(|launch| &mut launch.turns);
    for turn in turns.filter(|turn| (turn.benchmark, turn.arm) == (1, 1)) {
        turn.slices.iter_mut().for_each(|slice| slice.loop_ns = slice.sample.value);
    }
    assert_eq!(analyse(&plan, &run).rows.iter().filter(|row| row.benchmark == "b").count(), 1, "the control");
    assert_eq!(warned(&run), [Warning::NoNumbers { benchmark: "b".into(), arm: "fast".into() }]);
    // What was not measured is a failure, and not named twice.
    run.launches.iter_mut().for_each(|launch| launch.turns.retain(|turn| turn.benchmark == 0));
    assert_eq!(warned(&run), []);
}

#[test]
fn an_empty_loop_is_subtracted_by_its_own_least_disturbed_run() {
    let slice = |wall, empty| slice(10, wall, wall, empty);
    assert_eq!(block_value(&[slice(300, 100), slice(320, 100)]), Some(20.0));
    // A disturbance of the empty loop must not make the calls look cheaper.
    assert_eq!(block_value(&[slice(300, 250), slice(310, 100)]), Some(20.0));
    assert_eq!(block_value(&[slice(100, 100)]), None, "a call that takes no time was not measured");
}

#[test]
fn the_geometric_mean_spans_short_benchmarks_and_keeps_launches_whole() {
    let mut plan = plan(6, &["a", "b", "c", "long"]);
    plan.benchmarks[3].long = true;
    let ratios = [800, 1_000, 1_250, 10];
    let time = |_, benchmark: usize, arm, _| if arm == 1 { ratios[benchmark] } else { 1_000 };
    let analysis = analyse(&plan, &run(&plan, time));
    let mean = analysis.arms[1].geometric_mean.clone().unwrap();
    assert!((mean.ratio - 1.0).abs() < 1e-9, "0.8 · 1 · 1.25 = 1: {mean:?}");
    assert_eq!(mean.benchmarks, 3);
    assert!(mean.suite.width() < 1e-9, "launches agree exactly");
    assert!(mean.code_like_this.unwrap().width() > 0.05, "benchmarks do not");
}

#[test]
fn identical_code_is_measured_once_and_said_so() {
    let mut plan = plan(4, &["a"]);
    plan.arms.insert(2, arm("twin", Role::Candidate));
    plan.arms.insert(3, arm("same as base", Role::Candidate));
    let mut run = run(&plan, |_, _, arm, _| if arm == 1 { 500 } else { 1_000 });
    for launch in &mut run.launches {
        launch.turns.retain(|turn| turn.arm != 2 && turn.arm != 3);
    }
    run.facts =
        plan.arms.iter().map(|arm| ArmFacts { arm: arm.name.clone(), ..ArmFacts::default() }).collect();
    run.facts[2].identical_to = Some("fast".into());
    run.facts[3].identical_to = Some("base".into());
    let analysis = analyse(&plan, &run);
    assert_eq!(analysis.rows[1].measured_as.as_deref(), Some("fast"));
    assert_eq!(analysis.rows[1].estimate, analysis.rows[0].estimate);
    assert_eq!((analysis.rows[2].measured_as.as_deref(), analysis.rows[2].estimate), (Some("base"), None));
}

#[test]
fn layout_share_tells_launches_from_blocks() {
    let plan = plan(16, &["a"]);
    let by_launch = analyse(
        &plan,
        &run(&plan, |launch, _, arm, _| 1_000 + if arm == 1 { u64::from(launch) * 10 } else { 0 }),
    );
    assert!(by_launch.rows[0].estimate.unwrap().layout_share.unwrap() > 0.99);
    let by_block = |launch: u32, _, arm, block: u32| {
        1_000 + if arm == 1 { u64::from((block * 7 + launch * 3) % 5) * 10 } else { 0 }
    };
    let noisy = analyse(&plan, &run(&plan, by_block));
    assert!(noisy.rows[0].estimate.unwrap().layout_share.unwrap() < 0.5);
}

#[test]
fn an_interrupted_and_a_preempted_run_is_said_to_be_so() {
    let mut plan = plan(4, &["a"]);
    let mut run = run(&plan, |_, _, _, _| 1_000);
    plan.budget.launches = 16;
    run.launches[0]
        .turns
        .iter_mut()
        .for_each(|turn| turn.slices.iter_mut().for_each(|slice| slice.sample.value *= 2));
    run.launches[1].arms[0].layout = None;
    let mut prebuilt = plan.clone();
    prebuilt.arms[0].workload = called(Library::File("a.so".into()));
    assert!(!analyse(&prebuilt, &run).warnings.contains(&Warning::OneLayout), "nobody can link that file");
    let analysis = analyse(&plan, &run);
    assert_eq!(
        analysis.warnings,
        [
            Warning::Preempted { share: 0.25 },
            Warning::OneLayout,
            Warning::Interrupted { finished: 4, planned: 16 },
            Warning::FewLaunches { finished: 4 },
        ]
    );
}

#[test]
fn two_groups_of_launches_are_noticed() {
    let plan = plan(16, &["a"]);
    let two = |launch, _, arm, _| if arm == 1 && launch % 2 == 0 { 1_200 } else { 1_000 };
    let analysis = analyse(&plan, &run(&plan, two));
    assert!(analysis.warnings.contains(&Warning::Bimodal { benchmark: "a".into(), arm: "fast".into() }));
    let spread = |launch, _, arm, _| 1_000 + if arm == 1 { u64::from(launch) * 20 } else { 0 };
    assert!(analyse(&plan, &run(&plan, spread)).warnings.is_empty());
}

#[test]
fn no_launches_make_no_rows_and_no_panic() {
    let plan = plan(2, &["a"]);
    let analysis = analyse(&plan, &Run::default());
    assert_eq!((analysis.rows.len(), analysis.launches), (0, 0));
    assert!(analysis.arms.iter().all(|arm| arm.geometric_mean.is_none()));
}

#[test]
fn what_cargo_built_otherwise_is_warned_of_by_arm() {
    let plan = plan(8, &["a"]);
    let mut run = run(&plan, |_, _, _, _| 1_000);
    let facts = |arm: &str, compiler: &str| ArmFacts {
        arm: arm.to_owned(),
        compiler: compiler.to_owned(),
        ..ArmFacts::default()
    };
    run.facts = vec![facts("base", "rustc 1"), facts("fast", "rustc 1"), facts("base (A/A)", "rustc 1")];
    assert_eq!(analyse(&plan, &run).warnings, []);
    run.facts[1].compiler = "rustc 2".to_owned();
    for at in [0, 2] {
        run.facts[at].overridden = vec!["opt-level is 1".to_owned()];
        run.facts[at].other_linker = true;
        run.launches[0].arms[at].layout = None;
    }
    let arms = vec!["base".to_owned()];
    assert_eq!(
        analyse(&plan, &run).warnings,
        [
            Warning::OtherLinker { arms: arms.clone() },
            Warning::Overridden { what: "opt-level is 1".to_owned(), arms },
            Warning::Compilers { compilers: vec!["rustc 1".to_owned(), "rustc 2".to_owned()] },
        ]
    );
}

#[test]
fn benchmarks_without_a_known_answer_are_named() {
    let mut plan = plan(8, &["a", "b"]);
    let measured = run(&plan, |_, _, _, _| 100);
    assert_eq!(analyse(&plan, &measured).warnings, []);
    plan.benchmarks[1].unchecked = true;
    assert_eq!(analyse(&plan, &measured).warnings, [Warning::Unchecked { benchmarks: vec!["b".into()] }]);
    plan.benchmarks[0].unchecked = true;
    assert_eq!(analyse(&plan, &measured).warnings, [Warning::Unchecked { benchmarks: Vec::new() }]);
}
