//! Policy: verdicts on rows, answers to claims. Pure.

mod calibration;
mod gate;
mod latency;
mod pairs;
mod reference;
mod types;

pub use calibration::{
    CALIBRATION_SCHEMA, Calibration, CalibrationRow, DetectableRow, Experiments, GateCalibration,
    InjectedRow, PowerRow,
};
pub use gate::{
    Allowed, CONFIRM_ALPHA, Confirmation, Confirming, EARLY, Fold, GateReport, GateRow, GateRule,
    GateVerdict, LOOKS, Launches, PASS_ALPHA, Paired, Replayed, SUSPECT_ALPHA, Shown, Standing, Unmatched,
    VOID_ALPHA, gate_report, launches_to_pass, replay,
};
pub use latency::{LatencyJudgement, judge_latency};
pub use pairs::{PairsJudgement, judge_pairs};
pub use reference::{
    Anchored, Measured, REFERENCE_SCHEMA, Reference, ReferenceArm, References, bare, changes_code,
    differences, judge_anchored, judge_stored, unmatched,
};
pub use types::{
    Answer, ClaimAnswer, ControlResult, Crosstalk, FalseAlarms, JudgedRow, Judgement, Policy, RowCount,
    Verdict,
};

use crate::analyse::{Analysis, Row, RowEstimate, RunFailure, geometric_mean};
use crate::machine::Environment;
use crate::plan::{Benchmark, Claim, Margin, Plan, Role};
use crate::stats::{Interval, clopper_pearson_upper, holm, mean_interval, t_cdf};

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
    let verdicts = verdicts(&analysis.rows, policy);
    let controls = controls(plan, analysis, &verdicts, policy);
    let void = controls.iter().any(|control| control.voids);
    let claims = plan.claims.iter().map(|claim| answer(plan, environment, analysis, &verdicts, void, claim));
    let claims = claims.collect();
    let rows = analysis.rows.iter().zip(verdicts).map(|(row, verdict)| JudgedRow {
        benchmark: row.benchmark.clone(),
        arm: row.arm.clone(),
        verdict: if void { environment_spoiled() } else { verdict },
    });
    Judgement {
        policy,
        rows: rows.collect(),
        claims,
        controls,
        false_alarms: calibration
            .filter(|stored| stored.workload == plan.kind())
            .map(|stored| false_alarms(stored, environment)),
        crosstalk: calibration.and_then(|stored| stored.crosstalk.clone()),
    }
}

fn environment_spoiled() -> Verdict {
    Verdict::Inconclusive {
        reason: "the A/A control differs from itself: something else disturbs this machine".to_owned(),
    }
}

/// The verdicts of rows that are shown together, in their order.
///
/// `improved` and `regressed` are said at a level of 5 % for all of the rows at once (Holm's correction over
/// them), so that a table of hundreds of cells does not cry wolf. `no change` needs no correction: it claims no
/// effect.
#[must_use]
pub fn verdicts(rows: &[Row], policy: Policy) -> Vec<Verdict> {
    let effects: Vec<Effect> = rows.iter().map(|row| Effect::of(row).unwrap_or_default()).collect();
    let adjusted = adjusted(&effects, policy);
    rows.iter().zip(adjusted).map(|(row, p)| verdict(row, p, policy)).collect()
}

/// What a p value needs to know of a row.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Effect {
    /// The mean log ratio over launches.
    pub mean: f64,
    /// Its standard deviation over launches.
    pub sd: f64,
    /// How many launches.
    pub launches: usize,
}

impl Effect {
    fn of(row: &Row) -> Option<Self> {
        let estimate = row.estimate?;
        Some(Self { mean: estimate.ratio.ln(), sd: estimate.launch_sd, launches: row.launches.len() })
    }

    /// The two-sided p value of "the true change lies within the threshold" (Student's t).
    fn p(self, threshold: f64) -> f64 {
        let excess = self.mean.abs() - threshold;
        if self.launches < 2 || excess <= 0.0 {
            return 1.0;
        }
        if self.sd == 0.0 {
            return 0.0;
        }
        let error = self.sd / (self.launches as f64).sqrt();
        t_cdf(-excess / error, (self.launches - 1) as f64).map_or(1.0, |tail| 2.0 * tail)
    }
}

/// The p values of effects that are judged together, corrected for their number.
#[must_use]
pub fn adjusted(effects: &[Effect], policy: Policy) -> Vec<f64> {
    let threshold = policy.noise_threshold.ln_1p();
    holm(&effects.iter().map(|effect| effect.p(threshold)).collect::<Vec<_>>())
}

/// The level at which a table may hold one false `improved` or `regressed`.
pub const LEVEL: f64 = 0.05;

