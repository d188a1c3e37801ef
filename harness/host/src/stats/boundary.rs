//! The critical values of a group-sequential test by numeric recursive integration.
//!
//! With the information fraction t of a look, the score S = Z·√t is a Brownian motion in t: its increments
//! are independent and normal with the variance of the step. The density of S over the paths that crossed no
//! earlier boundary is carried from look to look (Armitage, McPherson & Rowe, *Journal of the Royal
//! Statistical Society A* 132, 1969), and each boundary is placed where the paths that leave there have
//! exactly the probability that the spending function releases (Lan & DeMets, *Biometrika* 70, 1983).

use crate::stats::normal::{normal_density, normal_upper_quantile, normal_upper_tail};
use crate::stats::solve::bisect;

/// Paths below this standard score, of probability 6e-16, never come back to matter.
const LOWEST_Z: f64 = -8.0;
/// Paths above this standard score have a probability below 1e-32.
const HIGHEST_Z: f64 = 12.0;
/// Simpson intervals over the whole range, at a step of 0.08 or less.
const COARSEST_GRID: usize = 250;
/// The finest grid: enough for a step of 1/2,500 of the information so far.
const FINEST_GRID: usize = 2_000;

/// The one-sided error that may be spent up to the information `fraction`, of `alpha` in all: Lan & DeMets'
/// function of O'Brien and Fleming's shape, 2 · (1 − Φ(z(1 − alpha/2) / √fraction)).
fn obrien_fleming_spent(fraction: f64, alpha: f64) -> f64 {
    if fraction >= 1.0 {
        return alpha;
    }
    2.0 * normal_upper_tail(normal_upper_quantile(alpha / 2.0) / fraction.sqrt())
}

/// How fast a group-sequential plan may spend its error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spending {
    /// O'Brien and Fleming's shape: nearly nothing early on, nearly all of the error at the end. For
    /// conclusions that must not be drawn in haste.
    OBrienFleming,
    /// Pocock's shape, alpha · ln(1 + (e − 1) · fraction): about as much at each look. For conclusions that save
    /// time when they are drawn early.
    Pocock,
}

impl Spending {
    /// The one-sided error that may be spent up to the information `fraction`, of `alpha` in all.
    pub(crate) fn spent(self, fraction: f64, alpha: f64) -> f64 {
        match self {
            Self::OBrienFleming => obrien_fleming_spent(fraction, alpha),
            Self::Pocock => alpha * ((std::f64::consts::E - 1.0) * fraction.min(1.0)).ln_1p(),
        }
    }
}

/// The one-sided critical standard score of each look, at the rising information `fractions`, so that the
/// probability of any crossing up to a look is what `spending` releases there. Infinite where it releases less
/// than the smallest number above zero.
pub(crate) fn critical_scores(fractions: &[f64], alpha: f64, spending: Spending) -> Vec<f64> {
    let mut paths = Paths::start();
    let (mut reached, mut spent) = (0.0, 0.0);
    let mut scores = Vec::with_capacity(fractions.len());
    for (look, &fraction) in fractions.iter().enumerate() {
        let released = spending.spent(fraction, alpha);
        let step = (fraction - reached).sqrt();
        let score = paths.score_leaving(released - spent, fraction.sqrt(), step);
        scores.push(score);
        if let Some(next) = fractions.get(look + 1) {
            let resolution = ((next - fraction) / fraction).sqrt();
            paths = paths.advance(score, fraction.sqrt(), step, resolution);
        }
        (reached, spent) = (fraction, released);
    }
    scores
}

/// The distribution of the score over the paths that crossed no boundary so far, as weighted points.
struct Paths {
    scores: Vec<f64>,
    masses: Vec<f64>,
}

impl Paths {
    /// Before the first look every path is at zero.
    fn start() -> Self {
        Self { scores: vec![0.0], masses: vec![1.0] }
    }

    /// The probability of being above `bound` after a step of standard deviation `step`.
    fn probability_above(&self, bound: f64, step: f64) -> f64 {
        let points = self.scores.iter().zip(&self.masses);
        points.map(|(score, mass)| mass * normal_upper_tail((bound - score) / step)).sum()
    }

    /// The standard score above which paths of `probability` are after the step, where a standard score of
    /// 1 is a score of `unit`.
    fn score_leaving(&self, probability: f64, unit: f64, step: f64) -> f64 {
        if probability <= 0.0 {
            return f64::INFINITY;
        }
        // No double is the tail of a normal score above 39.
        let score = bisect(LOWEST_Z, 40.0, |z| self.probability_above(z * unit, step) > probability);
        if score < 39.0 { score } else { f64::INFINITY }
    }

