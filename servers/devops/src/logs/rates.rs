//! Kinds of lines whose rate changed between two times.

use statrs::distribution::{Beta, ContinuousCDF};

use crate::logs::Template;

/// A change is reported where chance gives one as large in so small a share of comparisons of all templates together.
const LEVEL: f64 = 0.01;

/// How often a kind came before and after a moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Lines before it.
    pub before: usize,
    /// Lines from it on.
    pub after: usize,
    /// The rate after over the rate before; infinite for a kind that is new.
    pub ratio: f64,
    /// Whether it is more than chance, with all templates counted.
    pub is_clear: bool,
}

/// The rates of kinds before and after `split`, which lies between `first` and `last`, in milliseconds since 1970.
#[must_use]
pub fn rates(templates: &[Template], first: i64, split: i64, last: i64) -> Vec<Rate> {
    let (before, after) = ((split - first).max(1) as f64, (last - split).max(1) as f64);
    let share = after / (before + after);
    let level = LEVEL / templates.len().max(1) as f64;
    templates
        .iter()
        .map(|template| {
            let earlier = template.times.partition_point(|time| *time < split);
            let later = template.times.len() - earlier;
            let ratio = (later as f64 / after) / (earlier as f64 / before);
            Rate { before: earlier, after: later, ratio, is_clear: chance(later, earlier, share) < level }
        })
        .collect()
}

/// The chance of a split at least as uneven, were the rates equal: lines fall after the moment with probability `share`
/// (the conditional test of Przyborowski and Wilenski, "Homogeneity of Results in Testing Samples from Poisson Series",
/// 1940), both sides together.
fn chance(after: usize, before: usize, share: f64) -> f64 {
    if after + before == 0 {
        return 1.0;
    }
    // P(X ≥ k) for a binomial X is a value of the distribution function of a beta distribution.
    let at_least = |k: usize, n: usize, p: f64| {
        if k == 0 { 1.0 } else { Beta::new(k as f64, (n - k + 1) as f64).map_or(1.0, |beta| beta.cdf(p)) }
    };
    let n = after + before;
    let one_side = at_least(after, n, share).min(at_least(before, n, 1.0 - share));
    (2.0 * one_side).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_chances() {
        // Binomial, n = 10, p = 1/2: P(X ≥ 9) = 11/1024, P(X ≥ 5) = 638/1024.
        assert!((chance(9, 1, 0.5) - 22.0 / 1024.0).abs() < 1e-9);
        assert_eq!(chance(5, 5, 0.5), 1.0);
        assert!((chance(3, 0, 0.25) - 2.0 / 64.0).abs() < 1e-9);
        assert_eq!(chance(0, 0, 0.5), 1.0);
    }

    #[test]
    fn a_kind_that_came_up_is_told() {
        let template = |times: Vec<i64>| Template { text: String::new(), count: times.len(), times };
        let steady = template((0..100).map(|at| at * 10).collect());
        let new = template((0..20).map(|at| 900 + at).collect());
        let found = rates(&[steady, new], 0, 800, 1000);
        assert!(!found[0].is_clear && (found[0].ratio - 1.0).abs() < 0.05, "{found:?}");
        assert!(found[1].is_clear && found[1].ratio.is_infinite(), "{found:?}");
    }
}
