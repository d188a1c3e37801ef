//! A file of state: how it is opened and checked, changed in transactions, and replaced as a whole.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use redb::{
    Database, DatabaseError, ReadTransaction, ReadableDatabase, ReadableTable, TableDefinition, TableError,
    WriteTransaction,
};

use crate::error::StateError;

/// What is counted, by name: the version of the schema, and the numbers of a log.
pub(crate) const NUMBERS: TableDefinition<'_, &str, u64> = TableDefinition::new("numbers");
const VERSION: &str = "schema";
/// What is said, by name. Files of the first releases have no such table.
const TEXTS: TableDefinition<'_, &str, &str> = TableDefinition::new("texts");
const FORMAT: &str = "format";

/// Bytes of the file that the database may keep in memory.
const CACHE: usize = 4 << 20;

/// What a file of state holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Schema {
    /// What it is called in sentences, and how its file is: `history` lies in `history.redb`.
    pub name: &'static str,
    /// The name that it has everywhere, such as `example history`: a file or an export of another one is refused.
    pub format: &'static str,
    /// The version of the tables and of what is in them.
    pub version: u64,
}

/// State that was opened.
#[derive(Debug)]
pub struct Opened<T> {
    /// The state.
    pub state: T,
    /// A sentence for the person, if an older file could not be read: why, and where it is kept.
    pub notice: Option<String>,
}

/// Why a file does not hold this state.
enum Unreadable {
    /// It stays where it is.
    Failed(StateError),
    /// It is kept aside, for this reason.
    Foreign(String),
}

/// Whether what is in a file can be read; an error means that it is damaged.
type Check<'a> = &'a dyn Fn(&ReadTransaction) -> Result<(), StateError>;

/// A file with a schema. Its tables are those of whoever opened it, who changes them in transactions.
#[derive(Debug)]
pub struct StateFile {
    database: Mutex<Database>,
    path: PathBuf,
    schema: Schema,
}

impl StateFile {
    /// Opens the file of a schema in a directory, or begins one. Every page is checked, and then its content by
    /// `check`: a file that is damaged, or that holds something else, is kept beside the new one under a free name,
    /// and the notice says so.
    ///
    /// # Errors
    /// If another process has the file open, or the directory cannot be written.
    pub fn open(
        directory: &Path,
        schema: Schema,
        check: impl Fn(&ReadTransaction) -> Result<(), StateError>,
    ) -> Result<Opened<Self>, StateError> {
        let path = directory.join(format!("{}.redb", schema.name));
        let unusable =
            |reason: String| StateError::Unusable { name: schema.name, path: path.clone(), reason };
        mcp_workspace::state::make(directory).map_err(|error| unusable(error.to_string()))?;
        let (database, notice) = match opened(&path, schema, &check) {
            Ok(database) => (database, None),
            Err(Unreadable::Failed(error)) => return Err(error.about(schema.name)),
            Err(Unreadable::Foreign(reason)) => {
                let aside = free_name(&path);
                fs::rename(&path, &aside).map_err(|error| unusable(error.to_string()))?;
                let (name, old, kept) = (schema.name, path.display(), aside.display());
                let notice =
                    format!("the {name} {old} {reason}; it was kept as {kept}, and a new one begins");
                (begun(&path, schema)?, Some(notice))
            }
        };
        Ok(Opened { state: Self { database: Mutex::new(database), path, schema }, notice })
    }

    /// Opens the file of a schema that is there already, to read what it holds: nothing is begun, and nothing kept
    /// aside.
    ///
    /// # Errors
    /// If there is no such file, it is damaged or holds something else, or another process has it open.
    pub fn open_existing(
        directory: &Path,
        schema: Schema,
        check: impl Fn(&ReadTransaction) -> Result<(), StateError>,
    ) -> Result<Self, StateError> {
        let path = directory.join(format!("{}.redb", schema.name));
        let unusable =
            |reason: String| StateError::Unusable { name: schema.name, path: path.clone(), reason };
        if !path.is_file() {
            return Err(unusable("is not there: nothing was remembered in this directory".to_owned()));
        }
        match opened(&path, schema, &check) {
            Ok(database) => Ok(Self { database: Mutex::new(database), path, schema }),
            Err(Unreadable::Failed(error)) => Err(error.about(schema.name)),
            Err(Unreadable::Foreign(reason)) => Err(unusable(reason)),
        }
    }

