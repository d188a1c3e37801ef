//! A report's rows as a table needs them: which arms are columns, and what stands in each cell.

use crate::analyse::{ArmSummary, FailureReason, Row, RowEstimate};
use crate::judge::Verdict;
use crate::plan::{Arm, Benchmark, Role, Unit};
use crate::report::Report;

/// What stands where a benchmark and an arm meet.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cell<'a> {
    /// It was measured.
    Measured(Judged<'a>),
    /// It has no numbers, and this is why.
    Failed(&'a FailureReason),
    /// It has no numbers because the baseline has none.
    NoBaseline,
    /// It has no numbers, and the record does not say why.
    Nothing,
}

/// A row with its verdict.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Judged<'a> {
    /// The numbers.
    pub row: &'a Row,
    /// What is said of them.
    pub verdict: &'a Verdict,
}

/// An arm that was not measured because another has the same code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identical<'a> {
    /// Its name.
    pub arm: &'a str,
    /// The arm that was measured.
    pub measured: &'a str,
}

/// A report, arranged.
#[derive(Clone, Debug)]
pub(crate) struct View<'a> {
    /// What is arranged.
    pub report: &'a Report<'a>,
    /// The baseline's name.
    pub baseline: &'a str,
    /// Candidates that have a column, in the plan's order.
    pub columns: Vec<&'a Arm>,
    /// Candidates without a single number, in the plan's order.
    pub absent: Vec<&'a Arm>,
    /// Arms that share another's measurements as a whole.
    pub identical: Vec<Identical<'a>>,
    /// The A/A controls.
    pub controls: Vec<&'a Arm>,
}

impl<'a> View<'a> {
    /// Arranges a report.
    pub(crate) fn of(report: &'a Report<'a>) -> Self {
        let mut view = Self {
            report,
            baseline: &report.plan.baseline().name,
            columns: Vec::new(),
            absent: Vec::new(),
            identical: Vec::new(),
            controls: Vec::new(),
        };
        for arm in &report.plan.arms {
            match arm.role {
                Role::Baseline => {}
                Role::Control => view.controls.push(arm),
                Role::Candidate => match view.twin(&arm.name) {
                    Some(measured) => view.identical.push(Identical { arm: &arm.name, measured }),
                    None if view.has_numbers(&arm.name) => view.columns.push(arm),
                    None => view.absent.push(arm),
                },
            }
        }
        view
    }

