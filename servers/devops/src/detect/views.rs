//! The ways in which a series is looked at, and what they say of each value.

use serde::Serialize;

use crate::detect::tail::Tail;
use crate::season::{self, HOUR_MS};
use crate::series::Grid;

/// A way of being unusual.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum View {
    /// The value itself is.
    Level,
    /// The value is, for this time of the day or week.
    Season,
    /// The difference to the hour before is.
    Jump,
}

const VIEWS: [View; 3] = [View::Level, View::Season, View::Jump];
/// Each way has two directions, and each direction its part of the rate.
const TAILS: usize = 2 * VIEWS.len();
/// The periods before that a value is compared with.
const PERIODS: usize = 3;
/// The neighbours of each of them that count too, on either side: what happens every day does not happen on the second.
const NEIGHBOURS: usize = 1;
/// Whether there is a season is asked again when the past has grown by this share.
const ASKED_AGAIN: f64 = 1.25;
/// The fewest values that the hour before needs.
const FEWEST_BEFORE: usize = 3;

/// What is said of a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seen {
    /// How unusual it is: from 1 on there is an alarm.
    pub score: f64,
    /// The value.
    pub value: f64,
    /// Up to which value it would have been usual.
    pub limit: f64,
    /// In which way it is most unusual.
    pub view: View,
    /// Whether it is too high; else too low.
    pub is_high: bool,
}

/// All ways to look at a series, over its values in order.
pub struct Watch<'a> {
    grid: &'a Grid,
    block: usize,
    /// The share of blocks in which one direction of one way may exceed its threshold.
    share: f64,
    tails: [Tail; TAILS],
    before: Before,
    period: Option<usize>,
    asked_at: usize,
}

impl<'a> Watch<'a> {
    /// Over a grid, in blocks of so many values, with so many false alarms allowed in a block.
    #[must_use]
    pub fn new(grid: &'a Grid, block: usize, allowed: f64) -> Self {
        Self {
            grid,
            block,
            share: (allowed / TAILS as f64).min(0.5),
            tails: std::array::from_fn(|_| Tail::default()),
            before: Before::new(grid.steps_within(HOUR_MS).min(grid.values.len() / 16).max(FEWEST_BEFORE)),
            period: None,
            asked_at: 0,
        }
    }

    /// Looks at the next value; nothing is said of one that is missing, or while too little is known.
    pub fn step(&mut self, at: usize) -> Option<Seen> {
        let value = self.grid.values[at];
        let seen = if value.is_nan() { None } else { self.look(at, value) };
        // What is beyond its limit counts as the limit: else a spike makes what follows it look too low.
        self.before.push(seen.filter(|seen| seen.score >= 1.0).map_or(value, |seen| seen.limit));
        if (at + 1).is_multiple_of(self.block) {
            for tail in &mut self.tails {
                tail.close(self.share);
            }
            if at >= self.asked_at {
                self.ask_for_season(at + 1);
            }
        }
        seen
    }

    fn look(&mut self, at: usize, value: f64) -> Option<Seen> {
        let expected = [
            Some(0.0),
            self.period.and_then(|period| usual(&self.grid.values, at, period)),
            self.before.mean(),
        ];
        let mut seen: Option<Seen> = None;
        let is_known = self.tails[0].threshold().is_finite();
        for (number, expected) in expected.into_iter().enumerate() {
            let Some(expected) = expected else { continue };
            for (direction, sign) in [1.0, -1.0].into_iter().enumerate() {
                let tail = &mut self.tails[2 * number + direction];
                let distance = sign * (value - expected);
                if is_known {
                    let score = tail.score(distance);
                    if seen.is_none_or(|seen| score > seen.score) {
                        let limit = expected + sign * tail.threshold();
                        seen =
                            Some(Seen { score, value, limit, view: VIEWS[number], is_high: direction == 0 });
                    }
                }
                tail.observe(distance);
            }
        }
        seen
    }

