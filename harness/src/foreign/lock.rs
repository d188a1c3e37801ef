//! The lock file of a project, and what is replaced in a private copy of it.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::foreign::criterion;

/// Why nothing can be replaced.
#[derive(Debug, thiserror::Error)]
pub enum ForeignError {
    /// The lock file is not there or cannot be read.
    #[error("cannot read {}: {error}", path.display())]
    Lock {
        /// The file.
        path: PathBuf,
        /// The reason.
        error: String,
    },
    /// The lab's own form of criterion cannot be written.
    #[error("cannot write criterion {version}: {error}")]
    Package {
        /// The version.
        version: String,
        /// The reason.
        error: String,
    },
}

#[derive(Deserialize)]
struct LockFile {
    #[serde(default)]
    package: Vec<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    name: String,
    version: String,
}

/// The versions of a package that a lock file has, in their order.
fn versions(text: &str, name: &str) -> Result<BTreeSet<String>, toml::de::Error> {
    let file: LockFile = toml::from_str(text)?;
    Ok(file
        .package
        .into_iter()
        .filter(|package| package.name == name)
        .map(|package| package.version)
        .collect())
}

/// The options that let Cargo take the lab's own form of criterion, written into `packages`, in place of the one that the
/// workspace in `root` depends on. A replacement is ignored in silence where its version is not that of the lock file, so
/// every version there gets its own.
///
/// # Errors
/// [`ForeignError`]: there is no lock file, or the package cannot be written.
pub fn replaced(root: &Path, packages: &Path) -> Result<Vec<OsString>, ForeignError> {
    let path = root.join("Cargo.lock");
    let wrong = |error: String| ForeignError::Lock { path: path.clone(), error };
    let text = fs::read_to_string(&path).map_err(|error| wrong(error.to_string()))?;
    let versions = versions(&text, "criterion").map_err(|error| wrong(error.to_string()))?;
    let mut options = Vec::new();
    for version in versions {
        let package = criterion::write(packages, &version)
            .map_err(|error| ForeignError::Package { version: version.clone(), error: error.to_string() })?;
        // Names of their own, since one name can be replaced once.
        let key = format!("patch.crates-io.perflab-criterion-{}", version.replace(['.', '+'], "-"));
        let path = toml::Value::String(package.display().to_string());
        for setting in [format!("{key}.package=\"criterion\""), format!("{key}.path={path}")] {
            options.extend(["--config".into(), setting.into()]);
        }
    }
    Ok(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = "version = 4\n[[package]]\nname = \"criterion\"\nversion = \"0.5.1\"\nsource = \"registry\"\n\
                        [[package]]\nname = \"criterion-plot\"\nversion = \"0.5.0\"\n\
                        [[package]]\nname = \"criterion\"\nversion = \"0.3.6\"\n";

    #[test]
    fn every_version_of_the_lock_file_is_replaced_by_one_of_its_own() {
        let scratch = tempfile::tempdir().unwrap();
        let packages = scratch.path().join("it's packages");
        fs::write(scratch.path().join("Cargo.lock"), LOCK).unwrap();
        let options = replaced(scratch.path(), &packages).unwrap();
        let settings: Vec<_> =
            options.iter().filter_map(|word| word.to_str()).filter(|word| *word != "--config").collect();
        assert_eq!(settings.len(), 4);
        assert_eq!(settings[0], "patch.crates-io.perflab-criterion-0-3-6.package=\"criterion\"");
        for (at, version) in [(1, "0.3.6"), (3, "0.5.1")] {
            let (_, value) = settings[at].split_once('=').unwrap();
            let table: toml::Table = format!("path = {value}").parse().unwrap();
            let manifest = Path::new(table["path"].as_str().unwrap()).join("Cargo.toml");
            let manifest: toml::Table = fs::read_to_string(manifest).unwrap().parse().unwrap();
            assert_eq!(manifest["package"]["name"].as_str(), Some("criterion"));
            assert_eq!(manifest["package"]["version"].as_str(), Some(version));
        }
    }

    #[test]
    fn a_lock_file_that_is_not_there_or_torn_is_named() {
        let scratch = tempfile::tempdir().unwrap();
        let said = || replaced(scratch.path(), scratch.path()).unwrap_err().to_string();
        assert!(said().contains("Cargo.lock: No such file"), "{}", said());
        fs::write(scratch.path().join("Cargo.lock"), "[[package]]\nname = 1").unwrap();
        assert!(said().contains("Cargo.lock: TOML parse error"), "{}", said());
        fs::write(scratch.path().join("Cargo.lock"), "version = 4\n").unwrap();
        assert_eq!(replaced(scratch.path(), scratch.path()).unwrap(), [""; 0], "nothing to replace");
    }
}
