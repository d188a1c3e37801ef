//! When calls are due, fixed before any of them is made: at a constant rate, or as a Poisson process.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

/// The intended times of the calls of an open loop, in ns from its beginning. They depend on nothing but the
/// rate and the seed: a server that is slow gets no fewer calls.
#[derive(Clone, Debug)]
pub struct Arrivals {
    /// ns between calls, on average.
    gap: f64,
    random: Option<ChaCha8Rng>,
    /// Calls so far, at a constant rate.
    count: u64,
    /// The last time, in ns, of a Poisson process.
    last: f64,
}

impl Arrivals {
    /// `rate` calls a second, which has to be above 0: evenly spaced, or as a Poisson process with this seed.
    #[must_use]
    pub fn new(rate: f64, poisson: Option<u64>) -> Self {
        Self { gap: 1e9 / rate, random: poisson.map(ChaCha8Rng::seed_from_u64), count: 0, last: 0.0 }
    }

    /// The intended time of the next call.
    pub fn due(&mut self) -> u64 {
        match &mut self.random {
            // Multiplied, not added up: no rounding error grows with the number of calls.
            None => {
                let due = (self.count as f64 * self.gap) as u64;
                self.count += 1;
                due
            }
            Some(random) => {
                // Uniform over (0, 1]: the logarithm of 0 would never come.
                let uniform = ((random.next_u64() >> 11) + 1) as f64 / (1_u64 << 53) as f64;
                self.last += -uniform.ln() * self.gap;
                self.last as u64
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{mean, sd};
    use proptest::prelude::*;

    #[test]
    fn a_constant_rate_has_no_drift() {
        let mut arrivals = Arrivals::new(3.0, None);
        let due: Vec<u64> = (0..4).map(|_| arrivals.due()).collect();
        assert_eq!(due, [0, 333_333_333, 666_666_666, 1_000_000_000]);
        let last = (4..3_000_000).map(|_| arrivals.due()).last().unwrap();
        assert_eq!(last, 999_999_666_666_666);
    }

    #[test]
    fn poisson_gaps_are_exponential() {
        let mut arrivals = Arrivals::new(1000.0, Some(3));
        let due: Vec<u64> = (0..40_000).map(|_| arrivals.due()).collect();
        let gaps: Vec<f64> = due.windows(2).map(|pair| (pair[1] - pair[0]) as f64).collect();
        let (mean, sd) = (mean(&gaps).unwrap(), sd(&gaps).unwrap());
        assert!((mean / 1e6 - 1.0).abs() < 0.03, "mean {mean}");
        assert!((sd / mean - 1.0).abs() < 0.03, "an exponential has its mean as standard deviation: {sd}");
        let above = gaps.iter().filter(|&&gap| gap > 2e6).count() as f64 / gaps.len() as f64;
        assert!((above - (-2.0f64).exp()).abs() < 0.01, "{above}");
    }

    proptest! {
        #[test]
        fn times_never_go_back_and_a_seed_repeats_them(rate in 0.1f64..1e6, seed in any::<u64>(), poisson: bool) {
            let seed = poisson.then_some(seed);
            let (mut one, mut two) = (Arrivals::new(rate, seed), Arrivals::new(rate, seed));
            let mut last = 0;
            for _ in 0..100 {
                let due = one.due();
                prop_assert!(due >= last);
                prop_assert_eq!(due, two.due());
                last = due;
            }
        }
    }
}
