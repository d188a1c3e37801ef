//! A bounded list of records in a file of state.

use std::marker::PhantomData;
use std::path::Path;

use redb::{
    ReadTransaction, ReadableTable, ReadableTableMetadata, TableDefinition, TableError, WriteTransaction,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::StateError;
use crate::file::{NUMBERS, Opened, Schema, StateFile, number};

/// Every record as JSON, by its number.
const RECORDS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("records");
const NEXT_ID: &str = "next_id";
/// The bytes of all records.
const BYTES: &str = "bytes";

/// The most bytes of one record as JSON: a longer line of an export would not be read back.
pub const LONGEST_RECORD: usize = 256 << 10;

/// What a log consists of. It denies unknown fields, so that a record of something else is not taken for one.
pub trait Record: Serialize + DeserializeOwned {
    /// What the file of such records is.
    const SCHEMA: Schema;

    /// The record as it is kept, with what must not be kept taken out. An import goes through this too.
    ///
    /// # Errors
    /// One sentence: it cannot be kept.
    fn checked(self) -> Result<Self, String> {
        Ok(self)
    }
}

/// A record that is kept.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Numbered<R> {
    /// Its number; a later one is higher, and none is given twice.
    pub id: u64,
    /// The record.
    #[serde(flatten)]
    pub entry: R,
}

/// How much is kept. The oldest records go first.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// The most records.
    pub records: u64,
    /// The most bytes of all records together, as they are stored.
    pub bytes: u64,
}

/// How much there is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct Stats {
    /// The number of records.
    pub records: u64,
    /// The bytes of all records together, as they are stored.
    pub bytes: u64,
}

/// A bounded list of records.
#[derive(Debug)]
pub struct Log<R> {
    file: StateFile,
    limits: Limits,
    kind: PhantomData<fn() -> R>,
}

impl<R: Record> Log<R> {
    /// Opens the log of a state directory, or begins one; see [`StateFile::open`]. A record that cannot be read makes
    /// the file a damaged one.
    ///
    /// # Errors
    /// If another process has the file open, or the directory cannot be written.
    pub fn open(directory: &Path, limits: Limits) -> Result<Opened<Self>, StateError> {
        let Opened { state: file, notice } = StateFile::open(directory, R::SCHEMA, Self::check)?;
        Ok(Opened { state: Self::of(file, limits)?, notice })
    }

    /// Opens the log of a state directory that has one; see [`StateFile::open_existing`].
    ///
    /// # Errors
    /// If there is none, it is damaged, or another process has it open.
    pub fn open_existing(directory: &Path, limits: Limits) -> Result<Self, StateError> {
        Self::of(StateFile::open_existing(directory, R::SCHEMA, Self::check)?, limits)
    }

    /// Whether every record can be read.
    fn check(view: &ReadTransaction) -> Result<(), StateError> {
        match view.open_table(RECORDS) {
            Err(TableError::TableDoesNotExist(_)) => Ok(()),
            Err(error) => Err(error.into()),
            Ok(_) => records::<R>(view).map(drop),
        }
    }

    fn of(file: StateFile, limits: Limits) -> Result<Self, StateError> {
        file.write(|transaction| Ok(transaction.open_table(RECORDS).map(drop)?))?;
        Ok(Self { file, limits, kind: PhantomData })
    }

    /// How much is kept.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Keeps a record and gives its number. The oldest records go where the limits are reached.
    ///
    /// # Errors
    /// If the record cannot be kept or is too long, or the file cannot be written.
    pub fn append(&self, record: R) -> Result<u64, StateError> {
        let record = record.checked().map_err(StateError::Refused)?;
        let ids = self.add(&[record])?;
        ids.first().copied().ok_or_else(|| StateError::Refused("there is no record to keep".to_owned()))
    }

    /// Adds records that were checked, in one transaction.
    pub(crate) fn add(&self, new: &[R]) -> Result<Vec<u64>, StateError> {
        self.file.write(|transaction| {
            let mut table = transaction.open_table(RECORDS)?;
            let mut numbers = transaction.open_table(NUMBERS)?;
            let (mut next, mut bytes) = (number(&numbers, NEXT_ID)?, number(&numbers, BYTES)?);
            let mut ids = Vec::with_capacity(new.len());
            for record in new {
                let encoded = encoded(record)?;
                if encoded.len() as u64 > self.limits.bytes {
                    let name = R::SCHEMA.name;
                    let sentence = format!("the record is larger than the whole {name} may be");
                    return Err(StateError::Refused(sentence));
                }
                bytes += encoded.len() as u64;
                table.insert(next, encoded.as_slice())?;
                ids.push(next);
                next += 1;
            }
            while table.len()? > self.limits.records || bytes > self.limits.bytes {
                let Some((_, oldest)) = table.pop_first()? else { break };
                bytes -= oldest.value().len() as u64;
            }
            numbers.insert(NEXT_ID, next)?;
            numbers.insert(BYTES, bytes)?;
            Ok(ids)
        })
    }

