//! Models on the past: let loose at many points of it, each time seeing only what came before.

use crate::forecast::models::Model;
use crate::series::Grid;
use crate::stats::quantile;

/// At so many points of the past a forecast is tried, where it is long enough.
const ORIGINS: usize = 60;
/// Before the first of them lies at least this share of the past.
const FIRST: f64 = 0.4;
/// A model has to be this much better than the naive one to be chosen: less may be chance.
const CLEARLY: f64 = 0.97;
/// Errors at distances that differ by less than this share count as those of one distance.
const ALIKE: f64 = 0.15;
/// A model sees at most so many of the newest values: all of them would make no difference to any.
const SEEN: usize = 4_096;

/// How one model did.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// The model.
    pub model: Model,
    /// Its mean absolute error, in the unit of the series.
    pub mae: f64,
    /// The same over that of the naive forecast one step ahead in the past (Hyndman and Koehler, "Another Look at
    /// Measures of Forecast Accuracy", 2006); `None` where that is zero.
    pub mase: Option<f64>,
    /// How many forecasts were tried.
    pub origins: usize,
}

/// The errors of one model: for each origin one for each distance, NaN where nothing was measured.
#[derive(Clone, Debug)]
struct Errors {
    model: Model,
    paths: Vec<Vec<f64>>,
}

/// All models on one past.
#[derive(Clone, Debug)]
pub struct Backtest {
    errors: Vec<Errors>,
    origins: Vec<usize>,
    best: usize,
    naive_step: f64,
}

impl Backtest {
    /// Tries models on values without gaps, at most `horizon` steps ahead. What was not measured in `grid` is not
    /// counted.
    ///
    /// # Panics
    /// Without a model.
    #[must_use]
    pub fn new(values: &[f64], grid: &Grid, horizon: usize, models: &[Model]) -> Self {
        assert!(!models.is_empty(), "there is a naive model for every series");
        let origins = origins(values.len(), horizon);
        let errors: Vec<Errors> = models
            .iter()
            .map(|model| {
                let path = |origin: &usize| {
                    let past = &values[origin.saturating_sub(SEEN)..*origin];
                    let ahead = horizon.min(values.len() - origin);
                    let predicted = model.predict(past, ahead);
                    let error = |(at, predicted): (usize, f64)| match grid.values[origin + at].is_nan() {
                        true => f64::NAN,
                        false => values[origin + at] - predicted,
                    };
                    predicted.into_iter().enumerate().map(error).collect()
                };
                Errors { model: model.clone(), paths: origins.iter().map(path).collect() }
            })
            .collect();
        let period = match &models[0] {
            Model::Naive { steps, .. } => *steps,
            Model::Ets | Model::Line | Model::Decomposed { .. } => 1,
        };
        let differences = values.iter().zip(values.iter().skip(period)).map(|(a, b)| (b - a).abs());
        let naive_step = differences.sum::<f64>() / values.len().saturating_sub(period).max(1) as f64;
        let best = best(&errors);
        Self { errors, origins, best, naive_step }
    }

    /// Where the forecasts that were tried began.
    #[must_use]
    pub fn origins(&self) -> &[usize] {
        &self.origins
    }

    /// The model with the smallest errors; the naive one where no other is clearly better.
    #[must_use]
    pub fn best(&self) -> &Model {
        &self.errors[self.best].model
    }

    /// How each model did, the best one first.
    #[must_use]
    pub fn trials(&self) -> Vec<Trial> {
        let mut order: Vec<usize> = (0..self.errors.len()).collect();
        order.sort_by_key(|at| *at != self.best);
        let trial = |at: &usize| {
            let errors = &self.errors[*at];
            let mae = mean_absolute(errors)?;
            let mase = (self.naive_step > 0.0).then(|| mae / self.naive_step);
            Some(Trial { model: errors.model.clone(), mae, mase, origins: errors.paths.len() })
        };
        order.iter().filter_map(trial).collect()
    }

    /// The whole paths of errors of a model.
    #[must_use]
    pub fn paths(&self, model: &Model) -> &[Vec<f64>] {
        self.errors.iter().find(|errors| errors.model == *model).map_or(&[], |errors| &errors.paths)
    }

    /// What has to be added to a forecast at each distance for the lower and the upper end of an interval.
    #[must_use]
    pub fn intervals(&self, model: &Model, horizon: usize, level: f64) -> Vec<(f64, f64)> {
        intervals(self.paths(model).iter(), horizon, level)
    }

    /// The share of errors that intervals hold which were made from the other origins; `None` where there are too few
    /// to leave one out.
    #[must_use]
    pub fn covered(&self, model: &Model, level: f64) -> Option<f64> {
        let paths = self.paths(model);
        if paths.len() < 10 {
            return None;
        }
        let (mut held, mut all) = (0_usize, 0_usize);
        // Every fourth is enough for a share.
        for (left_out, path) in paths.iter().enumerate().step_by(4) {
            let others = paths.iter().enumerate().filter(|(at, _)| *at != left_out).map(|(_, path)| path);
            let bounds = intervals(others, path.len(), level);
            for (error, (low, high)) in path.iter().zip(bounds).filter(|(error, _)| !error.is_nan()) {
                all += 1;
                held += usize::from((low..=high).contains(error));
            }
        }
        (all > 0).then(|| held as f64 / all as f64)
    }
}

