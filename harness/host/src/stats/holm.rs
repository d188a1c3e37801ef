//! Correction for many tests at once.

/// Holm's step-down adjusted p values, in the order given: the i-th smallest of m is multiplied by m − i + 1,
/// and none is smaller than the one before it (Holm, *Scandinavian Journal of Statistics* 6, 1979). Rejecting
/// where the adjusted value is at most alpha keeps the chance of any false rejection at alpha, whatever the
/// dependence between the tests.
///
/// Values outside 0 to 1 are clamped; NaN, a test without an answer, counts as 1.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let clean: Vec<f64> = p.iter().map(|&p| if p.is_nan() { 1.0 } else { p.clamp(0.0, 1.0) }).collect();
    let mut order: Vec<usize> = (0..clean.len()).collect();
    order.sort_by(|&a, &b| clean[a].total_cmp(&clean[b]));
    let mut adjusted = vec![1.0; clean.len()];
    let mut largest: f64 = 0.0;
    for (rank, &index) in order.iter().enumerate() {
        largest = largest.max(clean[index] * (clean.len() - rank) as f64).min(1.0);
        adjusted[index] = largest;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn assert_close(got: &[f64], expected: &[f64]) {
        assert_eq!(got.len(), expected.len());
        for (g, e) in got.iter().zip(expected) {
            assert!((g - e).abs() < 1e-12, "{got:?} instead of {expected:?}");
        }
    }

    #[test]
    fn textbook_examples() {
        // R: p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm").
        assert_close(&holm(&[0.01, 0.04, 0.03, 0.005]), &[0.03, 0.06, 0.06, 0.02]);
        assert_close(&holm(&[0.6, 0.7]), &[1.0, 1.0]);
        assert_close(&holm(&[0.02]), &[0.02]);
        assert_close(&holm(&[]), &[]);
    }

    #[test]
    fn a_test_without_an_answer_rejects_nothing() {
        assert_close(&holm(&[f64::NAN, 0.01, -0.5]), &[1.0, 0.02, 0.0]);
    }

    proptest! {
        #[test]
        fn stays_between_plain_and_bonferroni_in_order(p in prop::collection::vec(0.0f64..=1.0, 0..30)) {
            let adjusted = holm(&p);
            for i in 0..p.len() {
                prop_assert!(p[i] <= adjusted[i] && adjusted[i] <= 1.0);
                // Bonferroni's correction is never the milder one.
                prop_assert!(adjusted[i] <= (p[i] * p.len() as f64).min(1.0));
                for j in 0..p.len() {
                    prop_assert!(p[i] > p[j] || adjusted[i] <= adjusted[j]);
                }
            }
        }
    }
}
