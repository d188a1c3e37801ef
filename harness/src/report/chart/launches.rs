//! Every launch of the benchmark whose ratios spread most.

use crate::analyse::Row;
use crate::plan::{Built, Role};
use crate::report::chart::axis::Axis;
use crate::report::chart::forest::{axis_title, subtitle};
use crate::report::chart::palette::{BETTER, INK, MUTED, SAME, STRIPE};
use crate::report::chart::scene::{Anchor, Label, MARGIN, SMALL, Scene, Shape, TEXT, at};
use crate::report::view::View;
use crate::report::words;

/// The chart's file name.
pub(crate) const NAME: &str = "launches";

/// Height of an arm's strip.
const STRIP: f64 = 52.0;
/// Width of the plot itself.
const PLOT: f64 = 560.0;

/// The benchmark that holds the row with the greatest spread over launches; `None` without two launches.
pub(crate) fn widest<'a>(view: &View<'a>) -> Option<&'a str> {
    let rows = view.judged().map(|judged| judged.row).filter(|row| row.role == Role::Candidate);
    let spread =
        |row: &Row| row.estimate.filter(|_| row.launches.len() > 1).map(|estimate| estimate.launch_sd);
    rows.filter_map(|row| Some((row.benchmark.as_str(), spread(row)?)))
        .max_by(|one, other| one.1.total_cmp(&other.1))
        .map(|(benchmark, _)| benchmark)
}

/// What the chart shows.
pub(crate) fn title(benchmark: &str) -> String {
    format!("Launches of {benchmark}, the benchmark that spreads most")
}

/// Draws it.
pub(crate) fn scene(view: &View<'_>) -> Scene {
    let benchmark = widest(view).unwrap_or_default();
    let rows: Vec<&Row> = view
        .rows_of(benchmark)
        .filter(|row| row.measured_as.is_none() && row.launches.len() > 1 && row.estimate.is_some())
        .collect();
    let name = |row: &&Row| Label::of(row.arm.as_str(), at(0.0, 0.0)).width();
    let left = MARGIN + rows.iter().map(name).fold(0.0, f64::max) + 14.0;
    let right = left + PLOT;
    let ratios = rows.iter().flat_map(|row| &row.launches).map(|log| log.exp());
    let axis = Axis::over(ratios, left, right);

    let mut scene = Scene::new();
    let mut lines = subtitle(view);
    let layouts = match view.report.plan.traits().built {
        Built::Once => ", each on a layout of its own",
        Built::EveryTurn | Built::Never => "",
    };
    lines.push(format!(
        "One dot a launch{layouts}; in a strip, time runs downwards. Line and bar: mean and 95 % interval."
    ));
    let top = scene.title(&title(benchmark), &lines) + 20.0;
    let bottom = top + STRIP * rows.len() as f64;
    for index in (0..rows.len()).step_by(2) {
        let y = top + STRIP * index as f64;
        scene.rectangle(at(MARGIN / 2.0, y), at(right, y + STRIP), STRIPE);
    }
    axis.draw(&mut scene, top, bottom);
    for (index, row) in rows.iter().enumerate() {
        strip(&mut scene, row, &axis, top + STRIP * index as f64);
    }
    let label = axis_title(view);
    scene.text(Label::of(label, at((left + right) / 2.0, bottom + 28.0)).anchored(Anchor::Middle));
    let width = scene.text_end() + MARGIN;
    scene.finish(width, bottom + 28.0 + TEXT + MARGIN / 2.0)
}

fn strip(scene: &mut Scene, row: &Row, axis: &Axis, top: f64) {
    let Some(estimate) = row.estimate else { return };
    let middle = top + STRIP / 2.0;
    scene.text(Label::of(row.arm.as_str(), at(MARGIN, middle)));
    let (from, to) = (axis.x(estimate.interval.lo), axis.x(estimate.interval.hi));
    scene.rectangle(at(from, middle - 10.0), at(to.max(from + 1.0), middle + 10.0), SAME);
    let room = STRIP - 12.0;
    for (index, log) in row.launches.iter().enumerate() {
        let y = top + 6.0 + room * (index as f64 + 0.5) / row.launches.len() as f64;
        let center = at(axis.x(log.exp()), y);
        let color = if row.role == Role::Control { MUTED } else { BETTER };
        scene.shapes.push(Shape::Disc { center, radius: 2.5, color, opacity: 0.6 });
    }
    let x = axis.x(estimate.ratio);
    scene.line(at(x, top + 4.0), at(x, top + STRIP - 4.0), 2.0, INK);
    let change = words::change_with(estimate.ratio, estimate.interval);
    scene.text(Label::of(change, at(axis.right + 12.0, middle - 8.0)).sized(SMALL));
    let spread = format!("sd over launches {}", words::percent(estimate.launch_sd));
    scene.text(Label::of(spread, at(axis.right + 12.0, middle + 8.0)).sized(SMALL).colored(MUTED));
}
