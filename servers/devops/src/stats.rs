//! Order statistics that several modules need. None of them looks at values that are not numbers.

/// What makes the median absolute deviation of normal data estimate its standard deviation, 1 / Φ⁻¹(3/4)
/// (Rousseeuw and Croux, "Alternatives to the Median Absolute Deviation", 1993).
pub(crate) const MAD_TO_SD: f64 = 1.482_602_218_505_602;

/// The median; of an even number of values the mean of the middle two. `None` for no values. Orders the slice anew.
pub(crate) fn median(values: &mut [f64]) -> Option<f64> {
    let middle = values.len() / 2;
    if values.is_empty() {
        return None;
    }
    let is_odd = values.len() % 2 == 1;
    let (below, upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    let upper = *upper;
    if is_odd {
        return Some(upper);
    }
    below.iter().copied().max_by(f64::total_cmp).map(|lower| lower + (upper - lower) / 2.0)
}

/// The `share` quantile of sorted values, between neighbours by their distance (type 7 of Hyndman and Fan, "Sample
/// Quantiles in Statistical Packages", 1996). `None` for no values.
pub(crate) fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = share.clamp(0.0, 1.0) * last as f64;
    let below = place.floor() as usize;
    let above = (below + 1).min(last);
    let part = place - below as f64;
    Some(sorted[below] + (sorted[above] - sorted[below]) * part)
}

/// The mean; 0 for no values.
pub(crate) fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / values.len() as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_medians_and_quantiles() {
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&mut [4.0, 1.0, 3.0, 2.0]), Some(2.5));
        assert_eq!(median(&mut []), None);
        // R: quantile(c(1, 2, 4, 8), c(0, 0.25, 0.5, 0.9, 1)).
        let sorted = [1.0, 2.0, 4.0, 8.0];
        let found = [0.0, 0.25, 0.5, 0.9, 1.0].map(|share| quantile(&sorted, share).unwrap());
        for (found, known) in found.into_iter().zip([1.0, 1.75, 3.0, 6.8, 8.0]) {
            assert!((found - known).abs() < 1e-12, "{found} {known}");
        }
        assert_eq!(quantile(&[], 0.5), None);
    }

    #[test]
    fn known_means() {
        assert_eq!(mean(&[1.0, 2.0, 6.0]), 3.0);
        assert_eq!(mean(&[]), 0.0);
    }
}
