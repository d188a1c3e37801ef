//! What the tools answer: the structured content, and the few words beside it. Only what programs need is part of the
//! schemas, which every client pays for.

use std::collections::BTreeMap;

use mcp_server::answer::{Object, name};
use mcp_server::budget::Detail;
use mcp_server::content::Output;
use mcp_source::Skipped;
use schemars::JsonSchema;
use serde::Serialize;

use crate::coverage::report::{Count, Format};
use crate::duplicates::CloneClass;
use crate::gate::{Answer, Condition};
use crate::hotspots::Hotspot;
use crate::lint::Finding;
use crate::metrics::Halstead;
use crate::selection::{Risk, Selected};

/// What was read for an answer, and what was not.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Looked {
    pub files: usize,
    /// Files that break their grammar in places.
    #[serde(skip_serializing_if = "is_zero")]
    pub partial: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<Skipped>,
    /// Whether nothing is missing that was asked for.
    pub complete: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// A function with its file.
#[derive(Debug, Serialize)]
pub(crate) struct FunctionView {
    pub path: String,
    pub line: u32,
    pub name: String,
    pub cyclomatic: u32,
    pub cognitive: u32,
    pub nesting: u32,
    pub lines: u32,
    pub parameters: u32,
    pub maintainability: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub halstead: Option<Halstead>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct MetricsView {
    #[schemars(with = "Vec<Object>")]
    pub functions: Vec<FunctionView>,
    /// Sums of all that was looked at.
    #[schemars(with = "Object")]
    pub totals: MetricsTotals,
    #[schemars(skip)]
    pub looked: Looked,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

#[derive(Debug, Default, Serialize)]
pub(crate) struct MetricsTotals {
    pub functions: usize,
    pub lines: u64,
    pub code_lines: u64,
    pub comment_lines: u64,
    pub cyclomatic: u64,
    pub cognitive: u64,
}

impl Output for MetricsView {
    fn text(&self, _detail: Detail) -> String {
        let MetricsTotals { functions, code_lines, cyclomatic, .. } = self.totals;
        let mut text = format!(
            "{functions} functions in {} files, {code_lines} lines of code, cyclomatic {cyclomatic}",
            self.looked.files
        );
        for function in self.functions.iter().take(10) {
            let FunctionView { path, line, name, cyclomatic, cognitive, .. } = function;
            text.push_str(&format!("\n{path}:{line} {name}: cyclomatic {cyclomatic}, cognitive {cognitive}"));
        }
        text
    }
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct HotspotsView {
    #[schemars(with = "Vec<Object>")]
    pub hotspots: Vec<Hotspot>,
    #[schemars(skip)]
    pub commits: usize,
    #[schemars(skip)]
    pub looked: Looked,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(skip)]
    pub notices: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

impl Output for HotspotsView {
    fn text(&self, _detail: Detail) -> String {
        let line = |spot: &Hotspot| {
            format!(
                "{} {:.2}: {} commits, cyclomatic {}",
                spot.path, spot.score, spot.commits, spot.cyclomatic
            )
        };
        match self.hotspots.is_empty() {
            true => format!("no file of code was changed in {} commits", self.commits),
            false => self.hotspots.iter().take(10).map(line).collect::<Vec<_>>().join("\n"),
        }
    }
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct LintView {
    #[schemars(with = "Vec<Object>")]
    pub findings: Vec<Finding>,
    /// How many there are by rule.
    #[schemars(skip)]
    pub rules: BTreeMap<String, usize>,
    #[schemars(skip)]
    pub source: String,
    #[schemars(skip)]
    pub looked: Looked,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(skip)]
    pub notices: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

impl Output for LintView {
    fn text(&self, _detail: Detail) -> String {
        let count: usize = self.rules.values().sum();
        let mut text = format!("{count} findings of {} rules", self.rules.len());
        for finding in self.findings.iter().take(10) {
            let Finding { path, line, rule, message, .. } = finding;
            text.push_str(&format!("\n{path}:{line} {rule}: {message}"));
        }
        text
    }
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct DuplicatesView {
    #[schemars(with = "Vec<Object>")]
    pub clones: Vec<CloneClass>,
    /// All of them, shown or not.
    pub total: usize,
    /// The share of lines that are part of one, in percent.
    pub duplicated_percent: f64,
    #[schemars(skip)]
    pub lines: u64,
    #[schemars(skip)]
    pub looked: Looked,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

impl Output for DuplicatesView {
    fn text(&self, _detail: Detail) -> String {
        let mut text = format!(
            "{} groups of copies, {:.1} % of {} lines",
            self.total, self.duplicated_percent, self.lines
        );
        for clone in self.clones.iter().take(10) {
            let places: Vec<String> = clone
                .places
                .iter()
                .map(|place| format!("{}:{}-{}", place.path, place.first_line, place.last_line))
                .collect();
            text.push_str(&format!(
                "\n{} tokens, {}: {}",
                clone.tokens,
                name(&clone.kind),
                places.join(", ")
            ));
        }
        text
    }
}

/// A number of what was found and run, and its share.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Share {
    #[serde(flatten)]
    pub count: Count,
    pub percent: Option<f64>,
}

impl From<Count> for Share {
    fn from(count: Count) -> Self {
        Self { count, percent: count.percent() }
    }
}

/// A file that is not run everywhere.
#[derive(Debug, Serialize)]
pub(crate) struct CoverageFile {
    pub path: String,
    pub lines: Share,
    /// Regions that were not run: first and last line.
    pub gaps: Vec<(u32, u32)>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct CoverageView {
    #[schemars(with = "Object")]
    pub lines: Share,
    #[schemars(skip)]
    pub branches: Share,
    #[schemars(skip)]
    pub functions: Share,
    #[schemars(skip)]
    pub format: Format,
    #[schemars(with = "Vec<Object>")]
    pub files: Vec<CoverageFile>,
    /// Paths of the report that are not files here.
    pub unmapped: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(skip)]
    pub unmapped_paths: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(skip)]
    pub notices: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

impl Output for CoverageView {
    fn text(&self, _detail: Detail) -> String {
        let Share { count, percent } = self.lines;
        let percent =
            percent.map_or_else(|| "nothing to run".to_owned(), |percent| format!("{percent:.2} %"));
        let mut text = format!("{} of {} lines were run ({percent})", count.hit, count.found);
        if self.unmapped > 0 {
            text.push_str(&format!("; {} paths of the report are not files here", self.unmapped));
        }
        for file in self.files.iter().take(10) {
            let gaps: Vec<String> =
                file.gaps.iter().take(8).map(|(from, to)| format!("{from}-{to}")).collect();
            text.push_str(&format!("\n{}: not run {}", file.path, gaps.join(", ")));
        }
        text
    }
}

/// A test that did not just pass.
#[derive(Debug, Serialize)]
pub(crate) struct TestView {
    pub name: String,
    pub verdict: crate::results::Verdict,
    pub passed: u32,
    pub failed: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The last day of its quarantine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quarantined_until: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct RunView {
    /// passed, failed, flaky, broken, or none where there are no tests.
    pub status: &'static str,
    #[schemars(with = "Object")]
    pub counts: BTreeMap<&'static str, usize>,
    #[schemars(with = "Vec<Object>")]
    pub tests: Vec<TestView>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub broken: Vec<String>,
    #[schemars(skip)]
    pub runs: u32,
    #[schemars(skip)]
    pub runner: crate::runner::Runner,
    #[schemars(skip)]
    pub duration_ms: f64,
    /// Tests that the caller's bound left no room for.
    #[serde(skip_serializing_if = "is_zero")]
    #[schemars(skip)]
    pub tests_left_out: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(skip)]
    pub notices: Vec<String>,
}

impl Output for RunView {
    fn text(&self, _detail: Detail) -> String {
        let counts: Vec<String> =
            self.counts.iter().map(|(verdict, count)| format!("{count} {verdict}")).collect();
        let mut text = format!("{}: {}", self.status, counts.join(", "));
        for why in &self.broken {
            text.push_str("\nbroken: ");
            text.push_str(why);
        }
        for test in self.tests.iter().take(10) {
            let said = test
                .message
                .as_deref()
                .and_then(|message| message.lines().find(|line| !line.trim().is_empty()));
            text.push_str(&format!("\n{} {}: {}", name(&test.verdict), test.name, said.unwrap_or_default()));
        }
        text
    }
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct SelectView {
    #[schemars(with = "Vec<Object>")]
    pub tests: Vec<Selected>,
    pub selected: usize,
    pub total: usize,
    /// Why everything is selected.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub everything: Option<String>,
    #[schemars(with = "Object")]
    pub miss_risk: Risk,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(skip)]
    pub notices: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

impl Output for SelectView {
    fn text(&self, _detail: Detail) -> String {
        let risk = match self.miss_risk.observed.failures {
            0 => "how often failures are missed is not known yet".to_owned(),
            failures => format!(
                "with 95 % confidence at most {:.1} % of failures are missed ({} of {failures} were)",
                100.0 * self.miss_risk.at_most,
                self.miss_risk.observed.missed
            ),
        };
        let mut text = format!("{} of {} tests; {risk}", self.selected, self.total);
        if let Some(why) = &self.everything {
            text.push('\n');
            text.push_str(why);
        }
        for test in self.tests.iter().take(20) {
            text.push_str(&format!("\n{} ({})", test.name, name(&test.reason)));
        }
        text
    }
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct GateView {
    #[schemars(with = "String")]
    pub answer: Answer,
    #[schemars(with = "Vec<Object>")]
    pub conditions: Vec<Condition>,
    #[schemars(skip)]
    pub base: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(skip)]
    pub notices: Vec<String>,
}

impl Output for GateView {
    fn text(&self, _detail: Detail) -> String {
        let mut text = name(&self.answer);
        for condition in &self.conditions {
            text.push_str(&format!("\n{} {}: {}", name(&condition.answer), condition.name, condition.found));
            for place in condition.places.iter().take(5) {
                text.push_str("\n  ");
                text.push_str(place);
            }
        }
        text
    }
}
