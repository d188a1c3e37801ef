//! A stored calibration: how often the lab is wrong, and what it can see, on one kind of machine.

use serde::{Deserialize, Deserializer, Serialize};

use crate::judge::Crosstalk;
use crate::machine::Environment;
use crate::plan::WorkloadKind;
use crate::stats::Interval;

/// A number that may be none: JSON has no NaN, and what cannot be computed yet, as the spread of a single experiment, is
/// written as `null`.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

/// One benchmark compared with itself, many times, each time on layouts of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CalibrationRow {
    /// The benchmark's name.
    pub benchmark: String,
    /// Launches an experiment.
    pub launches: u32,
    /// How many experiments.
    pub comparisons: u64,
    /// How many were called improved or regressed.
    pub alarms: u64,
    /// How many 95 % intervals held the true ratio, 1.
    pub covered: u64,
    /// The median of |ratio − 1|.
    #[serde(deserialize_with = "number")]
    pub median_error: f64,
    /// The median standard deviation of the log ratio over launches.
    #[serde(deserialize_with = "number")]
    pub launch_sd: f64,
}

/// One benchmark with a known slow-down injected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InjectedRow {
    /// The benchmark's name.
    pub benchmark: String,
    /// The slow-down that was asked for (0.02 is 2 %).
    pub nominal: f64,
    /// The slow-down that it truly was: the pooled ratio − 1 of all launches of all trials.
    pub truth: f64,
    /// The standard error of the truth.
    #[serde(deserialize_with = "number")]
    pub truth_error: f64,
    /// Launches an experiment.
    pub launches: u32,
    /// How many experiments.
    pub trials: u64,
    /// How many were called regressed.
    pub found: u64,
    /// How many 95 % intervals held the truth.
    pub covered: u64,
    /// Seconds of measuring an experiment takes for this row and one pair of arms, layouts linked before.
    pub seconds: f64,
}

/// Experiments that were judged as a whole, their rows together. Rows of one experiment share processes and
/// minutes, so this is the unit whose bound needs no assumption.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Experiments {
    /// How many had A/A rows.
    pub count: u64,
    /// In how many of them an A/A row was called improved or regressed.
    pub alarmed: u64,
}

/// The gate's whole rule on known effects, over all benchmarks with a launch spread of one class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PowerRow {
    /// The largest launch sd of the class (0.0075 is 0.75 %); infinite spreads are written as `null`.
    pub most_sd: Option<f64>,
    /// The noise threshold that it was judged by.
    pub noise_threshold: f64,
    /// The slow-down that was asked for; 0 is the baseline against itself.
    pub nominal: f64,
    /// The median of what it truly was over benchmarks: pooled over all experiments of each.
    #[serde(deserialize_with = "number")]
    pub truth: f64,
    /// How many comparisons.
    pub trials: u64,
    /// How many looked regressed to screening.
    pub suspected: u64,
    /// How many failed: after the confirmation, corrected by Holm.
    pub failed: u64,
    /// How many passed.
    pub passed: u64,
    /// Seconds of measuring until the verdict: the median.
    #[serde(deserialize_with = "number")]
    pub seconds: f64,
    /// The longest of nineteen in twenty.
    #[serde(deserialize_with = "number")]
    pub seconds_p95: f64,
}

/// The least slow-down of one benchmark that a gate finds within a time, by its spread.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DetectableRow {
    /// The benchmark.
    pub benchmark: String,
    /// The noise threshold.
    pub noise_threshold: f64,
    /// The median over experiments of the standard deviation of the log ratio over launches, at the first look.
    pub launch_sd: f64,
    /// Seconds of one launch of the row and its reference: the median.
    pub launch_seconds: f64,
    /// By seconds of measuring: the least slow-down (0.02 is 2 %) that the confirmation finds with 95 % power after a
    /// first look; `None` where the time is too short for both.
    pub within: Vec<(f64, Option<f64>)>,
}

/// What the gate's rule said of comparisons whose truth is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GateCalibration {
    /// Comparisons of the baseline with itself.
    pub comparisons: u64,
    /// Of those, called regressed: false alarms.
    pub failed: u64,
    /// Of those, suspected by screening and cleared by the confirmation, or left undecided.
    pub suspected: u64,
    /// Of those, left undecided.
    pub undecided: u64,
    /// Experiments, each on layouts of its own, and those with a false alarm.
    pub experiments: Experiments,
    /// The benchmarks.
    pub benchmarks: Vec<String>,
    /// Load averages over one minute when the sittings began: the least and the greatest; `None` where no system told.
    #[serde(default)]
    pub load: Option<Interval>,
    /// Seconds of measuring in all.
    pub seconds: f64,
    /// Power by spread and effect.
    pub power: Vec<PowerRow>,
    /// What is found within which time, from spreads and not from injected slow-downs.
    #[serde(default)]
    pub detectable: Vec<DetectableRow>,
}

/// The version of calibration files.
pub const CALIBRATION_SCHEMA: u32 = 1;

/// Everything that one calibration found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// The schema's version.
    pub schema: u32,
    /// When it was finished (UTC).
    pub finished: String,
    /// The command.
    pub command: String,
    /// The machine.
    pub environment: Environment,
    /// The noise threshold of the verdicts.
    pub noise_threshold: f64,
    /// The kind of task that was compared.
    #[serde(default)]
    pub workload: WorkloadKind,
    /// Its experiments.
    #[serde(default)]
    pub experiments: Experiments,
    /// A/A comparisons.
    pub aa: Vec<CalibrationRow>,
    /// Injected slow-downs.
    pub injected: Vec<InjectedRow>,
    /// Baseline beside a wide arm against baseline beside itself.
    pub crosstalk: Option<Crosstalk>,
    /// Seconds for one more layout of a built variant: the median.
    #[serde(deserialize_with = "number")]
    pub relink_seconds: f64,
    /// The interval of the A/A coverage (Clopper–Pearson, 95 %).
    pub coverage: Option<Interval>,
    /// What the gate's rule said; `None` where it was not tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<GateCalibration>,
}

impl Calibration {
    /// A/A comparisons in all.
    #[must_use]
    pub fn comparisons(&self) -> u64 {
        self.aa.iter().map(|row| row.comparisons).sum()
    }

    /// A/A comparisons that were called improved or regressed.
    #[must_use]
    pub fn alarms(&self) -> u64 {
        self.aa.iter().map(|row| row.alarms).sum()
    }
}
