//! A straight line (least squares) through as much of the newest past as the distance supports: looking twice as far back
//! as ahead, noise has little weight and a change of speed is forgotten. Whether a line is right the past decides: the
//! model is tried on it like all others.

/// So many times the distance ahead is looked back.
const LOOKED_BACK: usize = 2;
/// The fewest values of a line.
const FEWEST: usize = 16;

/// Where the line stands at the end of the past, and its slope in each step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    level: f64,
    slope: f64,
}

impl Line {
    /// The line for a forecast so many steps ahead.
    #[must_use]
    pub fn fit(past: &[f64], horizon: usize) -> Self {
        let count = horizon.saturating_mul(LOOKED_BACK).max(FEWEST).min(past.len());
        let values = &past[past.len() - count..];
        let centre = (count.max(1) - 1) as f64 / 2.0;
        let mean = crate::stats::mean(values);
        let (mut products, mut squares) = (0.0, 0.0);
        for (at, value) in values.iter().enumerate() {
            let distance = at as f64 - centre;
            products += distance * (value - mean);
            squares += distance * distance;
        }
        let slope = if squares > 0.0 { products / squares } else { 0.0 };
        Self { level: mean + slope * centre, slope }
    }

    /// The next values.
    #[must_use]
    pub fn predict(&self, horizon: usize) -> Vec<f64> {
        (1..=horizon).map(|at| self.level + self.slope * at as f64).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_goes_on_and_nothing_is_level() {
        let past: Vec<f64> = (0..100).map(|at| 7.0 + 0.5 * f64::from(at)).collect();
        for (found, known) in Line::fit(&past, 10).predict(3).into_iter().zip([57.0, 57.5, 58.0]) {
            assert!((found - known).abs() < 1e-9, "{found} {known}");
        }
        assert_eq!(Line::fit(&[3.0], 5).predict(2), [3.0, 3.0]);
        assert_eq!(Line::fit(&[], 5).predict(1), [0.0]);
    }
}
