//! What tools answer that run something, and the tool that shows what a run printed.

use std::time::Duration;

use mcp_sandbox::{Captured, Outcome};
use mcp_server::answer::{IntegerOrNull, cut, json_length, name};
use mcp_server::budget::{Budget, Detail};
use mcp_server::content::Output;
use schemars::JsonSchema;
use serde::Serialize;

use crate::ground::weaker;
use crate::runs::Run;

/// Bytes of an answer that are not output; an answer with less room says nothing.
pub const ROOM: usize = 1_000;

/// The most bytes of output in a short answer; the rest is there for `run_output`.
const SHORT: usize = 16 << 10;

/// The most bytes of each stream that the text repeats.
pub(crate) const EXCERPT: usize = 1_500;

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nothing was run.
    Planned,
    /// It goes on.
    Running,
    /// It ended by itself.
    Exited,
    /// Its time was over.
    TimedOut,
    /// Somebody cancelled it.
    Cancelled,
    /// It reached a limit that ends a process.
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

/// What came of a run: the members that every answer has which runs something. A tool flattens it into its own.
// Comments of its fields would be part of the schema that a model reads.
#[derive(Debug, Serialize, JsonSchema)]
#[expect(
    missing_docs,
    reason = "the names say it, and a comment would be part of the schema that a model reads"
)]
pub struct RunAnswer {
    #[schemars(with = "IntegerOrNull")]
    pub exit_code: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    pub truncated: bool,
    pub duration_ms: f64,
    #[schemars(with = "String")]
    pub status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handle: Option<String>,
    /// What is weaker than usual, or was not kept.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(skip)]
    pub notices: Vec<String>,
    /// How many bytes of each stream the text repeats.
    #[serde(skip)]
    #[schemars(skip)]
    pub excerpt: usize,
}

impl RunAnswer {
    /// An answer without output.
    #[must_use]
    pub fn empty(status: Status) -> Self {
        Self {
            exit_code: None,
            signal: None,
            stdout: String::new(),
            stderr: String::new(),
            truncated: false,
            duration_ms: 0.0,
            status,
            handle: None,
            notices: Vec::new(),
            excerpt: 0,
        }
    }

    /// A run that goes on.
    #[must_use]
    pub fn running<C>(run: &Run<C>) -> Self {
        Self { handle: Some(run.handle.clone()), ..Self::empty(Status::Running) }
    }

    /// A run that ended, within the caller's budget. It has a handle where there is more to show than fits; `notices`
    /// are what the server says beside what concerns every run.
    #[must_use]
    pub fn ended<C>(run: &Run<C>, outcome: &Outcome, notices: Vec<String>, budget: Budget) -> Self {
        let room = budget.max_bytes().saturating_sub(ROOM);
        let excerpt = (room / 8).min(EXCERPT);
        let most = match budget.detail {
            Detail::Concise => (room - 2 * excerpt).min(SHORT),
            Detail::Detailed => room - 2 * excerpt,
        };
        let (stdout, stderr, is_cut) = shown(&outcome.stdout, &outcome.stderr, most);
        let mut all: Vec<String> = weaker(&outcome.weaker).into_iter().collect();
        all.extend(notices);
        all.extend(run.notice().map(str::to_owned));
        if outcome.leftover > 0 {
            all.push(format!(
                "{} processes are stuck in the kernel and could not be ended yet",
                outcome.leftover
            ));
        }
        Self {
            exit_code: outcome.code,
            signal: outcome.signal,
            stdout,
            stderr,
            truncated: outcome.truncated || is_cut,
            duration_ms: milliseconds(outcome.duration),
            status: outcome.reason.into(),
            handle: (outcome.truncated || is_cut).then(|| run.handle.clone()),
            notices: all,
            excerpt,
        }
    }

    /// The few words beside it, with the start and the end of what was printed.
    #[must_use]
    pub fn summary(&self) -> String {
        let mut text = match (self.status, self.exit_code, self.signal) {
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
                let excerpt = cut(stream, self.excerpt).0;
                text.push_str(&format!("\n{name}:\n{excerpt}"));
            }
        }
        if let Some(handle) = &self.handle {
            text.push_str(&format!("\nthe rest: run_output with handle {handle}"));
        }
        text
    }
}

impl Output for RunAnswer {
    fn text(&self, _detail: Detail) -> String {
        self.summary()
    }
}

/// Milliseconds, with their fraction.
#[must_use]
pub fn milliseconds(duration: Duration) -> f64 {
    // To the microsecond: more says nothing about a process.
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

/// Both streams within `most` bytes of JSON. Each gets half, and what the other one leaves.
fn shown(stdout: &Captured, stderr: &Captured, most: usize) -> (String, String, bool) {
    let (out, err) = (stdout.text(), stderr.text());
    let half = most / 2;
    let for_err = json_length(&err).min(half.max(most.saturating_sub(json_length(&out))));
    let (err, is_err_cut) = cut(&err, for_err);
    let (out, is_out_cut) = cut(&out, most - for_err);
    (out, err, is_out_cut || is_err_cut)
}

/// A part of what a command printed.
#[derive(Debug, Serialize, JsonSchema)]
#[expect(
    missing_docs,
    reason = "the names say it, and a comment would be part of the schema that a model reads"
)]
pub struct OutputAnswer {
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

impl Output for OutputAnswer {
    fn text(&self, _detail: Detail) -> String {
        let state = name(&self.status).replace('_', " ");
        let excerpt = cut(&self.text, self.excerpt).0;
        format!("{state}, {} bytes in all\n{excerpt}", self.total_bytes)
    }
}
