//! Rows in the formats of other tools. Text out; the callers write files.
//!
//! Every format gets what it has room for and nothing that was not measured: a field that a format asks for and that
//! nobody measured is `null` or left out, never 0. That a row of identical code has changed by 0 is known without.

mod action;
mod bencher;
mod go;
mod hyperfine;
mod junit;
mod summary;

pub use junit::{Outcome, junit_with};
pub use summary::{SUMMARY_LIMIT, fitted, rows_summary, summary};

use std::collections::BTreeMap;

use crate::report::details::verdict_words;
use crate::report::words;
use crate::rows::{Change, Measured, Rows, Unit, Work};

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

/// What is said of a row that was not measured because its code is that of what it is compared with. Its change is 0.
const IDENTICAL: &str = "identical code: not measured";

/// The names, benchmark and arm, of rows of identical code.
fn identical(rows: &Rows) -> impl Iterator<Item = (&str, &str)> {
    let all = rows.missing.iter().filter(|missing| missing.identical);
    all.filter_map(|missing| Some((missing.benchmark.as_deref()?, missing.arm.as_str())))
}

/// A value of JSON as a text with a line end.
fn json(value: &serde_json::Value) -> String {
    format!("{value:#}\n")
}

/// A row's name where a format has one name only: `json_rpc/parse (znver4)`.
fn full_name(row: &Measured) -> String {
    format!("{} ({})", row.benchmark, row.arm)
}

/// The name of every row in a format that has not all letters. Rows of other benchmarks or arms that would get the same
/// are numbered as Go numbers them (`#01`), so that no reader takes them for one.
fn names(rows: &Rows, name: &dyn Fn(&Measured) -> String) -> Vec<String> {
    let mut given: BTreeMap<String, Vec<(&str, &str)>> = BTreeMap::new();
    let numbered = |row| {
        let name = name(row);
        let own: (&str, &str) = (&row.benchmark, &row.arm);
        let same = given.entry(name.clone()).or_default();
        let place = same.iter().position(|other| *other == own).unwrap_or_else(|| {
            same.push(own);
            same.len() - 1
        });
        if place == 0 { name } else { format!("{name}#{place:02}") }
    };
    rows.rows.iter().map(numbered).collect()
}

/// A value with its unit, for people.
pub(crate) fn value_text(unit: Unit, value: f64) -> String {
    let text = words::value(unit, value);
    match unit {
        Unit::Nanos | Unit::Bytes => text,
        Unit::Instructions => format!("{text}{}{}", words::NBSP, unit.symbol()),
    }
}

/// A value, and what is done in that time where the benchmark says so: `1.25 µs (819 MB/s)`.
fn with_rate(row: &Measured) -> String {
    let value = value_text(row.measure.unit(), row.value);
    rate_text(row).map_or(value.clone(), |rate| format!("{value} ({rate})"))
}

/// What is done in a second, for people: `819 MB/s`, `3.2 M elements/s`.
fn rate_text(row: &Measured) -> Option<String> {
    let (rate, of) = row.rate()?;
    let name = match of {
        Work::Bytes => "B/s",
        Work::Elements => "elements/s",
    };
    let sizes = [("", 1.0), ("k", 1e3), ("M", 1e6), ("G", 1e9), ("T", 1e12)];
    let (prefix, size) = sizes.into_iter().rev().find(|(_, size)| rate >= *size).unwrap_or(sizes[0]);
    let space = if of == Work::Elements && !prefix.is_empty() { " " } else { "" };
    let digits = if rate / size < 99.95 { 1 } else { 0 };
    Some(format!("{:.digits$}{}{prefix}{space}{name}", rate / size, words::NBSP))
}

/// A change with its verdict, for people: `−12.3 % ± 0.4 against x86-64: improved`.
fn change_text(change: &Change) -> String {
    let verdict = verdict_words(&change.verdict);
    format!("{} against {}: {verdict}", words::change_with(change.ratio, change.interval), change.baseline)
}

#[cfg(test)]
mod tests;
