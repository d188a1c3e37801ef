//! Series over time: a panel each, with the median of every stretch between two changes.

use crate::history::{Change, History, Quantity, Series};
use crate::report::chart::palette::{BETTER, GRID, INK, MUTED, SAME, STRIPE, WORSE};
use crate::report::chart::scene::{Label, MARGIN, SMALL, Scene, Shape, TEXT, at};
use crate::report::chart::{Chart, ChartError, Drawing, paint};
use crate::report::export::value_text;
use crate::report::words;
use crate::stats::median;

/// The chart's file name.
const NAME: &str = "trend";
/// Panels beside each other.
const COLUMNS: usize = 3;
/// The most panels; more are named and left out.
const MOST: usize = 24;
/// Size of the plot of a panel.
const WIDTH: f64 = 280.0;
const HEIGHT: f64 = 84.0;
/// Room above a plot for its two lines of text, and below it for its dates.
const ABOVE: f64 = 42.0;
const BELOW: f64 = 30.0;
/// Between two panels.
const GAP: f64 = 26.0;
/// The least range that a panel shows, as a fraction: below it, noise would look like a course.
const LEAST_RANGE: f64 = 0.04;

/// Draws the series that have at least two points: those with changes first. `None` where there are none.
///
/// # Errors
/// When the font, the drawing library or the encoder fails; never because of the numbers.
pub fn trend_chart(history: &History) -> Result<Option<Chart>, ChartError> {
    paint::load_font()?;
    let mut shown: Vec<&Series> = history.series.iter().filter(|series| series.points.len() > 1).collect();
    if shown.is_empty() {
        return Ok(None);
    }
    shown.sort_by_key(|series| series.changes.is_empty());
    let title = match history.quantity {
        Quantity::Value => "Values over time",
        Quantity::Ratio => "Ratios to the baseline over time",
    };
    let scene = scene(history, &shown, title);
    paint::chart(&Drawing { name: NAME, title: title.to_owned(), scene }).map(Some)
}

fn scene(history: &History, shown: &[&Series], title: &str) -> Scene {
    let mut scene = Scene::new();
    let mut lines = vec![
        "Point: a run. Line: the median between two changes. Each panel has a scale of its own; lower is better.".to_owned(),
        format!(
            "Runs of one machine class and build. Where nothing changed, at most {} of such charts show a change.",
            words::percent(history.false_alarms)
        ),
    ];
    let machines = &history.machines;
    let named = machines.iter().enumerate().map(|(index, machine)| match machines.len() {
        1 => machine.class(),
        _ => format!("machine {}: {}, {}", index + 1, machine.class_and_compiler(), machine.kernel),
    });
    lines.extend(named);
    if shown.len() > MOST {
        lines.push(format!("{} of {} series, those with changes first.", MOST, shown.len()));
    }
    let top = scene.title(title, &lines);
    let panels = &shown[..shown.len().min(MOST)];
    for (index, series) in panels.iter().enumerate() {
        let x = MARGIN + (index % COLUMNS) as f64 * (WIDTH + GAP);
        let y = top + (index / COLUMNS) as f64 * (ABOVE + HEIGHT + BELOW + GAP / 2.0);
        panel(&mut scene, history, series, x, y);
    }
    let columns = panels.len().min(COLUMNS) as f64;
    let rows = panels.len().div_ceil(COLUMNS) as f64;
    let plots = MARGIN * 2.0 + columns * WIDTH + (columns - 1.0) * GAP;
    let width = plots.max(scene.text_end() + MARGIN);
    let height = top + rows * (ABOVE + HEIGHT + BELOW + GAP / 2.0) + MARGIN / 2.0;
    scene.finish(width, height)
}

fn panel(scene: &mut Scene, history: &History, series: &Series, x: f64, y: f64) {
    let quantity = history.quantity;
    let machine = series.machine.filter(|_| history.machines.len() > 1);
    let machine = machine.map(|index| format!(" · machine {}", index + 1)).unwrap_or_default();
    let name = fitting(&format!("{} · {}{machine}", series.benchmark, series.arm), TEXT, WIDTH);
    scene.text(Label::of(name, at(x, y + TEXT / 2.0)));
    let values = series.values();
    scene.text(
        Label::of(fitting(&caption(quantity, series), SMALL, WIDTH), at(x, y + 26.0))
            .sized(SMALL)
            .colored(MUTED),
    );
    let plot = Plot::over(&values, x, y + ABOVE);
    scene.rectangle(at(x, plot.top), at(x + WIDTH, plot.top + HEIGHT), STRIPE);
    for change in &series.changes {
        let border = (plot.x(change.at) + plot.x(change.at - 1)) / 2.0;
        scene.dashes(border, plot.top, plot.top + HEIGHT, MUTED);
    }
    let mut start = 0;
    let ends = series.changes.iter().map(|change| change.at).chain([values.len()]);
    for end in ends {
        if let Some(level) = median(&values[start..end]) {
            let y = plot.y(level);
            scene.line(at(plot.x(start), y), at(plot.x(end - 1), y), 2.0, INK);
        }
        start = end;
    }
    for (index, value) in values.iter().enumerate() {
        let color = color(series, index);
        scene.shapes.push(Shape::Disc {
            center: at(plot.x(index), plot.y(*value)),
            radius: 3.0,
            color,
            opacity: 1.0,
        });
    }
    scene.line(at(x, plot.top + HEIGHT), at(x + WIDTH, plot.top + HEIGHT), 1.0, GRID);
    dates(scene, series, x, plot.top + HEIGHT + 11.0);
}

