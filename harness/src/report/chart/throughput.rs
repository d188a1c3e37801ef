//! How many bytes a second pass, by the size of what is passed.

use crate::plan::Benchmark;
use crate::report::chart::calls::{Way, cost, ways};
use crate::report::chart::forest::subtitle;
use crate::report::chart::glyph;
use crate::report::chart::palette::{GRID, INK, MUTED};
use crate::report::chart::scale::LogScale;
use crate::report::chart::scene::{Anchor, Label, MARGIN, Point, SMALL, Scene, TEXT, at};
use crate::report::view::View;
use crate::report::words;

/// The chart's file name.
pub(crate) const NAME: &str = "throughput";

/// Width and height of one panel.
const WIDTH: f64 = 300.0;
const HEIGHT: f64 = 260.0;
/// Room between panels.
const GAP: f64 = 34.0;

/// Benchmarks that differ in their payload alone, from the smallest.
struct Family<'a> {
    name: &'a str,
    members: Vec<(&'a Benchmark, u64)>,
}

/// The families of at least two sizes.
fn families<'a>(view: &View<'a>) -> Vec<Family<'a>> {
    let mut families: Vec<Family<'a>> = Vec::new();
    for benchmark in view.benchmarks() {
        let (Some((name, _)), Some(payload)) = (benchmark.name.rsplit_once('/'), benchmark.payload) else {
            continue;
        };
        if view.rows_of(&benchmark.name).next().is_none() {
            continue;
        }
        match families.iter_mut().find(|family| family.name == name) {
            Some(family) => family.members.push((benchmark, payload)),
            None => families.push(Family { name, members: vec![(benchmark, payload)] }),
        }
    }
    families.retain(|family| family.members.len() > 1);
    for family in &mut families {
        family.members.sort_by_key(|(_, payload)| *payload);
    }
    families
}

/// Whether there is a payload of two sizes.
pub(crate) fn has_numbers(view: &View<'_>) -> bool {
    !ways(view).is_empty() && !families(view).is_empty()
}

/// What the chart shows.
pub(crate) fn title(view: &View<'_>) -> String {
    format!("Bytes that pass between Python and a library: suite {}", view.report.plan.suite)
}

/// Draws it.
pub(crate) fn scene(view: &View<'_>) -> Scene {
    let (ways, families) = (ways(view), families(view));
    let mut scene = Scene::new();
    let mut lines = subtitle(view);
    lines.push(
        "Payload divided by the median time of a call. Both axes are logarithmic; higher is faster.".into(),
    );
    let top = scene.title(&title(view), &lines);
    let items: Vec<_> = ways.iter().map(|way| (way.shape, way.arm)).collect();
    let top = glyph::legend(&mut scene, &items, top) + TEXT + 16.0;
    let bottom = top + HEIGHT;
    let rates = families.iter().flat_map(|family| {
        ways.iter().flat_map(|way| points(view, family, way)).map(|(_, rate)| rate).collect::<Vec<_>>()
    });
    let sizes = families.iter().flat_map(|family| &family.members).map(|(_, payload)| *payload as f64);
    let first = MARGIN + 64.0;
    let (Some(rate), Some(size)) = (LogScale::over(rates, bottom, top), LogScale::over(sizes, 0.0, WIDTH))
    else {
        return scene.finish(first, bottom);
    };
    for (index, family) in families.iter().enumerate() {
        let left = first + (WIDTH + GAP) * index as f64;
        frame(&mut scene, family, &rate, &size, at(left, top));
        for way in &ways {
            let places: Vec<Point> = points(view, family, way)
                .into_iter()
                .map(|(payload, amount)| at(left + size.place(payload), rate.place(amount)))
                .collect();
            for pair in places.windows(2) {
                scene.line(pair[0], pair[1], 1.5, glyph::color(way.shape));
            }
            for place in places {
                glyph::draw(&mut scene, way.shape, place, 4.6);
            }
        }
    }
    let right = first + (WIDTH + GAP) * families.len() as f64 - GAP;
    for tick in rate.ticks(22.0) {
        let label = Label::of(words::rate(tick), at(0.0, rate.place(tick))).sized(SMALL).colored(MUTED);
        let x = first - 8.0 - label.width();
        scene.text(Label { place: at(x, label.place.y), ..label });
    }
    let label = "payload of a call";
    scene.text(Label::of(label, at((first + right) / 2.0, bottom + 28.0)).anchored(Anchor::Middle));
    let width = scene.text_end().max(right) + MARGIN;
    scene.finish(width, bottom + 28.0 + TEXT + MARGIN / 2.0)
}

/// Payload and bytes a second of every size that a way to call has.
fn points(view: &View<'_>, family: &Family<'_>, way: &Way<'_>) -> Vec<(f64, f64)> {
    let point = |(benchmark, payload): &(&Benchmark, u64)| {
        let payload = *payload as f64;
        Some((payload, payload / cost(view, benchmark, way.arm)?.value * 1e9))
    };
    family.members.iter().filter_map(point).collect()
}

/// The name of a family, the grid, and the sizes below.
fn frame(scene: &mut Scene, family: &Family<'_>, rate: &LogScale, size: &LogScale, corner: Point) {
    let (left, top) = (corner.x, corner.y);
    let bottom = top + HEIGHT;
    scene.text(Label::of(family.name, at(left, top - 12.0)));
    for tick in rate.ticks(22.0) {
        scene.line(at(left, rate.place(tick)), at(left + WIDTH, rate.place(tick)), 1.0, GRID);
    }
    for (_, payload) in &family.members {
        let x = left + size.place(*payload as f64);
        scene.line(at(x, top), at(x, bottom), 1.0, GRID);
        let label = Label::of(words::bytes(*payload as f64), at(x, bottom + 9.0)).sized(SMALL).colored(MUTED);
        scene.text(label.anchored(Anchor::Middle));
    }
    scene.line(at(left, top), at(left, bottom), 1.5, INK);
    scene.line(at(left, bottom), at(left + WIDTH, bottom), 1.5, INK);
}
