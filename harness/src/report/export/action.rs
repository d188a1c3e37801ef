//! `customSmallerIsBetter` of github-action-benchmark: a list of results with `name`, `unit`, `value`, and the optional
//! texts `range` and `extra`.

use serde_json::{Value, json};

use crate::report::export::{change_text, full_name, json as written};
use crate::rows::{Measured, Rows, Unit};

/// Rows as that action's custom JSON.
pub(crate) fn text(rows: &Rows) -> String {
    written(&Value::Array(rows.rows.iter().map(result).collect()))
}

fn result(row: &Measured) -> Value {
    let unit = match row.measure.unit() {
        Unit::Nanos => "ns",
        Unit::Bytes => "bytes",
        Unit::Instructions => "instructions",
    };
    let mut result = json!({ "name": full_name(row), "unit": unit, "value": row.value });
    if let Some(interval) = row.interval {
        // The action prints it behind the value.
        result["range"] = format!("± {}", (interval.hi - interval.lo) / 2.0).into();
    }
    if let Some(change) = &row.change {
        result["extra"] = change_text(change).into();
    }
    result
}
