//! What a series is like, in a few numbers.

use crate::series::Series;
use crate::stats::{median, quantile};

/// A distance of more than this many steps is a gap.
const GAP_STEPS: f64 = 1.5;
/// Slopes are taken over at most so many points: their number grows with the square.
const SLOPE_POINTS: usize = 300;

/// The direction of a series: the median of the slopes between all pairs of points (Sen, "Estimates of the Regression
/// Coefficient Based on Kendall's Tau", 1968), with Mann and Kendall's test of whether there is one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trend {
    /// Units per hour.
    pub per_hour: f64,
    /// Whether it differs from none at the level of 1 % (two-sided), were the points independent.
    pub is_clear: bool,
}

/// A series in a few numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// How many points there are.
    pub points: usize,
    /// How many times the distance of two points was longer than usual.
    pub gaps: usize,
    /// The smallest value.
    pub min: f64,
    /// The median.
    pub median: f64,
    /// The value that 95 % of the points do not exceed.
    pub p95: f64,
    /// The largest value.
    pub max: f64,
    /// The last value.
    pub last: f64,
    /// The time of the last value, in milliseconds since 1970.
    pub last_ms: i64,
    /// Its direction.
    pub trend: Trend,
}

impl Series {
    /// The series in a few numbers; `None` for one without points.
    #[must_use]
    pub fn summary(&self) -> Option<Summary> {
        let mut sorted = self.values().to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let (last, last_ms) = (*self.values().last()?, *self.times().last()?);
        let longest = self.step_ms() as f64 * GAP_STEPS;
        let is_gap = |pair: &&[i64]| (pair[1].saturating_sub(pair[0])) as f64 > longest;
        Some(Summary {
            points: self.len(),
            gaps: self.times().windows(2).filter(is_gap).count(),
            min: *sorted.first()?,
            median: quantile(&sorted, 0.5)?,
            p95: quantile(&sorted, 0.95)?,
            max: *sorted.last()?,
            last,
            last_ms,
            trend: self.trend(),
        })
    }

    /// Its direction.
    #[must_use]
    pub fn trend(&self) -> Trend {
        let stride = self.len().div_ceil(SLOPE_POINTS).max(1);
        let times: Vec<f64> =
            self.times().iter().step_by(stride).map(|time| *time as f64 / 3_600_000.0).collect();
        let values: Vec<f64> = self.values().iter().step_by(stride).copied().collect();
        let mut slopes = Vec::with_capacity(times.len() * times.len() / 2);
        let mut concordant = 0_i64;
        for later in 1..times.len() {
            for earlier in 0..later {
                let rise = values[later] - values[earlier];
                concordant += i64::from(rise > 0.0) - i64::from(rise < 0.0);
                slopes.push(rise / (times[later] - times[earlier]));
            }
        }
        let count = times.len() as f64;
        // The variance of Kendall's statistic without ties (Kendall, "Rank Correlation Methods", 1948).
        let variance = count * (count - 1.0) * (2.0 * count + 5.0) / 18.0;
        let z = concordant as f64 / variance.max(1.0).sqrt();
        Trend { per_hour: median(&mut slopes).unwrap_or(0.0), is_clear: z.abs() > 2.576 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_its_slope_and_its_quantiles() {
        let hour = 3_600_000;
        let mut points: Vec<(i64, f64)> = (0..101).map(|at| (at * hour, 2.0 * at as f64)).collect();
        points.remove(50);
        let summary = Series::new("x", points, None).summary().unwrap();
        assert_eq!((summary.points, summary.gaps), (100, 1));
        assert_eq!((summary.min, summary.max, summary.last), (0.0, 200.0, 200.0));
        assert!((summary.trend.per_hour - 2.0).abs() < 1e-9 && summary.trend.is_clear);
        assert!((summary.median - 100.0).abs() < 2.0 && (summary.p95 - 190.0).abs() < 2.0);
    }

    #[test]
    fn a_wave_has_no_clear_trend() {
        let values = (0..200).map(|at| (at * 60_000, (at as f64 * 0.7).sin()));
        assert!(!Series::new("x", values.collect(), None).trend().is_clear);
        assert!(Series::new("x", vec![], None).summary().is_none());
        let one = Series::new("x", vec![(1, 4.0)], None).summary().unwrap();
        assert_eq!((one.median, one.gaps, one.trend.per_hour), (4.0, 0, 0.0));
    }
}
