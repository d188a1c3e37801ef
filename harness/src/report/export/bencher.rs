//! Bencher Metric Format: `{ benchmark: { measure: { value, lower_value, upper_value } } }`.

use serde_json::{Map, Value, json};

use crate::report::export::{full_name, identical, json as written, names};
use crate::rows::{Rows, Unit, Work};

/// Rows in Bencher Metric Format. Times are the built-in measure `latency`, in ns.
pub(crate) fn text(rows: &Rows) -> String {
    let mut all = Map::new();
    for (row, name) in rows.rows.iter().zip(names(rows, &full_name)) {
        let measure = match row.measure.unit() {
            Unit::Nanos => "latency",
            Unit::Bytes => "bytes",
            Unit::Instructions => "instructions",
        };
        let mut metric = json!({ "value": row.value });
        if let Some(interval) = row.interval {
            metric["lower_value"] = interval.lo.into();
            metric["upper_value"] = interval.hi.into();
        }
        let measures = all.entry(name).or_insert_with(|| json!({}));
        measures[measure] = metric;
        if let Some((rate, of)) = row.rate() {
            // `throughput` is Bencher's own measure of operations a second, of which more is better.
            let measure = match of {
                Work::Elements => "throughput",
                Work::Bytes => "bytes-per-second",
            };
            measures[measure] = json!({ "value": rate });
        }
    }
    for (benchmark, arm) in identical(rows) {
        // A measure of its own: it is none of the built-in ones, and no history of times has a gap of 0 in it.
        all.insert(format!("{benchmark} ({arm})"), json!({ "change-percent": { "value": 0 } }));
    }
    written(&Value::Object(all))
}
