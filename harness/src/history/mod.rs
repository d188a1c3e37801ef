//! Records over time: a series per benchmark, arm, build and machine, and the places where it changes. Pure.
//!
//! Values of different runs meet here, which no verdict of the lab allows: machines drift from run to run. So a history
//! never says that code regressed. It says where a series changes by more than its own earlier spread, and how often
//! such a statement would be false if nothing had changed.

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::machine::Environment;
use crate::rows::{Measured, Rows, Unit};
use crate::stats::{Search, change_points};

/// What is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// The value itself.
    Value,
    /// The ratio to the baseline of the same run, which the state of the machine touches less.
    Ratio,
}

/// One run's value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// The record's name.
    pub record: String,
    /// When it was begun.
    pub started: String,
    /// The value, or the ratio.
    pub value: f64,
}

/// A place where a series changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Index of the first point after it.
    pub at: usize,
    /// That point's record.
    pub record: String,
    /// The median before it, back to the change before.
    pub before: f64,
    /// The median after it, up to the next change.
    pub after: f64,
    /// `after` / `before`; `None` where one of them is 0.
    pub ratio: Option<f64>,
    /// The p value of the division, not corrected for the number of series.
    pub p: f64,
}

/// One benchmark of one arm on one kind of machine, in the order of time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// Index into the history's machines; `None` where the files do not say which machine it was.
    pub machine: Option<usize>,
    /// The suite.
    pub suite: String,
    /// The benchmark.
    pub benchmark: String,
    /// The arm.
    pub arm: String,
    /// What its code was built with.
    pub build: String,
    /// What the value counts.
    pub metric: Unit,
    /// The values.
    pub points: Vec<Point>,
    /// Where they change.
    pub changes: Vec<Change>,
}

/// All series of a set of runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// What the series follow.
    pub quantity: Quantity,
    /// The share of histories without any change in which a change is reported all the same.
    pub false_alarms: f64,
    /// The kinds of machine: of each the environment of its first run.
    pub machines: Vec<Environment>,
    /// The series, in the order in which they first appear.
    pub series: Vec<Series>,
}

/// Joins runs into series and looks for changes.
///
/// Runs join a series only where suite, benchmark, arm, build and metric are the same and the machines do not differ
/// in anything that [`Environment::differences`] knows. Runs whose machine is not known join only one another.
#[must_use]
pub fn history(runs: &[Rows], quantity: Quantity, search: Search) -> History {
    let mut ordered: Vec<&Rows> = runs.iter().collect();
    ordered.sort_by(|one, other| (&one.started, &one.name).cmp(&(&other.started, &other.name)));
    let mut machines: Vec<Environment> = Vec::new();
    let mut series: Vec<Series> = Vec::new();
    for run in ordered {
        let machine = run.environment.as_ref().map(|environment| place(&mut machines, environment));
        for row in &run.rows {
            let value = match quantity {
                Quantity::Value => Some(row.value),
                Quantity::Ratio => row.change.as_ref().map(|change| change.ratio),
            };
            let Some(value) = value.filter(|value| value.is_finite() && *value >= 0.0) else { continue };
            let point = Point { record: run.name.clone(), started: run.started.clone(), value };
            match series.iter_mut().find(|series| series.takes(machine, run, row)) {
                Some(series) => series.points.push(point),
                None => series.push(Series::begun(machine, run, row, point)),
            }
        }
    }
    find_changes(&mut series, search);
    History { quantity, false_alarms: search.false_alarms, machines, series }
}

/// The kind of machine that an environment belongs to; a new one where it differs from all.
fn place(machines: &mut Vec<Environment>, environment: &Environment) -> usize {
    let same = |known: &Environment| {
        // A run that calls from no interpreter says nothing of one; such runs stay by themselves.
        known.differences(environment).is_empty() && known.python == environment.python
    };
    machines.iter().position(same).unwrap_or_else(|| {
        machines.push(environment.clone());
        machines.len() - 1
    })
}

impl Series {
    fn begun(machine: Option<usize>, run: &Rows, row: &Measured, point: Point) -> Self {
        Self {
            machine,
            suite: run.suite.clone(),
            benchmark: row.benchmark.clone(),
            arm: row.arm.clone(),
            build: row.build.clone(),
            metric: row.measure.unit(),
            points: vec![point],
            changes: Vec::new(),
        }
    }

    fn takes(&self, machine: Option<usize>, run: &Rows, row: &Measured) -> bool {
        self.machine == machine
            && self.suite == run.suite
            && self.benchmark == row.benchmark
            && self.arm == row.arm
            && self.build == row.build
            && self.metric == row.measure.unit()
    }

    /// The values in order.
    #[must_use]
    pub fn values(&self) -> Vec<f64> {
        self.points.iter().map(|point| point.value).collect()
    }
}

/// What stands for 0, which has no logarithm, as a share of the smallest value that is not 0: a change from or to 0 is
/// larger than any other.
const OF_ZERO: f64 = 1e-6;

/// Changes are of ratios, so they are looked for in logarithms.
fn find_changes(series: &mut [Series], search: Search) {
    let logs: Vec<Vec<f64>> = series.iter().map(Series::logs).collect();
    for (series, found) in series.iter_mut().zip(change_points(&logs, search)) {
        let zero = series.of_zero();
        let value = |log: f64| Some(log.exp()).filter(|value| *value > zero * 2.0).unwrap_or(0.0);
        let change = |point: crate::stats::ChangePoint| {
            let (before, after) = (value(point.before), value(point.after));
            Change {
                at: point.at,
                record: series.points[point.at].record.clone(),
                before,
                after,
                ratio: (before > 0.0 && after > 0.0).then(|| (point.after - point.before).exp()),
                p: point.p,
            }
        };
        series.changes = found.into_iter().map(change).collect();
    }
}

impl Series {
    fn of_zero(&self) -> f64 {
        let positive = self.points.iter().map(|point| point.value).filter(|value| *value > 0.0);
        positive.reduce(f64::min).unwrap_or(1.0) * OF_ZERO
    }

    fn logs(&self) -> Vec<f64> {
        let zero = self.of_zero();
        self.points.iter().map(|point| point.value.max(zero).ln()).collect()
    }
}
