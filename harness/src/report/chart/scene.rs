//! A drawing as data, in logical pixels from the upper left corner.

use crate::report::chart::paint;
use crate::report::chart::palette::{Color, INK, MUTED, PAPER};
use crate::report::words::visible;

/// The distance of everything from the edges.
pub(crate) const MARGIN: f64 = 16.0;
/// The size of common text.
pub(crate) const TEXT: f64 = 13.0;
/// The size of a chart's title.
const TITLE: f64 = 18.0;
/// The size of small text.
pub(crate) const SMALL: f64 = 11.5;

/// A place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point {
    /// From the left.
    pub x: f64,
    /// From the top.
    pub y: f64,
}

/// A place, shortly.
pub(crate) fn at(x: f64, y: f64) -> Point {
    Point { x, y }
}

/// Which end of a text stands at its place; its middle height always does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    /// It begins there.
    Start,
    /// Its middle is there.
    Middle,
}

/// A text in a chart.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Label {
    /// What it says.
    pub text: String,
    /// Where it stands.
    pub place: Point,
    /// The height of its line.
    pub size: f64,
    /// Its colour.
    pub color: Color,
    /// Which end of it stands there.
    pub anchor: Anchor,
}

impl Label {
    /// A text of common size in ink, beginning at a place.
    pub(crate) fn of(text: impl Into<String>, place: Point) -> Self {
        Self { text: visible(&text.into()), place, size: TEXT, color: INK, anchor: Anchor::Start }
    }

    /// The same in another size.
    pub(crate) fn sized(self, size: f64) -> Self {
        Self { size, ..self }
    }

    /// The same in another colour.
    pub(crate) fn colored(self, color: Color) -> Self {
        Self { color, ..self }
    }

    /// The same with another end at its place.
    pub(crate) fn anchored(self, anchor: Anchor) -> Self {
        Self { anchor, ..self }
    }

    /// How wide it is.
    pub(crate) fn width(&self) -> f64 {
        paint::text_width(&self.text, self.size)
    }
}

/// One thing that is drawn.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Shape {
    /// A straight line.
    Line {
        /// Its one end.
        from: Point,
        /// Its other end.
        to: Point,
        /// Its thickness.
        width: f64,
        /// Its colour.
        color: Color,
    },
    /// A filled polygon.
    Area {
        /// Its corners.
        corners: Vec<Point>,
        /// Its colour.
        color: Color,
        /// From 0 to 1.
        opacity: f64,
    },
    /// A filled circle.
    Disc {
        /// Its centre.
        center: Point,
        /// Its radius.
        radius: f64,
        /// Its colour.
        color: Color,
        /// From 0 to 1.
        opacity: f64,
    },
    /// A text.
    Text(Label),
}

/// A whole drawing.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scene {
    /// Its width.
    pub width: f64,
    /// Its height.
    pub height: f64,
    /// What is drawn, the undermost first.
    pub shapes: Vec<Shape>,
}

impl Scene {
    /// An empty drawing, to be given its size by [`Scene::finish`].
    pub(crate) fn new() -> Self {
        Self { width: 0.0, height: 0.0, shapes: Vec::new() }
    }

    /// Fixes the size and lays the ground.
    pub(crate) fn finish(mut self, width: f64, height: f64) -> Self {
        self.width = width.ceil();
        self.height = height.ceil();
        let corners = rectangle(at(0.0, 0.0), at(self.width, self.height));
        self.shapes.insert(0, Shape::Area { corners, color: PAPER, opacity: 1.0 });
        self
    }

    /// Draws a title with lines of explanation below it. Returns where the drawing may begin, from the top.
    pub(crate) fn title(&mut self, title: &str, lines: &[String]) -> f64 {
        let mut y = MARGIN + TITLE / 2.0;
        self.text(Label::of(title, at(MARGIN, y)).sized(TITLE));
        y += TITLE / 2.0;
        for line in lines {
            y += SMALL;
            self.text(Label::of(line.as_str(), at(MARGIN, y)).sized(SMALL).colored(MUTED));
            y += 4.0;
        }
        y + 12.0
    }

    /// Draws a line.
    pub(crate) fn line(&mut self, from: Point, to: Point, width: f64, color: Color) {
        self.shapes.push(Shape::Line { from, to, width, color });
    }

    /// Draws a dashed vertical line.
    pub(crate) fn dashes(&mut self, x: f64, top: f64, bottom: f64, color: Color) {
        let mut y = top;
        while y < bottom {
            self.line(at(x, y), at(x, (y + 4.0).min(bottom)), 1.0, color);
            y += 7.0;
        }
    }

    /// Draws a filled rectangle.
    pub(crate) fn rectangle(&mut self, min: Point, max: Point, color: Color) {
        self.area(rectangle(min, max), color);
    }

    /// Draws a filled polygon.
    pub(crate) fn area(&mut self, corners: Vec<Point>, color: Color) {
        self.shapes.push(Shape::Area { corners, color, opacity: 1.0 });
    }

    /// Draws a closed outline.
    pub(crate) fn outline(&mut self, corners: &[Point], width: f64, color: Color) {
        for (index, corner) in corners.iter().enumerate() {
            self.line(*corner, corners[(index + 1) % corners.len()], width, color);
        }
    }

    /// Draws a text.
    pub(crate) fn text(&mut self, label: Label) {
        self.shapes.push(Shape::Text(label));
    }

    /// Fills a rectangle with slanted lines: there is nothing to show.
    pub(crate) fn hatch(&mut self, min: Point, max: Point, color: Color) {
        const STEP: f64 = 7.0;
        let (width, height) = (max.x - min.x, max.y - min.y);
        let mut offset = STEP;
        while offset < width + height {
            let from = at(min.x + (offset - height).max(0.0), min.y + offset.min(height));
            let to = at(min.x + offset.min(width), min.y + (offset - width).max(0.0));
            self.line(from, to, 1.0, color);
            offset += STEP;
        }
    }

    /// The right end of the rightmost text.
    pub(crate) fn text_end(&self) -> f64 {
        let ends = self.shapes.iter().map(|shape| match shape {
            Shape::Text(label) => {
                let share = match label.anchor {
                    Anchor::Start => 1.0,
                    Anchor::Middle => 0.5,
                };
                label.place.x + label.width() * share
            }
            Shape::Line { .. } | Shape::Area { .. } | Shape::Disc { .. } => 0.0,
        });
        ends.fold(0.0, f64::max)
    }
}

/// The corners of a rectangle.
pub(crate) fn rectangle(min: Point, max: Point) -> Vec<Point> {
    vec![min, at(max.x, min.y), max, at(min.x, max.y)]
}
