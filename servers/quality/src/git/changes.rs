//! What is different from a commit: in commits after it, in the index, and in files that are not added yet.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use git2::{Delta, DiffDelta, DiffFindOptions, DiffHunk, DiffOptions};
use serde::Serialize;

use crate::git::{Repository, failed};

/// Files larger than this are binary to the comparison.
const LARGEST: i64 = 8 << 20;

/// The most files that are compared.
const MOST_FILES: usize = 50_000;

/// What happened to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// It is new.
    Added,
    /// Its content is another.
    Modified,
    /// It is gone.
    Deleted,
    /// It has another name, and perhaps another content.
    Renamed,
}

/// One file that is different.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileChange {
    /// What happened to it.
    pub change: Change,
    /// Its path before, where that was another.
    pub old_path: Option<String>,
    /// The lines here that are new or changed, first and last of each region.
    pub lines: Vec<(u32, u32)>,
    /// The lines of the base that are changed or gone; where lines were only added, those on both sides of them.
    pub old_lines: Vec<(u32, u32)>,
    /// How many lines are gone.
    pub removed: u32,
    /// Whether it is not text, so that it has no lines.
    pub is_binary: bool,
}

impl FileChange {
    /// Whether a line is new or changed.
    #[must_use]
    pub fn has(&self, line: u32) -> bool {
        self.touches(line, line)
    }

    /// Whether any line of a region is new or changed.
    #[must_use]
    pub fn touches(&self, first: u32, last: u32) -> bool {
        self.lines.iter().any(|(from, to)| *from <= last && first <= *to)
    }

    /// How many lines are new or changed.
    #[must_use]
    pub fn added(&self) -> u32 {
        self.lines.iter().map(|(from, to)| to - from + 1).sum()
    }
}

/// What is different from a commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The commit that was compared with, in full.
    pub base: String,
    /// By path, relative to the root.
    pub files: BTreeMap<String, FileChange>,
    /// Paths that are not UTF-8, which are left out.
    pub unnamed: usize,
    /// Files that a merge left in conflict.
    pub conflicted: BTreeSet<String>,
    /// Submodules and repositories inside of this one, which are not looked at.
    pub inner: BTreeSet<String>,
}

impl Repository {
    /// What is different from a commit: from the last one that it has in common with what is checked out, which is
    /// what `git diff BASE...` starts from, up to the files as they are.
    ///
    /// # Errors
    /// One sentence: the base is not a commit here, or the repository cannot be read.
    pub fn changes(&self, base: &str) -> Result<Changes, String> {
        let head = self.head_id()?;
        let named = self.commit(base)?.id();
        // Without a common commit, as in a shallow clone, the base itself is compared with.
        let common = self.repository.merge_base(named, head).unwrap_or(named);
        let commit = self.repository.find_commit(common).map_err(|error| failed("the base", &error))?;
        let tree = commit.tree().map_err(|error| failed("the base", &error))?;
        let mut inner = self.unhide().map_err(|error| failed("the index", &error))?;
        let mut options = DiffOptions::new();
        options.context_lines(0).interhunk_lines(0).max_size(LARGEST).ignore_submodules(true);
        // Attributes of the tree could declare any file of code binary, and then it would have no lines.
        options.force_text(true);
        options.include_untracked(true).recurse_untracked_dirs(true).show_untracked_content(true);
        let mut diff = self
            .repository
            .diff_tree_to_workdir_with_index(Some(&tree), Some(&mut options))
            .map_err(|error| failed("what was changed", &error))?;
        if diff.deltas().len() > MOST_FILES {
            return Err(format!(
                "more than {MOST_FILES} files are different from {base}: name a base that is closer"
            ));
        }
        let mut find = DiffFindOptions::new();
        find.renames(true).for_untracked(true).rename_limit(1_000);
        diff.find_similar(Some(&mut find)).map_err(|error| failed("what was renamed", &error))?;
        let mut collected = Collected::default();
        collected.collect(&diff).map_err(|error| failed("what was changed", &error))?;
        let Collected { mut files, unnamed, conflicted } = collected;
        inner.extend(
            files.keys().filter(|path| path.ends_with('/')).map(|path| path.trim_matches('/').to_owned()),
        );
        files.retain(|path, _| !path.ends_with('/'));
        Ok(Changes { base: common.to_string(), files, unnamed, conflicted, inner })
    }

