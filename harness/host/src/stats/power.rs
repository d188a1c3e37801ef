//! What a number of launches can show, and how many launches a question needs.

use crate::stats::normal::normal_upper_tail;
use crate::stats::solve::bisect;
use crate::stats::student::t_upper_quantile;
use statrs::function::gamma::ln_gamma;

/// The most launches that [`launches_to_decide`] proposes. A row that would need more is better called
/// undecidable: with short launches this is already a quarter of an hour for one benchmark.
pub const MOST_LAUNCHES: usize = 10_000;

/// The least true effect, in the unit of `sd` (a log ratio), which the t interval over `n` launches places
/// wholly beyond `threshold` with probability `power`.
///
/// `sd` is the standard deviation over launches and `alpha` the two-sided error of the interval: 0.05 for a
/// 95 % interval, less after a correction for many rows. The excess over the threshold follows from the
/// noncentral t distribution, integrated numerically; where `power` is no more than chance yields it is zero.
/// For an interval of a group-sequential plan use `Sequential::minimum_detectable`.
///
/// `None` for fewer than two launches, a negative or non-finite `sd` or `threshold`, or an `alpha` or `power`
/// that is not strictly between 0 and 1.
pub fn minimum_detectable(sd: f64, n: usize, threshold: f64, alpha: f64, power: f64) -> Option<f64> {
    if n < 2 || alpha >= 1.0 {
        return None;
    }
    detectable_with(t_upper_quantile(alpha / 2.0, (n - 1) as f64)?, sd, n, threshold, power)
}

/// [`minimum_detectable`] of an interval of `critical` standard errors on either side.
pub(crate) fn detectable_with(critical: f64, sd: f64, n: usize, threshold: f64, power: f64) -> Option<f64> {
    let is_answerable = n >= 2 && critical.is_finite() && power > 0.0 && power < 1.0;
    if !(is_answerable && is_size(sd) && is_size(threshold)) {
        return None;
    }
    let deviations = Deviations::of(n - 1);
    // Ten standard errors above the largest critical distance leave a chance of 1e-23 to miss.
    let certain = critical * deviations.largest() + 10.0;
    let errors = bisect(0.0, certain, |excess| deviations.power(excess, critical) < power);
    Some(threshold + errors * sd / (n as f64).sqrt())
}

/// The distribution of the sample's standard deviation over the true one, √(χ² / df), as weighted points.
struct Deviations {
    points: Vec<(f64, f64)>,
}

impl Deviations {
    /// Points of the midpoint rule; the integrand is smooth and vanishes at the ends of the range.
    const POINTS: u32 = 400;

    fn of(freedom: usize) -> Self {
        let df = freedom as f64;
        // The standard deviation of the ratio is about 1 / √(2 df), so ten of it hold all but 1e-15.
        let reach = 10.0 / (2.0 * df).sqrt();
        let (lo, hi) = ((1.0 - reach).max(0.0), 1.0 + reach);
        let width = (hi - lo) / f64::from(Self::POINTS);
        let scale = std::f64::consts::LN_2 + df / 2.0 * (df / 2.0).ln() - ln_gamma(df / 2.0);
        let weigh = |i| {
            let ratio = lo + (f64::from(i) + 0.5) * width;
            (ratio, width * (scale + (df - 1.0) * ratio.ln() - df * ratio * ratio / 2.0).exp())
        };
        Self { points: (0..Self::POINTS).map(weigh).collect() }
    }

    fn largest(&self) -> f64 {
        self.points.last().map_or(1.0, |&(ratio, _)| ratio)
    }

    /// P(T > `critical`) for a noncentral t: the mean lies `excess` true standard errors above the threshold,
    /// and has to clear it by `critical` estimated ones.
    fn power(&self, excess: f64, critical: f64) -> f64 {
        let found = |&(ratio, weight): &(f64, f64)| weight * normal_upper_tail(critical * ratio - excess);
        self.points.iter().map(found).sum()
    }
}

/// How many launches it takes until the t interval lies wholly inside or wholly beyond ±`threshold`, if mean
/// and standard deviation over launches stay what they are now.
///
/// `mean`, `sd` and `threshold` have one unit (log ratio). `None` when more than [`MOST_LAUNCHES`] would be
/// needed (the mean lies at the threshold), for values that are not finite, a negative `sd` or `threshold`, or
/// a `confidence` that is not strictly between 0 and 1. It is the budget at which a decision becomes as likely
/// as not, and holds for one interval at a fixed number of launches.
pub fn launches_to_decide(mean: f64, sd: f64, threshold: f64, confidence: f64) -> Option<usize> {
    let is_confidence = confidence > 0.0 && confidence < 1.0;
    if !(mean.is_finite() && is_size(sd) && is_size(threshold) && is_confidence) {
        return None;
    }
    let room = (mean.abs() - threshold).abs();
    let is_decided = |n: usize| {
        t_upper_quantile((1.0 - confidence) / 2.0, (n - 1) as f64)
            .is_some_and(|critical| critical * sd / (n as f64).sqrt() < room)
    };
    if !is_decided(MOST_LAUNCHES) {
        return None;
    }
    // The half width falls with n, so the answer can be halved in on.
    let (mut from, mut to) = (2, MOST_LAUNCHES);
    while from < to {
        let middle = from + (to - from) / 2;
        if is_decided(middle) {
            to = middle;
        } else {
            from = middle + 1;
        }
    }
    Some(to)
}

