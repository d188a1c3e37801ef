//! Every ratio with its interval, grouped by benchmark.

use crate::analyse::Row;
use crate::plan::{Margin, Role};
use crate::report::chart::axis::Axis;
use crate::report::chart::marker::{Mark, legend};
use crate::report::chart::palette::{CLAIM, CLAIM_EDGE, INK, MUTED, QUIET, STRIPE};
use crate::report::chart::scene::{Anchor, Label, MARGIN, SMALL, Scene, TEXT, at};
use crate::report::view::{Cell, View};
use crate::report::{reasons, words};
use crate::stats::Interval;

/// The chart's file name.
pub(crate) const NAME: &str = "forest";

/// Height of one line.
pub(crate) const PITCH: f64 = 15.0;
/// Room above and below a group's lines.
pub(crate) const GROUP: f64 = 5.0;
/// Width of the plot itself.
pub(crate) const PLOT: f64 = 600.0;
/// Room between columns.
pub(crate) const GAP: f64 = 14.0;

/// One line of the chart.
struct Line {
    arm: String,
    mark: Mark,
    point: Option<Estimate>,
    text: String,
}

/// A ratio with its interval.
#[derive(Clone, Copy)]
struct Estimate {
    ratio: f64,
    interval: Interval,
}

/// The lines of one benchmark.
struct Group {
    name: String,
    lines: Vec<Line>,
}

/// Whether there is a ratio with an interval.
pub(crate) fn has_numbers(view: &View<'_>) -> bool {
    view.judged().any(|judged| judged.row.estimate.is_some())
}

/// What the chart shows.
pub(crate) fn title(view: &View<'_>) -> String {
    capital(&format!("{} against {}, suite {}", view.quantity(), view.baseline, view.report.plan.suite))
}

/// A line with a capital at its beginning.
pub(crate) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Draws it.
pub(crate) fn scene(view: &View<'_>) -> Scene {
    let groups = groups(view);
    let names = widest(groups.iter().map(|group| group.name.as_str()), TEXT);
    let arms = widest(groups.iter().flat_map(|group| &group.lines).map(|line| line.arm.as_str()), SMALL);
    let texts = widest(groups.iter().flat_map(|group| &group.lines).map(|line| line.text.as_str()), SMALL);
    let arms_at = MARGIN + names + GAP;
    let left = arms_at + arms + GAP;
    let right = left + PLOT;
    let width = right + GAP + texts + MARGIN;
    let margins = claimed(view);
    let axis = Axis::over(reach(&groups, &margins), left, right);

    let mut scene = Scene::new();
    let y = scene.title(&title(view), &subtitle(view));
    let y = legend(&mut scene, &marks(view, &margins), y, width);
    let top = y + 22.0;
    let height: f64 = groups.iter().map(group_height).sum();
    ground(&mut scene, &groups, top, width);
    bands(&mut scene, view, &axis, &margins, top, top + height);
    axis.draw(&mut scene, top, top + height);
    let mut y = top;
    for group in &groups {
        scene.text(Label::of(group.name.as_str(), at(MARGIN, y + GROUP + PITCH / 2.0)));
        for (index, line) in group.lines.iter().enumerate() {
            draw_line(&mut scene, line, &axis, y + GROUP + PITCH * (index as f64 + 0.5), arms_at);
        }
        y += group_height(group);
    }
    let label = axis_title(view);
    scene.text(Label::of(label, at((left + right) / 2.0, y + 28.0)).anchored(Anchor::Middle));
    let width = width.max(scene.text_end() + MARGIN);
    scene.finish(width, y + 28.0 + TEXT + MARGIN / 2.0)
}

/// The widest of some texts.
pub(crate) fn widest<'a>(texts: impl Iterator<Item = &'a str>, size: f64) -> f64 {
    texts.map(|text| Label::of(text, at(0.0, 0.0)).sized(size).width()).fold(0.0, f64::max)
}

fn group_height(group: &Group) -> f64 {
    group.lines.len() as f64 * PITCH + 2.0 * GROUP
}

/// What an axis of ratios shows.
pub(crate) fn axis_title(view: &View<'_>) -> String {
    format!("change of {} against {} (logarithmic scale)", view.quantity(), view.baseline)
}

/// Machine and sample behind a chart, in two lines.
pub(crate) fn subtitle(view: &View<'_>) -> Vec<String> {
    let report = view.report;
    vec![
        report.environment.class_and_compiler(),
        format!(
            "{}; 95 % intervals over launches; record {}",
            words::counted(report.analysis.launches as usize, "launch"),
            report.meta.name
        ),
    ]
}

/// The claimed ranges of speed-ups, each once.
fn claimed(view: &View<'_>) -> Vec<Margin> {
    let mut margins: Vec<Margin> = Vec::new();
    for claim in view.report.plan.claims.iter().filter(|claim| claim.baseline == view.baseline) {
        if !margins.contains(&claim.margin) {
            margins.push(claim.margin);
        }
    }
    margins
}

/// Every ratio that the axis must hold.
fn reach<'a>(groups: &'a [Group], margins: &'a [Margin]) -> impl Iterator<Item = f64> + 'a {
    let points = groups.iter().flat_map(|group| &group.lines).filter_map(|line| line.point);
    let ends = margins.iter().flat_map(|margin| [1.0 / margin.lo, 1.0 / margin.hi]);
    points.flat_map(|point| [point.interval.lo, point.interval.hi, point.ratio]).chain(ends)
}

