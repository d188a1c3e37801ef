//! The axis of ratios: logarithmic, labelled with the change of time.

use crate::report::chart::palette::{GRID, INK, MUTED};
use crate::report::chart::scene::{Anchor, Label, SMALL, Scene, at};
use crate::report::words::NBSP;

/// Changes in percent that a reader knows, the most welcome first. An axis takes those that find room.
const KEY_CHANGES: [f64; 49] = [
    0.0, -50.0, 100.0, -75.0, 300.0, -90.0, 900.0, -20.0, 20.0, 50.0, -10.0, 10.0, -30.0, 30.0, -80.0, -60.0,
    -40.0, -70.0, 200.0, 500.0, -5.0, 5.0, 15.0, -15.0, -2.0, 2.0, -1.0, 1.0, -3.0, 3.0, -4.0, 4.0, -0.5,
    0.5, -0.2, 0.2, -0.1, 0.1, -95.0, -99.0, 2000.0, 5000.0, 10_000.0, 75.0, 400.0, -8.0, 8.0, -7.0, 7.0,
];

/// Room between the labels of two ticks.
const LABEL_GAP: f64 = 10.0;

/// A marked place of an axis.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tick {
    /// Where, in logical pixels.
    pub x: f64,
    /// The change, in words.
    pub label: String,
}

/// Where ratios stand between a left and a right end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Axis {
    /// Natural logarithm of the ratio at the left end.
    lo: f64,
    /// Natural logarithm of the ratio at the right end.
    hi: f64,
    /// The left end.
    pub left: f64,
    /// The right end.
    pub right: f64,
}

impl Axis {
    /// An axis that holds 1 and all ratios, with a little room at both ends.
    pub(crate) fn over(ratios: impl Iterator<Item = f64>, left: f64, right: f64) -> Self {
        let logs = ratios.filter(|ratio| *ratio > 0.0 && ratio.is_finite()).map(f64::ln);
        let (lo, hi) = logs.fold((0.0_f64, 0.0_f64), |(lo, hi), log| (lo.min(log), hi.max(log)));
        let room = ((hi - lo) * 0.04).max(0.005);
        Self { lo: lo - room, hi: hi + room, left, right }
    }

    /// Where a ratio stands; beyond an end, at that end.
    pub(crate) fn x(&self, ratio: f64) -> f64 {
        let share = (ratio.max(f64::MIN_POSITIVE).ln() - self.lo) / (self.hi - self.lo);
        self.left + share.clamp(0.0, 1.0) * (self.right - self.left)
    }

    /// The ticks that find room.
    pub(crate) fn ticks(&self) -> Vec<Tick> {
        let inside = |ratio: f64| ratio > 0.0 && (self.lo..=self.hi).contains(&ratio.ln());
        ticks(inside, |ratio| self.x(ratio))
    }

    /// Draws grid lines, labels above and below, and the line of no change.
    pub(crate) fn draw(&self, scene: &mut Scene, top: f64, bottom: f64) {
        for tick in self.ticks() {
            scene.line(at(tick.x, top), at(tick.x, bottom), 1.0, GRID);
            for y in [top - 9.0, bottom + 9.0] {
                let label = Label::of(tick.label.as_str(), at(tick.x, y)).sized(SMALL).colored(MUTED);
                scene.text(label.anchored(Anchor::Middle));
            }
        }
        scene.line(at(self.x(1.0), top), at(self.x(1.0), bottom), 1.5, INK);
    }
}

/// Key changes that lie inside a range and whose labels do not touch each other, from left to right.
pub(crate) fn ticks(inside: impl Fn(f64) -> bool, place: impl Fn(f64) -> f64) -> Vec<Tick> {
    let mut taken: Vec<(f64, Tick)> = Vec::new();
    for change in KEY_CHANGES {
        let ratio = 1.0 + change / 100.0;
        if !inside(ratio) {
            continue;
        }
        let label = label(change);
        let half = Label::of(label.as_str(), at(0.0, 0.0)).sized(SMALL).width() / 2.0;
        let x = place(ratio);
        if taken.iter().all(|(other, tick)| (tick.x - x).abs() > half + other + LABEL_GAP) {
            taken.push((half, Tick { x, label }));
        }
    }
    let mut ticks: Vec<Tick> = taken.into_iter().map(|(_, tick)| tick).collect();
    ticks.sort_by(|one, other| one.x.total_cmp(&other.x));
    ticks
}

fn label(change: f64) -> String {
    match change {
        0.0 => format!("0{NBSP}%"),
        less if less < 0.0 => format!("−{}{NBSP}%", -less),
        more => format!("+{more}{NBSP}%"),
    }
}

/// Round values from 0 to beyond `most`, for an axis of amounts.
pub(crate) fn round_steps(most: f64, count: usize) -> Vec<f64> {
    if most <= 0.0 || !most.is_finite() {
        return vec![0.0];
    }
    let rough = most / count.max(1) as f64;
    let magnitude = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * magnitude).into_iter().find(|step| *step >= rough);
    let step = step.unwrap_or(magnitude * 10.0);
    (0..=(most / step).ceil() as usize).map(|index| index as f64 * step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::chart::paint;

    fn labels(ratios: &[f64]) -> Vec<String> {
        paint::load_font().expect("the font");
        let axis = Axis::over(ratios.iter().copied(), 100.0, 580.0);
        axis.ticks().into_iter().map(|tick| tick.label.replace(NBSP, " ")).collect()
    }

    #[test]
    fn wide_and_narrow_ranges_have_ticks_on_both_sides() {
        for ratios in [&[0.2, 1.3][..], &[0.995, 1.004], &[0.9, 1.1], &[0.01, 70.0]] {
            let labels = labels(ratios);
            assert!(labels.len() >= 3, "{labels:?}");
            assert!(labels.iter().any(|label| label.starts_with('−')), "{labels:?}");
            assert!(labels.contains(&"0 %".to_owned()), "{labels:?}");
            assert!(labels.iter().any(|label| label.starts_with('+')), "{labels:?}");
        }
    }

    #[test]
    fn halves_and_doubles_stand_as_far_from_one() {
        let axis = Axis::over([0.25, 4.0].into_iter(), 0.0, 100.0);
        assert!((axis.x(1.0) - 50.0).abs() < 1e-9);
        assert!((axis.x(1.0) - axis.x(0.5) - (axis.x(2.0) - axis.x(1.0))).abs() < 1e-9);
        assert_eq!(axis.x(0.0), 0.0);
        assert_eq!(axis.x(1e300), 100.0);
    }

    #[test]
    fn steps_are_round_and_reach_the_most() {
        assert_eq!(round_steps(43.0, 4), [0.0, 20.0, 40.0, 60.0]);
        assert_eq!(round_steps(0.0, 4), [0.0]);
        assert!(*round_steps(2.71, 3).last().expect("a step") >= 2.71);
    }
}
