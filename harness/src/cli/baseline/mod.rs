//! `baseline accept` and `baseline show`: references, accepted from records and from nothing else.

pub(crate) mod rows;
pub(crate) mod text;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::cli::Exit;
use crate::cli::args::{AcceptArgs, BaselineArgs, BaselineVerb, Format, Shared, ShowArgs};
use crate::cli::artifacts::short_hash;
use crate::cli::calibration_file::class;
use crate::cli::context::Context;
use crate::cli::gate::GATE_FILE;
use crate::cli::output::Judged;
use crate::cli::run::{is_broken, lacks_baseline};
use crate::cli::store;
use crate::judge::{REFERENCE_SCHEMA, Reference, References};
use crate::machine::Environment;
use crate::record::{RunFile, State};

/// Accepts a record's rows, or shows those that were accepted.
pub(crate) fn baseline(shared: &Shared, args: &BaselineArgs) -> anyhow::Result<Exit> {
    match &args.verb {
        BaselineVerb::Accept(args) => accept(shared, args),
        BaselineVerb::Show(args) => show(shared, args),
    }
}

/// Where references lie in a workspace.
pub(crate) fn folder(root: &Path) -> PathBuf {
    root.join("baselines/references")
}

/// The reference file of a suite for a machine.
pub(crate) fn file(folder: &Path, environment: &Environment, suite: &str) -> PathBuf {
    folder.join(class(environment)).join(format!("{suite}.toml"))
}

fn accept(shared: &Shared, args: &AcceptArgs) -> anyhow::Result<Exit> {
    let context = Context::open()?;
    let folder = args.references.clone().unwrap_or_else(|| self::folder(&context.root));
    let new = references(&context.root, &args.record)?;
    let path = file(&folder, &new.environment, &new.suite);
    let old = if path.exists() { Some(text::read(&path)?) } else { None };
    text::write(&path, &new)?;
    let shown = path.strip_prefix(&context.root).unwrap_or(&path).display();
    match shared.format {
        Format::Json => {
            outln!(
                "{}",
                serde_json::to_string_pretty(&serde_json::json!({ "file": path, "references": new }))?
            );
        }
        Format::Table => {
            out!("{}", changes(old.as_ref(), &new));
            outln!(
                "{} rows of suite {} at {} in {shown}: review the difference and commit it",
                new.rows.len(),
                new.suite,
                short_hash(&new.commit)
            );
        }
    }
    Ok(Exit::Fine)
}

/// The references that a record makes.
fn references(root: &Path, record: &Path) -> anyhow::Result<References> {
    let (file, run) = store::read(record)?;
    let shown = record.display();
    if record.join(GATE_FILE).exists() {
        bail!(
            "{shown} cannot be accepted: it is a gate's, which stops each row once it is decided; make one with cargo lab measure"
        );
    }
    acceptable(&file).with_context(|| format!("{shown} cannot be accepted"))?;
    let judged = Judged::of(root, file, &run);
    if let Some(control) = judged.judgement.controls.iter().find(|control| control.voids) {
        bail!(
            "{shown} cannot be accepted: its A/A control {} differs from itself; measure again on a quiet machine",
            control.arm
        );
    }
    let file = judged.file;
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
fn acceptable(file: &RunFile) -> anyhow::Result<()> {
    if file.state != State::Finished {
        bail!("it is not finished: go on with it first (cargo lab run --resume)");
    }
    match &file.commit {
        None => bail!("it names no commit: measure inside of a git repository"),
        Some(commit) if commit.changed > 0 => bail!(
            "{} files differed from commit {} when it was measured: commit them and measure again, so that the reference can be rebuilt",
            commit.changed,
            short_hash(&commit.hash)
        ),
        Some(_) => {}
    }
    let broken = |failure: &&crate::measure::RunFailure| is_broken(failure);
    if let Some(failure) = file.failures.iter().find(broken) {
        bail!(
            "{}{} failed: {}",
            failure.arm,
            failure.benchmark.as_ref().map_or(String::new(), |name| format!(", {name}")),
            crate::report::sentence(&failure.reason)
        );
    }
    if lacks_baseline(&file.plan, &file.failures) {
        bail!("its baseline was not measured");
    }
    Ok(())
}

fn same(one: &Reference, other: &Reference) -> bool {
    (&one.benchmark, &one.arm, one.measure) == (&other.benchmark, &other.arm, other.measure)
}

/// What accepting changes, row by row.
fn changes(old: Option<&References>, new: &References) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    let Some(old) = old else { return text };
    for row in &new.rows {
        match old.rows.iter().find(|known| same(known, row)) {
            None => {
                let _ = writeln!(text, "+ {}", line(row));
            }
            Some(known) if (row.value / known.value - 1.0).abs() >= 0.0005 => {
                let _ = writeln!(
                    text,
                    "~ {}   was {:.1} ({:+.1} %)",
                    line(row),
                    known.value,
                    (row.value / known.value - 1.0) * 100.0
                );
            }
            Some(_) => {}
        }
    }
    for gone in old.rows.iter().filter(|known| !new.rows.iter().any(|row| same(row, known))) {
        let _ = writeln!(text, "- {}", line(gone));
    }
    text
}

fn line(row: &Reference) -> String {
    format!(
        "{:<28} {:<18} {:<12} {:>14.1} {} [{:.1}, {:.1}]",
        row.benchmark,
        row.arm,
        row.measure.name(),
        row.value,
        row.measure.unit(),
        row.lo,
        row.hi
    )
}

fn show(shared: &Shared, args: &ShowArgs) -> anyhow::Result<Exit> {
    let context = Context::open()?;
    let folder = args.references.clone().unwrap_or_else(|| self::folder(&context.root));
    let mut files: Vec<PathBuf> = Vec::new();
    for class in std::fs::read_dir(&folder).into_iter().flatten().filter_map(Result::ok) {
        let inner = std::fs::read_dir(class.path()).into_iter().flatten().filter_map(Result::ok);
        files.extend(
            inner.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "toml")),
        );
    }
    files.sort();
    if let Some(suite) = &args.suite {
        files.retain(|path| path.file_stem().is_some_and(|stem| stem == suite.as_str()));
    }
    if files.is_empty() {
        bail!("no references in {}: accept a record with cargo lab baseline accept", folder.display());
    }
    let all: Vec<References> = files.iter().map(|file| text::read(file)).collect::<anyhow::Result<_>>()?;
    if shared.format == Format::Json {
        outln!("{}", serde_json::to_string_pretty(&all)?);
        return Ok(Exit::Fine);
    }
    for (path, references) in files.iter().zip(&all) {
        let path = path.strip_prefix(&context.root).unwrap_or(path);
        outln!(
            "{}: suite {} at {}, record {}, {}",
            path.display(),
            references.suite,
            short_hash(&references.commit),
            references.record,
            references.environment.class()
        );
        for difference in crate::judge::differences(references, &context.environment, &[]) {
            outln!("  differs from here: {}: {} | {}", difference.field, difference.left, difference.right);
        }
        for row in &references.rows {
            outln!("  {}", line(row));
        }
    }
    Ok(Exit::Fine)
}
