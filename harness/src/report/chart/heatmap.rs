//! Benchmarks × arms: the change in every cell, coloured by its size.

use crate::report::chart::axis::ticks;
use crate::report::chart::forest::{capital, subtitle};
use crate::report::chart::marker::{Mark, legend};
use crate::report::chart::palette::{GRID, INK, MUTED, PAPER, diverging, text_on};
use crate::report::chart::scene::{Anchor, Label, MARGIN, Point, SMALL, Scene, at, rectangle};
use crate::report::sheet;
use crate::report::view::{Cell, View};
use crate::report::words;

/// The chart's file name.
pub(crate) const NAME: &str = "heatmap";

/// Height of a row.
const ROW: f64 = 23.0;
/// The least width of a column.
const COLUMN: f64 = 66.0;
/// Width of the colour scale.
const SCALE: f64 = 360.0;

/// One cell: what it says and how strong its change is.
struct Field {
    /// From −1 to 1; `None` where there is no number.
    strength: Option<f64>,
    text: String,
}

/// What the columns are.
struct Columns<'a> {
    names: Vec<&'a str>,
    /// Where each begins.
    left: Vec<f64>,
    width: f64,
}

/// How changes become colours: the root of the log ratio, so that small ones can be seen beside large ones.
#[derive(Clone, Copy)]
struct Strength {
    /// The largest |ln ratio| of the chart.
    most: f64,
}

impl Strength {
    fn of(self, ratio: f64) -> f64 {
        let log = ratio.ln();
        ((log.abs() / self.most).sqrt() * log.signum()).clamp(-1.0, 1.0)
    }
}

/// What the chart shows.
pub(crate) fn title(view: &View<'_>) -> String {
    capital(&format!("change of {} against {} in percent", view.quantity(), view.baseline))
}

/// Draws it.
pub(crate) fn scene(view: &View<'_>) -> Scene {
    let strength = strength(view);
    let names = view.benchmarks().iter().map(|benchmark| benchmark.name.as_str()).chain(["geometric mean"]);
    let left = MARGIN + names.map(|name| Label::of(name, at(0.0, 0.0)).width()).fold(0.0, f64::max) + 10.0;
    let columns = columns(view, left);
    let end = columns.left.last().map_or(left, |last| last + columns.width);
    let width = (end + MARGIN).max(left + SCALE + MARGIN);

    let mut scene = Scene::new();
    let threshold = words::percent(view.report.judgement.policy.noise_threshold);
    let mut lines = subtitle(view);
    lines.push(format!("≈ no change within ± {threshold}, ? cannot tell"));
    let y = scene.title(&title(view), &lines);
    let y = legend(&mut scene, &marks(view), y, width);
    let mut y = heads(&mut scene, &columns, y);
    for benchmark in view.benchmarks() {
        let fields: Vec<Field> =
            columns.names.iter().map(|arm| field(&view.cell(&benchmark.name, arm), strength)).collect();
        row(&mut scene, &benchmark.name, &fields, &columns, y);
        y += ROW;
    }
    if view.has_means() {
        y += 6.0;
        let means: Vec<Field> = columns.names.iter().map(|arm| mean(view, arm, strength)).collect();
        row(&mut scene, "geometric mean", &means, &columns, y);
        y += ROW;
    }
    y = scale(&mut scene, strength, left, y + 18.0);
    let width = width.max(scene.text_end() + MARGIN);
    scene.finish(width, y + MARGIN)
}

fn marks(view: &View<'_>) -> Vec<(Mark, String)> {
    let (less, more) = view.directions();
    vec![
        (Mark::Faster, less.to_owned()),
        (Mark::Slower, more.to_owned()),
        (Mark::Hatched, "no number, and why".to_owned()),
    ]
}

