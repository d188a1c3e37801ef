//! Looking at the data several times without spending more error than was allowed.

use crate::stats::boundary::{Spending, critical_scores};
use crate::stats::normal::normal_upper_tail;
use crate::stats::power::detectable_with;
use crate::stats::student::{estimate_with, t_upper_quantile};
use crate::stats::{Beyond, Estimate, p_beyond};

/// One planned look at the data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    /// How many launches there are at this look.
    pub launches: usize,
    /// The one-sided error spent up to and including this look.
    pub spent: f64,
    /// The critical value for a standard normal score; infinite where nothing can be spent yet.
    pub critical_z: f64,
    /// The critical value for Student's t with `launches` − 1 degrees of freedom: the t with the same tail
    /// probability as `critical_z`; infinite where that is.
    pub critical_t: f64,
}

/// A group-sequential plan: looks at fixed numbers of launches, error spent by a function of Lan and DeMets'
/// kind: O'Brien and Fleming's shape where nothing else is said.
///
/// The boundary is exact for normal scores of known variance. It is carried over to a variance estimated from
/// the data by matching one-sided tail probabilities look by look (Jennison & Turnbull, *Group Sequential
/// Methods with Applications to Clinical Trials*, 2000, section 3.8). That keeps the error close to its nominal
/// level, and not exactly at it; the tests in `stats/simulations.rs` hold it there.
///
/// The shape is strict early on: of a maximum of 256, the interval at 16 launches is 57 standard errors wide on
/// either side and at 64 launches 4.7. An experiment meant to be short needs a plan with a small maximum.
#[derive(Debug, Clone, PartialEq)]
pub struct Sequential {
    looks: Vec<Look>,
    alpha: f64,
    maximum: usize,
    spending: Spending,
}

impl Sequential {
    /// The plan with these `looks` (numbers of launches), the last of which is the end, and a one-sided error
    /// of `alpha` in all; 0.025 yields repeated intervals of 95 %.
    ///
    /// `None` where there are no looks, the first has fewer than two launches, the numbers do not rise, or
    /// `alpha` is not strictly between 0 and 0.5.
    pub fn new(looks: &[usize], alpha: f64) -> Option<Self> {
        Self::with_maximum(looks, *looks.last()?, alpha)
    }

    /// The plan with these `looks` out of a planned `maximum` of launches. Error is spent in proportion to
    /// the maximum, so a plan which ends before it leaves some of its error unspent.
    ///
    /// `None` as for [`Sequential::new`], and where the last look lies beyond the maximum.
    pub fn with_maximum(looks: &[usize], maximum: usize, alpha: f64) -> Option<Self> {
        Self::spending(looks, maximum, alpha, Spending::OBrienFleming)
    }

    /// The same with another shape of spending.
    ///
    /// `None` as for [`Sequential::with_maximum`].
    pub fn spending(looks: &[usize], maximum: usize, alpha: f64, spending: Spending) -> Option<Self> {
        let is_rising = looks.windows(2).all(|pair| pair[0] < pair[1]);
        let is_open = alpha > 0.0 && alpha < 0.5;
        if *looks.first()? < 2 || *looks.last()? > maximum || !is_rising || !is_open {
            return None;
        }
        let fractions: Vec<f64> = looks.iter().map(|&n| n as f64 / maximum as f64).collect();
        let scores = critical_scores(&fractions, alpha, spending);
        let planned = looks.iter().zip(&fractions).zip(scores).map(|((&launches, &fraction), critical_z)| {
            let spent = spending.spent(fraction, alpha);
            Look { launches, spent, critical_z, critical_t: matching_t(critical_z, launches) }
        });
        Some(Self { looks: planned.collect(), alpha, maximum, spending })
    }

    /// The same plan for an experiment that a budget ended at `launches`: the looks before it stay, and the
    /// last one is at `launches`. Lan & DeMets' boundaries depend on past looks only, so this is allowed as
    /// long as the results did not decide when to end.
    ///
    /// `None` for fewer than two launches or more than the maximum.
    #[must_use]
    pub fn ended_at(&self, launches: usize) -> Option<Self> {
        let mut looks: Vec<usize> = self.looks.iter().map(|look| look.launches).collect();
        looks.retain(|&planned| planned < launches);
        looks.push(launches);
        Self::spending(&looks, self.maximum, self.alpha, self.spending)
    }

    /// The looks in order.
    pub fn looks(&self) -> &[Look] {
        &self.looks
    }

    /// The one-sided error of the whole plan.
    pub fn alpha(&self) -> f64 {
        self.alpha
    }

    /// The index of the look at exactly `launches`, if there is one.
    pub fn look_at(&self, launches: usize) -> Option<usize> {
        self.looks.iter().position(|look| look.launches == launches)
    }

