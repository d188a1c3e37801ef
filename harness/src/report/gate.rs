//! What a gate says, for a terminal and as Markdown.

use crate::called::typed;
use crate::judge::{FalseAlarms, Fold, GateReport, GateRow, GateVerdict, Shown};
use crate::plan::Measure;
use crate::report::Style;
use crate::report::grid::{grid, hanging, wrap};
use crate::report::markdown::sheet_text;
use crate::report::sheet::{Entry, Head, Sheet, Tone};
use crate::report::words::{self, NBSP};
use crate::rows::gate_row_name;
use crate::stats::Interval;

/// A gate's answer with its circumstances.
#[derive(Clone, Copy, Debug)]
pub struct GateView<'a> {
    /// Who was compared with whom, where: facts that are joined by dots.
    pub head: &'a [String],
    /// The answer.
    pub report: &'a GateReport,
    /// How often such a gate is wrong; `None` where nobody calibrated it.
    pub false_alarms: Option<&'a FalseAlarms>,
    /// Seconds from start to end.
    pub seconds: f64,
    /// What limits the numbers, a sentence each.
    pub warnings: &'a [String],
    /// Whether the user stopped it.
    pub stopped: bool,
}

/// The whole output in lines of at most `style.width`.
#[must_use]
pub fn gate_table(view: &GateView<'_>, style: &Style) -> String {
    let mut text = wrap(&style.signs(&view.head.join(" · ")), style.width).join("\n") + "\n\n";
    if !view.report.rows.is_empty() {
        text += &grid(&rows(view.report), style);
        text.push('\n');
    }
    for row in view.report.rows.iter().filter(|row| !is_quiet(row)) {
        let name = format!("{}: {}", gate_row_name(row), row.why);
        text += &hanging(word(row), &name, tone(row), style);
    }
    for control in &view.report.void {
        let why = format!("{control}: the reference differs from itself, so that nothing can be said");
        text += &hanging("void", &why, Tone::Open, style);
    }
    for warning in view.warnings {
        text += &hanging("warning", warning, Tone::Open, style);
    }
    text += &hanging("answer", &answer(view), answer_tone(view.report.fold), style);
    text += &hanging("false alarms", &false_alarms(view.false_alarms), Tone::Plain, style);
    text
}

/// The same as a page, short enough for a step summary.
#[must_use]
pub fn gate_markdown(view: &GateView<'_>) -> String {
    let mut page = format!("## perflab gate: {}\n\n{}\n\n", answer(view), view.head.join(" · "));
    if !view.report.rows.is_empty() {
        page += &sheet_text(&rows(view.report));
        page.push_str("\n\n");
    }
    for row in view.report.rows.iter().filter(|row| !is_quiet(row)) {
        page += &format!("- **{}** `{}`: {}\n", word(row), gate_row_name(row), row.why);
    }
    for control in &view.report.void {
        page += &format!("- **void** {control}: the reference differs from itself\n");
    }
    for warning in view.warnings {
        page += &format!("- **warning** {warning}\n");
    }
    page += &format!("\nFalse alarms: {}.\n", false_alarms(view.false_alarms));
    page.replace(NBSP, " ")
}

/// Rows of which the table says all.
fn is_quiet(row: &GateRow) -> bool {
    match row.verdict {
        GateVerdict::Identical => true,
        GateVerdict::Passed => row.confirmation.is_none(),
        _ => false,
    }
}

/// A verdict in a word.
pub(crate) fn word(row: &GateRow) -> &'static str {
    match row.verdict {
        GateVerdict::Passed => "passes",
        GateVerdict::Identical => "identical",
        GateVerdict::Regressed => "REGRESSED",
        GateVerdict::Failed => "FAILED",
        GateVerdict::Unmatched { .. } => "unmatched",
        GateVerdict::Inconclusive => "cannot tell",
    }
}

fn tone(row: &GateRow) -> Tone {
    match row.verdict {
        GateVerdict::Passed | GateVerdict::Identical => Tone::Same,
        GateVerdict::Regressed => Tone::Worse,
        GateVerdict::Failed => Tone::Failed,
        GateVerdict::Unmatched { .. } | GateVerdict::Inconclusive => Tone::Open,
    }
}

fn answer_tone(fold: Fold) -> Tone {
    match fold {
        Fold::Passes => Tone::Better,
        Fold::Regressed => Tone::Worse,
        Fold::Broken => Tone::Failed,
        Fold::Inconclusive => Tone::Open,
    }
}

/// The interval that a row was judged by: the confirmation's where there is one.
pub(crate) fn shown(row: &GateRow) -> Option<Shown> {
    row.confirmation.map(|confirmation| confirmation.shown).or(row.screening)
}

