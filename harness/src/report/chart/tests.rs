use std::collections::BTreeSet;

use super::*;
use crate::report::chart::scene::{Anchor, Scene, Shape};
use crate::report::fixture::Fixture;
use crate::report::html::escape;

fn fixtures() -> [Fixture; 3] {
    [Fixture::small(), Fixture::large(), Fixture::calls()]
}

/// The texts of an SVG document, as they are written in it.
fn texts(svg: &str) -> BTreeSet<&str> {
    svg.split("<text ")
        .skip(1)
        .filter_map(|part| part.split_once('>')?.1.split_once("</text>"))
        .map(|(text, _)| text.trim_matches('\n'))
        .collect()
}

fn inside(scene: &Scene, shape: &Shape) -> bool {
    let holds = |x: f64, y: f64| (0.0..=scene.width).contains(&x) && (0.0..=scene.height).contains(&y);
    match shape {
        Shape::Line { from, to, .. } => holds(from.x, from.y) && holds(to.x, to.y),
        Shape::Area { corners, .. } => corners.iter().all(|corner| holds(corner.x, corner.y)),
        Shape::Disc { center, radius, .. } => {
            holds(center.x - radius, center.y - radius) && holds(center.x + radius, center.y + radius)
        }
        Shape::Text(label) => {
            let share = match label.anchor {
                Anchor::Start => 0.0,
                Anchor::Middle => 0.5,
            };
            let left = label.place.x - label.width() * share;
            let half = label.size / 2.0;
            holds(left, label.place.y - half) && holds(left + label.width(), label.place.y + half)
        }
    }
}

#[test]
fn every_text_of_a_scene_is_in_its_svg() {
    for fixture in fixtures() {
        let report = fixture.report();
        let charts = pictures(&report);
        let names: Vec<_> = charts.iter().map(|chart| chart.name).collect();
        let calls = names.strip_prefix(&["calls", "throughput"]);
        assert_eq!(calls.is_some(), fixture.environment.python.is_some());
        assert_eq!(calls.unwrap_or(&names), ["heatmap", "forest", "launches", "builds"]);
        for (drawing, chart) in drawings(&report).iter().zip(&charts) {
            let written = texts(&chart.svg);
            for shape in &drawing.scene.shapes {
                if let Shape::Text(label) = shape {
                    assert!(written.contains(escape(&label.text).as_str()), "{}: {}", chart.name, label.text);
                }
            }
        }
    }
}

#[test]
fn every_benchmark_and_arm_is_named() {
    for fixture in fixtures() {
        let mut charts = pictures(&fixture.report());
        charts.retain(|chart| ["forest", "heatmap"].contains(&chart.name));
        charts.sort_by_key(|chart| chart.name);
        let named = |chart: &Chart, name: &str| texts(&chart.svg).contains(escape(name).as_str());
        for benchmark in &fixture.plan.benchmarks {
            assert!(named(&charts[0], &benchmark.name), "{}", benchmark.name);
            assert!(named(&charts[1], &benchmark.name), "{}", benchmark.name);
        }
        for row in &fixture.analysis.rows {
            assert!(named(&charts[0], &row.arm), "{}", row.arm);
        }
    }
}

#[test]
fn nothing_is_drawn_beyond_the_edges() {
    paint::load_font().expect("the font");
    for fixture in fixtures() {
        for drawing in drawings(&fixture.report()) {
            for shape in &drawing.scene.shapes {
                assert!(inside(&drawing.scene, shape), "{}: {shape:?}", drawing.name);
            }
        }
    }
}

#[test]
fn texts_of_a_row_do_not_overlap() {
    paint::load_font().expect("the font");
    for fixture in fixtures() {
        for drawing in drawings(&fixture.report()) {
            let mut spans: Vec<(i64, f64, f64, &str)> = Vec::new();
            for shape in &drawing.scene.shapes {
                let Shape::Text(label) = shape else { continue };
                let share = match label.anchor {
                    Anchor::Start => 0.0,
                    Anchor::Middle => 0.5,
                };
                let left = label.place.x - label.width() * share;
                spans.push(((label.place.y * 8.0) as i64, left, left + label.width(), &label.text));
            }
            spans.sort_by(|one, other| one.0.cmp(&other.0).then(one.1.total_cmp(&other.1)));
            for pair in spans.windows(2) {
                assert!(pair[0].0 != pair[1].0 || pair[0].2 <= pair[1].1, "{}: {pair:?}", drawing.name);
            }
        }
    }
}

