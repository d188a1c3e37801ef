//! One lab at a time builds and measures in a target directory.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;

use crate::experiment::progress::Watcher;
use crate::process::RunError;

/// Keeps other labs out of a target directory until it is dropped, however this process ends. Two labs at once would
/// overwrite each other's artifacts and share the core that both measure on.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Waits until no other lab works in this directory, which is made where it is not there.
    ///
    /// # Errors
    /// The directory cannot be made or written to; or the watcher asked to stop before it was free.
    pub fn take(directory: &Path, watcher: &Watcher) -> anyhow::Result<Self> {
        fs::create_dir_all(directory)
            .with_context(|| format!("cannot make the directory {}", directory.display()))?;
        let path = directory.join("lock");
        let file = File::create(&path).with_context(|| format!("cannot open {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => return Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => {
                // Some network file systems have no locks; the lab still works there.
                watcher.progress().note(&format!("other labs are not kept out, {}: {error}", path.display()));
                return Ok(Self { _file: file });
            }
        }
        let text = format!("another perflab works in {}: waiting for it", directory.display());
        watcher.progress().note(&text);
        while !watcher.stopped() {
            if file.try_lock().is_ok() {
                return Ok(Self { _file: file });
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Err(RunError::Stopped.into())
    }
}

/// Where labs lock each other out that work in no workspace: in the user's runtime directory, else in the cache. `None`
/// for a user without either.
#[must_use]
pub fn user_directory() -> Option<PathBuf> {
    let named = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = || named("XDG_CACHE_HOME").or_else(|| Some(named("HOME")?.join(".cache")));
    named("XDG_RUNTIME_DIR").filter(|path| path.is_dir()).or_else(cache).map(|path| path.join("perflab"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    use super::*;
    use crate::experiment::progress::Silent;

    #[test]
    fn the_second_one_waits_until_the_first_is_gone_or_it_is_told_to_stop() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("deep/perflab");
        let first = Lock::take(&target, &Watcher::silent()).unwrap();
        let stopped = Watcher::new(Arc::new(AtomicBool::new(true)), Arc::new(Silent));
        let error = Lock::take(&target, &stopped).unwrap_err();
        assert!(matches!(error.downcast_ref(), Some(RunError::Stopped)), "{error:#}");
        let second = std::thread::scope(|scope| {
            let second = scope.spawn(|| Lock::take(&target, &Watcher::silent()));
            drop(first);
            second.join().unwrap().unwrap()
        });
        let error = Lock::take(&target, &stopped).unwrap_err();
        assert!(matches!(error.downcast_ref(), Some(RunError::Stopped)), "held again: {error:#}");
        drop(second);
        Lock::take(&target, &stopped).unwrap();
    }
}
