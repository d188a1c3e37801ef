//! What came of a run.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clean::{clean, is_binary};
use crate::error::Layer;

/// Why a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The command ended by itself, also by a signal that it earned.
    Exited,
    /// Its wall-clock time was over.
    TimedOut,
    /// Somebody cancelled it.
    Cancelled,
    /// It reached a limit that ends a process: processor time or the size of a file.
    Limits,
}

/// What was kept of an output stream: its start, its end, and how long it was.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Captured {
    /// The first bytes.
    pub head: Vec<u8>,
    /// The last bytes; nothing of them is in `head`.
    pub tail: Vec<u8>,
    /// Bytes that were written in all.
    pub total: u64,
}

impl Captured {
    /// Bytes between head and tail that were not kept.
    pub fn dropped(&self) -> u64 {
        self.total.saturating_sub((self.head.len() + self.tail.len()) as u64)
    }

    /// The stream as text that is safe to show: cleaned by [`clean`], with one line in place of what was dropped;
    /// a single line that says so if it is binary.
    pub fn text(&self) -> String {
        if is_binary(&self.head) || is_binary(&self.tail) {
            return format!("[binary output, {} bytes]", self.total);
        }
        if self.dropped() == 0 {
            return clean(&[self.head.as_slice(), self.tail.as_slice()].concat());
        }
        format!("{}\n[… {} bytes left out …]\n{}", clean(&self.head), self.dropped(), clean(&self.tail))
    }
}

/// The output so far of a run that goes on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Standard output.
    pub stdout: Captured,
    /// Standard error.
    pub stderr: Captured,
}

/// The end of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Exit code of the last stage, if it exited.
    pub code: Option<i32>,
    /// The signal that ended the last stage, if one did.
    pub signal: Option<i32>,
    /// Exit codes of all stages, in order; 128 + signal for one that was killed, absent for one that had to be
    /// killed with the run.
    pub stages: Vec<Option<i32>>,
    /// Standard output of the last stage.
    pub stdout: Captured,
    /// Standard error of all stages.
    pub stderr: Captured,
    /// True if some output was not kept.
    pub truncated: bool,
    /// From the start of the command to the end of its last process.
    pub duration: Duration,
    /// Why it ended.
    pub reason: Reason,
    /// Layers that were missing and accepted as missing.
    pub weaker: Vec<Layer>,
    /// True if it ran in namespaces of its own.
    pub namespaces: bool,
    /// Processes that were still there ten seconds after they had been killed (stuck in the kernel); 0 otherwise.
    pub leftover: u32,
}