fn is_size(value: f64) -> bool {
    value.is_finite() && value >= 0.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::mean_interval;
    use proptest::prelude::*;

    #[test]
    fn textbook_sample_sizes() {
        // Cohen, Statistical Power Analysis, and G*Power: the one-sample t test at a two-sided 5 % finds
        // effects of 0.2, 0.5 and 0.8 standard deviations with a power of 80 % from n on.
        for (effect, n) in [(0.2, 199), (0.5, 34), (0.8, 15)] {
            assert!(minimum_detectable(1.0, n, 0.0, 0.05, 0.8).unwrap() <= effect, "n {n}");
            assert!(minimum_detectable(1.0, n - 1, 0.0, 0.05, 0.8).unwrap() > effect, "n {n}");
        }
    }

    #[test]
    fn excess_in_standard_errors() {
        // Noncentralities from an independent integration over the chi distribution by Simpson's rule.
        let known = [
            (4, 0.05, 0.8, 4.2559),
            (4, 0.001, 0.95, 20.9975),
            (16, 0.05, 0.5, 2.0947),
            (16, 0.001, 0.95, 6.0630),
            (64, 0.05, 0.95, 3.6612),
        ];
        for (n, alpha, power, expected) in known {
            let errors = minimum_detectable(1.0, n, 0.0, alpha, power).unwrap() * (n as f64).sqrt();
            assert!((errors - expected).abs() < 1e-3, "n {n}, alpha {alpha}, power {power}: {errors}");
        }
    }

    #[test]
    fn the_threshold_comes_on_top() {
        let excess = minimum_detectable(0.015, 64, 0.0, 0.05, 0.95).unwrap();
        assert!((minimum_detectable(0.015, 64, 0.01, 0.05, 0.95).unwrap() - 0.01 - excess).abs() < 1e-15);
        assert_eq!(minimum_detectable(0.0, 64, 0.01, 0.05, 0.95), Some(0.01));
        assert!(minimum_detectable(0.015, 64, 0.01, 0.05, 0.02).unwrap() - 0.01 < 1e-12);
    }

    #[test]
    fn nonsense_has_no_answer() {
        assert_eq!(minimum_detectable(0.01, 1, 0.01, 0.05, 0.95), None);
        assert_eq!(minimum_detectable(-0.01, 9, 0.01, 0.05, 0.95), None);
        assert_eq!(minimum_detectable(0.01, 9, f64::NAN, 0.05, 0.95), None);
        assert_eq!(minimum_detectable(0.01, 9, 0.01, 1.0, 0.95), None);
        assert_eq!(minimum_detectable(0.01, 9, 0.01, 0.05, 1.0), None);
        assert_eq!(minimum_detectable(0.01, 9, 0.01, 0.0, 0.9), None);
        assert_eq!(minimum_detectable(0.01, 9, 0.01, 0.05, 0.0), None);
        assert_eq!(launches_to_decide(f64::NAN, 0.01, 0.01, 0.95), None);
        assert_eq!(launches_to_decide(0.0, -1.0, 0.01, 0.95), None);
        assert_eq!(launches_to_decide(0.0, 0.01, 0.01, 1.0), None);
    }

    #[test]
    fn a_mean_at_the_threshold_is_never_decided() {
        assert_eq!(launches_to_decide(0.01, 0.02, 0.01, 0.95), None);
        assert_eq!(launches_to_decide(-0.010_01, 0.02, 0.01, 0.95), None);
        assert_eq!(launches_to_decide(0.0, 0.0, 0.0, 0.95), None);
        assert_eq!(launches_to_decide(0.02, 0.0, 0.01, 0.95), Some(2));
    }

    /// `n` values with exactly this mean and standard deviation.
    fn sample(n: usize, mean: f64, sd: f64) -> Vec<f64> {
        let raw: Vec<f64> = (0..n).map(|i| i as f64 - (n - 1) as f64 / 2.0).collect();
        let spread = crate::stats::sd(&raw).unwrap();
        raw.iter().map(|value| mean + value * sd / spread).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn the_budget_decides_and_one_launch_fewer_does_not(
            mean in -0.05f64..0.05, sd in 0.001f64..0.03, threshold in 0.0f64..0.02,
        ) {
            let decided = |n: usize| {
                let interval = mean_interval(&sample(n, mean, sd), 0.95).unwrap().interval;
                interval.lo > threshold
                    || interval.hi < -threshold
                    || (interval.lo > -threshold && interval.hi < threshold)
            };
            if let Some(n) = launches_to_decide(mean, sd, threshold, 0.95) {
                prop_assert!(decided(n + 1), "{n}");
                prop_assert!(n == 2 || !decided(n - 1), "{n}");
            } else {
                prop_assert!(!decided(MOST_LAUNCHES - 1));
            }
        }

        #[test]
        fn more_launches_find_smaller_effects(n in 2usize..400, sd in 0.0001f64..0.05) {
            let few = minimum_detectable(sd, n, 0.01, 0.05, 0.95).unwrap();
            let many = minimum_detectable(sd, n + 1, 0.01, 0.05, 0.95).unwrap();
            prop_assert!(0.01 < many && many < few);
        }
    }
}
