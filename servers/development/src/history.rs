//! What git says of a root: the commit that is checked out, whether files differ from it, how often files changed.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use git2::{DiffOptions, Repository, Sort, StatusOptions};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use serde::Serialize;

/// How many commits churn is counted over.
pub const MOST_COMMITS: usize = 1_000;
/// How long counting may take.
const MOST_TIME: Duration = Duration::from_secs(5);

/// Which state of the files an answer is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Version {
    /// The commit, in its first twelve digits; `None` without git or before the first commit.
    pub commit: Option<String>,
    /// Whether tracked files differ from it; `None` where that is not known.
    pub dirty: Option<bool>,
}

/// How often files changed.
#[derive(Clone, Debug, Default)]
pub struct Churn {
    /// Of each path, in how many of the commits it changed.
    pub changes: FxHashMap<String, u32>,
    /// How many commits were looked at.
    pub commits: usize,
    /// Why there are no more.
    pub limit: Option<&'static str>,
}

/// The repository that a root lies in.
pub struct History {
    root: PathBuf,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Opened when it is first needed; `Some(None)` where there is none.
    repository: Option<Option<Repository>>,
    version: Option<(Key, Version)>,
    churn: Option<(String, std::sync::Arc<Churn>)>,
}

/// What a version depends on: the index's generation, and git's own files.
type Key = (u64, [Option<SystemTime>; 2]);

impl History {
    /// The history of a root. Nothing is read yet.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), state: Mutex::new(State::default()) }
    }

    /// The commit that is checked out, in its first twelve digits.
    #[must_use]
    pub fn commit(&self) -> Option<String> {
        opened(&mut self.state.lock().repository, &self.root).and_then(commit)
    }

    /// The version of the files. `generation` counts up with their changes.
    #[must_use]
    pub fn version(&self, generation: u64) -> Version {
        let mut state = self.state.lock();
        let State { repository, version: known, .. } = &mut *state;
        let Some(repository) = opened(repository, &self.root) else { return Version::default() };
        let written =
            |name: &str| repository.path().join(name).metadata().and_then(|file| file.modified()).ok();
        let key = (generation, [written("HEAD"), written("index")]);
        // HEAD names a branch whose commit may change without it.
        let commit = commit(repository);
        if let Some((known, version)) = known
            && *known == key
            && version.commit == commit
        {
            return version.clone();
        }
        let dirty = commit.as_ref().and_then(|_| is_dirty(repository));
        let version = Version { dirty, commit };
        *known = Some((key, version.clone()));
        version
    }

    /// How often files changed, by their paths below the root; `None` without git.
    #[must_use]
    pub fn churn(&self) -> Option<std::sync::Arc<Churn>> {
        let mut state = self.state.lock();
        let State { repository, churn: kept, .. } = &mut *state;
        let repository = opened(repository, &self.root)?;
        let head = repository.head().ok()?.target()?.to_string();
        if let Some((known, churn)) = kept
            && *known == head
        {
            return Some(std::sync::Arc::clone(churn));
        }
        let churn = std::sync::Arc::new(counted(repository, &self.root).ok()?);
        *kept = Some((head, std::sync::Arc::clone(&churn)));
        Some(churn)
    }
}

fn opened<'r>(repository: &'r mut Option<Option<Repository>>, root: &Path) -> Option<&'r Repository> {
    repository.get_or_insert_with(|| Repository::discover(root).ok()).as_ref()
}

fn commit(repository: &Repository) -> Option<String> {
    let commit = repository.head().and_then(|head| head.peel_to_commit()).ok()?;
    Some(commit.id().to_string()[..12].to_owned())
}

/// Whether tracked files differ from the commit. libgit2 does not read the other half of an index that is split.
fn is_dirty(repository: &Repository) -> Option<bool> {
    let mut entries = repository.path().read_dir().ok()?.filter_map(Result::ok);
    if entries.any(|entry| entry.file_name().to_string_lossy().starts_with("sharedindex.")) {
        return None;
    }
    let mut options = StatusOptions::new();
    options.include_untracked(false).include_ignored(false).exclude_submodules(true);
    repository.statuses(Some(&mut options)).ok().map(|statuses| !statuses.is_empty())
}

