//! Files that no commit of the repository holds, and that what is measured was made of or may read: both sides of a gate
//! have them as they are now.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::build::Artifact;
use crate::experiment::context::Context;
use crate::experiment::revision::Revision;
use crate::experiment::revision::git::{Git, Repository};

/// git's mode of a symbolic link.
const LINK: &str = "120000 ";

/// What lies outside of the work tree and of the commit's tree: files that these artifacts were compiled from, and what
/// links in either lead to. Packages that the gate has named already are left out.
pub(crate) fn of_both(
    context: &Context,
    revision: &Revision,
    artifacts: &[&Artifact],
) -> anyhow::Result<BTreeSet<PathBuf>> {
    let stop = || context.stopped();
    let tree = revision.tree();
    let mut found = of_tree(&tree.git(&stop), &revision.root, &revision.files)?;
    let (older, own): (Vec<&Artifact>, Vec<&Artifact>) =
        artifacts.iter().partition(|artifact| artifact.root.starts_with(&revision.files));
    found.extend(compiled(&older, &revision.files));
    found.extend(of_work_tree(context, &own)?);
    found.retain(|path| !revision.around.iter().any(|package| path.starts_with(package)));
    without_own(context, &mut found);
    Ok(found)
}

/// What lies outside of the work tree of the workspace's repository; nothing where there is none.
///
/// # Errors
/// git cannot be run, or refuses the repository.
pub(crate) fn of_work_tree(context: &Context, artifacts: &[&Artifact]) -> anyhow::Result<BTreeSet<PathBuf>> {
    let stop = || context.stopped();
    let Some(repository) = Repository::of(&context.root, &stop)? else { return Ok(BTreeSet::new()) };
    let mut found = of_tree(&repository.git(&context.root, &stop)?, &context.root, &repository.top)?;
    // What a copy was compiled from stands for the work tree's own.
    let top = context.copied.as_ref().map_or(&repository.top, |copied| &copied.files);
    found.extend(compiled(artifacts, top));
    without_own(context, &mut found);
    Ok(found)
}

/// What the lab itself puts in place of a package is the same on both sides.
fn without_own(context: &Context, found: &mut BTreeSet<PathBuf>) {
    let packages = context.copied.as_ref().and_then(|copied| copied.packages.canonicalize().ok());
    found.retain(|path| packages.as_ref().is_none_or(|packages| !path.starts_with(packages)));
}

/// Where links below `root` lead that git tracks, of those that leave `top`. What leads nowhere is read by nobody.
fn of_tree(git: &Git<'_>, root: &Path, top: &Path) -> anyhow::Result<BTreeSet<PathBuf>> {
    let below = root.strip_prefix(top).unwrap_or(Path::new(""));
    let listed = git.asked(&["ls-files", "--stage", "-z", "--full-name", "--", ":/"])?.unwrap_or_default();
    let links = listed.split('\0').filter(|entry| entry.starts_with(LINK));
    let links = links.filter_map(|entry| Some(Path::new(entry.split_once('\t')?.1)));
    let links = links.filter(|link| link.starts_with(below)).map(|link| top.join(link));
    Ok(leaving(links, top))
}

/// The files of crates that lie outside of `top`, however they are named: `include_str!` takes any path.
fn compiled(artifacts: &[&Artifact], top: &Path) -> BTreeSet<PathBuf> {
    artifacts.iter().flat_map(|artifact| leaving(artifact.files.iter().cloned(), top)).collect()
}

/// Where paths lead, of those that leave `top`.
fn leaving(paths: impl Iterator<Item = PathBuf>, top: &Path) -> BTreeSet<PathBuf> {
    let Ok(top) = fs::canonicalize(top) else { return BTreeSet::new() };
    paths.filter_map(|path| fs::canonicalize(path).ok()).filter(|path| !path.starts_with(&top)).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn what_leaves_a_tree_is_found_by_where_it_leads() {
        let scratch = tempfile::tempdir().unwrap();
        let scratch = scratch.path().canonicalize().unwrap();
        let top = scratch.join("repository");
        fs::create_dir_all(top.join("src")).unwrap();
        for name in ["data", "repository/src/own", "repository-beside"] {
            fs::write(scratch.join(name), name).unwrap();
        }
        symlink("../data", top.join("away")).unwrap();
        symlink("src/own", top.join("within")).unwrap();
        symlink("../gone", top.join("nowhere")).unwrap();
        let of = |names: &[&str]| leaving(names.iter().map(|name| top.join(name)), &top);
        assert_eq!(of(&["away", "src/../away"]), BTreeSet::from([scratch.join("data")]));
        assert_eq!(of(&["within", "src/own", "src/../src/own", "nowhere"]), BTreeSet::new());
        assert_eq!(of(&["../repository-beside"]).len(), 1, "its name begins as the tree's");
        assert_eq!(of(&[scratch.join("data").to_str().unwrap()]).len(), 1, "named by its whole path");
    }
}
