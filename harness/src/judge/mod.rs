//! Policy: verdicts on rows, answers to claims. Pure.

mod calibration;
mod types;

pub use calibration::{Calibration, CalibrationRow, InjectedRow};
pub use types::{
    Answer, ClaimAnswer, ControlResult, Crosstalk, FalseAlarms, JudgedRow, Judgement, Policy, RowCount,
    Verdict,
};

use crate::analyse::{Analysis, Row, RowEstimate, geometric_mean};
use crate::machine::Environment;
use crate::plan::{Claim, Margin, Plan, Role};
use crate::stats::{Interval, clopper_pearson_upper, mean_interval};

/// The level at which a control voids its run, before it is divided by the number of controls.
const CONTROL_LEVEL: f64 = 0.001;

/// Judges an analysis by the plan's own thresholds and the machine's stored calibration.
#[must_use]
pub fn judge(
    plan: &Plan,
    environment: &Environment,
    analysis: &Analysis,
    calibration: Option<&Calibration>,
) -> Judgement {
    let policy = Policy { noise_threshold: plan.noise_threshold };
    let controls = controls(plan, analysis, policy);
    let void = controls.iter().any(|control| control.voids);
    let rows = analysis.rows.iter().map(|row| JudgedRow {
        benchmark: row.benchmark.clone(),
        arm: row.arm.clone(),
        verdict: if void { environment_spoiled() } else { verdict(row, policy) },
    });
    Judgement {
        policy,
        rows: rows.collect(),
        claims: plan
            .claims
            .iter()
            .map(|claim| answer(plan, environment, analysis, policy, void, claim))
            .collect(),
        controls,
        false_alarms: calibration.map(|stored| false_alarms(stored, environment)),
        crosstalk: calibration.and_then(|stored| stored.crosstalk.clone()),
    }
}

fn environment_spoiled() -> Verdict {
    Verdict::Inconclusive {
        reason: "the A/A control differs from itself: something else disturbs this machine".to_owned(),
    }
}

/// What one row's interval says.
#[must_use]
pub fn verdict(row: &Row, policy: Policy) -> Verdict {
    let Some(estimate) = &row.estimate else {
        return match &row.measured_as {
            Some(_) => Verdict::NoChange,
            None => Verdict::Inconclusive { reason: "fewer than two launches".to_owned() },
        };
    };
    let threshold = policy.noise_threshold.ln_1p();
    let log = estimate.interval.map(f64::ln);
    if log.hi < -threshold {
        Verdict::Improved
    } else if log.lo > threshold {
        Verdict::Regressed
    } else if log.within(&Interval { lo: -threshold, hi: threshold }) {
        Verdict::NoChange
    } else {
        Verdict::Inconclusive { reason: undecided(estimate) }
    }
}

fn undecided(estimate: &RowEstimate) -> String {
    match estimate.launches_to_decide {
        Some(launches) => format!("about {launches} launches would decide"),
        None => "the effect is about as large as the noise threshold".to_owned(),
    }
}

fn controls(plan: &Plan, analysis: &Analysis, policy: Policy) -> Vec<ControlResult> {
    let arms = plan.arms.iter().filter(|arm| arm.role == Role::Control);
    let count = arms.clone().count().max(1);
    let judged = arms.filter_map(|arm| {
        let mean = geometric_mean(plan, &analysis.rows, &arm.name, None)
            .or_else(|| geometric_mean(plan, &analysis.rows, &arm.name, Some(&all_names(plan))))?;
        let rows: Vec<&Row> = analysis.rows.iter().filter(|row| row.arm == arm.name).collect();
        let alarm = |row: &&&Row| matches!(verdict(row, policy), Verdict::Improved | Verdict::Regressed);
        Some(ControlResult {
            arm: arm.name.clone(),
            ratio: mean.ratio,
            interval: mean.suite,
            false_alarms: rows.iter().filter(alarm).count(),
            rows: rows.len(),
            voids: rows.iter().any(|row| voids(row, policy, count * rows.len())),
        })
    });
    judged.collect()
}

fn all_names(plan: &Plan) -> Vec<String> {
    plan.benchmarks.iter().map(|benchmark| benchmark.name.clone()).collect()
}

/// A control row voids when its interval at the corrected level excludes 1 and its estimate is beyond the
/// noise threshold: both, because either alone happens on a sound machine.
fn voids(row: &Row, policy: Policy, comparisons: usize) -> bool {
    let level = CONTROL_LEVEL / comparisons.max(1) as f64;
    let Some(log) = mean_interval(&row.launches, 1.0 - level) else {
        return false;
    };
    row.launches.len() > 3 && !log.interval.contains(0.0) && log.mean.abs() > policy.noise_threshold.ln_1p()
}

