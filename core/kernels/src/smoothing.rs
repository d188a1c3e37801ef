//! Holt's linear exponential smoothing, tried with many parameters at once to find the ones that fit.
#![expect(unsafe_code, reason = "calls functions compiled for the detected level of the CPU")]

use crate::level::dispatched;

/// How many parameter pairs are tried side by side.
const LANES: usize = 16;

/// The sum of squared one-step-ahead errors of Holt's method for each pair of a level weight (`alphas`)
/// and a trend weight (`betas`), both between 0 and 1.
///
/// The first two values start level and trend, so a series of fewer than three has no error. The
/// recurrence is the error-correction form of Hyndman and Athanasopoulos, "Forecasting: Principles and
/// Practice", section 8.2.
///
/// # Panics
/// If `alphas`, `betas` and `errors` differ in length.
#[inline(never)]
pub fn holt(series: &[f64], alphas: &[f64], betas: &[f64], errors: &mut [f64]) {
    side_by_side(series, alphas, betas, errors);
}

dispatched! {
    /// [`holt`], compiled for the level of the running CPU.
    ///
    /// # Panics
    /// If `alphas`, `betas` and `errors` differ in length.
    pub fn dispatched(series: &[f64], alphas: &[f64], betas: &[f64], errors: &mut [f64]) = side_by_side;
}

/// [`holt`], one pair after another.
///
/// # Panics
/// If `alphas`, `betas` and `errors` differ in length.
pub fn plain(series: &[f64], alphas: &[f64], betas: &[f64], errors: &mut [f64]) {
    check(alphas, betas, errors);
    for ((alpha, beta), sum) in alphas.iter().zip(betas).zip(errors) {
        *sum = 0.0;
        let [first, second, rest @ ..] = series else {
            continue;
        };
        let mut level = *second;
        let mut trend = second - first;
        for value in rest {
            let forecast = level + trend;
            let error = value - forecast;
            *sum += error * error;
            level = forecast + alpha * error;
            trend += alpha * beta * error;
        }
    }
}

fn check(alphas: &[f64], betas: &[f64], errors: &[f64]) {
    assert_eq!(alphas.len(), betas.len(), "weights come in pairs");
    assert_eq!(alphas.len(), errors.len(), "an error for each pair");
}

#[inline(always)]
fn side_by_side(series: &[f64], alphas: &[f64], betas: &[f64], errors: &mut [f64]) {
    check(alphas, betas, errors);
    let (alpha_blocks, alpha_rest) = alphas.as_chunks::<LANES>();
    let (beta_blocks, beta_rest) = betas.as_chunks::<LANES>();
    let (error_blocks, error_rest) = errors.as_chunks_mut::<LANES>();
    for ((alphas, betas), errors) in alpha_blocks.iter().zip(beta_blocks).zip(error_blocks) {
        *errors = pass(series, alphas, betas);
    }
    for ((alpha, beta), error) in alpha_rest.iter().zip(beta_rest).zip(error_rest) {
        [*error] = pass(series, &[*alpha], &[*beta]);
    }
}

#[inline(always)]
fn pass<const N: usize>(series: &[f64], alphas: &[f64; N], betas: &[f64; N]) -> [f64; N] {
    let mut sums = [0.0; N];
    let [first, second, rest @ ..] = series else {
        return sums;
    };
    let gains: [f64; N] = std::array::from_fn(|lane| alphas[lane] * betas[lane]);
    let mut levels = [*second; N];
    let mut trends = [second - first; N];
    for value in rest {
        for lane in 0..N {
            let forecast = levels[lane] + trends[lane];
            let error = value - forecast;
            sums[lane] += error * error;
            levels[lane] = forecast + alphas[lane] * error;
            trends[lane] += gains[lane] * error;
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::level::Level;

    type Form = fn(&[f64], &[f64], &[f64], &mut [f64]);

    fn run(
        form: impl Fn(&[f64], &[f64], &[f64], &mut [f64]),
        series: &[f64],
        pairs: &[(f64, f64)],
    ) -> Vec<f64> {
        let (alphas, betas): (Vec<_>, Vec<_>) = pairs.iter().copied().unzip();
        let mut errors = vec![f64::NAN; pairs.len()];
        form(series, &alphas, &betas, &mut errors);
        errors
    }

    #[test]
    fn known_errors() {
        for form in [holt as Form, plain] {
            // A line is forecast exactly; a step after it is missed by its height.
            assert_eq!(run(form, &[1.0, 2.0, 3.0, 4.0], &[(0.5, 0.5)]), [0.0]);
            // Forecast 3, error 2; level 4, trend 1.5, forecast 5.5, error -0.5.
            assert_eq!(run(form, &[1.0, 2.0, 5.0, 5.0], &[(0.5, 0.5)]), [4.25]);
            // Weights of zero draw the first line on: errors 2 and 1.
            assert_eq!(run(form, &[1.0, 2.0, 5.0, 5.0], &[(0.0, 0.0)]), [5.0]);
            assert_eq!(run(form, &[1.0, 9.0], &[(0.5, 0.5)]), [0.0]);
        }
    }

    /// The method as textbooks first give it, with weighted means for level and trend.
    fn textbook(series: &[f64], alpha: f64, beta: f64) -> f64 {
        let (mut level, mut trend) = (series[1], series[1] - series[0]);
        let mut sum = 0.0;
        for value in &series[2..] {
            sum += (value - level - trend).powi(2);
            let before = level;
            level = alpha * value + (1.0 - alpha) * (level + trend);
            trend = beta * (level - before) + (1.0 - beta) * trend;
        }
        sum
    }

    proptest! {
        #[test]
        fn every_form_agrees_to_the_bit_and_with_the_textbook(
            series in prop::collection::vec(-100_f64..100.0, 2..60),
            pairs in prop::collection::vec((0.0_f64..=1.0, 0.0_f64..=1.0), 0..40),
        ) {
            let expected = run(plain, &series, &pairs);
            prop_assert_eq!(&run(holt, &series, &pairs), &expected);
            for level in Level::available() {
                let found = run(|s, a, b, e| dispatched(level, s, a, b, e), &series, &pairs);
                prop_assert_eq!(&found, &expected, "{}", level.name());
            }
            for ((alpha, beta), error) in pairs.iter().zip(&expected) {
                let reference = textbook(&series, *alpha, *beta);
                prop_assert!((error - reference).abs() <= 1e-9 * reference.max(1.0));
            }
        }
    }
}
