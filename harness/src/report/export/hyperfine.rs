//! The JSON that `hyperfine --export-json` writes, in seconds, so that its scripts and other readers draw our rows.
//!
//! Of a comparison of commands there is one result a command. Of other rows there is one result a row with times,
//! named by benchmark and arm. `user` and `system` are `null`: the lab keeps their sum alone.

use serde_json::{Value, json};

use crate::report::export::{full_name, json as written};
use crate::rows::{Measure, Measured, Rows, Unit};
use crate::stats::{mean, sd};

/// Rows as hyperfine's JSON.
pub(crate) fn text(rows: &Rows) -> String {
    let of_commands = rows.arms_are == "command";
    let timed =
        |row: &&Measured| row.measure.unit() == Unit::Nanos && (!of_commands || row.measure == Measure::Time);
    let results: Vec<Value> =
        rows.rows.iter().filter(timed).map(|row| result(rows, row, of_commands)).collect();
    written(&json!({ "results": results }))
}

fn result(rows: &Rows, row: &Measured, of_commands: bool) -> Value {
    let times: Vec<f64> = row.launches.iter().map(|nanos| nanos / 1e9).collect();
    let mut result = json!({
        "command": if of_commands { row.build.clone() } else { full_name(row) },
        "mean": mean(&times),
        "stddev": sd(&times),
        "median": row.value / 1e9,
        "user": null,
        "system": null,
        "min": times.iter().copied().reduce(f64::min),
        "max": times.iter().copied().reduce(f64::max),
        "times": times,
        "parameters": { "benchmark": row.benchmark, "arm": row.arm },
    });
    if !row.exit_codes.is_empty() {
        result["exit_codes"] = row.exit_codes.clone().into();
    }
    let memory = |other: &&Measured| other.measure == Measure::Memory && other.arm == row.arm;
    if of_commands && let Some(memory) = rows.rows.iter().find(memory) {
        result["memory_usage_byte"] = memory.launches.iter().map(|bytes| *bytes as u64).collect();
    }
    result
}
