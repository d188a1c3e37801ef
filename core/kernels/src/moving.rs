//! Mean and standard deviation of a window that moves over a series.
#![expect(unsafe_code, reason = "calls functions compiled for the detected level of the CPU")]

use crate::level::dispatched;

/// How many windows are summed side by side: one AVX-512, two AVX or four SSE2 registers of `f64`.
const LANES: usize = 8;

/// Mean and sample standard deviation of each window of `window` values; element `i` of the results
/// belongs to the window that starts at value `i`.
///
/// Every window is summed anew from its first to its last value, in two passes: a running sum would be
/// less work, but loses digits with every step, and cannot be summed side by side.
///
/// # Panics
/// If `window` is less than 2, or the results are not as long as there are windows
/// (`series.len() + 1 - window`, or 0 for a series shorter than a window).
#[inline(never)]
pub fn mean_sd(series: &[f64], window: usize, means: &mut [f64], deviations: &mut [f64]) {
    side_by_side(series, window, means, deviations);
}

dispatched! {
    /// [`mean_sd`], compiled for the level of the running CPU.
    ///
    /// # Panics
    /// As [`mean_sd`].
    pub fn dispatched(series: &[f64], window: usize, means: &mut [f64], deviations: &mut [f64])
        = side_by_side;
}

/// [`mean_sd`], one window after another.
///
/// # Panics
/// As [`mean_sd`].
pub fn plain(series: &[f64], window: usize, means: &mut [f64], deviations: &mut [f64]) {
    check(series, window, means, deviations);
    let results = means.iter_mut().zip(deviations);
    for (values, (mean, deviation)) in series.windows(window).zip(results) {
        *mean = values.iter().fold(0.0, |sum, value| sum + value) / window as f64;
        let squares = values.iter().fold(0.0, |sum, value| sum + (value - *mean) * (value - *mean));
        *deviation = (squares / (window - 1) as f64).sqrt();
    }
}

/// How many windows of `window` values a series of `len` values has.
pub fn window_count(len: usize, window: usize) -> usize {
    (len + 1).saturating_sub(window)
}

fn check(series: &[f64], window: usize, means: &[f64], deviations: &[f64]) {
    assert!(window >= 2, "a deviation needs two values");
    let count = window_count(series.len(), window);
    assert_eq!((means.len(), deviations.len()), (count, count), "a result for each window");
}

#[inline(always)]
fn side_by_side(series: &[f64], window: usize, means: &mut [f64], deviations: &mut [f64]) {
    check(series, window, means, deviations);
    let (mean_blocks, mean_rest) = means.as_chunks_mut::<LANES>();
    let (deviation_blocks, deviation_rest) = deviations.as_chunks_mut::<LANES>();
    let mut start = 0;
    for (mean, deviation) in mean_blocks.iter_mut().zip(deviation_blocks) {
        (*mean, *deviation) = moments(&series[start..], window);
        start += LANES;
    }
    for (mean, deviation) in mean_rest.iter_mut().zip(deviation_rest) {
        let ([single_mean], [single_deviation]) = moments(&series[start..], window);
        (*mean, *deviation) = (single_mean, single_deviation);
        start += 1;
    }
}

/// The moments of the `N` windows that start at the first `N` values of `series`.
#[inline(always)]
fn moments<const N: usize>(series: &[f64], window: usize) -> ([f64; N], [f64; N]) {
    let series = &series[..window + N - 1];
    let mut sums = [0.0; N];
    for values in series.array_windows::<N>() {
        for lane in 0..N {
            sums[lane] += values[lane];
        }
    }
    let means = sums.map(|sum| sum / window as f64);
    let mut squares = [0.0; N];
    for values in series.array_windows::<N>() {
        for lane in 0..N {
            let distance = values[lane] - means[lane];
            squares[lane] += distance * distance;
        }
    }
    (means, squares.map(|sum| (sum / (window - 1) as f64).sqrt()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::level::Level;

    fn run(
        form: impl Fn(&[f64], usize, &mut [f64], &mut [f64]),
        series: &[f64],
        window: usize,
    ) -> (Vec<f64>, Vec<f64>) {
        let mut means = vec![f64::NAN; window_count(series.len(), window)];
        let mut deviations = means.clone();
        form(series, window, &mut means, &mut deviations);
        (means, deviations)
    }

    #[test]
    fn known_moments() {
        for form in [mean_sd, plain] {
            let (means, deviations) = run(form, &[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0], 8);
            assert_eq!(means, [5.0]);
            assert_eq!(deviations, [(32.0_f64 / 7.0).sqrt()]);
            let line: Vec<f64> = (0..20).map(f64::from).collect();
            let (means, deviations) = run(form, &line, 3);
            assert_eq!(means, (1..19).map(f64::from).collect::<Vec<_>>());
            assert_eq!(deviations, vec![1.0; 18]);
            assert_eq!(run(form, &[1.0], 2), (vec![], vec![]));
        }
    }

    #[test]
    fn a_large_offset_costs_no_digits() {
        let series: Vec<f64> = (0..64).map(|i| 1e9 + f64::from(i % 2)).collect();
        for deviation in run(mean_sd, &series, 4).1 {
            assert!((deviation - (1.0_f64 / 3.0).sqrt()).abs() < 1e-9);
        }
    }

    #[test]
    #[should_panic(expected = "a result for each window")]
    fn results_of_another_length_are_refused() {
        mean_sd(&[1.0, 2.0, 3.0], 2, &mut [0.0], &mut [0.0]);
    }

    proptest! {
        #[test]
        fn every_form_agrees_to_the_bit(
            series in prop::collection::vec(-1e6_f64..1e6, 0..60),
            window in 2..20_usize,
        ) {
            let expected = run(plain, &series, window);
            prop_assert_eq!(&run(mean_sd, &series, window), &expected);
            for level in Level::available() {
                let found = run(|s, w, m, d| dispatched(level, s, w, m, d), &series, window);
                prop_assert_eq!(&found, &expected, "{}", level.name());
            }
            for (values, mean) in series.windows(window).zip(&expected.0) {
                let least = values.iter().copied().fold(f64::INFINITY, f64::min);
                let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                prop_assert!(least - 1e-6 <= *mean && *mean <= most + 1e-6);
            }
        }
    }
}
