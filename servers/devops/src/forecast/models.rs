//! The models: the same as a period ago, exponential smoothing, and a decomposition into seasons and the rest.

mod decomposed;
mod line;
mod smoothing;

use crate::season::Season;

pub use decomposed::Decomposed;
pub use line::Line;
pub use smoothing::Smoothing;

/// A way to go on from a past.
#[derive(Clone, Debug, PartialEq)]
pub enum Model {
    /// The value of a period ago; with a period of one step the last value. Its name is that of the period.
    Naive {
        /// The period in steps.
        steps: usize,
        /// What the period is called.
        name: &'static str,
    },
    /// Exponential smoothing of level and damped trend, without a season.
    Ets,
    /// A straight line through a past that is twice as long as what is to come: what grows steadily, as disks do.
    Line,
    /// Seasons as the mean of the same places of periods before, and exponential smoothing of what they leave, or a line.
    Decomposed {
        /// The periods in steps, the shortest first.
        periods: Vec<usize>,
        /// Whether what the seasons leave is continued as a line.
        is_line: bool,
    },
}

impl Model {
    /// What it is called in answers.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Naive { steps: 1, .. } => "last value".to_owned(),
            Self::Naive { name, .. } => format!("seasonal-naive ({name})"),
            Self::Ets => "ETS".to_owned(),
            Self::Line => "line".to_owned(),
            Self::Decomposed { is_line: false, .. } => "seasons + ETS".to_owned(),
            Self::Decomposed { is_line: true, .. } => "seasons + line".to_owned(),
        }
    }

    /// Whether it only repeats.
    #[must_use]
    pub fn is_naive(&self) -> bool {
        matches!(self, Self::Naive { .. })
    }

    /// The next `horizon` values after a past without gaps.
    #[must_use]
    pub fn predict(&self, past: &[f64], horizon: usize) -> Vec<f64> {
        match self {
            Self::Naive { steps, .. } => naive(past, *steps, horizon),
            Self::Ets => Smoothing::fit(past).predict(horizon),
            Self::Line => Line::fit(past, horizon).predict(horizon),
            Self::Decomposed { periods, is_line } => {
                let parts = Decomposed::fit(past, periods);
                let rest = match is_line {
                    true => Line::fit(&parts.rest, horizon).predict(horizon),
                    false => Smoothing::fit(&parts.rest).predict(horizon),
                };
                parts.with_seasons(rest)
            }
        }
    }
}

/// The models that suit a series with these seasons: the naive one first.
#[must_use]
pub fn candidates(seasons: &[Season]) -> Vec<Model> {
    let mut found: Vec<Model> = seasons
        .iter()
        .rev()
        .map(|season| Model::Naive { steps: season.steps, name: season.name() })
        .collect();
    if found.is_empty() {
        found.push(Model::Naive { steps: 1, name: "step" });
    }
    found.extend([Model::Ets, Model::Line]);
    if !seasons.is_empty() {
        let periods: Vec<usize> = seasons.iter().map(|season| season.steps).collect();
        found.push(Model::Decomposed { periods: periods.clone(), is_line: false });
        found.push(Model::Decomposed { periods, is_line: true });
    }
    found
}

fn naive(past: &[f64], steps: usize, horizon: usize) -> Vec<f64> {
    let steps = steps.min(past.len()).max(1);
    let period = past.get(past.len() - steps..).unwrap_or_default();
    (0..horizon).map(|at| period.get(at % steps).copied().unwrap_or(0.0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_naive_model_repeats_the_last_period() {
        assert_eq!(naive(&[9.0, 1.0, 2.0, 3.0], 3, 5), [1.0, 2.0, 3.0, 1.0, 2.0]);
        assert_eq!(naive(&[9.0, 1.0], 1, 2), [1.0, 1.0]);
        assert_eq!(naive(&[4.0], 7, 2), [4.0, 4.0]);
    }

    #[test]
    fn candidates_are_of_the_seasons() {
        let names = |seasons: &[Season]| candidates(seasons).iter().map(Model::name).collect::<Vec<_>>();
        assert_eq!(names(&[]), ["last value", "ETS", "line"]);
        let day = Season { period_ms: crate::season::DAY_MS, steps: 24, strength: 1.0 };
        assert_eq!(names(&[day]), ["seasonal-naive (day)", "ETS", "line", "seasons + ETS", "seasons + line"]);
    }
}
