//! Sample quantiles and their order-statistic intervals.

use crate::stats::Interval;
use crate::stats::binomial::{binomial_at_least, binomial_at_most};

/// The `q` quantile (`q` from 0 to 1) of values in any order, by linear interpolation between the order
/// statistics around (n − 1) · q: type 7 of Hyndman & Fan, "Sample quantiles in statistical packages",
/// *The American Statistician* 50 (1996), the default of R and NumPy.
///
/// `None` for no values, values that are not finite, or a `q` outside 0 to 1.
pub fn quantile(values: &[f64], q: f64) -> Option<f64> {
    if values.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted_quantile(&sorted, q)
}

/// [`quantile`] of values that are sorted and finite already.
pub(crate) fn sorted_quantile(sorted: &[f64], q: f64) -> Option<f64> {
    if !(0.0..=1.0).contains(&q) {
        return None;
    }
    let place = sorted.len().checked_sub(1)? as f64 * q;
    let below = *sorted.get(place.floor() as usize)?;
    let above = *sorted.get(place.ceil() as usize)?;
    // An average of two equal values may round to a neighbour of theirs; this form does not.
    Some(below + (above - below) * place.fract())
}

/// A confidence interval of the population's `q` quantile, whatever the distribution: its ends are two of
/// the values, those at the ranks of [`quantile_ranks`].
///
/// `None` where there are no such ranks, or the values are not sorted upwards or hold NaN.
pub fn quantile_interval(sorted: &[f64], q: f64, confidence: f64) -> Option<Interval> {
    if !sorted.is_sorted() || sorted.iter().any(|x| x.is_nan()) {
        return None;
    }
    let (lower, upper) = quantile_ranks(sorted.len(), q, confidence)?;
    Some(Interval { lo: *sorted.get(lower - 1)?, hi: *sorted.get(upper - 1)? })
}

/// The ranks, from 1 to `n`, of the order statistics that hold the population's `q` quantile between them,
/// chosen by the exact binomial distribution of how many of `n` independent values lie below it, with at most
/// (1 − `confidence`) / 2 on either side (David & Nagaraja, *Order Statistics*, 3rd ed., section 7.1).
/// Coverage is therefore at least `confidence`.
///
/// `None` where the values are too few for an end on either side (a 95 % interval of the median needs 6, one
/// of the 99.9th percentile 3,688), or where `q` or `confidence` is not strictly between 0 and 1.
pub fn quantile_ranks(n: usize, q: f64, confidence: f64) -> Option<(usize, usize)> {
    let open_unit = |x: f64| 0.0 < x && x < 1.0;
    if !open_unit(q) || !open_unit(confidence) {
        return None;
    }
    let tail = (1.0 - confidence) / 2.0;
    // `below` values are smaller than the quantile. The lower end is too high when at most as many values
    // as it has predecessors are smaller, the upper end too low when at least as many as its rank are.
    let lower_index = last_where(n, |index| binomial_at_most(index, n, q) <= tail)?;
    let upper_mirror = last_where(n, |index| binomial_at_least(n - index, n, q) <= tail)?;
    Some((lower_index + 1, n - upper_mirror))
}

