//! From raw samples to estimates with intervals. Pure: no IO, no failure, no policy.
//!
//! A slice is a time a call; a block compares the arms' least slices; a launch is the median over its
//! blocks of the log ratio; an estimate is the mean over launches with Student's t. Only launches are
//! replicates: slices and blocks of one process share its layout and are not independent.

mod types;
mod values;
mod warnings;

pub use crate::measure::{FailureReason, RunFailure};
pub use types::{Analysis, ArmSummary, GeometricMean, Row, RowEstimate, Warning};
pub use values::{Values, launch_values};

use std::collections::BTreeMap;

use crate::measure::{ArmFacts, Launch, Run, Slice, Turn};
use crate::plan::{Built, Plan, Role, Unit};
use crate::stats::{
    bootstrap_two_way, launches_to_decide, layout_share, mean, mean_interval, median, minimum_detectable,
    quantile_interval, sd,
};

/// The confidence of every interval.
pub const CONFIDENCE: f64 = 0.95;

/// Replicates of the two-way bootstrap.
const REPLICATES: u32 = 2_000;

/// A slice counts as preempted when its wall time exceeds its CPU time by this share.
const PREEMPTED: f64 = 0.05;

/// Analyses a run of a plan.
#[must_use]
pub fn analyse(plan: &Plan, run: &Run) -> Analysis {
    let samples: Vec<Samples> = run.launches.iter().map(Samples::of).collect();
    let mut rows = Vec::new();
    for (arm_index, _) in plan.arms.iter().enumerate().filter(|(_, arm)| arm.role != Role::Baseline) {
        let identical = run.facts.get(arm_index).and_then(|facts| facts.identical_to.as_ref());
        let measured = identical.and_then(|name| plan.arms.iter().position(|other| &other.name == name));
        for benchmark in 0..plan.benchmarks.len() {
            rows.extend(row(plan, &samples, benchmark, arm_index, measured));
        }
    }
    let arms = plan.arms.iter().enumerate().map(|(index, arm)| ArmSummary {
        arm: arm.name.clone(),
        role: arm.role,
        facts: facts(plan, run, index),
        geometric_mean: geometric_mean(plan, &rows, &arm.name, None),
        peak_rss: peak_rss(&run.launches, index),
        measured_seconds: seconds(&run.launches, index),
    });
    let arms = arms.collect();
    let mut analysis = Analysis {
        launches: u32::try_from(run.launches.len()).unwrap_or(u32::MAX),
        rows,
        arms,
        failures: run.failures.clone(),
        warnings: Vec::new(),
    };
    analysis.warnings = warnings::warnings(plan, run, &analysis);
    analysis
}

/// One launch's block values by benchmark and arm.
struct Samples(BTreeMap<(usize, usize), Vec<f64>>);

/// ln(arm / baseline) of every launch in which both have the benchmark, in order: what estimates are made of.
#[must_use]
pub fn launch_log_ratios(launches: &[Launch], benchmark: usize, arm: usize) -> Vec<f64> {
    let value = |launch: &Launch| {
        let turns = launch.turns.iter().filter(|turn| turn.benchmark == benchmark);
        median(&Samples::of_turns(turns).log_ratios(benchmark, arm, 0)?)
    };
    launches.iter().filter_map(value).collect()
}

/// The median value of an arm over launches: what tables show.
#[must_use]
pub fn typical_value(launches: &[Launch], benchmark: usize, arm: usize) -> Option<f64> {
    median(&launch_medians(launches, benchmark, arm))
}

/// The median value of an arm in every launch that has the benchmark, in order.
#[must_use]
pub fn launch_medians(launches: &[Launch], benchmark: usize, arm: usize) -> Vec<f64> {
    let of = |launch: &Launch| {
        let turns = launch.turns.iter().filter(|turn| turn.benchmark == benchmark);
        median(Samples::of_turns(turns).blocks(benchmark, arm)?)
    };
    launches.iter().filter_map(of).collect()
}

impl Samples {
    fn of(launch: &Launch) -> Self {
        Self::of_turns(launch.turns.iter())
    }

