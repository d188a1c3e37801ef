//! Every row of a gate: its change with the interval that it was judged by, and what may pass.

use crate::judge::{GateReport, GateRow, GateVerdict};
use crate::report::chart::axis::Axis;
use crate::report::chart::forest::{GAP, GROUP, PITCH, PLOT, capital, widest};
use crate::report::chart::marker::{Mark, legend};
use crate::report::chart::palette::{CLAIM_EDGE, INK, MUTED, QUIET, STRIPE};
use crate::report::chart::scene::{Anchor, Label, MARGIN, SMALL, Scene, TEXT, at};
use crate::report::chart::{Chart, ChartError, Drawing, paint};
use crate::report::gate::{GateView, answer, change_text, has_lower_end, several_arms, shown, word};
use crate::rows::gate_row_name;
use crate::stats::Interval;

/// The chart's file name.
const NAME: &str = "gate";
/// Height of a row.
const ROW: f64 = PITCH + 2.0 * GROUP;

/// The chart of a gate; `None` where no row has a number.
///
/// # Errors
/// When the font, the drawing library or the encoder fails; never because of the numbers.
pub fn gate_chart(view: &GateView<'_>) -> Result<Option<Chart>, ChartError> {
    paint::load_font()?;
    drawing(view).as_ref().map(paint::chart).transpose()
}

/// The chart as SVG alone.
#[cfg(test)]
pub(crate) fn gate_picture(view: &GateView<'_>) -> Option<String> {
    paint::load_font().expect("the font");
    drawing(view).map(|drawing| paint::svg(&drawing.scene, &drawing.title).expect("a picture"))
}

/// Where a row stands: its ratio, and the interval where it has one.
fn place(row: &GateRow) -> Option<(f64, Option<Interval>)> {
    let exact = || match (row.reference, row.value) {
        (Some(reference), Some(value)) if reference > 0.0 && value > 0.0 => Some((value / reference, None)),
        _ => None,
    };
    shown(row).map(|shown| (shown.ratio, Some(shown.interval))).or_else(exact)
}

fn drawing(view: &GateView<'_>) -> Option<Drawing> {
    let rows = &view.report.rows;
    if !rows.iter().any(|row| place(row).is_some()) {
        return None;
    }
    let title = capital(&answer(view));
    let names: Vec<String> = rows.iter().map(|row| name(view.report, row)).collect();
    let texts: Vec<String> = rows.iter().map(text).collect();
    let left = MARGIN + widest(names.iter().map(String::as_str), TEXT) + GAP;
    let right = left + PLOT;
    let width = right + GAP + widest(texts.iter().map(String::as_str), SMALL) + MARGIN;
    let axis = Axis::over(reach(view.report), left, right);

    let mut scene = Scene::new();
    let y = scene.title(&title, &[view.head.join(" · ")]);
    let top = legend(&mut scene, &marks(), y, width) + 22.0;
    let bottom = top + ROW * rows.len() as f64;
    for (index, row) in rows.iter().enumerate() {
        let (from, to) = (top + ROW * index as f64, top + ROW * (index + 1) as f64);
        if index % 2 == 0 {
            scene.rectangle(at(MARGIN / 2.0, from), at(width - MARGIN / 2.0, to), STRIPE);
        }
        let threshold = row.bounds.noise_threshold;
        scene.rectangle(at(axis.x(1.0 - threshold), from), at(axis.x(1.0 + threshold), to), QUIET);
    }
    axis.draw(&mut scene, top, bottom);
    for (index, row) in rows.iter().enumerate() {
        let (from, y) = (top + ROW * index as f64, top + ROW * (index as f64 + 0.5));
        scene.dashes(axis.x(1.0 + row.bounds.tolerance), from, from + ROW, CLAIM_EDGE);
        let color = if place(row).is_some() { INK } else { MUTED };
        scene.text(Label::of(names[index].as_str(), at(MARGIN, y)));
        scene.text(Label::of(texts[index].as_str(), at(right + GAP, y)).sized(SMALL).colored(color));
        draw_row(&mut scene, row, &axis, y);
    }
    let label = "change against the reference (logarithmic scale)";
    scene.text(Label::of(label, at((left + right) / 2.0, bottom + 28.0)).anchored(Anchor::Middle));
    let width = width.max(scene.text_end() + MARGIN);
    Some(Drawing { name: NAME, title, scene: scene.finish(width, bottom + 28.0 + TEXT + MARGIN / 2.0) })
}

fn name(report: &GateReport, row: &GateRow) -> String {
    let arm = if several_arms(report) { format!(", {}", row.arm) } else { String::new() };
    format!("{}{arm}", gate_row_name(row))
}

