//! Tables before they have a form: the terminal, Markdown and HTML each draw the same sheet.

use crate::judge::Verdict;
use crate::report::reasons;
use crate::report::view::{Cell, Judged, View};
use crate::report::words::{self, NBSP};

/// How a cell should be felt at a glance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Nothing is said.
    Plain,
    /// Faster.
    Better,
    /// Slower.
    Worse,
    /// No change.
    Same,
    /// Cannot tell.
    Open,
    /// There is no number.
    Failed,
}

/// One cell's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// What it says.
    pub text: String,
    /// How it is shown.
    pub tone: Tone,
}

impl Entry {
    /// An entry without a tone.
    pub(crate) fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), tone: Tone::Plain }
    }

    /// An entry that says why there is no number.
    pub(crate) fn failed(text: impl Into<String>) -> Self {
        Self { text: text.into(), tone: Tone::Failed }
    }

    /// A number, or a dash where there is none.
    pub(crate) fn or_dash(text: Option<String>) -> Self {
        Self::plain(text.unwrap_or_else(|| "–".to_owned()))
    }
}

/// The head of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// The first line.
    pub name: String,
    /// The second line; may be empty.
    pub under: String,
    /// Whether the column holds words, not numbers.
    pub words: bool,
}

impl Head {
    /// The head of a column of numbers.
    pub(crate) fn of(name: impl Into<String>, under: impl Into<String>) -> Self {
        Self { name: name.into(), under: under.into(), words: false }
    }

    /// The head of a column of words.
    pub(crate) fn words(name: impl Into<String>) -> Self {
        Self { name: name.into(), under: String::new(), words: true }
    }

    /// Both lines as one.
    pub(crate) fn line(&self) -> String {
        if self.under.is_empty() { self.name.clone() } else { format!("{} {}", self.name, self.under) }
    }
}

/// A table: its first column names the row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sheet {
    /// The columns' heads.
    pub heads: Vec<Head>,
    /// The rows, each as long as the heads.
    pub rows: Vec<Vec<Entry>>,
    /// How many of the last rows summarise the others.
    pub summaries: usize,
}

/// The sign of a verdict.
pub(crate) fn sign(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Improved => "▼",
        Verdict::Regressed => "▲",
        Verdict::NoChange => "≈",
        Verdict::Inconclusive { .. } => "?",
    }
}

/// The tone of a verdict.
pub(crate) fn tone(verdict: &Verdict) -> Tone {
    match verdict {
        Verdict::Improved => Tone::Better,
        Verdict::Regressed => Tone::Worse,
        Verdict::NoChange => Tone::Same,
        Verdict::Inconclusive { .. } => Tone::Open,
    }
}

/// A row's change with its sign, or with fewer than two launches what little is known.
pub(crate) fn judged(judged: Judged<'_>) -> Entry {
    let Judged { row, verdict } = judged;
    let text = match (&row.estimate, row.launches.as_slice()) {
        (Some(estimate), _) => words::change_with(estimate.ratio, estimate.interval),
        (None, [only]) => words::change(only.exp()),
        (None, _) => "–".to_owned(),
    };
    Entry { text: format!("{text}{NBSP}{}", sign(verdict)), tone: tone(verdict) }
}

/// A row's own value beside its ratio to the baseline: what a reader asks of a call.
fn called(judged: Judged<'_>) -> Entry {
    let Judged { row, verdict } = judged;
    let ratio = row.estimate.map(|estimate| words::times_with(estimate.ratio, estimate.interval));
    let value = words::value(row.unit, row.value);
    let text = match ratio {
        Some(ratio) => format!("{value},{NBSP}{ratio}{NBSP}{}", sign(verdict)),
        None => format!("{value}{NBSP}{}", sign(verdict)),
    };
    Entry { text, tone: tone(verdict) }
}

/// What a cell says.
pub(crate) fn entry(cell: &Cell<'_>) -> Entry {
    match cell {
        Cell::Measured(row) => judged(*row),
        Cell::Failed(reason) => Entry::failed(reasons::label(reason)),
        Cell::NoBaseline => Entry::failed(format!("no{NBSP}baseline")),
        Cell::Nothing => Entry::failed(format!("no{NBSP}data")),
    }
}

