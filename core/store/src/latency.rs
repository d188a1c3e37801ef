//! Latencies by method: how many calls, and how long they took.
//!
//! Counts are kept in high dynamic range histograms (the `hdrhistogram` crate) of nanoseconds, one for
//! each method, which tell values apart to three significant decimal digits.

use std::sync::Arc;

use hashbrown::HashMap;
use hdrhistogram::Histogram;
use parking_lot::{Mutex, RwLock};
use serde::Serialize;

/// The longest latency that is told apart, in nanoseconds: an hour. Longer ones count as this long.
pub const LONGEST: u64 = 3_600_000_000_000;

/// How many significant decimal digits a latency keeps.
pub const DIGITS: u8 = 3;

/// The most methods that are told apart: names may come from callers, and memory has an end.
pub const MOST_METHODS: usize = 256;

/// Where the calls of further methods are counted.
pub const OTHER_METHODS: &str = "(other)";

/// Latencies of named methods, recorded by several threads.
#[derive(Default)]
pub struct LatencyHistogram {
    methods: RwLock<HashMap<Box<str>, Shared>>,
}

/// One method's calls. The pointer lets a method be looked at while others are added.
type Shared = Arc<Mutex<Histogram<u64>>>;

/// What the calls of one method took, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct LatencySummary {
    /// How many calls.
    pub count: u64,
    /// The shortest, to [`DIGITS`] digits, as all that follow.
    pub min: u64,
    /// Half of the calls took at most this long.
    pub p50: u64,
    /// 90 % of the calls took at most this long.
    pub p90: u64,
    /// 99 % of the calls took at most this long.
    pub p99: u64,
    /// 99.9 % of the calls took at most this long.
    pub p999: u64,
    /// The longest.
    pub max: u64,
    /// The arithmetic mean.
    pub mean: f64,
}

impl LatencyHistogram {
    /// No latencies.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Records one call of `method`.
    pub fn record(&self, method: &str, nanos: u64) {
        if let Some(histogram) = self.methods.read().get(method) {
            record(histogram, nanos);
            return;
        }
        record(&self.histogram(method), nanos);
    }

    /// What the calls of a method took; `None` when none was recorded.
    #[must_use]
    pub fn summary(&self, method: &str) -> Option<LatencySummary> {
        let histogram = Arc::clone(self.methods.read().get(method)?);
        let histogram = histogram.lock();
        (!histogram.is_empty()).then(|| summarise(&histogram))
    }

    /// The methods with at least one call, in alphabetical order.
    #[must_use]
    pub fn methods(&self) -> Vec<String> {
        let methods = self.methods.read();
        let used = methods.iter().filter(|(_, histogram)| !histogram.lock().is_empty());
        let mut names: Vec<_> = used.map(|(method, _)| method.to_string()).collect();
        names.sort_unstable();
        names
    }

    /// Adds all calls that `other` has recorded. The two may be the same: its calls then count twice.
    pub fn merge_from(&self, other: &Self) {
        // Copied one at a time, so that no two locks are held and no order of locks matters.
        for method in other.methods() {
            let copy = other.methods.read().get(&*method).map(|histogram| histogram.lock().clone());
            if let Some(copy) = copy {
                let histogram = self.histogram(&method);
                histogram.lock().add(&copy).expect("histograms that resize take every value of each other");
            }
        }
    }

    /// Forgets all calls.
    pub fn reset(&self) {
        self.methods.write().clear();
    }

    /// The histogram of a method, or of [`OTHER_METHODS`] when there are too many.
    fn histogram(&self, method: &str) -> Shared {
        let mut methods = self.methods.write();
        let is_known = methods.contains_key(method);
        let method = if is_known || methods.len() < MOST_METHODS { method } else { OTHER_METHODS };
        let empty = || Histogram::new(DIGITS).expect("the crate takes one to five digits");
        Arc::clone(methods.entry(method.into()).or_insert_with(|| Arc::new(Mutex::new(empty()))))
    }
}

fn record(histogram: &Shared, nanos: u64) {
    histogram.lock().record(nanos.min(LONGEST)).expect("a histogram that resizes takes every value");
}

fn summarise(histogram: &Histogram<u64>) -> LatencySummary {
    LatencySummary {
        count: histogram.len(),
        min: histogram.min(),
        p50: histogram.value_at_quantile(0.5),
        p90: histogram.value_at_quantile(0.9),
        p99: histogram.value_at_quantile(0.99),
        p999: histogram.value_at_quantile(0.999),
        max: histogram.max(),
        mean: histogram.mean(),
    }
}

#[cfg(test)]
mod tests;
