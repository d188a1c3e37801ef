//! Whether something grows with time.

use serde::{Deserialize, Serialize};

use crate::stats::{Interval, t_quantile};

/// The slope of a straight line through points, with its interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Slope {
    /// Growth a unit of the points' x.
    pub slope: f64,
    /// Its 95 % interval.
    pub interval: Interval,
}

/// Least squares through (x, y), with Student's t on n − 2 degrees of freedom (Draper & Smith, *Applied Regression
/// Analysis*, 3rd ed., section 1.4). The errors are taken as independent: points should be averages over windows,
/// not single readings.
///
/// `None` for fewer than three points, values that are not finite, or points at one x.
#[must_use]
pub fn slope(points: &[(f64, f64)]) -> Option<Slope> {
    let n = points.len() as f64;
    let degrees = points.len().checked_sub(2).filter(|&degrees| degrees > 0)? as f64;
    let (mean_x, mean_y) = (
        points.iter().map(|point| point.0).sum::<f64>() / n,
        points.iter().map(|point| point.1).sum::<f64>() / n,
    );
    let spread: f64 = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    let together: f64 = points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    let slope = together / spread;
    let residuals: f64 = points.iter().map(|(x, y)| (y - mean_y - slope * (x - mean_x)).powi(2)).sum();
    let error = (residuals / degrees / spread).sqrt();
    let half = t_quantile(0.975, degrees)? * error;
    (slope.is_finite() && half.is_finite()).then(|| Slope { slope, interval: Interval::around(slope, half) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_textbook_line() {
        // y on x of 1..5 with y = 2, 4, 5, 4, 5: slope 0.6, standard error √(0.8 / 10), t(3) = 3.182446.
        let points = [(1.0, 2.0), (2.0, 4.0), (3.0, 5.0), (4.0, 4.0), (5.0, 5.0)];
        let line = slope(&points).unwrap();
        assert!((line.slope - 0.6).abs() < 1e-12);
        assert!((line.interval.hi - (0.6 + 3.182_446 * 0.08f64.sqrt())).abs() < 1e-5, "{line:?}");
    }

    #[test]
    fn an_exact_line_has_no_width_and_too_little_has_no_slope() {
        let line = slope(&[(0.0, 1.0), (1.0, 3.0), (2.0, 5.0)]).unwrap();
        assert!((line.slope - 2.0).abs() < 1e-12 && line.interval.width() < 1e-9);
        assert_eq!(slope(&[(0.0, 1.0), (1.0, 3.0)]), None);
        assert_eq!(slope(&[(1.0, 1.0), (1.0, 3.0), (1.0, 4.0)]), None);
        assert_eq!(slope(&[(0.0, f64::NAN), (1.0, 3.0), (2.0, 4.0)]), None);
    }
}
