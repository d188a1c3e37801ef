//! The database of a history.

use std::fs;
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use redb::{Database, ReadableDatabase, ReadableTable, ReadableTableMetadata};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::history::file::{
    BYTES, NUMBERS, RECORDS, SCHEMA, Unreadable, append_all, decoded, encoded, free_name, next_id, number,
    opened, records, rewritten, storage,
};
use crate::history::record::{Feedback, NewRecord, Record};
use crate::ranking::suggest::Past;

const FILE: &str = "history.redb";
/// The first line of an export.
const FORMAT: &str = "bash-god history";

/// Why a history could not be opened, read or changed.
#[derive(Debug, Error)]
pub enum HistoryError {
    /// Another process has it open.
    #[error("the history {0} is in use by another process; end it, or choose another state folder")]
    InUse(PathBuf),
    /// The folder or file cannot be used.
    #[error("the history {path} cannot be used: {reason}")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// A change or a question failed; what was there before is unchanged.
    #[error("the history could not be read or changed: {0}")]
    Storage(String),
    /// A record that is not kept, with the reason.
    #[error("{0}")]
    Refused(String),
    /// No record has this number.
    #[error("no record of the history has the number {0}")]
    Unknown(u64),
    /// An import that is not one; nothing was taken.
    #[error("line {line} of the import {what}; nothing was imported")]
    Import {
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
}

/// How much is kept. The oldest records go first.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// The most records.
    pub records: u64,
    /// The most bytes of all records together, as they are stored.
    pub bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { records: 10_000, bytes: 4 << 20 }
    }
}

/// How much there is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct Stats {
    /// The number of records.
    pub records: u64,
    /// The bytes of all records together, as they are stored.
    pub bytes: u64,
}

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

/// A history that was opened.
#[derive(Debug)]
pub struct Opened {
    /// The history.
    pub history: History,
    /// A sentence for the person, if an older file could not be read: why, and where it is kept.
    pub notice: Option<String>,
}

/// The commands that were run, in a file of a state folder.
#[derive(Debug)]
pub struct History {
    database: Mutex<Database>,
    path: PathBuf,
    limits: Limits,
}

impl History {
    /// Opens the history of a state folder, or begins one. Every page is checked: a file that is damaged, or
    /// written by another version, is kept beside the new one under another name, and the notice says so.
    ///
    /// # Errors
    /// If another process has the file open, or the folder cannot be written.
    pub fn open(folder: &Path, limits: Limits) -> Result<Opened, HistoryError> {
        let path = folder.join(FILE);
        let unusable =
            |e: std::io::Error| HistoryError::Unusable { path: path.clone(), reason: e.to_string() };
        fs::create_dir_all(folder).map_err(unusable)?;
        let (database, notice) = match opened(&path) {
            Ok(database) => (database, None),
            Err(Unreadable::Failed(error)) => return Err(error),
            Err(Unreadable::Foreign(reason)) => {
                let aside = free_name(&path);
                fs::rename(&path, &aside).map_err(unusable)?;
                let (old, kept) = (path.display(), aside.display());
                let notice =
                    format!("the history {old} {reason}; it was kept as {kept}, and a new one begins");
                match opened(&path) {
                    Ok(database) => (database, Some(notice)),
                    Err(Unreadable::Failed(error)) => return Err(error),
                    Err(Unreadable::Foreign(reason)) => {
                        return Err(HistoryError::Unusable { path, reason });
                    }
                }
            }
        };
        Ok(Opened { history: Self { database: Mutex::new(database), path, limits }, notice })
    }

    fn database(&self) -> MutexGuard<'_, Database> {
        // A panic elsewhere cannot leave half a transaction.
        self.database.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a record, with secrets masked, and gives its number. The oldest records go where the limits are
    /// reached.
    ///
    /// # Errors
    /// If the record is empty or too long, or the file cannot be written.
    pub fn append(&self, record: NewRecord) -> Result<u64, HistoryError> {
        let ids = append_all(&self.database(), vec![record.checked()?], self.limits)?;
        ids.first()
            .copied()
            .ok_or_else(|| HistoryError::Refused("the limits leave no room for a record".to_owned()))
    }

