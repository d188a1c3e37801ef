//! Rows of a gate, for formats that have a place for verdicts.

use crate::judge::{Allowed, GateReport, GateRow, GateVerdict};
use crate::machine::Environment;
use crate::plan::WorkloadKind;
use crate::rows::{Measure, Measured, Missing, Rows};

/// What is known of a gate, as far as rows need it.
#[derive(Clone, Copy, Debug)]
pub struct GateSource<'a> {
    /// The record's name.
    pub name: &'a str,
    /// When it was begun.
    pub started: &'a str,
    /// The command that made it.
    pub command: &'a str,
    /// The version of the lab.
    pub perflab: &'a str,
    /// The suite.
    pub suite: &'a str,
    /// What kind of task it measures.
    pub workload: WorkloadKind,
    /// Where it ran, if that is known.
    pub environment: Option<&'a Environment>,
    /// What it says.
    pub report: &'a GateReport,
    /// Which rows without a counterpart pass.
    pub allowed: Allowed,
}

/// The rows of a gate, with the candidate's values. Those without one are `missing`: identical code was not measured.
#[must_use]
pub fn of_gate(source: &GateSource<'_>) -> Rows {
    let mut rows = Vec::new();
    let mut missing = Vec::new();
    for row in &source.report.rows {
        match row.value {
            Some(value) => rows.push(measured(row, value)),
            None => missing.push(Missing {
                benchmark: Some(gate_row_name(row)),
                arm: row.arm.clone(),
                reason: row.why.clone(),
                broken: is_broken(row, source.allowed),
                identical: row.verdict == GateVerdict::Identical,
            }),
        }
    }
    Rows {
        name: source.name.to_owned(),
        suite: source.suite.to_owned(),
        started: source.started.to_owned(),
        arms_are: source.workload.traits().arms_are.to_owned(),
        command: source.command.to_owned(),
        made_by: format!("perflab {}", source.perflab),
        environment: source.environment.cloned(),
        rows,
        missing,
    }
}

/// Whether a row is against the candidate.
#[must_use]
pub fn is_broken(row: &GateRow, allowed: Allowed) -> bool {
    match row.verdict {
        GateVerdict::Regressed | GateVerdict::Failed => true,
        GateVerdict::Unmatched { how } => !allowed.lets(how),
        GateVerdict::Passed | GateVerdict::Identical | GateVerdict::Inconclusive => false,
    }
}

/// A row's name where one benchmark has rows of several measures: `process (memory)`.
#[must_use]
pub fn gate_row_name(row: &GateRow) -> String {
    match row.measure {
        Measure::Time => row.benchmark.clone(),
        other => format!("{} ({})", row.benchmark, other.to_string().replace('_', " ")),
    }
}

fn measured(row: &GateRow, value: f64) -> Measured {
    Measured {
        benchmark: gate_row_name(row),
        arm: row.arm.clone(),
        measure: row.measure,
        value,
        interval: None,
        launches: vec![value],
        // A gate's bounds are its own; what it says of a row is in the verdict's words.
        change: None,
        build: String::new(),
        throughput: None,
        exit_codes: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::{Unmatched, gate_report};
    use crate::plan::Bounds;

    fn row(benchmark: &str, measure: Measure, value: Option<f64>, verdict: GateVerdict) -> GateRow {
        GateRow {
            benchmark: benchmark.to_owned(),
            arm: "x86-64".to_owned(),
            measure,
            reference: value,
            value,
            bounds: Bounds { noise_threshold: 0.01, tolerance: 0.05 },
            screening: None,
            confirmation: None,
            verdict,
            why: "why".to_owned(),
        }
    }

    fn rows(allowed: Allowed) -> Rows {
        let gone = GateVerdict::Unmatched { how: Unmatched::Gone };
        let report = gate_report(
            vec![
                row("parse", Measure::Time, Some(10.0), GateVerdict::Regressed),
                row("process", Measure::Memory, Some(4096.0), GateVerdict::Passed),
                row("write", Measure::Time, None, GateVerdict::Identical),
                row("old", Measure::Time, None, gone),
            ],
            Vec::new(),
            allowed,
        );
        of_gate(&GateSource {
            name: "r",
            started: "",
            command: "",
            perflab: "0",
            suite: "s",
            workload: WorkloadKind::Kernel,
            environment: None,
            report: &report,
            allowed,
        })
    }

    #[test]
    fn values_are_rows_and_the_others_say_why_they_are_none() {
        let rows = rows(Allowed::Nothing);
        let values: Vec<_> =
            rows.rows.iter().map(|row| (row.benchmark.as_str(), row.value, row.measure)).collect();
        assert_eq!(values, [("parse", 10.0, Measure::Time), ("process (memory)", 4096.0, Measure::Memory)]);
        let missing: Vec<_> =
            rows.missing.iter().map(|missing| (missing.benchmark.as_deref(), missing.broken)).collect();
        assert_eq!(missing, [(Some("write"), false), (Some("old"), true)]);
    }

    #[test]
    fn a_row_without_a_counterpart_may_be_allowed() {
        assert!(rows(Allowed::All).missing.iter().all(|missing| !missing.broken));
        assert!(rows(Allowed::New).missing.iter().any(|missing| missing.broken), "one is gone");
    }
}