    /// What it holds.
    #[must_use]
    pub fn schema(&self) -> Schema {
        self.schema
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the file as it is at this moment; changes that happen meanwhile are not seen.
    ///
    /// # Errors
    /// If the file cannot be read, and what `look` fails with.
    pub fn read<T>(
        &self,
        look: impl FnOnce(&ReadTransaction) -> Result<T, StateError>,
    ) -> Result<T, StateError> {
        // The lock is for the beginning alone: a long look holds up no change.
        let begun = self.database.lock().begin_read();
        begun.map_err(StateError::from).and_then(|view| look(&view)).map_err(|error| self.named(error))
    }

    /// Changes the file: all that `change` does, or nothing where it fails. One change at a time.
    ///
    /// # Errors
    /// If the file cannot be written, and what `change` fails with.
    pub fn write<T>(
        &self,
        change: impl FnOnce(&WriteTransaction) -> Result<T, StateError>,
    ) -> Result<T, StateError> {
        let database = self.database.lock();
        written(&database, change).map_err(|error| self.named(error))
    }

    /// Replaces the file by one that `fill` makes from it, so that nothing else of the old one is left on the disk.
    /// It is replaced in one step: whoever dies in between leaves one or the other. Where `fill` gives `None`, there
    /// is nothing to change, and the file stays.
    ///
    /// # Errors
    /// If the directory cannot be written, and what `fill` fails with; the old file stays then.
    pub fn rewrite<T>(
        &self,
        fill: impl FnOnce(&ReadTransaction, &WriteTransaction) -> Result<Option<T>, StateError>,
    ) -> Result<Option<T>, StateError> {
        let mut database = self.database.lock();
        self.replaced(&mut database, fill).map_err(|error| self.named(error))
    }

    fn replaced<T>(
        &self,
        database: &mut Database,
        fill: impl FnOnce(&ReadTransaction, &WriteTransaction) -> Result<Option<T>, StateError>,
    ) -> Result<Option<T>, StateError> {
        let unusable = |error: io::Error| StateError::Unusable {
            name: self.schema.name,
            path: self.path.clone(),
            reason: error.to_string(),
        };
        let new = self.path.with_extension("redb.new");
        // Whoever died in the middle left one.
        remove(&new).map_err(unusable)?;
        let fresh = begun(&new, self.schema)?;
        let old = database.begin_read()?;
        let result = written(&fresh, |target| fill(&old, target))?;
        if result.is_none() {
            drop(fresh);
            remove(&new).map_err(unusable)?;
            return Ok(None);
        }
        fs::rename(&new, &self.path).map_err(unusable)?;
        // A loss of power must not bring back what was forgotten.
        if let Some(directory) = self.path.parent() {
            File::open(directory).and_then(|directory| directory.sync_all()).map_err(unusable)?;
        }
        *database = fresh;
        Ok(result)
    }

    fn named(&self, error: StateError) -> StateError {
        error.about(self.schema.name)
    }
}

/// A number of the file; one that was never written is 0.
pub(crate) fn number(table: &impl ReadableTable<&'static str, u64>, name: &str) -> Result<u64, StateError> {
    Ok(table.get(name)?.map_or(0, |value| value.value()))
}

fn written<T>(
    database: &Database,
    change: impl FnOnce(&WriteTransaction) -> Result<T, StateError>,
) -> Result<T, StateError> {
    let transaction = database.begin_write()?;
    // Dropped without a commit, it has changed nothing.
    let result = change(&transaction)?;
    transaction.commit()?;
    Ok(result)
}

/// Opens a file, checks every page, the version and the content, and makes what is missing.
fn opened(path: &Path, schema: Schema, check: Check<'_>) -> Result<Database, Unreadable> {
    let failed = |reason: String| {
        Unreadable::Failed(StateError::Unusable { name: schema.name, path: path.to_owned(), reason })
    };
    let damaged = || Unreadable::Foreign(format!("is damaged or no {} at all", schema.name));
    let existed = path.metadata().is_ok_and(|metadata| metadata.len() > 0);
    let mut builder = Database::builder();
    builder.set_check_integrity_on_open(true).set_cache_size(CACHE);
    let database = builder.create(path).map_err(|error| match error {
        DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => {
            Unreadable::Failed(StateError::InUse { name: schema.name, path: path.to_owned() })
        }
        DatabaseError::Storage(redb::StorageError::Io(error))
            if error.kind() != io::ErrorKind::InvalidData =>
        {
            // A file that ends too early is damaged; anything else is the system's refusal.
            if error.kind() == io::ErrorKind::UnexpectedEof { damaged() } else { failed(error.to_string()) }
        }
        DatabaseError::UpgradeRequired(version) => {
            Unreadable::Foreign(format!("has the file format {version} of another version"))
        }
        _ => damaged(),
    })?;
    fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(|error| failed(error.to_string()))?;
    if existed {
        let view = database.begin_read().map_err(|_| damaged())?;
        match foreign(&view, schema) {
            Ok(None) => check(&view).map_err(|_| damaged())?,
            Ok(Some(reason)) => return Err(Unreadable::Foreign(reason)),
            Err(_) => return Err(damaged()),
        }
    }
    begin(&database, schema).map_err(Unreadable::Failed)?;
    Ok(database)
}

/// Why a file that can be read is not one of this schema.
fn foreign(view: &ReadTransaction, schema: Schema) -> Result<Option<String>, StateError> {
    let version = match view.open_table(NUMBERS) {
        Ok(table) => number(&table, VERSION)?,
        // Made, but not begun before whoever made it died.
        Err(TableError::TableDoesNotExist(_)) => schema.version,
        Err(error) => return Err(error.into()),
    };
    if version != schema.version {
        let reads = schema.version;
        return Ok(Some(format!("has version {version}, this program reads version {reads}")));
    }
    match view.open_table(TEXTS) {
        Ok(table) => {
            let format = table.get(FORMAT)?;
            let other = format.filter(|format| format.value() != schema.format);
            Ok(other.map(|format| format!("holds {}, not {}", format.value(), schema.format)))
        }
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn begin(database: &Database, schema: Schema) -> Result<(), StateError> {
    written(database, |transaction| {
        transaction.open_table(NUMBERS)?.insert(VERSION, schema.version)?;
        transaction.open_table(TEXTS)?.insert(FORMAT, schema.format)?;
        Ok(())
    })
}

/// A new file.
fn begun(path: &Path, schema: Schema) -> Result<Database, StateError> {
    opened(path, schema, &|_| Ok(())).map_err(|unreadable| match unreadable {
        Unreadable::Failed(error) => error,
        Unreadable::Foreign(reason) => {
            StateError::Unusable { name: schema.name, path: path.to_owned(), reason }
        }
    })
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// A name beside `path` that nothing has yet.
fn free_name(path: &Path) -> PathBuf {
    (1..)
        .map(|number: u32| path.with_extension(format!("redb.kept-{number}")))
        .find(|candidate| !candidate.exists())
        .unwrap_or_else(|| path.with_extension("redb.kept"))
}
