//! Start-up and memory of every server as bars.

use crate::latency::{LatencyFile, LaunchOf, Member, Series};
use crate::report::chart::axis::round_steps;
use crate::report::chart::latency::{MIB, mebibytes, name_of, subtitle};
use crate::report::chart::palette::{GRID, INK, MUTED, PAPER, SAME};
use crate::report::chart::scene::{Anchor, Label, MARGIN, SMALL, Scene, TEXT, at};
use crate::report::words;
use crate::stats::median;

/// Height of a bar with its room.
const ROW: f64 = 24.0;
/// How an amount is written.
type Words = fn(f64) -> String;

/// Width of the bars of one quantity.
const BARS: f64 = 180.0;

/// The series that have starts: one a member and placement.
fn shown(file: &LatencyFile) -> Vec<&Series> {
    let mut found: Vec<&Series> = Vec::new();
    for series in &file.series {
        let known =
            found.iter().any(|other| other.member == series.member && other.placement == series.placement);
        let starts = series.launches.iter().any(|launch| launch.first_call_ns.is_some());
        if starts && !known && series.member != Member::Pipe {
            found.push(series);
        }
    }
    found
}

/// Whether there is a start to show.
pub(crate) fn has_numbers(file: &LatencyFile) -> bool {
    !shown(file).is_empty()
}

fn middle(series: &Series, of: impl Fn(&LaunchOf) -> Option<u64>) -> Option<f64> {
    let values: Vec<f64> = series.launches.iter().filter_map(of).map(|value| value as f64).collect();
    median(&values)
}

/// Draws them.
pub(crate) fn scene(file: &LatencyFile, title: &str) -> Scene {
    let rows = shown(file);
    let mut scene = Scene::new();
    let mut lines = subtitle(file);
    lines.push("Medians over launches, from the start of the process.".to_owned());
    let top = scene.title(title, &lines) + TEXT + 8.0;
    let names: Vec<String> = rows.iter().map(|series| name_of(file, series)).collect();
    let width = |name: &String| Label::of(name.as_str(), at(0.0, 0.0)).width();
    let first = MARGIN + names.iter().map(width).fold(0.0, f64::max) + 14.0;
    for (index, name) in names.iter().enumerate() {
        scene.text(Label::of(name.as_str(), at(MARGIN, top + ROW * (index as f64 + 0.5))));
    }
    let values = |of: fn(&LaunchOf) -> Option<u64>| -> Vec<Option<f64>> {
        rows.iter().map(|series| middle(series, of)).collect()
    };
    let memory =
        values(|launch| launch.peak_rss).into_iter().map(|value| value.map(|bytes| bytes / MIB)).collect();
    let mut left = first;
    let panels: [(&str, Vec<Option<f64>>, Words); 3] = [
        ("first answer", values(|launch| launch.ready_ns), words::nanos),
        ("first tool call", values(|launch| launch.first_call_ns), words::nanos),
        ("most memory", memory, mebibytes),
    ];
    for (title, values, text) in panels {
        left = panel(&mut scene, title, &values, text, left, top) + 30.0;
    }
    let width = scene.text_end() + MARGIN;
    scene.finish(width, top + ROW * rows.len() as f64 + SMALL + 16.0 + MARGIN)
}

/// Draws one quantity. Returns its right end.
fn panel(scene: &mut Scene, title: &str, values: &[Option<f64>], text: Words, left: f64, top: f64) -> f64 {
    let most = values.iter().flatten().copied().fold(0.0, f64::max);
    let steps = round_steps(most, 2);
    let end = steps.last().copied().filter(|end| *end > 0.0).unwrap_or(1.0);
    let x = |value: f64| left + value / end * BARS;
    let bottom = top + ROW * values.len() as f64;
    scene.text(Label::of(title, at(left, top - 14.0)));
    for step in steps.iter().filter(|step| **step > 0.0) {
        scene.line(at(x(*step), top), at(x(*step), bottom), 1.0, GRID);
        let label = Label::of(text(*step), at(x(*step), bottom + 9.0)).sized(SMALL).colored(MUTED);
        scene.text(label.anchored(Anchor::Middle));
    }
    let mut right = x(end);
    for (index, value) in values.iter().enumerate() {
        let middle = top + ROW * (index as f64 + 0.5);
        let (from, words) = match value {
            Some(value) => {
                scene.rectangle(at(left, middle - 7.0), at(x(*value), middle + 7.0), SAME);
                (x(*value) + 5.0, text(*value))
            }
            None => (left + 5.0, "–".to_owned()),
        };
        let label = Label::of(words, at(from, middle)).sized(SMALL);
        let end = from + label.width();
        scene.rectangle(at(from - 2.0, middle - 6.0), at(end + 2.0, middle + 6.0), PAPER);
        scene.text(label);
        right = right.max(end);
    }
    scene.line(at(left, top), at(left, bottom), 1.5, INK);
    right
}
