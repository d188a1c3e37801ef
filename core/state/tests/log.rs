//! A log across processes: what was confirmed survives a kill, what is foreign is kept aside, what is forgotten is gone.
#![expect(clippy::unwrap_used, reason = "this is a test: a panic is how it fails")]

#[path = "log/damage.rs"]
mod damage;
#[path = "log/forgetting.rs"]
mod forgetting;
#[path = "log/keeping.rs"]
mod keeping;
#[path = "log/kill.rs"]
mod kill;

use std::path::Path;

use mcp_state::{Limits, Log, Opened, Record, Schema};
use serde::{Deserialize, Serialize};

/// A record of these tests.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
struct Note {
    at: u64,
    text: String,
    #[serde(default)]
    mark: Option<bool>,
}

impl Record for Note {
    const SCHEMA: Schema = Schema { name: "notes", format: "test notes", version: 1 };

    /// `hush` stands for what must not be kept.
    fn checked(mut self) -> Result<Self, String> {
        if self.text.is_empty() {
            return Err("an empty note is not kept".to_owned());
        }
        self.text = self.text.replace("hush", "***");
        Ok(self)
    }
}

const LIMITS: Limits = Limits { records: 10_000, bytes: 4 << 20 };

fn open(directory: &Path) -> Log<Note> {
    let Opened { state, notice } = Log::open(directory, LIMITS).unwrap();
    assert_eq!(notice, None);
    state
}

fn note(at: u64, text: &str) -> Note {
    Note { at, text: text.to_owned(), mark: None }
}

/// The texts, newest first.
fn texts(log: &Log<Note>) -> Vec<String> {
    log.newest(None, usize::MAX, |_| true).unwrap().into_iter().map(|record| record.entry.text).collect()
}
