//! The commit that a gate compares with: found, and put into a tree of the lab's own.

mod around;
mod git;
mod head;
mod lacking;
pub(crate) mod outside;
mod tree;
mod work_copy;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};

pub(crate) use head::head;
pub(crate) use work_copy::work_copy;

use crate::experiment::context::{Context, Locked, flagsets};
use crate::experiment::revision::git::{Git, Repository, words};
use crate::experiment::revision::tree::Tree;
use crate::plan::FlagSets;
use crate::process::{Invocation, Limits, run};

/// Directory of the tree and of what is built from it, below the lab's own.
const DIRECTORY: &str = "against";

/// A commit whose variants are built beside the work tree's.
pub(crate) struct Revision {
    /// Its full hash.
    pub commit: String,
    /// The workspace's root in a tree of that commit.
    pub root: PathBuf,
    /// The root of that tree.
    pub files: PathBuf,
    /// The packages outside of the repository that it names.
    around: Vec<PathBuf>,
    repository: Repository,
    state: PathBuf,
    /// Where it is built.
    pub target: PathBuf,
    /// What stands for `/` above it.
    pub copy: PathBuf,
    /// The flag sets of that commit.
    pub flagsets: FlagSets,
    /// Options of Cargo's for every call that builds it.
    pub options: Vec<OsString>,
}

/// The beginning of a commit's hash: enough to find it, short enough to read.
pub(crate) fn short_hash(hash: &str) -> &str {
    hash.get(..10).unwrap_or(hash)
}

/// Files below the workspace's root that git tracks, that differ between `commit` and the work tree, and that neither
/// Cargo nor rustc reads by itself: a program may read them when it runs.
pub(crate) fn other_changes(context: &Context, commit: &str) -> anyhow::Result<Vec<String>> {
    let (root, stop) = (&context.root, || context.stopped());
    let git = repository(context)?.git(root, &stop)?;
    let listed =
        git.asked(&["diff", "--name-only", "--relative", "-z", "--no-renames", commit, "--", "."])?;
    let is_source = |name: &str| {
        let ends = |ending: &str| Path::new(name).extension().is_some_and(|found| found == ending);
        ends("rs") || ["Cargo.toml", "Cargo.lock"].iter().any(|file| Path::new(name).ends_with(file))
    };
    let names = listed.unwrap_or_default();
    Ok(names.split('\0').filter(|name| !name.is_empty() && !is_source(name)).map(str::to_owned).collect())
}

/// The full hash behind a name.
pub(crate) fn resolve(context: &Context, rev: &str) -> anyhow::Result<String> {
    let (root, stop) = (&context.root, || context.stopped());
    let repository = repository(context)?;
    let name = format!("{rev}^{{commit}}");
    // An option in place of a name would be taken as one.
    let output = repository.git(root, &stop)?.run(&["rev-parse", "--verify", "--end-of-options", &name])?;
    if let Some(line) = output.stderr.lines().find(|line| line.contains("is ambiguous")) {
        let line = line.trim_start_matches("warning: ").trim_start_matches("error: ").trim_end_matches('.');
        bail!(
            "revision \"{rev}\" is ambiguous ({line}): name it in full, as refs/heads/NAME, refs/tags/NAME or the whole hash"
        );
    }
    let hash = output.stdout.trim();
    if output.success() && hash.len() >= 40 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(hash.to_owned());
    }
    if rev.starts_with('^') || rev.contains("..") {
        bail!("\"{rev}\" names a set of commits: name one, as a commit, branch or tag");
    }
    bail!(
        "unknown revision \"{rev}\": name a commit, branch or tag that is in this repository (a shallow clone may lack it: git fetch --unshallow)"
    )
}

/// Why git does not hand the repository of a directory out, in its own words; `None` where it does, or where there is none.
pub(crate) fn refused(root: &Path) -> Option<anyhow::Error> {
    Repository::of(root, &|| false).err()
}

fn repository(context: &Context) -> anyhow::Result<Repository> {
    let found = Repository::of(&context.root, &|| context.stopped())?;
    found.with_context(|| format!("{} is not a git repository: --against needs one", context.root.display()))
}

