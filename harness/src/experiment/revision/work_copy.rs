//! The work tree of somebody's project, copied privately: it is built and run there, and nothing is written into the
//! original.
//!
//! What git tracks is copied, and what it does not ignore; outside of a repository everything but what Cargo and git
//! made. Later copies replace only what differs, so that Cargo compiles only that.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::experiment::progress::Watcher;
use crate::experiment::revision::around;
use crate::experiment::revision::git::Repository;

/// Files at a workspace's root that say how it is built, and that a project may ignore: libraries often do not keep a
/// lock file.
const ALWAYS: [&str; 5] =
    ["Cargo.lock", ".cargo/config.toml", ".cargo/config", "rust-toolchain", "rust-toolchain.toml"];

/// What a directory holds that Cargo made (<https://bford.info/cachedir/>).
const CACHE_TAG: &str = "CACHEDIR.TAG";

/// A copy.
pub(crate) struct WorkCopy {
    /// The copy of the repository, or of the workspace where that is in none.
    pub files: PathBuf,
    /// The workspace's root in it.
    pub root: PathBuf,
    /// What stands for `/` above it.
    pub stands_for_root: PathBuf,
}

/// Makes the copy of a workspace in `folder` what the workspace is now.
///
/// # Errors
/// A file cannot be read or written, git refuses the repository, or the watcher asked to stop.
pub(crate) fn work_copy(folder: &Path, root: &Path, watcher: &Watcher) -> anyhow::Result<WorkCopy> {
    let stop = || watcher.stopped();
    let tree = Listed::of(root, &stop)?;
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let folder = folder.canonicalize()?;
    let files = around::place(&folder, &tree.top)?;
    let below = root.strip_prefix(&tree.top).unwrap_or(Path::new(""));
    let mut wanted = tree.files;
    wanted.extend(ALWAYS.iter().map(|name| below.join(name)).filter(|name| tree.top.join(name).is_file()));
    remove_others(&files, Path::new(""), &wanted)?;
    for name in &wanted {
        if watcher.stopped() {
            bail!(crate::process::RunError::Stopped);
        }
        copied(&tree.top.join(name), &files.join(name))?;
    }
    link_vendored(&tree.top.join(below), &files.join(below))?;
    Ok(WorkCopy { root: files.join(below), files, stands_for_root: folder.join(around::COPY) })
}

/// The files of a tree, relative to its top.
struct Listed {
    top: PathBuf,
    files: BTreeSet<PathBuf>,
}

impl Listed {
    fn of(root: &Path, stop: &dyn Fn() -> bool) -> anyhow::Result<Self> {
        let by_git = Repository::of(root, stop)?.map(|repository| Self::by_git(&repository, root, stop));
        match by_git.transpose()? {
            // A project that lies in a repository and is ignored there is nothing of it.
            Some(listed) if listed.has(&root.join("Cargo.toml")) => Ok(listed),
            _ => {
                let mut files = BTreeSet::new();
                walk(root, Path::new(""), &mut files)?;
                Ok(Self { top: root.to_owned(), files })
            }
        }
    }

    fn by_git(repository: &Repository, root: &Path, stop: &dyn Fn() -> bool) -> anyhow::Result<Self> {
        let top = &repository.top;
        let git = repository.git(if root.starts_with(top) { top } else { root }, stop)?;
        let tracked = git.asked(&["ls-files", "-z", "--cached", "--recurse-submodules"])?;
        let new = git.asked(&["ls-files", "-z", "--others", "--exclude-standard"])?;
        let names = tracked.iter().chain(&new).flat_map(|names| names.split('\0'));
        let names = names.filter(|name| !name.is_empty()).map(PathBuf::from);
        // One that was deleted is tracked until that is committed; a repository within is listed as a directory.
        let is_file =
            |name: &PathBuf| top.join(name).symlink_metadata().is_ok_and(|found| !found.file_type().is_dir());
        Ok(Self { top: top.clone(), files: names.filter(is_file).collect() })
    }

    fn has(&self, file: &Path) -> bool {
        file.strip_prefix(&self.top).is_ok_and(|name| self.files.contains(name))
    }
}

