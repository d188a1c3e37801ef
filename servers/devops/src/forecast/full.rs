//! When a limit is reached: not a moment but a distribution, from paths that the errors of the past suggest.

use crate::forecast::Forecast;
use crate::series::Series;
use crate::stats::median;

/// The level of now is the median of this share of the past, within these bounds.
const NEWEST: f64 = 0.01;
const NEWEST_VALUES: std::ops::RangeInclusive<usize> = 5..=60;

/// When a limit is reached.
#[derive(Clone, Debug, PartialEq)]
pub struct Reached {
    /// Whether it is reached from below; else from above.
    pub is_rising: bool,
    /// The level of now, which lies on one side of the limit.
    pub level: f64,
    /// Since when the level is on this side of the limit, in milliseconds since 1970; `None` where it always was.
    pub since_ms: Option<i64>,
    /// The time of the last value beyond the limit, in milliseconds since 1970.
    pub last_beyond_ms: Option<i64>,
    /// The share of the paths that reach it within the forecast.
    pub share: f64,
    /// Hours until a tenth, a half and nine tenths of all paths have reached it; `None` where fewer do within the
    /// forecast.
    pub hours: [Option<f64>; 3],
    /// How far the forecast reaches, in hours.
    pub within_hours: f64,
    /// How many paths there are.
    pub paths: usize,
}

