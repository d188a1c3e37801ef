//! Histories for a terminal.

use crate::history::{History, Quantity, Series};
use crate::report::Style;
use crate::report::export::value_text;
use crate::report::grid::{grid, hanging};
use crate::report::sheet::{Entry, Head, Sheet, Tone};
use crate::report::words::{self, NBSP};

/// From the least value of a series to its largest.
const SPARKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// The longest spark line; of longer series it shows the last points.
const LONGEST: usize = 30;

/// A history as tables, one a kind of machine.
#[must_use]
pub fn history_table(history: &History, style: &Style) -> String {
    let mut text = String::new();
    let machines = (0..history.machines.len()).map(Some).chain([None]);
    for machine in machines {
        let series: Vec<&Series> = history.series.iter().filter(|series| series.machine == machine).collect();
        if series.is_empty() {
            continue;
        }
        let named = machine.map_or_else(
            || "not known: these files do not say which machine measured them".to_owned(),
            |index| {
                let environment = &history.machines[index];
                format!("{}, {}", environment.class_and_compiler(), environment.kernel)
            },
        );
        text.push_str(&hanging("machine", &named, Tone::Plain, style));
        text.push_str(&grid(&sheet(history, &series, style.unicode), style));
        for (series, change) in
            series.iter().flat_map(|series| series.changes.iter().map(move |change| (series, change)))
        {
            let told = format!(
                "{} under {} from {} on: {} ({})",
                series.benchmark,
                series.arm,
                change.record,
                match change.ratio {
                    Some(ratio) => words::change(ratio),
                    None => {
                        let of = |value| value_of(history.quantity, series, value);
                        format!("from {} to {}", of(change.before), of(change.after))
                    }
                },
                p_value(change.p)
            );
            text.push_str(&hanging("change", &told, Tone::Plain, style));
        }
        text.push('\n');
    }
    let stated = format!(
        "values of different runs are not judged, only searched for changes; where nothing changed, at most {} of such histories report a change",
        words::percent(history.false_alarms)
    );
    text + &hanging("legend", &stated, Tone::Plain, style)
}

fn sheet(history: &History, series: &[&Series], sparks: bool) -> Sheet {
    let mut heads = vec![
        Head::words("benchmark"),
        Head::words("arm"),
        Head::of("runs", ""),
        Head::of("first", ""),
        Head::of("last", ""),
        Head::of("last", "vs first"),
        Head::of("changes", ""),
    ];
    if sparks {
        heads.push(Head::words("course"));
    }
    let rows = series.iter().map(|series| {
        let values = series.values();
        let (first, last) = (values.first().copied(), values.last().copied());
        let shown =
            |value: Option<f64>| Entry::or_dash(value.map(|value| value_of(history.quantity, series, value)));
        let change = first.zip(last).filter(|_| values.len() > 1).and_then(|(first, last)| {
            let ratio = if first == last { 1.0 } else { last / first };
            (ratio.is_finite() && ratio > 0.0).then(|| words::change(ratio))
        });
        let mut row = vec![
            Entry::plain(series.benchmark.as_str()),
            Entry::plain(series.arm.as_str()),
            Entry::plain(values.len().to_string()),
            shown(first),
            shown(last),
            Entry::or_dash(change),
            Entry::plain(series.changes.len().to_string()),
        ];
        if sparks {
            row.push(Entry::plain(spark_line(&values)));
        }
        row
    });
    Sheet { heads, rows: rows.collect(), summaries: 0 }
}

fn value_of(quantity: Quantity, series: &Series, value: f64) -> String {
    match quantity {
        Quantity::Value => value_text(series.metric, value),
        Quantity::Ratio => words::change(value),
    }
}

fn p_value(p: f64) -> String {
    if p < 0.001 { format!("p{NBSP}<{NBSP}0.001") } else { format!("p{NBSP}={NBSP}{p:.3}") }
}

/// The course of a series in one line; a flat one where all values are within a thousandth.
fn spark_line(values: &[f64]) -> String {
    let shown = &values[values.len().saturating_sub(LONGEST)..];
    let (lo, hi) = shown
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), value| (lo.min(*value), hi.max(*value)));
    let range = (hi - lo).max(hi.abs() * 1e-3).max(f64::MIN_POSITIVE);
    let spark = |value: &f64| SPARKS[(((value - lo) / range * 7.0).round() as usize).min(7)];
    shown.iter().map(spark).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::Fixture;
    use crate::rows::fixture::rows;
    use crate::stats::Search;

    #[test]
    fn the_course_of_a_series_is_drawn_from_least_to_most() {
        assert_eq!(spark_line(&[1.0, 2.0, 3.0, 8.0]), "▁▂▃█");
        assert_eq!(spark_line(&[100.0, 100.01, 100.0]), "▁▂▁", "a hundredth of a percent is not a course");
        assert_eq!(spark_line(&[0.5; 100]).chars().count(), LONGEST);
        assert_eq!(spark_line(&[]), "");
    }

    #[test]
    fn a_table_a_machine_with_its_changes_and_the_stated_rate() {
        let mut runs: Vec<_> = (0..16).map(|_| rows()).collect();
        let environment = Fixture::small().environment;
        for (index, run) in runs.iter_mut().enumerate() {
            run.name = format!("record-{index:02}");
            run.started = format!("2026-11-{:02}T00:00:00Z", index + 1);
            run.environment = (index < 14).then(|| environment.clone());
            let row = &mut run.rows[0];
            row.value *= if index < 7 { 1.0 } else { 1.2 } + 0.001 * (index % 3) as f64;
        }
        let history = crate::history::history(&runs, Quantity::Value, Search { false_alarms: 0.05, seed: 3 });
        insta::assert_snapshot!(history_table(&history, &Style::default()));
        let ascii = history_table(&history, &Style { unicode: false, ..Style::default() });
        assert!(ascii.is_ascii(), "{ascii}");
    }
}
