//! A stored calibration: how often the lab is wrong, and what it can see, on one kind of machine.

use serde::{Deserialize, Serialize};

use crate::judge::Crosstalk;
use crate::machine::Environment;
use crate::plan::Workload;
use crate::stats::Interval;

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
    pub median_error: f64,
    /// The median standard deviation of the log ratio over launches.
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
    pub workload: Workload,
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
    pub relink_seconds: f64,
    /// The interval of the A/A coverage (Clopper–Pearson, 95 %).
    pub coverage: Option<Interval>,
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
