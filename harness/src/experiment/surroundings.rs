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
    Ok(Workspace::of(from)?)
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
