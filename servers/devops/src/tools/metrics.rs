//! `metric_query`.

use mcp_server::context::Context;
use mcp_server::tool::ToolError;
use serde_json::{Value, json};

use crate::answers::{MetricView, curve, line, summary, time};
use crate::chart::{Drawing, svg};
use crate::params::Metric;
use crate::series::Series;
use crate::sources::{Found, Window, cardinality};
use crate::state::State;
use crate::tools::{bad, failed};

/// The most points of one series in an answer.
const POINTS: usize = 60;
/// With this many series or more each has fewer points.
const FEW: usize = 4;
/// More series are not told one by one.
const MOST_SERIES: usize = 20;
/// So many points are asked of a source: enough for quantiles and the trend.
const ASKED: usize = 1_500;
/// The most names of a text.
const MOST_NAMES: usize = 200;
/// The most labels of a table, and values of each.
const MOST_LABELS: usize = 12;
const EXAMPLES: usize = 5;

pub(crate) fn query(state: &State, params: Metric, _context: &Context) -> Result<MetricView, ToolError> {
    let Metric { source, from, to, svg: wants_svg } = params;
    let window = Window::new(from.as_deref(), to.as_deref()).map_err(bad)?;
    let Some(source) = source else { return Ok(listed(state)) };
    let Found { series, mut notes, query, whole } =
        state.sources.read(&source, window, ASKED).map_err(failed)?;
    if series.len() > MOST_SERIES {
        let (too_many, text) = too_many(&series, query.as_deref());
        return Ok(MetricView {
            series: Vec::new(),
            too_many: Some(too_many),
            metrics: Vec::new(),
            notes,
            svg: None,
            lines: vec![text],
        });
    }
    let points = if series.len() < FEW { POINTS } else { POINTS / FEW };
    let (mut views, mut lines) = (Vec::new(), Vec::new());
    for one in &series {
        let Some(known) = one.summary() else {
            notes.push(format!("{} has no points in this time", one.name()));
            continue;
        };
        let faults = one.faults().sentences();
        let counts = one.counts();
        let mut view = json!({"name": one.name(), "summary": summary(&known), "curve": curve(one, points)});
        if !faults.is_empty() {
            view["faults"] = json!(faults);
        }
        if let Some(reason) = counts {
            let rates = one.rates();
            view["counter"] = json!(reason.replace("taken as a rate per second", "see rate_per_s"));
            view["rate_per_s"] = rates.summary().map_or(Value::Null, |known| summary(&known));
        }
        views.push(view);
        lines.push(line(one, &known));
    }
    if views.is_empty() {
        return Err(failed(whole.nothing()));
    }
    let drawing = (wants_svg == Some(true)).then(|| drawn(&series[0]));
    Ok(MetricView { series: views, too_many: None, metrics: Vec::new(), notes, svg: drawing, lines })
}

/// A drawing of a series.
pub(crate) fn drawn(series: &Series) -> String {
    svg(&Drawing { title: series.name(), line: &outline(series), ..Drawing::default() })
}

/// The points of a drawing.
pub(crate) fn outline(series: &Series) -> Vec<(i64, f64)> {
    let grid = series.grid(600);
    grid.values.iter().enumerate().map(|(at, value)| (grid.time(at), *value)).collect()
}

/// What there is on this host.
fn listed(state: &State) -> MetricView {
    let metrics = state.sources.ring.as_ref().map(crate::ring::Ring::metrics).unwrap_or_default();
    let mut notes = Vec::new();
    if metrics.is_empty() {
        notes.push(
            "the own history is empty: run `devops-mcp sample`, or start the server with --sample".to_owned(),
        );
    }
    notes.push(match &state.sources.prometheus {
        Some(prometheus) => format!("promql: asks {}", prometheus.address()),
        None => "no Prometheus is known: --prometheus names one".to_owned(),
    });
    let now = crate::sampler::now_ms();
    let newest = metrics.iter().map(|metric| metric.last_ms).filter(|last| *last <= now).max();
    let mut lines = vec![match newest {
        Some(newest) => format!(
            "{} metrics of this host, the newest row {} s ago; ask one as host:NAME",
            metrics.len(),
            (now - newest) / 1000
        ),
        None => "no metrics of this host".to_owned(),
    }];
    let names: Vec<&str> = metrics.iter().take(MOST_NAMES).map(|metric| metric.name.as_str()).collect();
    if !names.is_empty() {
        lines.push(names.join(" "));
    }
    if metrics.len() > MOST_NAMES {
        lines.push(format!("… and {} more", metrics.len() - MOST_NAMES));
    }
    let shown = |metric: &crate::ring::Metric| json!({"source": format!("host:{}", metric.name), "first": time(metric.first_ms), "last": time(metric.last_ms)});
    let metrics = metrics.iter().map(shown).collect();
    MetricView { series: Vec::new(), too_many: None, metrics, notes, svg: None, lines }
}

/// Which labels make the series many, and a query that makes them few.
fn too_many(series: &[Series], query: Option<&str>) -> (Value, String) {
    let labels = cardinality(series);
    let mut order: Vec<(&String, &Vec<String>)> = labels.iter().collect();
    order.sort_by(|a, b| b.1.len().cmp(&a.1.len()).then(a.0.cmp(b.0)));
    let table: Vec<Value> = order
        .iter()
        .take(MOST_LABELS)
        .map(|(label, values)| {
            let examples: Vec<&String> = values.iter().take(EXAMPLES).collect();
            json!({"label": label, "values": values.len(), "examples": examples})
        })
        .collect();
    // The label with most values that still gives few series.
    let fitting = order.iter().find(|(_, values)| (2..=MOST_SERIES).contains(&values.len()));
    let narrower = match (query, fitting) {
        (Some(query), Some((label, _))) => format!("promql:sum by ({label}) ({query})"),
        (Some(query), None) => format!("promql:topk(10, {query})"),
        (None, _) => "file:PATH#COLUMN".to_owned(),
    };
    let mut text = format!("{} series match, more than {MOST_SERIES}: ask {narrower}", series.len());
    for (label, values) in order.iter().take(MOST_LABELS) {
        let examples: Vec<&str> = values.iter().take(EXAMPLES).map(String::as_str).collect();
        text.push_str(&format!("\n{label}: {} values, such as {}", values.len(), examples.join(", ")));
    }
    if query.is_none() {
        let names: Vec<&str> = series.iter().take(MOST_SERIES).map(Series::name).collect();
        text.push_str(&format!("\nsuch as {}", names.join(", ")));
    }
    (json!({"series": series.len(), "labels": table, "narrower": narrower}), text)
}
