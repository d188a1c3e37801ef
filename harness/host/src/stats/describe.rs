//! Location and spread.

use crate::stats::quantile;

/// The median: the middle value, or the mean of the two middle ones.
///
/// `None` for no values or values that are not finite.
pub fn median(values: &[f64]) -> Option<f64> {
    quantile(values, 0.5)
}

/// The median absolute deviation from the median, in the unit of the values and not scaled (the standard
/// deviation of normal data is 1.4826 times as large).
///
/// `None` for no values or values that are not finite.
pub fn mad(values: &[f64]) -> Option<f64> {
    let centre = median(values)?;
    let deviations: Vec<f64> = values.iter().map(|value| (value - centre).abs()).collect();
    median(&deviations)
}

/// The arithmetic mean.
///
/// `None` for no values or values that are not finite.
pub fn mean(values: &[f64]) -> Option<f64> {
    if values.is_empty() {
        return None;
    }
    let n = values.len() as f64;
    let rough = values.iter().sum::<f64>() / n;
    // The second pass takes the rounding error of the first one out, so that equal values have exactly their
    // own value as mean and a spread of zero.
    let mean = rough + values.iter().map(|value| value - rough).sum::<f64>() / n;
    mean.is_finite().then_some(mean)
}

/// The standard deviation of a sample, with divisor n − 1.
///
/// `None` for fewer than two values or values that are not finite.
pub fn sd(values: &[f64]) -> Option<f64> {
    if values.len() < 2 {
        return None;
    }
    let centre = mean(values)?;
    let squares: f64 = values.iter().map(|value| (value - centre) * (value - centre)).sum();
    let sd = (squares / (values.len() - 1) as f64).sqrt();
    sd.is_finite().then_some(sd)
}

/// The share, from 0 to 1, of the variance between launches which the noise within launches does not
/// explain: what layouts, process starts and drift contribute.
///
/// `launch_means` holds the estimate of each launch, `within_variances` the squared standard error of that
/// same estimate as judged from the blocks of its launch. The variance of the estimates is the sum of both
/// parts, so the share is 1 − mean(within) / variance(launches) (one-way random effects, method of moments:
/// Searle, Casella & McCulloch, *Variance Components*, 1992, section 3.6); a negative moment estimate is
/// reported as 0.
///
/// `None` for fewer than two launches, slices of different length, a negative or non-finite variance, or
/// launches that do not vary at all.
pub fn layout_share(launch_means: &[f64], within_variances: &[f64]) -> Option<f64> {
    if launch_means.len() != within_variances.len() || within_variances.iter().any(|&v| v < 0.0) {
        return None;
    }
    let total = sd(launch_means)?.powi(2);
    let noise = mean(within_variances)?;
    (total > 0.0).then(|| (1.0 - noise / total).clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_answers() {
        let values = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0];
        assert_eq!(mean(&values), Some(5.0));
        assert_eq!(median(&values), Some(4.5));
        assert!((sd(&values).unwrap() - (32.0f64 / 7.0).sqrt()).abs() < 1e-15);
        assert_eq!(mad(&[1.0, 1.0, 2.0, 2.0, 4.0, 6.0, 9.0]), Some(1.0));
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
    }

    #[test]
    fn too_little_or_broken_data_have_no_answer() {
        assert_eq!(median(&[]), None);
        assert_eq!(mad(&[]), None);
        assert_eq!(mean(&[]), None);
        assert_eq!(sd(&[1.0]), None);
        for broken in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(median(&[1.0, broken]), None);
            assert_eq!(mean(&[1.0, broken]), None);
            assert_eq!(sd(&[1.0, broken, 2.0]), None);
            assert_eq!(mad(&[1.0, broken, 2.0]), None);
        }
    }

    #[test]
    fn equal_values_have_no_spread() {
        assert_eq!(sd(&[0.1; 10]), Some(0.0));
        assert_eq!(mean(&[0.1; 10]), Some(0.1));
        assert_eq!(mad(&[0.1; 10]), Some(0.0));
    }

    #[test]
    fn the_layout_share_is_what_noise_leaves() {
        let means = [0.0, 2.0, 4.0, 6.0];
        // The variance between launches is 20 / 3.
        let share = layout_share(&means, &[1.0, 2.0, 1.0, 2.0]).unwrap();
        assert!((share - (1.0 - 1.5 * 3.0 / 20.0)).abs() < 1e-12);
        assert_eq!(layout_share(&means, &[0.0; 4]), Some(1.0));
        assert_eq!(layout_share(&means, &[100.0; 4]), Some(0.0));
        assert_eq!(layout_share(&means, &[1.0; 3]), None);
        assert_eq!(layout_share(&means, &[1.0, 1.0, -1.0, 1.0]), None);
        assert_eq!(layout_share(&[1.0, 1.0], &[0.1, 0.1]), None);
        assert_eq!(layout_share(&[1.0], &[0.1]), None);
    }

    proptest! {
        #[test]
        fn order_does_not_matter_and_the_median_is_inside(
            values in prop::collection::vec(-1e6f64..1e6, 1..40), turn in 0usize..40,
        ) {
            let mut other = values.clone();
            other.rotate_left(turn % values.len());
            other.reverse();
            prop_assert_eq!(median(&values), median(&other));
            prop_assert_eq!(mad(&values), mad(&other));
            let middle = median(&values).unwrap();
            prop_assert!(values.iter().any(|&v| v <= middle) && values.iter().any(|&v| v >= middle));
        }

        #[test]
        fn a_shift_moves_location_and_leaves_spread(
            values in prop::collection::vec(-100f64..100.0, 2..40), shift in -100f64..100.0,
        ) {
            let moved: Vec<f64> = values.iter().map(|value| value + shift).collect();
            prop_assert!((mean(&moved).unwrap() - mean(&values).unwrap() - shift).abs() < 1e-9);
            prop_assert!((sd(&moved).unwrap() - sd(&values).unwrap()).abs() < 1e-9);
            prop_assert!((mad(&moved).unwrap() - mad(&values).unwrap()).abs() < 1e-9);
        }
    }
}
