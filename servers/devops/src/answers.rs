//! What the tools answer: the structured content, and the few words beside it.

use mcp_server::answer::Object;
use mcp_server::budget::Detail;
use mcp_server::content::Output;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use crate::chart::{short, told};
use crate::series::{Series, Summary};

/// A time as RFC 3339.
pub(crate) fn time(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).map_or_else(|_| ms.to_string(), |time| time.to_string())
}

/// A number in six digits: more are noise that a reader pays for. What is not a number is null.
pub(crate) fn number(value: f64) -> Value {
    if !value.is_finite() {
        return Value::Null;
    }
    let digits = 5 - value.abs().max(f64::MIN_POSITIVE).log10().floor() as i32;
    if value == 0.0 {
        return json!(0.0);
    }
    // Powers beyond the range of the format would not be finite.
    let Some(scale) = Some(10_f64.powi(digits)).filter(|scale| scale.is_finite() && *scale > 0.0) else {
        return json!(value);
    };
    // 10¹² with small changes keeps them: whole numbers are not rounded.
    if digits < 0 { json!(value.round()) } else { json!((value * scale).round() / scale) }
}

pub(crate) fn summary(summary: &Summary) -> Value {
    json!({
        "points": summary.points,
        "gaps": summary.gaps,
        "min": number(summary.min),
        "median": number(summary.median),
        "p95": number(summary.p95),
        "max": number(summary.max),
        "last": number(summary.last),
        "last_at": time(summary.last_ms),
        "trend_per_hour": number(summary.trend.per_hour),
        "trend_is_clear": summary.trend.is_clear,
    })
}

/// At most so many values of a series at equal distances, null where nothing was measured.
pub(crate) fn curve(series: &Series, most: usize) -> Value {
    let grid = series.grid(most);
    let values: Vec<Value> = grid.values.iter().map(|value| number(*value)).collect();
    json!({"start": time(grid.start_ms), "step_s": grid.step_ms as f64 / 1000.0, "values": values})
}