/// Every file below a directory that no tool made.
fn walk(top: &Path, below: &Path, files: &mut BTreeSet<PathBuf>) -> anyhow::Result<()> {
    let folder = top.join(below);
    let entries = fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        let (name, kind) = (below.join(entry.file_name()), entry.file_type()?);
        let made = || entry.file_name() == ".git" || entry.path().join(CACHE_TAG).is_file();
        if kind.is_dir() && !made() {
            walk(top, &name, files)?;
        } else if kind.is_file() || kind.is_symlink() {
            files.insert(name);
        }
    }
    Ok(())
}

/// Removes what the copy has and the original has not: benches may have written it.
fn remove_others(copy: &Path, below: &Path, wanted: &BTreeSet<PathBuf>) -> anyhow::Result<()> {
    let Ok(entries) = fs::read_dir(copy.join(below)) else { return Ok(()) };
    for entry in entries {
        let entry = entry?;
        let (name, path) = (below.join(entry.file_name()), entry.path());
        if entry.file_type()?.is_dir() {
            let has_any = wanted.range(name.clone()..).next().is_some_and(|next| next.starts_with(&name));
            match has_any {
                true => remove_others(copy, &name, wanted)?,
                false => {
                    fs::remove_dir_all(&path).with_context(|| format!("cannot remove {}", path.display()))?
                }
            }
        } else if !wanted.contains(&name) {
            fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    Ok(())
}

/// Copies a file or a link, unless the same is there. The system shares the blocks where the file system can.
fn copied(from: &Path, to: &Path) -> anyhow::Result<()> {
    let told = || format!("cannot copy {} to {}", from.display(), to.display());
    let found = from.symlink_metadata().with_context(told)?;
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent).with_context(told)?;
    }
    let there = to.symlink_metadata().ok();
    if found.file_type().is_symlink() {
        let target = fs::read_link(from).with_context(told)?;
        if fs::read_link(to).is_ok_and(|there| there == target) {
            return Ok(());
        }
        if there.is_some() {
            fs::remove_file(to).with_context(told)?;
        }
        return symlink(target, to).with_context(told);
    }
    if !found.is_file() {
        return Ok(());
    }
    // Cargo writes a lock file anew where something is replaced, within the same second.
    let same = there.as_ref().is_some_and(|there| {
        there.is_file() && there.len() == found.len() && there.modified().ok() == found.modified().ok()
    });
    if same {
        return Ok(());
    }
    if there.is_some() {
        fs::remove_file(to).with_context(told)?;
    }
    fs::copy(from, to).with_context(told)?;
    // Of its own time, so that the next copy sees that it is the same.
    let modified = found.modified().with_context(told)?;
    File::options().read(true).open(to).and_then(|file| file.set_modified(modified)).with_context(told)
}

/// Directories beside the manifest that hold sources of dependencies and that git ignores, by a link.
fn link_vendored(root: &Path, copy: &Path) -> anyhow::Result<()> {
    for directory in vendored(root) {
        let (from, to) = (root.join(&directory), copy.join(&directory));
        if from.is_dir() && to.symlink_metadata().is_err() {
            if let Some(parent) = to.parent() {
                fs::create_dir_all(parent)?;
            }
            symlink(&from, &to).with_context(|| format!("cannot make the link {}", to.display()))?;
        }
    }
    Ok(())
}

