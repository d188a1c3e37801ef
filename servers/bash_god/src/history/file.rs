//! The file of a history: its tables, how it is opened and checked, and how it is replaced as a whole.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use redb::{
    Database, DatabaseError, ReadableDatabase, ReadableTable, ReadableTableMetadata, TableDefinition,
};

use crate::history::record::{NewRecord, Record};
use crate::history::store::{HistoryError, Limits};

/// Every record as JSON, by its number.
pub const RECORDS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("records");
/// What is counted, by name.
pub const NUMBERS: TableDefinition<'_, &str, u64> = TableDefinition::new("numbers");
/// The version of the tables and of what is in them.
pub const SCHEMA: u64 = 1;
const SCHEMA_KEY: &str = "schema";
const NEXT_ID: &str = "next_id";
/// The name of the bytes of all records.
pub const BYTES: &str = "bytes";

/// Any error of the database; its kinds mean the same to a person.
pub fn storage(error: impl Into<redb::Error>) -> HistoryError {
    HistoryError::Storage(error.into().to_string())
}

/// Why a file is not this version's history.
pub enum Unreadable {
    /// It stays where it is.
    Failed(HistoryError),
    /// It is kept aside, for this reason.
    Foreign(String),
}

/// A record as it is stored.
pub fn encoded(record: &NewRecord) -> Result<Vec<u8>, HistoryError> {
    serde_json::to_vec(record).map_err(|e| HistoryError::Storage(e.to_string()))
}

/// A stored record.
pub fn decoded(id: u64, bytes: &[u8]) -> Result<Record, HistoryError> {
    let entry = serde_json::from_slice(bytes)
        .map_err(|e| HistoryError::Storage(format!("record {id} is damaged: {e}")))?;
    Ok(Record { id, entry })
}

/// A number of the history; one that was never written is 0.
pub fn number(table: &impl ReadableTable<&'static str, u64>, name: &str) -> Result<u64, HistoryError> {
    Ok(table.get(name).map_err(storage)?.map_or(0, |value| value.value()))
}

/// The number that the next record gets.
pub fn next_id(database: &Database) -> Result<u64, HistoryError> {
    let transaction = database.begin_read().map_err(storage)?;
    number(&transaction.open_table(NUMBERS).map_err(storage)?, NEXT_ID)
}

/// All records, oldest first.
pub fn records(database: &Database) -> Result<Vec<Record>, HistoryError> {
    let transaction = database.begin_read().map_err(storage)?;
    let table = transaction.open_table(RECORDS).map_err(storage)?;
    let rows = table.iter().map_err(storage)?;
    rows.map(|row| row.map_err(storage).and_then(|(id, bytes)| decoded(id.value(), bytes.value()))).collect()
}

/// Adds records in one transaction, and removes the oldest ones that are over the limits.
pub fn append_all(
    database: &Database,
    new: Vec<NewRecord>,
    limits: Limits,
) -> Result<Vec<u64>, HistoryError> {
    let transaction = database.begin_write().map_err(storage)?;
    let mut ids = Vec::new();
    {
        let mut table = transaction.open_table(RECORDS).map_err(storage)?;
        let mut numbers = transaction.open_table(NUMBERS).map_err(storage)?;
        let (mut next, mut bytes) = (number(&numbers, NEXT_ID)?, number(&numbers, BYTES)?);
        for record in new {
            let encoded = encoded(&record)?;
            if encoded.len() as u64 > limits.bytes {
                return Err(HistoryError::Refused(
                    "the record is larger than the whole history may be".to_owned(),
                ));
            }
            bytes += encoded.len() as u64;
            table.insert(next, encoded.as_slice()).map_err(storage)?;
            ids.push(next);
            next += 1;
        }
        while table.len().map_err(storage)? > limits.records || bytes > limits.bytes {
            let Some((_, oldest)) = table.pop_first().map_err(storage)? else { break };
            bytes -= oldest.value().len() as u64;
        }
        numbers.insert(NEXT_ID, next).map_err(storage)?;
        numbers.insert(BYTES, bytes).map_err(storage)?;
    }
    transaction.commit().map_err(storage)?;
    Ok(ids)
}

