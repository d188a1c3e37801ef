//! References: rows that were accepted from records, and from nothing else.

pub(crate) mod rows;
pub(crate) mod text;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::called::program;
use crate::experiment::calibrations::class;
use crate::experiment::judged::Judged;
use crate::experiment::revision::{refused, short_hash};
use crate::experiment::store::{self, GATE_FILE};
use crate::judge::{REFERENCE_SCHEMA, References};
use crate::machine::Environment;
use crate::measure::RunFailure;
use crate::record::{RunFile, State};
use crate::report::sentence;

/// Where references lie in a workspace.
#[must_use]
pub fn directory(root: &Path) -> PathBuf {
    root.join("baselines/references")
}

/// The reference file of a suite for a machine.
pub(crate) fn file(directory: &Path, environment: &Environment, suite: &str) -> PathBuf {
    directory.join(class(environment)).join(format!("{suite}.toml"))
}

/// What accepting a record did.
pub struct Accepted {
    /// The reference file.
    pub file: PathBuf,
    /// What it held before; `None` where it is new.
    pub old: Option<References>,
    /// What it holds now.
    pub new: References,
}

/// Accepts a record's rows as the references of its suite on its machine class.
///
/// # Errors
/// The record cannot be read, or is not one whose commit could be built and measured again.
pub fn accept(root: &Path, record: &Path, directory: &Path) -> anyhow::Result<Accepted> {
    let new = references(root, record)?;
    let file = file(directory, &new.environment, &new.suite);
    let old = if file.exists() { Some(text::read(&file)?) } else { None };
    text::write(&file, &new)?;
    Ok(Accepted { file, old, new })
}

/// The accepted references below a directory, of one suite or of all, in the order of their files.
///
/// # Errors
/// There is none, or one cannot be read.
pub fn all(directory: &Path, suite: Option<&str>) -> anyhow::Result<Vec<(PathBuf, References)>> {
    let mut files: Vec<PathBuf> = Vec::new();
    for class in store::entries(directory)?.into_iter().filter(|class| class.is_dir()) {
        let inner = store::entries(&class)?;
        files.extend(inner.into_iter().filter(|path| path.extension().is_some_and(|e| e == "toml")));
    }
    files.sort();
    if let Some(suite) = suite {
        files.retain(|path| path.file_stem().is_some_and(|stem| stem == suite));
    }
    if files.is_empty() {
        bail!("no references in {}: accept a record with {} baseline accept", directory.display(), program());
    }
    files.into_iter().map(|file| text::read(&file).map(|references| (file, references))).collect()
}

/// The references that a record makes.
fn references(root: &Path, record: &Path) -> anyhow::Result<References> {
    let judged = Judged::read(root, record)?;
    let shown = record.display();
    if record.join(GATE_FILE).exists() {
        bail!(
            "{shown} cannot be accepted: it is a gate's, which stops each row once it is decided; make one with {} measure",
            program()
        );
    }
    acceptable(root, &judged.file).with_context(|| format!("{shown} cannot be accepted"))?;
    if let Some(control) = judged.judgement.controls.iter().find(|control| control.voids) {
        bail!(
            "{shown} cannot be accepted: its A/A control {} differs from itself; measure again on a quiet machine",
            control.arm
        );
    }
    let Judged { file, run, .. } = judged;
    let commit = file.commit.as_ref().map(|commit| commit.hash.clone()).unwrap_or_default();
    Ok(References {
        schema: REFERENCE_SCHEMA,
        suite: file.plan.suite.clone(),
        workload: file.plan.kind(),
        commit,
        record: file.name.clone(),
        measured: file.started.clone(),
        arms: rows::arms(&file.plan, &file.facts),
        rows: rows::rows(&file.plan, &run),
        environment: file.environment,
    })
}

/// What a record needs, so that its commit can be built and measured again.
fn acceptable(root: &Path, file: &RunFile) -> anyhow::Result<()> {
    if file.state != State::Finished {
        bail!("it is not finished: go on with it first ({} run --resume)", program());
    }
    match &file.commit {
        None => match refused(root) {
            Some(why) => bail!("it names no commit, and git gives none: measure again once it does; {why:#}"),
            None => bail!("it names no commit: measure inside of a git repository"),
        },
        Some(commit) if commit.changed > 0 => bail!(
            "{} differed from commit {} when it was measured: commit what differs and measure again, so that the reference can be rebuilt",
            commit.difference(),
            short_hash(&commit.hash)
        ),
        Some(_) => {}
    }
    let broken = |failure: &&RunFailure| failure.is_broken();
    if let Some(failure) = file.failures.iter().find(broken) {
        bail!(
            "{}{} failed: {}",
            failure.arm,
            failure.benchmark.as_ref().map_or(String::new(), |name| format!(", {name}")),
            sentence(&failure.reason)
        );
    }
    if store::lacks_baseline(&file.plan, &file.failures) {
        bail!("its baseline was not measured");
    }
    Ok(())
}
