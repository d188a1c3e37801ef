//! The questions that a history is asked, and what is forgotten of it.

use std::path::Path;
use std::sync::Arc;

use mcp_state::{Limits, Log, Numbered, Opened, StateError, Stats};

use crate::history::record::{Feedback, NewRecord};
use crate::ranking::suggest::Past;

/// A command that is kept, with its number.
pub type Record = Numbered<NewRecord>;

/// How much is kept.
pub const LIMITS: Limits = Limits { records: 10_000, bytes: 4 << 20 };

/// Which records are asked for. All conditions hold together.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// The command or the task contains this, in upper or lower case.
    pub contains: Option<String>,
    /// Run at this time or later, in milliseconds since 1970.
    pub since_ms: Option<u64>,
    /// Only records with a lower number: the last one of the page before.
    pub before: Option<u64>,
    /// The most records of the answer.
    pub limit: usize,
}

/// Which records are forgotten.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Forget {
    /// The one with this number.
    One(u64),
    /// Those whose command or task contains this, in upper or lower case.
    Containing(String),
    /// Those run before this time, in milliseconds since 1970.
    Before(u64),
    /// All.
    All,
}

/// The commands that were run, in a file of a state directory.
#[derive(Clone, Debug)]
pub struct History {
    log: Arc<Log<NewRecord>>,
}

impl From<Arc<Log<NewRecord>>> for History {
    fn from(log: Arc<Log<NewRecord>>) -> Self {
        Self { log }
    }
}

impl History {
    /// Opens the history of a state directory, or begins one; see [`Log::open`].
    ///
    /// # Errors
    /// If another process has the file open, or the directory cannot be written.
    pub fn open(directory: &Path, limits: Limits) -> Result<Opened<Self>, StateError> {
        let Opened { state, notice } = Log::open(directory, limits)?;
        Ok(Opened { state: Self { log: Arc::new(state) }, notice })
    }

    /// The records themselves.
    #[must_use]
    pub fn log(&self) -> &Log<NewRecord> {
        &self.log
    }

    /// Keeps a record, with secrets masked, and gives its number. The oldest records go where the limits are
    /// reached.
    ///
    /// # Errors
    /// If the record is empty or too long, or the file cannot be written.
    pub fn append(&self, record: NewRecord) -> Result<u64, StateError> {
        self.log.append(record)
    }

    /// The records that a query asks for, newest first.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn query(&self, query: &Query) -> Result<Vec<Record>, StateError> {
        let text = query.contains.as_ref().map(|text| text.to_lowercase());
        self.log.newest(query.before, query.limit, |record| {
            query.since_ms.is_none_or(|since| record.at_ms >= since)
                && text.as_ref().is_none_or(|text| contains(record, text))
        })
    }

    /// All records as suggestions need them, oldest first.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn pasts(&self) -> Result<Vec<Past>, StateError> {
        Ok(self.log.all()?.iter().map(|record| record.entry.past()).collect())
    }

    /// Keeps what the person said about a record.
    ///
    /// # Errors
    /// If there is no such record, or the file cannot be written.
    pub fn feedback(&self, id: u64, feedback: Feedback) -> Result<(), StateError> {
        self.log.update(id, |record| record.feedback = Some(feedback))
    }

    /// Forgets records and gives their number; nothing of them stays in the file.
    ///
    /// # Errors
    /// If there is no record with the number asked for, or the directory cannot be written; nothing is forgotten
    /// then.
    pub fn forget(&self, which: &Forget) -> Result<usize, StateError> {
        match which {
            Forget::One(id) => self.log.forget_one(*id).map(|()| 1),
            Forget::Containing(text) => {
                let text = text.to_lowercase();
                self.log.forget(|record| contains(&record.entry, &text))
            }
            Forget::Before(time) => self.log.forget(|record| record.entry.at_ms < *time),
            Forget::All => self.log.forget(|_| true),
        }
    }

    /// How much there is.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn stats(&self) -> Result<Stats, StateError> {
        self.log.stats()
    }
}

fn contains(record: &NewRecord, lower: &str) -> bool {
    record.command.to_lowercase().contains(lower) || record.task.to_lowercase().contains(lower)
}