fn strength(view: &View<'_>) -> Strength {
    let logs =
        view.judged().filter_map(|judged| judged.row.estimate).map(|estimate| estimate.ratio.ln().abs());
    // Below 5 % the strongest colour would shout about nothing.
    Strength { most: logs.fold(0.05, f64::max) }
}

fn columns<'a>(view: &View<'a>, left: f64) -> Columns<'a> {
    let name = |arm: &&'a crate::plan::Arm| arm.name.as_str();
    let candidates: Vec<&str> = view.columns.iter().chain(&view.absent).map(name).collect();
    let mut names = candidates.clone();
    names.extend(view.controls.iter().map(name));
    let parts = names.iter().flat_map(|name| name.split_inclusive('-'));
    let texts = view.benchmarks().iter().flat_map(|benchmark| {
        names.iter().map(|arm| field(&view.cell(&benchmark.name, arm), Strength { most: 1.0 }).text)
    });
    let part = parts.map(|part| Label::of(part, at(0.0, 0.0)).sized(SMALL).width()).fold(0.0, f64::max);
    let text = texts.map(|text| Label::of(text, at(0.0, 0.0)).sized(SMALL).width()).fold(0.0, f64::max);
    let width = COLUMN.max(part + 8.0).max(text + 12.0);
    // The controls stand apart: they are not candidates.
    let place = |index: usize| {
        let apart = if index < candidates.len() { 0.0 } else { 8.0 };
        left + width * index as f64 + apart
    };
    let left = (0..names.len()).map(place).collect();
    Columns { names, left, width }
}

/// The arms' names above their columns, broken at hyphens. Returns where the rows begin.
fn heads(scene: &mut Scene, columns: &Columns<'_>, top: f64) -> f64 {
    let broken: Vec<Vec<String>> = columns.names.iter().map(|name| break_name(name, columns.width)).collect();
    let lines = broken.iter().map(Vec::len).max().unwrap_or(1);
    for (name, left) in broken.iter().zip(&columns.left) {
        let first = lines - name.len();
        for (index, part) in name.iter().enumerate() {
            let y = top + ((first + index) as f64 + 0.5) * (SMALL + 2.0);
            let place = at(left + columns.width / 2.0, y);
            scene.text(Label::of(part.as_str(), place).sized(SMALL).anchored(Anchor::Middle));
        }
    }
    top + lines as f64 * (SMALL + 2.0) + 5.0
}

fn break_name(name: &str, width: f64) -> Vec<String> {
    let mut lines = vec![String::new()];
    for part in name.split_inclusive('-') {
        let last = lines.last_mut().expect("there is always a line");
        let joined = format!("{last}{part}");
        if last.is_empty() || Label::of(joined.as_str(), at(0.0, 0.0)).sized(SMALL).width() <= width - 4.0 {
            *last = joined;
        } else {
            lines.push(part.to_owned());
        }
    }
    lines
}

fn field(cell: &Cell<'_>, strength: Strength) -> Field {
    let entry = sheet::entry(cell);
    match cell {
        Cell::Measured(judged) => Field {
            strength: judged.row.estimate.map(|estimate| strength.of(estimate.ratio)),
            text: match &judged.row.estimate {
                Some(estimate) => {
                    format!("{} {}", words::signed(estimate.ratio - 1.0), sheet::sign(judged.verdict))
                }
                None => entry.text,
            },
        },
        Cell::Failed(_) | Cell::NoBaseline | Cell::Nothing => Field { strength: None, text: entry.text },
    }
}

fn mean(view: &View<'_>, arm: &str, strength: Strength) -> Field {
    let control = view.report.judgement.controls.iter().find(|control| control.arm == arm);
    let mean = view.summary(arm).and_then(|summary| summary.geometric_mean.as_ref()).map(|mean| mean.ratio);
    match control.map(|control| control.ratio).or(mean) {
        Some(ratio) => Field { strength: Some(strength.of(ratio)), text: words::signed(ratio - 1.0) },
        None => Field { strength: None, text: "–".to_owned() },
    }
}

