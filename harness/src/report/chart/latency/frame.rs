//! A plot with two axes.

use crate::report::chart::axis::round_steps;
use crate::report::chart::palette::{Color, GRID, INK, MUTED, PAPER};
use crate::report::chart::scene::{Anchor, Label, MARGIN, Point, SMALL, Scene, Shape, TEXT, at};

/// Size of the plot itself.
const WIDTH: f64 = 620.0;
const HEIGHT: f64 = 320.0;
/// Between the names of two lines.
const LEAST_GAP: f64 = 15.0;

/// How values become places.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scale {
    lo: f64,
    hi: f64,
    logarithmic: bool,
    /// Marked values with their words.
    pub ticks: Vec<(f64, String)>,
}

impl Scale {
    /// A logarithmic scale over values above 0, marked at 1, 2 and 5 of each decade.
    pub(crate) fn logarithmic(values: impl Iterator<Item = f64>, words: fn(f64) -> String) -> Self {
        let (lo, hi) = values
            .filter(|value| *value > 0.0 && value.is_finite())
            .fold((f64::INFINITY, 0.0_f64), |(lo, hi), value| (lo.min(value), hi.max(value)));
        let (lo, hi) = if lo > hi { (1.0, 10.0) } else { (lo / 1.15, hi * 1.15) };
        let decades = (lo.log10().floor() as i32)..=(hi.log10().ceil() as i32);
        let wide = hi / lo > 1e4;
        let marks: &[f64] = if wide { &[1.0] } else { &[1.0, 2.0, 5.0] };
        let all = decades.flat_map(|decade| marks.iter().map(move |mark| mark * 10f64.powi(decade)));
        let ticks =
            all.filter(|value| (lo..=hi).contains(value)).map(|value| (value, words(value))).collect();
        Self { lo, hi, logarithmic: true, ticks }
    }

    /// A linear scale from 0.
    pub(crate) fn linear(most: f64, words: fn(f64) -> String) -> Self {
        let steps = round_steps(most, 5);
        let hi = steps.last().copied().filter(|hi| *hi > 0.0).unwrap_or(1.0);
        Self {
            lo: 0.0,
            hi,
            logarithmic: false,
            ticks: steps.into_iter().map(|step| (step, words(step))).collect(),
        }
    }

    /// A linear scale with marks of its own.
    pub(crate) fn marked(lo: f64, hi: f64, ticks: Vec<(f64, String)>) -> Self {
        Self { lo, hi, logarithmic: false, ticks }
    }

    /// From 0 to 1.
    pub(crate) fn share(&self, value: f64) -> f64 {
        let of = |value: f64| if self.logarithmic { value.max(f64::MIN_POSITIVE).log10() } else { value };
        ((of(value) - of(self.lo)) / (of(self.hi) - of(self.lo))).clamp(0.0, 1.0)
    }
}

/// A plot below a title.
pub(crate) struct Frame {
    pub scene: Scene,
    left: f64,
    top: f64,
    x: Scale,
    y: Scale,
    /// Names at the right end of lines: where they would like to stand.
    names: Vec<(f64, String, Color)>,
}

impl Frame {
    /// Draws axes and marks in a scene of their own, or below what a scene holds already.
    pub(crate) fn new(
        mut scene: Scene,
        top: f64,
        (x, x_title): (Scale, &str),
        (y, y_title): (Scale, &str),
    ) -> Self {
        let width = |words: &String| Label::of(words.as_str(), at(0.0, 0.0)).sized(SMALL).width();
        let left = MARGIN + y.ticks.iter().map(|(_, words)| width(words)).fold(0.0, f64::max) + 10.0;
        let top = top + TEXT + 6.0;
        scene.text(Label::of(y_title, at(MARGIN, top - TEXT)).sized(SMALL).colored(MUTED));
        let frame = Self { scene, left, top, x, y, names: Vec::new() };
        frame.with_axes(x_title)
    }

    fn with_axes(mut self, x_title: &str) -> Self {
        let bottom = self.top + HEIGHT;
        for (value, words) in self.y.ticks.clone() {
            let y = self.y_of(value);
            self.scene.line(at(self.left, y), at(self.left + WIDTH, y), 1.0, GRID);
            let label = Label::of(words, at(0.0, y)).sized(SMALL).colored(MUTED);
            let x = self.left - 8.0 - label.width();
            self.scene.text(Label { place: at(x, y), ..label });
        }
        for (value, words) in self.x.ticks.clone() {
            let x = self.x_of(value);
            self.scene.line(at(x, self.top), at(x, bottom), 1.0, GRID);
            let label = Label::of(words, at(x, bottom + 11.0)).sized(SMALL).colored(MUTED);
            self.scene.text(label.anchored(Anchor::Middle));
        }
        self.scene.line(at(self.left, bottom), at(self.left + WIDTH, bottom), 1.5, INK);
        let middle = at(self.left + WIDTH / 2.0, bottom + 30.0);
        self.scene.text(Label::of(x_title, middle).sized(SMALL).anchored(Anchor::Middle));
        self
    }