    /// At most `limit` records that `wanted` takes, newest first; only those with a lower number than `before`,
    /// which is the last one of the page before.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn newest(
        &self,
        before: Option<u64>,
        limit: usize,
        wanted: impl Fn(&R) -> bool,
    ) -> Result<Vec<Numbered<R>>, StateError> {
        self.file.read(|view| {
            let mut found = Vec::new();
            let table = view.open_table(RECORDS)?;
            for row in table.range(..before.unwrap_or(u64::MAX))?.rev() {
                if found.len() == limit {
                    break;
                }
                let (id, bytes) = row?;
                let record = decoded(id.value(), bytes.value())?;
                if wanted(&record.entry) {
                    found.push(record);
                }
            }
            Ok(found)
        })
    }

    /// All records, oldest first.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn all(&self) -> Result<Vec<Numbered<R>>, StateError> {
        self.file.read(records)
    }

    /// Changes the record with a number.
    ///
    /// # Errors
    /// If there is no such record, it cannot be kept as it is now, or the file cannot be written.
    pub fn update(&self, id: u64, change: impl FnOnce(&mut R)) -> Result<(), StateError> {
        self.file.write(|transaction| {
            let mut table = transaction.open_table(RECORDS)?;
            let old = table.get(id)?.map(|bytes| bytes.value().to_vec());
            let old = old.ok_or(StateError::Unknown { name: R::SCHEMA.name, id })?;
            let mut record: R = decoded(id, &old)?.entry;
            change(&mut record);
            let new = encoded(&record.checked().map_err(StateError::Refused)?)?;
            table.insert(id, new.as_slice())?;
            let mut numbers = transaction.open_table(NUMBERS)?;
            let bytes = number(&numbers, BYTES)? - old.len() as u64 + new.len() as u64;
            numbers.insert(BYTES, bytes)?;
            Ok(())
        })
    }

    /// Forgets the records that `which` takes, and gives their number. What is left is written to a new file that
    /// takes the place of the old one, so that nothing of the forgotten stays in it.
    ///
    /// # Errors
    /// If the directory cannot be written; nothing is forgotten then.
    pub fn forget(&self, which: impl Fn(&Numbered<R>) -> bool) -> Result<usize, StateError> {
        let gone = self.file.rewrite(|old, new| {
            let all = records::<R>(old)?;
            let before = all.len();
            let left: Vec<Numbered<R>> = all.into_iter().filter(|record| !which(record)).collect();
            if left.len() == before {
                return Ok(None);
            }
            fill(new, &left, number(&old.open_table(NUMBERS)?, NEXT_ID)?)?;
            Ok(Some(before - left.len()))
        })?;
        Ok(gone.unwrap_or_default())
    }

    /// Forgets the record with a number, as [`Log::forget`] does.
    ///
    /// # Errors
    /// If there is no such record, or the directory cannot be written.
    pub fn forget_one(&self, id: u64) -> Result<(), StateError> {
        match self.forget(|record| record.id == id)? {
            0 => Err(StateError::Unknown { name: R::SCHEMA.name, id }),
            _ => Ok(()),
        }
    }

    /// How much there is.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn stats(&self) -> Result<Stats, StateError> {
        self.file.read(|view| {
            let records = view.open_table(RECORDS)?.len()?;
            let bytes = number(&view.open_table(NUMBERS)?, BYTES)?;
            Ok(Stats { records, bytes })
        })
    }
}

/// A record as it is stored.
fn encoded(record: &impl Serialize) -> Result<Vec<u8>, StateError> {
    let bytes = serde_json::to_vec(record).map_err(|error| StateError::storage(&error))?;
    if bytes.len() >= LONGEST_RECORD {
        return Err(StateError::Refused(format!("a record of more than {LONGEST_RECORD} bytes is not kept")));
    }
    Ok(bytes)
}

/// A stored record.
fn decoded<R: Record>(id: u64, bytes: &[u8]) -> Result<Numbered<R>, StateError> {
    let entry = serde_json::from_slice(bytes)
        .map_err(|error| StateError::storage(&format_args!("record {id} is damaged: {error}")))?;
    Ok(Numbered { id, entry })
}

/// All records, oldest first.
fn records<R: Record>(view: &ReadTransaction) -> Result<Vec<Numbered<R>>, StateError> {
    let table = view.open_table(RECORDS)?;
    let rows = table.iter()?;
    rows.map(|row| row.map_err(StateError::from).and_then(|(id, bytes)| decoded(id.value(), bytes.value())))
        .collect()
}

/// Writes records into a new file.
fn fill<R: Record>(new: &WriteTransaction, left: &[Numbered<R>], next: u64) -> Result<(), StateError> {
    let mut table = new.open_table(RECORDS)?;
    let mut bytes = 0;
    for record in left {
        let encoded = encoded(&record.entry)?;
        bytes += encoded.len() as u64;
        table.insert(record.id, encoded.as_slice())?;
    }
    let mut numbers = new.open_table(NUMBERS)?;
    numbers.insert(NEXT_ID, next)?;
    numbers.insert(BYTES, bytes)?;
    Ok(())
}
