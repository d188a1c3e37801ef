//! The files of a commit in a directory of the lab's own, with its submodules.
//!
//! The repository is read and not written to: no work tree is registered in it, its index and its branches stay as they
//! are, and none of its hooks runs. What an earlier lab left, killed or not, is used again, so that Cargo compiles only
//! what differs.

use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::experiment::progress::Watcher;
use crate::experiment::revision::git::{Git, Repository, words};
use crate::experiment::revision::short_hash;

/// The beginning of what stands for a file in Git LFS.
const POINTER: &str = "version https://git-lfs.github.com/spec/v1\n";

/// A directory for the files of commits of one repository.
pub(crate) struct Tree<'a> {
    /// The repository's shared directory.
    pub common: &'a Path,
    /// Where the files go.
    pub files: &'a Path,
    /// What git keeps of them: the index, and the commit.
    pub state: &'a Path,
    /// The work tree of the repository, whose submodules and large files are there already.
    pub beside: &'a Path,
}

impl Tree<'_> {
    /// Makes the files those of `commit`, and nothing else.
    ///
    /// # Errors
    /// git refuses; or the commit needs something that is not on this machine: a submodule's commit, a large file.
    pub(crate) fn check_out(&self, watcher: &Watcher, commit: &str) -> anyhow::Result<()> {
        let stop = || watcher.stopped();
        let git = self.git(&stop);
        let read = |git: &Git<'_>| {
            fs::create_dir_all(self.files)?;
            fs::create_dir_all(self.state)?;
            // Nobody else works here: a lock is that of a lab that was killed.
            fs::remove_file(self.state.join("index.lock")).ok();
            git.run(&["read-tree", "--reset", "-u", commit])
        };
        let mut output = read(&git)?;
        if !output.success() {
            // Whatever is wrong with what is there, an empty directory has none of it.
            for old in [self.files, self.state] {
                fs::remove_dir_all(old).with_context(|| format!("cannot replace {}", old.display()))?;
            }
            output = read(&git)?;
        }
        if !output.success() {
            bail!("{} cannot be checked out beside the work tree: {}", short_hash(commit), words(&output));
        }
        // What Cargo and build scripts left, ignored or not, and a lock file that is not the commit's.
        let cleaned = git.run(&["clean", "-ffdxq"])?;
        if !cleaned.success() {
            bail!("{} cannot be cleaned: {}", self.files.display(), words(&cleaned));
        }
        self.lead_back(commit)?;
        self.large_files(&git, commit)?;
        self.submodules(watcher, &git, commit)
    }

    /// git on these files.
    pub(crate) fn git<'a>(&'a self, stop: &'a dyn Fn() -> bool) -> Git<'a> {
        Git::within(self.files, stop)
            .with("GIT_DIR", self.common)
            .with("GIT_WORK_TREE", self.files)
            .with("GIT_INDEX_FILE", self.state.join("index"))
    }

    /// A build script that asks git gets this commit as an answer, as in any work tree of it.
    fn lead_back(&self, commit: &str) -> anyhow::Result<()> {
        let link = self.files.join(".git");
        if self.common.join("reftable").exists() {
            // There, a work tree's commit cannot be a file.
            fs::remove_file(link).ok();
            return Ok(());
        }
        let write = |path: PathBuf, text: String| {
            fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
        };
        write(self.state.join("HEAD"), format!("{commit}\n"))?;
        write(self.state.join("commondir"), format!("{}\n", self.common.display()))?;
        write(self.state.join("gitdir"), format!("{}\n", link.display()))?;
        write(link, format!("gitdir: {}\n", self.state.display()))
    }

    /// Checks the commits of submodules out, from where the work tree has them.
    fn submodules(&self, watcher: &Watcher, git: &Git<'_>, commit: &str) -> anyhow::Result<()> {
        if !self.files.join(".gitmodules").is_file() {
            return Ok(());
        }
        let args = ["config", "--file", ".gitmodules", "--null", "--get-regexp", r"^submodule\..*\.path$"];
        let listed = git.asked(&args)?.unwrap_or_default();
        for (key, path) in listed.split('\0').filter_map(|entry| entry.split_once('\n')) {
            let name = key.trim_start_matches("submodule.").trim_end_matches(".path");
            let inside =
                |path: &str| Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
            let staged = git.asked(&["ls-files", "--stage", "--", path])?.unwrap_or_default();
            // Only an entry of this mode is a submodule; a name may be left of one that is gone.
            let Some(own) = staged.strip_prefix("160000 ").and_then(|rest| rest.split(' ').next()) else {
                continue;
            };
            if !inside(path) || !inside(name) {
                continue;
            }
            let beside = self.beside.join(path);
            let stop = || watcher.stopped();
            let Some(common) = self.module(&beside, name, &stop)? else {
                watcher.progress().note(&format!(
                    "the submodule {path} is not checked out, and stays empty in {} too: git submodule update --init {path}",
                    short_hash(commit)
                ));
                continue;
            };
            let (files, state) = (self.files.join(path), self.state.join("modules").join(path));
            let module = Tree { common: &common, files: &files, state: &state, beside: &beside };
            if module.git_has(own, &stop)? {
                module.check_out(watcher, own).with_context(|| format!("submodule {path}"))?;
            } else {
                bail!(
                    "the submodule {path} stands at {} in {}, and that commit is not here: git -C {path} fetch origin {own}",
                    short_hash(own),
                    short_hash(commit)
                );
            }
        }
        Ok(())
    }

    /// The shared directory of a submodule: that of its own work tree, or what is left of it in this repository.
    fn module(&self, beside: &Path, name: &str, stop: &dyn Fn() -> bool) -> anyhow::Result<Option<PathBuf>> {
        if beside.join(".git").exists()
            && let Some(found) = Repository::of(beside, stop)?
        {
            return Ok(Some(found.common));
        }
        let kept = self.common.join("modules").join(name);
        Ok(kept.join("HEAD").is_file().then_some(kept))
    }

    fn git_has(&self, commit: &str, stop: &dyn Fn() -> bool) -> anyhow::Result<bool> {
        let name = format!("{commit}^{{commit}}");
        let git = Git::within(self.common, stop).with("GIT_DIR", self.common);
        Ok(git.asked(&["cat-file", "-e", &name])?.is_some())
    }

    /// Where git left a pointer in place of a large file, puts the file, if it was ever fetched.
    fn large_files(&self, git: &Git<'_>, commit: &str) -> anyhow::Result<()> {
        let listed = git.asked(&["ls-files", "-z", "--", ":(attr:filter=lfs)"])?.unwrap_or_default();
        let mut missing = Vec::new();
        for name in listed.split('\0').filter(|name| !name.is_empty()) {
            let file = self.files.join(name);
            let Some(digest) = pointed(&file) else { continue };
            let object = digest
                .get(..2)
                .zip(digest.get(2..4))
                .map(|(a, b)| self.common.join("lfs/objects").join(a).join(b).join(&digest));
            match object.filter(|object| object.is_file()) {
                Some(object) => {
                    fs::copy(&object, &file).with_context(|| format!("cannot write {}", file.display()))?;
                }
                // Where the work tree has a pointer too, both sides are built with one.
                None if pointed(&self.beside.join(name)).is_some() => {}
                None => missing.push(name),
            }
        }
        let Some(first) = missing.first() else { return Ok(()) };
        bail!(
            "{} of Git LFS in {} is not here ({first}): git lfs install, then git lfs fetch origin {commit}",
            match missing.len() {
                1 => "a file".to_owned(),
                count => format!("the content of {count} files"),
            },
            short_hash(commit)
        )
    }
}

/// The digest in a pointer of Git LFS; `None` for any other file.
fn pointed(file: &Path) -> Option<String> {
    // Pointers are below a kilobyte by their specification.
    let is_short =
        fs::symlink_metadata(file).ok().filter(|metadata| metadata.is_file() && metadata.len() < 1024);
    let text = is_short.and_then(|_| fs::read_to_string(file).ok())?;
    let digest = text.strip_prefix(POINTER)?.lines().find_map(|line| line.strip_prefix("oid sha256:"))?;
    digest.chars().all(|letter| letter.is_ascii_hexdigit()).then(|| digest.to_owned())
}

#[cfg(test)]
mod tests;