/// When a series reaches a limit, from below or from above as its level lies. Each path is the forecast with the errors of
/// one trial of the past, and once more with their signs turned: trials are few, and errors in one direction are no more
/// likely. Steps that were joined reach as far as the largest or smallest of their values did, not as their mean.
#[must_use]
pub fn reached(series: &Series, forecast: &Forecast, limit: f64) -> Reached {
    let step_hours = forecast.grid.step_ms as f64 / crate::season::HOUR_MS as f64;
    let values = series.values();
    let newest =
        ((values.len() as f64 * NEWEST) as usize).clamp(*NEWEST_VALUES.start(), *NEWEST_VALUES.end());
    let level = median(&mut values[values.len().saturating_sub(newest)..].to_vec()).unwrap_or(limit);
    let is_rising = limit >= level;
    let is_beyond = |value: f64| if is_rising { value >= limit } else { value <= limit };
    let excess = series.excess(&forecast.grid, is_rising);
    let crossing = |path: Option<(&[f64], usize)>, sign: f64| -> f64 {
        let (mut error, mut peak) = (0.0, 0.0);
        let found = forecast.points.iter().enumerate().position(|(at, point)| {
            if let Some((errors, origin)) = path {
                // Where nothing was measured the error is the one before.
                if let Some(known) = errors.get(at).filter(|error| !error.is_nan()) {
                    error = *known;
                    peak = excess.get(origin + at).copied().unwrap_or(0.0);
                }
            }
            is_beyond(point.value + sign * error + peak)
        });
        found.map_or(f64::INFINITY, |at| (at + 1) as f64 * step_hours)
    };
    let paths = forecast.paths.iter().map(Vec::as_slice).zip(forecast.origins.iter().copied());
    let mut times: Vec<f64> =
        paths.flat_map(|path| [1.0, -1.0].map(|sign| crossing(Some(path), sign))).collect();
    if times.is_empty() {
        times.push(crossing(None, 1.0));
    }
    times.sort_unstable_by(f64::total_cmp);
    let reached = times.iter().filter(|time| time.is_finite()).count();
    let at = |share: f64| {
        let place = (share * times.len() as f64).ceil() as usize;
        let time = times[place.saturating_sub(1).min(times.len() - 1)];
        time.is_finite().then_some(time)
    };
    let last_beyond = values.iter().rposition(|value| is_beyond(*value));
    let since = (0..forecast.grid.values.len()).rfind(|at| is_beyond(forecast.grid.values[*at]));
    Reached {
        is_rising,
        level,
        since_ms: since.map(|at| forecast.grid.time((at + 1).min(forecast.grid.values.len() - 1))),
        last_beyond_ms: last_beyond.map(|at| series.times()[at]),
        share: reached as f64 / times.len() as f64,
        hours: [at(0.1), at(0.5), at(0.9)],
        within_hours: forecast.points.len() as f64 * step_hours,
        paths: times.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forecast::{Request, forecast};
    use crate::season::HOUR_MS;

    fn random(count: i64) -> impl Iterator<Item = (i64, f64)> {
        let mut state = 3_u64;
        (0..count).map(move |at| {
            let mut draw = || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 33) as f64 / f64::from(1_u32 << 31)
            };
            (at, (0..12).map(|_| draw()).sum::<f64>() - 6.0)
        })
    }

    fn disk(noise: f64) -> (Forecast, Series) {
        let points = random(400).map(|(at, random)| (at * HOUR_MS, 100.0 + at as f64 + noise * random));
        let series = Series::new("disk", points.collect(), None);
        let found = forecast(&series, Request { hours: Some(100.0), level: None }).unwrap();
        (found, series)
    }

    #[test]
    fn a_ramp_reaches_its_limit_when_it_has_to() {
        let (found, series) = disk(1.0);
        // At 499 now, one more each hour.
        let reached = reached(&series, &found, 549.0);
        let hours = reached.hours.map(Option::unwrap);
        assert!((hours[1] - 50.0).abs() < 4.0, "{hours:?}");
        assert!(hours[0] <= hours[1] && hours[1] <= hours[2] && reached.share == 1.0, "{reached:?}");
        assert!(reached.is_rising && reached.last_beyond_ms.is_none());
    }

    #[test]
    fn a_limit_beyond_the_forecast_is_not_dated() {
        let (found, series) = disk(1.0);
        let reached = reached(&series, &found, 10_000.0);
        assert_eq!((reached.share, reached.hours, reached.within_hours), (0.0, [None; 3], 100.0));
    }

    #[test]
    fn a_limit_that_was_passed_is_told_from_one_to_come() {
        let (found, series) = disk(1.0);
        let reached = reached(&series, &found, 450.0);
        assert!(!reached.is_rising && reached.share == 0.0 && reached.level > 490.0, "{reached:?}");
        // It was at 450 after 350 hours.
        let since = reached.since_ms.unwrap() / HOUR_MS;
        assert!((347..=353).contains(&since), "{since}");
    }

    #[test]
    fn a_small_slope_below_much_noise_is_seen() {
        // 40 and a hundredth more every five minutes, with noise of 0.3: 90 is due after 83 hours.
        let points = random(4_000).map(|(at, random)| (at * 300_000, 40.0 + 0.01 * at as f64 + 0.3 * random));
        let series = Series::new("disk", points.collect(), None);
        let found = forecast(&series, Request { hours: Some(120.0), level: None }).unwrap();
        let reached = reached(&series, &found, 90.0);
        let [early, median, late] = reached.hours.map(Option::unwrap);
        assert!(reached.share == 1.0 && (median - 83.3).abs() < 5.0, "{reached:?}");
        assert!(early > 70.0 && late < 95.0, "{reached:?}");
        let last = found.points.last().unwrap();
        assert!(last.low < 94.4 && 94.4 < last.high && last.high - last.low < 4.0, "{last:?}");
    }

    #[test]
    fn peaks_within_joined_steps_reach_a_limit() {
        // 130 ± 5 each minute for two weeks: 140 is passed by one value in forty, the mean of four never reaches it.
        let points = random(20_000).map(|(at, random)| (at * 60_000, 130.0 + 5.0 * random));
        let series = Series::new("x", points.collect(), None);
        let found = forecast(&series, Request { hours: Some(24.0), level: None }).unwrap();
        assert!(found.grid.joined > 1);
        let reached = reached(&series, &found, 140.0);
        assert!(reached.share > 0.99 && reached.hours[2].unwrap() < 12.0, "{reached:?}");
        assert!(super::reached(&series, &found, 170.0).share < 0.01);
    }
}
