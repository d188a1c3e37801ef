//! Whether something grows with time.

use serde::{Deserialize, Serialize};

use crate::stats::{Interval, median};

/// How much something grows, with the interval of that.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Slope {
    /// Growth a unit of the points' x.
    pub slope: f64,
    /// Its 95 % interval.
    pub interval: Interval,
}

/// The 97.5 % point of the normal distribution.
const Z: f64 = 1.959_964;

/// The median of the slopes of all pairs of points (x, y), with Sen's interval (Sen, *Estimates of the regression
/// coefficient based on Kendall's tau*, JASA 63, 1968, section 6; the variance is that without ties, which makes it
/// wider where there are some). One step up, however high, is not a growth to it: most pairs lie on one side of the step.
///
/// `None` for fewer than six points, of which no interval can be had, and for values that are not finite.
#[must_use]
pub fn slope(points: &[(f64, f64)]) -> Option<Slope> {
    if points.len() < 6 || points.iter().any(|(x, y)| !x.is_finite() || !y.is_finite()) {
        return None;
    }
    let mut slopes: Vec<f64> = points
        .iter()
        .enumerate()
        .flat_map(|(at, one)| points[at + 1..].iter().map(move |other| (one, other)))
        .filter(|(one, other)| one.0 != other.0)
        .map(|(one, other)| (other.1 - one.1) / (other.0 - one.0))
        .collect();
    slopes.sort_unstable_by(f64::total_cmp);
    let (n, pairs) = (points.len() as f64, slopes.len() as f64);
    let half = Z * (n * (n - 1.0) * (2.0 * n + 5.0) / 18.0).sqrt();
    // Ranks count from one: the lower end is the slope below which so many lie.
    let lower = ((pairs - half) / 2.0).floor();
    let upper = ((pairs + half) / 2.0).ceil() + 1.0;
    if lower < 1.0 || upper > pairs {
        return None;
    }
    let interval = Interval { lo: slopes[lower as usize - 1], hi: slopes[upper as usize - 1] };
    Some(Slope { slope: median(&slopes)?, interval })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_a_published_example() {
        // Sen 1968, section 6: seven points, whose slope is estimated as 4.
        let xs = [1.0, 2.0, 3.0, 4.0, 10.0, 12.0, 18.0];
        let ys = [9.0, 15.0, 19.0, 20.0, 45.0, 55.0, 78.0];
        let points: Vec<(f64, f64)> = xs.into_iter().zip(ys).collect();
        let line = slope(&points).unwrap();
        assert!((line.slope - 4.0).abs() < 1e-9, "{line:?}");
        // 21 slopes, C = 13.05: the third from below and from above.
        assert!((line.interval.lo - 11.0 / 3.0).abs() < 1e-9 && line.interval.hi == 5.0, "{line:?}");
    }

    #[test]
    fn a_step_is_no_growth_and_a_staircase_is() {
        let of = |y: fn(u32) -> u32| -> Vec<(f64, f64)> {
            (0..45).map(|window| (f64::from(window), f64::from(y(window)))).collect()
        };
        for step in [of(|window| u32::from(window > 22) * 100), of(|window| u32::from(window > 3) * 100)] {
            let line = slope(&step).unwrap();
            assert!(line.interval.lo <= 0.0, "{line:?}");
        }
        let line = slope(&of(|window| window / 3 * 4)).unwrap();
        assert!(line.interval.lo > 1.0 && line.interval.hi < 1.8, "{line:?}");
        let level = slope(&of(|_| 7)).unwrap();
        assert_eq!((level.slope, level.interval.width()), (0.0, 0.0));
    }

    #[test]
    fn too_little_has_no_slope() {
        assert_eq!(slope(&[(0.0, 1.0), (1.0, 3.0), (2.0, 5.0)]), None);
        let same: Vec<(f64, f64)> = (0..9).map(|y| (1.0, f64::from(y))).collect();
        assert_eq!(slope(&same), None);
        let broken: Vec<(f64, f64)> = (0..9).map(|x| (f64::from(x), f64::NAN)).collect();
        assert_eq!(slope(&broken), None);
    }
}