#[test]
fn pictures_have_twice_the_logical_size() {
    let fixture = Fixture::small();
    let report = fixture.report();
    for (drawing, chart) in drawings(&report).iter().zip(charts(&report).expect("charts")) {
        let decoder = png::Decoder::new(std::io::Cursor::new(chart.png().expect("a PNG")));
        let mut reader = decoder.read_info().expect("a PNG");
        let mut pixels = vec![0; reader.output_buffer_size().expect("a size")];
        let frame = reader.next_frame(&mut pixels).expect("pixels");
        assert_eq!(f64::from(frame.width), drawing.scene.width * 2.0);
        assert_eq!(f64::from(frame.height), drawing.scene.height * 2.0);
        assert!(pixels.iter().any(|byte| *byte < 60), "{} is blank", chart.name);
        let size = format!(" width=\"{}\" height=\"{}\"", drawing.scene.width, drawing.scene.height);
        assert!(chart.svg.contains(&size), "{}", chart.name);
    }
}

#[test]
fn every_call_stands_where_its_time_is() {
    paint::load_font().expect("the font");
    let fixture = Fixture::calls();
    let report = fixture.report();
    let view = View::of(&report);
    let scene = calls::scene(&view);
    let ways: Vec<&str> = calls::ways(&view).iter().map(|way| way.arm).collect();
    assert_eq!(ways, ["c-api", "pyo3", "ctypes", "pure"], "one mark a way, none for what is absent");
    let discs: Vec<f64> = scene
        .shapes
        .iter()
        .filter_map(|shape| match shape {
            Shape::Disc { center, .. } => Some(center.x),
            Shape::Line { .. } | Shape::Area { .. } | Shape::Text(_) => None,
        })
        .collect();
    // The legend's mark, then one a benchmark: 18, 27, 41.25 and 20,140.2 ns.
    assert_eq!(discs.len(), 5);
    let decade = (discs[4] - discs[1]) / (20_140.2_f64 / 18.0).log10();
    assert!(((discs[2] - discs[1]) / decade - (27.0_f64 / 18.0).log10()).abs() < 0.01, "{discs:?}");
    let labels: Vec<&str> = scene
        .shapes
        .iter()
        .filter_map(|shape| match shape {
            Shape::Text(label) => Some(label.text.as_str()),
            Shape::Line { .. } | Shape::Area { .. } | Shape::Disc { .. } => None,
        })
        .collect();
    assert!(labels.contains(&"10\u{a0}µs") && labels.contains(&"ffi/nothing"), "{labels:?}");
}

#[test]
fn payloads_of_one_size_make_no_chart_of_throughput() {
    let mut fixture = Fixture::calls();
    fixture.plan.benchmarks[3].payload = None;
    let report = fixture.report();
    assert!(!throughput::has_numbers(&View::of(&report)));
    assert!(throughput::has_numbers(&View::of(&Fixture::calls().report())));
}

#[test]
fn a_run_without_numbers_has_no_charts() {
    assert_eq!(charts(&Fixture::failed().report()).expect("no error"), []);
}

#[test]
fn the_claimed_band_lies_where_the_claim_says() {
    paint::load_font().expect("the font");
    let fixture = Fixture::small();
    let report = fixture.report();
    let scene = forest::scene(&View::of(&report));
    let edges: BTreeSet<i64> = scene
        .shapes
        .iter()
        .filter_map(|shape| match shape {
            Shape::Line { from, color, .. } if *color == palette::CLAIM_EDGE && from.y > 100.0 => {
                Some((from.x * 100.0) as i64)
            }
            Shape::Line { .. } | Shape::Area { .. } | Shape::Disc { .. } | Shape::Text(_) => None,
        })
        .collect();
    let zero = scene.shapes.iter().find_map(|shape| match shape {
        Shape::Text(label) if label.text.starts_with("0\u{a0}%") => Some(label.place.x),
        Shape::Line { .. } | Shape::Area { .. } | Shape::Disc { .. } | Shape::Text(_) => None,
    });
    let half = scene.shapes.iter().find_map(|shape| match shape {
        Shape::Text(label) if label.text.starts_with("−50\u{a0}%") => Some(label.place.x),
        Shape::Line { .. } | Shape::Area { .. } | Shape::Disc { .. } | Shape::Text(_) => None,
    });
    let (zero, half) = (zero.expect("a tick at 0 %"), half.expect("a tick at −50 %"));
    let expected = |speed_up: f64| zero - (zero - half) * speed_up.log2();
    for speed_up in [1.1, 1.3] {
        let x = expected(speed_up);
        assert!(edges.iter().any(|edge| (*edge as f64 / 100.0 - x).abs() < 0.1), "{x}: {edges:?}");
    }
}
