//! How good a ranking is on requests whose answer is known, and whether it is better than another.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::ranking::model::{Pair, Ranked, Ranker};
use crate::ranking::shape;

/// How often a bootstrap draws a sample.
pub const DRAWS: usize = 2_000;
const SEED: u64 = 0xb007;

/// The place of the right answer for each request: 1 is best, None where it was not ranked.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Places(pub Vec<Option<usize>>);

/// What of a command counts as the answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Target {
    /// Its program.
    Program,
    /// Its shape, see [`shape::template`].
    Template,
}

/// A mean with the ends of its 95 % interval, by the percentile bootstrap over requests (Efron and
/// Tibshirani, "An Introduction to the Bootstrap", section 13.3).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The mean over all requests.
    pub mean: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Places {
    /// Ranks every request of `pairs` whose command runs a program, and notes where the right answer is.
    pub fn of(ranker: &dyn Ranker, pairs: &[Pair], target: Target) -> Self {
        let place = |pair: &Pair| {
            let program = shape::program(&pair.command)?;
            Some(match target {
                Target::Program => place(&ranker.programs(&pair.request), &program),
                Target::Template => place(&ranker.templates(&pair.request), &shape::template(&pair.command)),
            })
        };
        Self(pairs.iter().filter_map(place).collect())
    }

    /// For each request 1 if the answer is among the first `limit`, else 0.
    pub fn hits(&self, limit: usize) -> Vec<f64> {
        self.0.iter().map(|place| f64::from(u8::from(place.is_some_and(|place| place <= limit)))).collect()
    }

    /// For each request 1 / place, or 0; the mean is the mean reciprocal rank (MRR).
    pub fn reciprocal(&self) -> Vec<f64> {
        self.0.iter().map(|place| place.map_or(0.0, |place| 1.0 / place as f64)).collect()
    }
}

/// Where `name` stands, counted from 1.
pub fn place(ranked: &[Ranked], name: &str) -> Option<usize> {
    ranked.iter().position(|ranked| ranked.name == name).map(|at| at + 1)
}

/// The mean of `values` with its interval; all zero without values.
pub fn estimate(values: &[f64]) -> Estimate {
    if values.is_empty() {
        return Estimate { mean: 0.0, low: 0.0, high: 0.0 };
    }
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let mut means: Vec<f64> = (0..DRAWS)
        .map(|_| {
            let sum: f64 = (0..values.len()).map(|_| values[random.random_range(0..values.len())]).sum();
            sum / values.len() as f64
        })
        .collect();
    means.sort_by(f64::total_cmp);
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    Estimate { mean, low: means[DRAWS * 25 / 1000], high: means[DRAWS * 975 / 1000] }
}

/// The mean of `better - worse`, request by request.
///
/// # Panics
/// If the two are not of the same requests.
pub fn paired(better: &[f64], worse: &[f64]) -> Estimate {
    assert_eq!(better.len(), worse.len(), "both rank the same requests");
    let differences: Vec<f64> = better.iter().zip(worse).map(|(a, b)| a - b).collect();
    estimate(&differences)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_become_rates() {
        let places = Places(vec![Some(1), Some(2), None, Some(6)]);
        assert_eq!(places.hits(1), [1.0, 0.0, 0.0, 0.0]);
        assert_eq!(places.hits(5), [1.0, 1.0, 0.0, 0.0]);
        assert_eq!(places.reciprocal(), [1.0, 0.5, 0.0, 1.0 / 6.0]);
    }

    #[test]
    fn intervals_hold_the_mean_and_shrink_with_more_values() {
        let few = estimate(&[0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 1.0, 1.0]);
        let many = estimate(&[0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 1.0, 1.0].repeat(20));
        assert!(few.low < few.mean && few.mean < few.high && few.mean == many.mean);
        assert!(many.high - many.low < (few.high - few.low) / 3.0);
        // The standard error of a share of 5/8 in 160 is 0.0383.
        assert!((many.high - many.low - 2.0 * 1.96 * 0.0383).abs() < 0.02, "{many:?}");
        assert_eq!(estimate(&[1.0; 9]), Estimate { mean: 1.0, low: 1.0, high: 1.0 });
    }

    #[test]
    fn pairs_are_compared_one_by_one() {
        let worse: Vec<f64> = (0..100).map(|n| f64::from(n % 10)).collect();
        let better: Vec<f64> = worse.iter().map(|value| value + 0.1).collect();
        let gain = paired(&better, &worse);
        assert!(gain.low > 0.09 && gain.high < 0.11, "{gain:?}");
    }
}