fn row(scene: &mut Scene, name: &str, fields: &[Field], columns: &Columns<'_>, y: f64) {
    let middle = y + ROW / 2.0;
    scene.text(Label::of(name, at(MARGIN, middle)));
    for (field, left) in fields.iter().zip(&columns.left) {
        let (min, max) = (at(left + 1.0, y + 1.0), at(left + columns.width - 1.0, y + ROW - 1.0));
        let label = Label::of(field.text.as_str(), at((min.x + max.x) / 2.0, middle));
        let label = label.sized(SMALL).anchored(Anchor::Middle);
        match field.strength {
            Some(strength) => {
                let ground = diverging(strength);
                scene.rectangle(min, max, ground);
                scene.text(label.colored(text_on(ground)));
            }
            None => no_number(scene, label, min, max),
        }
    }
}

fn no_number(scene: &mut Scene, label: Label, min: Point, max: Point) {
    scene.hatch(min, max, GRID);
    scene.outline(&rectangle(min, max), 1.0, GRID);
    let half = label.width() / 2.0 + 3.0;
    let (x, y) = (label.place.x, label.place.y);
    scene.rectangle(at(x - half, y - SMALL / 2.0), at(x + half, y + SMALL / 2.0), PAPER);
    scene.text(label.colored(MUTED));
}

/// The colour scale with key changes. Returns its lower end.
fn scale(scene: &mut Scene, strength: Strength, left: f64, top: f64) -> f64 {
    const STEPS: u32 = 90;
    let step = SCALE / f64::from(STEPS);
    for index in 0..STEPS {
        let value = (f64::from(index) + 0.5) / f64::from(STEPS) * 2.0 - 1.0;
        let x = left + f64::from(index) * step;
        scene.rectangle(at(x, top), at(x + step, top + 12.0), diverging(value));
    }
    let inside = |ratio: f64| ratio > 0.0 && ratio.ln().abs() <= strength.most;
    for tick in ticks(inside, |ratio| left + (strength.of(ratio) + 1.0) / 2.0 * SCALE) {
        scene.line(at(tick.x, top + 12.0), at(tick.x, top + 16.0), 1.0, INK);
        let label = Label::of(tick.label, at(tick.x, top + 16.0 + SMALL / 2.0)).sized(SMALL);
        scene.text(label.anchored(Anchor::Middle));
    }
    top + 16.0 + SMALL + 4.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::chart::paint;

    #[test]
    fn sizes_are_less_or_more_and_never_faster() {
        let mut fixture = crate::report::fixture::Fixture::small();
        let names = |fixture: &crate::report::fixture::Fixture| -> Vec<String> {
            marks(&View::of(&fixture.report())).into_iter().take(2).map(|(_, name)| name).collect()
        };
        assert_eq!(names(&fixture), ["faster", "slower"]);
        fixture.plan.benchmarks[0].unit = crate::plan::Unit::Bytes;
        assert_eq!(names(&fixture), ["less", "more"]);
    }

    #[test]
    fn names_break_at_hyphens_only() {
        paint::load_font().expect("the font");
        assert_eq!(break_name("znver4-no-sse4a", 80.0), ["znver4-no-", "sse4a"]);
        assert_eq!(break_name("znver4-no-sse4a", 50.0), ["znver4-", "no-sse4a"]);
        assert_eq!(break_name("native", 10.0), ["native"]);
        assert_eq!(break_name("znver4-no-sse4a", 500.0), ["znver4-no-sse4a"]);
    }

    #[test]
    fn strength_keeps_the_sign_and_shows_small_changes() {
        let strength = Strength { most: 0.25_f64.ln().abs() };
        assert!((strength.of(0.25) + 1.0).abs() < 1e-12);
        assert!(strength.of(1.05) > 0.15);
        assert!(strength.of(0.95) < -0.15);
        assert_eq!(strength.of(1.0), 0.0);
    }
}
