//! What lies around a repository, around a tree of it as well: relative paths that leave the tree lead to the same
//! files.
//!
//! The tree lies below a copy of the directories above the repository, in which everything else is a link.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Component, Path, PathBuf};

use anyhow::Context as _;

use crate::experiment::revision::git::Git;

/// Where the copy begins. Cargo looks for a workspace in every directory above a package, and ends its search at one
/// that is called `target/package`: a package of the tree would else be taken for one of the work tree's workspace,
/// which lies above.
pub(crate) const COPY: &str = "tree/target/package";

/// Makes the directories above `top` again below `folder`, and gives the place of `top` itself among them.
pub(crate) fn place(folder: &Path, top: &Path) -> anyhow::Result<PathBuf> {
    let (mut here, mut there) = (PathBuf::from("/"), folder.join(COPY));
    for name in top.components() {
        let Component::Normal(name) = name else { continue };
        fs::create_dir_all(&there)?;
        let name = Path::new(name);
        swept(&here, &there, name).with_context(|| format!("cannot make {}", there.display()))?;
        linked(&here, &there, name).with_context(|| format!("cannot make {}", there.display()))?;
        here.push(name);
        there.push(name);
    }
    fs::create_dir_all(&there)?;
    Ok(there)
}

/// Removes everything that does not link to what lies beside `own` now: another repository's tree, a link into nothing.
fn swept(here: &Path, there: &Path, own: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(there)? {
        let entry = entry?;
        let (name, path) = (entry.file_name(), entry.path());
        let is_link = entry.file_type()?.is_symlink();
        let stays = match Path::new(&name) == own {
            true => entry.file_type()?.is_dir(),
            false => is_link && fs::read_link(&path)? == here.join(&name) && path.exists(),
        };
        match stays {
            true => {}
            false if entry.file_type()?.is_dir() => fs::remove_dir_all(&path)?,
            false => fs::remove_file(&path)?,
        }
    }
    Ok(())
}

/// Links everything beside `own`. What tools find by looking upwards is found above the copy already, and would count
/// twice.
fn linked(here: &Path, there: &Path, own: &Path) -> std::io::Result<()> {
    const FOUND_ABOVE: [&str; 3] = [".cargo", "rust-toolchain", "rust-toolchain.toml"];
    // A directory that cannot be read has nothing that a build could name.
    let Ok(entries) = fs::read_dir(here) else { return Ok(()) };
    for name in entries.filter_map(Result::ok).map(|entry| entry.file_name()) {
        let found = there.starts_with(here) && FOUND_ABOVE.iter().any(|known| name == *known);
        if Path::new(&name) == own || name == ".git" || found {
            continue;
        }
        let link = there.join(&name);
        if link.symlink_metadata().is_err() {
            symlink(here.join(&name), link)?;
        }
    }
    Ok(())
}

/// The packages that manifests of `tree` name by a relative path and that are not in it: those outside of the
/// repository, and those in its work tree, at `top`, that no commit holds, which are linked into the tree.
pub(crate) fn packages(git: &Git<'_>, tree: &Path, top: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let listed = git.asked(&["ls-files", "-z", "--", "*Cargo.toml"])?.unwrap_or_default();
    let mut found = BTreeSet::new();
    for name in listed.split('\0').filter(|name| !name.is_empty()) {
        let Ok(text) = fs::read_to_string(tree.join(name)) else { continue };
        let folder = Path::new(name).parent().unwrap_or(Path::new(""));
        for path in relative_paths(&text) {
            let package = plain(&top.join(folder).join(path));
            let below = package.strip_prefix(top).ok();
            if !has_manifest(&package) || below.is_some_and(|below| has_manifest(&tree.join(below))) {
                continue;
            }
            if let Some(below) = below {
                let link = tree.join(below);
                fs::create_dir_all(link.parent().unwrap_or(tree))?;
                symlink(&package, &link)
                    .with_context(|| format!("cannot make the link {}", link.display()))?;
            }
            found.insert(package);
        }
    }
    Ok(found.into_iter().collect())
}

fn has_manifest(folder: &Path) -> bool {
    folder.join("Cargo.toml").is_file()
}

/// What a manifest says with the key `path`, where that is relative.
fn relative_paths(text: &str) -> Vec<String> {
    let Ok(table) = text.parse::<toml::Table>() else { return Vec::new() };
    let mut paths = Vec::new();
    gathered(&toml::Value::Table(table), &mut paths);
    paths.retain(|path| Path::new(path).is_relative());
    paths
}

