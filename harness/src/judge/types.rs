//! What a judgement says.

use serde::{Deserialize, Serialize};

use crate::judge::Experiments;
use crate::plan::Claim;
use crate::stats::Interval;

/// The thresholds that verdicts are made with.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// The smallest change of a ratio worth a name (0.01 is 1 %).
    pub noise_threshold: f64,
}

/// What is said of one row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// A change below −threshold, at the level of all rows together.
    Improved,
    /// A change above +threshold, at the level of all rows together.
    Regressed,
    /// The whole interval lies inside ± threshold.
    NoChange,
    /// None of these, and why.
    Inconclusive {
        /// The reason, in a short clause.
        reason: String,
    },
}

/// A row of the analysis with its verdict, in the same order as the analysis's rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JudgedRow {
    /// The benchmark's name.
    pub benchmark: String,
    /// The arm's name.
    pub arm: String,
    /// The verdict.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// The answer to a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// The whole interval of the speed-up lies below the margin, and not wholly below 1.
    Below,
    /// It lies inside the margin.
    Inside,
    /// It lies above the margin.
    Above,
    /// It lies below 1: slower.
    Negative,
    /// It crosses one of these borders, or there is nothing to judge.
    CannotTell,
}

/// How many benchmarks fall where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowCount {
    /// Rows whose whole interval lies inside the claimed margin.
    pub inside: usize,
    /// Rows above it.
    pub above: usize,
    /// Rows faster by more than the noise threshold, but less than claimed.
    pub below: usize,
    /// Rows within the noise threshold.
    pub no_change: usize,
    /// Rows slower by more than the noise threshold.
    pub slower: usize,
    /// Undecided rows.
    pub undecided: usize,
}

/// A claim with its answer for the machine that ran it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClaimAnswer {
    /// The claim as it was fixed.
    pub claim: Claim,
    /// The answer on this machine.
    pub answer: Answer,
    /// Why there is none, or none for the claim's own CPU; `None` when all is well.
    pub reservation: Option<String>,
    /// The geometric mean of the speed-ups (baseline / candidate); `None` where nothing was measured.
    pub speed_up: Option<f64>,
    /// 95 % interval for the suite.
    pub interval: Option<Interval>,
    /// 95 % interval for code like this.
    pub code_like_this: Option<Interval>,
    /// Where the benchmarks fall.
    pub rows: RowCount,
}

impl ClaimAnswer {
    /// How many benchmarks were looked at.
    #[must_use]
    pub fn total(&self) -> usize {
        let RowCount { inside, above, below, no_change, slower, undecided } = self.rows;
        inside + above + below + no_change + slower + undecided
    }
}

/// What the baseline against itself showed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ControlResult {
    /// The control arm's name.
    pub arm: String,
    /// The geometric mean of its ratios.
    pub ratio: f64,
    /// Its 95 % interval.
    pub interval: Interval,
    /// Rows of the control that were called improved or regressed; must be 0.
    pub false_alarms: usize,
    /// Rows in all.
    pub rows: usize,
    /// Whether the control voids the run: it excludes zero at the corrected 0.1 % level and lies beyond
    /// the noise threshold.
    pub voids: bool,
}

/// The bound on false alarms that a stored calibration gives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FalseAlarms {
    /// A/A comparisons in the calibration.
    pub comparisons: u64,
    /// Of those, called improved or regressed.
    pub alarms: u64,
    /// One-sided 95 % Clopper–Pearson upper bound of the rate per comparison.
    pub bound: f64,
    /// Experiments in the calibration, and those with an alarm.
    pub experiments: Experiments,
    /// The same bound of the rate per experiment, which needs no independence of its rows.
    pub experiments_bound: f64,
    /// The machine class that it was measured on.
    pub machine: String,
    /// Whether that is the machine class of this run.
    pub same_machine: bool,
}

/// How much a wide arm slows the arm after it, as the stored calibration measured it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Crosstalk {
    /// The baseline's ratio: beside a wide arm / alone.
    pub ratio: f64,
    /// Its 95 % interval.
    pub interval: Interval,
}

/// Everything that was decided about an analysis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// The thresholds.
    pub policy: Policy,
    /// The verdicts, in the order of the analysis's rows.
    pub rows: Vec<JudgedRow>,
    /// The claims' answers, in the plan's order.
    pub claims: Vec<ClaimAnswer>,
    /// The A/A controls.
    pub controls: Vec<ControlResult>,
    /// The stored calibration's bound, where there is one.
    pub false_alarms: Option<FalseAlarms>,
    /// The stored calibration's crosstalk, where there is one.
    pub crosstalk: Option<Crosstalk>,
}
