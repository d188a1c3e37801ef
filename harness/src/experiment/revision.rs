//! The commit that a gate compares with: found, and checked out beside the work tree.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};

use crate::experiment::context::{Locked, flagsets};
use crate::plan::FlagSets;
use crate::process::{Invocation, Limits, Output, run};
use crate::record::Commit;

/// Directory of the tree and of what is built from it, below the lab's own.
const DIRECTORY: &str = "against";

/// A commit whose variants are built beside the work tree's.
pub(crate) struct Revision {
    /// Its full hash.
    pub commit: String,
    /// The workspace's root in a tree of that commit.
    pub root: PathBuf,
    /// Where it is built.
    pub target: PathBuf,
    /// The flag sets of that commit.
    pub flagsets: FlagSets,
}

/// The beginning of a commit's hash: enough to find it, short enough to read.
pub(crate) fn short_hash(hash: &str) -> &str {
    hash.get(..10).unwrap_or(hash)
}

/// Runs git in `folder`. Variables that a hook sets would send it to another repository.
fn git(folder: &Path, args: &[&str]) -> anyhow::Result<Output> {
    // Checking out a tree of our own is nothing that the hooks of a repository are meant for.
    let args = ["-c", "core.hooksPath=/dev/null"].iter().chain(args);
    let mut invocation = Invocation::new("git", args).in_folder(folder);
    invocation.unset =
        ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR"].map(Into::into).into();
    let limits = Limits { timeout: Duration::from_secs(300), output: 4 << 20 };
    run(&invocation, limits, &|| false).context("git cannot be run: a gate against a revision needs it")
}

fn asked(folder: &Path, args: &[&str]) -> anyhow::Result<Option<String>> {
    let output = git(folder, args)?;
    Ok(output.success().then(|| output.stdout.trim().to_owned()))
}

/// The commit of the work tree, and whether files in it differ from that; `None` outside of a repository.
pub(crate) fn head(root: &Path) -> Option<Commit> {
    let hash = asked(root, &["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]).ok()??;
    let changed = asked(root, &["status", "--porcelain", "--untracked-files=normal", "--", "."]).ok()??;
    Some(Commit { hash, changed: changed.lines().count() })
}

/// The full hash behind a name.
pub(crate) fn resolve(root: &Path, rev: &str) -> anyhow::Result<String> {
    if asked(root, &["rev-parse", "--is-inside-work-tree"])?.is_none() {
        bail!("{} is not a git repository: --against needs one", root.display());
    }
    let name = format!("{rev}^{{commit}}");
    // An option in place of a name would be taken as one.
    let found = asked(root, &["rev-parse", "--verify", "--quiet", "--end-of-options", &name])?;
    found.filter(|hash| hash.len() >= 40).with_context(|| {
        format!("unknown revision \"{rev}\": name a commit, branch or tag that is in this repository (a shallow clone may lack it: git fetch --unshallow)")
    })
}

/// Checks `commit` out beside the work tree, in a tree that later gates use again, so that Cargo compiles only what
/// differs.
pub(crate) fn checked_out(context: &Locked<'_>, commit: &str) -> anyhow::Result<Revision> {
    let folder = context.target().join(DIRECTORY);
    let tree = folder.join("tree");
    let prefix = asked(&context.root, &["rev-parse", "--show-prefix"])?.unwrap_or_default();
    place(&context.root, &tree, commit)?;
    let root = if prefix.is_empty() { tree } else { tree.join(prefix.trim_end_matches('/')) };
    if !root.join("Cargo.toml").is_file() {
        bail!("{} has no {}Cargo.toml: there was no workspace here then", short_hash(commit), prefix);
    }
    same_settings(&context.root, &root, commit)?;
    let flagsets = flagsets(&root).with_context(|| format!("flag sets of {}", short_hash(commit)))?;
    Ok(Revision { commit: commit.to_owned(), root, target: folder.join("target"), flagsets })
}

fn place(root: &Path, tree: &Path, commit: &str) -> anyhow::Result<()> {
    let shown = short_hash(commit);
    let is_tree = tree.join(".git").is_file()
        && asked(tree, &["rev-parse", "--show-toplevel"])?
            .is_some_and(|top| fs::canonicalize(tree).is_ok_and(|tree| Path::new(&top) == tree));
    if is_tree {
        let moved = git(tree, &["checkout", "--quiet", "--force", "--detach", commit])?;
        if moved.success() && git(tree, &["clean", "-fdq"])?.success() {
            return Ok(());
        }
    }
    if tree.exists() {
        fs::remove_dir_all(tree).with_context(|| format!("cannot replace {}", tree.display()))?;
    }
    git(root, &["worktree", "prune"])?;
    let path = tree.to_str().with_context(|| format!("{} is no UTF-8 path", tree.display()))?;
    let added = git(root, &["worktree", "add", "--quiet", "--force", "--detach", path, commit])?;
    if added.success() {
        return Ok(());
    }
    let said = added.stderr.trim().lines().last().unwrap_or("git says nothing").to_owned();
    bail!("cannot check {shown} out beside the work tree: {said}")
}

/// Cargo reads the config files above a directory too, and the tree lies below the work tree. Where those of the two
/// differ in something that changes code and that the lab cannot switch off, the comparison would hide it.
fn same_settings(root: &Path, tree: &Path, commit: &str) -> anyhow::Result<()> {
    let read = |folder: &Path| -> Vec<String> {
        let files = ["config.toml", "config"].map(|name| folder.join(".cargo").join(name));
        files.map(|file: PathBuf| fs::read_to_string(file).unwrap_or_default()).into()
    };
    if read(root) == read(tree) {
        return Ok(());
    }
    let in_force = |folder: &Path| {
        let place = |foreign: &crate::build::Foreign| {
            Path::new(&foreign.place).strip_prefix(folder).is_ok_and(|below| below.starts_with(".cargo"))
        };
        let all = crate::build::foreign_settings(std::iter::empty(), folder, None);
        let mut settings: Vec<String> = all
            .into_iter()
            .filter(|foreign| foreign.in_force && place(foreign))
            .map(|foreign| foreign.setting)
            .collect();
        settings.sort();
        settings
    };
    if in_force(root) == in_force(tree) {
        return Ok(());
    }
    bail!(
        ".cargo/config.toml of the work tree and of {} differ in profiles or linkers, and Cargo would use both for the older one: move them to Cargo.toml, or compare with a commit that has the same",
        short_hash(commit)
    )
}