    fn of_turns<'a>(turns: impl Iterator<Item = &'a Turn>) -> Self {
        let mut values: BTreeMap<(usize, usize), Vec<(u32, f64)>> = BTreeMap::new();
        for turn in turns {
            let block = block_value(&turn.slices).map(|value| (turn.block, value));
            values.entry((turn.benchmark, turn.arm)).or_default().extend(block);
        }
        let sorted = values.into_iter().map(|(key, mut blocks)| {
            blocks.sort_by_key(|(block, _)| *block);
            (key, blocks.into_iter().map(|(_, value)| value).collect())
        });
        Self(sorted.collect())
    }

    fn blocks(&self, benchmark: usize, arm: usize) -> Option<&[f64]> {
        self.0.get(&(benchmark, arm)).map(Vec::as_slice).filter(|blocks| !blocks.is_empty())
    }

    /// The log ratio of every block in which both arms had a turn.
    fn log_ratios(&self, benchmark: usize, arm: usize, baseline: usize) -> Option<Vec<f64>> {
        let (candidate, baseline) = (self.blocks(benchmark, arm)?, self.blocks(benchmark, baseline)?);
        Some(
            candidate.iter().zip(baseline).map(|(candidate, baseline)| (candidate / baseline).ln()).collect(),
        )
    }
}

/// Whether something else ran on the core during a slice.
pub(crate) fn is_preempted(slice: &Slice) -> bool {
    slice.cpu_ns > 0 && slice.sample.value as f64 > slice.cpu_ns as f64 * (1.0 + PREEMPTED)
}

/// The least value of a call over a turn's slices. They run the same code on the same data within two
/// milliseconds, so they differ by what disturbed them alone, and a disturbance only adds time. Between turns,
/// where layouts, address spaces and the machine's state differ, nothing is picked. The empty loop is such a
/// time too, and its least is subtracted: a disturbed one would make the calls look cheaper than they are.
fn block_value(slices: &[Slice]) -> Option<f64> {
    let least = |of: fn(&Slice) -> u64| {
        slices.iter().map(|slice| of(slice) as f64 / slice.iters.max(1) as f64).min_by(f64::total_cmp)
    };
    let value = least(|slice| slice.sample.value)? - least(|slice| slice.loop_ns)?;
    Some(value).filter(|value| *value > 0.0)
}

fn row(
    plan: &Plan,
    samples: &[Samples],
    benchmark: usize,
    arm: usize,
    measured: Option<usize>,
) -> Option<Row> {
    let source = measured.unwrap_or(arm);
    let per_launch: Vec<Vec<f64>> =
        samples.iter().filter_map(|launch| launch.log_ratios(benchmark, source, 0)).collect();
    let same_as_baseline = source == 0;
    if per_launch.is_empty() && !same_as_baseline {
        return None;
    }
    let launches: Vec<f64> = per_launch.iter().filter_map(|blocks| median(blocks)).collect();
    let value = |arm: usize| median(&medians(samples, benchmark, arm));
    let interval = |arm: usize| {
        let mut medians = medians(samples, benchmark, arm);
        medians.sort_by(f64::total_cmp);
        quantile_interval(&medians, 0.5, CONFIDENCE).filter(|_| plan.traits().shows_values)
    };
    let within: Vec<f64> = per_launch.iter().map(|blocks| variance_of_median(blocks)).collect();
    Some(Row {
        benchmark: plan.benchmarks[benchmark].name.clone(),
        arm: plan.arms[arm].name.clone(),
        role: plan.arms[arm].role,
        unit: plan.benchmarks[benchmark].unit,
        baseline_value: value(0)?,
        value: value(source)?,
        baseline_interval: interval(0),
        value_interval: interval(source),
        estimate: if same_as_baseline { None } else { estimate(&launches, &within, plan.noise_threshold) },
        launches: if same_as_baseline { Vec::new() } else { launches },
        measured_as: measured.map(|index| plan.arms[index].name.clone()),
    })
}

/// The median of every launch that has the benchmark, in order.
fn medians(samples: &[Samples], benchmark: usize, arm: usize) -> Vec<f64> {
    samples.iter().filter_map(|launch| median(launch.blocks(benchmark, arm)?)).collect()
}

