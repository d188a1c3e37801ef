//! Any number of processes that read.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::ring::chunk::{Chunk, head};
use crate::ring::frame::records;
use crate::ring::{HEAD, segments};
use crate::series::Series;

/// A history to read.
#[derive(Clone, Debug)]
pub struct Ring {
    directory: PathBuf,
}

/// What there is of one metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    /// Its name.
    pub name: String,
    /// The first time of the history that has it, in milliseconds since 1970.
    pub first_ms: i64,
    /// The last one.
    pub last_ms: i64,
}

impl Ring {
    /// The history of a directory, which need not be there.
    #[must_use]
    pub fn new(directory: &Path) -> Self {
        Self { directory: directory.to_owned() }
    }

    /// What was sampled of a metric from `from` to before `to`, both in milliseconds since 1970; nothing where there is
    /// none.
    #[must_use]
    pub fn series(&self, metric: &str, from: i64, to: i64) -> Series {
        // What was seen first in the head may stand in a segment by now: of two rows of one time one is kept.
        let mut points: BTreeMap<i64, f64> = BTreeMap::new();
        let mut keep = |found: Vec<(i64, f64)>| {
            points.extend(
                found.into_iter().filter(|(time, value)| (from..to).contains(time) && !value.is_nan()),
            );
        };
        let rows = self.head();
        if let Some(place) = rows.names.iter().position(|name| name == metric) {
            keep(rows.times.iter().copied().zip(rows.columns[place].iter().copied()).collect());
        }
        self.chunks(|chunk| {
            if let Some(found) = Chunk::column(chunk, metric) {
                keep(found);
            }
        });
        Series::new(metric, points.into_iter().collect(), None)
    }

    /// All metrics that there are.
    #[must_use]
    pub fn metrics(&self) -> Vec<Metric> {
        let mut found: BTreeMap<String, (i64, i64)> = BTreeMap::new();
        let mut keep = |names: Vec<String>, first: i64, last: i64| {
            for name in names {
                let known = found.entry(name).or_insert((first, last));
                *known = (known.0.min(first), known.1.max(last));
            }
        };
        let rows = self.head();
        if let (Some(first), Some(last)) = (rows.times.iter().min(), rows.times.iter().max()) {
            keep(rows.names, *first, *last);
        }
        self.chunks(|chunk| {
            if let Some((names, first, last)) = Chunk::outline(chunk) {
                keep(names, first, last);
            }
        });
        found.into_iter().map(|(name, (first_ms, last_ms))| Metric { name, first_ms, last_ms }).collect()
    }

    /// The names of all metrics.
    #[must_use]
    pub fn names(&self) -> BTreeSet<String> {
        self.metrics().into_iter().map(|metric| metric.name).collect()
    }

    fn head(&self) -> Chunk {
        let bytes = std::fs::read(self.directory.join(HEAD)).unwrap_or_default();
        head(&records(&bytes).0)
    }

    fn chunks(&self, mut each: impl FnMut(&[u8])) {
        for (_, path) in segments(&self.directory) {
            // The writer may have removed it meanwhile.
            let bytes = std::fs::read(&path).unwrap_or_default();
            for chunk in records(&bytes).0 {
                each(chunk);
            }
        }
    }
}
