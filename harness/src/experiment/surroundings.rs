//! What an experiment finds where it is started: the workspace, its target directory, the cores and priorities that
//! it may use.

use std::path::{Path, PathBuf};

use anyhow::bail;

use crate::machine::{Environment, last_core, priority, probe};

/// The root of the Cargo workspace that a directory lies in: the nearest manifest with a `[workspace]` at or above it,
/// else the nearest manifest.
///
/// # Errors
/// There is no manifest.
pub fn workspace_root(from: &Path) -> anyhow::Result<PathBuf> {
    let manifest = |directory: &&Path| directory.join("Cargo.toml").is_file();
    let is_workspace = |directory: &&Path| {
        std::fs::read_to_string(directory.join("Cargo.toml")).is_ok_and(|text| text.contains("[workspace]"))
    };
    let nearest =
        from.ancestors().filter(manifest).find(is_workspace).or_else(|| from.ancestors().find(manifest));
    match nearest {
        Some(root) => Ok(root.to_owned()),
        None => bail!("no Cargo.toml here or above: start perflab inside a Cargo workspace"),
    }
}

/// The target directory of a workspace, as `CARGO_TARGET_DIR` names it.
#[must_use]
pub fn target_directory(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR")
        .filter(|directory| !directory.is_empty())
        .map_or_else(|| root.join("target"), |directory| root.join(directory))
}

/// This machine, with where and how arms will run on it.
///
/// # Errors
/// The machine cannot be asked.
pub fn environment_to_measure() -> anyhow::Result<Environment> {
    let environment = probe()?;
    Ok(Environment { pinned_to: last_core(), nice: Some(priority()), ..environment })
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