fn marks(view: &View<'_>, margins: &[Margin]) -> Vec<(Mark, String)> {
    let threshold = words::percent(view.report.judgement.policy.noise_threshold);
    let (less, more) = view.directions();
    let mut items = vec![
        (Mark::Faster, less.to_owned()),
        (Mark::Slower, more.to_owned()),
        (Mark::Same, "no change".to_owned()),
        (Mark::Open, "cannot tell".to_owned()),
    ];
    if !view.controls.is_empty() {
        items.push((Mark::Control, format!("A/A control ({} again)", view.baseline)));
    }
    if view.has_means() {
        items.push((Mark::Mean, "geometric mean".to_owned()));
    }
    items.push((Mark::QuietBand, format!("within ± {threshold}: no change")));
    for margin in margins {
        items.push((Mark::ClaimBand, format!("claimed: {} faster", words::margin(*margin))));
    }
    items
}

fn groups(view: &View<'_>) -> Vec<Group> {
    let arms = || view.columns.iter().chain(&view.controls);
    let mut groups: Vec<Group> = view
        .benchmarks()
        .iter()
        .map(|benchmark| {
            let lines = arms().map(|arm| line(&view.cell(&benchmark.name, &arm.name), &arm.name)).collect();
            Group { name: benchmark.name.clone(), lines }
        })
        .collect();
    let means: Vec<Line> = arms().filter_map(|arm| mean(view, &arm.name)).collect();
    if view.has_means() && !means.is_empty() {
        groups.push(Group { name: "geometric mean".to_owned(), lines: means });
    }
    groups
}

fn line(cell: &Cell<'_>, arm: &str) -> Line {
    let arm = arm.to_owned();
    match cell {
        Cell::Measured(judged) => {
            let control = judged.row.role == Role::Control;
            let mark = if control { Mark::Control } else { Mark::of(judged.verdict) };
            Line { arm, mark, point: estimate(judged.row), text: crate::report::sheet::judged(*judged).text }
        }
        Cell::Failed(reason) => empty(arm, reasons::label(reason)),
        Cell::NoBaseline => empty(arm, "no baseline".to_owned()),
        Cell::Nothing => empty(arm, "no data".to_owned()),
    }
}

fn empty(arm: String, text: String) -> Line {
    Line { arm, mark: Mark::Hatched, point: None, text }
}

fn estimate(row: &Row) -> Option<Estimate> {
    row.estimate.map(|estimate| Estimate { ratio: estimate.ratio, interval: estimate.interval })
}

fn mean(view: &View<'_>, arm: &str) -> Option<Line> {
    let control = view.report.judgement.controls.iter().find(|control| control.arm == arm);
    let (mark, point) = match (control, view.summary(arm).and_then(|summary| summary.geometric_mean.as_ref()))
    {
        (Some(control), _) => (Mark::Control, Estimate { ratio: control.ratio, interval: control.interval }),
        (None, Some(mean)) => (Mark::Mean, Estimate { ratio: mean.ratio, interval: mean.suite }),
        (None, None) => return None,
    };
    let text = words::change_with(point.ratio, point.interval);
    Some(Line { arm: arm.to_owned(), mark, point: Some(point), text })
}

/// Stripes behind every second group, and a line above the means.
fn ground(scene: &mut Scene, groups: &[Group], top: f64, width: f64) {
    let mut y = top;
    for (index, group) in groups.iter().enumerate() {
        let height = group_height(group);
        let (min, max) = (at(MARGIN / 2.0, y), at(width - MARGIN / 2.0, y + height));
        if index % 2 == 0 {
            scene.rectangle(min, max, STRIPE);
        }
        if index + 1 == groups.len() && group.name == "geometric mean" {
            scene.line(min, at(max.x, min.y), 1.0, MUTED);
        }
        y += height;
    }
}

/// The claimed ranges and the range of no change, behind everything.
fn bands(scene: &mut Scene, view: &View<'_>, axis: &Axis, margins: &[Margin], top: f64, bottom: f64) {
    for margin in margins {
        // A greater speed-up is a smaller ratio; an open end reaches to the axis's.
        let (from, to) = (axis.x(1.0 / margin.hi), axis.x(1.0 / margin.lo));
        scene.rectangle(at(from, top), at(to, bottom), CLAIM);
        scene.dashes(from, top, bottom, CLAIM_EDGE);
        scene.dashes(to, top, bottom, CLAIM_EDGE);
    }
    let threshold = view.report.judgement.policy.noise_threshold;
    scene.rectangle(at(axis.x(1.0 - threshold), top), at(axis.x(1.0 + threshold), bottom), QUIET);
}

fn draw_line(scene: &mut Scene, line: &Line, axis: &Axis, y: f64, arms_at: f64) {
    let color = if line.point.is_some() { INK } else { MUTED };
    scene.text(Label::of(line.arm.as_str(), at(arms_at, y)).sized(SMALL).colored(color));
    scene.text(Label::of(line.text.as_str(), at(axis.right + GAP, y)).sized(SMALL).colored(color));
    let Some(point) = line.point else { return };
    let (from, to) = (axis.x(point.interval.lo), axis.x(point.interval.hi));
    scene.line(at(from, y), at(to, y), 1.5, line.mark.color());
    for end in [from, to] {
        scene.line(at(end, y - 3.0), at(end, y + 3.0), 1.5, line.mark.color());
    }
    line.mark.draw(scene, at(axis.x(point.ratio), y), 4.2);
}
