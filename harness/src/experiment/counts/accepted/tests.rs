use super::*;
use crate::experiment::counts::table::tests::counts;
use crate::measure::RunFailure;

fn verdicts(accepted: &AcceptedCounts, counts: &CountsFile) -> Vec<(String, Verdict)> {
    let named = |row: Row| (format!("{} {}", row.benchmark, row.arm), row.verdict);
    compare(accepted, counts).into_iter().map(named).collect()
}

fn of(verdicts: &[(String, Verdict)], name: &str) -> Verdict {
    verdicts.iter().find(|(known, _)| known == name).unwrap_or_else(|| panic!("no {name} in {verdicts:?}")).1
}

#[test]
fn the_same_counts_pass_and_what_cannot_run_is_told() {
    let counts = counts();
    let rows = compare(&counts.accepted(), &counts);
    assert_eq!(fold(&rows), Fold::Passes);
    let all = verdicts(&counts.accepted(), &counts);
    assert_eq!(of(&all, "dot wide"), Verdict::Equal);
    assert_eq!(of(&all, "map base"), Verdict::NotGated);
    assert_eq!(of(&all, "dot wider"), Verdict::CannotRun);
    assert!(all.iter().all(|(name, _)| !name.ends_with("twin")), "it is counted with its twin");
}

#[test]
fn one_instruction_more_fails_and_one_less_does_not() {
    let accepted = counts().accepted();
    let mut now = counts();
    now.calls[0].instructions = vec![12_001, 12_001];
    now.calls[3].instructions = vec![2_999, 2_999];
    let all = verdicts(&accepted, &now);
    assert_eq!((of(&all, "dot base"), of(&all, "dot wide")), (Verdict::More, Verdict::Fewer));
    assert_eq!(fold(&compare(&accepted, &now)), Fold::Regressed);
    now.calls[0].instructions = vec![12_000, 12_000];
    assert_eq!(fold(&compare(&accepted, &now)), Fold::Passes);
}

#[test]
fn what_is_new_or_gone_or_broken_fails_and_what_is_not_exact_cannot_tell() {
    let accepted = counts().accepted();
    let mut now = counts();
    now.benchmarks.push("hash".into());
    now.calls
        .push(crate::record::call_counts::CountedCall { benchmark: "hash".into(), ..now.calls[0].clone() });
    now.calls.retain(|call| call.benchmark != "sort" || call.arm != "wide");
    let all = verdicts(&accepted, &now);
    assert_eq!((of(&all, "hash base"), of(&all, "sort wide")), (Verdict::New, Verdict::Gone));
    let reason = FailureReason::Signal { signal: 9 };
    now.failures.push(RunFailure {
        arm: "wide".into(),
        benchmark: Some("sort".into()),
        launch: None,
        reason,
    });
    assert_eq!(of(&verdicts(&accepted, &now), "sort wide"), Verdict::Failed);
    let mut vague = counts();
    vague.calls[0].instructions = vec![12_000, 12_001];
    assert_eq!(of(&verdicts(&accepted, &vague), "dot base"), Verdict::NotExact);
    assert_eq!(fold(&compare(&accepted, &vague)), Fold::Inconclusive);
    assert_eq!(fold(&[]), Fold::Inconclusive, "nothing compared is not a pass");
}

#[test]
fn other_flags_or_another_compiler_are_not_compared() {
    let accepted = counts().accepted();
    let mut now = counts();
    assert_eq!(differences(&accepted, &now), []);
    now.arms[1].flags.push("-C opt-level=1".into());
    now.origin.llvm = "22".into();
    let fields: Vec<_> = differences(&accepted, &now).iter().map(|one| one.field).collect();
    assert_eq!(fields, ["LLVM", "profile or flags"]);
    let mut unbuilt = counts();
    unbuilt.arms[2].flags.clear();
    assert_eq!(differences(&accepted, &unbuilt), [], "an arm that cannot run has nothing to compare");
}

#[test]
fn counts_of_callgrind_hold_for_a_toolchain_and_others_for_a_class_of_machine() {
    let environment = crate::report::fixture::Fixture::small().environment;
    let mut counts = counts();
    let name = |counts: &CountsFile| file(Path::new("f"), counts, &environment).display().to_string();
    let stepped = name(&counts);
    counts.by = CountedBy::Callgrind;
    let grinded = name(&counts);
    assert!(
        grinded.starts_with("f/s-callgrind-rustc-") && grinded.len() < stepped.len(),
        "{grinded} {stepped}"
    );
}
