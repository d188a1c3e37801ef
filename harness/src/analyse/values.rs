//! The absolute value of every launch, which exports and histories show. Verdicts rest on ratios.

use crate::analyse::{CONFIDENCE, Samples, medians};
use crate::measure::{Launch, Run};
use crate::plan::Plan;
use crate::stats::{Interval, median, quantile_interval};

/// One benchmark of one arm, launch by launch.
#[derive(Clone, Debug, PartialEq)]
pub struct Values {
    /// Index into the plan's benchmarks.
    pub benchmark: usize,
    /// Index into the plan's arms.
    pub arm: usize,
    /// The value of a call in each launch that has one, in order and in the benchmark's unit: the median over the
    /// launch's blocks.
    pub launches: Vec<f64>,
    /// Of commands the exit code of each of these launches, `None` for a signal; empty for everything else.
    pub codes: Vec<Option<i32>>,
}

impl Values {
    /// The median over launches.
    #[must_use]
    pub fn median(&self) -> Option<f64> {
        median(&self.launches)
    }

    /// Its 95 % interval by order statistics; `None` below six launches.
    #[must_use]
    pub fn interval(&self) -> Option<Interval> {
        let mut sorted = self.launches.clone();
        sorted.sort_by(f64::total_cmp);
        quantile_interval(&sorted, 0.5, CONFIDENCE)
    }
}

/// The values of every benchmark and arm that was measured, baseline and controls included, by benchmark.
#[must_use]
pub fn launch_values(plan: &Plan, run: &Run) -> Vec<Values> {
    let samples: Vec<Samples> = run.launches.iter().map(Samples::of).collect();
    let all = (0..plan.benchmarks.len())
        .flat_map(|benchmark| (0..plan.arms.len()).map(move |arm| (benchmark, arm)));
    all.map(|(benchmark, arm)| Values {
        benchmark,
        arm,
        launches: medians(&samples, benchmark, arm),
        codes: codes(run, benchmark, arm),
    })
    .filter(|values| !values.launches.is_empty())
    .collect()
}

/// How an arm's command ended in each launch that has a value of it.
fn codes(run: &Run, benchmark: usize, arm: usize) -> Vec<Option<i32>> {
    let has =
        |launch: &&Launch| launch.turns.iter().any(|turn| (turn.benchmark, turn.arm) == (benchmark, arm));
    let ends = run.launches.iter().filter(has).flat_map(|launch| &launch.arms);
    ends.filter(|end| end.arm == arm && (end.code, end.signal) != (None, None)).map(|end| end.code).collect()
}
