//! Where series come from: the own history, a Prometheus server that was named at the start, files below the roots.

pub(crate) mod files;
mod prometheus;

use std::path::PathBuf;

use mcp_workspace::Roots;

use crate::answers::time;
use crate::readers::{csv, exposition, moment, otlp, shown};
use crate::ring::Ring;
use crate::sampler::now_ms;
use crate::series::Series;

pub(crate) use prometheus::{Prometheus, cardinality};

/// What Prometheus is asked for where no time is named: a day.
const USUAL_SPAN_MS: i64 = 86_400_000;

/// All sources of one server.
pub(crate) struct Sources {
    pub roots: Roots,
    pub ring: Option<Ring>,
    pub prometheus: Option<Prometheus>,
}

/// A time, in milliseconds since 1970; open where nothing is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Window {
    pub from: Option<i64>,
    pub to: Option<i64>,
}

/// What was found, and what there is to say about it.
#[derive(Debug)]
pub(crate) struct Found {
    pub series: Vec<Series>,
    pub notes: Vec<String>,
    /// The query, where it was one.
    pub query: Option<String>,
    /// What there is beyond the time that was asked for.
    pub whole: Whole,
}

/// What a source holds, whatever time was asked for.
#[derive(Debug, Default)]
pub(crate) struct Whole {
    pub first_ms: Option<i64>,
    pub last_ms: Option<i64>,
    /// Values that are not numbers, and the first of them where it is known.
    pub not_numbers: usize,
    pub example: Option<String>,
}

impl Whole {
    fn of(series: &[Series], example: Option<String>) -> Self {
        Self {
            first_ms: series.iter().filter_map(|one| one.times().first()).min().copied(),
            last_ms: series.iter().filter_map(|one| one.times().last()).max().copied(),
            not_numbers: series.iter().map(|one| one.faults().not_numbers).sum(),
            example,
        }
    }

    /// Why there is no point: the source has others, or its values are not numbers.
    pub fn nothing(&self) -> String {
        match (self.first_ms.zip(self.last_ms), &self.example) {
            (Some((first, last)), _) => format!(
                "there are no points in this time: the source has them from {} to {}",
                time(first),
                time(last)
            ),
            (None, Some(example)) => format!(
                "none of the {} values is a number, such as {example}: give numbers with a decimal point and without a unit",
                self.not_numbers
            ),
            (None, None) if self.not_numbers > 0 => {
                format!("none of the {} values is a finite number", self.not_numbers)
            }
            (None, None) => "the source has no points".to_owned(),
        }
    }
}