/// The last value, and the changes by their sizes.
fn caption(quantity: Quantity, series: &Series) -> String {
    let last = series.points.last().map_or(f64::NAN, |point| point.value);
    let value = |value: f64| match quantity {
        Quantity::Value => value_text(series.metric, value),
        Quantity::Ratio => words::change(value),
    };
    let told = |change: &Change| match change.ratio {
        Some(ratio) => words::change(ratio),
        None => format!("{} to {}", value(change.before), value(change.after)),
    };
    let changes: Vec<String> = series.changes.iter().map(told).collect();
    let runs = words::counted(series.points.len(), "run");
    if changes.is_empty() {
        format!("last {}, {runs}, no change found", value(last))
    } else {
        format!("last {}, {runs}, {}", value(last), changes.join(", then "))
    }
}

/// Points after the last change carry its colour.
fn color(series: &Series, index: usize) -> crate::report::chart::palette::Color {
    match series.changes.iter().rev().find(|change| change.at <= index) {
        Some(change) if change.after > change.before => WORSE,
        Some(_) => BETTER,
        None => SAME,
    }
}

fn dates(scene: &mut Scene, series: &Series, x: f64, y: f64) {
    let day = |started: &str| started.get(..10).unwrap_or(started).to_owned();
    let (Some(first), Some(last)) = (series.points.first(), series.points.last()) else { return };
    let small = |text: String, x: f64| Label::of(text, at(x, y)).sized(SMALL).colored(MUTED);
    scene.text(small(day(&first.started), x));
    let last = small(day(&last.started), x);
    let width = last.width();
    scene.text(Label { place: at(x + WIDTH - width, y), ..last });
}

/// A text that is cut where it would be wider than its room.
fn fitting(text: &str, size: f64, room: f64) -> String {
    let mut shown = text.to_owned();
    while paint::text_width(&shown, size) > room && shown.chars().count() > 2 {
        shown = shown.chars().take(shown.chars().count() - 2).chain(['…']).collect();
    }
    shown
}

/// Where runs and values stand in a panel.
struct Plot {
    left: f64,
    top: f64,
    step: f64,
    lo: f64,
    hi: f64,
}

impl Plot {
    fn over(values: &[f64], left: f64, top: f64) -> Self {
        let (lo, hi) = values
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), value| (lo.min(*value), hi.max(*value)));
        let middle = (lo + hi) / 2.0;
        let half = ((hi - lo) / 2.0).max(middle.abs() * LEAST_RANGE / 2.0).max(f64::MIN_POSITIVE);
        let step = (WIDTH - 16.0) / (values.len() - 1).max(1) as f64;
        Self { left, top, step, lo: middle - half, hi: middle + half }
    }

    fn x(&self, index: usize) -> f64 {
        self.left + 8.0 + index as f64 * self.step
    }

    fn y(&self, value: f64) -> f64 {
        let share = (value - self.lo) / (self.hi - self.lo);
        self.top + HEIGHT - 8.0 - share * (HEIGHT - 16.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Change, Point};
    use crate::rows::Unit;

    fn history(changes: Vec<Change>, runs: usize) -> History {
        let point = |index: usize| Point {
            record: format!("r{index}"),
            started: format!("2026-11-{:02}T00:00:00Z", index + 1),
            value: if index < 5 { 100.0 } else { 130.0 },
        };
        let series = Series {
            machine: None,
            suite: "kernels".to_owned(),
            benchmark: "a/very/long/name/of/a/benchmark/that/has/no/room".to_owned(),
            arm: "x86-64-v4-512".to_owned(),
            build: String::new(),
            metric: Unit::Nanos,
            points: (0..runs).map(point).collect(),
            changes,
        };
        History { quantity: Quantity::Value, false_alarms: 0.05, machines: Vec::new(), series: vec![series] }
    }

    #[test]
    fn a_change_parts_the_medians_and_colours_what_follows() {
        let change = Change {
            at: 5,
            record: "r5".to_owned(),
            before: 100.0,
            after: 130.0,
            ratio: Some(1.3),
            p: 0.001,
        };
        let history = history(vec![change], 10);
        let shown: Vec<&Series> = history.series.iter().collect();
        let scene = scene(&history, &shown, "title");
        let discs: Vec<_> = scene
            .shapes
            .iter()
            .filter_map(|shape| match shape {
                Shape::Disc { color, .. } => Some(*color),
                _ => None,
            })
            .collect();
        assert_eq!(discs, [[SAME; 5], [WORSE; 5]].concat());
        let medians =
            scene.shapes.iter().filter(|shape| matches!(shape, Shape::Line { width, .. } if *width == 2.0));
        assert_eq!(medians.count(), 2);
        let texts = scene.shapes.iter().filter_map(|shape| match shape {
            Shape::Text(label) => Some(label.text.replace(words::NBSP, " ")),
            _ => None,
        });
        let texts: Vec<String> = texts.collect();
        assert!(texts.iter().any(|text| text == "last 130 ns, 10 runs, +30.0 %"), "{texts:?}");
        assert!(texts.iter().any(|text| text.starts_with("a/very") && text.ends_with('…')), "{texts:?}");
    }

    #[test]
    fn one_run_alone_is_no_course() {
        assert!(trend_chart(&history(Vec::new(), 1)).unwrap().is_none());
    }
}
