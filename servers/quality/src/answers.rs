//! What the tools answer: the structured content, and the few words beside it. Only what programs need is part of the
//! schemas, which every client pays for.

mod ends;

use std::collections::BTreeMap;

use mcp_server::answer::{Object, name};
use mcp_server::budget::Detail;
use mcp_server::content::Output;
use mcp_source::Skipped;
use schemars::JsonSchema;
use serde::Serialize;

use crate::answers::ends::{after, said};
use crate::coverage::report::{Count, Format};
use crate::duplicates::{CloneClass, Place};
use crate::gate::{Answer, Condition};
use crate::hotspots::Hotspot;
use crate::lint::Finding;
use crate::metrics::Halstead;
use crate::selection::{Risk, Selected};
use crate::words::{count, files, lines};

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
            "{} in {}, {code_lines} lines of code, cyclomatic {cyclomatic}",
            count(functions, "function", "functions"),
            files(self.looked.files)
        );
        for function in &self.functions {
            let FunctionView { path, line, name, cyclomatic, cognitive, nesting, lines, .. } = function;
            text.push_str(&format!(
                "\n{path}:{line} {name}: cyclomatic {cyclomatic}, cognitive {cognitive}, nesting {nesting}, lines {lines}, \
                 maintainability {}",
                function.maintainability
            ));
            if let Some(halstead) = &function.halstead {
                text.push_str(&format!(
                    ", volume {:.0}, difficulty {:.1}",
                    halstead.volume, halstead.difficulty
                ));
            }
        }
        after(text, Some(&self.looked), &[], self.next_cursor.as_deref())
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
                "{} {:.2}: {}, cyclomatic {}, cognitive {}",
                spot.path,
                spot.score,
                count(spot.commits as usize, "commit", "commits"),
                spot.cyclomatic,
                spot.cognitive
            )
        };
        let text = match self.hotspots.is_empty() {
            true => format!("no file of code was changed in {}", count(self.commits, "commit", "commits")),
            false => self.hotspots.iter().map(line).collect::<Vec<_>>().join("\n"),
        };
        after(text, Some(&self.looked), &self.notices, self.next_cursor.as_deref())
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
        let found: usize = self.rules.values().sum();
        let mut text = format!(
            "{} of {}",
            count(found, "finding", "findings"),
            count(self.rules.len(), "rule", "rules")
        );
        if self.source == "built-in" {
            text.push_str(&format!(" in {}", files(self.looked.files)));
        }
        for finding in &self.findings {
            let Finding { path, line, rule, message, severity, .. } = finding;
            text.push_str(&format!("\n{path}:{line} {} {rule}: {message}", name(severity)));
        }
        after(text, Some(&self.looked), &self.notices, self.next_cursor.as_deref())
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
            "{}, {:.1} % of {} lines",
            count(self.total, "group of copies", "groups of copies"),
            self.duplicated_percent,
            self.lines
        );
        for clone in &self.clones {
            let place =
                |place: &Place| format!("{}:{}", place.path, lines((place.first_line, place.last_line)));
            let places: Vec<String> = clone.places.iter().take(MOST_NAMED).map(place).collect();
            text.push_str(&format!(
                "\n{} tokens, {}: {}",
                clone.tokens,
                name(&clone.kind),
                places.join(", ")
            ));
            if clone.places.len() > MOST_NAMED {
                text.push_str(&format!(" and {} more", clone.places.len() - MOST_NAMED));
            }
        }
        after(text, Some(&self.looked), &[], self.next_cursor.as_deref())
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
        Self { count, percent: count.percent().map(|percent| (percent * 100.0).round() / 100.0) }
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
        let Share { count: of, percent } = self.lines;
        let percent =
            percent.map_or_else(|| "nothing to run".to_owned(), |percent| format!("{percent:.2} %"));
        let mut text = format!("{} of {} lines were run ({percent})", of.hit, of.found);
        for (what, share) in [("branches", self.branches), ("functions", self.functions)] {
            if share.count.found > 0 {
                text.push_str(&format!(", {} of {} {what}", share.count.hit, share.count.found));
            }
        }
        if self.unmapped > 0 {
            let paths = count(self.unmapped, "path", "paths");
            text.push_str(&format!("; {paths} of the report not found here"));
        }
        for file in &self.files {
            let gaps: Vec<String> = file.gaps.iter().map(|gap| lines(*gap)).collect();
            text.push_str(&format!("\n{}: not run {}", file.path, gaps.join(", ")));
        }
        after(text, None, &self.notices, self.next_cursor.as_deref())
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
    fn text(&self, detail: Detail) -> String {
        let counts: Vec<String> =
            self.counts.iter().map(|(verdict, count)| format!("{count} {verdict}")).collect();
        let mut text = self.status.to_owned();
        if !counts.is_empty() {
            text.push_str(&format!(": {}", counts.join(", ")));
        }
        for why in &self.broken {
            text.push_str(&format!("\nbroken: {why}"));
        }
        for test in &self.tests {
            text.push_str(&format!("\n{} {}", name(&test.verdict), test.name));
            if let Some(until) = &test.quarantined_until {
                text.push_str(&format!(" (in quarantine until {until})"));
            }
            if let Some(message) = &test.message {
                text.push_str(": ");
                text.push_str(&said(message, detail));
            }
        }
        if self.tests_left_out > 0 {
            text.push_str(&format!("\nand {} more", count(self.tests_left_out, "test", "tests")));
        }
        after(text, None, &self.notices, None)
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
        let mut text = format!("{} selected, there are {}; {risk}", self.selected, self.total);
        if let Some(why) = &self.everything {
            text.push('\n');
            text.push_str(why);
        }
        for test in &self.tests {
            text.push_str(&format!("\n{} {} ({})", name(&test.unit), test.name, name(&test.reason)));
        }
        after(text, None, &self.notices, self.next_cursor.as_deref())
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
        let looked = self.conditions.iter().filter(|one| one.answer != Answer::NotChecked).count();
        let mut text = format!(
            "{}: {looked} of {} conditions were looked at",
            name(&self.answer),
            self.conditions.len()
        );
        for condition in &self.conditions {
            text.push_str(&format!("\n{} {}: {}", name(&condition.answer), condition.name, condition.found));
            for place in &condition.places {
                text.push_str("\n  ");
                text.push_str(place);
            }
            if condition.places_left_out > 0 {
                text.push_str(&format!("\n  and {} more", condition.places_left_out));
            }
        }
        after(text, None, &self.notices, None)
    }
}

/// The most places that the text names of a group of copies.
const MOST_NAMED: usize = 12;
