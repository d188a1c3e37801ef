//! The lines that the audit log gets of everything that is executed: one before it starts, one after its end.

use std::time::{SystemTime, UNIX_EPOCH};

use mcp_sandbox::Outcome;
use mcp_server::answer::Object;
use mcp_server::layers::Audit;
use serde::Serialize;

use crate::answer::milliseconds;
use crate::mask::masked;
use crate::plan::Plan;

/// The most bytes of a line of shell that an entry shows.
const LONGEST: usize = 16 << 10;

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
enum Entry<'a> {
    /// It is about to be started. Who dies in between leaves this line without the other.
    Start {
        /// Milliseconds since 1970.
        time: u64,
        handle: &'a str,
        command: String,
        cwd: String,
        profile: &'static str,
        /// What the server says about the cause.
        #[serde(flatten)]
        cause: Object,
    },
    End {
        time: u64,
        handle: &'a str,
        exit_code: Option<i32>,
        signal: Option<i32>,
        reason: mcp_sandbox::Reason,
        duration_ms: f64,
        stdout_bytes: u64,
        stderr_bytes: u64,
    },
    /// It was not started, or how it ended is not known.
    Failed { time: u64, handle: &'a str, error: String },
}

/// Milliseconds since 1970.
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

pub(crate) fn started(audit: Option<&Audit>, handle: &str, plan: &Plan, cause: impl FnOnce() -> Object) {
    let Some(audit) = audit else { return };
    let mut command = masked(&plan.line);
    let mut end = command.len().min(LONGEST);
    while !command.is_char_boundary(end) {
        end -= 1;
    }
    command.truncate(end);
    audit.write(&Entry::Start {
        time: now(),
        handle,
        command,
        cwd: plan.directory.display().to_string(),
        profile: plan.profile.name(),
        cause: cause(),
    });
}

pub(crate) fn ended(audit: Option<&Audit>, handle: &str, result: Result<&Outcome, &str>) {
    let Some(audit) = audit else { return };
    audit.write(&match result {
        Ok(outcome) => Entry::End {
            time: now(),
            handle,
            exit_code: outcome.code,
            signal: outcome.signal,
            reason: outcome.reason,
            duration_ms: milliseconds(outcome.duration),
            stdout_bytes: outcome.stdout.total,
            stderr_bytes: outcome.stderr.total,
        },
        Err(error) => Entry::Failed { time: now(), handle, error: error.to_owned() },
    });
}