/// Where forecasts begin: evenly spread, and at each of them the whole distance is known.
fn origins(count: usize, horizon: usize) -> Vec<usize> {
    let first = ((count as f64 * FIRST) as usize).max(crate::forecast::FEWEST / 2);
    let last = count.saturating_sub(horizon);
    if last < first {
        return if last >= crate::forecast::FEWEST / 2 { vec![last] } else { Vec::new() };
    }
    let room = last - first;
    let wanted = ORIGINS.min(room + 1);
    (0..wanted).map(|number| last - room * number / wanted.max(2).saturating_sub(1).max(1)).rev().collect()
}

fn mean_absolute(errors: &Errors) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0_usize);
    for error in errors.paths.iter().flatten().filter(|error| !error.is_nan()) {
        sum += error.abs();
        count += 1;
    }
    (count > 0).then(|| sum / count as f64)
}

fn best(errors: &[Errors]) -> usize {
    let Some(naive) = mean_absolute(&errors[0]) else { return 0 };
    let mut best = (0, naive);
    for (at, one) in errors.iter().enumerate().skip(1) {
        let Some(error) = mean_absolute(one) else { continue };
        let needed = if best.0 == 0 && !one.model.is_naive() { CLEARLY } else { 1.0 };
        if error < best.1 * needed {
            best = (at, error);
        }
    }
    best.0
}

/// The quantiles of errors at each distance, at the ranks that make them hold for one more forecast: with n origins the
/// k-th smallest and largest, k = ⌊(n + 1)(1 − level) / 2⌋.
fn intervals<'a>(paths: impl Iterator<Item = &'a Vec<f64>>, horizon: usize, level: f64) -> Vec<(f64, f64)> {
    let paths: Vec<&Vec<f64>> = paths.collect();
    let count = paths.len() as f64;
    let outside = (((count + 1.0) * (1.0 - level) / 2.0) / count.max(1.0)).min(0.5);
    // Interpolation lies inside of the rank by up to half of one; neighbouring distances share their errors, which makes
    // half of that enough.
    let share = (outside - 0.25 / count.max(1.0)).max(0.0);
    let mut bounds = Vec::with_capacity(horizon);
    let mut known: Option<(usize, (f64, f64))> = None;
    for at in 0..horizon {
        let width = (at as f64 * ALIKE) as usize;
        // Neighbouring distances share their errors: one set serves until it is left.
        if let Some((until, bound)) = known
            && at <= until
        {
            bounds.push(bound);
            continue;
        }
        let centre = at + width / 2;
        let range = centre.saturating_sub(width)..=centre + width;
        let mut errors: Vec<f64> = paths
            .iter()
            .flat_map(|path| path.iter().enumerate().skip(*range.start()).take(2 * width + 1))
            .map(|(_, error)| *error)
            .filter(|error| !error.is_nan())
            .collect();
        errors.sort_unstable_by(f64::total_cmp);
        let bound = match (quantile(&errors, share), quantile(&errors, 1.0 - share)) {
            (Some(low), Some(high)) => (low.min(0.0), high.max(0.0)),
            _ => known.map_or((f64::NEG_INFINITY, f64::INFINITY), |(_, bound)| bound),
        };
        known = Some((at + width, bound));
        bounds.push(bound);
    }
    bounds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_spread_and_leave_room() {
        let found = origins(1000, 100);
        assert_eq!((found.len(), found[0], found[59]), (60, 400, 900));
        assert!(found.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(origins(16, 8), [8]);
        assert_eq!(origins(20, 1).last(), Some(&19));
        assert!(origins(10, 9).is_empty());
    }

    #[test]
    fn intervals_of_known_errors_have_their_ranks() {
        // 99 origins with errors 1 to 99 at the only distance: 90 % leave out five on either side.
        let paths: Vec<Vec<f64>> = (1..=99).map(|error| vec![f64::from(error) - 50.0]).collect();
        let (low, high) = intervals(paths.iter(), 1, 0.9)[0];
        assert!((low + 45.0).abs() < 1.0 && (high - 45.0).abs() < 1.0, "{low} {high}");
    }

    #[test]
    fn a_model_that_knows_is_chosen_and_one_that_is_hardly_better_is_not() {
        let errors = |model: Model, error: f64| Errors { model, paths: vec![vec![error; 3]] };
        let naive = || errors(Model::Naive { steps: 1, name: "step" }, 1.0);
        assert_eq!(best(&[naive(), errors(Model::Ets, 0.5)]), 1);
        assert_eq!(best(&[naive(), errors(Model::Ets, 0.99)]), 0);
        assert_eq!(best(&[errors(Model::Ets, f64::NAN), naive()]), 0, "nothing to compare with");
    }

    #[test]
    fn errors_where_nothing_was_measured_do_not_count() {
        let mut values = vec![0.0; 50];
        values[48] = 9.0;
        let mut grid = Grid { start_ms: 0, step_ms: 1, values: values.clone(), joined: 1 };
        grid.values[48] = f64::NAN;
        let tried = Backtest::new(&values, &grid, 5, &[Model::Naive { steps: 1, name: "step" }]);
        assert!(tried.paths(tried.best()).iter().flatten().any(|error| error.is_nan()));
    }
}