    /// The paths below the standard score `ceiling` after the step, on Simpson's points. `resolution` is the
    /// standard deviation of the following step in standard scores, which the grid has to resolve.
    fn advance(&self, ceiling: f64, unit: f64, step: f64, resolution: f64) -> Self {
        let top = ceiling.min(HIGHEST_Z);
        // Six points to a standard deviation of the next step keep the sharp edge at the ceiling exact.
        let needed = 6.0 * (top - LOWEST_Z) / resolution;
        let half = (needed.ceil() as usize).clamp(COARSEST_GRID, FINEST_GRID).div_ceil(2);
        let width = (top - LOWEST_Z) * unit / (2 * half) as f64;
        let scores: Vec<f64> = (0..=2 * half).map(|i| LOWEST_Z * unit + width * i as f64).collect();
        let weigh = |(i, &score): (usize, &f64)| {
            let weight = match i {
                _ if i == 0 || i == 2 * half => 1.0,
                _ if i % 2 == 1 => 4.0,
                _ => 2.0,
            };
            weight * width / 3.0 * self.density(score, step)
        };
        let masses = scores.iter().enumerate().map(weigh).collect();
        Self { scores, masses }
    }

    fn density(&self, score: f64, step: f64) -> f64 {
        let points = self.scores.iter().zip(&self.masses);
        points.map(|(from, mass)| mass * normal_density((score - from) / step)).sum::<f64>() / step
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_scores(fractions: &[f64], alpha: f64, expected: &[f64], tolerance: f64) {
        let scores = critical_scores(fractions, alpha, Spending::OBrienFleming);
        assert_eq!(scores.len(), expected.len());
        for (score, value) in scores.iter().zip(expected) {
            assert!((score - value).abs() < tolerance, "{scores:?} instead of {expected:?}");
        }
    }

    #[test]
    fn published_boundaries_of_equal_looks() {
        // Reboussin, DeMets, Kim & Lan, "Computations for group sequential boundaries", Controlled Clinical
        // Trials 21 (2000), and the R package ldbounds: five equal looks, one-sided 0.025. The second of the
        // published values is 0.0001 below the exact one (see the next test).
        let five = [0.2, 0.4, 0.6, 0.8, 1.0];
        assert_scores(&five, 0.025, &[4.8769, 3.3569, 2.6803, 2.2898, 2.0310], 2e-4);
    }

    #[test]
    fn two_looks_agree_with_the_bivariate_normal() {
        // Solved by direct integration of P(Z₁ < c₁, Z₂ > c₂) with 4,000 to 20,000 points.
        assert_scores(&[0.2, 0.4], 0.025, &[4.876_884_949, 3.357_011_917], 1e-6);
        assert_scores(&[0.5, 1.0], 0.025, &[2.962_588_043, 1.968_595_640], 1e-6);
        // A second look right after the first needs a finer grid.
        assert_scores(&[0.5, 0.502], 0.025, &[2.962_588_043, 3.014_392_924], 1e-6);
    }

    #[test]
    fn a_single_look_is_the_plain_test() {
        assert_scores(&[1.0], 0.025, &[1.959_963_985], 1e-8);
        assert_scores(&[1.0], 0.000_5, &[3.290_526_731], 1e-8);
    }

    #[test]
    fn pococks_shape_has_its_published_boundaries() {
        // R package ldbounds, commonbounds of the Pocock-type spending function: five equal looks, one-sided
        // 0.025. Its classical constant for five looks is 2.413.
        let scores = critical_scores(&[0.2, 0.4, 0.6, 0.8, 1.0], 0.025, Spending::Pocock);
        for (score, published) in scores.iter().zip([2.4380, 2.4268, 2.4101, 2.3966, 2.3859]) {
            assert!((score - published).abs() < 2e-3, "{scores:?}");
        }
        assert!((Spending::Pocock.spent(1.0, 0.025) - 0.025).abs() < 1e-15);
    }

    #[test]
    fn all_alpha_is_spent_at_the_end() {
        assert!((obrien_fleming_spent(1.0, 0.025) - 0.025).abs() < 1e-15);
        // The shape at one half: 2 (1 − Φ(2.241403 · √2)) = 0.001525.
        assert!((obrien_fleming_spent(0.5, 0.025) - 0.001_525).abs() < 1e-6);
        assert!(obrien_fleming_spent(1e-4, 0.025) == 0.0);
    }

    #[test]
    fn a_look_too_early_to_spend_anything_never_stops() {
        let scores = critical_scores(&[1e-4, 1.0], 0.025, Spending::OBrienFleming);
        assert!(scores[0].is_infinite());
        assert!((scores[1] - 1.959_964).abs() < 1e-6, "{scores:?}");
    }
}
