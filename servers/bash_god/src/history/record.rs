//! One command that was run.

use mcp_runs::mask::masked;
use mcp_state::Schema;
use serde::{Deserialize, Serialize};

use crate::ranking::suggest::Past;

/// The longest command that is kept, in bytes.
pub const LONGEST_COMMAND: usize = 16_384;
/// The longest task or directory that is kept, in bytes.
pub const LONGEST_TASK: usize = 4_096;

/// What the person said about a command.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Feedback {
    /// It was right.
    Good,
    /// It was wrong.
    Bad,
}

/// A command that is to be kept.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NewRecord {
    /// When it was run: milliseconds since 1970, UTC.
    pub at_ms: u64,
    /// What it was for, in words; empty where nobody said.
    #[serde(default)]
    pub task: String,
    /// The command line.
    pub command: String,
    /// The directory that it was run in.
    #[serde(default)]
    pub cwd: Option<String>,
    /// The status that it ended with.
    #[serde(default)]
    pub exit_code: Option<i32>,
    /// How long it ran, in milliseconds.
    #[serde(default)]
    pub duration_ms: Option<u64>,
    /// What the person said about it.
    #[serde(default)]
    pub feedback: Option<Feedback>,
}

impl mcp_state::Record for NewRecord {
    // Users have files and exports of this name and version: neither changes without a way to read the old one.
    const SCHEMA: Schema = Schema { name: "history", format: "bash-god history", version: 1 };

    /// The record with secrets masked, if it can be kept.
    fn checked(mut self) -> Result<Self, String> {
        if self.command.trim().is_empty() {
            return Err("an empty command is not kept".to_owned());
        }
        if self.command.contains('\0') || self.task.contains('\0') {
            return Err("a command with a NUL is not kept".to_owned());
        }
        if self.command.len() > LONGEST_COMMAND {
            return Err(format!("a command of more than {LONGEST_COMMAND} bytes is not kept"));
        }
        if self.task.len() > LONGEST_TASK || self.cwd.as_ref().is_some_and(|cwd| cwd.len() > LONGEST_TASK) {
            return Err(format!("a task or directory of more than {LONGEST_TASK} bytes is not kept"));
        }
        self.command = masked(&self.command);
        self.task = masked(&self.task);
        self.cwd = self.cwd.map(|cwd| masked(&cwd));
        Ok(self)
    }
}

impl NewRecord {
    /// What suggestions need of it. What the person said counts more than the status.
    pub fn past(&self) -> Past {
        let good = match (self.feedback, self.exit_code) {
            (Some(feedback), _) => Some(feedback == Feedback::Good),
            (None, status) => status.map(|status| status == 0),
        };
        Past { task: self.task.clone(), command: self.command.clone(), good }
    }
}
