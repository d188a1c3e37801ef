//! Forecasts: how a series goes on, with intervals that were tried on its own past.
//!
//! Three models ([`models`]) are let loose at many points of the past, each seeing only what came before (rolling
//! origin, [`backtest`]). The one with the smallest errors is chosen; where that is "the same as a period ago", the
//! answer says so. Intervals are the quantiles of the errors that the chosen model made at the same distance
//! (split-conformal calibration: Vovk, Gammerman and Shafer, "Algorithmic Learning in a Random World", 2005; Stankevičiūtė,
//! Alaa and van der Schaar, "Conformal Time-series Forecasting", 2021): nothing is assumed of their distribution. The
//! time until a limit is reached ([`full`]) comes from whole paths of such errors.

pub mod backtest;
pub mod full;
pub mod models;

use crate::season::{self, HOUR_MS, Season};
use crate::series::{Grid, Series};
use backtest::{Backtest, Trial};
use models::Model;

/// Longer series are joined to so many values.
pub const MOST_VALUES: usize = 5_000;
/// The fewest values that a forecast is made from.
pub const FEWEST: usize = 16;
/// A forecast reaches no further than this share of the past.
const FURTHEST: f64 = 0.5;
/// The confidence of intervals where nobody asks for another.
pub const USUAL_LEVEL: f64 = 0.9;
/// The confidences that may be asked for.
pub const LEVELS: std::ops::RangeInclusive<f64> = 0.5..=0.99;

/// Why there is no forecast.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ForecastError {
    /// There are too few values.
    #[error("{found} values are too few for a forecast: give at least {FEWEST}")]
    TooShort {
        /// How many there are.
        found: usize,
    },
    /// The confidence is none.
    #[error("level {0} is out of range: give {low} to {high}", low = LEVELS.start(), high = LEVELS.end())]
    Level(f64),
    /// The distance is none.
    #[error("hours {0} is not a distance: give a number above 0")]
    Horizon(f64),
}

/// One value to come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// When, in milliseconds since 1970.
    pub time_ms: i64,
    /// The forecast.
    pub value: f64,
    /// The lower end of the interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// A forecast.
#[derive(Clone, Debug, PartialEq)]
pub struct Forecast {
    /// The values to come, one for each step.
    pub points: Vec<Point>,
    /// The model that made it.
    pub model: Model,
    /// How each model did on the past, the chosen one first.
    pub trials: Vec<Trial>,
    /// The share of past values that intervals held which were made without them.
    pub covered: Option<f64>,
    /// The confidence of the intervals.
    pub level: f64,
    /// The seasons that were found, the shortest first.
    pub seasons: Vec<Season>,
    /// The steps that were forecast.
    pub grid: Grid,
    /// Whether the distance asked for was cut to what the past supports.
    pub is_cut: bool,
    /// Whole paths of errors that the chosen model made, for [`full`].
    pub paths: Vec<Vec<f64>>,
    /// The places in the grid at which these paths began.
    pub origins: Vec<usize>,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Request {
    /// How far, in hours; a tenth of the past where nothing is said.
    pub hours: Option<f64>,
    /// The confidence of the intervals.
    pub level: Option<f64>,
}

/// Forecasts a series.
///
/// # Errors
/// There are too few values, or the distance or the confidence is none.
pub fn forecast(series: &Series, request: Request) -> Result<Forecast, ForecastError> {
    let level = request.level.unwrap_or(USUAL_LEVEL);
    if !LEVELS.contains(&level) {
        return Err(ForecastError::Level(level));
    }
    if let Some(hours) = request.hours.filter(|hours| !(hours.is_finite() && *hours > 0.0)) {
        return Err(ForecastError::Horizon(hours));
    }
    let grid = series.grid(MOST_VALUES);
    if series.len() < FEWEST || grid.values.len() < FEWEST {
        return Err(ForecastError::TooShort { found: series.len().min(grid.values.len()) });
    }
    let most = (grid.values.len() as f64 * FURTHEST) as usize;
    let asked = request.hours.map_or(grid.values.len() / 10, |hours| {
        (hours * HOUR_MS as f64 / grid.step_ms as f64).ceil().min(1e9) as usize
    });
    let horizon = asked.clamp(1, most);
    Ok(of_grid(grid, horizon, level, asked > most))
}

fn of_grid(grid: Grid, horizon: usize, level: f64, is_cut: bool) -> Forecast {
    let scaled = Scaled::new(&grid.filled());
    let seasons = season::seasons(&grid, &scaled.values);
    let candidates = models::candidates(&seasons);
    let tried = Backtest::new(&scaled.values, &grid, horizon, &candidates);
    let model = tried.best().clone();
    let predicted = model.predict(&scaled.values, horizon);
    let bounds = tried.intervals(&model, horizon, level);
    let last = grid.values.len().saturating_sub(1);
    let points = predicted
        .iter()
        .zip(&bounds)
        .enumerate()
        .map(|(at, (value, (low, high)))| Point {
            time_ms: grid.time(last + 1 + at),
            value: scaled.back(*value),
            low: scaled.back(value + low),
            high: scaled.back(value + high),
        })
        .collect();
    let trials =
        tried.trials().into_iter().map(|trial| Trial { mae: trial.mae * scaled.scale, ..trial }).collect();
    let paths =
        tried.paths(&model).iter().map(|path| path.iter().map(|error| error * scaled.scale).collect());
    Forecast {
        points,
        trials,
        covered: tried.covered(&model, level),
        level,
        paths: paths.collect(),
        origins: tried.origins().to_vec(),
        seasons,
        is_cut,
        model,
        grid,
    }
}

/// Values without their level and scale, so that small changes of large numbers keep their digits.
struct Scaled {
    values: Vec<f64>,
    level: f64,
    scale: f64,
}

impl Scaled {
    fn new(values: &[f64]) -> Self {
        let level = crate::stats::median(&mut values.to_vec()).unwrap_or(0.0);
        let largest = values.iter().map(|value| (value - level).abs()).fold(0.0, f64::max);
        let scale = if largest > 0.0 { largest } else { 1.0 };
        let values = values.iter().map(|value| (value - level) / scale).collect();
        Self { values, level, scale }
    }

