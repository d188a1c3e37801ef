//! What changed since the last look, by the kernel's own queue (inotify(7)).
//!
//! The queue is read in the call that asks: a change that was made before the call is in it, so no answer is older than
//! the question. A thread that listens and debounces would answer from the past for a moment.

use std::collections::BTreeSet;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::{Duration, Instant};

use mcp_source::Language;
use rustc_hash::FxHashMap;
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};

/// The most directories that are watched: a user has 8,192 watches on a small machine, for all programs together.
pub const MOST_WATCHES: usize = 4_096;
/// How old the last look may be where nothing is watched.
const POLL_AFTER: Duration = Duration::from_secs(1);

/// What changed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Changes {
    Nothing,
    /// These files, and nothing else that counts.
    Files(BTreeSet<String>),
    /// Perhaps anything.
    Unknown,
}

/// The watches of a root.
#[derive(Default)]
pub(super) struct Watch {
    queue: Option<OwnedFd>,
    directories: FxHashMap<i32, String>,
    watched: FxHashMap<String, i32>,
    /// Why nothing is watched.
    polling: Option<String>,
    looked: Option<Instant>,
}

impl Watch {
    /// Why changes are looked for by their times instead; `None` where they are watched.
    pub(super) fn polling(&self) -> Option<&str> {
        self.polling.as_deref()
    }

    /// Takes note that everything was looked at.
    pub(super) fn looked(&mut self, at: Instant) {
        self.looked = Some(at);
    }

    /// Watches these directories and no others; whether any is new, so that it has to be looked at once more.
    pub(super) fn cover(&mut self, root: &Path, directories: &[String]) -> bool {
        if self.polling.is_some() {
            return false;
        }
        if directories.len() > MOST_WATCHES {
            self.give_up(format!("{} directories, {MOST_WATCHES} are watched at most", directories.len()));
            return false;
        }
        if self.queue.is_none() {
            match inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK) {
                Ok(queue) => self.queue = Some(queue),
                Err(error) => {
                    self.give_up(format!("the system refuses to watch ({error})"));
                    return false;
                }
            }
        }
        let mut is_new = false;
        for directory in directories {
            if self.watched.contains_key(directory) {
                continue;
            }
            is_new = true;
            if let Err(error) = self.add(root, directory) {
                self.give_up(format!("the system refuses to watch ({error})"));
                return false;
            }
        }
        is_new
    }

    fn add(&mut self, root: &Path, directory: &str) -> rustix::io::Result<()> {
        let Some(queue) = &self.queue else { return Ok(()) };
        let flags = WatchFlags::MODIFY
            | WatchFlags::ATTRIB
            | WatchFlags::CREATE
            | WatchFlags::DELETE
            | WatchFlags::MOVED_FROM
            | WatchFlags::MOVED_TO
            | WatchFlags::ONLYDIR
            | WatchFlags::DONT_FOLLOW;
        match inotify::add_watch(queue, root.join(directory), flags) {
            Ok(number) => {
                self.directories.insert(number, directory.to_owned());
                self.watched.insert(directory.to_owned(), number);
                Ok(())
            }
            // It is gone again; its parent's watch tells.
            Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR | rustix::io::Errno::ACCESS) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn give_up(&mut self, reason: String) {
        *self = Self { polling: Some(reason), looked: self.looked, ..Self::default() };
    }

    /// What changed since the last call. `is_known` says whether a path is in the index.
    pub(super) fn changes(&mut self, is_known: impl Fn(&str) -> bool) -> Changes {
        let Some(looked) = self.looked else { return Changes::Unknown };
        let Some(queue) = &self.queue else {
            return if looked.elapsed() > POLL_AFTER { Changes::Unknown } else { Changes::Nothing };
        };
        let mut buffer = [MaybeUninit::uninit(); 8 << 10];
        let mut reader = Reader::new(queue, &mut buffer);
        let mut files = BTreeSet::new();
        let mut is_unknown = false;
        // An error is an empty queue, as it does not wait.
        while let Ok(event) = reader.next() {
            let flags = event.events();
            let gone = ReadFlags::QUEUE_OVERFLOW | ReadFlags::IGNORED | ReadFlags::UNMOUNT;
            if flags.intersects(gone) {
                is_unknown = true;
                if let Some(directory) = self.directories.remove(&event.wd()) {
                    self.watched.remove(&directory);
                }
                continue;
            }
            let name = event.file_name().and_then(|name| name.to_str().ok());
            let (Some(directory), Some(name)) = (self.directories.get(&event.wd()), name) else { continue };
            let path = if directory.is_empty() { name.to_owned() } else { format!("{directory}/{name}") };
            match meaning(&path, name, flags, &is_known) {
                Meaning::Nothing => {}
                Meaning::File => drop(files.insert(path)),
                Meaning::Unknown => is_unknown = true,
            }
        }
        match (is_unknown, files.is_empty()) {
            (true, _) => Changes::Unknown,
            (false, true) => Changes::Nothing,
            (false, false) => Changes::Files(files),
        }
    }
}