    /// The benchmarks, in the plan's order.
    pub(crate) fn benchmarks(&self) -> &'a [Benchmark] {
        &self.report.plan.benchmarks
    }

    /// The arm that was measured in this one's stead, for all of its rows.
    fn twin(&self, arm: &str) -> Option<&'a str> {
        if let Some(twin) = self.summary(arm).and_then(|summary| summary.facts.identical_to.as_deref()) {
            return Some(twin);
        }
        let mut twins = self.rows().filter(|row| row.arm == arm).map(|row| row.measured_as.as_deref());
        let first = twins.next()??;
        twins.all(|twin| twin == Some(first)).then_some(first)
    }

    fn has_numbers(&self, arm: &str) -> bool {
        self.rows().any(|row| row.arm == arm)
    }

    fn rows(&self) -> impl Iterator<Item = &'a Row> {
        self.report.analysis.rows.iter()
    }

    /// What is known of an arm over all benchmarks.
    pub(crate) fn summary(&self, arm: &str) -> Option<&'a ArmSummary> {
        self.report.analysis.arms.iter().find(|summary| summary.arm == arm)
    }

    /// What stands where a benchmark and an arm meet.
    pub(crate) fn cell(&self, benchmark: &str, arm: &str) -> Cell<'a> {
        let judged = self.judged().find(|judged| judged.row.benchmark == benchmark && judged.row.arm == arm);
        match (judged, self.failure(benchmark, arm)) {
            (Some(judged), _) => Cell::Measured(judged),
            (None, Some(reason)) => Cell::Failed(reason),
            (None, None) if self.failure(benchmark, self.baseline).is_some() => Cell::NoBaseline,
            (None, None) => Cell::Nothing,
        }
    }

    /// All rows with their verdicts, in the plan's order.
    pub(crate) fn judged(&self) -> impl Iterator<Item = Judged<'a>> {
        let verdicts = self.report.judgement.rows.iter().map(|judged| &judged.verdict);
        self.rows().zip(verdicts).map(|(row, verdict)| Judged { row, verdict })
    }

    /// Why a benchmark of an arm has no numbers: a failure of its own, else one of the whole arm.
    pub(crate) fn failure(&self, benchmark: &str, arm: &str) -> Option<&'a FailureReason> {
        let failures = || self.report.analysis.failures.iter().filter(|failure| failure.arm == arm);
        failures()
            .find(|failure| failure.benchmark.as_deref() == Some(benchmark))
            .or_else(|| failures().find(|failure| failure.benchmark.is_none()))
            .map(|failure| &failure.reason)
    }

    /// The rows of one benchmark.
    pub(crate) fn rows_of(&self, benchmark: &str) -> impl Iterator<Item = &'a Row> {
        self.rows().filter(move |row| row.benchmark == benchmark)
    }

    /// The baseline's value of a benchmark.
    pub(crate) fn baseline_value(&self, benchmark: &str) -> Option<f64> {
        self.rows_of(benchmark).map(|row| row.baseline_value).next()
    }

    /// The largest of a quantity over the columns of a benchmark; `None` where one of them has none.
    pub(crate) fn largest(&self, benchmark: &str, of: impl Fn(&RowEstimate) -> Option<f64>) -> Option<f64> {
        let estimates: Vec<&RowEstimate> = self
            .rows_of(benchmark)
            .filter(|row| row.measured_as.is_none() && row.role == Role::Candidate)
            .filter_map(|row| row.estimate.as_ref())
            .collect();
        let values: Option<Vec<f64>> = estimates.into_iter().map(of).collect();
        values?.into_iter().reduce(f64::max)
    }

    /// Whether a candidate has a mean over the benchmarks: rows of different quantities have none.
    pub(crate) fn has_means(&self) -> bool {
        let has =
            |arm: &&Arm| self.summary(&arm.name).is_some_and(|summary| summary.geometric_mean.is_some());
        self.columns.iter().any(has)
    }

    /// The words for less and for more of what is compared: sizes are not faster.
    pub(crate) fn directions(&self) -> (&'static str, &'static str) {
        match self.quantity() {
            "time" => ("faster", "slower"),
            _ => ("less", "more"),
        }
    }

    /// What is compared: `time`, `size`, or `value` where a suite has both.
    pub(crate) fn quantity(&self) -> &'static str {
        let bytes = self.benchmarks().iter().filter(|benchmark| benchmark.unit == Unit::Bytes).count();
        match bytes {
            0 => "time",
            all if all == self.benchmarks().len() => "size",
            _ => "value",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::Fixture;

    #[test]
    fn arms_fall_into_columns_absent_identical_and_controls() {
        let fixture = Fixture::small();
        let report = fixture.report();
        let view = View::of(&report);
        let names = |arms: &[&Arm]| arms.iter().map(|arm| arm.name.clone()).collect::<Vec<_>>();
        assert_eq!(view.baseline, "x86-64");
        assert_eq!(names(&view.columns), ["v3", "znver4-no-sse4a"]);
        assert_eq!(names(&view.absent), ["znver4"]);
        assert_eq!(view.identical, [Identical { arm: "seed", measured: "znver4" }]);
        assert_eq!(names(&view.controls), ["A/A"]);
    }

    #[test]
    fn cells_say_why_they_are_empty() {
        let fixture = Fixture::small();
        let report = fixture.report();
        let view = View::of(&report);
        assert!(matches!(view.cell("json_rpc/parse", "v3"), Cell::Measured(_)));
        assert!(matches!(
            view.cell("hash/sip <13>", "v3"),
            Cell::Failed(FailureReason::WrongAnswer { expected: 7, found: 9 })
        ));
        assert!(matches!(
            view.cell("sort/u32", "znver4"),
            Cell::Failed(FailureReason::MissingFeatures { .. })
        ));
        assert!(matches!(view.cell("regex/ip", "v3"), Cell::NoBaseline));
        assert!(matches!(view.cell("no such", "v3"), Cell::Nothing));
    }

    #[test]
    fn a_quantity_is_as_bad_as_the_worst_arm() {
        let fixture = Fixture::small();
        let report = fixture.report();
        let view = View::of(&report);
        let smallest = view.largest("json_rpc/parse", |estimate| estimate.minimum_detectable);
        assert_eq!(smallest, Some(0.031));
        assert_eq!(view.largest("hash/sip <13>", |estimate| estimate.layout_share), None);
    }
}
