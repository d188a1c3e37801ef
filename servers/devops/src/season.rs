//! Seasons: the periods of the calendar in which a series repeats itself, believed only where its autocorrelation shows
//! them.
//!
//! A period that is searched for freely is found in noise, and missed in what people do: days and weeks are tried, and
//! nothing else.

use crate::series::Grid;

/// A day in milliseconds.
pub const DAY_MS: i64 = 86_400_000;
/// A week in milliseconds.
pub const WEEK_MS: i64 = 7 * DAY_MS;
/// An hour in milliseconds.
pub const HOUR_MS: i64 = 3_600_000;

/// A period is believed from this autocorrelation at its distance on, and by as much more as follows from the number of
/// periods: what wanders resembles itself by chance, the more the fewer of them there are.
const BELIEVED: f64 = 0.2;
const FOR_FEW: f64 = 1.0;
/// So many periods have to be there.
const PERIODS: f64 = 2.5;
/// A period is looked at in at most so many values.
const MOST_VALUES: usize = 2_016;

/// A period in which a series repeats itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Season {
    /// Its length in milliseconds.
    pub period_ms: i64,
    /// Its length in steps of the grid.
    pub steps: usize,
    /// The autocorrelation at this distance, after trend and shorter seasons were taken off.
    pub strength: f64,
}

impl Season {
    /// The name of the period.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self.period_ms {
            WEEK_MS => "week",
            DAY_MS => "day",
            HOUR_MS => "hour",
            _ => "period",
        }
    }
}

/// The periods in which values repeat themselves, the shortest first. `values` has no gaps.
#[must_use]
pub fn seasons(grid: &Grid, values: &[f64]) -> Vec<Season> {
    let mut found: Vec<Season> = Vec::new();
    let mut rest: Option<Vec<f64>> = None;
    for period_ms in [HOUR_MS, DAY_MS, WEEK_MS] {
        let Some(steps) = grid.steps_of(period_ms).filter(|steps| *steps >= 4) else { continue };
        if (values.len() as f64) < PERIODS * steps as f64 {
            break;
        }
        let base = rest.as_deref().unwrap_or(values);
        let strength = strength(base, steps);
        if strength >= BELIEVED + FOR_FEW * steps as f64 / values.len() as f64 {
            found.push(Season { period_ms, steps, strength });
            rest = Some(without_profile(base, steps));
        }
    }
    found
}

/// How much values resemble those one period before: the autocorrelation at this distance of what is left after the
/// moving mean of one period, and how much more than half a period before, where that is less. Long periods are looked at
/// in means of neighbours.
#[must_use]
pub fn strength(values: &[f64], steps: usize) -> f64 {
    let joined = steps.div_ceil(MOST_VALUES / 4).max(1);
    // The newest part is what counts.
    let start = values.len().saturating_sub(MOST_VALUES * joined);
    let means: Vec<f64> =
        values[start..].chunks_exact(joined).map(|chunk| chunk.iter().sum::<f64>() / joined as f64).collect();
    let steps = (steps as f64 / joined as f64).round() as usize;
    let rest = without_level(&means, steps);
    let whole = autocorrelation(&rest, steps);
    // What is smooth resembles itself at every short distance: at half of a period it does not.
    whole.min(whole - autocorrelation(&rest, steps / 2))
}

/// The values less their moving mean over one period around them; shorter by one period.
fn without_level(values: &[f64], steps: usize) -> Vec<f64> {
    if values.len() <= steps {
        return Vec::new();
    }
    let mut sum: f64 = values[..steps].iter().sum();
    let half = steps / 2;
    let mut rest = Vec::with_capacity(values.len() - steps);
    for start in 0..values.len() - steps {
        rest.push(values[start + half] - sum / steps as f64);
        sum += values[start + steps] - values[start];
    }
    rest
}

/// The autocorrelation at a distance; 0 where too few values or no variation are left. Each value counts no more than
/// three standard deviations, so that a single spike does not hide a season.
fn autocorrelation(values: &[f64], distance: usize) -> f64 {
    if values.len() < distance + distance / 4 + 2 {
        return 0.0;
    }
    let mean = crate::stats::mean(values);
    let deviation =
        (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt();
    let bounded: Vec<f64> =
        values.iter().map(|value| (value - mean).clamp(-3.0 * deviation, 3.0 * deviation)).collect();
    let (earlier, later) = (&bounded[..bounded.len() - distance], &bounded[distance..]);
    let products: f64 = earlier.iter().zip(later).map(|(a, b)| a * b).sum();
    let (norm_a, norm_b): (f64, f64) =
        (earlier.iter().map(|a| a * a).sum(), later.iter().map(|b| b * b).sum());
    let norm = (norm_a * norm_b).sqrt();
    if norm > 0.0 { products / norm } else { 0.0 }
}

/// The values less the mean of their place in the period.
fn without_profile(values: &[f64], steps: usize) -> Vec<f64> {
    let mut sums = vec![(0.0, 0.0); steps];
    for (at, value) in values.iter().enumerate() {
        sums[at % steps].0 += value;
        sums[at % steps].1 += 1.0;
    }
    values.iter().enumerate().map(|(at, value)| value - sums[at % steps].0 / sums[at % steps].1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(seed: u64) -> impl FnMut() -> f64 {
        let mut state = seed;
        move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 33) as f64 / f64::from(1_u32 << 31)) - 0.5
        }
    }

    fn found(step_minutes: i64, days: i64, value: impl FnMut(f64) -> f64) -> Vec<&'static str> {
        let step_ms = step_minutes * 60_000;
        let hours = (0..days * DAY_MS / step_ms).map(|at| (at * step_ms) as f64 / HOUR_MS as f64);
        let values: Vec<f64> = hours.map(value).collect();
        let grid = Grid { start_ms: 0, step_ms, values: values.clone(), joined: 1 };
        seasons(&grid, &values).iter().map(Season::name).collect()
    }

    fn day(hours: f64) -> f64 {
        (hours / 24.0 * std::f64::consts::TAU).sin()
    }

    #[test]
    fn days_and_weeks_are_found_where_they_are() {
        let mut random = noise(1);
        assert_eq!(found(5, 14, |hours| day(hours) + random()), ["day"]);
        let weekend = |hours: f64| if (hours / 24.0) as i64 % 7 >= 5 { 0.2 } else { 1.0 };
        assert_eq!(
            found(10, 35, |hours| (2.0 + day(hours)) * weekend(hours) + 0.3 * random()),
            ["day", "week"]
        );
        assert_eq!(found(5, 2, day), [""; 0], "two days are too few");
        let hourly = |hours: f64| (hours * std::f64::consts::TAU).sin();
        assert_eq!(found(5, 2, |hours| hourly(hours) + random()), ["hour"]);
    }

    #[test]
    fn noise_trends_and_walks_have_no_season() {
        for seed in 0..20 {
            let mut random = noise(seed);
            assert_eq!(found(15, 30, |_| random()), [""; 0]);
            assert_eq!(found(15, 30, |hours| hours + random()), [""; 0]);
            let mut level = 0.0;
            assert_eq!(
                found(15, 30, |_| {
                    level += random();
                    level
                }),
                [""; 0],
                "walk {seed}"
            );
        }
        assert_eq!(found(15, 30, |_| 7.0), [""; 0]);
    }
}
