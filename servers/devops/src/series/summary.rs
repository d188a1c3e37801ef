//! What a series is like, in a few numbers.

use crate::series::Series;
use crate::stats::{mean, median, quantile};

/// A distance of more than this many steps is a gap.
const GAP_STEPS: f64 = 1.5;
/// The largest dependence of neighbours that is believed: a line without noise leaves what rounding makes.
const MOST_DEPENDENCE: f64 = 0.99;
/// Slopes are taken over at most so many points: their number grows with the square.
const SLOPE_POINTS: usize = 300;

/// The direction of a series: the median of the slopes between all pairs of points (Sen, "Estimates of the Regression
/// Coefficient Based on Kendall's Tau", 1968), with Mann and Kendall's test of whether there is one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trend {
    /// Units per hour.
    pub per_hour: f64,
    /// Whether it differs from none at the level of 1 % (two-sided), the dependence of neighbours counted.
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
        let Some(first) = self.times().first().copied() else {
            return Trend { per_hour: 0.0, is_clear: false };
        };
        // Means of neighbours: every so many-th point would show the shape of what repeats itself.
        let stride = self.len().div_ceil(SLOPE_POINTS).max(1);
        let hours = |time: &i64| (time.saturating_sub(first)) as f64 / 3_600_000.0;
        let times: Vec<f64> = self
            .times()
            .chunks(stride)
            .map(|chunk| chunk.iter().map(hours).sum::<f64>() / chunk.len() as f64)
            .collect();
        let values: Vec<f64> = self.values().chunks(stride).map(mean).collect();
        let mut slopes = Vec::with_capacity(times.len() * times.len() / 2);
        let mut concordant = 0_i64;
        for later in 1..times.len() {
            for earlier in 0..later {
                let rise = values[later] - values[earlier];
                concordant += i64::from(rise > 0.0) - i64::from(rise < 0.0);
                slopes.push(rise / (times[later] - times[earlier]));
            }
        }
        let per_hour = median(&mut slopes).unwrap_or(0.0);
        let rest: Vec<f64> = times.iter().zip(&values).map(|(time, value)| value - per_hour * time).collect();
        let count = times.len() as f64;
        // The variance of Kendall's statistic without ties (Kendall, "Rank Correlation Methods", 1948).
        let variance = count * (count - 1.0) * (2.0 * count + 5.0) / 18.0 * dependence(&rest);
        let z = concordant as f64 / variance.max(1.0).sqrt();
        Trend { per_hour, is_clear: z.abs() > 2.576 && per_hour != 0.0 }
    }
}

/// By how much the statistic scatters more where neighbours depend on each other: (1 + φ) / (1 − φ) for what the line
/// leaves, whose neighbours have the correlation φ (Yue and Wang, "The Mann-Kendall Test Modified by Effective Sample Size",
/// 2004). A day that goes up and down leaves its whole shape, and is not a trend.
fn dependence(rest: &[f64]) -> f64 {
    let centre = mean(rest);
    let all: f64 = rest.iter().map(|value| (value - centre).powi(2)).sum();
    let neighbours: f64 = rest.windows(2).map(|pair| (pair[0] - centre) * (pair[1] - centre)).sum();
    let phi = if all > 0.0 { (neighbours / all).clamp(0.0, MOST_DEPENDENCE) } else { 0.0 };
    (1.0 + phi) / (1.0 - phi)
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
        // One day from its mean back to its mean, in steps of a minute.
        let day = (0..1440).map(|at| (at * 60_000, (at as f64 / 1440.0 * std::f64::consts::TAU).sin()));
        let day = Series::new(
            "x",
            day.map(|(at, value)| (at, value + ((at / 60_000 * 7919) % 97) as f64 / 500.0)).collect(),
            None,
        );
        assert!(!day.trend().is_clear, "{:?}", day.trend());
        // A saw of ten steps, of which every fiftieth is missing: every so many-th point would fall.
        let saw = (0..3000).filter(|at| at % 50 != 0).map(|at| (at * 60_000, (at % 10) as f64));
        let saw = Series::new("x", saw.collect(), None).trend();
        assert!(!saw.is_clear && saw.per_hour.abs() < 0.01, "{saw:?}");
        let rare = (0..400).map(|at| (at * 60_000, f64::from(u8::from(at == 399))));
        assert!(!Series::new("x", rare.collect(), None).trend().is_clear, "a flat line has no trend");
        assert!(Series::new("x", vec![], None).summary().is_none());
        let one = Series::new("x", vec![(1, 4.0)], None).summary().unwrap();
        assert_eq!((one.median, one.gaps, one.trend.per_hour), (4.0, 0, 0.0));
    }
}
