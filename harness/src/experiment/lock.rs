//! One lab at a time builds and measures: in a target directory, and on a machine.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};

use crate::experiment::progress::Watcher;
use crate::process::RunError;

/// Keeps other labs out until it is dropped, however this process ends. Two labs in one target directory would overwrite
/// each other's artifacts, and two on one machine would share the core that both measure on.
#[derive(Debug)]
pub struct Lock {
    _directory: Option<File>,
    _machine: Option<File>,
}

impl Lock {
    /// Waits until no other lab works in this directory, which is made where it is not there, and then until none of this
    /// user works elsewhere on this machine. Every lab asks in this order, so that no two wait for each other.
    ///
    /// # Errors
    /// The directory cannot be made or written to; or the watcher asked to stop before both were free.
    pub fn take(directory: &Path, watcher: &Watcher) -> anyhow::Result<Self> {
        Self::both(directory, machine_directory(), watcher)
    }

    /// As [`Lock::take`], where nothing is built.
    ///
    /// # Errors
    /// The watcher asked to stop before the machine was free.
    pub fn of_machine(watcher: &Watcher) -> anyhow::Result<Self> {
        Ok(Self { _directory: None, _machine: machine(machine_directory(), watcher)? })
    }

    fn both(directory: &Path, place: anyhow::Result<PathBuf>, watcher: &Watcher) -> anyhow::Result<Self> {
        fs::create_dir_all(directory)
            .with_context(|| format!("cannot make the directory {}", directory.display()))?;
        let path = directory.join("lock");
        let file = File::create(&path).with_context(|| format!("cannot open {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let text = format!("another perflab works in {}: waiting for it", directory.display());
                wait(&file, &text, watcher)?;
            }
            Err(TryLockError::Error(error)) => {
                // Some network file systems have no locks; the lab still works there.
                watcher.progress().note(&format!("other labs are not kept out, {}: {error}", path.display()));
            }
        }
        Ok(Self { _directory: Some(file), _machine: machine(place, watcher)? })
    }
}

/// Says what is waited for, and waits until the file can be locked.
fn wait(file: &File, text: &str, watcher: &Watcher) -> anyhow::Result<()> {
    watcher.progress().note(text);
    while !watcher.stopped() {
        if file.try_lock().is_ok() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Err(RunError::Stopped.into())
}

/// Keeps labs of other workspaces out. Where that cannot be done, it is said, and the lab works all the same.
fn machine(place: anyhow::Result<PathBuf>, watcher: &Watcher) -> anyhow::Result<Option<File>> {
    match place.and_then(|directory| whole_machine(&directory, watcher)) {
        Err(error) if !watcher.stopped() => {
            watcher.progress().note(&format!("labs of other workspaces are not kept out: {error:#}"));
            Ok(None)
        }
        outcome => outcome,
    }
}

/// The lock of the machine; `None` for a lab that another one started, which holds it already: a command that is measured
/// may be a lab itself.
fn whole_machine(directory: &Path, watcher: &Watcher) -> anyhow::Result<Option<File>> {
    let path = directory.join("machine.lock");
    // Who holds it has written its number.
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .with_context(|| format!("cannot open {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            file.read_to_string(&mut holder).ok();
            if holder.trim().parse().is_ok_and(is_above) {
                return Ok(None);
            }
            wait(&file, "another perflab works on this machine: waiting for it", watcher)?;
        }
        Err(TryLockError::Error(error)) => bail!("{}: {error}", path.display()),
    }
    file.set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| write!(file, "{}", std::process::id()))
        .with_context(|| format!("cannot write {}", path.display()))?;
    Ok(Some(file))
}

/// Whether a process is this one's parent, or a parent of that.
fn is_above(process: u32) -> bool {
    let mut here = std::process::id();
    // Chains of parents are a dozen long: a thousand end a circle of reused numbers.
    for _ in 0..1000 {
        let Some(parent) = parent(here) else { return false };
        if parent == process {
            return true;
        }
        here = parent;
    }
    false
}

/// The parent of a process (proc_pid_stat(5)); the name before it may hold anything.
fn parent(process: u32) -> Option<u32> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    text.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok().filter(|&parent| parent > 0)
}

/// Where the labs of this user lock each other out, whatever workspace they are in: the user's runtime directory, which
/// those that no session started do not name but have, else a directory in `/tmp` that is the user's alone.
fn machine_directory() -> anyhow::Result<PathBuf> {
    let user = rustix::process::geteuid().as_raw();
    let named = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let runtime = [named, Some(format!("/run/user/{user}").into())];
    let runtime = runtime.into_iter().flatten().find(|path| path.is_absolute() && path.is_dir());
    match runtime {
        Some(runtime) => own_directory(&runtime.join("perflab"), user),
        None => own_directory(Path::new(&format!("/tmp/perflab-{user}")), user),
    }
}

