//! Comparisons of experiments whose truth is known, and what they say together.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::judge::{
    CALIBRATION_SCHEMA, Calibration, CalibrationRow, Effect, Experiments, InjectedRow, LEVEL, Policy,
    adjusted,
};
use crate::machine::Environment;
use crate::plan::WorkloadKind;
use crate::stats::{Interval, clopper_pearson, mean, median, sd};

/// One comparison of one experiment: a line of the file that calibrations add up in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Comparison {
    /// The experiment.
    pub seed: u64,
    /// The benchmark.
    pub benchmark: String,
    /// The slow-down that was asked for; 0 is the baseline against itself.
    pub injected: f64,
    /// The steps that the share came down to; later sittings use the same.
    pub extra: u64,
    /// Launches.
    pub launches: usize,
    /// The mean over launches of the log ratio.
    pub mean_log: f64,
    /// Its standard deviation over launches.
    pub sd_log: f64,
    /// The lower end of the interval of the ratio.
    pub lo: f64,
    /// The upper end.
    pub hi: f64,
    /// Seconds of measuring that the row and its baseline took.
    pub seconds: f64,
    /// What the rows of one experiment, judged together, say of it: below 0 improved, above 0 regressed. Not
    /// stored, so that a change of the rule is a change for all experiments.
    #[serde(skip)]
    pub called: i8,
}

/// What all comparisons say together.
pub(crate) fn summary(all: &[Comparison], environment: &Environment, workload: WorkloadKind) -> Calibration {
    // By benchmark, launches, and the injected share in millionths, which orders as a float does not.
    let mut groups: BTreeMap<(&str, usize, u64), Vec<&Comparison>> = BTreeMap::new();
    for comparison in all {
        let injected = (comparison.injected * 1e6).round() as u64;
        groups.entry((&comparison.benchmark, comparison.launches, injected)).or_default().push(comparison);
    }
    let (same, slower): (Vec<_>, Vec<_>) = groups.values().partition(|group| group[0].injected == 0.0);
    let aa: Vec<CalibrationRow> = same.into_iter().map(|group| aa_row(group)).collect();
    let injected = slower.into_iter().filter_map(|group| injected_row(group));
    let (covered, comparisons) =
        aa.iter().fold((0, 0), |(covered, all), row| (covered + row.covered, all + row.comparisons));
    let count = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
    Calibration {
        schema: CALIBRATION_SCHEMA,
        finished: String::new(),
        command: String::new(),
        environment: environment.clone(),
        noise_threshold: 0.0,
        workload,
        experiments: experiments_of(all),
        injected: injected.collect(),
        coverage: clopper_pearson(count(covered), count(comparisons), 0.95),
        aa,
        crosstalk: None,
        gate: None,
        relink_seconds: 0.0,
    }
}

/// Judges the comparisons of each experiment together, as the rows of a run are.
pub(crate) fn call(all: &mut [Comparison], policy: Policy) {
    let mut experiments: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (at, comparison) in all.iter().enumerate() {
        experiments.entry(comparison.seed).or_default().push(at);
    }
    for members in experiments.values() {
        let effect = |&at: &usize| {
            let Comparison { mean_log, sd_log, launches, .. } = all[at];
            Effect { mean: mean_log, sd: sd_log, launches }
        };
        let p = adjusted(&members.iter().map(effect).collect::<Vec<_>>(), policy);
        for (&at, p) in members.iter().zip(p) {
            all[at].called = match all[at].mean_log {
                _ if p >= LEVEL => 0,
                faster if faster < 0.0 => -1,
                _ => 1,
            };
        }
    }
}

fn experiments_of(all: &[Comparison]) -> Experiments {
    let mut alarmed: BTreeMap<u64, bool> = BTreeMap::new();
    for comparison in all.iter().filter(|comparison| comparison.injected == 0.0) {
        *alarmed.entry(comparison.seed).or_default() |= comparison.called != 0;
    }
    Experiments {
        count: alarmed.len() as u64,
        alarmed: alarmed.values().filter(|alarmed| **alarmed).count() as u64,
    }
}

fn is_alarm(comparison: &&&Comparison) -> bool {
    comparison.called != 0
}

fn launches_of(comparisons: &[&Comparison]) -> u32 {
    u32::try_from(comparisons[0].launches).unwrap_or(u32::MAX)
}

fn aa_row(comparisons: &[&Comparison]) -> CalibrationRow {
    let errors: Vec<f64> = comparisons.iter().map(|comparison| comparison.mean_log.exp_m1().abs()).collect();
    let spreads: Vec<f64> = comparisons.iter().map(|comparison| comparison.sd_log).collect();
    CalibrationRow {
        benchmark: comparisons[0].benchmark.clone(),
        launches: launches_of(comparisons),
        comparisons: comparisons.len() as u64,
        alarms: comparisons.iter().filter(is_alarm).count() as u64,
        covered: comparisons.iter().filter(|row| Interval { lo: row.lo, hi: row.hi }.contains(1.0)).count()
            as u64,
        median_error: median(&errors).unwrap_or(f64::NAN),
        launch_sd: median(&spreads).unwrap_or(f64::NAN),
    }
}

fn injected_row(comparisons: &[&Comparison]) -> Option<InjectedRow> {
    let logs: Vec<f64> = comparisons.iter().map(|comparison| comparison.mean_log).collect();
    let truth = mean(&logs)?;
    let error = sd(&logs).map_or(f64::NAN, |sd| sd / (logs.len() as f64).sqrt());
    let seconds: Vec<f64> = comparisons.iter().map(|comparison| comparison.seconds).collect();
    Some(InjectedRow {
        benchmark: comparisons[0].benchmark.clone(),
        launches: launches_of(comparisons),
        nominal: comparisons[0].injected,
        truth: truth.exp_m1(),
        truth_error: error,
        trials: comparisons.len() as u64,
        found: comparisons.iter().filter(|row| row.called > 0).count() as u64,
        covered: comparisons
            .iter()
            .filter(|row| Interval { lo: row.lo, hi: row.hi }.contains(truth.exp()))
            .count() as u64,
        seconds: median(&seconds)?,
    })
}
