//! What an experiment finds where it is started: the workspace, its target directory, the cores and priorities that
//! it may use.

use std::path::{Path, PathBuf};

use crate::build::Workspace;
use crate::machine::{Environment, last_core, priority, probe, probe_system};

/// The Cargo workspace that a directory lies in.
///
/// # Errors
/// There is no manifest at or above it, or Cargo refuses one.
pub fn workspace(from: &Path) -> anyhow::Result<Workspace> {
    Workspace::of(from).map_err(|error| match empty_submodules(from) {
        Some(remedy) => anyhow::anyhow!("{error}\n{remedy}"),
        None => error.into(),
    })
}

/// What to do about submodules that a clone left empty, whose files a build may lack; `None` where there are none.
pub(crate) fn empty_submodules(from: &Path) -> Option<String> {
    let top = from.ancestors().find(|above| above.join(".git").exists())?;
    let text = std::fs::read_to_string(top.join(".gitmodules")).ok()?;
    let paths = text.lines().filter_map(|line| {
        let (key, path) = line.split_once('=')?;
        (key.trim() == "path").then(|| path.trim())
    });
    let is_empty =
        |path: &&str| std::fs::read_dir(top.join(path)).is_ok_and(|mut files| files.next().is_none());
    let empty: Vec<&str> = paths.filter(is_empty).collect();
    let (first, verb) = (empty.first()?, if empty.len() == 1 { "is" } else { "are" });
    let named = if empty.len() == 1 {
        format!("the submodule {first}")
    } else {
        format!("the submodules {}", empty.join(", "))
    };
    Some(format!("{named} {verb} not checked out: git submodule update --init --recursive"))
}

/// The root of the Cargo workspace that a directory lies in.
///
/// # Errors
/// As [`workspace`].
pub fn workspace_root(from: &Path) -> anyhow::Result<PathBuf> {
    Ok(workspace(from)?.root)
}

/// The target directory of a workspace, as Cargo would choose it from here.
#[must_use]
pub fn target_directory(root: &Path) -> PathBuf {
    Workspace::at(root).map_or_else(|_| root.join("target"), |workspace| workspace.target)
}

/// This machine, with where and how arms will run on it.
///
/// # Errors
/// The machine cannot be asked.
pub fn environment_to_measure() -> anyhow::Result<Environment> {
    let toolchain = probe()?.toolchain;
    Ok(Environment { toolchain, ..system_to_measure() })
}

/// This machine with its compiler where it has one, for verbs that read and show.
#[must_use]
pub fn environment_or_system() -> Environment {
    environment_to_measure().unwrap_or_else(|_| system_to_measure())
}

/// As [`environment_to_measure`], where no compiler takes part.
#[must_use]
pub fn system_to_measure() -> Environment {
    Environment { pinned_to: last_core(), nice: Some(priority()), ..probe_system() }
}

/// A seed that differs from run to run; it is kept in the record.
#[must_use]
pub fn clock_seed() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(1, |since| u64::try_from(since.as_nanos() & u128::from(u64::MAX)).unwrap_or(1))
}

/// Now, as records write it (UTC, ISO 8601).
#[must_use]
pub fn timestamp() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A path below a workspace without the workspace; another one as it is.
#[must_use]
pub fn within<'a>(root: &Path, path: &'a Path) -> &'a Path {
    path.strip_prefix(root).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn submodules_that_a_clone_left_empty_are_named() {
        let clone = tempfile::tempdir().unwrap();
        let root = clone.path();
        assert_eq!(empty_submodules(root), None);
        for directory in [".git", "member", "deep/a", "b"] {
            fs::create_dir_all(root.join(directory)).unwrap();
        }
        let modules = "[submodule \"a\"]\n\tpath = deep/a\n\turl = x\n[submodule \"b\"]\n\tpath = b\n";
        fs::write(root.join(".gitmodules"), modules).unwrap();
        let said = empty_submodules(&root.join("member")).unwrap();
        assert!(
            said.starts_with("the submodules deep/a, b are not checked out: git submodule update "),
            "{said}"
        );
        fs::write(root.join("b/file"), "").unwrap();
        assert!(empty_submodules(root).unwrap().starts_with("the submodule deep/a is not"));
        fs::write(root.join("deep/a/file"), "").unwrap();
        assert_eq!(empty_submodules(root), None);
    }
}
