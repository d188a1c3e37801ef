//! The odds of a success, from weighted successes and failures: a share with an interval, never 0 and never 1.

use statrs::distribution::{Beta, ContinuousCDF};

/// What is assumed before anything is known: half a success and half a failure (Jeffreys, "An Invariant Form for the
/// Prior Probability in Estimation Problems", 1946).
const PRIOR: f64 = 0.5;

/// A share of successes with an interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Odds {
    /// The share that is most to be expected.
    pub rate: f64,
    /// The lower end of the interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// How many cases it rests on; similar ones count as parts.
    pub cases: f64,
}

/// The odds after weighted successes and failures, with the middle `level` of what is to be believed of them.
#[must_use]
pub fn odds(successes: f64, failures: f64, level: f64) -> Odds {
    let (a, b) = (successes.max(0.0) + PRIOR, failures.max(0.0) + PRIOR);
    let outside = (1.0 - level) / 2.0;
    let (low, high) = Beta::new(a, b)
        .map_or((0.0, 1.0), |beta| (beta.inverse_cdf(outside), beta.inverse_cdf(1.0 - outside)));
    // The tails of the distribution may round to their ends.
    let inside = |share: f64| share.clamp(1e-6, 1.0 - 1e-6);
    Odds { rate: inside(a / (a + b)), low: inside(low), high: inside(high), cases: successes + failures }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_intervals() {
        // The densities of Beta(3.5, 0.5) and Beta(18.5, 2.5), integrated by Simpson's rule over x = sin² t.
        let found = odds(3.0, 0.0, 0.9);
        assert!((found.low - 0.555_933).abs() < 1e-5 && (found.high - 0.999_397).abs() < 1e-5, "{found:?}");
        assert_eq!(found.rate, 0.875);
        let found = odds(18.0, 2.0, 0.9);
        assert!((found.low - 0.749_773).abs() < 1e-5 && (found.high - 0.970_666).abs() < 1e-5, "{found:?}");
    }

    proptest! {
        #[test]
        fn they_are_never_certain(successes in 0.0_f64..1e6, failures in 0.0_f64..1e6, level in 0.5_f64..0.999) {
            let found = odds(successes, failures, level);
            prop_assert!(0.0 < found.low && found.high < 1.0 && 0.0 < found.rate && found.rate < 1.0);
            prop_assert!(found.low <= found.high);
        }

        #[test]
        fn more_cases_say_more(share in 0.1_f64..0.9, cases in 2.0_f64..200.0) {
            let width = |cases: f64| {
                let found = odds(share * cases, (1.0 - share) * cases, 0.9);
                found.high - found.low
            };
            prop_assert!(width(4.0 * cases) < width(cases));
        }
    }
}
