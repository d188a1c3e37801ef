//! Several servers side by side: a row a server, a panel a quantity, on logarithmic scales.

use crate::latency::{LatencyFile, LaunchOf, Load, Member, Series};
use crate::report::chart::latency::frame::Scale;
use crate::report::chart::latency::{MIB, mebibytes};
use crate::report::chart::palette::{BETTER, Color, GRID, INK, MUTED, PAPER, SAME, WORSE};
use crate::report::chart::scene::{Anchor, Label, MARGIN, Point, SMALL, Scene, Shape, TEXT, at};
use crate::report::latency::field::members;
use crate::report::latency::{placement_words, who};
use crate::report::words::{self, NBSP};
use crate::stats::median;

/// Height of a server's row.
const ROW: f64 = 24.0;
/// Width of a panel's scale.
const WIDTH: f64 = 190.0;
/// Room between panels, in which the last number of a row may stand.
const GAP: f64 = 62.0;
/// Panels in one line of the picture.
const ACROSS: usize = 3;
/// Height of a panel's title and marks together.
const MARKS: f64 = 52.0;

/// One quantity: for each row its marks, the first of which is written out.
struct Panel {
    title: String,
    rows: Vec<Vec<f64>>,
    words: fn(f64) -> String,
}

/// Draws them, for the first placement of the record.
pub(crate) fn scene(file: &LatencyFile, title: &str) -> Scene {
    let Some(placement) = file.series.first().map(|series| series.placement) else { return Scene::new() };
    let members = members(file, placement);
    let mut scene = Scene::new();
    let lines = vec![
        format!("{}, {}; record {}", placement_words(placement), file.environment.class(), file.name),
        "Times: p50 filled, then p99 and p99.9 as rings. Bars and dots grow to the right on logarithmic scales."
            .to_owned(),
    ];
    let top = scene.title(title, &lines) + TEXT + 10.0;
    let names: Vec<String> = members.iter().map(|member| who(file, *member)).collect();
    let width = |name: &String| Label::of(name.as_str(), at(0.0, 0.0)).width();
    let first = MARGIN + names.iter().map(width).fold(0.0, f64::max) + 16.0;
    let panels = panels(file, &members, placement);
    let height = ROW * members.len() as f64 + MARKS;
    for (index, panel) in panels.iter().enumerate() {
        let (line, column) = (index / ACROSS, index % ACROSS);
        let top = top + height * line as f64;
        if column == 0 {
            for (row, name) in names.iter().enumerate() {
                scene.text(Label::of(name.as_str(), at(MARGIN, top + ROW * (row as f64 + 0.5))));
            }
        }
        draw(&mut scene, panel, &members, first + (WIDTH + GAP) * column as f64, top);
    }
    let lines = panels.len().div_ceil(ACROSS);
    let width = scene.text_end() + MARGIN;
    scene.finish(width, top + height * lines as f64 - MARKS + SMALL + 16.0 + MARGIN)
}

