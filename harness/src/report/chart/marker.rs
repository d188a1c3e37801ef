//! Marks of verdicts, and legends that explain them.

use crate::judge::Verdict;
use crate::report::chart::palette::{BETTER, CLAIM, CLAIM_EDGE, Color, INK, PAPER, QUIET, SAME, WORSE};
use crate::report::chart::scene::{Label, MARGIN, Point, SMALL, Scene, Shape, at, rectangle};

/// A mark: its shape says what its colour says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// A triangle that points down.
    Faster,
    /// A triangle that points up.
    Slower,
    /// A square.
    Same,
    /// A ring.
    Open,
    /// A hollow diamond: a control.
    Control,
    /// A filled diamond: a mean.
    Mean,
    /// A band of changes that count as none.
    QuietBand,
    /// The claimed band.
    ClaimBand,
    /// A dashed line: what may pass.
    ToleranceLine,
    /// A hatched cell.
    Hatched,
}

impl Mark {
    /// The mark of a verdict.
    pub(crate) fn of(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Improved => Self::Faster,
            Verdict::Regressed => Self::Slower,
            Verdict::NoChange => Self::Same,
            Verdict::Inconclusive { .. } => Self::Open,
        }
    }

    /// Its colour.
    pub(crate) fn color(self) -> Color {
        match self {
            Self::Faster => BETTER,
            Self::Slower => WORSE,
            Self::Same | Self::Control | Self::Hatched => SAME,
            Self::Open | Self::Mean => INK,
            Self::QuietBand => QUIET,
            Self::ClaimBand => CLAIM,
            Self::ToleranceLine => CLAIM_EDGE,
        }
    }

    /// Draws it around a place.
    pub(crate) fn draw(self, scene: &mut Scene, center: Point, radius: f64) {
        let color = self.color();
        let point = |x: f64, y: f64| at(center.x + x * radius, center.y + y * radius);
        let diamond = vec![point(0.0, -1.2), point(1.2, 0.0), point(0.0, 1.2), point(-1.2, 0.0)];
        let square = rectangle(point(-0.8, -0.8), point(0.8, 0.8));
        let patch = rectangle(point(-1.6, -1.0), point(1.6, 1.0));
        match self {
            Self::Faster => scene.area(vec![point(-1.1, -0.9), point(1.1, -0.9), point(0.0, 1.1)], color),
            Self::Slower => scene.area(vec![point(-1.1, 0.9), point(1.1, 0.9), point(0.0, -1.1)], color),
            Self::Same => scene.area(square, color),
            Self::Open => {
                scene.shapes.push(Shape::Disc { center, radius, color, opacity: 1.0 });
                let hole = Shape::Disc { center, radius: radius * 0.6, color: PAPER, opacity: 1.0 };
                scene.shapes.push(hole);
            }
            Self::Control => {
                scene.area(diamond.clone(), PAPER);
                scene.outline(&diamond, 1.5, color);
            }
            Self::Mean => scene.area(diamond, color),
            Self::QuietBand => scene.area(patch, color),
            Self::ClaimBand => {
                scene.area(patch.clone(), color);
                scene.outline(&patch, 1.0, CLAIM_EDGE);
            }
            Self::ToleranceLine => scene.dashes(center.x, center.y - 6.0, center.y + 6.0, color),
            Self::Hatched => {
                scene.hatch(patch[0], patch[2], color);
                scene.outline(&patch, 1.0, color);
            }
        }
    }
}

/// Marks with their meaning, in lines of at most `width`. Returns where the next thing may begin.
pub(crate) fn legend(scene: &mut Scene, items: &[(Mark, String)], top: f64, width: f64) -> f64 {
    let (mut x, mut y) = (MARGIN, top + SMALL / 2.0);
    for (mark, text) in items {
        let label = Label::of(text.as_str(), at(0.0, 0.0)).sized(SMALL);
        let needed = 18.0 + label.width() + 18.0;
        if x > MARGIN && x + needed > width - MARGIN {
            x = MARGIN;
            y += SMALL + 7.0;
        }
        mark.draw(scene, at(x + 7.0, y), 4.2);
        scene.text(Label { place: at(x + 18.0, y), ..label });
        x += needed;
    }
    y + SMALL / 2.0 + 12.0
}
