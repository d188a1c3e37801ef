//! Seasons and the rest, in the manner of STL (Cleveland, Cleveland, McRae and Terpenning, "STL: A Seasonal-Trend
//! Decomposition Procedure Based on Loess", 1990) and MSTL (Bandara, Hyndman and Bergmeir, 2021), with means in place of
//! local regressions: profiles of the same places of the periods, each fitted to what trend and other profiles leave.

/// How often the profiles are fitted in turn.
const ROUNDS: usize = 2;
/// The weight of a period against the one after it.
const FADING: f64 = 0.8;
/// So many periods count.
const PERIODS: usize = 10;
/// Profiles of at least so many steps are smoothed over their neighbours.
const SMOOTHED: usize = 96;

/// A past, taken apart.
#[derive(Clone, Debug, PartialEq)]
pub struct Decomposed {
    profiles: Vec<Vec<f64>>,
    /// The place in each profile of the first value to come.
    places: Vec<usize>,
    /// What seasons leave, with the level.
    pub rest: Vec<f64>,
}

impl Decomposed {
    /// Takes a past apart by periods, the shortest first.
    #[must_use]
    pub fn fit(past: &[f64], periods: &[usize]) -> Self {
        let usable: Vec<usize> =
            periods.iter().copied().filter(|period| *period >= 2 && past.len() >= 2 * period).collect();
        let longest = usable.last().copied().unwrap_or(1);
        let level = level(past, longest);
        let mut profiles: Vec<Vec<f64>> = usable.iter().map(|period| vec![0.0; *period]).collect();
        let mut rest: Vec<f64> = past.iter().zip(&level).map(|(value, level)| value - level).collect();
        for _ in 0..ROUNDS {
            for profile in &mut profiles {
                let period = profile.len();
                // What all other parts leave.
                for (at, value) in rest.iter_mut().enumerate() {
                    *value += profile[at % period];
                }
                *profile = fitted(&rest, period);
                for (at, value) in rest.iter_mut().enumerate() {
                    *value -= profile[at % period];
                }
            }
        }
        for (value, level) in rest.iter_mut().zip(&level) {
            *value += level;
        }
        let places = usable.iter().map(|period| past.len() % period).collect();
        Self { profiles, places, rest }
    }

    /// The next values of what seasons leave, with the seasons.
    #[must_use]
    pub fn with_seasons(&self, mut values: Vec<f64>) -> Vec<f64> {
        for (profile, place) in self.profiles.iter().zip(&self.places) {
            for (at, value) in values.iter_mut().enumerate() {
                *value += profile[(place + at) % profile.len()];
            }
        }
        values
    }
}

/// The moving mean over one period around each value; at the ends that of the first and last whole period.
fn level(values: &[f64], period: usize) -> Vec<f64> {
    let period = period.min(values.len()).max(1);
    let mut sums = Vec::with_capacity(values.len() + 1);
    sums.push(0.0);
    let mut sum = 0.0;
    for value in values {
        sum += value;
        sums.push(sum);
    }
    (0..values.len())
        .map(|at| {
            let start = at.saturating_sub(period / 2).min(values.len() - period);
            (sums[start + period] - sums[start]) / period as f64
        })
        .collect()
}

/// The profile of a period: weighted means of the same places, newer periods counting more, without its own mean.
fn fitted(values: &[f64], period: usize) -> Vec<f64> {
    let mut profile = vec![0.0; period];
    let mut weights = vec![0.0; period];
    let first = values.len().saturating_sub(PERIODS * period);
    for (at, value) in values.iter().enumerate().skip(first) {
        let age = (values.len() - 1 - at) / period;
        let weight = FADING.powi(age as i32);
        profile[at % period] += weight * value;
        weights[at % period] += weight;
    }
    for (value, weight) in profile.iter_mut().zip(&weights) {
        *value /= weight;
    }
    if period >= SMOOTHED {
        let before = profile.clone();
        for (at, value) in profile.iter_mut().enumerate() {
            let (left, right) = (before[(at + period - 1) % period], before[(at + 1) % period]);
            *value = (left + 2.0 * before[at] + right) / 4.0;
        }
    }
    let mean = crate::stats::mean(&profile);
    profile.iter().map(|value| value - mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forecast::models::Smoothing;

    fn predicted(past: &[f64], periods: &[usize], horizon: usize) -> Vec<f64> {
        let parts = Decomposed::fit(past, periods);
        parts.with_seasons(Smoothing::fit(&parts.rest).predict(horizon))
    }

    #[test]
    fn two_seasons_and_a_line_are_told_apart_and_go_on() {
        let value = |at: usize| {
            let short = [0.0, 1.0, -1.0, 0.5][at % 4];
            let long = if at % 28 < 20 { 2.0 } else { -3.0 };
            short + long + 0.01 * at as f64
        };
        let past: Vec<f64> = (0..28 * 8).map(value).collect();
        let next = predicted(&past, &[4, 28], 28);
        for (at, next) in next.iter().enumerate() {
            let known = value(28 * 8 + at);
            assert!((next - known).abs() < 0.7, "{at}: {next} {known}");
        }
        let error: f64 =
            next.iter().enumerate().map(|(at, next)| (next - value(28 * 8 + at)).abs()).sum::<f64>() / 28.0;
        assert!(error < 0.4, "{error}");
    }

    #[test]
    fn the_level_is_a_moving_mean() {
        assert_eq!(level(&[1.0, 2.0, 3.0, 4.0, 5.0], 3), [2.0, 2.0, 3.0, 4.0, 4.0]);
        assert_eq!(level(&[1.0, 5.0], 9), [3.0, 3.0]);
    }

    #[test]
    fn a_period_that_the_past_does_not_hold_is_left_out() {
        let next = predicted(&[1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0], &[2, 90], 4);
        assert!((next[0] - 1.0).abs() < 0.2 && (next[1] - 2.0).abs() < 0.2, "{next:?}");
    }
}
