//! Exponential smoothing of a level and a damped trend (Hyndman, Koehler, Ord and Snyder, "Forecasting with Exponential
//! Smoothing", 2008: the methods ANN and AAdN), fitted by the squares of the errors one step ahead.

/// Only the newest values are fitted: what is older has no weight left in any of the models.
const FITTED: usize = 1_500;
/// The weights of the newest value that are tried.
const ALPHAS: [f64; 9] = [0.01, 0.03, 0.08, 0.15, 0.3, 0.5, 0.7, 0.85, 0.98];
/// The weights of the newest slope that are tried, as shares of the value's.
const BETAS: [f64; 4] = [0.01, 0.05, 0.15, 0.4];
/// What is left of the slope from step to step, as tried.
const DAMPINGS: [f64; 4] = [0.8, 0.95, 0.99, 1.0];

/// A fitted model: where it stands at the end of the past.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Smoothing {
    level: f64,
    slope: f64,
    damping: f64,
}

#[derive(Clone, Copy)]
struct Weights {
    alpha: f64,
    beta: f64,
    damping: f64,
}

impl Smoothing {
    /// The model with the smallest errors, by Akaike's criterion for small samples: a trend has to earn its place.
    #[must_use]
    pub fn fit(past: &[f64]) -> Self {
        let values = &past[past.len().saturating_sub(FITTED)..];
        let Some(first) = values.first() else { return Self { level: 0.0, slope: 0.0, damping: 1.0 } };
        let begin = values.len().min(10);
        let slope = if begin > 1 { (values[begin - 1] - first) / (begin - 1) as f64 } else { 0.0 };
        let mut best: Option<(f64, Self)> = None;
        let mut consider = |weights: Weights, parameters: f64| {
            let start = if parameters > 2.0 { slope } else { 0.0 };
            let (squares, end) = run(values, weights, start);
            let count = values.len() as f64;
            let penalty = if count > parameters + 2.0 {
                2.0 * parameters + 2.0 * parameters * (parameters + 1.0) / (count - parameters - 1.0)
            } else {
                f64::INFINITY
            };
            let criterion = count * (squares / count).max(1e-30).ln() + penalty;
            if best.is_none_or(|(known, _)| criterion < known) {
                best = Some((criterion, end));
            }
        };
        for alpha in ALPHAS {
            consider(Weights { alpha, beta: 0.0, damping: 0.0 }, 2.0);
            for beta in BETAS {
                for damping in DAMPINGS {
                    consider(Weights { alpha, beta: alpha * beta, damping }, 5.0);
                }
            }
        }
        let last = values.last().copied().unwrap_or(0.0);
        best.map_or(Self { level: last, slope: 0.0, damping: 1.0 }, |(_, model)| model)
    }

    /// The next values.
    #[must_use]
    pub fn predict(&self, horizon: usize) -> Vec<f64> {
        let (mut sum, mut part) = (0.0, 1.0);
        (0..horizon)
            .map(|_| {
                part *= self.damping;
                sum += part;
                self.level + sum * self.slope
            })
            .collect()
    }
}

/// The squares of the errors one step ahead, and where the model ends.
fn run(values: &[f64], weights: Weights, slope: f64) -> (f64, Smoothing) {
    let Weights { alpha, beta, damping } = weights;
    let (mut level, mut slope, mut squares) = (values[0], slope, 0.0);
    for value in &values[1..] {
        let expected = level + damping * slope;
        let error = value - expected;
        squares += error * error;
        level = expected + alpha * error;
        slope = damping * slope + beta * error;
    }
    (squares, Smoothing { level, slope, damping })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_goes_on_and_a_level_stays() {
        let line: Vec<f64> = (0..100).map(|at| 5.0 + 2.0 * f64::from(at)).collect();
        let next = Smoothing::fit(&line).predict(3);
        for (next, known) in next.iter().zip([205.0, 207.0, 209.0]) {
            assert!((next - known).abs() < 0.01, "{next} {known}");
        }
        let zigzag: Vec<f64> = (0..200).map(|at| if at % 2 == 0 { 1.0 } else { -1.0 }).collect();
        let next = Smoothing::fit(&zigzag).predict(50);
        assert!(next.iter().all(|value| value.abs() < 0.2), "{next:?}");
    }

    #[test]
    fn one_step_of_simple_smoothing_is_the_textbooks() {
        // Levels with α = 1/2 from 10: 11, 12.5; errors 2 and 3.
        let (squares, end) = run(&[10.0, 12.0, 14.0], Weights { alpha: 0.5, beta: 0.0, damping: 0.0 }, 0.0);
        assert_eq!((squares, end.level), (13.0, 12.5));
        // Damped: expected 10 + 0.5, error 1.5, level 11.25, slope 0.5 + 0.25 · 1.5.
        let (squares, end) = run(&[10.0, 12.0], Weights { alpha: 0.5, beta: 0.25, damping: 0.5 }, 1.0);
        assert_eq!((squares, end.level, end.slope), (2.25, 11.25, 0.875));
        assert_eq!(end.predict(2), [11.25 + 0.4375, 11.25 + 0.4375 + 0.21875]);
    }

    #[test]
    fn few_values_do_no_harm() {
        assert_eq!(Smoothing::fit(&[]).predict(2), [0.0, 0.0]);
        assert_eq!(Smoothing::fit(&[4.0]).predict(2), [4.0, 4.0]);
        assert!(Smoothing::fit(&[4.0, 5.0]).predict(2).iter().all(|value| value.is_finite()));
    }
}
