//! When a limit is reached: not a moment but a distribution, from paths that the errors of the past suggest.

use crate::forecast::Forecast;

/// When a limit is reached.
#[derive(Clone, Debug, PartialEq)]
pub struct Reached {
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

/// When the forecast reaches a limit, from below or from above. Each path is the forecast with the errors of one trial of
/// the past, and once more with their signs turned: trials are few, and errors in one direction are no more likely.
#[must_use]
pub fn reached(forecast: &Forecast, last: f64, limit: f64) -> Reached {
    let step_hours = forecast.grid.step_ms as f64 / crate::season::HOUR_MS as f64;
    let is_rising = limit >= last;
    let is_beyond = |value: f64| if is_rising { value >= limit } else { value <= limit };
    let crossing = |errors: &[f64], sign: f64| -> f64 {
        let mut error = 0.0;
        let found = forecast.points.iter().enumerate().position(|(at, point)| {
            // Where nothing was measured the error is the one before.
            error = errors.get(at).copied().filter(|error| !error.is_nan()).unwrap_or(error);
            is_beyond(point.value + sign * error)
        });
        found.map_or(f64::INFINITY, |at| (at + 1) as f64 * step_hours)
    };
    let mut times: Vec<f64> =
        forecast.paths.iter().flat_map(|path| [1.0, -1.0].map(|sign| crossing(path, sign))).collect();
    if times.is_empty() {
        times.push(crossing(&[], 1.0));
    }
    times.sort_unstable_by(f64::total_cmp);
    let reached = times.iter().filter(|time| time.is_finite()).count();
    let at = |share: f64| {
        let place = (share * times.len() as f64).ceil() as usize;
        let time = times[place.saturating_sub(1).min(times.len() - 1)];
        time.is_finite().then_some(time)
    };
    Reached {
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
    use crate::series::Series;

    fn disk(noise: f64) -> (Forecast, f64) {
        let mut state = 3_u64;
        let points = (0..400).map(|at| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let random = (state >> 33) as f64 / f64::from(1_u32 << 31) - 0.5;
            (at * HOUR_MS, 100.0 + at as f64 + noise * random)
        });
        let series = Series::new("disk", points.collect(), None);
        let found = forecast(&series, Request { hours: Some(100.0), level: None }).unwrap();
        (found, *series.values().last().unwrap())
    }

    #[test]
    fn a_ramp_reaches_its_limit_when_it_has_to() {
        let (found, last) = disk(4.0);
        // At 499 now, one more each hour.
        let reached = reached(&found, last, 549.0);
        let hours = reached.hours.map(Option::unwrap);
        assert!((hours[1] - 50.0).abs() < 4.0, "{hours:?}");
        assert!(hours[0] <= hours[1] && hours[1] <= hours[2] && reached.share == 1.0, "{reached:?}");
    }

    #[test]
    fn a_limit_beyond_the_forecast_is_not_dated() {
        let (found, last) = disk(4.0);
        let reached = reached(&found, last, 10_000.0);
        assert_eq!((reached.share, reached.hours, reached.within_hours), (0.0, [None; 3], 100.0));
    }

    #[test]
    fn a_limit_below_is_reached_from_above() {
        let (found, last) = disk(0.0);
        assert_eq!(reached(&found, last, 0.0).share, 0.0, "it rises");
        assert_eq!(reached(&found, last, last).hours[0], Some(1.0), "it is there");
    }
}
