//! What a call costs, by its shape: one mark for each way to call.

use crate::plan::{Arm, Benchmark, Role, Shape};
use crate::report::chart::forest::subtitle;
use crate::report::chart::glyph;
use crate::report::chart::palette::{GRID, MUTED, STRIPE};
use crate::report::chart::scale::LogScale;
use crate::report::chart::scene::{Anchor, Label, MARGIN, SMALL, Scene, TEXT, at};
use crate::report::view::View;
use crate::report::words;
use crate::stats::Interval;

/// The chart's file name.
pub(crate) const NAME: &str = "calls";

/// Width of the plot itself.
const PLOT: f64 = 560.0;
/// Height of one way to call within a row.
const LANE: f64 = 8.0;
/// Room above and below the lanes of a row.
const PADDING: f64 = 5.0;

/// An arm that stands for its way to call: the first of the plan that has numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way<'a> {
    /// How it calls.
    pub shape: Shape,
    /// The arm's name.
    pub arm: &'a str,
}

/// A value with its interval, where there is one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Cost {
    /// Nanoseconds a call.
    pub value: f64,
    /// 95 % interval over launches.
    pub interval: Option<Interval>,
}

/// The ways to call that have numbers; none in suites that call nothing.
pub(crate) fn ways<'a>(view: &View<'a>) -> Vec<Way<'a>> {
    let mut ways: Vec<Way<'a>> = Vec::new();
    let arms = view.report.plan.arms.iter().filter(|arm: &&Arm| arm.role != Role::Control);
    for arm in arms {
        let Some(ffi) = arm.workload.ffi() else { continue };
        let known = ways.iter().any(|way| way.shape == ffi.shape);
        let measured = view.benchmarks().iter().any(|benchmark| cost(view, benchmark, &arm.name).is_some());
        if !known && measured {
            ways.push(Way { shape: ffi.shape, arm: &arm.name });
        }
    }
    ways
}

/// What a call of a benchmark costs in an arm.
pub(crate) fn cost(view: &View<'_>, benchmark: &Benchmark, arm: &str) -> Option<Cost> {
    let mut rows = view.rows_of(&benchmark.name);
    if arm == view.baseline {
        let row = rows.next()?;
        return Some(Cost { value: row.baseline_value, interval: row.baseline_interval });
    }
    let row = rows.find(|row| row.arm == arm)?;
    Some(Cost { value: row.value, interval: row.value_interval })
}

/// What the chart shows.
pub(crate) fn title(view: &View<'_>) -> String {
    format!("What a call from Python costs, by its shape: suite {}", view.report.plan.suite)
}

/// Draws it.
pub(crate) fn scene(view: &View<'_>) -> Scene {
    let ways = ways(view);
    let costs =
        |benchmark: &Benchmark| ways.iter().filter_map(|way| cost(view, benchmark, way.arm)).collect();
    let rows: Vec<(&Benchmark, Vec<Cost>)> = view
        .benchmarks()
        .iter()
        .map(|benchmark| (benchmark, costs(benchmark)))
        .filter(|(_, costs): &(&Benchmark, Vec<Cost>)| !costs.is_empty())
        .collect();
    let name = |benchmark: &Benchmark| Label::of(benchmark.name.as_str(), at(0.0, 0.0)).width();
    let left = MARGIN + rows.iter().map(|(benchmark, _)| name(benchmark)).fold(0.0, f64::max) + 14.0;
    let right = left + PLOT;
    let mut scene = Scene::new();
    let mut lines = subtitle(view);
    lines.push(
        "Mark: median over launches, the empty loop subtracted. Bar: its 95 % interval. Line: from the floor to it."
            .to_owned(),
    );
    let top = scene.title(&title(view), &lines);
    let items: Vec<(Shape, &str)> = ways.iter().map(|way| (way.shape, way.arm)).collect();
    let top = glyph::legend(&mut scene, &items, top) + 20.0;
    let height = LANE * ways.len() as f64 + 2.0 * PADDING;
    let bottom = top + height * rows.len() as f64;
    let amounts = rows.iter().flat_map(|(_, costs)| costs).map(|cost| cost.value);
    let Some(scale) = LogScale::over(amounts, left, right) else { return scene.finish(right, bottom) };
    for index in (0..rows.len()).step_by(2) {
        let y = top + height * index as f64;
        scene.rectangle(at(MARGIN / 2.0, y), at(right, y + height), STRIPE);
    }
    draw_ticks(&mut scene, &scale, top, bottom);
    for (index, (benchmark, _)) in rows.iter().enumerate() {
        draw_row(&mut scene, view, benchmark, &ways, &scale, top + height * index as f64);
    }
    let label = "time of a call, logarithmic (further left is faster)";
    scene.text(Label::of(label, at((left + right) / 2.0, bottom + 28.0)).anchored(Anchor::Middle));
    let width = scene.text_end().max(right) + MARGIN;
    scene.finish(width, bottom + 28.0 + TEXT + MARGIN / 2.0)
}

fn draw_ticks(scene: &mut Scene, scale: &LogScale, top: f64, bottom: f64) {
    for tick in scale.ticks(44.0) {
        let x = scale.place(tick);
        scene.line(at(x, top), at(x, bottom), 1.0, GRID);
        for y in [top - 9.0, bottom + 9.0] {
            let label = Label::of(words::round_nanos(tick), at(x, y)).sized(SMALL).colored(MUTED);
            scene.text(label.anchored(Anchor::Middle));
        }
    }
}

fn draw_row(
    scene: &mut Scene,
    view: &View<'_>,
    benchmark: &Benchmark,
    ways: &[Way<'_>],
    scale: &LogScale,
    top: f64,
) {
    let middle = top + PADDING + LANE * ways.len() as f64 / 2.0;
    scene.text(Label::of(benchmark.name.as_str(), at(MARGIN, middle)));
    let floor = cost(view, benchmark, view.baseline).map(|cost| scale.place(cost.value));
    for (lane, way) in ways.iter().enumerate() {
        let Some(cost) = cost(view, benchmark, way.arm) else { continue };
        let (x, y) = (scale.place(cost.value), top + PADDING + LANE * (lane as f64 + 0.5));
        let color = glyph::color(way.shape);
        if let Some(floor) = floor {
            scene.line(at(floor, y), at(x, y), 1.0, color);
        }
        if let Some(interval) = cost.interval {
            scene.line(at(scale.place(interval.lo), y), at(scale.place(interval.hi), y), 3.0, color);
        }
        glyph::draw(scene, way.shape, at(x, y), 4.0);
    }
}