fn counted(repository: &Repository, root: &Path) -> Result<Churn, git2::Error> {
    let started = Instant::now();
    let mut churn = Churn::default();
    let mut walk = repository.revwalk()?;
    walk.push_head()?;
    walk.set_sorting(Sort::TIME)?;
    // Paths of git are below its own root, which may lie above this one.
    let above = repository.workdir().and_then(|top| top.canonicalize().ok());
    let below = above.as_deref().and_then(|top| root.strip_prefix(top).ok()).unwrap_or(Path::new(""));
    for id in walk {
        if churn.commits == MOST_COMMITS || started.elapsed() > MOST_TIME {
            churn.limit = Some(if churn.commits == MOST_COMMITS { "number of commits" } else { "time" });
            break;
        }
        let commit = repository.find_commit(id?)?;
        if commit.parent_count() > 1 {
            // What a merge brings was counted where it was made.
            continue;
        }
        let parent = commit.parent(0).ok();
        if parent.is_none() && repository.is_shallow() {
            // The oldest commit of a shallow clone seems to make every file.
            churn.limit = Some("shallow clone");
            break;
        }
        let before = parent.map(|parent| parent.tree()).transpose()?;
        let mut options = DiffOptions::new();
        options.skip_binary_check(true).ignore_submodules(true);
        if !below.as_os_str().is_empty() {
            options.pathspec(below);
        }
        let diff =
            repository.diff_tree_to_tree(before.as_ref(), Some(&commit.tree()?), Some(&mut options))?;
        for delta in diff.deltas() {
            let path = delta.new_file().path().and_then(|path| path.strip_prefix(below).ok());
            if let Some(path) = path.and_then(Path::to_str) {
                *churn.changes.entry(path.to_owned()).or_default() += 1;
            }
        }
        churn.commits += 1;
    }
    Ok(churn)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn git(directory: &Path, arguments: &[&str]) {
        let mut command = Command::new("git");
        command.arg("-C").arg(directory).args(arguments);
        for (name, value) in [("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_SYSTEM", "/dev/null")] {
            command.env(name, value);
        }
        for role in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{role}_NAME"), "a").env(format!("GIT_{role}_EMAIL"), "a@example.org");
        }
        let output = command.output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
    }

    fn commit(directory: &Path, file: &str, text: &str) {
        std::fs::create_dir_all(directory.join(file).parent().unwrap()).unwrap();
        std::fs::write(directory.join(file), text).unwrap();
        git(directory, &["add", "."]);
        git(directory, &["commit", "-qm", "x"]);
    }

    #[test]
    fn commit_dirt_and_churn_are_those_of_git() {
        let base = tempfile::tempdir().unwrap();
        let directory = base.path().canonicalize().unwrap();
        assert_eq!(History::new(&directory).version(0), Version::default());
        git(&directory, &["init", "-q"]);
        assert_eq!(History::new(&directory).version(0), Version::default());
        commit(&directory, "sub/a.rs", "1");
        commit(&directory, "sub/a.rs", "2");
        commit(&directory, "b.rs", "1");
        let history = History::new(&directory);
        let version = history.version(0);
        assert!(
            version.commit.as_ref().is_some_and(|commit| commit.len() == 12) && version.dirty == Some(false)
        );
        std::fs::write(directory.join("b.rs"), "changed").unwrap();
        assert!(history.version(1).dirty == Some(true));
        commit(&directory, "b.rs", "3");
        let later = history.version(2);
        assert!(later.dirty == Some(false) && later.commit != version.commit);
        git(&directory, &["update-index", "--split-index"]);
        assert_eq!(history.version(3).dirty, None, "half of a split index is not seen");
        let churn = history.churn().unwrap();
        assert_eq!((churn.commits, churn.changes["sub/a.rs"], churn.changes["b.rs"]), (4, 2, 2));
        let part = History::new(&directory.join("sub")).churn().unwrap();
        assert_eq!((part.changes.len(), part.changes["a.rs"]), (1, 2));
    }

    #[test]
    fn what_a_merge_brings_is_counted_once() {
        let base = tempfile::tempdir().unwrap();
        let directory = base.path().canonicalize().unwrap();
        git(&directory, &["init", "-q"]);
        commit(&directory, "a.rs", "1");
        git(&directory, &["checkout", "-qb", "side"]);
        commit(&directory, "b.rs", "1");
        git(&directory, &["checkout", "-q", "-"]);
        commit(&directory, "c.rs", "1");
        git(&directory, &["merge", "-q", "--no-ff", "-m", "both", "side"]);
        let churn = History::new(&directory).churn().unwrap();
        assert_eq!(
            (churn.commits, churn.changes["a.rs"], churn.changes["b.rs"], churn.changes["c.rs"]),
            (3, 1, 1, 1)
        );
    }

    #[test]
    fn a_shallow_clone_says_so() {
        let base = tempfile::tempdir().unwrap();
        let directory = base.path().canonicalize().unwrap().join("full");
        std::fs::create_dir(&directory).unwrap();
        git(&directory, &["init", "-q"]);
        for text in ["1", "2", "3"] {
            commit(&directory, "a.rs", text);
        }
        let url = format!("file://{}", directory.display());
        git(base.path(), &["clone", "-q", "--depth", "2", &url, "shallow"]);
        let churn = History::new(&base.path().join("shallow")).churn().unwrap();
        assert_eq!((churn.commits, churn.limit), (1, Some("shallow clone")));
    }
}