/// The main table: one row a benchmark, one column an arm.
pub(crate) fn results(view: &View<'_>) -> Sheet {
    let versus = if view.report.plan.traits().shows_values {
        format!("a call, ×{NBSP}{}", view.baseline)
    } else {
        format!("vs{NBSP}{}", view.baseline)
    };
    let mut heads = vec![Head::words("benchmark"), Head::of(view.baseline, view.quantity())];
    heads.extend(view.columns.iter().map(|arm| Head::of(arm.name.as_str(), versus.as_str())));
    heads.push(Head::of("layout", "share"));
    heads.push(Head::of("smallest", format!("effect{NBSP}seen")));
    let mut rows: Vec<Vec<Entry>> =
        view.benchmarks().iter().map(|benchmark| benchmark_row(view, &benchmark.name)).collect();
    let means = mean_rows(view);
    let summaries = means.len();
    rows.extend(means);
    Sheet { heads, rows, summaries }
}

fn benchmark_row(view: &View<'_>, benchmark: &str) -> Vec<Entry> {
    let unit = view.benchmarks().iter().find(|known| known.name == benchmark).map(|known| known.unit);
    let base = match (view.baseline_value(benchmark), view.failure(benchmark, view.baseline)) {
        (Some(value), _) => Entry::plain(words::value(unit.unwrap_or_default(), value)),
        (None, Some(reason)) => Entry::failed(reasons::label(reason)),
        (None, None) => Entry::failed("–"),
    };
    let mut row = vec![Entry::plain(benchmark), base];
    let calls = view.report.plan.traits().shows_values;
    row.extend(view.columns.iter().map(|arm| match view.cell(benchmark, &arm.name) {
        Cell::Measured(judged) if calls => called(judged),
        cell => entry(&cell),
    }));
    row.push(Entry::or_dash(view.largest(benchmark, |estimate| estimate.layout_share).map(words::share)));
    let smallest = view.largest(benchmark, |estimate| estimate.minimum_detectable);
    row.push(Entry::or_dash(smallest.map(words::detectable)));
    row
}

/// The geometric mean, its interval for the suite, and its interval for code like this.
fn mean_rows(view: &View<'_>) -> Vec<Vec<Entry>> {
    let means: Vec<_> = view
        .columns
        .iter()
        .map(|arm| view.summary(&arm.name).and_then(|summary| summary.geometric_mean.as_ref()))
        .collect();
    let row = |name: &str, text: &dyn Fn(&crate::analyse::GeometricMean) -> Option<String>| {
        let cells = means.iter().map(|mean| Entry::or_dash(mean.and_then(text)));
        let mut row = vec![Entry::plain(name), Entry::plain("")];
        row.extend(cells);
        row.extend([Entry::plain(""), Entry::plain("")]);
        row
    };
    if means.iter().all(Option::is_none) {
        return Vec::new();
    }
    let mut rows = vec![
        row("geometric mean", &|mean| Some(words::change(mean.ratio))),
        row("· this suite, 95 %", &|mean| Some(words::change_interval(mean.suite))),
    ];
    if means.iter().flatten().any(|mean| mean.code_like_this.is_some()) {
        rows.push(row("· code like this", &|mean| mean.code_like_this.map(words::change_interval)));
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::Fixture;

    #[test]
    fn the_main_table_has_a_cell_for_every_column() {
        let fixture = Fixture::small();
        let report = fixture.report();
        let sheet = results(&View::of(&report));
        assert!(sheet.rows.iter().all(|row| row.len() == sheet.heads.len()));
        assert_eq!(sheet.rows.len(), fixture.plan.benchmarks.len() + 3);
        assert_eq!(sheet.summaries, 3);
    }

    #[test]
    fn calls_show_their_time_beside_the_ratio() {
        let fixture = Fixture::calls();
        let report = fixture.report();
        let sheet = results(&View::of(&report));
        let row = sheet.rows.iter().find(|row| row[0].text == "ffi/add").expect("a row");
        let texts: Vec<String> = row.iter().map(|entry| entry.text.replace(NBSP, " ")).collect();
        assert_eq!(texts[1..3], ["20.0 ns", "27.0 ns, ×1.35 ± 0.01 ▲"]);
        assert_eq!(sheet.heads[2].under.replace(NBSP, " "), "a call, × c-api");
    }

    #[test]
    fn a_single_launch_shows_its_ratio_without_an_interval() {
        let mut fixture = Fixture::small();
        fixture.analysis.rows[0].estimate = None;
        fixture.analysis.rows[0].launches = vec![0.5_f64.ln()];
        let report = fixture.report();
        let view = View::of(&report);
        let text = judged(view.judged().next().expect("a row")).text;
        assert!(text.starts_with("−50.0"), "{text}");
        assert!(!text.contains('±'), "{text}");
    }
}
