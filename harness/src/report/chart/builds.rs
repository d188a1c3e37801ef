//! What building each arm cost, and how large its artifact is.

use crate::analyse::ArmSummary;
use crate::plan::Role;
use crate::report::chart::axis::round_steps;
use crate::report::chart::palette::{GRID, INK, MUTED, PAPER, SAME};
use crate::report::chart::scene::{Anchor, Label, MARGIN, SMALL, Scene, TEXT, at};
use crate::report::view::View;
use crate::report::words::{self, NBSP};

/// The chart's file name.
pub(crate) const NAME: &str = "builds";

/// Height of a bar with its room.
const ROW: f64 = 22.0;
/// Width of the bars of one quantity.
const BARS: f64 = 170.0;
/// Bytes in the unit of sizes.
const MIB: f64 = 1024.0 * 1024.0;

/// One quantity of all arms.
struct Panel {
    title: &'static str,
    /// One value an arm; the words say why there is none.
    values: Vec<Result<f64, &'static str>>,
    /// What a bar says.
    text: fn(f64) -> String,
}

fn summaries<'a>(view: &View<'a>) -> Vec<&'a ArmSummary> {
    view.report.analysis.arms.iter().filter(|summary| summary.role != Role::Control).collect()
}

/// Whether anything was built.
pub(crate) fn has_numbers(view: &View<'_>) -> bool {
    summaries(view).iter().any(|summary| summary.facts.file_bytes > 0)
}

/// What the chart shows.
pub(crate) fn title(view: &View<'_>) -> String {
    format!("Builds of suite {}: time and size of every arm's artifact", view.report.plan.suite)
}

/// Draws it.
pub(crate) fn scene(view: &View<'_>) -> Scene {
    let arms = summaries(view);
    let names: Vec<String> = arms.iter().map(|summary| name(view, summary)).collect();
    let width = |name: &String| Label::of(name.as_str(), at(0.0, 0.0)).width();
    let first = MARGIN + names.iter().map(width).fold(0.0, f64::max) + 14.0;
    let panels = panels(&arms);

    let mut scene = Scene::new();
    let report = view.report;
    let line = format!("{}, {}", report.environment.class(), report.environment.toolchain.rustc);
    let top = scene.title(&title(view), &[line, format!("record {}", report.meta.name)]) + TEXT + 6.0;
    for (index, name) in names.iter().enumerate() {
        scene.text(Label::of(name.as_str(), at(MARGIN, top + ROW * (index as f64 + 0.5))));
    }
    let mut left = first;
    for panel in &panels {
        left = draw(&mut scene, panel, left, top) + 26.0;
    }
    let width = scene.text_end() + MARGIN;
    scene.finish(width, top + ROW * arms.len() as f64 + SMALL + 16.0 + MARGIN)
}

fn name(view: &View<'_>, summary: &ArmSummary) -> String {
    match view.identical.iter().find(|identical| identical.arm == summary.arm) {
        Some(identical) => format!("{} (code of {})", summary.arm, identical.measured),
        None => summary.arm.clone(),
    }
}

fn panels(arms: &[&ArmSummary]) -> [Panel; 3] {
    let values = |of: &dyn Fn(&ArmSummary) -> Result<f64, &'static str>| {
        arms.iter()
            .map(|summary| if summary.facts.file_bytes > 0 { of(summary) } else { Err("not built") })
            .collect()
    };
    [
        Panel {
            title: "build time, s",
            values: values(&|summary| summary.facts.build_seconds.ok_or("not rebuilt")),
            text: words::three_digits,
        },
        Panel {
            title: "file, MiB",
            values: values(&|summary| Ok(summary.facts.file_bytes as f64 / MIB)),
            text: words::three_digits,
        },
        Panel {
            title: "code, MiB",
            values: values(&|summary| Ok(summary.facts.text_bytes as f64 / MIB)),
            text: words::three_digits,
        },
    ]
}

/// Draws one quantity. Returns its right end, texts included.
fn draw(scene: &mut Scene, panel: &Panel, left: f64, top: f64) -> f64 {
    let most = panel.values.iter().filter_map(|value| value.ok()).fold(0.0, f64::max);
    let steps = round_steps(most, 3);
    let end = steps.last().copied().filter(|end| *end > 0.0).unwrap_or(1.0);
    let x = |value: f64| left + value / end * BARS;
    let bottom = top + ROW * panel.values.len() as f64;
    scene.text(Label::of(panel.title, at(left, top - 14.0)).sized(TEXT));
    for step in &steps {
        scene.line(at(x(*step), top), at(x(*step), bottom), 1.0, GRID);
        let label = Label::of(amount(*step), at(x(*step), bottom + 9.0)).sized(SMALL).colored(MUTED);
        scene.text(label.anchored(Anchor::Middle));
    }
    let mut right = x(end);
    for (index, value) in panel.values.iter().enumerate() {
        let middle = top + ROW * (index as f64 + 0.5);
        let label = match value {
            Ok(value) => {
                scene.rectangle(at(left, middle - 7.0), at(x(*value), middle + 7.0), SAME);
                Label::of((panel.text)(*value), at(x(*value) + 5.0, middle)).sized(SMALL)
            }
            Err(why) => {
                let why = why.replace(' ', &NBSP.to_string());
                Label::of(why, at(left + 5.0, middle)).sized(SMALL).colored(MUTED)
            }
        };
        let (x, end) = (label.place.x, label.place.x + label.width());
        scene.rectangle(at(x - 2.0, middle - 6.0), at(end + 2.0, middle + 6.0), PAPER);
        right = right.max(end);
        scene.text(label);
    }
    scene.line(at(left, top), at(left, bottom), 1.5, INK);
    right
}

/// A round amount without needless digits.
fn amount(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
