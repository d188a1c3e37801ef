//! The files below a root.

use std::collections::HashSet;
use std::fs::Metadata;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use ignore::{DirEntry, WalkBuilder};

use crate::skip::{Reason, Skips};

/// Which files are listed.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Also those whose name begins with a dot. `.git` is never listed.
    pub hidden: bool,
    /// Also those that ignore files name.
    pub ignored: bool,
    /// The most files.
    pub most: usize,
    /// Whether to count what the two rules leave out; it reads each directory once more.
    pub count: bool,
}

impl Default for Rules {
    /// What a person means by "all files" of a project.
    fn default() -> Self {
        Self { hidden: false, ignored: false, most: 500_000, count: false }
    }
}

/// A regular file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Below the root, in UTF-8.
    pub path: String,
    /// Its length.
    pub stamp: Stamp,
}

/// What tells a file that changed from one that did not, without reading it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Stamp {
    /// Its length in bytes.
    pub bytes: u64,
    /// When it last changed (`ctime`), in nanoseconds since 1970. Unlike the time of the last write, which programs set
    /// as they like, it tells of every write.
    pub changed: u64,
    /// Its inode: a file that took another's place within the clock's grain has another one.
    pub inode: u64,
}

impl Stamp {
    /// The stamp of a file by what the system says of it.
    #[must_use]
    pub fn of(metadata: &Metadata) -> Self {
        let changed = metadata.ctime().saturating_mul(1_000_000_000).saturating_add(metadata.ctime_nsec());
        Self {
            bytes: metadata.len(),
            changed: u64::try_from(changed).unwrap_or_default(),
            inode: metadata.ino(),
        }
    }
}

/// The files of a root.
#[derive(Clone, Debug, Default)]
pub struct Walked {
    /// In the order of their paths.
    pub files: Vec<Found>,
    /// What was left out.
    pub skipped: Skips,
    /// The directories, below the root; the root itself is the empty path. Those whose name is not UTF-8 are left out.
    pub directories: Vec<String>,
}

/// A walker as ripgrep has it: `.gitignore` (also without a repository's `.git` above only where there is one),
/// `.ignore`, `.rgignore`, git's exclude files; links are not followed.
#[must_use]
pub fn builder(root: &Path, rules: &Rules) -> WalkBuilder {
    let mut builder = WalkBuilder::new(root);
    builder.hidden(!rules.hidden).follow_links(false);
    // What git keeps for itself belongs to no search, and its configuration may hold secrets.
    builder.filter_entry(|entry| entry.depth() == 0 || entry.file_name() != ".git");
    if rules.ignored {
        builder.ignore(false).git_ignore(false).git_exclude(false).git_global(false).parents(false);
    } else {
        builder.add_custom_ignore_filename(".rgignore");
    }
    builder
}

/// Lists the regular files below a directory by the rules. Nothing is opened but directories and ignore files.
#[must_use]
pub fn walk(root: &Path, rules: &Rules) -> Walked {
    let mut walked = Walked::default();
    let mut seen: HashSet<PathBuf> = HashSet::new();
    let mut directories = Vec::new();
    for entry in builder(root, rules).build() {
        let Ok(entry) = entry else {
            walked.skipped.add(Reason::Unreadable);
            continue;
        };
        if entry.file_type().is_some_and(|kind| kind.is_dir()) {
            let below = entry.path().strip_prefix(root).unwrap_or(entry.path());
            walked.directories.extend(below.to_str().map(str::to_owned));
            if rules.count {
                directories.push(entry.path().to_owned());
            }
        } else if walked.files.len() >= rules.most {
            walked.skipped.add(Reason::TooMany);
        } else {
            list(root, &entry, &mut walked);
        }
        if rules.count {
            seen.insert(entry.into_path());
        }
    }
    for directory in directories {
        count_unseen(&directory, &seen, &mut walked.skipped);
    }
    walked.files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    walked
}

fn list(root: &Path, entry: &DirEntry, walked: &mut Walked) {
    if !entry.file_type().is_some_and(|kind| kind.is_file()) {
        walked.skipped.add(Reason::NotRegular);
        return;
    }
    let below = entry.path().strip_prefix(root).unwrap_or(entry.path());
    let Some(path) = below.to_str() else {
        walked.skipped.add(Reason::Name);
        return;
    };
    match entry.metadata() {
        Ok(metadata) => walked.files.push(Found { path: path.to_owned(), stamp: Stamp::of(&metadata) }),
        Err(_) => walked.skipped.add(Reason::Unreadable),
    }
}

/// Counts the entries of a directory that the rules left out; such a directory counts once.
fn count_unseen(directory: &Path, seen: &HashSet<PathBuf>, skipped: &mut Skips) {
    let Ok(entries) = std::fs::read_dir(directory) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        if name == ".git" || seen.contains(&entry.path()) {
            continue;
        }
        let is_hidden = name.as_bytes().first() == Some(&b'.');
        skipped.add(if is_hidden { Reason::Hidden } else { Reason::Ignored });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> tempfile::TempDir {
        let base = tempfile::tempdir().unwrap();
        for directory in [".git", "src/deep", "target/debug"] {
            std::fs::create_dir_all(base.path().join(directory)).unwrap();
        }
        for (name, text) in [
            (".gitignore", "target/\n*.log\n"),
            ("a.log", ""),
            ("src/b.rs", "fn b() {}\n"),
            ("src/deep/a.rs", ""),
            ("target/debug/x.rs", ""),
            (".hidden.rs", ""),
        ] {
            std::fs::write(base.path().join(name), text).unwrap();
        }
        std::os::unix::fs::symlink("src", base.path().join("link")).unwrap();
        std::os::unix::fs::symlink("..", base.path().join("src/loop")).unwrap();
        base
    }

    fn paths(walked: &Walked) -> Vec<&str> {
        walked.files.iter().map(|file| file.path.as_str()).collect()
    }

    #[test]
    fn the_files_of_a_project_and_what_is_left_out() {
        let base = tree();
        let walked = walk(base.path(), &Rules { count: true, ..Rules::default() });
        assert_eq!(paths(&walked), ["src/b.rs", "src/deep/a.rs"]);
        assert_eq!(walked.files[0].stamp.bytes, 10);
        let of = |reason| walked.skipped.of(reason);
        assert_eq!((of(Reason::Ignored), of(Reason::Hidden), of(Reason::NotRegular)), (2, 2, 2));
        let mut directories = walked.directories;
        directories.sort();
        assert_eq!(directories, ["", "src", "src/deep"]);
    }

    #[test]
    fn everything_where_that_is_asked_for() {
        let base = tree();
        let walked = walk(base.path(), &Rules { hidden: true, ignored: true, ..Rules::default() });
        let expected =
            [".gitignore", ".hidden.rs", "a.log", "src/b.rs", "src/deep/a.rs", "target/debug/x.rs"];
        assert_eq!(paths(&walked), expected);
        let few = walk(base.path(), &Rules { most: 1, ..Rules::default() });
        assert_eq!((few.files.len(), few.skipped.of(Reason::TooMany)), (1, 3));
    }

    #[test]
    fn a_name_that_is_not_utf8_is_counted() {
        use std::ffi::OsStr;
        let base = tempfile::tempdir().unwrap();
        std::fs::write(base.path().join(OsStr::from_bytes(b"a\xff.rs")), "").unwrap();
        let walked = walk(base.path(), &Rules::default());
        assert_eq!((walked.files.len(), walked.skipped.of(Reason::Name)), (0, 1));
    }
}