/// What a source is.
#[derive(Debug, PartialEq, Eq)]
enum Wanted<'a> {
    Host(&'a str),
    Query(&'a str),
    File { path: &'a str, column: Option<&'a str> },
}

const FORMS: &str = "give host:METRIC, promql:QUERY, or file:PATH#COLUMN";

impl<'a> Wanted<'a> {
    fn of(source: &'a str) -> Result<Self, String> {
        let source = source.trim();
        if source.contains('\0') {
            return Err(format!("source holds a NUL: {FORMS}"));
        }
        let refused = || format!("source {} is not one that can be read: {FORMS}", shown(source));
        let (kind, rest) = source.split_once(':').ok_or_else(refused)?;
        if rest.trim().is_empty() {
            return Err(refused());
        }
        match kind {
            "host" => Ok(Self::Host(rest)),
            "promql" => Ok(Self::Query(rest)),
            "file" => {
                let (path, column) =
                    rest.rsplit_once('#').map_or((rest, None), |(path, column)| (path, Some(column)));
                Ok(Self::File { path, column })
            }
            _ => Err(refused()),
        }
    }
}

/// The moment that a caller means: as [`moment`], or so long before now: `-90m`, `-6h`, `-7d`.
pub(crate) fn when(argument: &str, text: Option<&str>, now: i64) -> Result<Option<i64>, String> {
    let Some(text) = text else { return Ok(None) };
    let ago = || {
        let rest = text.strip_prefix('-')?;
        let unit = match rest.chars().last()? {
            's' => 1_000.0,
            'm' => 60_000.0,
            'h' => 3_600_000.0,
            'd' => 86_400_000.0,
            'w' => 7.0 * 86_400_000.0,
            _ => return None,
        };
        let count: f64 =
            rest[..rest.len() - 1].parse().ok().filter(|count: &f64| (0.0..1e9).contains(count))?;
        Some(now - (count * unit) as i64)
    };
    let found = if text == "now" { Some(now) } else { ago().or_else(|| moment(text)) };
    found.map(Some).ok_or_else(|| {
        format!(
            "{argument} {} is not a time: give RFC 3339, or so long ago in s, m, h, d or w, such as -6h",
            shown(text)
        )
    })
}

impl Window {
    /// The time that a caller means.
    pub fn new(from: Option<&str>, to: Option<&str>) -> Result<Self, String> {
        let now = now_ms();
        let window = Self { from: when("from", from, now)?, to: when("to", to, now)? };
        match (window.from, window.to) {
            (Some(from), Some(to)) if from >= to => Err("from is not before to: turn them round".to_owned()),
            _ => Ok(window),
        }
    }
}

impl Sources {
    /// The series that a source names, with about `points` points each where the source can choose.
    pub fn read(&self, source: &str, window: Window, points: usize) -> Result<Found, String> {
        match Wanted::of(source)? {
            Wanted::Host(metric) => self.host(metric, window),
            Wanted::Query(query) => self.query(query, window, points),
            Wanted::File { path, column } => self.file(path, column, window),
        }
    }

    /// The one series that a source names: where it counts, its rates.
    pub fn one(&self, source: &str, window: Window, points: usize) -> Result<(Series, Vec<String>), String> {
        let Found { mut series, mut notes, whole, .. } = self.read(source, window, points)?;
        if series.len() > 1 {
            let names: Vec<String> = series.iter().take(5).map(|series| shown(series.name())).collect();
            let hint =
                if source.starts_with("file:") { "name a column behind #" } else { "narrow the query" };
            let rest = if series.len() > 5 { ", …" } else { "" };
            return Err(format!("{} series match ({}{rest}): {hint}", series.len(), names.join(", ")));
        }
        let mut series = series.pop().ok_or("no series matches: see metric_query for what there is")?;
        if series.is_empty() {
            return Err(whole.nothing());
        }
        notes.extend(series.faults().sentences());
        if let Some(reason) = series.counts() {
            notes.push(reason);
            series = series.rates();
        }
        Ok((series, notes))
    }

    fn host(&self, metric: &str, window: Window) -> Result<Found, String> {
        let ring = self.ring.as_ref().ok_or(
            "there is no own history with --state none: start the server with a state directory, and `devops-mcp sample` beside it",
        )?;
        let (from, to) = (window.from.unwrap_or(i64::MIN), window.to.unwrap_or(i64::MAX));
        // A clock that was wrong for a time has left rows in the future.
        let series = ring.series(metric, from, to).until(now_ms());
        if series.is_empty() {
            let names = ring.names();
            if names.is_empty() {
                return Err(
                    "the own history is empty: run `devops-mcp sample`, or start the server with --sample"
                        .to_owned(),
                );
            }
            if !names.contains(metric) {
                let near: Vec<&str> = names.iter().map(String::as_str).take(60).collect();
                return Err(format!(
                    "the own history has no metric {}; it has {}",
                    shown(metric),
                    near.join(", ")
                ));
            }
            return Err(Whole::of(&[ring.series(metric, i64::MIN, i64::MAX).until(now_ms())], None).nothing());
        }
        Ok(Found { series: vec![series], notes: Vec::new(), query: None, whole: Whole::default() })
    }

    fn query(&self, query: &str, window: Window, points: usize) -> Result<Found, String> {
        let prometheus = self
            .prometheus
            .as_ref()
            .ok_or("no Prometheus is known: start the server with --prometheus http://HOST:PORT")?;
        let to = window.to.unwrap_or_else(now_ms);
        let from = window.from.unwrap_or(to - USUAL_SPAN_MS);
        let (series, notes) = prometheus.range(query, from, to, points)?;
        if series.is_empty() {
            return Err("the query has no result in this time: check the name and the labels, or ask for another time".to_owned());
        }
        let whole = Whole { first_ms: None, last_ms: None, ..Whole::of(&series, None) };
        Ok(Found { series, notes, query: Some(query.to_owned()), whole })
    }

    fn file(&self, path: &str, column: Option<&str>, window: Window) -> Result<Found, String> {
        let files::Text { text, mut notes } = files::whole(&self.roots, path)?;
        let now = now_ms();
        let kind =
            PathBuf::from(path).extension().and_then(|kind| kind.to_str()).unwrap_or_default().to_lowercase();
        let mut example = None;
        let read = match kind.as_str() {
            "json" | "jsonl" => otlp::read(&text, Some(now)),
            "prom" | "metrics" | "txt" => exposition::read(&text, now),
            _ => csv::read(&text, Some(now)).map(|table| {
                match table.bad_lines {
                    0 => {}
                    1 => notes.push("1 line has no time or no value: left out".to_owned()),
                    bad => notes.push(format!("{bad} lines have no time or no value: left out")),
                }
                example = table.bad_cell;
                table.series
            }),
        };
        drop(text);
        let mut series = read.map_err(|error| error.to_string())?;
        if let Some(column) = column {
            let is_exact = series.iter().any(|series| series.name() == column);
            let all = series.len();
            let names: Vec<String> = series.iter().take(20).map(|series| shown(series.name())).collect();
            series.retain(
                |series| if is_exact { series.name() == column } else { series.name().contains(column) },
            );
            let rest = if all > names.len() { format!(", … ({all} columns)") } else { String::new() };
            if series.is_empty() {
                return Err(format!(
                    "the file has no column {}; it has {}{rest}",
                    shown(column),
                    names.join(", ")
                ));
            }
            if !is_exact && !column.is_empty() {
                notes.push(format!("no column is called {}: those that hold it were taken", shown(column)));
            }
        }
        let whole = Whole::of(&series, example);
        if window != Window::default() {
            let (from, to) = (window.from.unwrap_or(i64::MIN), window.to.unwrap_or(i64::MAX));
            series = series.iter().map(|series| series.between(from, to)).collect();
        }
        Ok(Found { series, notes, query: None, whole })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_told_by_their_prefix() {
        assert_eq!(Wanted::of("host:cpu.utilisation"), Ok(Wanted::Host("cpu.utilisation")));
        assert_eq!(Wanted::of("promql: rate(x[5m])"), Ok(Wanted::Query(" rate(x[5m])")));
        assert_eq!(Wanted::of("file:a/b.csv#cpu"), Ok(Wanted::File { path: "a/b.csv", column: Some("cpu") }));
        for source in ["", "cpu", "host:", "ftp:x", "file:\0"] {
            assert!(Wanted::of(source).unwrap_err().contains("host:METRIC"), "{source}");
        }
    }

    #[test]
    fn times_are_moments_or_so_long_ago() {
        let now = 1_000_000_000;
        assert_eq!(when("from", Some("-2m"), now), Ok(Some(now - 120_000)));
        assert_eq!(when("from", Some("now"), now), Ok(Some(now)));
        assert_eq!(when("from", Some("-1w"), now), Ok(Some(now - 604_800_000)));
        assert_eq!(when("from", Some("1970-01-01T00:00:10Z"), now), Ok(Some(10_000)));
        assert_eq!(when("from", None, now), Ok(None));
        for text in ["yesterday", "-h", "-5y", "-1e300d", ""] {
            assert!(when("to", Some(text), now).unwrap_err().contains("to `"), "{text}");
        }
        assert!(Window::new(Some("-1h"), Some("-2h")).is_err());
    }
}
