//! Accepted rows: what they hold, and how a stored value is judged. A stored time is shown and never judges alone.

use serde::{Deserialize, Serialize};

use crate::called::program;
use crate::judge::gate::{GateRow, GateVerdict, Unmatched};
use crate::machine::{Difference, Environment};
use crate::plan::{Bounds, GateSettings, Measure, WorkloadKind};
use crate::stats::t_quantile;

/// The version of reference files.
pub const REFERENCE_SCHEMA: u32 = 1;

/// One accepted row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    /// The benchmark, or what else has a value: `executable`, `process`.
    pub benchmark: String,
    /// The arm.
    pub arm: String,
    /// What is counted.
    pub measure: Measure,
    /// The value: of times the geometric mean over launches.
    pub value: f64,
    /// The lower end of its 95 % interval; the value itself where it is exact.
    pub lo: f64,
    /// The upper end.
    pub hi: f64,
    /// The standard deviation of its logarithm over launches.
    pub spread: f64,
    /// Launches that it was found in.
    pub launches: u32,
}

/// How an arm was built, as far as that decides its times.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReferenceArm {
    /// Its name.
    pub name: String,
    /// The Cargo profile.
    pub profile: String,
    /// The flags that rustc got.
    pub flags: Vec<String>,
}

/// The accepted rows of one suite on one class of machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct References {
    /// The schema's version.
    pub schema: u32,
    /// The suite.
    pub suite: String,
    /// What kind of task it measures.
    pub workload: WorkloadKind,
    /// The commit that was measured.
    pub commit: String,
    /// The record that they come from.
    pub record: String,
    /// When it was made (UTC).
    pub measured: String,
    /// The machine.
    pub environment: Environment,
    /// The arms.
    pub arms: Vec<ReferenceArm>,
    /// The rows, in order.
    pub rows: Vec<Reference>,
}

/// Everything in which stored times and times of here may differ for a reason other than the code. Empty when
/// they may stand side by side.
#[must_use]
pub fn differences(stored: &References, environment: &Environment, arms: &[ReferenceArm]) -> Vec<Difference> {
    let mut all = stored.environment.differences(environment);
    for arm in arms {
        let Some(known) = stored.arms.iter().find(|known| known.name == arm.name) else { continue };
        let told = |arm: &ReferenceArm| (arm.profile.clone(), arm.flags.join(" "));
        let ((old_profile, old_flags), (profile, flags)) = (told(known), told(arm));
        if old_profile != profile {
            all.push(Difference { field: "profile", left: old_profile, right: profile });
        }
        if old_flags != flags {
            all.push(Difference { field: "flags", left: old_flags, right: flags });
        }
    }
    all
}

/// The fields in which sizes and instruction counts differ too: what translates the code, and for whom.
const OF_CODE: [&str; 6] = ["rustc", "LLVM", "linker", "profile", "flags", "Python"];

/// Whether two machines that differ in this have other code, and not just other times.
#[must_use]
pub fn changes_code(difference: &Difference, arms: &[ReferenceArm]) -> bool {
    let native = || arms.iter().any(|arm| arm.flags.iter().any(|flag| flag.contains("native")));
    OF_CODE.contains(&difference.field) || (difference.field == "target-cpu=native" && native())
}

/// How much a stored row may grow: `None` for times.
fn allowance(measure: Measure, settings: &GateSettings) -> Option<f64> {
    match measure {
        Measure::FileSize | Measure::CodeSize => Some(settings.size),
        Measure::Memory => Some(settings.memory),
        Measure::Instructions => Some(settings.count),
        Measure::Time | Measure::CpuTime | Measure::CleanBuild | Measure::Rebuild | Measure::Latency(_) => {
            None
        }
    }
}

/// A row of the reference against a value of the candidate, of what a stored value can judge.
#[must_use]
pub fn judge_stored(reference: &Reference, value: f64, settings: &GateSettings) -> Option<GateRow> {
    let allowed = allowance(reference.measure, settings)?;
    let growth = value / reference.value - 1.0;
    let bounds = Bounds { noise_threshold: allowed, tolerance: allowed };
    let grew = value > reference.value * (1.0 + allowed);
    let verdict = if grew { GateVerdict::Regressed } else { GateVerdict::Passed };
    let why = if grew {
        format!(
            "{} {}, accepted were {} ({:+.2} %): more than {:.2} % above",
            value,
            reference.measure.unit().symbol(),
            reference.value,
            growth * 100.0,
            allowed * 100.0
        )
    } else {
        String::new()
    };
    Some(GateRow { value: Some(value), bounds, verdict, why, ..bare(reference) })
}