    /// Looks for a season in what was seen so far, and learns what is usual in it.
    fn ask_for_season(&mut self, until: usize) {
        self.asked_at = (until as f64 * ASKED_AGAIN) as usize;
        let past = Grid { values: self.grid.values[..until].to_vec(), ..*self.grid };
        let filled = past.filled();
        let found = season::seasons(&past, &filled);
        let period = found.iter().rev().find(|season| season.period_ms > HOUR_MS).map(|season| season.steps);
        if period.is_none() || period == self.period {
            return;
        }
        self.period = period;
        let Some(period) = period else { return };
        let [_, _, high, low, ..] = &mut self.tails;
        (*high, *low) = (Tail::default(), Tail::default());
        for at in period..until {
            let value = self.grid.values[at];
            if let Some(expected) = usual(&self.grid.values, at, period) {
                high.observe(value - expected);
                low.observe(expected - value);
            }
            if (at + 1).is_multiple_of(self.block) {
                high.close(self.share);
                low.close(self.share);
            }
        }
    }

    /// How many blocks the thresholds rest on.
    #[must_use]
    pub fn blocks(&self) -> usize {
        self.tails[0].blocks()
    }

    /// The share of blocks in which one direction of one way may exceed its threshold.
    #[must_use]
    pub fn share(&self) -> f64 {
        self.share
    }

    /// Whether thresholds lie beyond everything that was seen.
    #[must_use]
    pub fn is_extrapolated(&self) -> bool {
        self.tails.iter().any(|tail| tail.threshold().is_finite() && tail.is_extrapolated())
    }

    /// The period in steps, where there is one.
    #[must_use]
    pub fn season(&self) -> Option<usize> {
        self.period
    }
}

/// The usual value at a place of the period: the median of the same place and its neighbours in periods before.
fn usual(values: &[f64], at: usize, period: usize) -> Option<f64> {
    let mut before = [0.0; PERIODS * (2 * NEIGHBOURS + 1)];
    let mut count = 0;
    for number in 1..=PERIODS {
        let Some(place) = at.checked_sub(number * period) else { break };
        let range = place.saturating_sub(NEIGHBOURS)..=(place + NEIGHBOURS).min(at - 1);
        for value in values[range].iter().filter(|value| !value.is_nan()) {
            before[count] = *value;
            count += 1;
        }
    }
    crate::stats::median(&mut before[..count])
}

/// The mean of the hour before.
struct Before {
    window: Vec<f64>,
    next: usize,
    sum: f64,
    count: usize,
}

impl Before {
    fn new(length: usize) -> Self {
        Self { window: vec![f64::NAN; length], next: 0, sum: 0.0, count: 0 }
    }

    fn push(&mut self, value: f64) {
        let old = std::mem::replace(&mut self.window[self.next], value);
        self.next = (self.next + 1) % self.window.len();
        if !old.is_nan() {
            self.sum -= old;
            self.count -= 1;
        }
        if !value.is_nan() {
            self.sum += value;
            self.count += 1;
        }
        if self.next == 0 {
            // A running sum loses digits with every step: once in a window it is made anew.
            self.sum = self.window.iter().filter(|value| !value.is_nan()).sum();
        }
    }

    fn mean(&self) -> Option<f64> {
        (self.count >= FEWEST_BEFORE).then(|| self.sum / self.count as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_usual_at_a_time_of_day_is_the_median_of_days_before() {
        let values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 80.0, 9.0, 10.0, f64::NAN, 12.0, 0.0];
        // Four steps a day: places 7 to 9, 3 to 5, and 0 and 1.
        assert_eq!(usual(&values, 12, 4), Some(5.5));
        assert_eq!(usual(&values, 3, 4), None);
        // Places 5 to 7, and 1 to 3.
        assert_eq!(usual(&values, 10, 4), Some(5.0));
    }

    #[test]
    fn the_mean_of_the_hour_before_leaves_out_what_is_missing() {
        let mut before = Before::new(4);
        for value in [1.0, 2.0, f64::NAN] {
            before.push(value);
        }
        assert_eq!(before.mean(), None);
        before.push(6.0);
        assert_eq!(before.mean(), Some(3.0));
        before.push(7.0);
        assert_eq!(before.mean(), Some(5.0), "the first has left");
    }
}
