//! How often files were changed, and together with which others.

use std::collections::{BTreeMap, BTreeSet};

use git2::{DiffOptions, Sort};
use rustc_hash::FxHashMap;

use crate::git::{Repository, failed};

/// How much of the history is read.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The most commits.
    pub commits: usize,
    /// So many days before the newest commit it begins. The clock of this machine does not matter.
    pub days: u32,
}

impl Default for Limits {
    /// A year, as hot spots are usually looked for.
    fn default() -> Self {
        Self { commits: 5_000, days: 365 }
    }
}

/// A commit that changes more files than this says nothing of what belongs together: a move, a format, a licence.
const MOST_TOGETHER: usize = 50;

const DAY: i64 = 86_400;

/// How often a file was changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Churn {
    /// Commits that changed it.
    pub commits: u32,
    /// People who did, by their addresses.
    pub authors: u32,
    /// When it was last changed, in seconds since 1970, as the commit says.
    pub last: i64,
}

/// What happened in the time that was read.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// By path, relative to the root. A file that was renamed has the changes of both names.
    pub files: BTreeMap<String, Churn>,
    /// The files of each commit that changed a few, newest first.
    pub together: Vec<Vec<String>>,
    /// Commits that were read; merges are not.
    pub commits: usize,
    /// Whether there are older ones that the limits left out.
    pub is_cut: bool,
    /// Whether older ones are missing, because the clone is shallow.
    pub is_shallow: bool,
}

impl Repository {
    /// Reads the history of what is checked out, newest first. `is_wanted` is asked now and then whether to go on.
    ///
    /// # Errors
    /// One sentence: there is no commit, or the repository cannot be read.
    pub fn history(&self, limits: Limits, is_wanted: impl Fn() -> bool) -> Result<History, String> {
        let read = |error: &git2::Error| failed("the history", error);
        let head = self.head_id()?;
        let mut walk = self.repository.revwalk().map_err(|error| read(&error))?;
        walk.set_sorting(Sort::TIME).map_err(|error| read(&error))?;
        walk.push(head).map_err(|error| read(&error))?;
        let mut history = History { is_shallow: self.is_shallow(), ..History::default() };
        let mut renamed: FxHashMap<String, String> = FxHashMap::default();
        let mut authors: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
        let mut newest = None;
        for id in walk {
            let commit = id.and_then(|id| self.repository.find_commit(id)).map_err(|error| read(&error))?;
            let time = commit.time().seconds();
            let newest = *newest.get_or_insert(time);
            if history.commits == limits.commits || time < newest.saturating_sub(i64::from(limits.days) * DAY)
            {
                history.is_cut = true;
                break;
            }
            if !is_wanted() {
                return Err("the call was cancelled".to_owned());
            }
            if commit.parent_count() > 1 {
                continue;
            }
            let author = rustc_hash::FxBuildHasher;
            let author = std::hash::BuildHasher::hash_one(&author, commit.author().email_bytes());
            let paths = self.paths(&commit, &mut renamed).map_err(|error| read(&error))?;
            history.commits += 1;
            for path in &paths {
                let churn = history.files.entry(path.clone()).or_default();
                churn.commits += 1;
                churn.last = churn.last.max(time);
                authors.entry(path.clone()).or_default().insert(author);
            }
            if (2..=MOST_TOGETHER).contains(&paths.len()) {
                history.together.push(paths);
            }
        }
        for (path, people) in authors {
            if let Some(churn) = history.files.get_mut(&path) {
                churn.authors = u32::try_from(people.len()).unwrap_or(u32::MAX);
            }
        }
        Ok(history)
    }

    /// The files of a commit by their names of today. Renames are found by equal content alone, which costs nothing.
    fn paths(
        &self,
        commit: &git2::Commit<'_>,
        renamed: &mut FxHashMap<String, String>,
    ) -> Result<Vec<String>, git2::Error> {
        let new = commit.tree()?;
        let old = commit.parents().next().map(|parent| parent.tree()).transpose()?;
        let mut options = DiffOptions::new();
        options.ignore_submodules(true).skip_binary_check(true);
        let diff = self.repository.diff_tree_to_tree(old.as_ref(), Some(&new), Some(&mut options))?;
        let mut paths = Vec::new();
        let mut gone: FxHashMap<git2::Oid, String> = FxHashMap::default();
        let mut come: Vec<(git2::Oid, String)> = Vec::new();
        let utf8 = |file: git2::DiffFile<'_>| {
            file.path_bytes().and_then(|path| std::str::from_utf8(path).ok()).map(str::to_owned)
        };
        for delta in diff.deltas() {
            match delta.status() {
                git2::Delta::Deleted => {
                    if let Some(path) = utf8(delta.old_file()) {
                        gone.insert(delta.old_file().id(), path);
                    }
                }
                git2::Delta::Added => {
                    if let Some(path) = utf8(delta.new_file()) {
                        come.push((delta.new_file().id(), path));
                    }
                }
                _ => paths.extend(utf8(delta.new_file())),
            }
        }
        let mut names = Vec::new();
        for (id, path) in come {
            if let Some(old) = gone.remove(&id) {
                let today = renamed.get(&path).cloned().unwrap_or_else(|| path.clone());
                names.push((old, today));
            }
            paths.push(path);
        }
        paths.extend(gone.into_values());
        let today = |path: String| renamed.get(&path).cloned().unwrap_or(path);
        let mut paths: Vec<String> = paths.into_iter().map(today).collect();
        renamed.extend(names);
        paths.sort_unstable();
        paths.dedup();
        Ok(paths)
    }
}