/// Every text with the key `path`, at any depth.
fn gathered(value: &toml::Value, paths: &mut Vec<String>) {
    match value {
        toml::Value::Table(table) => {
            for (key, value) in table {
                match value.as_str() {
                    Some(path) if key == "path" => paths.push(path.to_owned()),
                    _ => gathered(value, paths),
                }
            }
        }
        toml::Value::Array(values) => values.iter().for_each(|value| gathered(value, paths)),
        _ => {}
    }
}

/// A path without `.` and `..`, by its words alone, as Cargo reads it.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(path: &Path, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn what_lies_beside_a_repository_lies_beside_its_tree_and_what_went_away_does_not() {
        let scratch = tempfile::tempdir().unwrap();
        let root = scratch.path().canonicalize().unwrap();
        let write = |name: &str, text: &str| written(&root.join(name), text);
        write("all/work/repo/a", "");
        write("all/work/beside/b", "beside");
        write("all/above.txt", "above");
        write("all/.cargo/config.toml", "");
        // The lab builds elsewhere, so that nothing above the copy has the settings.
        let tree = place(&root.join("lab"), &root.join("all/work/repo")).unwrap();
        let read = |name: &str| fs::read_to_string(tree.join(name)).ok();
        assert_eq!(read("../beside/b").as_deref(), Some("beside"));
        assert_eq!(read("../../above.txt").as_deref(), Some("above"));
        assert!(read("../../.cargo/config.toml").is_some());
        assert!(!tree.join("a").exists(), "the tree is for its commit");
        // Another repository's turn, and a neighbour that went away.
        fs::remove_dir_all(root.join("all/work/beside")).unwrap();
        write("all/work/other/c", "other");
        fs::write(tree.join("old"), "").unwrap();
        let other = place(&root.join("lab"), &root.join("all/work/other")).unwrap();
        assert!(other.join("../repo/a").is_file() && !other.join("../repo/old").exists());
        assert!(other.join("../beside").symlink_metadata().is_err());
    }

    #[test]
    fn settings_above_the_copy_are_not_linked_into_it() {
        let scratch = tempfile::tempdir().unwrap();
        let root = scratch.path().canonicalize().unwrap();
        fs::create_dir_all(root.join("repo")).unwrap();
        fs::write(root.join("rust-toolchain.toml"), "").unwrap();
        fs::write(root.join("other.toml"), "").unwrap();
        let tree = place(&root.join("repo/target"), &root.join("repo")).unwrap();
        assert!(tree.join("../other.toml").is_file());
        assert!(tree.join("../rust-toolchain.toml").symlink_metadata().is_err());
    }

    #[test]
    fn packages_that_no_commit_holds_are_found_by_the_manifests_that_name_them() {
        let scratch = tempfile::tempdir().unwrap();
        let root = scratch.path().canonicalize().unwrap();
        let write = |name: &str, text: &str| written(&root.join(name), text);
        let manifest = "[dependencies]\r\nout = { path = '../../out' }\r\nin = { path = \"../in\" }\n\
                        [workspace.dependencies]\nnested = { path = \"../vendor/nested\" }\n\
                        gone = { path = \"../gone\" }\n[[bin]]\npath = \"../main.rs\"\n";
        for side in ["repo", "tree"] {
            write(&format!("{side}/bench/Cargo.toml"), manifest);
            write(&format!("{side}/in/Cargo.toml"), "");
            write(&format!("{side}/odd/Cargo.toml"), "not = [toml");
        }
        write("out/Cargo.toml", "");
        write("repo/vendor/nested/Cargo.toml", "nested");
        let (tree, top) = (root.join("tree"), root.join("repo"));
        let init = std::process::Command::new("git").args(["init", "--quiet"]).current_dir(&tree).status();
        assert!(init.unwrap().success());
        let git = Git::within(&tree, &|| false);
        git.run(&["add", "--all"]).unwrap();
        let found = packages(&git, &tree, &top).unwrap();
        assert_eq!(found, [root.join("out"), root.join("repo/vendor/nested")]);
        assert_eq!(fs::read_to_string(tree.join("vendor/nested/Cargo.toml")).unwrap(), "nested");
    }
}