    /// The mean with the two-sided repeated confidence interval at a look (an index into
    /// [`Sequential::looks`]): mean ± critical t · sd / √n. The intervals of all looks hold the truth
    /// together with probability 1 − 2 · alpha, so that any rule for stopping may be based on them (Jennison &
    /// Turnbull, *Journal of the Royal Statistical Society B* 51, 1989).
    ///
    /// `values` holds one value per launch, exactly as many as the look has launches. `None` for another
    /// number, values that are not finite, or a look too early to say anything.
    pub fn repeated_interval(&self, values: &[f64], look: usize) -> Option<Estimate> {
        let look = self.looks.get(look).filter(|look| look.launches == values.len())?;
        if !look.critical_t.is_finite() {
            return None;
        }
        estimate_with(values, look.critical_t)
    }

    /// The least true effect which the repeated interval at a look places wholly beyond `threshold` with
    /// probability `power`; units and bounds as for [`minimum_detectable`](crate::stats::minimum_detectable).
    /// It is the power of this look alone: stopping at an earlier one only adds to it.
    ///
    /// `None` as for that function, for a look that does not exist, or one too early to say anything.
    pub fn minimum_detectable(&self, look: usize, sd: f64, threshold: f64, power: f64) -> Option<f64> {
        let look = self.looks.get(look)?;
        detectable_with(look.critical_t, sd, look.launches, threshold, power)
    }

    /// The repeated p values of "the mean lies within ±`threshold`" at a look: the smallest one-sided error of
    /// a plan with the same looks whose repeated interval at this look lies beyond the threshold. They hold
    /// whichever look the experiment stopped at, which the plain p values of [`p_beyond`] do not.
    ///
    /// Values above one half, which no test asks for, are reported as 1, those below 1e-12 as 1e-12. `None`
    /// as for [`Sequential::repeated_interval`] and [`p_beyond`].
    pub fn repeated_p(&self, values: &[f64], look: usize, threshold: f64) -> Option<Beyond> {
        if self.looks.get(look)?.launches != values.len() {
            return None;
        }
        let plain = p_beyond(values, threshold)?;
        let repeated = |p| self.alpha_reaching(p, look);
        Some(Beyond { above: repeated(plain.above), below: repeated(plain.below) })
    }

    /// The one-sided error at which the critical value of `look` has the tail probability `plain`.
    fn alpha_reaching(&self, plain: f64, look: usize) -> f64 {
        let past = self.looks.iter().take(look + 1);
        let fractions: Vec<f64> = past.map(|look| look.launches as f64 / self.maximum as f64).collect();
        let nominal = |alpha: f64| {
            critical_scores(&fractions, alpha, self.spending).last().map_or(0.0, |&z| normal_upper_tail(z))
        };
        // A repeated p value is never below the plain one, and four digits of it are plenty.
        let (mut low, mut high) = (plain.max(1e-12), 0.499_f64);
        if plain >= 0.5 || nominal(high) < plain {
            return 1.0;
        }
        if nominal(low) >= plain {
            return low;
        }
        while high / low > 1.0001 {
            let middle = (low * high).sqrt();
            if nominal(middle) < plain {
                low = middle;
            } else {
                high = middle;
            }
        }
        high
    }
}

