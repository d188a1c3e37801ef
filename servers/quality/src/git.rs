//! What git knows: which lines were changed since a commit, and how often each file was.
//!
//! Nothing here runs a program: repositories are read by libgit2, which knows no filters, hooks or drivers of its
//! users.

mod changes;
mod history;

use std::path::{Path, PathBuf};

use git2::{ErrorCode, Oid, RepositoryOpenFlags};

pub use changes::{Change, Changes, FileChange};
pub use history::{Churn, History, Limits};

/// A repository whose work tree is a root.
pub struct Repository {
    repository: git2::Repository,
    root: PathBuf,
}

impl Repository {
    /// The repository of a root. All of it has to lie below the roots, or whoever may read the root could read what
    /// lies elsewhere.
    ///
    /// # Errors
    /// One sentence: there is none, or its directory or work tree lies elsewhere.
    pub fn open(root: &Path, roots: &[PathBuf]) -> Result<Self, String> {
        let none: [&Path; 0] = [];
        let opened = git2::Repository::open_ext(root, RepositoryOpenFlags::NO_SEARCH, none);
        let repository = opened.map_err(|error| match error.code() {
            ErrorCode::NotFound => format!(
                "the root {} is not the top of a git repository: start the server with the directory that holds .git as \
                 --root",
                root.display()
            ),
            _ => format!("the git repository of {} cannot be opened: {}", root.display(), unreadable(error.message())),
        })?;
        let is_below = |path: &Path| {
            path.canonicalize().is_ok_and(|path| roots.iter().any(|root| path.starts_with(root)))
        };
        for directory in [repository.path(), repository.commondir()] {
            if !is_below(directory) {
                return Err(format!(
                    "the root {} is a work tree of a repository that lies outside of the roots, in {}: give that as \
                     --root too",
                    root.display(),
                    directory.display()
                ));
            }
        }
        let work = repository.workdir().and_then(|work| work.canonicalize().ok());
        if work.as_deref() != Some(root) {
            return Err(format!(
                "the git repository of {} is bare or has its work tree elsewhere: give the directory with the files as \
                 --root",
                root.display()
            ));
        }
        Ok(Self { repository, root: root.to_owned() })
    }

    /// The root that is its work tree.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Whether older commits are missing.
    #[must_use]
    pub fn is_shallow(&self) -> bool {
        self.repository.is_shallow()
    }

    /// The commit that is checked out, in full.
    ///
    /// # Errors
    /// One sentence: there is none yet.
    pub fn head(&self) -> Result<String, String> {
        self.head_id().map(|id| id.to_string())
    }

    fn head_id(&self) -> Result<Oid, String> {
        let head = self.repository.head().and_then(|head| head.peel_to_commit());
        head.map(|commit| commit.id()).map_err(|error| match error.code() {
            ErrorCode::UnbornBranch | ErrorCode::NotFound => {
                "the git repository has no commit yet: make one first".to_owned()
            }
            _ => format!("the commit that is checked out cannot be read: {}", error.message()),
        })
    }

    /// The commit that a name stands for.
    fn commit(&self, name: &str) -> Result<git2::Commit<'_>, String> {
        if name.is_empty() || name.starts_with('-') || name.contains('\0') {
            return Err(format!("base {name:?} is not the name of a commit: give a branch, a tag or a hash"));
        }
        let found = self.repository.revparse_single(name).and_then(|object| object.peel_to_commit());
        found.map_err(|error| match error.code() {
            ErrorCode::NotFound if self.is_shallow() => format!(
                "base {name} is not a commit here, and this clone is shallow: fetch more of it, or name a branch, a tag or \
                 a hash that is there"
            ),
            ErrorCode::NotFound => format!("base {name} is not a commit here: name a branch, a tag or a hash"),
            _ => format!("base {name} cannot be read: {}", error.message()),
        })
    }
}

/// What libgit2 says of a repository of a kind that it does not read, with what helps.
fn unreadable(said: &str) -> String {
    for (part, kind) in [
        ("extensions.partialclone", "a partial clone: clone it without --filter"),
        (
            "extensions.refstorage",
            "of the form reftable: `git refs migrate --ref-format=files` writes the other one",
        ),
        ("'sha256'", "of the object format SHA-256: only SHA-1 is read"),
    ] {
        if said.contains(part) {
            return format!("it is {kind}");
        }
    }
    said.to_owned()
}

/// A sentence for what libgit2 could not do.
fn failed(what: &str, error: &git2::Error) -> String {
    format!("{what} cannot be read from the git repository: {}", error.message())
}