/// A database with just these records, in the place of the one at `path`. The old file is replaced in one
/// step: whoever dies in between leaves one or the other.
pub fn rewritten(path: &Path, left: &[Record], next: u64) -> Result<Database, HistoryError> {
    let unusable =
        |e: std::io::Error| HistoryError::Unusable { path: path.to_owned(), reason: e.to_string() };
    let new = path.with_extension("redb.new");
    if new.exists() {
        fs::remove_file(&new).map_err(unusable)?;
    }
    let database = match opened(&new) {
        Ok(database) => database,
        Err(Unreadable::Failed(error)) => return Err(error),
        Err(Unreadable::Foreign(reason)) => {
            return Err(HistoryError::Unusable { path: new, reason });
        }
    };
    let transaction = database.begin_write().map_err(storage)?;
    {
        let mut table = transaction.open_table(RECORDS).map_err(storage)?;
        let mut bytes = 0;
        for record in left {
            let encoded = encoded(&record.entry)?;
            bytes += encoded.len() as u64;
            table.insert(record.id, encoded.as_slice()).map_err(storage)?;
        }
        let mut numbers = transaction.open_table(NUMBERS).map_err(storage)?;
        numbers.insert(NEXT_ID, next).map_err(storage)?;
        numbers.insert(BYTES, bytes).map_err(storage)?;
    }
    transaction.commit().map_err(storage)?;
    fs::rename(&new, path).map_err(unusable)?;
    Ok(database)
}

/// Opens a file, checks every page and the version, and makes what is missing.
pub fn opened(path: &Path) -> Result<Database, Unreadable> {
    let failed =
        |reason: String| Unreadable::Failed(HistoryError::Unusable { path: path.to_owned(), reason });
    let existed = path.metadata().is_ok_and(|metadata| metadata.len() > 0);
    let mut builder = Database::builder();
    builder.set_check_integrity_on_open(true).set_cache_size(4 << 20);
    let database = builder.create(path).map_err(|error| match error {
        DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => {
            Unreadable::Failed(HistoryError::InUse(path.to_owned()))
        }
        DatabaseError::Storage(redb::StorageError::Io(e)) if e.kind() != std::io::ErrorKind::InvalidData => {
            // A file that ends too early is damaged; anything else is the system's refusal.
            if e.kind() == std::io::ErrorKind::UnexpectedEof { damaged() } else { failed(e.to_string()) }
        }
        DatabaseError::UpgradeRequired(version) => {
            Unreadable::Foreign(format!("has the file format {version} of another version"))
        }
        _ => damaged(),
    })?;
    fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(|e| failed(e.to_string()))?;
    if existed {
        check_version(&database)?
    }
    begin(&database).map_err(Unreadable::Failed)?;
    Ok(database)
}

fn damaged() -> Unreadable {
    Unreadable::Foreign("is damaged or no history at all".to_owned())
}

fn check_version(database: &Database) -> Result<(), Unreadable> {
    let transaction = database.begin_read().map_err(|_| damaged())?;
    let version = match transaction.open_table(NUMBERS) {
        Ok(table) => number(&table, SCHEMA_KEY).map_err(|_| damaged())?,
        // Made, but not begun before whoever made it died.
        Err(redb::TableError::TableDoesNotExist(_)) => SCHEMA,
        Err(_) => return Err(damaged()),
    };
    if version != SCHEMA {
        return Err(Unreadable::Foreign(format!(
            "has version {version}, this program reads version {SCHEMA}"
        )));
    }
    match transaction.open_table(RECORDS) {
        Err(redb::TableError::TableDoesNotExist(_)) => return Ok(()),
        Err(_) => return Err(damaged()),
        Ok(_) => {}
    }
    records(database).map(drop).map_err(|_| damaged())
}

fn begin(database: &Database) -> Result<(), HistoryError> {
    let transaction = database.begin_write().map_err(storage)?;
    {
        transaction.open_table(RECORDS).map_err(storage)?;
        let mut numbers = transaction.open_table(NUMBERS).map_err(storage)?;
        numbers.insert(SCHEMA_KEY, SCHEMA).map_err(storage)?;
    }
    transaction.commit().map_err(storage)
}

/// A name beside `path` that nothing has yet.
pub fn free_name(path: &Path) -> PathBuf {
    (1..)
        .map(|number: u32| path.with_extension(format!("redb.kept-{number}")))
        .find(|candidate| !candidate.exists())
        .unwrap_or_else(|| path.with_extension("redb.kept"))
}
