//! Rows of a record of the lab.

use crate::analyse::{Analysis, FailureReason, Row, RunFailure, Values, Warning};
use crate::judge::{JudgedRow, Judgement};
use crate::machine::Environment;
use crate::measure::ArmFacts;
use crate::plan::{Arm, Built, Plan, Role, Source as Origin};
use crate::rows::{Change, Measured, Missing, Rows};

/// What is known of a record, as far as rows need it.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The record's name.
    pub name: &'a str,
    /// When it was begun.
    pub started: &'a str,
    /// The command that made it.
    pub command: &'a str,
    /// The version of the lab.
    pub perflab: &'a str,
    /// What was planned.
    pub plan: &'a Plan,
    /// Where it ran.
    pub environment: &'a Environment,
    /// What follows from the samples.
    pub analysis: &'a Analysis,
    /// What was decided about it.
    pub judgement: &'a Judgement,
    /// The value of every launch.
    pub values: &'a [Values],
}

/// The rows of a record: each benchmark of the baseline and of every candidate. Controls are left out; an arm with
/// another's code is `missing` and says whose. `sentence` puts a reason for failure into words.
#[must_use]
pub fn of_record(source: &Source<'_>, sentence: &dyn Fn(&FailureReason) -> String) -> Rows {
    let Source { plan, analysis, .. } = *source;
    let mut rows = Vec::new();
    let mut missing = Vec::new();
    for (index, arm) in plan.arms.iter().enumerate().filter(|(_, arm)| arm.role != Role::Control) {
        let facts = analysis.arms.get(index).map(|summary| &summary.facts);
        let name = series(arm);
        if let Some(twin) = facts.and_then(|facts| facts.identical_to.as_ref()) {
            let reason = format!("identical code to {twin}, which was measured in its stead");
            missing.push(Missing { benchmark: None, arm: name, reason, broken: false, identical: false });
            continue;
        }
        let build = match plan.traits().built {
            Built::Never => arm.workload.command().join(" "),
            Built::Once | Built::EveryTurn => build_of(arm.profile(), facts),
        };
        for values in source.values.iter().filter(|values| values.arm == index) {
            rows.extend(measured(source, values, &build));
        }
    }
    let is_control = |failure: &&RunFailure| {
        plan.arms.iter().any(|arm| arm.name == failure.arm && arm.role == Role::Control)
    };
    let failures = analysis.failures.iter().filter(|failure| !is_control(failure));
    missing.extend(failures.map(|failure| Missing {
        benchmark: failure.benchmark.clone(),
        arm: plan.arms.iter().find(|arm| arm.name == failure.arm).map_or(failure.arm.clone(), series),
        reason: sentence(&failure.reason),
        broken: failure.is_broken(),
        identical: false,
    }));
    // Named here too: a case that nobody sees passes.
    missing.extend(analysis.warnings.iter().filter_map(|warning| match warning {
        Warning::NoNumbers { benchmark, arm } => Some(Missing {
            benchmark: Some(benchmark.clone()),
            arm: plan.arms.iter().find(|known| known.name == *arm).map_or(arm.clone(), series),
            reason: "what was measured is not above 0".to_owned(),
            broken: false,
            identical: false,
        }),
        _ => None,
    }));
    missing.dedup();
    Rows {
        name: source.name.to_owned(),
        suite: plan.suite.clone(),
        started: source.started.to_owned(),
        arms_are: arms_are(plan).to_owned(),
        command: source.command.to_owned(),
        made_by: format!("perflab {}", source.perflab),
        environment: Some(source.environment.clone()),
        rows,
        missing,
    }
}

fn measured(source: &Source<'_>, values: &Values, build: &str) -> Option<Measured> {
    let Source { plan, analysis, judgement, .. } = *source;
    let (benchmark, arm) = (&plan.benchmarks[values.benchmark], &plan.arms[values.arm]);
    let same = |row: &Row| row.benchmark == benchmark.name && row.arm == arm.name;
    let found = analysis.rows.iter().zip(&judgement.rows).find(|(row, _)| same(row));
    let change = found.and_then(|(row, JudgedRow { verdict, .. })| {
        let estimate = row.estimate?;
        let baseline = series(plan.baseline());
        Some(Change {
            baseline,
            ratio: estimate.ratio,
            interval: estimate.interval,
            verdict: verdict.clone(),
        })
    });
    Some(Measured {
        benchmark: benchmark.name.clone(),
        arm: series(arm),
        measure: benchmark.measure,
        value: values.median()?,
        interval: values.interval(),
        launches: values.launches.clone(),
        change,
        build: build.to_owned(),
        throughput: None,
        exit_codes: values.codes.clone(),
    })
}

/// The name of an arm over time. A gate's reference is another commit every time, and its rows are one series all the
/// same.
fn series(arm: &Arm) -> String {
    let commit = arm.workload.variant().map(|variant| &variant.source);
    let of_commit = || Some(arm.name.rsplit_once(" @ ")?.0);
    match commit {
        Some(Origin::Commit(_)) => of_commit().map_or(arm.name.clone(), |name| format!("{name} @ reference")),
        _ => arm.name.clone(),
    }
}

/// `cpu` where arms are flag sets and nothing else.
fn arms_are(plan: &Plan) -> &'static str {
    let differs = |of: fn(&Arm) -> &str| plan.arms.iter().any(|arm| of(arm) != of(plan.baseline()));
    match plan.traits().arms_are {
        "cpu" if !differs(Arm::flagset) || differs(Arm::profile) => "arm",
        other => other,
    }
}

fn build_of(profile: &str, facts: Option<&ArmFacts>) -> String {
    let flags = facts.map(|facts| facts.flags.join(" ")).unwrap_or_default();
    [profile, &flags].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}
