//! Metrics of OpenTelemetry as JSON (opentelemetry-proto, `metrics/v1`): one object, or one on each line as its file exporter
//! writes them. Gauges and sums are read; of histograms count and sum.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::readers::{MOST_POINTS, MOST_SERIES, ReadError};
use crate::series::Series;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Export {
    #[serde(default)]
    resource_metrics: Vec<Resource>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Resource {
    #[serde(default)]
    scope_metrics: Vec<Scope>,
}

#[derive(Deserialize)]
struct Scope {
    #[serde(default)]
    metrics: Vec<Metric>,
}

#[derive(Deserialize)]
struct Metric {
    #[serde(default)]
    name: String,
    gauge: Option<Data>,
    sum: Option<Data>,
    histogram: Option<Data>,
    #[serde(rename = "exponentialHistogram")]
    exponential: Option<Data>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    #[serde(default)]
    data_points: Vec<Point>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Point {
    #[serde(default)]
    attributes: Vec<Attribute>,
    /// A number of 64 bits is a string in this JSON; some writers do without the quotes.
    time_unix_nano: Option<Value>,
    as_double: Option<Value>,
    as_int: Option<Value>,
    count: Option<Value>,
    sum: Option<Value>,
}

#[derive(Deserialize)]
struct Attribute {
    #[serde(default)]
    key: String,
    #[serde(default)]
    value: BTreeMap<String, Value>,
}

type Points = BTreeMap<String, Vec<(i64, f64)>>;

/// Reads a text.
///
/// # Errors
/// It is not such JSON, holds no points, or more than are read.
pub fn read(text: &str, now_ms: Option<i64>) -> Result<Vec<Series>, ReadError> {
    let refused = |error: serde_json::Error| {
        ReadError::new(format!(
            "the file is not OTLP metrics as JSON ({error}): expected an object with resourceMetrics"
        ))
    };
    let mut points = Points::new();
    for export in serde_json::Deserializer::from_str(text).into_iter::<Export>() {
        take(export.map_err(refused)?, &mut points)?;
    }
    if points.is_empty() {
        return Err(ReadError::new(
            "the file has no points: expected resourceMetrics with gauges, sums or histograms",
        ));
    }
    Ok(points.into_iter().map(|(name, points)| Series::new(name, points, now_ms)).collect())
}

fn take(export: Export, points: &mut Points) -> Result<(), ReadError> {
    let resources = export.resource_metrics.into_iter();
    let metrics = resources.flat_map(|resource| resource.scope_metrics).flat_map(|scope| scope.metrics);
    let mut count = points.values().map(Vec::len).sum::<usize>();
    for metric in metrics {
        for data in [metric.gauge, metric.sum, metric.histogram, metric.exponential].into_iter().flatten() {
            for point in data.data_points {
                count += 1;
                if count > MOST_POINTS || points.len() > MOST_SERIES {
                    let sentence =
                        format!("the file has more than {MOST_POINTS} points or {MOST_SERIES} series");
                    return Err(ReadError::new(format!("{sentence}: give a part of it")));
                }
                add(&metric.name, &point, points);
            }
        }
    }
    Ok(())
}

fn add(metric: &str, point: &Point, points: &mut Points) {
    let Some(time) = point.time_unix_nano.as_ref().and_then(whole).map(|nanoseconds| nanoseconds / 1_000_000)
    else {
        return;
    };
    let labels = labels(&point.attributes);
    let mut keep = |suffix: &str, value: Option<f64>| {
        if let Some(value) = value {
            points.entry(format!("{metric}{suffix}{labels}")).or_default().push((time, value));
        }
    };
    let value = point.as_double.as_ref().or(point.as_int.as_ref());
    keep("", value.and_then(float));
    keep("_count", point.count.as_ref().and_then(float));
    keep("_sum", point.sum.as_ref().and_then(float));
}

fn whole(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

fn float(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// The attributes in the manner of Prometheus.
fn labels(attributes: &[Attribute]) -> String {
    if attributes.is_empty() {
        return String::new();
    }
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut labels: Vec<String> = attributes
        .iter()
        .map(|one| format!("{}={:?}", one.key, one.value.values().next().map(text).unwrap_or_default()))
        .collect();
    labels.sort_unstable();
    format!("{{{}}}", labels.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gauges_sums_and_histograms_are_read() {
        let text = r#"{"resourceMetrics":[{"resource":{},"scopeMetrics":[{"scope":{},"metrics":[
            {"name":"g","gauge":{"dataPoints":[{"timeUnixNano":"1000000000","asDouble":1.5,"attributes":[{"key":"h","value":{"stringValue":"a\"b"}}]}]}},
            {"name":"s","unit":"1","sum":{"aggregationTemporality":2,"isMonotonic":true,"dataPoints":[
                {"timeUnixNano":2000000000,"asInt":"7"},{"timeUnixNano":"3000000000","asInt":8},{"asInt":9}]}},
            {"name":"d","histogram":{"dataPoints":[{"timeUnixNano":"1000000000","count":"4","sum":2.5,"bucketCounts":["4"]}]}}
        ]}]}]}
        {"resourceMetrics":[]}"#;
        let found = read(text, None).unwrap();
        let shown: Vec<(&str, &[i64], &[f64])> =
            found.iter().map(|series| (series.name(), series.times(), series.values())).collect();
        assert_eq!(
            shown,
            [
                ("d_count", &[1000][..], &[4.0][..]),
                ("d_sum", &[1000], &[2.5]),
                ("g{h=\"a\\\"b\"}", &[1000], &[1.5]),
                ("s", &[2000, 3000], &[7.0, 8.0]),
            ]
        );
    }

    #[test]
    fn what_is_not_such_json_is_refused_in_a_sentence() {
        for (text, part) in [
            ("{}", "no points"),
            ("[1]", "not OTLP"),
            ("{\"resourceMetrics\":5}", "not OTLP"),
            ("x", "not OTLP"),
        ] {
            let error = read(text, None).unwrap_err();
            assert!(error.to_string().contains(part), "{text}: {error}");
        }
    }
}
