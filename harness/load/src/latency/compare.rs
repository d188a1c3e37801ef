//! Two servers, launch by launch.

use serde::{Deserialize, Serialize};

use crate::stats::{Interval, launches_to_decide, mean_interval, minimum_detectable};

/// The percentiles that are reported.
pub const QUANTILES: [f64; 4] = [0.5, 0.9, 0.99, 0.999];
/// The confidence of intervals.
const CONFIDENCE: f64 = 0.95;

/// `p50`, `p99.9`.
#[must_use]
pub fn quantile_name(q: f64) -> String {
    let text = format!("{:.3}", q * 100.0);
    format!("p{}", text.trim_end_matches('0').trim_end_matches('.'))
}

/// The ratio of one percentile of two servers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The quantile, from 0 to 1.
    pub q: f64,
    /// ln(candidate / baseline) of every launch.
    pub launches: Vec<f64>,
    /// The ratio: the exponential of their mean.
    pub ratio: f64,
    /// Its 95 % interval, Student's t over launches.
    pub interval: Interval,
    /// The standard deviation over launches.
    pub launch_sd: f64,
    /// The least change that so many launches find beyond the noise threshold with a power of 95 %, as a fraction.
    pub minimum_detectable: Option<f64>,
    /// Launches that would decide it at its present mean and spread.
    pub launches_to_decide: Option<u32>,
}

/// Compares a percentile over launches. `pairs` holds baseline and candidate of each launch, in ns.
///
/// `None` with fewer than two launches, or where one has no such percentile.
#[must_use]
pub fn compare(q: f64, pairs: &[(u64, u64)], noise_threshold: f64) -> Option<Comparison> {
    let log = |&(baseline, candidate): &(u64, u64)| (candidate.max(1) as f64 / baseline.max(1) as f64).ln();
    let launches: Vec<f64> = pairs.iter().map(log).collect();
    let mean = mean_interval(&launches, CONFIDENCE)?;
    let threshold = noise_threshold.ln_1p();
    Some(Comparison {
        q,
        ratio: mean.mean.exp(),
        interval: mean.interval.map(f64::exp),
        launch_sd: mean.sd,
        minimum_detectable: minimum_detectable(mean.sd, mean.n, threshold, 1.0 - CONFIDENCE, 0.95)
            .map(f64::exp_m1),
        launches_to_decide: launches_to_decide(mean.mean, mean.sd, threshold, CONFIDENCE)
            .and_then(|launches| u32::try_from(launches).ok()),
        launches,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_have_short_names() {
        assert_eq!(QUANTILES.map(quantile_name), ["p50", "p90", "p99", "p99.9"]);
    }

    #[test]
    fn a_constant_ratio_is_found_whatever_the_level() {
        let pairs: Vec<(u64, u64)> = (1..=8).map(|launch| (launch * 1_000_000, launch * 1_100_000)).collect();
        let row = compare(0.99, &pairs, 0.01).unwrap();
        assert!((row.ratio - 1.1).abs() < 1e-9 && row.interval.width() < 1e-9, "{row:?}");
        assert_eq!(compare(0.5, &pairs[..1], 0.01), None);
    }
}
