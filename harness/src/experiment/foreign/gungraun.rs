//! Gungraun's directories, and those of its predecessor iai-callgrind.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::experiment::counts::summaries::{SUMMARY, files_named};
use crate::experiment::foreign::{Foreign, Found, Runs, run, text};
use crate::record::counts::{package, read_summary};
use crate::rows::of_counts;

/// Every run of gungraun's at or below a directory.
pub(super) fn runs(folder: &Path) -> anyhow::Result<Vec<Foreign>> {
    let mut runs = Runs::new();
    for file in files_named(&[folder.to_owned()], SUMMARY)? {
        runs.entry(root(&file).unwrap_or_else(|| folder.to_owned())).or_default().push(file);
    }
    let each = runs.into_iter().map(|(root, files)| run("gungraun", folder, root, &files, &result));
    each.filter_map(Result::transpose).collect()
}

/// The directory of all packages' summaries: a summary lies in `PACKAGE/BENCH/GROUP/FUNCTION.ID`, and its module path
/// is `BENCH::GROUP::FUNCTION`.
fn root(summary: &Path) -> Option<PathBuf> {
    let value: serde_json::Value = serde_json::from_str(&text(summary).ok()?).ok()?;
    let modules: Vec<&str> = value["module_path"].as_str()?.split("::").collect();
    let places: Vec<&Path> = summary.parent()?.ancestors().collect();
    let bench = places.get(modules.len() - 1)?;
    if !bench.ends_with(modules[0]) {
        return None;
    }
    places.get(modules.len() + 1).map(|root| (*root).to_owned())
}

fn result(file: &Path) -> anyhow::Result<Option<Found>> {
    let summary = text(file)?;
    let shown = || file.display().to_string();
    let counts = read_summary(&summary).with_context(shown)?;
    let rows = of_counts(&counts);
    let apart = package(&summary).into_iter().map(|package| format!("package {package}"));
    let apart = apart.chain([file.parent().unwrap_or(file).display().to_string()]).collect();
    Ok((!rows.is_empty()).then_some(Found { rows, apart }))
}
