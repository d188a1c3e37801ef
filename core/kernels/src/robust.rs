//! Robust z-scores: how far each value lies from the median, in units of the median absolute deviation.

/// What makes the median absolute deviation of normal data estimate its standard deviation,
/// 1 / Φ⁻¹(3/4) (Rousseeuw and Croux, "Alternatives to the Median Absolute Deviation", 1993).
pub const CONSISTENCY: f64 = 1.482_602_218_505_602;

/// The centre and the spread that scores are relative to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The median; of an even number of values the mean of the middle two.
    pub median: f64,
    /// The median absolute deviation times [`CONSISTENCY`], in the unit of the values.
    pub deviation: f64,
}

/// Writes the robust z-score of each value to `scores` and returns what they are relative to; `None`
/// for no values. Where the deviation is zero, values at the median score 0 and others ±infinity.
///
/// Selection takes linear time, and no memory beyond `scores`.
///
/// # Panics
/// If `scores` has another length than `values`.
#[inline(never)]
pub fn z_scores(values: &[f64], scores: &mut [f64]) -> Option<Spread> {
    scores.copy_from_slice(values);
    let median = select_median(scores)?;
    for (score, value) in scores.iter_mut().zip(values) {
        *score = (value - median).abs();
    }
    let deviation = select_median(scores)? * CONSISTENCY;
    for (score, value) in scores.iter_mut().zip(values) {
        *score = score_of(*value, median, deviation);
    }
    Some(Spread { median, deviation })
}

/// [`z_scores`] by sorting.
///
/// # Panics
/// If `scores` has another length than `values`.
pub fn plain(values: &[f64], scores: &mut [f64]) -> Option<Spread> {
    assert_eq!(values.len(), scores.len(), "a score for each value");
    let median = sorted_median(values.to_vec())?;
    let deviations = values.iter().map(|value| (value - median).abs()).collect();
    let deviation = sorted_median(deviations)? * CONSISTENCY;
    for (score, value) in scores.iter_mut().zip(values) {
        *score = score_of(*value, median, deviation);
    }
    Some(Spread { median, deviation })
}

fn score_of(value: f64, median: f64, deviation: f64) -> f64 {
    let distance = value - median;
    if distance == 0.0 { 0.0 } else { distance / deviation }
}

fn select_median(values: &mut [f64]) -> Option<f64> {
    let middle = values.len() / 2;
    if values.is_empty() {
        return None;
    }
    let odd = !values.len().is_multiple_of(2);
    let (below, upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    let upper = *upper;
    if odd {
        return Some(upper);
    }
    below.iter().copied().max_by(f64::total_cmp).map(|lower| f64::midpoint(lower, upper))
}

fn sorted_median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    if values.len() % 2 == 1 { Some(upper) } else { Some(f64::midpoint(values[values.len() / 2 - 1], upper)) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Form = fn(&[f64], &mut [f64]) -> Option<Spread>;

    fn run(form: Form, values: &[f64]) -> (Option<Spread>, Vec<f64>) {
        let mut scores = vec![f64::NAN; values.len()];
        (form(values, &mut scores), scores)
    }

    #[test]
    fn known_scores() {
        for form in [z_scores as Form, plain] {
            // Median 3, absolute deviations 2 1 0 1 97 with median 1.
            let (spread, scores) = run(form, &[1.0, 2.0, 3.0, 4.0, 100.0]);
            assert_eq!(spread, Some(Spread { median: 3.0, deviation: CONSISTENCY }));
            assert_eq!(scores[0], -2.0 / CONSISTENCY);
            assert_eq!(scores[2], 0.0);
            assert!((scores[4] - 65.425).abs() < 0.001);
            // Median 2.5, absolute deviations 1.5 0.5 0.5 1.5 with median 1.
            let (spread, _) = run(form, &[4.0, 1.0, 2.0, 3.0]);
            assert_eq!(spread, Some(Spread { median: 2.5, deviation: CONSISTENCY }));
        }
    }

    #[test]
    fn values_without_spread() {
        for form in [z_scores as Form, plain] {
            assert_eq!(run(form, &[]), (None, vec![]));
            assert_eq!(run(form, &[7.0, 7.0, 7.0, 8.0]).1, [0.0, 0.0, 0.0, f64::INFINITY]);
            assert_eq!(run(form, &[5.0]).1, [0.0]);
        }
    }

    #[test]
    fn the_constant_is_the_quartile_of_the_normal_distribution() {
        // Φ(x) = 1/2 + φ(x) (x + x³/3 + x⁵/15 + …), so Φ(1 / CONSISTENCY) must be 3/4.
        let x = 1.0 / CONSISTENCY;
        let mut term = x;
        let mut sum = 0.0;
        for odd in (3..60).step_by(2) {
            sum += term;
            term *= x * x / f64::from(odd);
        }
        let density = (-x * x / 2.0).exp() / std::f64::consts::TAU.sqrt();
        assert!((0.5 + density * sum - 0.75).abs() < 1e-14);
    }

    proptest! {
        #[test]
        fn selecting_and_sorting_agree(
            mut values in prop::collection::vec(prop_oneof![-1e9_f64..1e9, Just(3.0), Just(-0.0)], 0..120)
        ) {
            prop_assert_eq!(run(z_scores, &values), run(plain, &values));
            let (spread, scores) = run(z_scores, &values);
            values.reverse();
            let (reversed, backwards) = run(z_scores, &values);
            prop_assert_eq!(spread, reversed);
            prop_assert!(scores.iter().rev().eq(&backwards));
            let within = scores.iter().filter(|score| score.abs() <= (1.0 + 1e-9) / CONSISTENCY).count();
            prop_assert!(2 * within >= values.len(), "half of the values lie within one deviation");
        }
    }
}
