//! Distributions of times in nanoseconds, with three significant digits.

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::latency::QUANTILES;
use crate::stats::{Interval, quantile_ranks};

/// The longest time that is told apart: an hour.
const LONGEST: u64 = 3_600_000_000_000;
/// Significant digits that are kept.
const DIGITS: u8 = 3;
/// The confidence of a percentile's interval.
const CONFIDENCE: f64 = 0.95;

/// Times of many calls, in ns.
#[derive(Clone, Debug, PartialEq)]
pub struct Times(Histogram<u64>);

impl Default for Times {
    fn default() -> Self {
        Self(
            Histogram::new_with_bounds(1, LONGEST, DIGITS)
                .expect("the bounds are constants within hdrhistogram's own"),
        )
    }
}

/// One percentile of a distribution.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Percentile {
    /// The quantile, from 0 to 1.
    pub q: f64,
    /// The time, in ns.
    pub ns: u64,
    /// Its 95 % interval from order statistics, in ns; `None` with too few calls for one.
    pub interval: Option<Interval>,
}

/// A distribution as a record keeps it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Distribution {
    /// How many calls.
    pub count: u64,
    /// Their mean, in ns.
    pub mean_ns: f64,
    /// The longest, in ns.
    pub max_ns: u64,
    /// p50, p90, p99, p99.9.
    pub percentiles: Vec<Percentile>,
    /// Quantile and time, in ns: as many points as a picture needs.
    pub curve: Vec<(f64, u64)>,
}

impl Distribution {
    /// A percentile by its quantile.
    #[must_use]
    pub fn at(&self, q: f64) -> Option<&Percentile> {
        self.percentiles.iter().find(|percentile| (percentile.q - q).abs() < 1e-9)
    }
}

impl Times {
    /// Times that a histogram log holds.
    pub(crate) fn from_histogram(histogram: Histogram<u64>) -> Self {
        Self(histogram)
    }

    /// As a histogram log keeps them.
    pub(crate) fn histogram(&self) -> &Histogram<u64> {
        &self.0
    }

    /// Adds a time. What is longer than an hour counts as an hour.
    pub fn record(&mut self, ns: u64) {
        self.0.saturating_record(ns.max(1));
    }

    /// Adds all times of another.
    pub fn merge(&mut self, other: &Self) {
        self.0.add(&other.0).expect("both have the same bounds");
    }

    /// How many times.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// The longest time, in ns; 0 without any.
    #[must_use]
    pub fn max(&self) -> u64 {
        self.0.max()
    }

    /// The `q` quantile (`q` from 0 to 1): the smallest time that at least this share of the calls does not
    /// exceed. `None` without calls.
    #[must_use]
    pub fn quantile(&self, q: f64) -> Option<u64> {
        (self.count() > 0).then(|| self.0.value_at_quantile(q))
    }

    /// A quantile with the 95 % interval that order statistics give it.
    #[must_use]
    pub fn percentile(&self, q: f64) -> Option<Percentile> {
        let n = usize::try_from(self.count()).unwrap_or(usize::MAX);
        let at_rank = |rank: usize| self.0.value_at_quantile((rank as f64 / n as f64).min(1.0)) as f64;
        let interval = quantile_ranks(n, q, CONFIDENCE)
            .map(|(lower, upper)| Interval { lo: at_rank(lower), hi: at_rank(upper) });
        Some(Percentile { q, ns: self.quantile(q)?, interval })
    }

    /// What a record keeps of it.
    #[must_use]
    pub fn distribution(&self) -> Distribution {
        Distribution {
            count: self.count(),
            mean_ns: if self.count() == 0 { 0.0 } else { self.0.mean() },
            max_ns: self.max(),
            percentiles: QUANTILES.iter().filter_map(|&q| self.percentile(q)).collect(),
            curve: self.curve(),
        }
    }

    /// Points at equal steps of log(1 / (1 − q)), up to the last that the number of calls supports.
    fn curve(&self) -> Vec<(f64, u64)> {
        const STEPS_A_DECADE: f64 = 12.0;
        let decades = (self.count() as f64).log10();
        let last = (decades * STEPS_A_DECADE).floor().max(0.0) as u32;
        let points = (0..=last).map(|step| 1.0 - 10f64.powf(-f64::from(step) / STEPS_A_DECADE));
        points.filter_map(|q| Some((q, self.quantile(q)?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn times(values: impl IntoIterator<Item = u64>) -> Times {
        let mut times = Times::default();
        values.into_iter().for_each(|value| times.record(value));
        times
    }

    #[test]
    fn percentiles_of_a_known_set() {
        let times = times(1..=1000);
        let distribution = times.distribution();
        let p50 = distribution.at(0.5).unwrap();
        // Ranks 469 and 532 of 1000: the exact binomial interval of the median.
        assert_eq!((p50.ns, p50.interval), (500, Some(Interval { lo: 469.0, hi: 532.0 })));
        assert_eq!(distribution.at(0.99).unwrap().ns, 990);
        assert_eq!(distribution.at(0.999).unwrap().interval, None, "too few calls");
        assert_eq!((distribution.count, distribution.max_ns), (1000, 1000));
        assert_eq!(Times::default().distribution().percentiles, []);
    }

    #[test]
    fn a_curve_ends_where_the_calls_do() {
        let curve = times(1..=1000).distribution().curve;
        assert_eq!(curve[0].1, 1);
        let (q, ns) = *curve.last().unwrap();
        assert!((q - 0.999).abs() < 1e-9 && ns == 999, "{q} {ns}");
        assert!(curve.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1));
    }

    #[test]
    fn extremes_are_kept_within_bounds() {
        let times = times([0, u64::MAX]);
        assert_eq!(times.quantile(0.0), Some(1));
        assert!(times.max() >= LONGEST);
    }

    proptest! {
        #[test]
        fn merging_is_recording_in_one(
            one in prop::collection::vec(0u64..5_000_000_000, 0..60),
            two in prop::collection::vec(0u64..5_000_000_000, 0..60),
        ) {
            let mut merged = times(one.clone());
            merged.merge(&times(two.clone()));
            let all = times(one.into_iter().chain(two));
            prop_assert_eq!(merged.distribution(), all.distribution());
            prop_assert_eq!(merged, all);
        }

        #[test]
        fn a_quantile_is_off_by_a_thousandth_at_most(mut values in prop::collection::vec(1u64..1_000_000_000, 1..80), q in 0.0f64..1.0) {
            let got = times(values.clone()).quantile(q).unwrap() as f64;
            values.sort_unstable();
            let rank = ((q * values.len() as f64).ceil() as usize).clamp(1, values.len());
            let due = values[rank - 1] as f64;
            prop_assert!((got - due).abs() <= due * 0.001 + 1.0, "{} instead of {}", got, due);
        }
    }
}