/// Makes a directory that its owner alone can use, or finds it made.
fn own_directory(path: &Path, user: u32) -> anyhow::Result<PathBuf> {
    let made = DirBuilder::new().mode(0o700).create(path);
    let found = fs::symlink_metadata(path);
    match (made, found) {
        (_, Ok(found)) if found.is_dir() && found.uid() == user && found.mode() & 0o022 == 0 => {
            Ok(path.to_owned())
        }
        (_, Ok(_)) => bail!("{} is not a directory of this user's alone", path.display()),
        (made, Err(error)) => {
            Err(made.err().unwrap_or(error)).with_context(|| format!("cannot make {}", path.display()))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::sync::atomic::AtomicBool;
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::experiment::progress::{Progress, Silent, Stage};

    fn stopped() -> Watcher {
        Watcher::new(Arc::new(AtomicBool::new(true)), Arc::new(Silent))
    }

    fn is_stop(error: &anyhow::Error) -> bool {
        matches!(error.downcast_ref(), Some(RunError::Stopped))
    }

    #[test]
    fn the_second_one_waits_until_the_first_is_gone_or_it_is_told_to_stop() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("deep/perflab");
        let take = |watcher: &Watcher| Lock::both(&target, Ok(directory.path().to_owned()), watcher);
        let first = take(&Watcher::silent()).unwrap();
        let error = take(&stopped()).unwrap_err();
        assert!(is_stop(&error), "{error:#}");
        let second = std::thread::scope(|scope| {
            let second = scope.spawn(|| take(&Watcher::silent()));
            drop(first);
            second.join().unwrap().unwrap()
        });
        let error = take(&stopped()).unwrap_err();
        assert!(is_stop(&error), "held again: {error:#}");
        drop(second);
        take(&stopped()).unwrap();
    }

    #[test]
    fn labs_of_different_workspaces_wait_for_each_other() {
        let directory = tempfile::tempdir().unwrap();
        let place = || Ok(directory.path().to_owned());
        let take = |name: &str| Lock::both(&directory.path().join(name), place(), &stopped());
        let first = take("one/target").unwrap();
        let error = take("other/target").unwrap_err();
        assert!(is_stop(&error), "{error:#}");
        drop(first);
        take("other/target").unwrap();
    }

    #[test]
    fn a_lab_that_another_one_started_does_not_wait_for_that_one() {
        let directory = tempfile::tempdir().unwrap();
        let held = File::create(directory.path().join("machine.lock")).unwrap();
        held.lock().unwrap();
        let parent = parent(std::process::id()).unwrap();
        assert!(is_above(parent) && !is_above(std::process::id()));
        (&held).write_all(parent.to_string().as_bytes()).unwrap();
        assert!(whole_machine(directory.path(), &stopped()).unwrap().is_none());
        let text = fs::read_to_string(directory.path().join("machine.lock")).unwrap();
        assert_eq!(text, parent.to_string(), "what the holder wrote stays");
    }

    /// Keeps the notes.
    #[derive(Default)]
    struct Notes(Mutex<Vec<String>>);

    impl Progress for Notes {
        fn begins(&self, _: &str, _: &Path, _: &crate::machine::Environment) {}

        fn stage(&self, _: &'static str, _: &str, _: u64) -> Box<dyn Stage> {
            unreachable!("a lock has no stages")
        }

        fn note(&self, text: &str) {
            self.0.lock().unwrap().push(text.to_owned());
        }

        fn say(&self, _: &str, _: &str) {}
    }

    #[test]
    fn without_a_place_of_its_own_the_lab_says_so_and_works() {
        let scratch = tempfile::tempdir().unwrap();
        let user = rustix::process::geteuid().as_raw();
        let own = scratch.path().join("own");
        assert_eq!(own_directory(&own, user).unwrap(), own);
        assert_eq!(own.metadata().unwrap().mode() & 0o777, 0o700);
        assert_eq!(own_directory(&own, user).unwrap(), own, "found again");
        assert!(own_directory(&own, user + 1).is_err(), "somebody else's");
        fs::set_permissions(&own, fs::Permissions::from_mode(0o777)).unwrap();
        assert!(own_directory(&own, user).is_err(), "anybody may put a file there");
        let file = scratch.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(own_directory(&file, user).is_err() && own_directory(&file.join("x"), user).is_err());
        std::os::unix::fs::symlink(scratch.path(), scratch.path().join("link")).unwrap();
        assert!(own_directory(&scratch.path().join("link"), user).is_err(), "leads anywhere");

        let notes = Arc::new(Notes::default());
        let watcher = Watcher::new(Arc::new(AtomicBool::new(false)), Arc::clone(&notes) as Arc<dyn Progress>);
        let lock = Lock::both(&scratch.path().join("target"), own_directory(&file, user), &watcher);
        lock.unwrap();
        let said = notes.0.lock().unwrap().join("\n");
        assert!(said.starts_with("labs of other workspaces are not kept out: "), "{said}");
        assert!(said.ends_with("file is not a directory of this user's alone"), "{said}");
    }
}
