//! The file of an index: replaced in one step by one writer, mapped by all.

use std::fs::{File, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::xxh3_64;

use super::snapshot::{Bytes, Snapshot, Unreadable};

/// Where the index of a root is kept.
#[derive(Debug)]
pub(super) struct Store {
    file: PathBuf,
    lock: PathBuf,
    /// The inode of the file that was mapped last.
    mapped: u64,
}

/// Whoever has it may write. It ends with the process, however that ends.
pub(super) struct Writer(#[expect(dead_code, reason = "held for its lock")] File);

impl Store {
    /// The place for a root in a state directory, which is made.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn new(directory: &Path, root: &Path) -> io::Result<Self> {
        mcp_workspace::state::make(directory)?;
        let name = format!("index-{:016x}", xxh3_64(root.as_os_str().as_encoded_bytes()));
        Ok(Self {
            file: directory.join(format!("{name}.bin")),
            lock: directory.join(format!("{name}.lock")),
            mapped: 0,
        })
    }

    /// Whether another index than the one that was mapped last is there.
    pub(super) fn has_another(&self) -> bool {
        self.file.metadata().is_ok_and(|metadata| metadata.ino() != self.mapped)
    }

    /// The index that is there; `None` where there is none.
    ///
    /// # Errors
    /// What is there is not an index of this program.
    pub(super) fn open(&mut self) -> Result<Option<Snapshot>, Unreadable> {
        let Ok(file) = File::open(&self.file) else { return Ok(None) };
        let inode = file.metadata().map(|metadata| metadata.ino()).unwrap_or_default();
        #[expect(
            unsafe_code,
            reason = "a file of this server's own directory, replaced as a whole and never written to"
        )]
        // SAFETY: whoever writes an index writes a new file and renames it over this one, so the mapped bytes stay; a
        // program of the same user that cuts the file could end this process, as it could in other ways.
        let map = unsafe { memmap2::Mmap::map(&file) };
        let Ok(map) = map else { return Err(Unreadable::Damaged) };
        let snapshot = Snapshot::new(Bytes::Mapped(map))?;
        self.mapped = inode;
        Ok(Some(snapshot))
    }

    /// The right to write, unless another process has it.
    ///
    /// # Errors
    /// The directory cannot be written.
    pub(super) fn writer(&self) -> io::Result<Option<Writer>> {
        let mut options = File::options();
        options.create(true).truncate(false).write(true).mode(0o600);
        let file = options.open(&self.lock)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Writer(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Replaces the index. Whoever dies on the way leaves the old one.
    ///
    /// # Errors
    /// What the system says, such as a full disk; the old index stays then.
    pub(super) fn replace(&self, _writer: &Writer, bytes: &[u8]) -> io::Result<()> {
        let new = self.file.with_extension("new");
        let written = write(&new, bytes).and_then(|()| std::fs::rename(&new, &self.file));
        if written.is_err() {
            drop(std::fs::remove_file(&new));
        }
        written
    }
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = File::options();
    options.create(true).truncate(true).write(true).mode(0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_data()
}
