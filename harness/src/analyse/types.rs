//! What an analysis says.

use serde::{Deserialize, Serialize};

use crate::measure::{ArmFacts, RunFailure};
use crate::plan::{Role, Unit};
use crate::stats::Interval;

/// One benchmark of one arm, compared with the baseline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The benchmark's name.
    pub benchmark: String,
    /// The arm's name.
    pub arm: String,
    /// What the arm is compared as.
    pub role: Role,
    /// What the values count.
    pub unit: Unit,
    /// The baseline's value: median over launches, in the unit, a call.
    pub baseline_value: f64,
    /// The arm's value, likewise.
    pub value: f64,
    /// 95 % interval of the baseline's median over launches, by order statistics; given where the value itself is
    /// what is asked for, as in calls from Python, and there are launches enough (6).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline_interval: Option<Interval>,
    /// The arm's, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_interval: Option<Interval>,
    /// ln(arm / baseline) of every launch, in order.
    pub launches: Vec<f64>,
    /// The ratio; `None` with fewer than two launches.
    pub estimate: Option<RowEstimate>,
    /// The arm whose measurements these are, where the code is identical.
    pub measured_as: Option<String>,
}

/// The ratio of one row, with what limits it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RowEstimate {
    /// Candidate value / baseline value: the exponential of the mean log ratio over launches.
    pub ratio: f64,
    /// Its 95 % interval (Student's t over launches).
    pub interval: Interval,
    /// The standard deviation of the log ratio over launches.
    pub launch_sd: f64,
    /// The share of the variance over launches that repetition inside a launch would not remove: layout,
    /// address space and state of the machine. From 0 to 1; `None` where it cannot be told apart.
    pub layout_share: Option<f64>,
    /// The least change (as a fraction) that this many launches find beyond the noise threshold with 95 %
    /// power; `None` when they cannot.
    pub minimum_detectable: Option<f64>,
    /// Launches that would decide this row at its present mean and spread; `None` when none would.
    pub launches_to_decide: Option<u32>,
}

/// The geometric mean of an arm's ratios over the benchmarks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GeometricMean {
    /// The mean ratio.
    pub ratio: f64,
    /// 95 % interval for this suite: whole launches resampled, the benchmarks fixed.
    pub suite: Interval,
    /// 95 % interval for code like this: launches and benchmarks resampled. `None` below three rows.
    pub code_like_this: Option<Interval>,
    /// How many benchmarks it spans.
    pub benchmarks: usize,
}

/// One arm over all benchmarks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArmSummary {
    /// The arm's name.
    pub arm: String,
    /// What it is compared as.
    pub role: Role,
    /// Its artifact.
    pub facts: ArmFacts,
    /// The mean over the benchmarks that are not `long`; `None` without rows.
    pub geometric_mean: Option<GeometricMean>,
    /// The most memory that its process held, in bytes: median over launches.
    pub peak_rss: Option<f64>,
    /// Seconds that it took in all, where known.
    pub measured_seconds: f64,
}

/// Something the reader should know before believing a number, with what to do about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Warning {
    /// Other work ran on the measuring core.
    Preempted {
        /// The share of slices whose wall and CPU time part by more than 5 %.
        share: f64,
    },
    /// Layouts could not be varied, so that every interval leaves their spread out.
    OneLayout,
    /// The same, because arms are linked by another linker than lld.
    OtherLinker {
        /// Their names.
        arms: Vec<String>,
    },
    /// A Cargo config file changes the profile that arms are built under.
    Overridden {
        /// What it changes, in a clause.
        what: String,
        /// The arms.
        arms: Vec<String>,
    },
    /// Arms were compiled by different compilers, so that times tell of those too.
    Compilers {
        /// By their own words, in the order of the arms.
        compilers: Vec<String>,
    },
    /// Subjects know no answer of some benchmarks, so that nothing says whether their calls did the same work.
    Unchecked {
        /// Their names; empty where it is so of every benchmark.
        benchmarks: Vec<String>,
    },
    /// Fewer launches than were planned are in the record.
    Interrupted {
        /// Finished launches.
        finished: u32,
        /// Planned launches.
        planned: u32,
    },
    /// Too few launches for an interval that can be trusted.
    FewLaunches {
        /// Finished launches.
        finished: u32,
    },
    /// A benchmark was measured, and no value is above 0: the empty loop took as long as that with the calls.
    NoNumbers {
        /// Its name.
        benchmark: String,
        /// The arm.
        arm: String,
    },
    /// A benchmark's values fall into two groups.
    Bimodal {
        /// Its name.
        benchmark: String,
        /// The arm.
        arm: String,
    },
}

/// Everything that follows from the samples alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Analysis {
    /// Finished launches.
    pub launches: u32,
    /// One row a benchmark and arm other than the baseline, in the plan's order.
    pub rows: Vec<Row>,
    /// The arms, in the plan's order.
    pub arms: Vec<ArmSummary>,
    /// What went wrong.
    pub failures: Vec<RunFailure>,
    /// What limits the numbers.
    pub warnings: Vec<Warning>,
}

impl Analysis {
    /// The compilers that made the arms, each once, in the order of the arms.
    #[must_use]
    pub fn compilers(&self) -> Vec<String> {
        let mut compilers: Vec<String> = Vec::new();
        for ArmSummary { facts, .. } in &self.arms {
            if !facts.compiler.is_empty() && !compilers.contains(&facts.compiler) {
                compilers.push(facts.compiler.clone());
            }
        }
        compilers
    }
}