enum Meaning {
    Nothing,
    File,
    Unknown,
}

/// What an event of a directory's entry means for the index.
fn meaning(path: &str, name: &str, flags: ReadFlags, is_known: &impl Fn(&str) -> bool) -> Meaning {
    if matches!(name, ".gitignore" | ".ignore" | ".rgignore" | ".git") {
        return Meaning::Unknown;
    }
    if flags.contains(ReadFlags::ISDIR) {
        let is_elsewhere = flags.intersects(
            ReadFlags::CREATE
                | ReadFlags::DELETE
                | ReadFlags::MOVED_FROM
                | ReadFlags::MOVED_TO
                | ReadFlags::ATTRIB,
        );
        return if is_elsewhere && !name.starts_with('.') { Meaning::Unknown } else { Meaning::Nothing };
    }
    if Language::of_path(Path::new(path)).is_none() {
        return Meaning::Nothing;
    }
    if is_known(path) {
        return Meaning::File;
    }
    // A new file: whether it is one of the project, the rules of ignore files say.
    Meaning::Unknown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(names: &[&str]) -> Changes {
        Changes::Files(names.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn each_change_is_told_at_once() {
        let base = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(base.path().join(name), text).unwrap();
        std::fs::create_dir(base.path().join("sub")).unwrap();
        write("sub/a.rs", "");
        let mut watch = Watch::default();
        assert!(watch.cover(base.path(), &[String::new(), "sub".to_owned()]));
        assert!(!watch.cover(base.path(), &[String::new(), "sub".to_owned()]));
        let known = |path: &str| path == "sub/a.rs" || path == "b.rs";
        assert_eq!(watch.changes(known), Changes::Unknown, "nobody looked yet");
        watch.looked(Instant::now());
        assert_eq!(watch.changes(known), Changes::Nothing);
        write("sub/a.rs", "fn a() {}");
        assert_eq!(watch.changes(known), set(&["sub/a.rs"]));
        assert_eq!(watch.changes(known), Changes::Nothing);
        write("notes.txt", "x");
        assert_eq!(watch.changes(known), Changes::Nothing);
        write("c.rs", "");
        assert_eq!(watch.changes(known), Changes::Unknown);
        write("sub/.gitignore", "x");
        assert_eq!(watch.changes(known), Changes::Unknown);
        std::fs::rename(base.path().join("sub/a.rs"), base.path().join("b.rs")).unwrap();
        assert_eq!(watch.changes(known), set(&["b.rs", "sub/a.rs"]));
        std::fs::create_dir(base.path().join("new")).unwrap();
        assert_eq!(watch.changes(known), Changes::Unknown);
        std::fs::remove_dir_all(base.path().join("sub")).unwrap();
        assert_eq!(watch.changes(known), Changes::Unknown);
    }

    #[test]
    fn too_many_directories_are_not_watched() {
        let base = tempfile::tempdir().unwrap();
        let many: Vec<String> = (0..=MOST_WATCHES).map(|number| number.to_string()).collect();
        let mut watch = Watch::default();
        assert!(!watch.cover(base.path(), &many));
        assert!(watch.polling().is_some_and(|reason| reason.contains("4097 directories")));
        watch.looked(Instant::now());
        assert_eq!(watch.changes(|_| true), Changes::Nothing);
    }
}
