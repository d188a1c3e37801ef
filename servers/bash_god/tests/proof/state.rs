//! What a tree of files looks like, and how two such looks differ.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::xxh3_64;

/// Of larger files only size and times are compared.
const LARGEST: u64 = 1 << 20;

/// All that is known of a file without reading it, and a digest of its content.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Look {
    mode: u32,
    owner: (u32, u32),
    links: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
    digest: u64,
}

impl Look {
    fn is_folder(&self) -> bool {
        self.mode & 0o170_000 == 0o040_000
    }
}

/// How a file differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It was not there before.
    New,
    /// It is not there any more.
    Gone,
    /// Its content, mode, owner or times are others.
    Changed,
}

/// A file that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub path: PathBuf,
    pub kind: Kind,
    pub directory: bool,
}

/// A tree at one moment.
#[derive(Clone, Debug, Default)]
pub struct State(BTreeMap<PathBuf, Look>);

impl State {
    /// Looks at everything below `base` but what `skip` names.
    pub fn of(base: &Path, skip: &[PathBuf]) -> io::Result<Self> {
        let mut found = BTreeMap::new();
        let mut waiting = vec![base.to_owned()];
        while let Some(path) = waiting.pop() {
            if skip.contains(&path) {
                continue;
            }
            let status = path.symlink_metadata()?;
            if status.is_dir() {
                for entry in fs::read_dir(&path)? {
                    waiting.push(entry?.path());
                }
            }
            let digest = if status.is_file() && status.size() <= LARGEST {
                fs::read(&path).map_or(0, |content| xxh3_64(&content))
            } else if status.is_symlink() {
                xxh3_64(fs::read_link(&path)?.as_os_str().as_encoded_bytes())
            } else {
                0
            };
            let look = Look {
                mode: status.mode(),
                owner: (status.uid(), status.gid()),
                links: status.nlink(),
                size: status.size(),
                modified: (status.mtime(), status.mtime_nsec()),
                changed: (status.ctime(), status.ctime_nsec()),
                digest,
            };
            found.insert(path, look);
        }
        Ok(Self(found))
    }

    /// What is different in `later`.
    pub fn differences(&self, later: &Self) -> Vec<Difference> {
        self.differences_by(later, |before, after| before == after)
    }

    /// What is different in `later` but for numbers of links, times of status, and times of directories: these change
    /// with other files.
    pub fn differences_of_content(&self, later: &Self) -> Vec<Difference> {
        self.differences_by(later, |before, after| {
            let is_folder = before.is_folder() && after.is_folder();
            before.mode == after.mode
                && before.owner == after.owner
                && (is_folder
                    || (before.size, before.modified, before.digest)
                        == (after.size, after.modified, after.digest))
        })
    }

    fn differences_by(&self, later: &Self, same: impl Fn(&Look, &Look) -> bool) -> Vec<Difference> {
        let mut found = Vec::new();
        for (path, look) in &self.0 {
            let kind = match later.0.get(path) {
                None => Kind::Gone,
                Some(other) if !same(look, other) => Kind::Changed,
                Some(_) => continue,
            };
            found.push(Difference { path: path.clone(), kind, directory: look.is_folder() });
        }
        for (path, look) in &later.0 {
            if !self.0.contains_key(path) {
                found.push(Difference { path: path.clone(), kind: Kind::New, directory: look.is_folder() });
            }
        }
        found
    }
}
