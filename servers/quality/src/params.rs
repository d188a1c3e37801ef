//! What the tools take. The comments are the descriptions that a model reads, so they are short.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::lint::Severity;
use crate::runner::Runner;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Metrics {
    pub paths: Option<Vec<String>>,
    pub sort: Option<Sort>,
    #[schemars(range(min = 1, max = 1000))]
    pub limit: Option<u16>,
    pub cursor: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Sort {
    #[default]
    Cognitive,
    Cyclomatic,
    Nesting,
    Lines,
    Maintainability,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Hotspots {
    pub paths: Option<Vec<String>>,
    /// Of history
    #[schemars(range(min = 1, max = 10_000))]
    pub days: Option<u32>,
    pub cursor: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lint {
    pub paths: Option<Vec<String>>,
    /// File: SARIF, or JSON of clippy, ruff, eslint; instead of built-in rules
    pub report: Option<String>,
    /// Start of rule names
    pub rule: Option<String>,
    /// The least
    pub severity: Option<LeastSeverity>,
    #[schemars(range(min = 1, max = 1000))]
    pub limit: Option<u16>,
    pub cursor: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LeastSeverity {
    Note,
    Warning,
    Error,
}

impl From<LeastSeverity> for Severity {
    fn from(severity: LeastSeverity) -> Self {
        match severity {
            LeastSeverity::Note => Self::Note,
            LeastSeverity::Warning => Self::Warning,
            LeastSeverity::Error => Self::Error,
        }
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Duplicates {
    pub paths: Option<Vec<String>>,
    #[schemars(range(min = 20, max = 10_000))]
    pub min_tokens: Option<u16>,
    pub cursor: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Coverage {
    /// File: lcov, Cobertura, JaCoCo, llvm-cov or coverage.py JSON
    pub report: String,
    pub paths: Option<Vec<String>>,
    /// Commit: only lines changed since
    pub base: Option<String>,
    pub cursor: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunTests {
    pub runner: Option<Runner>,
    pub cwd: Option<String>,
    /// Of cargo
    pub packages: Option<Vec<String>>,
    pub tests: Option<Vec<String>>,
    /// To find flaky tests
    #[schemars(range(min = 1, max = 50))]
    pub repeat: Option<u8>,
    /// For all runs
    #[schemars(range(min = 1, max = 7200))]
    pub budget_s: Option<u32>,
    /// For one run
    #[schemars(range(min = 1, max = 3600))]
    pub timeout_s: Option<u32>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SelectTests {
    /// Commit to compare with; HEAD
    pub base: Option<String>,
    /// File: what each test runs
    pub map: Option<String>,
    #[schemars(range(min = 1, max = 86_400))]
    pub budget_s: Option<u32>,
    pub cursor: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Gate {
    pub base: Option<String>,
    /// Of coverage
    pub report: Option<String>,
    /// Files as lint takes them
    pub findings: Option<Vec<String>>,
    /// Directory of a perflab record
    pub record: Option<String>,
}