/// Whether an interval says anything below: an early look bounds nothing there.
pub(crate) fn has_lower_end(lo: f64) -> bool {
    lo > 0.005
}

/// The change of a row, with its interval where it has one.
pub(crate) fn change_text(row: &GateRow) -> Option<String> {
    match (shown(row), row.reference, row.value) {
        (Some(shown), ..) => {
            let Interval { lo, hi } = shown.interval;
            let lo = if has_lower_end(lo) { words::signed(lo - 1.0) } else { "–".to_owned() };
            Some(format!("{} [{lo},{NBSP}{}]", words::change(shown.ratio), words::signed(hi - 1.0)))
        }
        (None, Some(reference), Some(value)) if reference > 0.0 => Some(words::change(value / reference)),
        _ => None,
    }
}

/// Whether rows have to say of which arm they are.
pub(crate) fn several_arms(report: &GateReport) -> bool {
    report.rows.iter().any(|row| row.arm != report.rows[0].arm)
}

fn rows(report: &GateReport) -> Sheet {
    let several = several_arms(report);
    let measures = report.rows.iter().any(|row| row.measure != Measure::Time);
    let mut heads = vec![Head::words("benchmark")];
    if several {
        heads.push(Head::words("arm"));
    }
    if measures {
        heads.push(Head::words("measure"));
    }
    heads.extend([
        Head::of("reference", ""),
        Head::of("change", "interval"),
        Head::of("launches", "+ confirming"),
        Head::of("slower", "at most"),
        Head::words("verdict"),
    ]);
    let row = |row: &GateRow| {
        let mut entries = vec![Entry::plain(row.benchmark.clone())];
        if several {
            entries.push(Entry::plain(row.arm.clone()));
        }
        if measures {
            entries.push(Entry::plain(row.measure.to_string().replace('_', " ")));
        }
        let shown = shown(row);
        let launches = row.screening.map(|screening| match row.confirmation {
            Some(fresh) => format!("{}{NBSP}+{NBSP}{}", screening.launches, fresh.shown.launches),
            None => screening.launches.to_string(),
        });
        let most = shown.map(|shown| words::detectable((shown.interval.hi - 1.0).max(0.0)));
        entries.extend([
            Entry::or_dash(row.reference.map(|reference| value(row.measure, reference))),
            Entry { tone: tone(row), ..Entry::or_dash(change_text(row)) },
            Entry::or_dash(launches),
            Entry::or_dash(most),
            Entry { text: word(row).to_owned(), tone: tone(row) },
        ]);
        entries
    };
    Sheet { heads, rows: report.rows.iter().map(row).collect(), summaries: 0 }
}

fn value(measure: Measure, value: f64) -> String {
    words::value(measure.unit(), value)
}

/// All verdicts in a line.
pub(crate) fn answer(view: &GateView<'_>) -> String {
    let count = |word_of: &str| view.report.rows.iter().filter(|row| word(row) == word_of).count();
    let mut parts = Vec::new();
    for (said, name) in [
        ("REGRESSED", "regressed"),
        ("FAILED", "failed"),
        ("unmatched", "without a counterpart"),
        ("cannot tell", "undecided"),
        ("passes", "pass"),
        ("identical", "identical code"),
    ] {
        let rows = count(said);
        if rows > 0 {
            parts.push(format!("{rows} {name}"));
        }
    }
    let fold = match view.report.fold {
        _ if view.stopped => "stopped",
        Fold::Passes => "passes",
        Fold::Regressed => "REGRESSION",
        Fold::Broken => "the benchmarks of the two sides differ (--allow-unmatched where that is meant)",
        Fold::Inconclusive => "cannot tell",
    };
    format!("{fold}: {} in {:.0} s", parts.join(", "), view.seconds)
}

fn false_alarms(stored: Option<&FalseAlarms>) -> String {
    let Some(stored) = stored else {
        return format!(
            "unknown: no calibration of the gate is stored for this machine class ({})",
            typed("calibrate")
        );
    };
    let machine = if stored.same_machine {
        "on this machine class".to_owned()
    } else {
        format!("on another machine class, {}: a hint only", stored.machine)
    };
    let bound = |bound: f64| words::percent((bound * 10_000.0).ceil() / 10_000.0);
    format!(
        "at most {} per comparison ({} of {} A/A comparisons failed) and {} per gate ({} of {} experiments), {machine}",
        bound(stored.bound),
        words::thousands(stored.alarms),
        words::thousands(stored.comparisons),
        bound(stored.experiments_bound),
        words::thousands(stored.experiments.alarmed),
        words::thousands(stored.experiments.count),
    )
}