/// The variance of a median of n values is about π/2 times that of their mean (for normal values).
fn variance_of_median(values: &[f64]) -> f64 {
    let variance = sd(values).unwrap_or(0.0).powi(2);
    std::f64::consts::FRAC_PI_2 * variance / values.len().max(1) as f64
}

fn estimate(launches: &[f64], within: &[f64], noise_threshold: f64) -> Option<RowEstimate> {
    let log = mean_interval(launches, CONFIDENCE)?;
    let threshold = noise_threshold.ln_1p();
    let alpha = 1.0 - CONFIDENCE;
    let decide = launches_to_decide(log.mean, log.sd, threshold, CONFIDENCE);
    Some(RowEstimate {
        ratio: log.mean.exp(),
        interval: log.interval.map(f64::exp),
        launch_sd: log.sd,
        layout_share: layout_share(launches, within),
        minimum_detectable: minimum_detectable(log.sd, log.n, threshold, alpha, 0.95).map(f64::exp_m1),
        launches_to_decide: decide.and_then(|launches| u32::try_from(launches).ok()),
    })
}

/// The geometric mean of an arm's ratios over `only` (all that are not `long` and count time, where it is
/// `None`). Whole launches are the replicates, because the rows of one launch share their processes.
#[must_use]
pub fn geometric_mean(
    plan: &Plan,
    rows: &[Row],
    arm: &str,
    only: Option<&[String]>,
) -> Option<GeometricMean> {
    let counts = |row: &&Row| {
        let listed = only.map(|names| names.contains(&row.benchmark));
        let short =
            || plan.benchmarks.iter().any(|benchmark| benchmark.name == row.benchmark && !benchmark.long);
        row.arm == arm && row.launches.len() > 1 && listed.unwrap_or_else(short)
    };
    let of_arm: Vec<&Row> = rows.iter().filter(counts).collect();
    let launches = of_arm.iter().map(|row| row.launches.len()).min()?;
    let rows: Vec<Vec<f64>> = of_arm.iter().map(|row| row.launches[..launches].to_vec()).collect();
    let means: Vec<f64> = (0..launches)
        .filter_map(|launch| mean(&rows.iter().map(|row| row[launch]).collect::<Vec<_>>()))
        .collect();
    let log = mean_interval(&means, CONFIDENCE)?;
    let code_like_this =
        if rows.len() < 3 { None } else { bootstrap_two_way(REPLICATES, plan.seed, &rows, CONFIDENCE) };
    Some(GeometricMean {
        ratio: log.mean.exp(),
        suite: log.interval.map(f64::exp),
        code_like_this: code_like_this.map(|interval| interval.map(f64::exp)),
        benchmarks: rows.len(),
    })
}

/// What is known of an arm. Where builds are what is measured, the one that made the artifact is not shown
/// beside them: it may have found parts of it there.
fn facts(plan: &Plan, run: &Run, arm: usize) -> ArmFacts {
    let name = plan.arms[arm].name.clone();
    let facts = run.facts.get(arm).cloned().unwrap_or_else(|| ArmFacts { arm: name, ..ArmFacts::default() });
    match plan.traits().built {
        Built::EveryTurn => ArmFacts { build_seconds: None, ..facts },
        Built::Once | Built::Never => facts,
    }
}

fn peak_rss(launches: &[Launch], arm: usize) -> Option<f64> {
    let of_arm = |launch: &Launch| launch.arms.iter().find(|process| process.arm == arm)?.peak_rss;
    median(&launches.iter().filter_map(of_arm).map(|bytes| bytes as f64).collect::<Vec<_>>())
}

fn seconds(launches: &[Launch], arm: usize) -> f64 {
    let turns = launches.iter().flat_map(|launch| &launch.turns).filter(|turn| turn.arm == arm);
    let times = turns.flat_map(|turn| &turn.slices).filter(|slice| slice.sample.unit == Unit::Nanos);
    times.map(|slice| slice.sample.value as f64 / 1e9).sum()
}

#[cfg(test)]
mod tests;