fn false_alarms(stored: &Calibration, environment: &Environment) -> FalseAlarms {
    let (comparisons, alarms) = (stored.comparisons(), stored.alarms());
    let count = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
    FalseAlarms {
        comparisons,
        alarms,
        bound: clopper_pearson_upper(count(alarms), count(comparisons), 0.95).unwrap_or(1.0),
        machine: stored.environment.class(),
        same_machine: stored.environment.differences(environment).is_empty(),
    }
}

fn answer(
    plan: &Plan,
    environment: &Environment,
    analysis: &Analysis,
    policy: Policy,
    void: bool,
    claim: &Claim,
) -> ClaimAnswer {
    let concerned = |row: &&Row| {
        let short =
            || plan.benchmarks.iter().any(|benchmark| benchmark.name == row.benchmark && !benchmark.long);
        let named =
            if claim.benchmarks.is_empty() { short() } else { claim.benchmarks.contains(&row.benchmark) };
        row.arm == claim.candidate && named
    };
    let rows: Vec<&Row> = analysis.rows.iter().filter(concerned).collect();
    let only = (!claim.benchmarks.is_empty()).then_some(claim.benchmarks.as_slice());
    let mean = geometric_mean(plan, &analysis.rows, &claim.candidate, only);
    let same = !rows.is_empty() && rows.iter().all(|row| row.estimate.is_none() && row.measured_as.is_some());
    let speed_up = if same { Some(1.0) } else { mean.as_ref().map(|mean| 1.0 / mean.ratio) };
    let interval = if same {
        Some(Interval { lo: 1.0, hi: 1.0 })
    } else {
        mean.as_ref().map(|mean| mean.suite.map(f64::recip))
    };
    let mut counts = RowCount::default();
    for row in &rows {
        *place(row, claim.margin, policy, &mut counts) += 1;
    }
    ClaimAnswer {
        answer: interval
            .filter(|_| !void)
            .map_or(Answer::CannotTell, |interval| answer_of(interval, claim.margin)),
        reservation: reservation(environment, analysis, void, claim, same, rows.is_empty()),
        speed_up,
        interval,
        code_like_this: mean.and_then(|mean| mean.code_like_this).map(|interval| interval.map(f64::recip)),
        rows: counts,
        claim: claim.clone(),
    }
}

/// Where the whole interval of the speed-up lies.
fn answer_of(interval: Interval, margin: Margin) -> Answer {
    if interval.hi < margin.lo {
        if interval.hi < 1.0 { Answer::Negative } else { Answer::Below }
    } else if interval.lo > margin.hi {
        Answer::Above
    } else if interval.lo >= margin.lo && interval.hi <= margin.hi {
        Answer::Inside
    } else {
        Answer::CannotTell
    }
}

fn place<'a>(row: &Row, margin: Margin, policy: Policy, counts: &'a mut RowCount) -> &'a mut usize {
    let Some(estimate) = row.estimate else {
        return if row.measured_as.is_some() { &mut counts.no_change } else { &mut counts.undecided };
    };
    let speed_up = estimate.interval.map(f64::recip);
    match (answer_of(speed_up, margin), verdict(row, policy)) {
        (Answer::Inside, _) => &mut counts.inside,
        (Answer::Above, _) => &mut counts.above,
        (_, Verdict::NoChange) => &mut counts.no_change,
        (_, Verdict::Regressed) => &mut counts.slower,
        (Answer::Below, Verdict::Improved) => &mut counts.below,
        (Answer::Below | Answer::Negative | Answer::CannotTell, _) => &mut counts.undecided,
    }
}

fn reservation(
    environment: &Environment,
    analysis: &Analysis,
    void: bool,
    claim: &Claim,
    same: bool,
    nothing: bool,
) -> Option<String> {
    if void {
        return Some("the A/A control differs from itself".to_owned());
    }
    let failures: Vec<_> =
        analysis.failures.iter().filter(|failure| failure.arm == claim.candidate).collect();
    if nothing {
        return Some(format!("{} was not measured here", claim.candidate));
    }
    let mut reasons = Vec::new();
    if claim.cpu.as_deref().is_some_and(|cpu| !environment.is_cpu(cpu)) {
        let here = environment.cpu.microarchitecture.as_ref().unwrap_or(&environment.cpu.brand);
        reasons.push(format!("this CPU is {here}"));
    }
    if same {
        reasons.push("identical code".to_owned());
    }
    if !failures.is_empty() {
        reasons.push(format!(
            "{} benchmark(s) of {} failed and are left out",
            failures.len(),
            claim.candidate
        ));
    }
    (!reasons.is_empty()).then(|| reasons.join("; "))
}

#[cfg(test)]
mod tests;