/// What stands beside a row.
fn text(row: &GateRow) -> String {
    match (row.verdict.clone(), change_text(row)) {
        (GateVerdict::Identical, _) => "identical code".to_owned(),
        (_, Some(change)) => format!("{change} {}", word(row)),
        (_, None) => word(row).to_owned(),
    }
}

/// Every ratio that the axis must hold. An open lower end is none.
fn reach(report: &GateReport) -> impl Iterator<Item = f64> + '_ {
    report.rows.iter().filter_map(|row| Some((row, place(row)?))).flat_map(|(row, (ratio, interval))| {
        let ends = interval.map(|interval| {
            [Some(interval.lo).filter(|lo| has_lower_end(*lo)), Some(interval.hi)].into_iter().flatten()
        });
        ends.into_iter().flatten().chain([ratio, 1.0 + row.bounds.tolerance])
    })
}

fn marks() -> Vec<(Mark, String)> {
    let items = [
        (Mark::Same, "passes"),
        (Mark::Slower, "regressed or failed"),
        (Mark::Open, "cannot tell, or no counterpart"),
        (Mark::QuietBand, "within the noise threshold"),
        (Mark::ToleranceLine, "tolerance: an interval that ends before it passes"),
    ];
    items.map(|(mark, text)| (mark, text.to_owned())).into()
}

fn mark(row: &GateRow) -> Mark {
    match row.verdict {
        GateVerdict::Passed | GateVerdict::Identical => Mark::Same,
        GateVerdict::Regressed | GateVerdict::Failed => Mark::Slower,
        GateVerdict::Unmatched { .. } | GateVerdict::Inconclusive => Mark::Open,
    }
}

fn draw_row(scene: &mut Scene, row: &GateRow, axis: &Axis, y: f64) {
    let Some((ratio, interval)) = place(row) else { return };
    let mark = mark(row);
    if let Some(Interval { lo, hi }) = interval {
        let (from, to) = (axis.x(lo), axis.x(hi));
        scene.line(at(from, y), at(to, y), 1.5, mark.color());
        let ends = [Some(from).filter(|_| has_lower_end(lo)), Some(to)];
        for end in ends.into_iter().flatten() {
            scene.line(at(end, y - 3.0), at(end, y + 3.0), 1.5, mark.color());
        }
    }
    mark.draw(scene, at(axis.x(ratio), y), 4.2);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::{Allowed, Shown, gate_report};
    use crate::plan::{Bounds, Measure};

    fn row(benchmark: &str, verdict: GateVerdict, shown: Option<(f64, f64, f64)>) -> GateRow {
        let shown = shown.map(|(ratio, lo, hi)| Shown {
            ratio,
            interval: Interval { lo, hi },
            launch_sd: 0.01,
            launches: 16,
        });
        GateRow {
            benchmark: benchmark.to_owned(),
            arm: "x86-64".to_owned(),
            measure: Measure::Time,
            reference: shown.map(|_| 100.0),
            value: shown.map(|shown| 100.0 * shown.ratio),
            bounds: Bounds { noise_threshold: 0.01, tolerance: 0.05 },
            screening: shown,
            confirmation: None,
            verdict,
            why: String::new(),
        }
    }

    fn picture(rows: Vec<GateRow>) -> Option<String> {
        let report = gate_report(rows, Vec::new(), Allowed::Nothing);
        let head = ["a machine".to_owned()];
        gate_picture(&GateView {
            head: &head,
            report: &report,
            false_alarms: None,
            seconds: 1.0,
            warnings: &[],
            stopped: false,
        })
    }

    #[test]
    fn every_row_is_there_with_its_verdict_in_words() {
        let size = GateRow {
            measure: Measure::FileSize,
            value: Some(103.0),
            reference: Some(100.0),
            ..row("executable", GateVerdict::Passed, None)
        };
        let svg = picture(vec![
            row("slow", GateVerdict::Regressed, Some((1.1, 1.08, 1.12))),
            row("early", GateVerdict::Passed, Some((1.0, 0.0, 1.01))),
            row("same", GateVerdict::Identical, None),
            size,
        ])
        .unwrap()
        .replace('\u{a0}', " ");
        for words in [
            "+10.0 % [+8.0, +12.0] REGRESSED",
            "[–, +1.0] passes",
            "identical code",
            "executable (file size)",
        ] {
            assert!(svg.contains(words), "{words} in {svg}");
        }
        // An open lower end does not stretch the axis.
        assert!(!svg.contains("−50"), "{svg}");
    }

    #[test]
    fn a_gate_without_numbers_has_no_chart() {
        assert_eq!(picture(vec![row("same", GateVerdict::Identical, None)]), None);
    }
}