    /// Lets the comparison see files that are there but marked not to be looked at (`--assume-unchanged`,
    /// `--skip-worktree`), in memory alone; gives the submodules.
    fn unhide(&self) -> Result<BTreeSet<String>, git2::Error> {
        let mut index = self.repository.index()?;
        let mut submodules = BTreeSet::new();
        let mut hidden = Vec::new();
        for mut entry in index.iter() {
            let Ok(path) = std::str::from_utf8(&entry.path) else { continue };
            if entry.mode & 0o170_000 == 0o160_000 {
                submodules.insert(path.to_owned());
            }
            let marks = (entry.flags & ASSUME_UNCHANGED, entry.flags_extended & SKIP_WORKTREE);
            if marks != (0, 0) && self.root.join(path).symlink_metadata().is_ok() {
                entry.flags &= !ASSUME_UNCHANGED;
                entry.flags_extended &= !SKIP_WORKTREE;
                hidden.push(entry);
            }
        }
        for entry in &hidden {
            index.add(entry)?;
        }
        Ok(submodules)
    }

    /// The paths of the index: what git has in its care.
    ///
    /// # Errors
    /// One sentence: the index cannot be read.
    pub fn tracked(&self) -> Result<Vec<String>, String> {
        let index = self.repository.index().map_err(|error| failed("the index", &error))?;
        Ok(index.iter().filter_map(|entry| String::from_utf8(entry.path).ok()).collect())
    }
}

/// Flags of an entry of the index, as git writes them.
const ASSUME_UNCHANGED: u16 = 0x8000;
const SKIP_WORKTREE: u16 = 1 << 14;

impl Repository {
    /// The content of a file at a commit; `None` where it was not there, or is larger than is compared.
    #[must_use]
    pub fn text_at(&self, commit: &str, path: &str) -> Option<Vec<u8>> {
        let commit = self.commit(commit).ok()?;
        let entry = commit.tree().ok()?.get_path(Path::new(path)).ok()?;
        let blob = entry.to_object(&self.repository).ok()?.into_blob().ok()?;
        (i64::try_from(blob.size()).ok()? <= LARGEST).then(|| blob.content().to_vec())
    }
}

/// A region as git gives it: its first line, and how many there are.
type Region = (u32, u32);

#[derive(Default)]
struct Collected {
    files: BTreeMap<String, FileChange>,
    unnamed: usize,
    conflicted: BTreeSet<String>,
}

impl Collected {
    fn collect(&mut self, diff: &git2::Diff<'_>) -> Result<(), git2::Error> {
        let mut hunks: Vec<(String, Region, Region)> = Vec::new();
        diff.foreach(
            &mut |delta, _| {
                self.file(&delta);
                true
            },
            None,
            Some(&mut |delta: DiffDelta<'_>, hunk: DiffHunk<'_>| {
                if let Some(path) = path_of(&delta) {
                    let (new, old) =
                        ((hunk.new_start(), hunk.new_lines()), (hunk.old_start(), hunk.old_lines()));
                    hunks.push((path, new, old));
                }
                true
            }),
            None,
        )?;
        for (path, (start, added), (old_start, removed)) in hunks {
            let Some(file) = self.files.get_mut(&path) else { continue };
            if added > 0 {
                file.lines.push((start, start + added - 1));
            }
            file.old_lines
                .push((old_start, old_start + removed.saturating_sub(1).max(u32::from(removed == 0))));
            file.removed += removed;
        }
        Ok(())
    }

    fn file(&mut self, delta: &DiffDelta<'_>) {
        let change = match delta.status() {
            Delta::Added | Delta::Untracked | Delta::Copied => Change::Added,
            Delta::Deleted => Change::Deleted,
            Delta::Renamed => Change::Renamed,
            Delta::Modified | Delta::Typechange | Delta::Conflicted => Change::Modified,
            Delta::Unmodified | Delta::Ignored | Delta::Unreadable => return,
        };
        let Some(path) = path_of(delta) else {
            self.unnamed += 1;
            return;
        };
        if delta.status() == Delta::Conflicted {
            self.conflicted.insert(path.clone());
        }
        let old = delta.old_file().path().and_then(Path::to_str).map(str::to_owned);
        let is_binary = delta.new_file().is_binary() || delta.old_file().is_binary();
        let old_path = old.filter(|old| change == Change::Renamed && *old != path);
        self.files.insert(
            path,
            FileChange { change, old_path, lines: Vec::new(), old_lines: Vec::new(), removed: 0, is_binary },
        );
    }
}

fn path_of(delta: &DiffDelta<'_>) -> Option<String> {
    let file = if delta.status() == Delta::Deleted { delta.old_file() } else { delta.new_file() };
    file.path_bytes().and_then(|path| std::str::from_utf8(path).ok()).map(str::to_owned)
}
