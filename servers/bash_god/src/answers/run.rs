//! What `command_run` and `run_output` answer.

use mcp_server::budget::Detail;
use mcp_server::content::Output;
use schemars::JsonSchema;
use serde::Serialize;

use crate::analysis::Decision;
use crate::answers::{AnalysisView, IntegerOrNull, Object, name};

/// What came of a command, or what would be done.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct RunView {
    #[schemars(with = "IntegerOrNull")]
    pub exit_code: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    pub truncated: bool,
    pub duration_ms: f64,
    #[schemars(with = "String")]
    pub decision: Decision,
    #[schemars(with = "String")]
    pub status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handle: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Object>")]
    pub plan: Option<PlanView>,
    /// What is weaker than usual, or was not kept.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(skip)]
    pub notices: Vec<String>,
    /// How many bytes of each stream the text repeats.
    #[serde(skip)]
    #[schemars(skip)]
    pub excerpt: usize,
}

/// How far a command is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    Planned,
    Running,
    Exited,
    TimedOut,
    Cancelled,
    Limits,
}

impl From<mcp_sandbox::Reason> for Status {
    fn from(reason: mcp_sandbox::Reason) -> Self {
        match reason {
            mcp_sandbox::Reason::Exited => Self::Exited,
            mcp_sandbox::Reason::TimedOut => Self::TimedOut,
            mcp_sandbox::Reason::Cancelled => Self::Cancelled,
            mcp_sandbox::Reason::Limits => Self::Limits,
        }
    }
}

/// What would be done.
#[derive(Debug, Serialize)]
pub(crate) struct PlanView {
    pub argv: Vec<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub script: Option<String>,
    pub cwd: String,
    pub profile: &'static str,
    pub timeout_s: f64,
    pub analysis: AnalysisView,
}

impl Output for RunView {
    fn text(&self, _detail: Detail) -> String {
        let mut text = match (self.status, self.exit_code, self.signal) {
            (Status::Planned, ..) => {
                let plan = self.plan.as_ref().map(|plan| plan.analysis.summary()).unwrap_or_default();
                return format!("planned, nothing was run: {plan}");
            }
            (Status::Running, ..) => {
                let handle = self.handle.as_deref().unwrap_or_default();
                return format!("running as {handle}; run_output shows what it prints");
            }
            (Status::Exited, Some(code), _) => format!("exit code {code}"),
            (Status::Exited, None, Some(signal)) => format!("ended by signal {signal}"),
            (status, ..) => name(&status).replace('_', " "),
        };
        text.push_str(&format!(" after {:.0} ms", self.duration_ms));
        for (name, stream) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !stream.is_empty() {
                let excerpt = crate::execution::output::cut(stream, self.excerpt).0;
                text.push_str(&format!("\n{name}:\n{excerpt}"));
            }
        }
        if let Some(handle) = &self.handle {
            text.push_str(&format!("\nthe rest: run_output with handle {handle}"));
        }
        text
    }
}

/// A part of what a command printed.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct OutputView {
    #[schemars(with = "String")]
    pub status: Status,
    #[schemars(with = "IntegerOrNull")]
    pub exit_code: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub signal: Option<i32>,
    pub text: String,
    pub total_bytes: u64,
    /// Bytes in the middle of the stream that were not kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub dropped_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub matches: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// How many bytes of it the text repeats.
    #[serde(skip)]
    #[schemars(skip)]
    pub excerpt: usize,
}

impl Output for OutputView {
    fn text(&self, _detail: Detail) -> String {
        let state = name(&self.status).replace('_', " ");
        let excerpt = crate::execution::output::cut(&self.text, self.excerpt).0;
        format!("{state}, {} bytes in all\n{excerpt}", self.total_bytes)
    }
}
