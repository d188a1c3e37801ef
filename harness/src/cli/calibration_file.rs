//! Stored calibrations: one file a machine class, under `baselines/calibration`.

use std::path::{Path, PathBuf};

use crate::cli::store::replace;
use crate::judge::Calibration;
use crate::machine::Environment;
use crate::plan::WorkloadKind;

/// The folder of a workspace's calibrations.
pub(crate) fn folder(root: &Path) -> PathBuf {
    root.join("baselines/calibration")
}

/// A machine class and its compiler as the name of a file.
pub(crate) fn class(environment: &Environment) -> String {
    let class = format!(
        "{}-rustc-{}",
        environment.class(),
        environment.toolchain.rustc.split_whitespace().nth(1).unwrap_or("unknown")
    );
    let mut name = String::new();
    for c in class.chars() {
        if c.is_ascii_alphanumeric() || c == '.' {
            name.push(c.to_ascii_lowercase());
        } else if !name.ends_with('-') {
            name.push('-');
        }
    }
    name
}

/// The file of a machine class and a kind of task.
pub(crate) fn file(folder: &Path, environment: &Environment, workload: WorkloadKind) -> PathBuf {
    let kind = workload.traits().calibration;
    folder.join(format!("{}{kind}.json", class(environment)))
}

/// The calibration of this kind of task that speaks for a machine: its own class's, else any other's (and the
/// judgement says so).
pub(crate) fn find(root: &Path, environment: &Environment, workload: WorkloadKind) -> Option<Calibration> {
    let folder = folder(root);
    let own = read(&file(&folder, environment, workload));
    let other = || {
        let mut files: Vec<PathBuf> =
            std::fs::read_dir(&folder).ok()?.filter_map(Result::ok).map(|entry| entry.path()).collect();
        files.sort();
        files.iter().filter_map(|file| read(file)).find(|other| other.workload == workload)
    };
    own.or_else(other)
}

/// A readable calibration, or none.
pub(crate) fn read(file: &Path) -> Option<Calibration> {
    serde_json::from_str(&std::fs::read_to_string(file).ok()?).ok()
}

/// Writes a calibration whole.
pub(crate) fn write(file: &Path, calibration: &Calibration) -> anyhow::Result<()> {
    Ok(replace(file, (serde_json::to_string_pretty(calibration)? + "\n").as_bytes())?)
}
