//! Student's t: quantiles, the interval of a mean, and one-sided p values.

use crate::stats::solve::bisect;
use crate::stats::{Estimate, Interval, mean, sd};
use serde::{Deserialize, Serialize};
use statrs::function::beta::checked_beta_reg;

/// P(T ≤ `t`) for Student's t with `df` degrees of freedom.
///
/// `None` where `df` is not positive and finite or `t` is NaN.
pub fn t_cdf(t: f64, df: f64) -> Option<f64> {
    t_upper_tail(-t, df)
}

/// The value that Student's t with `df` degrees of freedom stays below with probability `p`.
///
/// `None` where `p` is not strictly between 0 and 1 or `df` not positive and finite.
pub fn t_quantile(p: f64, df: f64) -> Option<f64> {
    if p < 0.5 { t_upper_quantile(p, df).map(|t| -t) } else { t_upper_quantile(1.0 - p, df) }
}

/// P(T > `t`), exact far out in the tail.
pub(crate) fn t_upper_tail(t: f64, df: f64) -> Option<f64> {
    if !(df > 0.0 && df.is_finite()) || t.is_nan() {
        return None;
    }
    // Abramowitz & Stegun 26.5.27: the two tails together are the incomplete beta function at
    // df / (df + t²).
    let both = checked_beta_reg(df / 2.0, 0.5, df / (df + t * t)).ok()?;
    Some(if t >= 0.0 { both / 2.0 } else { 1.0 - both / 2.0 })
}

/// The t with P(T > t) = `p`, for `p` in (0, 0.5]; `None` for any other `p` or `df`, or when t overflows.
pub(crate) fn t_upper_quantile(p: f64, df: f64) -> Option<f64> {
    if !(p > 0.0 && p <= 0.5) {
        return None;
    }
    let mut far = 1.0;
    while t_upper_tail(far, df)? > p {
        far *= 2.0;
        if !far.is_finite() {
            return None;
        }
    }
    Some(bisect(0.0, far, |t| t_upper_tail(t, df).is_some_and(|tail| tail > p)))
}

/// The mean of independent values (one per launch) with its interval from Student's t, n − 1 degrees of
/// freedom.
///
/// `None` for fewer than two values, values that are not finite, or a `confidence` that is not strictly
/// between 0 and 1. Equal values have an interval of width zero.
pub fn mean_interval(values: &[f64], confidence: f64) -> Option<Estimate> {
    let critical = t_quantile(1.0 - (1.0 - confidence) / 2.0, degrees(values)?)?;
    estimate_with(values, critical).filter(|_| confidence > 0.0)
}

/// The mean with an interval of `critical` standard errors on either side.
pub(crate) fn estimate_with(values: &[f64], critical: f64) -> Option<Estimate> {
    let (mean, sd) = (mean(values)?, sd(values)?);
    let n = values.len();
    Some(Estimate { mean, sd, n, interval: Interval::around(mean, critical * sd / (n as f64).sqrt()) })
}

fn degrees(values: &[f64]) -> Option<f64> {
    (values.len() >= 2).then(|| (values.len() - 1) as f64)
}

/// One-sided p values of "the effect lies within the threshold", one for each direction.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Beyond {
    /// The p value of "the mean is at most +threshold": small when the mean lies above it.
    pub above: f64,
    /// The p value of "the mean is at least −threshold": small when the mean lies below it.
    pub below: f64,
}

