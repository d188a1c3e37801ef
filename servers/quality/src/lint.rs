//! Findings: of the rules that are built in, and of the reports of other tools.

pub mod ingest;
mod language;
pub mod rules;

use serde::Serialize;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// A matter of taste or of a project's habits.
    Note,
    /// Likely a mistake, or hard to read.
    Warning,
    /// Wrong, or dangerous.
    Error,
}

/// A place where something is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// The file, as the tool names it; of built-in rules relative to the root.
    pub path: String,
    /// The line, from 1; 0 where it concerns the whole file.
    pub line: u32,
    /// The column in characters, from 1; 0 where it is not known.
    pub column: u32,
    /// The rule.
    pub rule: String,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in the words of the tool.
    pub message: String,
    /// The tool.
    pub tool: String,
}
