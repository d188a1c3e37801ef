//! Known effects: how much extra work makes a call slower by a given share.

use crate::measure::Pace;

/// Thousandths of a dependent step that take about as long as a call of `call_ns`: a step is a multiplication
/// and an exclusive or, four cycles or roughly a nanosecond. Only a first guess, for [`steps_for`].
#[must_use]
pub fn doubling_guess(call_ns: f64) -> u64 {
    (call_ns * 1_000.0).max(1.0).round() as u64
}

/// The extra work that makes a benchmark slower by `share` (0.02 is 2 %), when `tried` made it slower by
/// `found`. A serial chain takes time in proportion to its steps, so a slow-down of about 100 %, where the
/// machine's noise is a fiftieth of 2 %, is measured once and scaled down. `None` where nothing was found.
#[must_use]
pub fn steps_for(share: f64, tried: u64, found: f64) -> Option<u64> {
    let steps = tried as f64 * share / found;
    (found > 0.1 && steps.is_finite()).then(|| steps.round().max(1.0) as u64)
}

/// The time of one call in a slice of `pace`, in ns.
#[must_use]
pub fn call_ns(pace: Pace, slice_ns: u64) -> f64 {
    slice_ns as f64 / pace.iters.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_scaled_from_what_the_trial_showed() {
        assert_eq!(doubling_guess(250.0), 250_000);
        assert_eq!(steps_for(0.02, 250_000, 1.0), Some(5_000));
        assert_eq!(steps_for(0.02, 250_000, 2.0), Some(2_500), "steps that are dearer than guessed");
        assert_eq!(steps_for(0.02, 250_000, 0.01), None, "the chain did not show");
    }

    #[test]
    fn a_call_takes_its_part_of_a_slice() {
        let pace = Pace { iters: 1_000, extra: 0, long: false };
        assert!((call_ns(pace, 300_000) - 300.0).abs() < 1e-9);
    }
}