/// Puts `commit` into a tree of the lab's own, which later gates use again.
pub(crate) fn checked_out(context: &Locked<'_>, commit: &str) -> anyhow::Result<Revision> {
    let folder = context.target().join(DIRECTORY);
    let repository = repository(context)?;
    forget_registered(context, &folder)?;
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let folder = folder.canonicalize()?;
    let files = around::place(&folder, &repository.top)?;
    let state = folder.join("git");
    let tree = Tree { common: &repository.common, files: &files, state: &state, beside: &repository.top };
    tree.check_out(context.watcher(), commit)?;
    let root = match repository.prefix.trim_end_matches('/') {
        "" => files.clone(),
        below => files.join(below),
    };
    let stop = || context.stopped();
    let git = tree.git(&stop);
    let outside = around::packages(&git, &files, &repository.top)?;
    if !outside.is_empty() {
        let shown: Vec<String> = outside.iter().map(|package| package.display().to_string()).collect();
        context.progress().note(&format!(
            "in no commit of the repository, and as it is now on both sides: {}",
            shown.join(", ")
        ));
    }
    same_dependencies(context, &git, &repository, &root, commit)?;
    same_settings(&context.root, &root, commit)?;
    let flagsets = flagsets(&root).with_context(|| format!("flag sets of {}", short_hash(commit)))?;
    let options = match &context.copied {
        Some(copied) => copied.options_of(&root).with_context(|| short_hash(commit).to_owned())?,
        None => Vec::new(),
    };
    Ok(Revision {
        options,
        commit: commit.to_owned(),
        root,
        around: outside,
        target: folder.join("target"),
        copy: folder.join(around::COPY),
        flagsets,
        files,
        repository,
        state,
    })
}

impl Revision {
    fn tree(&self) -> Tree<'_> {
        let Repository { common, top, .. } = &self.repository;
        Tree { common, files: &self.files, state: &self.state, beside: top }
    }
}

/// How many names of files a note has.
const NAMED_FILES: usize = 3;

/// The first few of some files, and how many more there are.
pub(crate) fn first_few<T: AsRef<Path>>(files: impl ExactSizeIterator<Item = T>) -> String {
    let more = files.len().saturating_sub(NAMED_FILES);
    let names: Vec<String> =
        files.take(NAMED_FILES).map(|file| file.as_ref().display().to_string()).collect();
    let names = names.join(", ");
    if more > 0 { format!("{names} and {more} more") } else { names }
}

/// Earlier labs registered their tree in the repository, which then lists a work tree that nobody made.
fn forget_registered(context: &Context, folder: &Path) -> anyhow::Result<()> {
    let old = folder.join("tree");
    if !old.join(".git").is_file() {
        return Ok(());
    }
    let stop = || context.stopped();
    if let Some(path) = old.to_str() {
        Git::within(&context.root, &stop).run(&["worktree", "remove", "--force", path])?;
    }
    if old.exists() {
        fs::remove_dir_all(&old).with_context(|| format!("cannot replace {}", old.display()))?;
    }
    Ok(())
}

/// A commit without a lock file would be built with whatever versions are newest: it gets the work tree's.
fn same_dependencies(
    context: &Context,
    git: &Git<'_>,
    repository: &Repository,
    root: &Path,
    commit: &str,
) -> anyhow::Result<()> {
    let is_tracked =
        git.asked(&["ls-files", "--error-unmatch", "--", &format!("{}Cargo.lock", repository.prefix)])?;
    // A project that is copied gets none of its own.
    let own = context.built_in().join("Cargo.lock");
    if is_tracked.is_some() {
        let stop = || context.stopped();
        let git = repository.git(&context.root, &stop)?;
        let own_is_tracked = git.asked(&["ls-files", "--error-unmatch", "--", "Cargo.lock"])?.is_some();
        if !own_is_tracked && fs::read(&own).ok() != fs::read(root.join("Cargo.lock")).ok() {
            context.progress().note(&format!(
                "{} has a Cargo.lock of its own, and the work tree's is not in git: the versions of dependencies may differ",
                short_hash(commit)
            ));
        }
        return Ok(());
    }
    if !root.join("Cargo.toml").is_file() {
        return Ok(());
    }
    if !own.is_file() {
        let invocation = Invocation::new("cargo", ["generate-lockfile"]).in_folder(context.built_in());
        let limits = Limits { timeout: Duration::from_secs(600), output: 1 << 20 };
        let output = run(&invocation, limits, &|| context.stopped())?;
        if !output.success() {
            bail!("the work tree has no Cargo.lock, and Cargo makes none: {}", words(&output));
        }
    }
    let copy = root.join("Cargo.lock");
    fs::copy(&own, &copy).with_context(|| format!("cannot write {}", copy.display()))?;
    context.progress().note(&format!(
        "{} has no Cargo.lock: it is built with the versions of the work tree's",
        short_hash(commit)
    ));
    Ok(())
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
    let (own, other) = (in_force(root), in_force(tree));
    if own == other {
        return Ok(());
    }
    let differing: Vec<&String> = own
        .iter()
        .filter(|setting| !other.contains(setting))
        .chain(other.iter().filter(|setting| !own.contains(setting)))
        .collect();
    bail!(
        ".cargo/config.toml of the work tree and of {} differ, and Cargo would use both for the older one: {}",
        short_hash(commit),
        remedies(&differing).join("; ")
    )
}