    fn x_of(&self, value: f64) -> f64 {
        self.left + self.x.share(value) * WIDTH
    }

    fn y_of(&self, value: f64) -> f64 {
        self.top + (1.0 - self.y.share(value)) * HEIGHT
    }

    fn place(&self, (x, y): (f64, f64)) -> Point {
        at(self.x_of(x), self.y_of(y))
    }

    /// Draws a line through points and remembers its name for its right end.
    pub(crate) fn curve(&mut self, points: &[(f64, f64)], name: &str, color: Color, dashed: bool) {
        let mut along = 0.0;
        for pair in points.windows(2) {
            let (from, to) = (self.place(pair[0]), self.place(pair[1]));
            if dashed {
                along = self.dashes(from, to, color, along);
            } else {
                self.scene.line(from, to, 2.0, color);
            }
        }
        if let Some(last) = points.last() {
            let place = self.place(*last);
            self.scene.shapes.push(Shape::Disc { center: place, radius: 3.0, color, opacity: 1.0 });
            self.names.push((place.y, name.to_owned(), color));
        }
    }

    /// Draws a piece of a dashed line that is `along` pixels long already. Returns how long it is then.
    fn dashes(&mut self, from: Point, to: Point, color: Color, along: f64) -> f64 {
        const DASH: f64 = 6.0;
        let length = (to.x - from.x).hypot(to.y - from.y);
        let on = |share: f64| at(from.x + (to.x - from.x) * share, from.y + (to.y - from.y) * share);
        let mut done = 0.0;
        while done < length {
            let place = (along + done) / DASH;
            // Never nothing: at a border of two dashes the rest may round to zero.
            let step = ((place.floor() + 1.0 - place) * DASH).max(0.01).min(length - done);
            if (place.floor() as u64).is_multiple_of(2) {
                self.scene.line(on(done / length), on((done + step) / length), 2.0, color);
            }
            done += step;
        }
        along + length
    }

    /// Draws a point: filled, or a ring.
    pub(crate) fn dot(&mut self, point: (f64, f64), color: Color, filled: bool) {
        let center = self.place(point);
        self.scene.shapes.push(Shape::Disc { center, radius: 4.5, color, opacity: 1.0 });
        if !filled {
            self.scene.shapes.push(Shape::Disc { center, radius: 2.8, color: PAPER, opacity: 1.0 });
        }
    }

    /// Draws a dashed level across the plot, with its words above its left end.
    pub(crate) fn level(&mut self, value: f64, words: &str, color: Color) {
        let y = self.y_of(value);
        let mut x = self.left;
        while x < self.left + WIDTH {
            self.scene.line(at(x, y), at((x + 5.0).min(self.left + WIDTH), y), 1.5, color);
            x += 9.0;
        }
        self.scene.text(Label::of(words, at(self.left + 6.0, y - 9.0)).sized(SMALL).colored(color));
    }

    /// Draws a dashed upright, with its words beside its top.
    pub(crate) fn upright(&mut self, value: f64, words: &str, color: Color) {
        let x = self.x_of(value);
        self.scene.dashes(x, self.top, self.top + HEIGHT, color);
        let label = Label::of(words, at(x + 6.0, self.top + 10.0)).sized(SMALL).colored(color);
        // On the left, where it fits: a capacity has its steep rise on its right.
        let left = x - 6.0 - label.width();
        let place = if left > self.left { at(left, self.top + 10.0) } else { label.place };
        self.scene.text(Label { place, ..label });
    }

    /// Writes the names, apart from each other. Returns the scene and where the next thing may begin.
    pub(crate) fn end(mut self) -> (Scene, f64) {
        self.names.sort_by(|one, other| one.0.total_cmp(&other.0));
        let mut last = f64::NEG_INFINITY;
        let lowest = self.top + HEIGHT - LEAST_GAP * self.names.len() as f64;
        for (index, (y, name, color)) in self.names.iter().enumerate() {
            // None may be pushed below the plot by those that still follow.
            let y = y.min(lowest + LEAST_GAP * (index + 1) as f64).max(last + LEAST_GAP);
            last = y;
            let place = at(self.left + WIDTH + 10.0, y);
            self.scene.text(Label::of(name.as_str(), place).sized(SMALL).colored(*color));
        }
        (self.scene, self.top + HEIGHT + 30.0 + TEXT)
    }
}
