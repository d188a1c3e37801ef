//! Stored calibrations: one file a machine class and kind of task, under `baselines/calibration`, and beside it the logs
//! that it was computed from. This module alone reads and writes them.

mod gate_line;
mod log;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};

pub(crate) use gate_line::{GateLine, SCALE};
pub(crate) use log::{Log, append, read_log};

use crate::experiment::store::{entries, replace};
use crate::judge::Calibration;
use crate::machine::Environment;
use crate::plan::WorkloadKind;

/// The directory of a workspace's calibrations.
pub(crate) fn directory(root: &Path) -> PathBuf {
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
pub(crate) fn file(directory: &Path, environment: &Environment, workload: WorkloadKind) -> PathBuf {
    let kind = workload.traits().calibration;
    directory.join(format!("{}{kind}.json", class(environment)))
}

/// The log of a calibration's comparisons at a fixed number of launches.
pub(crate) fn log_of_runs(calibration: &Path) -> PathBuf {
    calibration.with_extension("csv")
}

/// The log of a calibration's gates, launch by launch.
pub(crate) fn log_of_gates(calibration: &Path) -> PathBuf {
    calibration.with_extension("gate.csv")
}

/// The calibration of this kind of task that speaks for a machine: its own class's, else any other's (and the
/// judgement says so).
///
/// # Errors
/// One of them cannot be read: a verdict without its calibration would look like one on a machine without any.
pub(crate) fn find(
    root: &Path,
    environment: &Environment,
    workload: WorkloadKind,
) -> anyhow::Result<Option<Calibration>> {
    let directory = directory(root);
    if let Some(own) = read(&file(&directory, environment, workload))? {
        return Ok(Some(own));
    }
    let mut files = entries(&directory)?;
    files.retain(|file| file.extension().is_some_and(|ending| ending == "json"));
    files.sort();
    for file in &files {
        if let Some(other) = read(file)?.filter(|other| other.workload == workload) {
            return Ok(Some(other));
        }
    }
    Ok(None)
}

/// Reads a calibration; `None` where there is no such file.
///
/// # Errors
/// The file cannot be read or is malformed; the sentence names the line.
pub(crate) fn read(file: &Path) -> anyhow::Result<Option<Calibration>> {
    let text = match std::fs::read_to_string(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        text => text.with_context(|| format!("cannot read {}", file.display()))?,
    };
    let malformed = |error: serde_json::Error| {
        anyhow!(
            "{}:{}: malformed calibration: {error}; restore it (git checkout), or remove it and calibrate again",
            file.display(),
            error.line()
        )
    };
    serde_json::from_str(&text).map(Some).map_err(malformed)
}

/// Writes a calibration whole.
pub(crate) fn write(file: &Path, calibration: &Calibration) -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(calibration)? + "\n";
    replace(file, text.as_bytes()).with_context(|| format!("cannot write {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_calibration_is_reported_with_its_line() {
        let directory = tempfile::tempdir().unwrap();
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let environment = crate::machine::probe().unwrap();
        let stored = find(root, &environment, WorkloadKind::Kernel).unwrap().unwrap();
        let ours = self::directory(directory.path());
        let file = file(&ours, &environment, WorkloadKind::Kernel);
        assert!(find(directory.path(), &environment, WorkloadKind::Kernel).unwrap().is_none());
        write(&file, &stored).unwrap();
        assert_eq!(find(directory.path(), &environment, WorkloadKind::Kernel).unwrap().unwrap(), stored);
        let text = std::fs::read_to_string(&file).unwrap();
        let torn = text.lines().take(12).collect::<Vec<_>>().join("\n");
        std::fs::write(&file, torn).unwrap();
        let said = find(directory.path(), &environment, WorkloadKind::Kernel).unwrap_err().to_string();
        assert!(said.starts_with(&format!("{}:12: malformed calibration: ", file.display())), "{said}");
    }

    #[test]
    fn what_could_not_be_computed_yet_is_read_as_it_was_written() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let environment = crate::machine::probe().unwrap();
        let mut stored = find(root, &environment, WorkloadKind::Kernel).unwrap().unwrap();
        stored.relink_seconds = f64::NAN;
        stored.aa[0].launch_sd = f64::NAN;
        stored.aa[0].median_error = f64::NAN;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.json");
        write(&path, &stored).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        for field in ["relink_seconds", "launch_sd", "median_error"] {
            assert!(text.contains(&format!("\"{field}\": null")), "{field}");
        }
        let back = read(&path).unwrap().unwrap();
        assert!(back.relink_seconds.is_nan());
        write(&path, &back).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }

    #[test]
    fn every_log_of_this_repository_is_read_to_its_last_line() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let mut gates = 0;
        for entry in std::fs::read_dir(directory(root)).unwrap() {
            let path = entry.unwrap().path();
            if path.to_str().unwrap().ends_with(".gate.csv") {
                let lines = std::fs::read_to_string(&path).unwrap().lines().count();
                let log = read_log::<GateLine>(&path).unwrap();
                assert_eq!((log.lines.len() + 1, log.torn), (lines, None), "{}", path.display());
                gates += 1;
            }
        }
        assert!(gates > 0);
    }
}
