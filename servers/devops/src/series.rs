//! A series of measurements: times and values in order, and what was wrong with them when they came.

mod counter;
mod grid;
mod summary;

pub use grid::Grid;
pub use summary::{Summary, Trend};

/// How far in front of the clock a stamp may lie, in milliseconds: clocks of hosts differ.
pub const CLOCK_TOLERANCE_MS: i64 = 5 * 60 * 1000;

/// The longest name that is kept, in characters; names come from files and other hosts.
const LONGEST_NAME: usize = 300;

/// Larger values are taken for what is not a number: no metric has them, and their squares would not be finite.
pub const LARGEST: f64 = 1e150;

/// What was wrong with the points of a series, and what was done about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// Values that are not numbers, or beyond [`LARGEST`], left out.
    pub not_numbers: usize,
    /// Points with the time of another one; the last one given counts.
    pub duplicates: usize,
    /// Points that came before an earlier one, put in order.
    pub unsorted: usize,
    /// Points in the future, left out.
    pub future: usize,
}

impl Faults {
    /// One sentence for each kind of fault.
    #[must_use]
    pub fn sentences(&self) -> Vec<String> {
        let said = [
            (self.not_numbers, "not a number: left out"),
            (self.duplicates, "at the time of another one: the last one given counts"),
            (self.unsorted, "not in order: sorted"),
            (self.future, "in the future: left out"),
        ];
        said.iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} {} {what}", if *count == 1 { "point" } else { "points" }))
            .collect()
    }
}

/// Measurements in order of time, each time once, all of them numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    name: String,
    times: Vec<i64>,
    values: Vec<f64>,
    faults: Faults,
}

impl Series {
    /// A series of points, in whatever order and state they come. A time is in milliseconds since 1970, UTC. Points
    /// later than `now_ms` are left out, where it is given.
    #[must_use]
    pub fn new(name: impl Into<String>, points: Vec<(i64, f64)>, now_ms: Option<i64>) -> Self {
        let name: String = name.into();
        let mut faults = Faults::default();
        let latest = now_ms.map_or(i64::MAX, |now| now.saturating_add(CLOCK_TOLERANCE_MS));
        let mut kept = points;
        let mut before = i64::MIN;
        // In place: a million points are not held twice.
        kept.retain(|(time, value)| {
            if value.is_nan() || value.abs() > LARGEST {
                faults.not_numbers += 1;
                return false;
            }
            if *time > latest {
                faults.future += 1;
                return false;
            }
            faults.unsorted += usize::from(*time < before);
            before = before.max(*time);
            true
        });
        if faults.unsorted > 0 {
            // A stable sort: of two points with one time the one given last stays last.
            kept.sort_by_key(|(time, _)| *time);
        }
        let (mut times, mut values) = (Vec::with_capacity(kept.len()), Vec::with_capacity(kept.len()));
        for (time, value) in kept {
            if times.last() == Some(&time) {
                faults.duplicates += 1;
                values.pop();
                times.pop();
            }
            times.push(time);
            values.push(value);
        }
        Self { name: name.chars().take(LONGEST_NAME).collect(), times, values, faults }
    }

    /// The series without what lies after `now_ms`: as [`Series::new`].
    #[must_use]
    pub fn until(mut self, now_ms: i64) -> Self {
        let latest = now_ms.saturating_add(CLOCK_TOLERANCE_MS);
        let kept = self.times.partition_point(|time| *time <= latest);
        self.faults.future += self.times.len() - kept;
        self.times.truncate(kept);
        self.values.truncate(kept);
        self
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The times in milliseconds since 1970, UTC, each larger than the one before.
    #[must_use]
    pub fn times(&self) -> &[i64] {
        &self.times
    }

    /// The values, as many as there are times.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// What was wrong with the points.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// How many points there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.times.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    /// The time from the first to the last point, in milliseconds.
    #[must_use]
    pub fn span_ms(&self) -> i64 {
        match (self.times.first(), self.times.last()) {
            (Some(first), Some(last)) => last.saturating_sub(*first),
            _ => 0,
        }
    }

    /// The usual distance of two points in milliseconds: the median of all distances. 0 for fewer than two points.
    #[must_use]
    pub fn step_ms(&self) -> i64 {
        let mut steps: Vec<i64> = self.times.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect();
        if steps.is_empty() {
            return 0;
        }
        let middle = (steps.len() - 1) / 2;
        *steps.select_nth_unstable(middle).1
    }

    /// The part from `from` to before `to`, both in milliseconds since 1970.
    #[must_use]
    pub fn between(&self, from: i64, to: i64) -> Self {
        let start = self.times.partition_point(|time| *time < from);
        let end = self.times.partition_point(|time| *time < to).max(start);
        Self {
            name: self.name.clone(),
            times: self.times[start..end].to_vec(),
            values: self.values[start..end].to_vec(),
            faults: self.faults.clone(),
        }
    }

    /// The same series under another name.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn points_are_put_in_order_and_faults_are_counted() {
        let points = vec![(3, 3.0), (1, 1.0), (2, f64::NAN), (3, 4.0), (900_000, 9.0), (4, f64::INFINITY)];
        let series = Series::new("x", points, Some(10));
        assert_eq!((series.times(), series.values()), (&[1, 3][..], &[1.0, 4.0][..]));
        let faults = Faults { not_numbers: 2, duplicates: 1, unsorted: 1, future: 1 };
        assert_eq!(series.faults(), &faults);
        let said = faults.sentences();
        assert_eq!(said.len(), 4);
        assert_eq!(said[1], "1 point at the time of another one: the last one given counts");
        assert!(Series::new("x", vec![(1, 1.0)], None).faults().sentences().is_empty());
    }

    #[test]
    fn the_step_is_the_usual_distance() {
        let series = Series::new("x", [0, 10, 20, 30, 90, 100].map(|time| (time, 0.0)).to_vec(), None);
        assert_eq!((series.step_ms(), series.span_ms()), (10, 100));
        assert_eq!(Series::new("x", vec![(5, 1.0)], None).step_ms(), 0);
        assert_eq!(Series::new("x", vec![], None).span_ms(), 0);
        let ends = Series::new("x", vec![(i64::MIN, 1.0), (i64::MAX, 1.0)], None);
        assert_eq!(ends.span_ms(), i64::MAX, "nothing overflows");
    }

    #[test]
    fn a_part_is_taken_by_time() {
        let series = Series::new("x", (0..10).map(|time| (time, time as f64)).collect(), None);
        assert_eq!(series.between(3, 6).values(), &[3.0, 4.0, 5.0]);
        assert!(series.between(6, 3).is_empty());
    }

    proptest! {
        #[test]
        fn whatever_comes_is_in_order_and_a_number(
            points in prop::collection::vec((-50_i64..50, prop_oneof![any::<f64>(), Just(f64::NAN)]), 0..60)
        ) {
            let series = Series::new("x", points.clone(), Some(20));
            prop_assert!(series.times().windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert!(series.values().iter().all(|value| value.is_finite()));
            let faults = series.faults();
            prop_assert_eq!(
                series.len() + faults.not_numbers + faults.duplicates + faults.future, points.len()
            );
            // The last number given for a time is the one that counts.
            for (time, value) in series.times().iter().zip(series.values()) {
                let last = points.iter().rev().find(|(at, value)| at == time && value.abs() <= LARGEST).unwrap();
                prop_assert_eq!(last.1, *value);
            }
        }
    }
}
