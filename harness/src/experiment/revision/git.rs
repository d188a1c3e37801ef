//! git, asked about the repository of the workspace. What it refuses is reported in its own words.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};

use crate::process::{Invocation, Limits, Output, run};

/// The longest that one command may take: a checkout of a large tree, or of one whose files have to be fetched.
const LONGEST: Duration = Duration::from_secs(600);

/// Variables that lead git to another repository or give names another meaning. Hooks set some of them.
const UNSET: [&str; 14] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_ATTR_SOURCE",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_GLOB_PATHSPECS",
    "GIT_ICASE_PATHSPECS",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_LITERAL_PATHSPECS",
    "GIT_NAMESPACE",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_WORK_TREE",
];

/// Settings of a repository that have no place in a tree of the lab's own: its hooks, its monitor of files, the part
/// that a sparse checkout leaves out, submodules that are updated over the network. An ambiguous name has to be seen.
const SETTINGS: [&str; 6] = [
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.sparseCheckout=false",
    "submodule.recurse=false",
    "core.quotePath=false",
    "core.warnAmbiguousRefs=true",
];

/// git in a directory.
pub(crate) struct Git<'a> {
    folder: &'a Path,
    set: Vec<(OsString, OsString)>,
    stop: &'a dyn Fn() -> bool,
}

impl<'a> Git<'a> {
    /// git as a person would run it in `folder`. It is ended when `stop` says so.
    pub(crate) fn within(folder: &'a Path, stop: &'a dyn Fn() -> bool) -> Self {
        // What it says is shown beside the lab's own words, and looked into.
        Self { folder, set: vec![("LC_ALL".into(), "C".into())], stop }
    }

    /// The same with a variable set.
    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.set.push((name.into(), value.into()));
        self
    }

    /// Runs a command to its end, whatever that is.
    pub(crate) fn run(&self, args: &[&str]) -> anyhow::Result<Output> {
        let settings = SETTINGS.iter().flat_map(|setting| ["-c", setting]);
        let all = ["--no-optional-locks"].into_iter().chain(settings).chain(args.iter().copied());
        let mut invocation = Invocation::new("git", all).in_folder(self.folder);
        invocation.unset = UNSET.map(Into::into).into();
        invocation.set.clone_from(&self.set);
        let limits = Limits { timeout: LONGEST, output: 16 << 20 };
        run(&invocation, limits, self.stop).context("git cannot be run")
    }

    /// What a command prints; `None` where it fails.
    pub(crate) fn asked(&self, args: &[&str]) -> anyhow::Result<Option<String>> {
        let output = self.run(args)?;
        Ok(output.success().then(|| output.stdout.trim_end_matches('\n').to_owned()))
    }
}

/// Why a command failed, in git's own words and with its remedies.
pub(crate) fn words(output: &Output) -> String {
    let lines = output.stderr.lines().map(str::trim_end).filter(|line| !line.is_empty());
    // A hint offers settings of git's own.
    let lines: Vec<&str> = lines.filter(|line| !line.starts_with("hint:")).collect();
    let from = lines.iter().position(|line| line.starts_with("fatal: ") || line.starts_with("error: "));
    let said = lines.get(from.unwrap_or(0)..).unwrap_or_default().join("\n");
    let said = said.trim_start_matches("fatal: ").trim_start_matches("error: ");
    if said.is_empty() { "git says nothing".to_owned() } else { said.to_owned() }
}

/// The repository that a workspace lies in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Repository {
    /// The root of its work tree.
    pub top: PathBuf,
    /// The directory that holds its objects and settings, which linked work trees share.
    pub common: PathBuf,
    /// The workspace's root below [`Self::top`]: empty, or a path that ends with `/`.
    pub prefix: String,
    /// The repository's directory, where only the environment names it.
    named: Option<PathBuf>,
}

impl Repository {
    /// The repository that `folder` lies in; `None` where it lies in none.
    ///
    /// # Errors
    /// git cannot be run, or refuses the repository: its own words.
    pub(crate) fn of(folder: &Path, stop: &dyn Fn() -> bool) -> anyhow::Result<Option<Self>> {
        let found = Self::found(folder, None, stop)?;
        // A work tree without a `.git` of its own is known by the environment alone.
        match std::env::var_os("GIT_DIR").filter(|named| !named.is_empty()) {
            Some(named) if found.is_none() => {
                let named = std::path::absolute(named).context("the directory that GIT_DIR names")?;
                Self::found(folder, Some(named), stop)
            }
            _ => Ok(found),
        }
    }

    fn found(folder: &Path, named: Option<PathBuf>, stop: &dyn Fn() -> bool) -> anyhow::Result<Option<Self>> {
        let output = by_name(Git::within(folder, stop), named.as_deref())?.run(&[
            "rev-parse",
            "--show-toplevel",
            "--git-common-dir",
            "--show-prefix",
        ])?;
        if !output.success() {
            // That a named one is none is worth saying; that there is none is not.
            if output.stderr.contains("not a git repository (or any ") {
                return Ok(None);
            }
            bail!("git refuses the repository of {}: {}", folder.display(), words(&output));
        }
        let mut lines = output.stdout.lines();
        let mut next = || lines.next().unwrap_or_default().to_owned();
        let (top, common, prefix) = (PathBuf::from(next()), folder.join(next()), next());
        let common = common.canonicalize().unwrap_or(common);
        Ok(Some(Self { top, common, prefix, named }))
    }

    /// git in a directory of this repository's work tree.
    pub(crate) fn git<'a>(&self, folder: &'a Path, stop: &'a dyn Fn() -> bool) -> anyhow::Result<Git<'a>> {
        by_name(Git::within(folder, stop), self.named.as_deref())
    }
}

/// git on the repository that the environment names, where that is the only one who does.
fn by_name<'a>(git: Git<'a>, named: Option<&Path>) -> anyhow::Result<Git<'a>> {
    let Some(named) = named else { return Ok(git) };
    let git = git.with("GIT_DIR", named);
    match std::env::var_os("GIT_WORK_TREE").filter(|tree| !tree.is_empty()) {
        Some(tree) => Ok(git.with("GIT_WORK_TREE", std::path::absolute(tree)?)),
        None => Ok(git),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(stderr: &str) -> Output {
        Output {
            code: Some(128),
            signal: None,
            stdout: String::new(),
            stderr: stderr.to_owned(),
            wall: Duration::ZERO,
        }
    }

    #[test]
    fn a_remedy_of_git_is_kept_and_its_marks_are_not() {
        let dubious = "warning: x\nfatal: detected dubious ownership in repository at '/r'\nTo add an exception for this directory, call:\n\n\tgit config --global --add safe.directory /r\n";
        assert_eq!(
            words(&failed(dubious)),
            "detected dubious ownership in repository at '/r'\nTo add an exception for this directory, call:\n\tgit config --global --add safe.directory /r"
        );
        assert_eq!(words(&failed("hint: try x\n")), "git says nothing");
        assert_eq!(words(&failed("odd\n")), "odd");
    }
}
