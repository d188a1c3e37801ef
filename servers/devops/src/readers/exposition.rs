//! The text that exporters answer with (Prometheus, "Exposition formats", and OpenMetrics 1.0 as far as its lines are the
//! same): names, labels, values, sometimes times.

use std::collections::BTreeMap;

use crate::readers::{MOST_POINTS, MOST_SERIES, ReadError, shown};
use crate::series::Series;

/// One line.
#[derive(Debug, PartialEq)]
struct Sample<'a> {
    /// Name and labels, as they stand there.
    name: &'a str,
    value: f64,
    /// As it stands there: milliseconds in one format, seconds with a point in the other.
    time: Option<&'a str>,
}

/// Reads a text. Lines without a time have the time `now_ms`. Exemplars are passed over.
///
/// # Errors
/// No line is a sample, or there are more of them than are read.
pub fn read(text: &str, now_ms: i64) -> Result<Vec<Series>, ReadError> {
    if text.trim_start().starts_with('<') {
        return Err(ReadError::new(
            "the text is HTML, not metrics: name the address that the exporter serves them at",
        ));
    }
    let mut series: BTreeMap<&str, Vec<(i64, f64)>> = BTreeMap::new();
    let (mut bad, mut points) = (None, 0);
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some(sample) = sample(line) else {
            bad.get_or_insert((number + 1, line));
            continue;
        };
        points += 1;
        if points > MOST_POINTS || (series.len() >= MOST_SERIES && !series.contains_key(sample.name)) {
            return Err(ReadError::new(format!(
                "the text has more than {MOST_POINTS} points or {MOST_SERIES} series: give a part of it"
            )));
        }
        let time = sample.time.and_then(time).unwrap_or(now_ms);
        series.entry(sample.name).or_default().push((time, sample.value));
    }
    if series.is_empty() {
        return Err(match bad {
            Some((number, line)) => ReadError::new(format!(
                "line {number} is not a sample: {}; expected NAME{{LABELS}} VALUE",
                shown(line)
            )),
            None => ReadError::new("the text has no samples: expected lines NAME{LABELS} VALUE"),
        });
    }
    Ok(series.into_iter().map(|(name, points)| Series::new(name, points, None)).collect())
}

fn sample(line: &str) -> Option<Sample<'_>> {
    let end = match line.find('{') {
        // A brace in the name's place begins the labels; one behind the first blank is an exemplar's.
        Some(brace) if !line[..brace].contains(' ') => brace + labels_end(&line[brace..])?,
        _ => line.find([' ', '\t'])?,
    };
    let (name, rest) = line.split_at(end);
    let mut words = rest.split_whitespace();
    let value = number(words.next()?)?;
    let time = words.next().filter(|word| !word.starts_with('#'));
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '_' | ':' | '{'));
    is_name.then_some(Sample { name, value, time })
}

/// Where the labels end: at the first brace that no quotes hold.
fn labels_end(text: &str) -> Option<usize> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            '}' if !is_quoted => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// A value: Go writes infinities as `+Inf` and `-Inf`.
pub(crate) fn number(text: &str) -> Option<f64> {
    match text {
        "+Inf" | "Inf" => Some(f64::INFINITY),
        "-Inf" => Some(f64::NEG_INFINITY),
        text => text.parse().ok(),
    }
}

fn time(text: &str) -> Option<i64> {
    if text.contains('.') || text.contains('e') {
        return text
            .parse::<f64>()
            .ok()
            .filter(|time| time.is_finite())
            .map(|seconds| (seconds * 1000.0) as i64);
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn samples_are_read_whatever_their_labels_hold() {
        let text = "# HELP a b\n# TYPE a counter\na_total{x=\"} 5 \\\" {\",y=\"é\"} 3 1000\na_total{x=\"} 5 \\\" {\",y=\"é\"} 4 2000\nup 1\n\
                    bad\nrequests_bucket{le=\"+Inf\"} 7 # {trace_id=\"a\"} 0.5\nnan NaN\nopen 1 1.5\n# EOF\n";
        let found = read(text, 99).unwrap();
        let shown: Vec<(&str, &[i64], &[f64])> =
            found.iter().map(|series| (series.name(), series.times(), series.values())).collect();
        assert_eq!(
            shown,
            [
                ("a_total{x=\"} 5 \\\" {\",y=\"é\"}", &[1000, 2000][..], &[3.0, 4.0][..]),
                ("nan", &[][..], &[][..]),
                ("open", &[1500], &[1.0]),
                ("requests_bucket{le=\"+Inf\"}", &[99], &[7.0]),
                ("up", &[99], &[1.0]),
            ]
        );
    }

    #[test]
    fn what_is_no_metric_is_refused_in_a_sentence() {
        for (text, part) in [
            ("", "no samples"),
            ("<html>", "HTML"),
            ("a b c\n", "line 1 is not a sample"),
            ("{", "not a sample"),
        ] {
            let error = read(text, 0).unwrap_err();
            assert!(error.to_string().contains(part), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "[a-z{}=\" \\\\#\n0-9.+é-]{0,120}") {
            let _ = read(&text, 0);
        }
    }
}
