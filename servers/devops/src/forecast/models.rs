//! The models: the same as a period ago, exponential smoothing, and a decomposition into seasons and the rest.

mod decomposed;
mod smoothing;

use crate::season::Season;

pub use decomposed::Decomposed;
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
    /// Seasons as the mean of the same places of periods before, and exponential smoothing of what they leave.
    Decomposed {
        /// The periods in steps, the shortest first.
        periods: Vec<usize>,
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
            Self::Decomposed { .. } => "seasons + ETS".to_owned(),
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
            Self::Decomposed { periods } => Decomposed::fit(past, periods).predict(horizon),
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
    found.push(Model::Ets);
    if !seasons.is_empty() {
        found.push(Model::Decomposed { periods: seasons.iter().map(|season| season.steps).collect() });
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
    fn a_series_without_seasons_has_two_candidates() {
        let names = |seasons: &[Season]| candidates(seasons).iter().map(Model::name).collect::<Vec<_>>();
        assert_eq!(names(&[]), ["last value", "ETS"]);
        let day = Season { period_ms: crate::season::DAY_MS, steps: 24, strength: 1.0 };
        assert_eq!(names(&[day]), ["seasonal-naive (day)", "ETS", "seasons + ETS"]);
    }
}
