//! A series in steps of one length, as models need it.

use crate::series::Series;

/// Values at equal distances; what was not measured is not a number.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    /// The time of the first value, in milliseconds since 1970.
    pub start_ms: i64,
    /// The distance of two values in milliseconds; at least 1.
    pub step_ms: i64,
    /// The means of what was measured in each step; NaN where nothing was.
    pub values: Vec<f64>,
    /// How many steps of the series were joined to one.
    pub joined: usize,
}

impl Series {
    /// The series in steps of its usual distance, or of as many of them as keep it to `most` values.
    #[must_use]
    pub fn grid(&self, most: usize) -> Grid {
        let step = self.step_ms().max(1);
        let steps = (self.span_ms() / step + 1).max(1) as usize;
        let joined = steps.div_ceil(most.max(1)).max(1);
        let step_ms = step.saturating_mul(joined as i64);
        let start_ms = self.times().first().copied().unwrap_or(0);
        let count = if self.is_empty() { 0 } else { (self.span_ms() / step_ms + 1) as usize };
        let mut sums = vec![0.0; count];
        let mut counts = vec![0_u32; count];
        for (time, value) in self.times().iter().zip(self.values()) {
            let place = place(*time, start_ms, step, step_ms).min(count.saturating_sub(1));
            sums[place] += value;
            counts[place] += 1;
        }
        for (sum, count) in sums.iter_mut().zip(&counts) {
            *sum = if *count == 0 { f64::NAN } else { *sum / f64::from(*count) };
        }
        Grid { start_ms, step_ms, values: sums, joined }
    }
}

/// The number of the step that a time belongs to. Half a step early or late is the same step: scrapes jitter.
fn place(time: i64, start_ms: i64, step: i64, step_ms: i64) -> usize {
    (time.saturating_sub(start_ms).saturating_add((step - 1) / 2) / step_ms) as usize
}

impl Series {
    /// How far the largest (or smallest) value of each step of a grid of this series lies from the mean of the step: zero
    /// where a step holds one value or none.
    #[must_use]
    pub fn excess(&self, grid: &Grid, is_high: bool) -> Vec<f64> {
        let step = (grid.step_ms / grid.joined as i64).max(1);
        let mut excess = vec![0.0_f64; grid.values.len()];
        for (time, value) in self.times().iter().zip(self.values()) {
            let at = place(*time, grid.start_ms, step, grid.step_ms).min(excess.len().saturating_sub(1));
            let distance = value - grid.values[at];
            excess[at] = if is_high { excess[at].max(distance) } else { excess[at].min(distance) };
        }
        excess
    }
}

impl Grid {
    /// The time of a value, in milliseconds since 1970.
    #[must_use]
    pub fn time(&self, index: usize) -> i64 {
        self.start_ms.saturating_add(self.step_ms.saturating_mul(index as i64))
    }

    /// How many values one period has; `None` where it is not a whole number of steps, or fewer than two.
    #[must_use]
    pub fn steps_of(&self, period_ms: i64) -> Option<usize> {
        let steps = (period_ms / self.step_ms) as usize;
        (period_ms % self.step_ms == 0 && steps >= 2).then_some(steps)
    }

    /// How many values lie within a time, at least one.
    #[must_use]
    pub fn steps_within(&self, time_ms: i64) -> usize {
        ((time_ms / self.step_ms) as usize).max(1)
    }

    /// The share of steps in which nothing was measured.
    #[must_use]
    pub fn missing(&self) -> f64 {
        let missing = self.values.iter().filter(|value| value.is_nan()).count();
        if self.values.is_empty() { 0.0 } else { missing as f64 / self.values.len() as f64 }
    }