/// What every answer about series ends with.
fn noted(mut text: String, notes: &[String]) -> String {
    for note in notes {
        text.push_str("\nnote: ");
        text.push_str(note);
    }
    text
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct HostView {
    /// What is remarkable; empty where nothing is.
    pub findings: Vec<String>,
    #[schemars(with = "Object")]
    pub host: Value,
    #[schemars(skip)]
    pub notes: Vec<String>,
    #[serde(skip)]
    #[schemars(skip)]
    pub lines: Vec<String>,
}

impl Output for HostView {
    fn text(&self, _detail: Detail) -> String {
        let remarkable = match self.findings.as_slice() {
            [] => "nothing is remarkable".to_owned(),
            found => format!("remarkable: {}", found.join("; ")),
        };
        noted(format!("{remarkable}\n{}", self.lines.join("\n")), &self.notes)
    }
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct MetricView {
    #[schemars(with = "Vec<Object>")]
    pub series: Vec<Value>,
    /// Where too many series match: labels, their numbers of values, and a narrower query.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Object>")]
    pub too_many: Option<Value>,
    /// What there is on this host, where no source is named.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(skip)]
    pub metrics: Vec<Value>,
    #[schemars(skip)]
    pub notes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub svg: Option<String>,
    #[serde(skip)]
    #[schemars(skip)]
    pub lines: Vec<String>,
}

impl Output for MetricView {
    fn text(&self, _detail: Detail) -> String {
        noted(self.lines.join("\n"), &self.notes)
    }
}

/// The longest name in a text, in characters.
const LONGEST_NAME: usize = 200;

/// Two lines of text about a series: its name, its shape, its numbers, what is wrong with it.
pub(crate) fn line(series: &Series, summary: &Summary) -> String {
    let shape = crate::chart::sparkline(&series.grid(40).values, 40);
    let mut name: String = series.name().chars().take(LONGEST_NAME).collect();
    if series.name().chars().nth(LONGEST_NAME).is_some() {
        name.push('…');
    }
    let [min, median, p95, max, last] =
        told([summary.min, summary.median, summary.p95, summary.max, summary.last]);
    let mut text = format!(
        "{name} {shape} min {min} median {median} p95 {p95} max {max} last {last} at {}\n  {} points from {}, each {} s",
        time(summary.last_ms),
        summary.points,
        time(series.times().first().copied().unwrap_or_default()),
        short(series.step_ms() as f64 / 1000.0),
    );
    if summary.gaps > 0 {
        text.push_str(&format!(", gaps: {}", summary.gaps));
    }
    if summary.trend.is_clear {
        let way = if summary.trend.per_hour > 0.0 { "rises" } else { "falls" };
        text.push_str(&format!(", {way} by {} an hour", short(summary.trend.per_hour.abs())));
    }
    if let Some(reason) = series.counts() {
        let rates = series.rates();
        text.push_str(&format!("; {reason}"));
        if let Some(rates) = rates.summary() {
            let [min, median, max, last] = told([rates.min, rates.median, rates.max, rates.last]);
            text.push_str(&format!(": min {min} median {median} max {max} last {last}"));
        }
    }
    for fault in series.faults().sentences() {
        text.push_str("; ");
        text.push_str(&fault);
    }
    text
}

/// What is said of a series beside its numbers.
#[derive(Debug, Serialize)]
pub(crate) struct Said {
    pub says: String,
    pub notes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub svg: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct AnomaliesView {
    #[schemars(with = "Vec<Object>")]
    pub anomalies: Vec<Value>,
    /// The stated rate, an upper bound.
    pub false_alarms_per_day: f64,
    /// Over what was looked at.
    pub expected_false_alarms: f64,
    #[serde(flatten)]
    #[schemars(skip)]
    pub said: Said,
}

impl Output for AnomaliesView {
    fn text(&self, _detail: Detail) -> String {
        noted(self.said.says.clone(), &self.said.notes)
    }
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ChangesView {
    #[schemars(with = "Vec<Object>")]
    pub changes: Vec<Value>,
    #[serde(flatten)]
    #[schemars(skip)]
    pub said: Said,
}

impl Output for ChangesView {
    fn text(&self, _detail: Detail) -> String {
        noted(self.said.says.clone(), &self.said.notes)
    }
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ForecastView {
    #[schemars(with = "Vec<Object>")]
    pub points: Vec<Value>,
    pub model: String,
    /// How each model did on the past, the chosen one first.
    #[schemars(with = "Vec<Object>")]
    pub backtest: Vec<Value>,
    /// When the limit is reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Object>")]
    pub full: Option<Value>,
    #[schemars(skip)]
    pub level: f64,
    #[serde(flatten)]
    #[schemars(skip)]
    pub said: Said,
}

impl Output for ForecastView {
    fn text(&self, _detail: Detail) -> String {
        noted(self.said.says.clone(), &self.said.notes)
    }
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct LogsView {
    pub lines: usize,
    #[schemars(with = "Vec<Object>")]
    pub templates: Vec<Value>,
    /// Lines of templates that are not in the list.
    #[schemars(skip)]
    pub other_lines: usize,
    #[schemars(skip)]
    pub notes: Vec<String>,
    #[serde(skip)]
    #[schemars(skip)]
    pub says: String,
}

impl Output for LogsView {
    fn text(&self, _detail: Detail) -> String {
        noted(self.says.clone(), &self.notes)
    }
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct DeploymentsView {
    #[schemars(with = "Vec<Object>")]
    pub records: Vec<mcp_state::Numbered<crate::deployments::Deployment>>,
    /// How many records were added, changed or forgotten.
    pub changed: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub notice: Option<String>,
}

impl Output for DeploymentsView {
    fn text(&self, _detail: Detail) -> String {
        let mut text = match (self.records.is_empty(), self.changed) {
            (false, _) => self.records.iter().map(recorded).collect::<Vec<_>>().join("\n"),
            (true, 0) => "no deployments are recorded".to_owned(),
            (true, _) => "1 record was forgotten".to_owned(),
        };
        if let Some(notice) = &self.notice {
            text.push_str("\nnote: ");
            text.push_str(notice);
        }
        text
    }
}

/// A deployment in one line.
fn recorded(record: &mcp_state::Numbered<crate::deployments::Deployment>) -> String {
    let entry = &record.entry;
    let outcome =
        entry.outcome.map_or_else(|| "outcome not known".to_owned(), |o| mcp_server::answer::name(&o));
    let mut text = format!(
        "id {}: {} {} {outcome}",
        record.id,
        time(i64::try_from(entry.at_ms).unwrap_or(i64::MAX)),
        entry.service
    );
    let said = [("version", &entry.version), ("to", &entry.environment), ("by", &entry.strategy)];
    for (name, value) in said {
        if let Some(value) = value {
            text.push_str(&format!(", {name} {value}"));
        }
    }
    if let Some(size) = entry.size {
        text.push_str(&format!(", size {}", short(size)));
    }
    text
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct RiskView {
    /// Of success.
    pub rate: f64,
    pub low: f64,
    pub high: f64,
    /// How many cases it rests on.
    pub cases: f64,
    #[schemars(with = "Vec<Object>")]
    pub factors: Vec<crate::deployments::Factor>,
    #[schemars(skip)]
    pub similar: Vec<Value>,
    #[schemars(skip)]
    pub says: String,
}

impl Output for RiskView {
    fn text(&self, _detail: Detail) -> String {
        self.says.clone()
    }
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct RemediesView {
    #[schemars(with = "Vec<Object>")]
    pub remedies: Vec<crate::remedies::Remedy>,
    #[schemars(skip)]
    pub notes: Vec<String>,
}

impl Output for RemediesView {
    fn text(&self, _detail: Detail) -> String {
        let all: Vec<String> = self.remedies.iter().map(remedied).collect();
        let text = if all.is_empty() { "no rule fits what was seen".to_owned() } else { all.join("\n") };
        noted(text, &self.notes)
    }
}

/// A hypothesis with what speaks for it, and its commands in full.
fn remedied(remedy: &crate::remedies::Remedy) -> String {
    let mut text = format!("{}\n  seen: {}", remedy.hypothesis, remedy.evidence.join("; "));
    for command in &remedy.look {
        text.push_str(&format!("\n  look: {}", command.command));
    }
    for command in &remedy.act {
        text.push_str(&format!(
            "\n  act: {} (risk {}, {}) {}",
            command.command,
            mcp_server::answer::name(&command.risk),
            mcp_server::answer::name(&command.decision),
            command.why.as_deref().unwrap_or_default(),
        ));
        if let Some(rollback) = &command.rollback {
            text.push_str(&format!(" Undo: {rollback}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_six_digits_and_large_ones_keep_theirs() {
        for (value, known) in [
            (0.0, json!(0.0)),
            (1.234_567_89, json!(1.23457)),
            (1_000_003_762_568.4, json!(1_000_003_762_568.0)),
            (-0.000_012_345_678, json!(-0.000_012_345_7)),
            (f64::NAN, Value::Null),
            (f64::INFINITY, Value::Null),
        ] {
            assert_eq!(number(value), known, "{value}");
        }
        assert!(number(5e-324).is_number() && number(f64::MAX).is_number());
        assert_eq!(time(0), "1970-01-01T00:00:00Z");
        assert_eq!(time(i64::MAX), i64::MAX.to_string());
    }
}
