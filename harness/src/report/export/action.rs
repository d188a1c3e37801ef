//! `customSmallerIsBetter` of github-action-benchmark: a list of results with `name`, `unit`, `value`, and the optional
//! texts `range` and `extra`.

use serde_json::{Value, json};

use crate::report::export::{
    IDENTICAL, change_text, full_name, identical, json as written, names, rate_text,
};
use crate::rows::{Measured, Rows, Unit};

/// Rows as that action's custom JSON.
pub(crate) fn text(rows: &Rows) -> String {
    let names = names(rows, &full_name);
    let measured = rows.rows.iter().zip(names).map(|(row, name)| result(row, &name));
    let unchanged = identical(rows).map(|(benchmark, arm)| {
        json!({ "name": format!("{benchmark} ({arm}), change"), "unit": "%", "value": 0, "extra": IDENTICAL })
    });
    written(&Value::Array(measured.chain(unchanged).collect()))
}

fn result(row: &Measured, name: &str) -> Value {
    let unit = match row.measure.unit() {
        Unit::Nanos => "ns",
        Unit::Bytes => "bytes",
        Unit::Instructions => "instructions",
    };
    let mut result = json!({ "name": name, "unit": unit, "value": row.value });
    if let Some(interval) = row.interval {
        // The action prints it behind the value.
        result["range"] = format!("± {}", (interval.hi - interval.lo) / 2.0).into();
    }
    let extra = [row.change.as_ref().map(change_text), rate_text(row)];
    let extra: Vec<String> = extra.into_iter().flatten().collect();
    if !extra.is_empty() {
        // The action shows it as it is, line by line.
        result["extra"] = extra.join("\n").into();
    }
    result
}
