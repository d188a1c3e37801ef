//! A directory that is held open, and what lies beneath it.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

/// A path that cannot be used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{path}: {message}", path = path.display())]
pub struct PathError {
    /// The path, as it was given.
    pub path: PathBuf,
    /// What is wrong with it.
    pub message: String,
}

impl PathError {
    pub(crate) fn new(path: &Path, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), message: message.into() }
    }
}

/// A directory, held open so that nothing can take its place.
#[derive(Debug)]
pub struct Root {
    path: PathBuf,
    directory: OwnedFd,
}

impl Root {
    /// Opens a directory, links on the way to it followed.
    ///
    /// # Errors
    /// If it does not exist or is not a directory.
    pub fn open(given: &Path) -> Result<Self, PathError> {
        let path = given.canonicalize().map_err(|error| PathError::new(given, error.to_string()))?;
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let directory = rustix::fs::openat(CWD, &path, flags, Mode::empty())
            .map_err(|error| PathError::new(given, not_opened(error)))?;
        Ok(Self { path, directory })
    }

    /// Where it is: absolute and without links.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens a regular file beneath it for reading. Links are followed as long as they stay beneath it.
    ///
    /// # Errors
    /// What the system says; [`io::ErrorKind::CrossesDevices`] for a path that leads out of the root.
    pub fn file(&self, below: &Path) -> io::Result<File> {
        // Opening a pipe without a writer would wait for one.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = File::from(open(self.as_fd(), below, flags)?);
        if !file.metadata()?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        Ok(file)
    }
}

impl AsFd for Root {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.directory.as_fd()
    }
}

fn not_opened(error: Errno) -> String {
    match error {
        Errno::NOTDIR => "not a directory; name one that is".to_owned(),
        other => format!("cannot be opened ({other})"),
    }
}

/// Opens a directory that lies beneath `root` and stays beneath it on the way, links included. It can be worked in,
/// not listed.
///
/// # Errors
/// What the system says; `EXDEV` for a path that leads out of the root.
pub fn open_directory(root: BorrowedFd<'_>, path: &Path) -> rustix::io::Result<OwnedFd> {
    open(root, path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC)
}

fn open(root: BorrowedFd<'_>, path: &Path, flags: OFlags) -> rustix::io::Result<OwnedFd> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    rustix::fs::openat2(root, path, flags, Mode::empty(), resolve)
}

/// Where a path lies by its name: the number of its root and the rest of the path. A relative one lies below the
/// first root, an absolute one below the innermost root that holds it, as that is named; whether links on the way
/// lead out of it is for the kernel to say.
#[must_use]
pub fn place(roots: &[Root], asked: &Path) -> Option<(usize, PathBuf)> {
    if !asked.is_absolute() {
        return (!roots.is_empty()).then(|| (0, asked.to_owned()));
    }
    let holding = roots.iter().enumerate().filter(|(_, root)| asked.starts_with(&root.path));
    let (number, root) = holding.max_by_key(|(_, root)| root.path.as_os_str().len())?;
    asked.strip_prefix(&root.path).ok().map(|below| (number, below.to_owned()))
}
