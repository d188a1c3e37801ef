//! Counters: values that only grow, but for a restart, and whose speed is what is meant.

use crate::series::{Faults, Series};

/// The fewest points that tell a counter by its values.
const FEWEST: usize = 20;
/// A restart leaves less than this share of the count.
const LEFT_BY_RESET: f64 = 0.1;
/// A value that grew at this share of the steps is counting something; one that rarely moves is a setting.
const USUALLY_GROWS: f64 = 0.5;

impl Series {
    /// Whether it counts, in the words of the reason. A name that ends in `_total` says so (the convention of
    /// Prometheus, "Metric and label naming"); else the values do: they never fall but to a small part of what they
    /// were, at least once. A disk that fills up never falls either, so without a restart nothing is assumed.
    #[must_use]
    pub fn counts(&self) -> Option<String> {
        let metric = self.name().split('{').next().unwrap_or_default();
        let values = self.values();
        if values.iter().any(|value| *value < 0.0) {
            return None;
        }
        let (mut grows, mut resets) = (0_usize, 0_usize);
        for pair in values.windows(2) {
            if pair[1] > pair[0] {
                grows += 1;
            } else if pair[1] < pair[0] {
                if pair[1] > pair[0] * LEFT_BY_RESET {
                    return None;
                }
                resets += 1;
            }
        }
        let restarted = || match resets {
            0 => String::new(),
            1 => " (1 restart)".to_owned(),
            _ => format!(" ({resets} restarts)"),
        };
        if metric.ends_with("_total") {
            return Some(format!("its name says that it counts{}: taken as a rate per second", restarted()));
        }
        let usually_grows = grows as f64 >= USUALLY_GROWS * (values.len().saturating_sub(1)) as f64;
        let is_rare = resets * 10 < values.len();
        (values.len() >= FEWEST && resets > 0 && is_rare && usually_grows)
            .then(|| format!("it only grows but for restarts{}: taken as a rate per second", restarted()))
    }

    /// The speed per second between neighbours, at the time of the later one. After a restart the count since zero is
    /// what was counted.
    #[must_use]
    pub fn rates(&self) -> Self {
        let pairs = self.times.windows(2).zip(self.values.windows(2));
        let (times, values) = pairs
            .map(|(times, values)| {
                let counted = if values[1] >= values[0] { values[1] - values[0] } else { values[1] };
                let seconds = (times[1].saturating_sub(times[0])) as f64 / 1000.0;
                (times[1], counted / seconds)
            })
            .unzip();
        Self { name: self.name.clone(), times, values, faults: Faults { ..self.faults.clone() } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(name: &str, values: impl IntoIterator<Item = f64>) -> Series {
        let points = values.into_iter().enumerate();
        Series::new(name, points.map(|(at, value)| (at as i64 * 10_000, value)).collect(), None)
    }

    #[test]
    fn counters_are_told_by_their_name_or_by_their_restarts() {
        assert!(series("http_requests_total{code=\"200\"}", [1.0, 5.0]).counts().is_some());
        let restarted = (0..40).map(|at| f64::from(at % 20) * 7.0 + 1.0);
        let reason = series("x", restarted).counts().unwrap();
        assert!(reason.contains("1 restart"), "{reason}");
        let filling = (0..40).map(f64::from);
        assert_eq!(series("disk_used", filling).counts(), None, "it may as well be a disk");
        let waves = (0..40).map(|at| f64::from(5 + at % 7));
        assert_eq!(series("x_total", waves).counts(), None, "it falls to a half");
        assert_eq!(series("x", [0.0; 40]).counts(), None);
        assert_eq!(series("x_total", [-1.0, 3.0]).counts(), None);
    }

    #[test]
    fn rates_count_on_from_zero_after_a_restart() {
        let rates = series("x", [100.0, 150.0, 150.0, 30.0, 40.0]).rates();
        assert_eq!(rates.values(), &[5.0, 0.0, 3.0, 1.0]);
        assert_eq!(rates.times(), &[10_000, 20_000, 30_000, 40_000]);
    }
}