/// The p values of one-sided t tests of a mean against ±`threshold` (n − 1 degrees of freedom). They hold for
/// a number of values fixed beforehand; after looks in between use `Sequential::repeated_p`.
///
/// Values without any spread decide for certain: p is 0 when their mean lies beyond the threshold, else 1.
/// `None` for fewer than two values, values that are not finite, or a threshold that is negative or NaN.
pub fn p_beyond(values: &[f64], threshold: f64) -> Option<Beyond> {
    if threshold.is_nan() || threshold < 0.0 {
        return None;
    }
    let (mean, sd, df) = (mean(values)?, sd(values)?, degrees(values)?);
    let error = sd / (values.len() as f64).sqrt();
    let tail = |excess: f64| {
        if error > 0.0 {
            t_upper_tail(excess / error, df)
        } else {
            Some(if excess > 0.0 { 0.0 } else { 1.0 })
        }
    };
    Some(Beyond { above: tail(mean - threshold)?, below: tail(-threshold - mean)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn published_quantiles() {
        // Any table of Student's t; the last digits from R's qt().
        let published = [
            (0.975, 1.0, 12.706_204_736),
            (0.975, 2.0, 4.302_652_730),
            (0.975, 15.0, 2.131_449_546),
            (0.975, 63.0, 1.998_340_543),
            (0.95, 10.0, 1.812_461_123),
            (0.995, 30.0, 2.749_995_654),
            (0.999_5, 5.0, 6.868_826_626),
            (0.975, 100_000.0, 1.959_987_708),
        ];
        for (p, df, t) in published {
            assert!((t_quantile(p, df).unwrap() - t).abs() < 2e-8, "p {p}, df {df}: {:?}", t_quantile(p, df));
            assert!((t_quantile(1.0 - p, df).unwrap() + t).abs() < 2e-8, "p {p}, df {df}");
            assert!((t_cdf(t, df).unwrap() - p).abs() < 1e-9, "p {p}, df {df}");
        }
        assert!(t_quantile(0.5, 7.0).unwrap().abs() < 1e-12);
    }

    #[test]
    fn far_tails_keep_their_precision() {
        // Two degrees of freedom have a closed form: P(T > t) = 1/2 − t / (2 √(2 + t²)) → 1 / (2 t²).
        let t = t_upper_quantile(1e-20, 2.0).unwrap();
        assert!((t / (0.5f64 / 1e-20).sqrt() - 1.0).abs() < 1e-6, "{t}");
    }

    #[test]
    fn nonsense_has_no_quantile() {
        for (p, df) in [(0.0, 5.0), (1.0, 5.0), (-0.1, 5.0), (f64::NAN, 5.0), (0.9, 0.0), (0.9, f64::NAN)] {
            assert_eq!(t_quantile(p, df), None, "p {p}, df {df}");
        }
        assert_eq!(t_cdf(f64::NAN, 3.0), None);
        assert_eq!(t_cdf(1.0, -1.0), None);
    }

    #[test]
    fn the_interval_of_a_textbook_sample() {
        // Mean 5, sd √(32/7), n 8: half width 2.364624 · 2.138090 / √8.
        let estimate = mean_interval(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0], 0.95).unwrap();
        assert!((estimate.interval.lo - 3.212_514).abs() < 1e-5, "{estimate:?}");
        assert!((estimate.interval.hi - 6.787_486).abs() < 1e-5, "{estimate:?}");
        assert_eq!(estimate.n, 8);
        assert_eq!(mean_interval(&[1.0], 0.95), None);
        assert_eq!(mean_interval(&[1.0, 2.0], 1.0), None);
        assert_eq!(mean_interval(&[1.0, 2.0], 0.0), None);
        assert_eq!(mean_interval(&[1.0, f64::NAN], 0.95), None);
    }

    #[test]
    fn p_values_of_a_closed_form() {
        // Two values: one degree of freedom, where P(T > t) = 1/2 − atan(t) / π. Here t = 2 above +1.
        let beyond = p_beyond(&[2.0, 4.0], 1.0).unwrap();
        assert!((beyond.above - (0.5 - 2f64.atan() / std::f64::consts::PI)).abs() < 1e-10, "{beyond:?}");
        assert!((beyond.below - (0.5 + 4f64.atan() / std::f64::consts::PI)).abs() < 1e-10, "{beyond:?}");
    }

    #[test]
    fn values_without_spread_decide_for_certain() {
        assert_eq!(p_beyond(&[0.1; 4], 0.05), Some(Beyond { above: 0.0, below: 1.0 }));
        assert_eq!(p_beyond(&[-0.1; 4], 0.05), Some(Beyond { above: 1.0, below: 0.0 }));
        assert_eq!(p_beyond(&[0.0; 4], 0.0), Some(Beyond { above: 1.0, below: 1.0 }));
        assert_eq!(p_beyond(&[0.1], 0.05), None);
        assert_eq!(p_beyond(&[0.1, 0.2], -0.05), None);
        assert_eq!(p_beyond(&[0.1, 0.2], f64::NAN), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn the_quantile_inverts_the_distribution(p in 0.001f64..0.999, df in 1.0f64..500.0) {
            let t = t_quantile(p, df).unwrap();
            prop_assert!((t_cdf(t, df).unwrap() - p).abs() < 1e-9);
        }

        #[test]
        fn intervals_are_ordered_and_nested(values in prop::collection::vec(-10f64..10.0, 2..40)) {
            let narrow = mean_interval(&values, 0.9).unwrap();
            let wide = mean_interval(&values, 0.99).unwrap();
            prop_assert!(narrow.interval.lo <= narrow.interval.hi);
            prop_assert!(narrow.interval.contains(narrow.mean));
            prop_assert!(narrow.interval.within(&wide.interval));
        }

        #[test]
        fn the_p_value_and_the_interval_agree(
            values in prop::collection::vec(-1f64..3.0, 3..30), threshold in 0.0f64..1.0,
        ) {
            let beyond = p_beyond(&values, threshold).unwrap();
            let interval = mean_interval(&values, 0.95).unwrap().interval;
            prop_assert_eq!(beyond.above < 0.025, interval.lo > threshold);
            prop_assert_eq!(beyond.below < 0.025, interval.hi < -threshold);
        }
    }
}
