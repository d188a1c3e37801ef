//! Rows in the formats of other tools. Text out; the callers write files.
//!
//! Every format gets what it has room for and nothing that was not measured: a field that a format asks for and that
//! nobody measured is `null` or left out, never 0.

mod action;
mod bencher;
mod go;
mod hyperfine;
mod junit;
mod summary;

pub use junit::{Outcome, junit_with};
pub use summary::{SUMMARY_LIMIT, fitted, rows_summary, summary};

use crate::report::details::verdict_words;
use crate::report::words;
use crate::rows::{Change, Measured, Rows, Unit};

/// A format of another tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Foreign {
    /// The text of Go's benchmarks, which `benchstat` reads.
    Go,
    /// JUnit's XML, which CI systems show as tests.
    Junit,
    /// `customSmallerIsBetter` of github-action-benchmark.
    Action,
    /// Bencher Metric Format.
    Bencher,
    /// The JSON that hyperfine exports.
    Hyperfine,
}

/// Rows as a text in another tool's format.
#[must_use]
pub fn foreign(format: Foreign, rows: &Rows) -> String {
    match format {
        Foreign::Go => go::text(rows),
        Foreign::Junit => junit_with(rows, &junit::lenient),
        Foreign::Action => action::text(rows),
        Foreign::Bencher => bencher::text(rows),
        Foreign::Hyperfine => hyperfine::text(rows),
    }
}

/// A value of JSON as a text with a line end.
fn json(value: &serde_json::Value) -> String {
    format!("{value:#}\n")
}

/// A row's name where a format has one name only: `json_rpc/parse (znver4)`.
fn full_name(row: &Measured) -> String {
    format!("{} ({})", row.benchmark, row.arm)
}

/// A value with its unit, for people.
pub(crate) fn value_text(unit: Unit, value: f64) -> String {
    let text = words::value(unit, value);
    match unit {
        Unit::Nanos | Unit::Bytes => text,
        Unit::Instructions => format!("{text}{}{}", words::NBSP, unit.symbol()),
    }
}

/// A change with its verdict, for people: `−12.3 % ± 0.4 against x86-64: improved`.
fn change_text(change: &Change) -> String {
    let verdict = verdict_words(&change.verdict);
    format!("{} against {}: {verdict}", words::change_with(change.ratio, change.interval), change.baseline)
}

#[cfg(test)]
mod tests;
