//! Axes of amounts on a logarithmic scale, with round values at their ticks.

/// The steps within a decade that ticks may stand at, the coarsest choice first.
const STEPS: [&[f64]; 3] = [&[1.0, 2.0, 5.0], &[1.0, 3.0], &[1.0]];

/// Where positive amounts stand between two ends; the ends may be in either order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct LogScale {
    /// Decimal logarithm of the amount at `from`.
    lo: f64,
    /// Decimal logarithm of the amount at `to`.
    hi: f64,
    from: f64,
    to: f64,
}

impl LogScale {
    /// A scale that holds all amounts, with a little room at both ends; `None` without a positive amount.
    pub(crate) fn over(amounts: impl Iterator<Item = f64>, from: f64, to: f64) -> Option<Self> {
        let logs = amounts.filter(|amount| *amount > 0.0 && amount.is_finite()).map(f64::log10);
        let (lo, hi) =
            logs.fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), log| (lo.min(log), hi.max(log)));
        let room = ((hi - lo) * 0.05).max(0.1);
        (lo <= hi).then_some(Self { lo: lo - room, hi: hi + room, from, to })
    }

    /// Where an amount stands; beyond an end, at that end.
    pub(crate) fn place(&self, amount: f64) -> f64 {
        let share = (amount.max(f64::MIN_POSITIVE).log10() - self.lo) / (self.hi - self.lo);
        self.from + share.clamp(0.0, 1.0) * (self.to - self.from)
    }

    /// Round amounts inside the scale, as many as are at least `gap` apart, from the least.
    pub(crate) fn ticks(&self, gap: f64) -> Vec<f64> {
        let candidates = STEPS.map(|steps| self.round(steps));
        let apart = |ticks: &Vec<f64>| {
            ticks.windows(2).all(|pair| (self.place(pair[1]) - self.place(pair[0])).abs() >= gap)
        };
        candidates.into_iter().find(apart).unwrap_or_default()
    }

    fn round(&self, steps: &[f64]) -> Vec<f64> {
        let decades = self.lo.floor() as i32..=self.hi.ceil() as i32;
        let all = decades.flat_map(|decade| steps.iter().map(move |step| step * 10f64.powi(decade)));
        all.filter(|amount| (self.lo..=self.hi).contains(&amount.log10())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_factor_of_ten_is_as_wide() {
        let scale = LogScale::over([10.0, 100_000.0].into_iter(), 0.0, 440.0).expect("amounts");
        let width = scale.place(100.0) - scale.place(10.0);
        assert!((scale.place(10_000.0) - scale.place(1000.0) - width).abs() < 1e-9);
        assert_eq!((scale.place(0.0), scale.place(1e300)), (0.0, 440.0));
    }

    #[test]
    fn ticks_are_round_inside_and_apart() {
        for (lo, hi) in [(12.0, 30.0), (10.0, 1e6), (0.3, 2e9)] {
            let scale = LogScale::over([lo, hi].into_iter(), 0.0, 500.0).expect("amounts");
            let ticks = scale.ticks(40.0);
            assert!(ticks.len() >= 2, "{lo} to {hi}: {ticks:?}");
            assert!(ticks.windows(2).all(|pair| scale.place(pair[1]) - scale.place(pair[0]) >= 40.0));
        }
    }

    #[test]
    fn a_scale_may_run_upwards_and_needs_an_amount() {
        let scale = LogScale::over([1.0, 10.0].into_iter(), 300.0, 100.0).expect("amounts");
        assert!(scale.place(10.0) < scale.place(1.0));
        assert_eq!(LogScale::over([0.0, f64::NAN].into_iter(), 0.0, 1.0), None);
    }
}
