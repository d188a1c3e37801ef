//! How often a selection misses a failing test, as far as that was observed.

use serde::{Deserialize, Serialize};
use statrs::distribution::{Beta, ContinuousCDF};

/// Failures that a full run showed, and how many of them the selection of that moment would have missed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observed {
    /// Failures.
    pub failures: u64,
    /// Those that were missed.
    pub missed: u64,
}

impl Observed {
    /// Adds another observation.
    pub fn add(&mut self, other: Self) {
        self.failures += other.failures;
        self.missed += other.missed;
    }
}

/// What is known of the risk.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Risk {
    /// With 95 % confidence at most this share of failures is missed.
    pub at_most: f64,
    /// What that is known from.
    #[serde(flatten)]
    pub observed: Observed,
}

impl Risk {
    /// The risk by what was observed. Without an observation anything is possible.
    #[must_use]
    pub fn of(observed: Observed) -> Self {
        Self { at_most: upper_bound(observed.missed, observed.failures, 0.95), observed }
    }
}

/// The upper end of a one-sided interval for a share, of which `hits` in `trials` were observed (Clopper and Pearson,
/// "The use of confidence or fiducial limits illustrated in the case of the binomial", Biometrika 26, 1934).
#[must_use]
pub fn upper_bound(hits: u64, trials: u64, confidence: f64) -> f64 {
    if hits >= trials {
        return 1.0;
    }
    #[expect(clippy::cast_precision_loss, reason = "counts of failures are far below 2^52")]
    let (hits, trials) = (hits as f64, trials as f64);
    Beta::new(hits + 1.0, trials - hits).map_or(1.0, |beta| beta.inverse_cdf(confidence))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The binomial distribution summed up, which is what the bound is defined by.
    fn at_most(hits: u64, trials: u64, share: f64) -> f64 {
        let mut term = (1.0 - share).powi(i32::try_from(trials).unwrap());
        let mut sum = term;
        for k in 0..hits {
            term *= (trials - k) as f64 / (k + 1) as f64 * share / (1.0 - share);
            sum += term;
        }
        sum
    }

    #[test]
    fn the_bound_is_where_so_few_hits_become_unlikely() {
        for (hits, trials) in [(0, 1), (0, 10), (0, 300), (1, 20), (3, 300), (19, 20)] {
            let bound = upper_bound(hits, trials, 0.95);
            assert!((at_most(hits, trials, bound) - 0.05).abs() < 1e-6, "{hits} of {trials}: {bound}");
        }
        // The rule of three, and the ends.
        assert!((upper_bound(0, 300, 0.95) - 0.00994).abs() < 1e-4);
        assert!((upper_bound(5, 5, 0.95) - 1.0).abs() < f64::EPSILON);
        assert!((upper_bound(0, 0, 0.95) - 1.0).abs() < f64::EPSILON);
    }
}