    fn back(&self, value: f64) -> f64 {
        self.level + value * self.scale
    }
}

impl Forecast {
    /// How the chosen model compares with "the same as a period ago": the share of its error that is left. 1 where that
    /// one was chosen; `None` where the past is too short to try.
    #[must_use]
    pub fn relative_to_naive(&self) -> Option<f64> {
        let chosen = self.trials.first()?;
        let naive = self.trials.iter().find(|trial| trial.model.is_naive())?;
        (naive.mae > 0.0).then(|| chosen.mae / naive.mae)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(step_ms: i64, count: i64, value: impl Fn(f64) -> f64) -> Series {
        let points = (0..count).map(|at| (at * step_ms, value((at * step_ms) as f64 / HOUR_MS as f64)));
        Series::new("x", points.collect(), None)
    }

    #[test]
    fn a_day_that_repeats_is_forecast() {
        let day = |hours: f64| 10.0 + (hours / 24.0 * std::f64::consts::TAU).sin();
        let found =
            forecast(&series(HOUR_MS / 4, 4 * 24 * 14, day), Request { hours: Some(24.0), level: None })
                .unwrap();
        assert_eq!(found.points.len(), 96);
        for point in &found.points {
            let known = day(point.time_ms as f64 / HOUR_MS as f64);
            assert!((point.value - known).abs() < 0.02, "{point:?} {known}");
            assert!(point.low <= point.value && point.value <= point.high);
        }
    }

    #[test]
    fn small_changes_of_large_numbers_keep_their_digits() {
        let ramp = |hours: f64| 1e12 + hours;
        let found =
            forecast(&series(HOUR_MS, 500, ramp), Request { hours: Some(20.0), level: None }).unwrap();
        let last = found.points.last().unwrap();
        assert!((last.value - (1e12 + 519.0)).abs() < 0.5, "{}", last.value);
        assert!(!found.model.is_naive(), "a ramp is not as it was before");
        assert!(found.relative_to_naive().unwrap() < 0.5);
    }

    #[test]
    fn a_walk_is_best_forecast_by_its_last_value_or_close_to_it() {
        let mut state = 1_u64;
        let mut level = 0.0;
        let points = (0..800).map(|at| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            level += (state >> 33) as f64 / f64::from(1_u32 << 31) - 0.5;
            (at * HOUR_MS, level)
        });
        let found = forecast(&Series::new("x", points.collect(), None), Request::default()).unwrap();
        assert!((0.8..=1.0).contains(&found.relative_to_naive().unwrap()));
        let wide = found.points.last().unwrap();
        let narrow = found.points[0];
        assert!(
            wide.high - wide.low > 1.5 * (narrow.high - narrow.low),
            "uncertainty grows with the distance"
        );
    }

    #[test]
    fn what_cannot_be_forecast_is_refused_and_constants_stay() {
        let short = series(HOUR_MS, 10, |hours| hours);
        assert_eq!(forecast(&short, Request::default()), Err(ForecastError::TooShort { found: 10 }));
        let constant = series(HOUR_MS, 50, |_| 3.0);
        let found = forecast(&constant, Request::default()).unwrap();
        assert!(found.points.iter().all(|point| (point.value, point.low, point.high) == (3.0, 3.0, 3.0)));
        let request = Request { level: Some(1.0), ..Request::default() };
        assert_eq!(forecast(&constant, request), Err(ForecastError::Level(1.0)));
        for hours in [0.0, -1.0, f64::NAN] {
            let request = Request { hours: Some(hours), level: None };
            assert!(matches!(forecast(&constant, request), Err(ForecastError::Horizon(_))));
        }
        let far = forecast(&constant, Request { hours: Some(1e300), level: None }).unwrap();
        assert!(far.is_cut && far.points.len() == 25);
    }
}