    /// The values with gaps filled along the line between their neighbours.
    #[must_use]
    pub fn filled(&self) -> Vec<f64> {
        let mut filled = self.values.clone();
        let mut known: Option<usize> = None;
        for at in 0..filled.len() {
            if filled[at].is_nan() {
                continue;
            }
            match known {
                None => {
                    let first = filled[at];
                    filled[..at].fill(first);
                }
                Some(before) => {
                    let (from, to) = (filled[before], filled[at]);
                    let width = (at - before) as f64;
                    for (offset, value) in filled[before + 1..at].iter_mut().enumerate() {
                        *value = from + (to - from) * ((offset + 1) as f64 / width);
                    }
                }
            }
            known = Some(at);
        }
        if let Some(last) = known {
            let value = filled[last];
            filled[last + 1..].fill(value);
        }
        filled
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn grid(points: &[(i64, f64)], most: usize) -> Grid {
        Series::new("x", points.to_vec(), None).grid(most)
    }

    #[test]
    fn steps_without_a_measurement_are_not_numbers() {
        let grid = grid(&[(0, 1.0), (10, 2.0), (21, 3.0), (50, 6.0), (59, 7.0)], 100);
        assert_eq!((grid.start_ms, grid.step_ms, grid.joined), (0, 10, 1));
        let shown: Vec<String> = grid.values.iter().map(f64::to_string).collect();
        assert_eq!(shown, ["1", "2", "3", "NaN", "NaN", "6.5"]);
        for (filled, known) in
            grid.filled().iter().zip([1.0, 2.0, 3.0, 3.0 + 3.5 / 3.0, 3.0 + 7.0 / 3.0, 6.5])
        {
            assert!((filled - known).abs() < 1e-12, "{filled} {known}");
        }
        assert_eq!(grid.missing(), 2.0 / 6.0);
    }

    #[test]
    fn long_series_are_joined_by_means() {
        let points: Vec<(i64, f64)> = (0..1000).map(|at| (at * 5, at as f64)).collect();
        let grid = grid(&points, 100);
        assert_eq!((grid.values.len(), grid.step_ms, grid.joined), (100, 50, 10));
        assert_eq!(grid.values[3], 34.5);
        assert_eq!(grid.time(3), 150);
    }

    #[test]
    fn peaks_lie_as_far_from_the_mean_of_their_step_as_they_do() {
        let points: Vec<(i64, f64)> =
            (0..8).map(|at| (at * 10, [0.0, 4.0, 2.0, 2.0][at as usize % 4])).collect();
        let series = Series::new("x", points, None);
        let grid = series.grid(4);
        assert_eq!((grid.values.as_slice(), grid.joined), (&[2.0; 4][..], 2));
        assert_eq!(series.excess(&grid, true), [2.0, 0.0, 2.0, 0.0]);
        assert_eq!(series.excess(&grid, false), [-2.0, 0.0, -2.0, 0.0]);
    }

    #[test]
    fn one_point_and_none_make_a_grid_too() {
        assert_eq!(grid(&[(7, 1.0)], 10).values, [1.0]);
        assert!(grid(&[], 10).values.is_empty());
        assert!(grid(&[], 10).filled().is_empty());
    }

    #[test]
    fn periods_are_whole_numbers_of_steps() {
        let grid = grid(&[(0, 1.0), (300_000, 1.0)], 10);
        assert_eq!(grid.steps_of(86_400_000), Some(288));
        assert_eq!(grid.steps_of(300_000), None);
        assert_eq!(grid.steps_of(400_000), None);
        assert_eq!(grid.steps_within(3_600_000), 12);
    }

    proptest! {
        #[test]
        fn means_of_all_steps_weigh_as_all_points(
            values in prop::collection::vec(-1e6_f64..1e6, 2..200), most in 1_usize..50
        ) {
            let points: Vec<(i64, f64)> =
                values.iter().enumerate().map(|(at, value)| (at as i64 * 1000, *value)).collect();
            let grid = grid(&points, most);
            prop_assert!(grid.values.len() <= most);
            let (low, high) = (values.iter().copied().fold(f64::MAX, f64::min), values.iter().copied().fold(f64::MIN, f64::max));
            prop_assert!(grid.filled().iter().all(|value| (low - 1e-6..=high + 1e-6).contains(value)));
        }
    }
}
