//! Exact binomial tails and the Clopper–Pearson interval of a rate.

use crate::stats::Interval;
use crate::stats::solve::bisect;
use statrs::function::gamma::ln_gamma;

/// P(B ≤ `successes`) for B binomial over `trials` with the success rate `rate`.
///
/// The terms are summed from `successes` downwards, each from the one before, so that small tails keep their
/// relative precision and a million trials need only the few thousand terms that count.
pub(crate) fn binomial_at_most(successes: usize, trials: usize, rate: f64) -> f64 {
    if successes >= trials || rate <= 0.0 {
        return 1.0;
    }
    if rate >= 1.0 {
        return 0.0;
    }
    let (n, k) = (trials as f64, successes as f64);
    let ways = ln_gamma(n + 1.0) - ln_gamma(k + 1.0) - ln_gamma(n - k + 1.0);
    let mut term = (ways + k * rate.ln() + (n - k) * (-rate).ln_1p()).exp();
    let mut sum = term;
    if k > n * rate {
        // Above the mode the terms below may be the larger part: the complement is the short sum.
        return 1.0 - binomial_at_most(trials - successes - 1, trials, 1.0 - rate);
    }
    for below in (1..=successes).rev() {
        let j = below as f64;
        term *= j / (n - j + 1.0) * (1.0 - rate) / rate;
        sum += term;
        if term <= sum * f64::EPSILON * 0.01 {
            break;
        }
    }
    sum.min(1.0)
}

/// P(B ≥ `successes`) for B binomial over `trials` with the success rate `rate`.
pub(crate) fn binomial_at_least(successes: usize, trials: usize, rate: f64) -> f64 {
    if successes == 0 {
        return 1.0;
    }
    // At least k successes are at most n − k failures.
    trials.checked_sub(successes).map_or(0.0, |failures| binomial_at_most(failures, trials, 1.0 - rate))
}

/// The one-sided upper Clopper–Pearson bound of a failure rate: the largest rate at which so few failures
/// would still have a probability of 1 − `confidence` (Clopper & Pearson, *Biometrika* 26, 1934).
///
/// `failures` of `trials`; the bound is a rate from 0 to 1. `None` without trials, with more failures than
/// trials, or with a `confidence` that is not strictly between 0 and 1.
pub fn clopper_pearson_upper(failures: usize, trials: usize, confidence: f64) -> Option<f64> {
    let tail = 1.0 - confidence;
    if trials == 0 || failures > trials || !(tail > 0.0 && tail < 1.0) {
        return None;
    }
    Some(upper_rate(failures, trials, tail))
}

/// The two-sided Clopper–Pearson interval of a failure rate, with (1 − `confidence`) / 2 on either side.
///
/// `None` as for [`clopper_pearson_upper`].
pub fn clopper_pearson(failures: usize, trials: usize, confidence: f64) -> Option<Interval> {
    let tail = (1.0 - confidence) / 2.0;
    if trials == 0 || failures > trials || !(tail > 0.0 && tail < 0.5) {
        return None;
    }
    // The lower bound of the failures is what the upper bound of the successes leaves.
    let lo = 1.0 - upper_rate(trials - failures, trials, tail);
    Some(Interval { lo, hi: upper_rate(failures, trials, tail) })
}

fn upper_rate(failures: usize, trials: usize, tail: f64) -> f64 {
    if failures >= trials {
        return 1.0;
    }
    bisect(0.0, 1.0, |rate| binomial_at_most(failures, trials, rate) > tail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn assert_close(got: f64, expected: f64, tolerance: f64) {
        assert!((got - expected).abs() <= tolerance, "{got} instead of {expected}");
    }

    #[test]
    fn textbook_intervals() {
        // R: binom.test(x, n)$conf.int.
        let ten = clopper_pearson(1, 10, 0.95).unwrap();
        assert_close(ten.lo, 0.002_528_579, 1e-8);
        assert_close(ten.hi, 0.445_016_117, 1e-8);
        let mendel = clopper_pearson(682, 925, 0.95).unwrap();
        assert_close(mendel.lo, 0.707_668_3, 1e-6);
        assert_close(mendel.hi, 0.765_406_6, 1e-6);
        let none = clopper_pearson(0, 20, 0.95).unwrap();
        assert_eq!(none.lo, 0.0);
        assert_close(none.hi, 0.168_433_5, 1e-6);
        assert_eq!(clopper_pearson(20, 20, 0.95).unwrap().hi, 1.0);
    }

    #[test]
    fn no_failure_gives_the_rule_of_three() {
        let bound = clopper_pearson_upper(0, 300, 0.95).unwrap();
        assert_close(bound, 1.0 - 0.05f64.powf(1.0 / 300.0), 1e-12);
        assert_eq!(clopper_pearson_upper(7, 7, 0.95), Some(1.0));
        // Beta quantile: qbeta(.95, 4, 297).
        assert_close(clopper_pearson_upper(3, 300, 0.95).unwrap(), 0.025_641, 2e-5);
    }

    #[test]
    fn nonsense_has_no_answer() {
        assert_eq!(clopper_pearson_upper(0, 0, 0.95), None);
        assert_eq!(clopper_pearson_upper(3, 2, 0.95), None);
        assert_eq!(clopper_pearson_upper(1, 2, 1.0), None);
        assert_eq!(clopper_pearson(1, 2, 0.0), None);
        assert_eq!(clopper_pearson(1, 2, f64::NAN), None);
        assert_eq!(clopper_pearson(3, 2, 0.95), None);
    }

    #[test]
    fn tails_of_a_small_binomial() {
        assert_close(binomial_at_most(2, 5, 0.5), 0.5, 1e-14);
        assert_close(binomial_at_most(0, 5, 0.5), 1.0 / 32.0, 1e-15);
        assert_close(binomial_at_most(4, 5, 0.5), 31.0 / 32.0, 1e-14);
        assert_close(binomial_at_least(5, 5, 0.5), 1.0 / 32.0, 1e-15);
        assert_eq!(binomial_at_least(6, 5, 0.5), 0.0);
        assert_eq!(binomial_at_least(0, 5, 0.5), 1.0);
        assert_eq!(binomial_at_most(5, 5, 0.5), 1.0);
        assert_eq!(binomial_at_most(3, 5, 1.0), 0.0);
    }

    proptest! {
        #[test]
        fn the_two_tails_add_up(trials in 1usize..2000, share in 0.0f64..1.0, rate in 0.001f64..0.999) {
            let successes = ((trials - 1) as f64 * share) as usize;
            let both = binomial_at_most(successes, trials, rate)
                + binomial_at_least(successes + 1, trials, rate);
            prop_assert!((both - 1.0).abs() < 1e-9, "{both}");
        }

        #[test]
        fn bounds_are_ordered_and_hold_the_observed_rate(trials in 1usize..200, share in 0.0f64..=1.0) {
            let failures = (trials as f64 * share) as usize;
            let interval = clopper_pearson(failures, trials, 0.95).unwrap();
            prop_assert!(0.0 <= interval.lo && interval.hi <= 1.0);
            prop_assert!(interval.contains(failures as f64 / trials as f64));
            prop_assert!(clopper_pearson_upper(failures, trials, 0.95).unwrap() <= interval.hi + 1e-12);
        }
    }
}
