//! The mark of each way to call a library: its form tells what its colour tells.

use crate::plan::Shape as CallShape;
use crate::report::chart::palette::{BETTER, CLAIM_EDGE, Color, INK, PAPER, SAME, WORSE};
use crate::report::chart::scene::{Label, MARGIN, Point, SMALL, Scene, Shape, at, rectangle};

/// The colour of a way to call.
pub(crate) fn color(shape: CallShape) -> Color {
    match shape {
        CallShape::CApi => INK,
        CallShape::Pyo3 | CallShape::Direct => BETTER,
        CallShape::Ctypes => WORSE,
        CallShape::Pure => SAME,
        CallShape::Cython | CallShape::Nanobind => CLAIM_EDGE,
    }
}

/// Draws the mark of a way to call around a place.
pub(crate) fn draw(scene: &mut Scene, shape: CallShape, center: Point, radius: f64) {
    let color = color(shape);
    let point = |x: f64, y: f64| at(center.x + x * radius, center.y + y * radius);
    match shape {
        CallShape::CApi => scene.rectangle(point(-0.35, -1.3), point(0.35, 1.3), color),
        CallShape::Pyo3 => scene.shapes.push(Shape::Disc { center, radius, color, opacity: 1.0 }),
        CallShape::Direct => {
            scene.area(vec![point(-1.1, -0.9), point(1.1, -0.9), point(0.0, 1.1)], color);
        }
        CallShape::Ctypes => scene.area(vec![point(-1.1, 0.9), point(1.1, 0.9), point(0.0, -1.1)], color),
        CallShape::Pure => {
            let corners = rectangle(point(-0.9, -0.9), point(0.9, 0.9));
            scene.area(corners.clone(), PAPER);
            scene.outline(&corners, 1.8, color);
        }
        CallShape::Cython => {
            scene.area(vec![point(0.0, -1.2), point(1.2, 0.0), point(0.0, 1.2), point(-1.2, 0.0)], color);
        }
        CallShape::Nanobind => {
            scene.line(point(-1.0, -1.0), point(1.0, 1.0), 2.0, color);
            scene.line(point(-1.0, 1.0), point(1.0, -1.0), 2.0, color);
        }
    }
}

/// Marks with the arms that they stand for, on one line. Returns where the next thing may begin.
pub(crate) fn legend(scene: &mut Scene, items: &[(CallShape, &str)], top: f64) -> f64 {
    let (mut x, y) = (MARGIN, top + SMALL / 2.0);
    for (shape, name) in items {
        draw(scene, *shape, at(x + 6.0, y), 4.6);
        let label = Label::of(*name, at(x + 17.0, y)).sized(SMALL);
        x += 17.0 + label.width() + 20.0;
        scene.text(label);
    }
    y + SMALL / 2.0 + 10.0
}