/// The last index below `count` for which `holds` is true, where it is true first and false afterwards.
fn last_where(count: usize, holds: impl Fn(usize) -> bool) -> Option<usize> {
    let (mut from, mut to) = (0, count);
    while from < to {
        let middle = from + (to - from) / 2;
        if holds(middle) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    from.checked_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ranks(n: usize) -> Vec<f64> {
        (1..=n).map(|rank| rank as f64).collect()
    }

    #[test]
    fn type_seven_known_answers() {
        // R: quantile(c(1, 2, 3, 4, 10), c(.1, .25, .9)).
        let values = [10.0, 1.0, 3.0, 2.0, 4.0];
        assert!((quantile(&values, 0.1).unwrap() - 1.4).abs() < 1e-12);
        assert_eq!(quantile(&values, 0.25), Some(2.0));
        assert!((quantile(&values, 0.9).unwrap() - 7.6).abs() < 1e-12);
        assert_eq!(quantile(&values, 0.0), Some(1.0));
        assert_eq!(quantile(&values, 1.0), Some(10.0));
        assert_eq!(quantile(&values, 1.1), None);
        assert_eq!(quantile(&values, f64::NAN), None);
        assert_eq!(quantile(&[], 0.5), None);
    }

    #[test]
    fn published_ranks_of_the_median_interval() {
        // Conover, Practical Nonparametric Statistics, table of the sign-test interval at 95 %.
        for (n, lower, upper) in
            [(6, 1.0, 6.0), (8, 1.0, 8.0), (9, 2.0, 8.0), (10, 2.0, 9.0), (20, 6.0, 15.0), (50, 18.0, 33.0)]
        {
            let interval = quantile_interval(&ranks(n), 0.5, 0.95).unwrap();
            assert_eq!(interval, Interval { lo: lower, hi: upper }, "n = {n}");
        }
        assert_eq!(quantile_interval(&ranks(5), 0.5, 0.95), None);
    }

    #[test]
    fn a_high_percentile_needs_many_values() {
        // 0.999^n ≤ 0.025 from n = 3688 on.
        assert_eq!(quantile_interval(&ranks(3687), 0.999, 0.95), None);
        assert_eq!(quantile_interval(&ranks(3688), 0.999, 0.95).unwrap().hi, 3688.0);
    }

    #[test]
    fn a_million_values_agree_with_the_normal_limit() {
        let interval = quantile_interval(&ranks(1_000_000), 0.99, 0.95).unwrap();
        let half = 1.959_964 * (1e6f64 * 0.99 * 0.01).sqrt();
        assert!((interval.lo - (990_000.0 - half)).abs() < 3.0, "{interval:?}");
        assert!((interval.hi - (990_000.0 + half)).abs() < 3.0, "{interval:?}");
    }

    #[test]
    fn unsorted_or_broken_input_has_no_interval() {
        let mut values = ranks(20);
        values.swap(3, 4);
        assert_eq!(quantile_interval(&values, 0.5, 0.95), None);
        assert_eq!(quantile_interval(&[f64::NAN; 20], 0.5, 0.95), None);
        assert_eq!(quantile_interval(&ranks(20), 0.0, 0.95), None);
        assert_eq!(quantile_interval(&ranks(20), 0.5, 1.0), None);
        assert_eq!(quantile_interval(&[], 0.5, 0.95), None);
    }

    proptest! {
        #[test]
        fn the_exact_coverage_is_kept_and_no_shorter_rank_would_do(
            n in 1usize..120, q in 0.02f64..0.98, confidence in 0.5f64..0.99,
        ) {
            let tail = (1.0 - confidence) / 2.0;
            if let Some(interval) = quantile_interval(&ranks(n), q, confidence) {
                let (lower, upper) = (interval.lo as usize, interval.hi as usize);
                prop_assert!(lower <= upper);
                // The interval of ranks covers when lower ≤ number below < upper.
                let missed = binomial_at_most(lower - 1, n, q) + binomial_at_least(upper, n, q);
                prop_assert!(missed <= 1.0 - confidence + 1e-12);
                prop_assert!(binomial_at_most(lower, n, q) > tail);
                prop_assert!(binomial_at_least(upper - 1, n, q) > tail);
            } else {
                prop_assert!(q.powi(n as i32) > tail || (1.0 - q).powi(n as i32) > tail);
            }
        }

        #[test]
        fn quantiles_rise_with_q(
            values in prop::collection::vec(-1e3f64..1e3, 1..30), a in 0.0f64..1.0, b in 0.0f64..1.0,
        ) {
            let (low, high) = (a.min(b), a.max(b));
            prop_assert!(quantile(&values, low).unwrap() <= quantile(&values, high).unwrap() + 1e-9);
        }
    }
}
