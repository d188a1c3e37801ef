//! Root finding by bisection, which needs no derivative and always ends.

/// The point of `[lo, hi]` at which `is_below` turns from true to false, to the last bit.
///
/// `is_below` has to be true first and false afterwards. Where it is false from the start the answer is
/// `lo`, where it is true throughout the answer is `hi`.
pub(crate) fn bisect(mut lo: f64, mut hi: f64, mut is_below: impl FnMut(f64) -> bool) -> f64 {
    loop {
        let middle = lo + (hi - lo) / 2.0;
        // Neighbouring numbers have no number between them; this also ends on NaN.
        if !(lo < middle && middle < hi) {
            return middle;
        }
        if is_below(middle) {
            lo = middle;
        } else {
            hi = middle;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_square_root_to_the_last_bits() {
        let root = bisect(0.0, 2.0, |x| x * x < 2.0);
        assert!((root - std::f64::consts::SQRT_2).abs() < 1e-15);
    }

    #[test]
    fn stays_at_the_end_where_there_is_no_turn() {
        assert!((bisect(1.0, 3.0, |_| true) - 3.0).abs() < 1e-15);
        assert!((bisect(1.0, 3.0, |_| false) - 1.0).abs() < 1e-15);
        assert!(bisect(0.0, f64::NAN, |_| true).is_nan());
    }
}