    /// The records that a query asks for, newest first.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn query(&self, query: &Query) -> Result<Vec<Record>, HistoryError> {
        let end = query.before.unwrap_or(u64::MAX);
        let wanted = query.contains.as_ref().map(|text| text.to_lowercase());
        let mut found = Vec::new();
        let transaction = self.database().begin_read().map_err(storage)?;
        let table = transaction.open_table(RECORDS).map_err(storage)?;
        for row in table.range(..end).map_err(storage)?.rev() {
            if found.len() == query.limit {
                break;
            }
            let (id, bytes) = row.map_err(storage)?;
            let record = decoded(id.value(), bytes.value())?;
            let recent = query.since_ms.is_none_or(|since| record.entry.at_ms >= since);
            if recent && wanted.as_ref().is_none_or(|text| contains(&record.entry, text)) {
                found.push(record);
            }
        }
        Ok(found)
    }

    /// All records as suggestions need them, oldest first.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn pasts(&self) -> Result<Vec<Past>, HistoryError> {
        let mut records = self.query(&Query { limit: usize::MAX, ..Query::default() })?;
        records.reverse();
        Ok(records.iter().map(|record| record.entry.past()).collect())
    }

    /// Keeps what the person said about a record.
    ///
    /// # Errors
    /// If there is no such record, or the file cannot be written.
    pub fn feedback(&self, id: u64, feedback: Feedback) -> Result<(), HistoryError> {
        let transaction = self.database().begin_write().map_err(storage)?;
        {
            let mut table = transaction.open_table(RECORDS).map_err(storage)?;
            let old = table.get(id).map_err(storage)?.map(|bytes| bytes.value().to_vec());
            let old = old.ok_or(HistoryError::Unknown(id))?;
            let mut record = decoded(id, &old)?;
            record.entry.feedback = Some(feedback);
            let new = encoded(&record.entry)?;
            table.insert(id, new.as_slice()).map_err(storage)?;
            let mut numbers = transaction.open_table(NUMBERS).map_err(storage)?;
            let bytes = number(&numbers, BYTES)? + new.len() as u64 - old.len() as u64;
            numbers.insert(BYTES, bytes).map_err(storage)?;
        }
        transaction.commit().map_err(storage)
    }

    /// Forgets records and gives their number. What is left is written to a new file that takes the place of
    /// the old one, so that nothing of the forgotten stays in it.
    ///
    /// # Errors
    /// If there is no record with the number asked for, or the folder cannot be written; nothing is forgotten
    /// then.
    pub fn forget(&self, which: &Forget) -> Result<usize, HistoryError> {
        let mut database = self.database();
        let all = records(&database)?;
        let before = all.len();
        let (gone, left): (Vec<Record>, Vec<Record>) =
            all.into_iter().partition(|record| which.takes(record));
        if let Forget::One(id) = which
            && gone.is_empty()
        {
            return Err(HistoryError::Unknown(*id));
        }
        if !gone.is_empty() {
            let next = next_id(&database)?;
            *database = rewritten(&self.path, &left, next)?;
        }
        Ok(before - left.len())
    }

    /// Writes all records as lines of JSON, oldest first, after a line that names the format; gives their
    /// number.
    ///
    /// # Errors
    /// If the file cannot be read or `out` cannot be written.
    pub fn export(&self, out: &mut dyn Write) -> Result<usize, HistoryError> {
        let records = records(&self.database())?;
        let failed = |e: std::io::Error| HistoryError::Storage(e.to_string());
        let header = Header { format: FORMAT.to_owned(), version: SCHEMA };
        write_line(out, &header).map_err(failed)?;
        for record in &records {
            write_line(out, &record.entry).map_err(failed)?;
        }
        Ok(records.len())
    }

    /// Takes the records of an export, all or none, as the newest ones; gives their number. Secrets are
    /// masked here too.
    ///
    /// # Errors
    /// If a line is not what an export writes (the error names it), or the file cannot be written.
    pub fn import(&self, lines: &mut dyn BufRead) -> Result<usize, HistoryError> {
        let mut new = Vec::new();
        let mut line = String::new();
        for at in 1.. {
            let error = |what: String| HistoryError::Import { line: at, what };
            line.clear();
            let read = std::io::Read::take(&mut *lines, LONGEST_LINE).read_line(&mut line);
            if read.map_err(|e| error(format!("cannot be read: {e}")))? == 0 {
                if at == 1 {
                    return Err(error("is missing: an export begins with its format".to_owned()));
                }
                break;
            }
            if at == 1 {
                let header: Header = serde_json::from_str(&line)
                    .map_err(|e| error(format!("does not name the format: {e}")))?;
                if header != (Header { format: FORMAT.to_owned(), version: SCHEMA }) {
                    return Err(error(format!("names another format than \"{FORMAT}\" version {SCHEMA}")));
                }
                continue;
            }
            let record: NewRecord =
                serde_json::from_str(&line).map_err(|e| error(format!("is no record: {e}")))?;
            new.push(record.checked().map_err(|e| error(format!("cannot be kept: {e}")))?);
            if new.len() as u64 > self.limits.records {
                return Err(error(format!(
                    "is one more than the {} records that are kept",
                    self.limits.records
                )));
            }
        }
        let count = new.len();
        append_all(&self.database(), new, self.limits)?;
        Ok(count)
    }

    /// How much there is.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn stats(&self) -> Result<Stats, HistoryError> {
        let transaction = self.database().begin_read().map_err(storage)?;
        let records = transaction.open_table(RECORDS).map_err(storage)?.len().map_err(storage)?;
        let bytes = number(&transaction.open_table(NUMBERS).map_err(storage)?, BYTES)?;
        Ok(Stats { records, bytes })
    }
}

/// No line of an export is longer.
const LONGEST_LINE: u64 = 256 * 1024;

#[derive(Debug, Deserialize, Eq, PartialEq, Serialize)]
struct Header {
    format: String,
    version: u64,
}

fn write_line(out: &mut dyn Write, value: &impl Serialize) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    out.write_all(&line)
}

impl Forget {
    fn takes(&self, record: &Record) -> bool {
        match self {
            Self::One(id) => record.id == *id,
            Self::Containing(text) => contains(&record.entry, &text.to_lowercase()),
            Self::Before(time) => record.entry.at_ms < *time,
            Self::All => true,
        }
    }
}

fn contains(record: &NewRecord, lower: &str) -> bool {
    record.command.to_lowercase().contains(lower) || record.task.to_lowercase().contains(lower)
}