/// The directories of sources that the workspace's Cargo config names by relative paths.
fn vendored(root: &Path) -> Vec<PathBuf> {
    let texts = ["config.toml", "config"].map(|name| fs::read_to_string(root.join(".cargo").join(name)));
    let tables = texts.into_iter().flatten().filter_map(|text| text.parse::<toml::Table>().ok());
    let mut found = Vec::new();
    for table in tables {
        let sources = table.get("source").and_then(toml::Value::as_table).into_iter().flatten();
        let named = sources.filter_map(|(_, source)| source.get("directory")?.as_str().map(PathBuf::from));
        found.extend(named.filter(|directory| directory.is_relative()));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(root: &Path, name: &str, text: &str) {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn git(root: &Path, args: &[&str]) {
        let output = std::process::Command::new("git").args(args).current_dir(root).output().unwrap();
        assert!(output.status.success(), "{args:?}");
    }

    fn names(copy: &WorkCopy) -> Vec<String> {
        let mut files = BTreeSet::new();
        walk(&copy.files, Path::new(""), &mut files).unwrap();
        files.into_iter().map(|name| name.display().to_string()).collect()
    }

    fn project(scratch: &Path) -> PathBuf {
        let root = scratch.join("all/repo");
        write(&root, "Cargo.toml", "[package]");
        write(&root, "src/lib.rs", "1");
        write(&root, "target/debug/a", "made");
        write(&root, "target/CACHEDIR.TAG", "made");
        write(&root, "Cargo.lock", "lock");
        write(&root, "vendor/a/lib.rs", "vendored");
        write(&root, ".cargo/config.toml", "[source.v]\ndirectory = \"vendor\"\n");
        symlink("src/lib.rs", root.join("link")).unwrap();
        write(scratch, "all/beside/lib.rs", "beside");
        root
    }

    #[test]
    fn what_git_ignores_is_left_out_and_what_says_how_to_build_is_not() {
        let scratch = tempfile::tempdir().unwrap();
        let scratch = scratch.path().canonicalize().unwrap();
        let root = project(&scratch);
        write(&root, ".gitignore", "/target\n/Cargo.lock\n/vendor\n/big\n.cargo\n");
        write(&root, "big/data", "ignored");
        git(&root, &["init", "--quiet"]);
        git(&root, &["add", "--all"]);
        write(&root, "benches/new.rs", "untracked");
        let copy = work_copy(&scratch.join("lab"), &root, &Watcher::silent()).unwrap();
        let expected = [
            ".cargo/config.toml",
            ".gitignore",
            "Cargo.lock",
            "Cargo.toml",
            "benches/new.rs",
            "link",
            "src/lib.rs",
            "vendor",
        ];
        assert_eq!(names(&copy), expected);
        assert_eq!(fs::read_to_string(copy.root.join("vendor/a/lib.rs")).unwrap(), "vendored");
        assert_eq!(fs::read_to_string(copy.root.join("../beside/lib.rs")).unwrap(), "beside");
        assert!(copy.root.ends_with("all/repo") && copy.root.starts_with(&copy.stands_for_root));
    }

    #[test]
    fn later_copies_follow_the_work_tree_and_forget_what_a_bench_wrote() {
        let scratch = tempfile::tempdir().unwrap();
        let scratch = scratch.path().canonicalize().unwrap();
        let root = project(&scratch);
        let made = || work_copy(&scratch.join("lab"), &root, &Watcher::silent()).unwrap();
        let copy = made();
        assert!(!names(&copy).iter().any(|name| name.starts_with("target")), "{:?}", names(&copy));
        let kept = fs::metadata(copy.root.join("src/lib.rs")).unwrap();
        fs::write(copy.root.join("Cargo.lock"), "written by Cargo").unwrap();
        write(&copy.root, "out/report", "written by a bench");
        fs::remove_dir_all(root.join("vendor")).unwrap();
        write(&root, "src/new.rs", "2");
        let names = names(&made());
        assert!(names.contains(&"src/new.rs".to_owned()));
        assert!(!names.iter().any(|name| name.starts_with("out/")), "{names:?}");
        assert_eq!(fs::read_to_string(copy.root.join("Cargo.lock")).unwrap(), "lock");
        let there = fs::metadata(copy.root.join("src/lib.rs")).unwrap();
        assert_eq!(there.modified().unwrap(), kept.modified().unwrap());
        use std::os::unix::fs::MetadataExt as _;
        assert_eq!(there.ino(), kept.ino(), "what is the same is not copied again");
        fs::write(root.join("src/lib.rs"), "22").unwrap();
        made();
        assert_eq!(fs::read_to_string(copy.root.join("src/lib.rs")).unwrap(), "22");
    }
}
