//! Anomalies: values that were not to be expected from what came before, with a stated rate of false alarms.
//!
//! A series is looked at in several ways ([`views`]): by its level, against the same time of day on days before, against
//! the hour before. Each way gives numbers that are large where something is unusual. How large they get where nothing
//! is wrong is learned from the past alone: the largest number of each hour is kept, and a generalised Pareto tail is
//! fitted to these maxima ([`tail`]). The threshold is the value that the tail exceeds as often as the stated rate
//! allows, shared between all ways and both directions. What was learned so is an upper bound: alarms of several ways
//! and of neighbouring hours join to one ([`alarms`]).
//!
//! The whole runs from the first value to the last and never looks ahead: what it says of a history is what it would
//! have said at the time.

pub mod alarms;
pub mod tail;
pub mod views;

use crate::season::HOUR_MS;
use crate::series::{Grid, Series};
use alarms::Onsets;
use views::{View, Watch};

/// The rate that is stated where nobody asks for another: false alarms a day and series.
pub const USUAL_RATE: f64 = 0.1;
/// The rates that may be asked for: those that were found to hold (`tests/false_alarms.rs`). A lower one needs a longer past
/// than is kept.
pub const RATES: std::ops::RangeInclusive<f64> = 0.05..=10.0;
/// The fewest values that anything can be said about.
pub const FEWEST: usize = 48;
/// A series that is shorter than [`PARTS`] hours is learned from in so many parts.
const PARTS: usize = 96;
/// A short series is judged as if a false alarm in so many such series were meant.
const SHORT_SERIES: f64 = 0.05;
/// The most values of a grid; longer series are joined.
pub const MOST_VALUES: usize = 1 << 21;

/// Why nothing can be said.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DetectError {
    /// There are too few values.
    #[error("{found} points are too few to tell what is usual: give at least {FEWEST}")]
    TooShort {
        /// How many there are.
        found: usize,
    },
    /// The rate is none.
    #[error("false_alarms_per_day {0} is out of range: give {low} to {high}", low = RATES.start(), high = RATES.end())]
    Rate(f64),
}

/// Something unusual: from its first value beyond the threshold to its last.
#[derive(Clone, Debug, PartialEq)]
pub struct Anomaly {
    /// The time of its first value, in milliseconds since 1970.
    pub start_ms: i64,
    /// The time of its last value.
    pub end_ms: i64,
    /// The value that was furthest out.
    pub value: f64,
    /// The value up to which it would have been usual.
    pub limit: f64,
    /// How far out: 1 is the threshold, 0 the usual largest value of an hour.
    pub score: f64,
    /// In which way it is unusual.
    pub view: View,
    /// Whether it is too high; else it is too low.
    pub is_high: bool,
    /// How many alarms there would have been: one at the onset, one for each four hours that it lasts.
    pub alarms: usize,
}

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Detection {
    /// The unusual parts in order of time.
    pub anomalies: Vec<Anomaly>,
    /// The places of the alarms in the grid.
    pub alarms: Vec<usize>,
    /// How unusual each value of the grid is: from 1 on there is an alarm. Zero while it is learned.
    pub scores: Vec<f64>,
    /// How many values were only learned from.
    pub learned: usize,
    /// The rate that is stated, in false alarms a day.
    pub rate: f64,
    /// The hours, or other parts, whose maxima the thresholds rest on at the end.
    pub blocks: usize,
    /// The share of these that one direction of one way may exceed.
    pub share: f64,
    /// Whether thresholds lie beyond everything that was seen: the past is too short for the rate.
    pub is_extrapolated: bool,
    /// The period that the series was compared with, in steps.
    pub season: Option<usize>,
    /// The values in their steps.
    pub grid: Grid,
}

/// Looks through a series at a stated rate of false alarms a day.
///
/// # Errors
/// There are too few values, or the rate is none.
pub fn detect(series: &Series, rate: Option<f64>) -> Result<Detection, DetectError> {
    let asked = rate.unwrap_or(USUAL_RATE);
    if !RATES.contains(&asked) {
        return Err(DetectError::Rate(asked));
    }
    if series.len() < FEWEST {
        return Err(DetectError::TooShort { found: series.len() });
    }
    let grid = series.grid(MOST_VALUES);
    let days = (grid.step_ms as f64 * grid.values.len() as f64) / crate::season::DAY_MS as f64;
    let rate = if rate.is_some() { asked } else { asked.max(SHORT_SERIES / days) };
    Ok(run(grid, rate))
}

/// How many values the maxima are taken over: those of an hour; of short series less.
fn block_of(grid: &Grid) -> usize {
    grid.steps_within(HOUR_MS).min(grid.values.len() / PARTS).max(1)
}

fn run(grid: Grid, rate: f64) -> Detection {
    let block = block_of(&grid);
    let block_days = (grid.step_ms as f64 * block as f64) / crate::season::DAY_MS as f64;
    let mut watch = Watch::new(&grid, block, rate * block_days);
    let mut onsets = Onsets::new(grid.step_ms);
    let mut scores = vec![0.0; grid.values.len()];
    let mut anomalies: Vec<Anomaly> = Vec::new();
    let mut alarms = Vec::new();
    let mut learned = None;
    for (at, score) in scores.iter_mut().enumerate() {
        let Some(seen) = watch.step(at) else { continue };
        learned.get_or_insert(at);
        *score = seen.score;
        if seen.score < 1.0 {
            continue;
        }
        let onset = onsets.exceeded(at);
        if onset.is_alarm {
            alarms.push(at);
        }
        let time = grid.time(at);
        match anomalies.last_mut().filter(|_| !onset.is_new) {
            Some(last) => last.extend(time, &seen, onset.is_alarm),
            None => anomalies.push(Anomaly {
                start_ms: time,
                end_ms: time,
                value: seen.value,
                limit: seen.limit,
                score: seen.score,
                view: seen.view,
                is_high: seen.is_high,
                alarms: 1,
            }),
        }
    }
    Detection {
        anomalies,
        alarms,
        scores,
        learned: learned.unwrap_or(grid.values.len()),
        rate,
        blocks: watch.blocks(),
        share: watch.share(),
        is_extrapolated: watch.is_extrapolated(),
        season: watch.season(),
        grid,
    }
}

impl Anomaly {
    fn extend(&mut self, time: i64, seen: &views::Seen, is_alarm: bool) {
        self.end_ms = time;
        self.alarms += usize::from(is_alarm);
        if seen.score > self.score {
            self.value = seen.value;
            self.limit = seen.limit;
            self.score = seen.score;
            self.view = seen.view;
            self.is_high = seen.is_high;
        }
    }
}

impl Detection {
    /// The false alarms that are to be expected over the whole series at the stated rate, at most.
    #[must_use]
    pub fn expected_false_alarms(&self) -> f64 {
        let judged = self.grid.values.len().saturating_sub(self.learned) as f64;
        self.rate * judged * self.grid.step_ms as f64 / crate::season::DAY_MS as f64
    }
}