/// What can be done about settings (`key = value`) of a config file that only one side has, a clause for each kind.
fn remedies(settings: &[&String]) -> Vec<String> {
    const REMEDIES: [(&str, &str, &str); 3] = [
        ("profile.", "", "Cargo.toml can hold profiles, and is read on each side alone: move them there"),
        ("patch.", "", "Cargo.toml can hold patches, and is read on each side alone: move them there"),
        (
            "target.",
            ".linker",
            "Cargo.toml cannot hold a linker, so a change of it cannot be compared: compare with a commit that has it already",
        ),
    ];
    const OTHERS: &str = "Cargo.toml cannot hold that, so a change of it cannot be compared: compare with a commit that has it already";
    let kind = |setting: &str| {
        let key = setting.split(" = ").next().unwrap_or_default();
        REMEDIES.iter().position(|(start, end, _)| key.starts_with(start) && key.ends_with(end))
    };
    let kinds: BTreeSet<usize> =
        settings.iter().map(|setting| kind(setting).unwrap_or(REMEDIES.len())).collect();
    let clause = |of: &usize| {
        let mut keys: Vec<&str> = settings
            .iter()
            .filter(|setting| kind(setting).unwrap_or(REMEDIES.len()) == *of)
            .filter_map(|setting| setting.split(" = ").next())
            .collect();
        keys.dedup();
        format!("{} ({})", REMEDIES.get(*of).map_or(OTHERS, |(_, _, remedy)| remedy), keys.join(", "))
    };
    kinds.iter().map(clause).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_setting_has_the_remedy_that_is_possible() {
        let scratch = tempfile::tempdir().unwrap();
        let side = |name: &str, text: &str| {
            let root = scratch.path().join(name);
            fs::create_dir_all(root.join(".cargo")).unwrap();
            fs::write(root.join(".cargo/config.toml"), text).unwrap();
            root
        };
        let said = |own: &str, other: &str| {
            let outcome = same_settings(&side("own", own), &side("other", other), "0123456789abcdef");
            outcome.err().map_or_else(String::new, |error| error.to_string())
        };
        let (profile, linker) = ("[profile.release]\nlto = true\n", "[target.x]\nlinker = \"cc\"\n");
        assert_eq!(said(linker, &format!("# the same\n{linker}")), "");
        let of_profile = said(profile, "");
        assert!(of_profile.contains("of the work tree and of 0123456789 differ"), "{of_profile}");
        assert!(of_profile.ends_with("move them there (profile.release)"), "{of_profile}");
        assert!(!of_profile.contains("linker"), "{of_profile}");
        for (own, other) in [(linker, ""), ("", linker), (linker, "[target.x]\nlinker = \"other\"\n")] {
            let of_linker = said(own, other);
            assert!(of_linker.ends_with("a commit that has it already (target.x.linker)"), "{of_linker}");
            assert!(!of_linker.contains("move"), "{of_linker}");
        }
        let of_both = said(&format!("{profile}{linker}"), "");
        assert!(of_both.contains("(profile.release); Cargo.toml cannot hold a linker"), "{of_both}");
        assert!(said("[env]\nCFLAGS = \"-O3\"\n", profile).contains("cannot hold that"));
        // Of a target's table, only the linker is one.
        let runner = remedies(&[&"target.x.runner = \"qemu\"".to_owned()]);
        assert!(runner[0].contains("cannot hold that") && !runner[0].contains("linker"), "{runner:?}");
    }
}
