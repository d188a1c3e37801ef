//! The one process that writes.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use crate::ring::chunk::{Chunk, Row, head, row_record, schema_record};
use crate::ring::frame::{framed, records};
use crate::ring::{HEAD, SEGMENT, segments};

/// The parts that the whole is divided into: so much of it is removed at once.
const PARTS: u64 = 16;

/// How much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes of all files together.
    pub bytes: u64,
    /// The rows of a chunk.
    pub rows: usize,
}

impl Default for Limits {
    /// 64 MiB, which is some months of a host at a sample each ten seconds, and five minutes of seconds in a chunk.
    fn default() -> Self {
        Self { bytes: 64 << 20, rows: 300 }
    }
}

/// Why nothing is written.
#[derive(Debug, thiserror::Error)]
pub enum RingError {
    /// Another process writes.
    #[error("another process writes the history in {}: read it, or end that one", .0.display())]
    Taken(PathBuf),
    /// The system says so.
    #[error("the history in {} cannot be written ({error}): give --state another directory, or make room", directory.display())]
    Io {
        /// Where it is.
        directory: PathBuf,
        /// What the system says.
        error: io::Error,
    },
}

/// What writes a history. While it lives, no other process does.
#[derive(Debug)]
pub struct Writer {
    directory: PathBuf,
    limits: Limits,
    // Held for its lock.
    _lock: File,
    head: File,
    /// The length of the head up to its last whole record.
    length: u64,
    rows: Chunk,
}

impl Writer {
    /// Opens the history of a directory, or begins one. What is not whole at the end of a file is cut off.
    ///
    /// # Errors
    /// Another process writes it, or the system says so.
    pub fn open(directory: &Path, limits: Limits) -> Result<Self, RingError> {
        let failed = |error| RingError::Io { directory: directory.to_owned(), error };
        mcp_workspace::state::make(directory).map_err(failed)?;
        let lock = create(&directory.join("lock")).map_err(failed)?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive)
            .map_err(|_| RingError::Taken(directory.to_owned()))?;
        let mut head_file = create(&directory.join(HEAD)).map_err(failed)?;
        let mut bytes = Vec::new();
        head_file.read_to_end(&mut bytes).map_err(failed)?;
        let (found, length) = records(&bytes);
        let rows = head(&found);
        head_file.set_len(length as u64).map_err(failed)?;
        if let Some((_, newest)) = segments(directory).last() {
            trim(newest).map_err(failed)?;
        }
        let (directory, length) = (directory.to_owned(), length as u64);
        Ok(Self { directory, limits, _lock: lock, head: head_file, length, rows })
    }

    /// Keeps a row.
    ///
    /// # Errors
    /// The system says so; what was kept before stays.
    pub fn append(&mut self, names: &[String], row: &Row) -> Result<(), RingError> {
        let is_full = self.rows.times.len() >= self.limits.rows;
        if is_full || (self.rows.names != names && !self.rows.times.is_empty()) {
            self.compress()?;
        }
        let mut bytes = Vec::new();
        if self.rows.names != names || self.length == 0 {
            bytes.extend(framed(&schema_record(names)));
        }
        bytes.extend(framed(&row_record(row)));
        let written = self.head.write_all(&bytes);
        if let Err(error) = written {
            // Half a record would hide what comes after it.
            self.head.set_len(self.length).ok();
            return Err(self.failed(error));
        }
        self.length += bytes.len() as u64;
        if self.rows.names != names {
            self.rows = Chunk::new(names.to_vec());
        }
        self.rows.push(row);
        Ok(())
    }

    /// Moves the rows of the head to a segment.
    ///
    /// # Errors
    /// The system says so.
    pub fn compress(&mut self) -> Result<(), RingError> {
        if self.rows.times.is_empty() {
            return Ok(());
        }
        let bytes = self.rows.to_bytes().map_err(|error| self.failed(io::Error::other(error)))?;
        let bytes = framed(&bytes);
        self.make_room(bytes.len() as u64);
        let path = self.segment(bytes.len() as u64);
        append(&path, &bytes).map_err(|error| self.failed(error))?;
        // The chunk is on the disk: only now the head may go. A crash before leaves both, and readers see rows twice.
        self.head.set_len(0).map_err(|error| self.failed(error))?;
        self.length = 0;
        self.rows = Chunk::new(std::mem::take(&mut self.rows.names));
        Ok(())
    }

    /// The segment that has room for so many bytes: the newest, or a new one.
    fn segment(&self, needed: u64) -> PathBuf {
        let most = self.limits.bytes / PARTS;
        let newest = segments(&self.directory).pop();
        let (number, path) = match newest {
            Some((number, path)) => (number, Some(path)),
            None => (0, None),
        };
        let size = path.as_ref().and_then(|path| path.metadata().ok()).map_or(0, |metadata| metadata.len());
        match path {
            Some(path) if size + needed <= most => path,
            _ => self.directory.join(format!("{:020}.{SEGMENT}", number + 1)),
        }
    }

    /// Removes the oldest segments until so many bytes fit; the newest stays.
    fn make_room(&self, needed: u64) {
        let mut all: Vec<(PathBuf, u64)> = segments(&self.directory)
            .into_iter()
            .map(|(_, path)| {
                let size = path.metadata().map_or(0, |metadata| metadata.len());
                (path, size)
            })
            .collect();
        let mut total: u64 = all.iter().map(|(_, size)| size).sum::<u64>() + self.length + needed;
        while total > self.limits.bytes && all.len() > 1 {
            let (path, size) = all.remove(0);
            if let Err(error) = std::fs::remove_file(&path) {
                tracing::warn!("the old history {} cannot be removed: {error}", path.display());
            }
            total -= size;
        }
    }

    fn failed(&self, error: io::Error) -> RingError {
        RingError::Io { directory: self.directory.clone(), error }
    }
}

fn create(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    // Appending, so that what is written after a cut follows what is left.
    OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)
}

/// Cuts off what is not whole.
fn trim(path: &Path) -> io::Result<()> {
    let bytes = std::fs::read(path)?;
    let (_, length) = records(&bytes);
    if length < bytes.len() {
        OpenOptions::new().write(true).open(path)?.set_len(length as u64)?;
    }
    Ok(())
}

fn append(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = create(path)?;
    let before = file.metadata()?.len();
    let written = file.write_all(bytes).and_then(|()| file.sync_data());
    if written.is_err() {
        file.set_len(before).ok();
    }
    written
}