fn matching_t(critical_z: f64, launches: usize) -> f64 {
    t_upper_quantile(normal_upper_tail(critical_z), (launches - 1) as f64).unwrap_or(f64::INFINITY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{mean_interval, minimum_detectable, t_quantile};
    use proptest::prelude::*;

    const LOOKS: [usize; 5] = [16, 32, 64, 128, 256];

    fn spread(n: usize, mean: f64) -> Vec<f64> {
        (0..n).map(|i| mean + ((i * 37) % n) as f64 / n as f64 - (n - 1) as f64 / (2 * n) as f64).collect()
    }

    #[test]
    fn the_plan_of_doubling_looks() {
        let plan = Sequential::new(&LOOKS, 0.025).unwrap();
        let looks = plan.looks();
        assert_eq!(looks.len(), 5);
        assert!(looks.windows(2).all(|pair| pair[0].critical_z > pair[1].critical_z));
        assert!(looks.windows(2).all(|pair| pair[0].critical_t > pair[1].critical_t));
        assert!(looks.iter().all(|look| look.critical_t > look.critical_z));
        // The first look spends by itself: z = Φ⁻¹(1 − spent).
        assert!((normal_upper_tail(looks[0].critical_z) / looks[0].spent - 1.0).abs() < 1e-9);
        assert!((looks[4].spent - 0.025).abs() < 1e-15);
        // The price of four early looks is a slightly higher last hurdle than 1.96.
        assert!((looks[4].critical_z - 1.968_604).abs() < 1e-5, "{looks:?}");
        assert_eq!(plan.look_at(64), Some(2));
        assert_eq!(plan.look_at(65), None);
    }

    #[test]
    fn a_plan_of_one_look_is_the_t_interval() {
        let plan = Sequential::new(&[20], 0.025).unwrap();
        let values = spread(20, 0.3);
        let (repeated, plain) =
            (plan.repeated_interval(&values, 0).unwrap(), mean_interval(&values, 0.95).unwrap());
        assert!((repeated.interval.lo - plain.interval.lo).abs() < 1e-9);
        assert!((plan.looks()[0].critical_t - t_quantile(0.975, 19.0).unwrap()).abs() < 1e-8);
        let (repeated, plain) = (plan.repeated_p(&values, 0, 0.1).unwrap(), p_beyond(&values, 0.1).unwrap());
        assert!((repeated.above / plain.above - 1.0).abs() < 1e-3, "{repeated:?} {plain:?}");
        assert_eq!(repeated.below, 1.0);
    }

    #[test]
    fn broken_plans_are_refused() {
        assert_eq!(Sequential::new(&[], 0.025), None);
        assert_eq!(Sequential::new(&[1, 16], 0.025), None);
        assert_eq!(Sequential::new(&[16, 16], 0.025), None);
        assert_eq!(Sequential::new(&[32, 16], 0.025), None);
        for alpha in [0.0, 0.5, -0.1, f64::NAN] {
            assert_eq!(Sequential::new(&LOOKS, alpha), None);
        }
        assert_eq!(Sequential::with_maximum(&LOOKS, 255, 0.025), None);
    }

    #[test]
    fn the_number_of_values_has_to_be_that_of_the_look() {
        let plan = Sequential::new(&LOOKS, 0.025).unwrap();
        assert!(plan.repeated_interval(&spread(64, 0.0), 2).is_some());
        assert_eq!(plan.repeated_interval(&spread(63, 0.0), 2), None);
        assert_eq!(plan.repeated_interval(&spread(64, 0.0), 1), None);
        assert_eq!(plan.repeated_interval(&spread(64, 0.0), 9), None);
        assert_eq!(plan.repeated_p(&spread(63, 0.0), 2, 0.0), None);
        // With one launch in 5,000 nothing can be spent yet.
        let early = Sequential::new(&[2, 10_000], 0.025).unwrap();
        assert_eq!(early.repeated_interval(&[0.0, 1.0], 0), None);
    }

    #[test]
    fn a_later_look_detects_smaller_effects() {
        let plan = Sequential::new(&LOOKS, 0.025).unwrap();
        let least: Vec<f64> =
            (0..5).map(|look| plan.minimum_detectable(look, 0.02, 0.01, 0.95).unwrap()).collect();
        assert!(least.windows(2).all(|pair| pair[0] > pair[1]), "{least:?}");
        // At the last look it is a little more than that of a plain 95 % interval.
        let plain = minimum_detectable(0.02, 256, 0.01, 0.05, 0.95).unwrap();
        assert!(least[4] > plain && least[4] < plain + 0.000_05, "{least:?} {plain}");
        assert_eq!(plan.minimum_detectable(5, 0.02, 0.01, 0.95), None);
    }

    #[test]
    fn an_early_end_keeps_the_past_and_leaves_error_unspent() {
        let plan = Sequential::new(&LOOKS, 0.025).unwrap();
        let ended = plan.ended_at(100).unwrap();
        let launches: Vec<usize> = ended.looks().iter().map(|look| look.launches).collect();
        assert_eq!(launches, [16, 32, 64, 100]);
        assert_eq!(ended.looks()[..3], plan.looks()[..3]);
        assert!(ended.looks()[3].spent < 0.025);
        assert_eq!(plan.ended_at(256), Some(plan.clone()));
        assert_eq!(plan.ended_at(257), None);
        assert_eq!(plan.ended_at(1), None);
    }

    #[test]
    fn the_repeated_p_value_is_dearer_than_the_plain_one() {
        let plan = Sequential::new(&LOOKS, 0.025).unwrap();
        for (look, n) in LOOKS.into_iter().enumerate() {
            let values = spread(n, 0.2);
            let (repeated, plain) = (plan.repeated_p(&values, look, 0.1), p_beyond(&values, 0.1));
            assert!(repeated.unwrap().above >= plain.unwrap().above, "look {look}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]

        #[test]
        fn the_repeated_p_value_and_the_interval_agree(
            look in 1usize..4, mean in -0.4f64..0.4, threshold in 0.0f64..0.1,
        ) {
            let plan = Sequential::new(&LOOKS, 0.025).unwrap();
            let values = spread(LOOKS[look], mean);
            let interval = plan.repeated_interval(&values, look).unwrap().interval;
            let p = plan.repeated_p(&values, look, threshold).unwrap();
            // Four digits of p are exact, so cases closer to alpha than that decide nothing.
            prop_assume!((p.above / 0.025 - 1.0).abs() > 1e-3 && (p.below / 0.025 - 1.0).abs() > 1e-3);
            prop_assert_eq!(p.above < 0.025, interval.lo > threshold);
            prop_assert_eq!(p.below < 0.025, interval.hi < -threshold);
        }
    }
}
