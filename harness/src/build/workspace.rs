//! Where a workspace begins, and where it is built: as Cargo says it, which knows of members that are named elsewhere,
//! directories that are left out, and every way to name a target directory.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::build::said::first_error;
use crate::process::{Invocation, Limits, Output, RunError, run};

/// A Cargo workspace.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Workspace {
    /// The directory of its manifest.
    #[serde(rename = "workspace_root")]
    pub root: PathBuf,
    /// Where Cargo builds it.
    #[serde(rename = "target_directory")]
    pub target: PathBuf,
}

/// Why there is no workspace.
#[derive(Debug, thiserror::Error)]
pub enum WorkspaceError {
    /// There is no manifest.
    #[error("no Cargo.toml here or above: start perflab inside a Cargo workspace")]
    NoManifest,
    /// Cargo refuses it.
    #[error("Cargo cannot read the workspace here: {said}")]
    Refused {
        /// What Cargo says.
        said: String,
    },
}

impl Workspace {
    /// The workspace that a directory lies in.
    ///
    /// # Errors
    /// There is no manifest at or above it, or Cargo refuses one.
    pub fn of(directory: &Path) -> Result<Self, WorkspaceError> {
        if !directory.ancestors().any(|above| above.join("Cargo.toml").is_file()) {
            return Err(WorkspaceError::NoManifest);
        }
        Self::told(&metadata(&[]).in_folder(directory)).unwrap_or_else(|| Self::by_manifests(directory))
    }

    /// The workspace of a manifest's directory, as Cargo would build it from here: a relative `CARGO_TARGET_DIR` leads on
    /// from the current directory.
    ///
    /// # Errors
    /// As [`Workspace::of`].
    pub fn at(root: &Path) -> Result<Self, WorkspaceError> {
        let manifest = root.join("Cargo.toml");
        let asked = metadata(&["--manifest-path".as_ref(), manifest.as_path()]);
        Self::told(&asked).unwrap_or_else(|| Self::by_manifests(root))
    }

    /// What Cargo says; `None` where it cannot be run.
    fn told(invocation: &Invocation) -> Option<Result<Self, WorkspaceError>> {
        let limits = Limits { timeout: Duration::from_secs(120), output: 256 << 20 };
        match run(invocation, limits, &|| false) {
            Ok(output) => Some(Self::read(&output)),
            Err(RunError::NotStarted { .. }) => None,
            Err(error) => Some(Err(WorkspaceError::Refused { said: error.to_string() })),
        }
    }

    fn read(output: &Output) -> Result<Self, WorkspaceError> {
        if output.success()
            && let Ok(workspace) = serde_json::from_str(&output.stdout)
        {
            return Ok(workspace);
        }
        Err(WorkspaceError::Refused { said: first_error(output).trim_start_matches("error: ").to_owned() })
    }

    /// The nearest manifest with a `[workspace]`, else the nearest one: enough to read records where no Cargo is installed.
    fn by_manifests(directory: &Path) -> Result<Self, WorkspaceError> {
        let manifests = || directory.ancestors().filter(|above| above.join("Cargo.toml").is_file());
        let is_workspace = |directory: &&Path| {
            let text = std::fs::read_to_string(directory.join("Cargo.toml")).unwrap_or_default();
            text.parse::<toml::Table>().is_ok_and(|manifest| manifest.contains_key("workspace"))
        };
        let root = manifests().find(is_workspace).or_else(|| manifests().next());
        let root = root.ok_or(WorkspaceError::NoManifest)?.to_owned();
        Ok(Self { target: root.join("target"), root })
    }
}

fn metadata(more: &[&Path]) -> Invocation {
    let words = ["metadata", "--no-deps", "--format-version", "1", "--color", "never"].map(Path::new);
    Invocation::new("cargo", words.iter().chain(more).map(|word| word.as_os_str()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const PACKAGE: &str = "[package]\nname = \"a\"\nversion = \"0.0.0\"\nedition = \"2024\"\n";

    /// Directories with manifests, each a package with a library.
    fn tree(manifests: &[(&str, &str)]) -> tempfile::TempDir {
        let tree = tempfile::tempdir().unwrap();
        for (directory, text) in manifests {
            let directory = tree.path().join(directory);
            fs::create_dir_all(directory.join("src")).unwrap();
            fs::write(directory.join("src/lib.rs"), "").unwrap();
            fs::write(directory.join("Cargo.toml"), text).unwrap();
        }
        tree
    }

    #[test]
    fn the_root_is_cargos() {
        let named = PACKAGE.replace("\"a\"", "\"b\"");
        let pointing = format!("{named}workspace = \"../root\"\n");
        let excluding = format!("{PACKAGE}[workspace]\nexclude = [\"bench\"]\n");
        let commented = format!("{PACKAGE}# [workspace]\n");
        for (manifests, from, root) in [
            (&[("", excluding.as_str()), ("bench", &named)][..], "bench", "bench"),
            (&[("", &excluding), ("bench", &named)], "src", ""),
            (
                &[("root", "[workspace]\nmembers = [\"../member\"]\n"), ("member", &pointing)],
                "member/src",
                "root",
            ),
            (&[("", &commented), ("inner", &named)], "inner", "inner"),
            (
                &[("", "[workspace]\r\nmembers = [\"inner\"]\r\n"), ("inner", &named.replace('\n', "\r\n"))],
                "inner",
                "",
            ),
        ] {
            let tree = tree(manifests);
            let found = Workspace::of(&tree.path().join(from)).unwrap();
            // A path that ends in a slash is the same one.
            assert_eq!(found.root.components().as_path(), tree.path().join(root).components().as_path());
        }
    }

    #[test]
    fn a_target_directory_of_a_config_file_is_found() {
        let tree = tree(&[("", PACKAGE)]);
        fs::create_dir(tree.path().join(".cargo")).unwrap();
        fs::write(tree.path().join(".cargo/config.toml"), "[build]\ntarget-dir = \"built\"\n").unwrap();
        // A variable of whoever runs this test would outrank it.
        let mut asked = metadata(&[]).in_folder(tree.path().join("src"));
        asked.unset = ["CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR"].map(Into::into).into();
        let found = Workspace::told(&asked).unwrap().unwrap();
        assert_eq!(found.target, tree.path().join("built"));
        asked.set.push(("CARGO_TARGET_DIR".into(), "relative".into()));
        assert_eq!(Workspace::told(&asked).unwrap().unwrap().target, tree.path().join("src/relative"));
    }

    #[test]
    fn without_a_workspace_it_says_why() {
        let tree = tree(&[("", "[workspace]\nmembers = [\"inner\"]\n[package\n")]);
        let error = Workspace::of(tree.path()).unwrap_err().to_string();
        assert!(error.starts_with("Cargo cannot read the workspace here: ") && error.len() > 40, "{error}");
        let empty = tempfile::tempdir().unwrap();
        let none = Workspace::of(empty.path()).unwrap_err().to_string();
        assert_eq!(none, "no Cargo.toml here or above: start perflab inside a Cargo workspace");
        let commented = self::tree(&[("", PACKAGE), ("inner", &format!("{PACKAGE}# [workspace]\n"))]);
        let found = Workspace::by_manifests(&commented.path().join("inner/src")).unwrap();
        assert_eq!(found.root, commented.path().join("inner"));
    }
}