/// What is said of a row whose corrected p value is `p`.
fn verdict(row: &Row, p: f64, policy: Policy) -> Verdict {
    let Some(estimate) = &row.estimate else {
        return match &row.measured_as {
            Some(_) => Verdict::NoChange,
            None => Verdict::Inconclusive { reason: "fewer than two launches".to_owned() },
        };
    };
    let threshold = policy.noise_threshold.ln_1p();
    let log = estimate.interval.map(f64::ln);
    if p < LEVEL {
        if estimate.ratio < 1.0 { Verdict::Improved } else { Verdict::Regressed }
    } else if log.within(&Interval { lo: -threshold, hi: threshold }) {
        Verdict::NoChange
    } else if log.hi < -threshold || log.lo > threshold {
        Verdict::Inconclusive {
            reason: "beyond the noise threshold alone, but not among so many rows".to_owned(),
        }
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

fn controls(plan: &Plan, analysis: &Analysis, verdicts: &[Verdict], policy: Policy) -> Vec<ControlResult> {
    let arms = plan.arms.iter().filter(|arm| arm.role == Role::Control);
    let count = arms.clone().count().max(1);
    let judged = arms.filter_map(|arm| {
        let mean = geometric_mean(plan, &analysis.rows, &arm.name, None)
            .or_else(|| geometric_mean(plan, &analysis.rows, &arm.name, Some(&all_names(plan))))?;
        let rows: Vec<&Row> = analysis.rows.iter().filter(|row| row.arm == arm.name).collect();
        let alarms = analysis.rows.iter().zip(verdicts).filter(|(row, verdict)| {
            row.arm == arm.name && matches!(verdict, Verdict::Improved | Verdict::Regressed)
        });
        Some(ControlResult {
            arm: arm.name.clone(),
            ratio: mean.ratio,
            interval: mean.suite,
            false_alarms: alarms.count(),
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
    bounds_of(stored, environment, stored.comparisons(), stored.alarms(), stored.experiments)
}

/// How often a gate fails without reason, by the stored calibration; `None` where it never tried the gate.
#[must_use]
pub fn gate_false_alarms(stored: &Calibration, environment: &Environment) -> Option<FalseAlarms> {
    let gate = stored.gate.as_ref()?;
    Some(bounds_of(stored, environment, gate.comparisons, gate.failed, gate.experiments))
}

fn bounds_of(
    stored: &Calibration,
    environment: &Environment,
    comparisons: u64,
    alarms: u64,
    experiments: Experiments,
) -> FalseAlarms {
    let bound = |alarms, all| {
        let count = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
        clopper_pearson_upper(count(alarms), count(all), 0.95).unwrap_or(1.0)
    };
    FalseAlarms {
        comparisons,
        alarms,
        bound: bound(alarms, comparisons),
        experiments,
        experiments_bound: bound(experiments.alarmed, experiments.count),
        machine: stored.environment.class(),
        same_machine: stored.environment.differences(environment).is_empty(),
    }
}

fn answer(
    plan: &Plan,
    environment: &Environment,
    analysis: &Analysis,
    verdicts: &[Verdict],
    void: bool,
    claim: &Claim,
) -> ClaimAnswer {
    let concerned = |row: &Row| {
        let short =
            || plan.benchmarks.iter().any(|benchmark| benchmark.name == row.benchmark && !benchmark.long);
        let named =
            if claim.benchmarks.is_empty() { short() } else { claim.benchmarks.contains(&row.benchmark) };
        row.arm == claim.candidate && named
    };
    let judged: Vec<(&Row, &Verdict)> =
        analysis.rows.iter().zip(verdicts).filter(|(row, _)| concerned(row)).collect();
    let rows: Vec<&Row> = judged.iter().map(|(row, _)| *row).collect();
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
    for (row, verdict) in &judged {
        *place(row, verdict, claim.margin, &mut counts) += 1;
    }
    ClaimAnswer {
        answer: interval
            .filter(|_| !void)
            .map_or(Answer::CannotTell, |interval| answer_of(interval, claim.margin)),
        reservation: reservation(plan, environment, analysis, void, claim, same, &rows),
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

fn place<'a>(row: &Row, verdict: &Verdict, margin: Margin, counts: &'a mut RowCount) -> &'a mut usize {
    let Some(estimate) = row.estimate else {
        return if row.measured_as.is_some() { &mut counts.no_change } else { &mut counts.undecided };
    };
    let speed_up = estimate.interval.map(f64::recip);
    match (answer_of(speed_up, margin), verdict) {
        (Answer::Inside, _) => &mut counts.inside,
        (Answer::Above, _) => &mut counts.above,
        (_, Verdict::NoChange) => &mut counts.no_change,
        (_, Verdict::Regressed) => &mut counts.slower,
        (Answer::Below, Verdict::Improved) => &mut counts.below,
        (Answer::Below | Answer::Negative | Answer::CannotTell, _) => &mut counts.undecided,
    }
}

fn reservation(
    plan: &Plan,
    environment: &Environment,
    analysis: &Analysis,
    void: bool,
    claim: &Claim,
    same: bool,
    rows: &[&Row],
) -> Option<String> {
    if void {
        return Some("the A/A control differs from itself".to_owned());
    }
    if rows.is_empty() {
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
    let left_out = left_out(plan, analysis, claim, rows);
    if left_out > 0 {
        reasons
            .push(format!("{left_out} benchmark(s) of {} have no numbers and are left out", claim.candidate));
    }
    (!reasons.is_empty()).then(|| reasons.join("; "))
}

/// How many benchmarks a claim speaks of that have no row, or failed after some launches: whosever fault it was.
fn left_out(plan: &Plan, analysis: &Analysis, claim: &Claim, rows: &[&Row]) -> usize {
    let claimed = |benchmark: &Benchmark| match claim.benchmarks.as_slice() {
        [] => !benchmark.long,
        named => named.contains(&benchmark.name),
    };
    let failed = |name: &String| {
        let concerns =
            |failure: &RunFailure| failure.arm == claim.candidate && failure.benchmark.as_ref() == Some(name);
        analysis.failures.iter().any(concerns)
    };
    let has_row = |name: &String| rows.iter().any(|row| row.benchmark == *name);
    let names =
        plan.benchmarks.iter().filter(|benchmark| claimed(benchmark)).map(|benchmark| &benchmark.name);
    names.filter(|name| failed(name) || !has_row(name)).count()
}

#[cfg(test)]
mod tests;
