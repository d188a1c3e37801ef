//! Bencher Metric Format: `{ benchmark: { measure: { value, lower_value, upper_value } } }`.

use serde_json::{Map, Value, json};

use crate::report::export::{full_name, json as written};
use crate::rows::{Rows, Unit};

/// Rows in Bencher Metric Format. Times are the built-in measure `latency`, in ns.
pub(crate) fn text(rows: &Rows) -> String {
    let mut all = Map::new();
    for row in &rows.rows {
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
        let measures = all.entry(full_name(row)).or_insert_with(|| json!({}));
        measures[measure] = metric;
    }
    written(&Value::Object(all))
}
