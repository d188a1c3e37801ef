//! The folders that commands may see, and what lies beneath them.

use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags};

use crate::error::SandboxError;

/// Folders that are made anew for each command, or that are the kernel's; none may be a root or hold one below the
/// last three.
const OWN_FOLDERS: [&str; 5] = ["/tmp", "/dev/shm", "/dev", "/proc", "/sys"];

/// A root, held open so that nothing can take its place.
#[derive(Debug)]
pub(crate) struct Root {
    pub path: PathBuf,
    pub folder: OwnedFd,
}

pub(crate) fn folder_error(path: &Path, message: impl Into<String>) -> SandboxError {
    SandboxError::Folder { path: path.to_owned(), message: message.into() }
}

impl Root {
    pub(crate) fn open(given: &Path) -> Result<Self, SandboxError> {
        let path = given.canonicalize().map_err(|error| folder_error(given, error.to_string()))?;
        let own = OWN_FOLDERS.iter().any(|own| Path::new(own).starts_with(&path))
            || OWN_FOLDERS[2..].iter().any(|own| path.starts_with(own));
        if own {
            return Err(folder_error(given, "this folder cannot be a root; name a project's folder"));
        }
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let folder = rustix::fs::openat(CWD, &path, flags, Mode::empty())
            .map_err(|error| folder_error(given, format!("is not usable as a folder ({error})")))?;
        Ok(Self { path, folder })
    }
}

/// Opens a folder that lies beneath `root` and stays beneath it on the way, links included.
pub(crate) fn open_beneath(root: BorrowedFd<'_>, path: &Path) -> rustix::io::Result<OwnedFd> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    rustix::fs::openat2(root, path, flags, Mode::empty(), resolve)
}
