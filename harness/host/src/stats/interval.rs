//! Intervals and estimates.

use serde::{Deserialize, Serialize};

/// A closed interval from `lo` to `hi`, in the unit of the values that it was computed from.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The lower end.
    pub lo: f64,
    /// The upper end.
    pub hi: f64,
}

impl Interval {
    /// The interval of `half` on either side of `centre`.
    pub fn around(centre: f64, half: f64) -> Self {
        Self { lo: centre - half, hi: centre + half }
    }

    /// Whether `value` lies in the interval, its ends included.
    pub fn contains(&self, value: f64) -> bool {
        self.lo <= value && value <= self.hi
    }

    /// The interval of `f` over this one, for a monotone `f` (rising or falling): `exp` turns an interval of
    /// a log ratio into one of a ratio, `|r| 1.0 / r` a ratio into a speed-up.
    #[must_use]
    pub fn map(self, f: impl Fn(f64) -> f64) -> Self {
        let (at_lo, at_hi) = (f(self.lo), f(self.hi));
        if at_lo <= at_hi { Self { lo: at_lo, hi: at_hi } } else { Self { lo: at_hi, hi: at_lo } }
    }

    /// The distance from the lower to the upper end.
    pub fn width(&self) -> f64 {
        self.hi - self.lo
    }

    /// Whether the whole interval lies inside `other`; touching ends count as inside.
    pub fn within(&self, other: &Self) -> bool {
        other.lo <= self.lo && self.hi <= other.hi
    }
}

/// The mean over launches with its confidence interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The arithmetic mean of the values.
    pub mean: f64,
    /// The standard deviation of the values (divisor n − 1), not of the mean.
    pub sd: f64,
    /// How many values there were.
    pub n: usize,
    /// The confidence interval of the mean.
    pub interval: Interval,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ends_belong_to_the_interval() {
        let interval = Interval { lo: -1.0, hi: 2.0 };
        assert!(interval.contains(-1.0) && interval.contains(2.0) && interval.contains(0.0));
        assert!(!interval.contains(2.000_001) && !interval.contains(-1.000_001));
        assert!(!interval.contains(f64::NAN));
        assert!((interval.width() - 3.0).abs() < 1e-15);
    }

    #[test]
    fn within_needs_both_ends() {
        let inner = Interval { lo: -0.01, hi: 0.01 };
        assert!(inner.within(&inner));
        assert!(Interval { lo: -0.005, hi: 0.01 }.within(&inner));
        assert!(!Interval { lo: -0.005, hi: 0.011 }.within(&inner));
        assert!(!Interval { lo: -0.011, hi: 0.0 }.within(&inner));
    }

    proptest! {
        #[test]
        fn a_falling_map_keeps_the_ends_in_order(lo in 0.1f64..10.0, width in 0.0f64..10.0) {
            let ratio = Interval { lo, hi: lo + width };
            let speed_up = ratio.map(|r| 1.0 / r);
            prop_assert!(speed_up.lo <= speed_up.hi);
            prop_assert_eq!(speed_up.hi, 1.0 / lo);
            let risen = ratio.map(f64::exp);
            prop_assert_eq!(risen.lo, lo.exp());
        }
    }
}