fn panels(file: &LatencyFile, members: &[Member], placement: crate::latency::Placement) -> Vec<Panel> {
    let mut loads: Vec<(String, Load)> = Vec::new();
    for series in &file.series {
        let load = (series.label.clone(), series.load);
        if !loads.contains(&load) {
            loads.push(load);
        }
    }
    let of = |member: Member, label: &str| -> Option<&Series> {
        let mut all = file.series.iter();
        all.find(|series| series.member == member && series.placement == placement && series.label == label)
    };
    let mut panels = Vec::new();
    for (label, load) in &loads {
        let many = matches!(load, Load::Closed { in_flight } if *in_flight > 1);
        let row = |member: &Member| -> Vec<f64> {
            let Some(series) = of(*member, label) else { return Vec::new() };
            if many {
                return vec![series.per_second];
            }
            let at = |q| series.response.at(q).map(|percentile| percentile.ns as f64);
            [0.5, 0.99, 0.999].into_iter().filter_map(at).collect()
        };
        panels.push(Panel {
            title: if many { format!("{label}: calls a second") } else { format!("{label}: time of a call") },
            rows: members.iter().map(row).collect(),
            words: if many { count } else { words::nanos },
        });
    }
    let first = loads.first().map_or("", |(label, _)| label.as_str());
    let middle = |value: fn(&LaunchOf) -> Option<f64>| -> Vec<Vec<f64>> {
        let of = |member: &Member| {
            let launches = of(*member, first).map_or(&[][..], |series| &series.launches);
            median(&launches.iter().filter_map(value).collect::<Vec<_>>()).into_iter().collect()
        };
        members.iter().map(of).collect()
    };
    let cpu = middle(|launch| launch.cpu_ns);
    panels.push(Panel { title: format!("{first}: CPU time of a call"), rows: cpu, words: words::nanos });
    let start = middle(|launch| launch.ready_ns.map(|ns| ns as f64));
    panels.push(Panel { title: "start to first answer".to_owned(), rows: start, words: words::nanos });
    let memory = middle(|launch| launch.peak_rss.map(|bytes| bytes as f64 / MIB));
    panels.push(Panel { title: "most memory".to_owned(), rows: memory, words: mebibytes });
    panels.retain(|panel| panel.rows.iter().any(|row| !row.is_empty()));
    panels
}

fn count(value: f64) -> String {
    if value >= 1e6 {
        format!("{:.1}{NBSP}M", value / 1e6)
    } else if value >= 1e3 {
        format!("{:.0}{NBSP}k", value / 1e3)
    } else {
        format!("{value:.0}")
    }
}

fn color_of(member: Member) -> Color {
    match member {
        Member::Server | Member::Control => BETTER,
        Member::Peer(_) | Member::Against => WORSE,
        Member::NullServer | Member::NullHttp => INK,
        Member::Pipe | Member::InProcess => MUTED,
    }
}

/// Draws one quantity.
fn draw(scene: &mut Scene, panel: &Panel, members: &[Member], left: f64, top: f64) {
    let scale = Scale::logarithmic(panel.rows.iter().flatten().copied(), panel.words);
    let bottom = top + ROW * members.len() as f64;
    let x = |value: f64| left + scale.share(value) * WIDTH;
    scene.text(Label::of(panel.title.as_str(), at(left, top - 14.0)));
    let mut free = f64::NEG_INFINITY;
    for (value, words) in &scale.ticks {
        scene.line(at(x(*value), top), at(x(*value), bottom), 1.0, GRID);
        let label = Label::of(words.as_str(), at(x(*value), bottom + 9.0)).sized(SMALL).colored(MUTED);
        // Marks stand close on a wide scale: those that would touch the one before are left out.
        let half = label.width() / 2.0;
        if x(*value) - half > free {
            free = x(*value) + half + 6.0;
            scene.text(label.anchored(Anchor::Middle));
        }
    }
    scene.line(at(left, top), at(left, bottom), 1.0, SAME);
    for (row, (member, values)) in members.iter().zip(&panel.rows).enumerate() {
        let middle = top + ROW * (row as f64 + 0.5);
        let color = color_of(*member);
        if let (Some(least), Some(most)) = (values.first(), values.last()) {
            scene.line(at(x(*least), middle), at(x(*most), middle), 1.5, color);
        }
        for (index, value) in values.iter().enumerate() {
            dot(scene, at(x(*value), middle), color, index == 0);
        }
        let words = values.first().map_or("–".to_owned(), |value| (panel.words)(*value));
        let from = values.last().map_or(left, |value| x(*value)) + 8.0;
        let label = Label::of(words, at(from, middle)).sized(SMALL);
        let end = from + label.width();
        scene.rectangle(at(from - 1.0, middle - 6.0), at(end + 1.0, middle + 6.0), PAPER);
        scene.text(label);
    }
}

fn dot(scene: &mut Scene, center: Point, color: Color, filled: bool) {
    scene.shapes.push(Shape::Disc { center, radius: if filled { 4.5 } else { 3.5 }, color, opacity: 1.0 });
    if !filled {
        scene.shapes.push(Shape::Disc { center, radius: 2.0, color: PAPER, opacity: 1.0 });
    }
}
