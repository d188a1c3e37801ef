use super::*;
use crate::latency::{LatencyFile, Mode};
use crate::report::chart::scene::{Anchor, Scene, Shape};
use crate::report::latency::tests::full;

fn inside(scene: &Scene, shape: &Shape) -> bool {
    let holds = |x: f64, y: f64| (0.0..=scene.width).contains(&x) && (0.0..=scene.height).contains(&y);
    match shape {
        Shape::Line { from, to, .. } => holds(from.x, from.y) && holds(to.x, to.y),
        Shape::Area { corners, .. } => corners.iter().all(|corner| holds(corner.x, corner.y)),
        Shape::Disc { center, .. } => holds(center.x, center.y),
        Shape::Text(label) => {
            let share = if label.anchor == Anchor::Start { 0.0 } else { 0.5 };
            let left = label.place.x - label.width() * share;
            holds(left, label.place.y) && holds(left + label.width(), label.place.y)
        }
    }
}

fn texts(scene: &Scene) -> Vec<String> {
    let text = |shape: &Shape| match shape {
        Shape::Text(label) => Some(label.text.clone()),
        _ => None,
    };
    scene.shapes.iter().filter_map(text).collect()
}

#[test]
fn every_chart_stays_within_its_edges() {
    paint::load_font().unwrap();
    let all = drawings(&full());
    let names: Vec<&str> = all.iter().map(|drawing| drawing.name).collect();
    assert_eq!(names, ["percentiles", "response", "capacity", "starts", "soak"]);
    for drawing in &all {
        for shape in &drawing.scene.shapes {
            assert!(inside(&drawing.scene, shape), "{}: {shape:?}", drawing.name);
        }
    }
}

#[test]
fn names_at_the_ends_of_lines_do_not_touch() {
    paint::load_font().unwrap();
    let drawing = drawings(&full()).into_iter().next().unwrap();
    let names = ["server, same core", "against, same core", "null server, same core", "cat, same core"];
    let mut heights: Vec<f64> = drawing
        .scene
        .shapes
        .iter()
        .filter_map(|shape| match shape {
            Shape::Text(label) if names.contains(&label.text.as_str()) => Some(label.place.y),
            _ => None,
        })
        .collect();
    assert_eq!(heights.len(), names.len());
    heights.sort_by(f64::total_cmp);
    assert!(heights.windows(2).all(|pair| pair[1] - pair[0] > 12.0), "{heights:?}");
}

#[test]
fn the_axis_of_percentiles_names_the_nines() {
    paint::load_font().unwrap();
    let texts = texts(&drawings(&full())[0].scene);
    for nines in ["50 %", "90 %", "99 %", "99.9 %"] {
        assert!(texts.iter().any(|text| text.replace('\u{a0}', " ") == nines), "{nines} in {texts:?}");
    }
}

#[test]
fn an_empty_record_has_no_charts() {
    let file = LatencyFile {
        series: Vec::new(),
        capacities: Vec::new(),
        memories: Vec::new(),
        mode: Mode::Latency,
        ..full()
    };
    assert!(drawings(&file).is_empty());
}
