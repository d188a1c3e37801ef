//! Private temporary directories on disk, for hosts without namespaces.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FlockOperation, Mode, OFlags, flock};

/// How the names begin.
const PREFIX: &str = "mcp-sandbox-";

/// The directory of one run. A lock is held on it, which tells one that a crash left behind from one in use.
pub(crate) struct Scratch {
    path: PathBuf,
    _lock: OwnedFd,
}

impl Scratch {
    pub(crate) fn make(base: &Path) -> io::Result<Self> {
        let mut random = [0_u8; 12];
        File::open("/dev/urandom")?.read_exact(&mut random)?;
        let name: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let path = base.join(format!("{PREFIX}{name}"));
        rustix::fs::mkdir(&path, Mode::RWXU)?;
        let lock = locked(&path)?
            .ok_or_else(|| io::Error::other("the new directory is locked by another process"))?;
        Ok(Self { path, _lock: lock })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed now is removed by the sweep of a later start.
        let _ = remove(&self.path);
    }
}

/// Opens a directory and locks it; `None` if another process holds it.
fn locked(path: &Path) -> io::Result<Option<OwnedFd>> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder = rustix::fs::openat(CWD, path, flags, Mode::empty())?;
    match flock(&folder, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(folder)),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Removes what runs left behind whose supervisor was killed.
pub(crate) fn sweep(base: &Path) -> io::Result<()> {
    for entry in fs::read_dir(base)?.flatten() {
        let ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
        if ours && matches!(locked(&entry.path()), Ok(Some(_))) {
            let _ = remove(&entry.path());
        }
    }
    Ok(())
}

/// Removes a directory, also if directories in it were made unreadable or unwritable.
fn remove(path: &Path) -> io::Result<()> {
    if fs::remove_dir_all(path).is_ok() {
        return Ok(());
    }
    let mut waiting = vec![path.to_owned()];
    while let Some(folder) = waiting.pop() {
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700))?;
        for entry in fs::read_dir(&folder)?.flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                waiting.push(entry.path());
            }
        }
    }
    fs::remove_dir_all(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_takes_what_a_crash_left_and_nothing_else() {
        let base = tempfile::tempdir().unwrap();
        let used = Scratch::make(base.path()).unwrap();
        let left = base.path().join(format!("{PREFIX}0123"));
        fs::create_dir_all(left.join("deep")).unwrap();
        fs::write(left.join("deep/file"), "x").unwrap();
        fs::create_dir(base.path().join("other")).unwrap();
        sweep(base.path()).unwrap();
        assert!(!left.exists());
        assert!(used.path().exists());
        assert!(base.path().join("other").exists());
        let path = used.path().to_owned();
        drop(used);
        assert!(!path.exists());
    }
}
