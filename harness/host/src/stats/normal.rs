//! Tails of the standard normal distribution, exact far out, where `1 − cdf` would be zero.

use statrs::function::erf::{erfc, erfc_inv};
use std::f64::consts::{PI, SQRT_2};

/// P(Z > z) for a standard normal Z.
pub(crate) fn normal_upper_tail(z: f64) -> f64 {
    0.5 * erfc(z / SQRT_2)
}

/// The z with P(Z > z) = `p`; infinite for `p` = 0.
pub(crate) fn normal_upper_quantile(p: f64) -> f64 {
    if p <= 0.0 { f64::INFINITY } else { SQRT_2 * erfc_inv(2.0 * p) }
}

/// The density of the standard normal distribution at `z`.
pub(crate) fn normal_density(z: f64) -> f64 {
    (-0.5 * z * z).exp() / (2.0 * PI).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_published_tails() {
        // Abramowitz & Stegun, tables 26.1 and 26.2.
        let published = [(1.0, 0.158_655_253_931_457), (2.0, 0.022_750_131_948_179), (5.0, 2.866_515_719e-7)];
        for (z, p) in published {
            assert!((normal_upper_tail(z) / p - 1.0).abs() < 1e-9, "z = {z}");
            assert!((normal_upper_quantile(p) - z).abs() < 1e-9, "z = {z}");
        }
        assert!((normal_upper_quantile(0.025) - 1.959_963_984_540_054).abs() < 1e-12);
        assert!((normal_density(0.0) - 0.398_942_280_401_433).abs() < 1e-14);
    }

    #[test]
    fn far_tails_do_not_vanish() {
        // P(Z > 9) = 1.12858840595e-19 and P(Z > 20) = 2.75362411861e-89.
        assert!((normal_upper_tail(9.0) / 1.128_588_405_95e-19 - 1.0).abs() < 1e-9);
        assert!((normal_upper_quantile(2.753_624_118_61e-89) - 20.0).abs() < 1e-9);
        assert!(normal_upper_quantile(0.0).is_infinite());
    }
}