/// A row of the reference that nothing was compared with yet.
#[must_use]
pub fn bare(reference: &Reference) -> GateRow {
    GateRow {
        benchmark: reference.benchmark.clone(),
        arm: reference.arm.clone(),
        measure: reference.measure,
        reference: Some(reference.value),
        value: None,
        bounds: Bounds { noise_threshold: 0.0, tolerance: 0.0 },
        screening: None,
        confirmation: None,
        verdict: GateVerdict::Inconclusive,
        why: String::new(),
    }
}

/// A benchmark without a reference, or a reference without a benchmark.
#[must_use]
pub fn unmatched(benchmark: &str, arm: &str, measure: Measure, how: Unmatched) -> GateRow {
    let why = match how {
        Unmatched::New => format!("has no reference: accept one with {} baseline accept", program()),
        Unmatched::Gone => {
            "a reference without a benchmark: accept the references anew when it is meant to be gone"
                .to_owned()
        }
        Unmatched::AnotherTask => "its reference is of another task: accept it anew".to_owned(),
    };
    GateRow {
        benchmark: benchmark.to_owned(),
        arm: arm.to_owned(),
        measure,
        reference: None,
        value: None,
        bounds: Bounds { noise_threshold: 0.0, tolerance: 0.0 },
        screening: None,
        confirmation: None,
        verdict: GateVerdict::Unmatched { how },
        why,
    }
}

/// A value and its spread, over launches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// The geometric mean.
    pub value: f64,
    /// The standard deviation of its logarithm.
    pub spread: f64,
    /// How many launches.
    pub launches: u32,
}

/// What a stored time is worth, in proportion to an anchor, where its commit cannot be built any more.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Anchored {
    /// The row's stored value and spread.
    pub reference: Measured,
    /// The anchor's.
    pub anchor_reference: Measured,
    /// The row's value of now.
    pub value: Measured,
    /// The anchor's.
    pub anchor: Measured,
    /// The standard deviation of the logarithm of row / anchor between runs of unchanged code, which launches of one
    /// run cannot show, with the number of runs that it was found in.
    pub between_runs: f64,
    /// How many runs those were.
    pub runs: u32,
}

/// One-sided error of failing by an anchor.
const ANCHOR_ALPHA: f64 = 0.000_5;

/// Judges a time by its proportion to an anchor. Two runs are compared, so the variance between runs is added twice.
/// It is a weaker question than a paired one, and mostly answered by `inconclusive`.
#[must_use]
pub fn judge_anchored(row: GateRow, anchored: &Anchored, bounds: Bounds) -> GateRow {
    let Anchored { reference, anchor_reference, value, anchor, between_runs, runs } = *anchored;
    let log = (value.value / anchor.value).ln() - (reference.value / anchor_reference.value).ln();
    let within = |of: Measured| of.spread * of.spread / f64::from(of.launches.max(1));
    let variance = [reference, anchor_reference, value, anchor].map(within).iter().sum::<f64>()
        + 2.0 * between_runs * between_runs;
    let freedom = f64::from(runs.saturating_sub(1).max(1));
    let error = variance.sqrt();
    let half = |alpha: f64| t_quantile(1.0 - alpha, freedom).unwrap_or(f64::INFINITY) * error;
    let (lo, hi) = (log - half(ANCHOR_ALPHA), log + half(0.025));
    let percent = |log: f64| format!("{:+.1} %", log.exp_m1() * 100.0);
    let by = format!("in proportion to the anchor {} to {}", percent(lo), percent(hi));
    let (verdict, why) = if lo > bounds.noise_threshold.ln_1p() {
        (GateVerdict::Regressed, format!("{by}, in another run: beyond the noise threshold"))
    } else if hi < bounds.tolerance.ln_1p() {
        (GateVerdict::Passed, String::new())
    } else {
        (
            GateVerdict::Inconclusive,
            format!("{by}, in another run: compare with a commit that can be built (--against REV)"),
        )
    };
    GateRow { value: Some(value.value), bounds, verdict, why, ..row }
}

#[cfg(test)]
mod tests;
