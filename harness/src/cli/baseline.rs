//! `baseline accept` and `baseline show`: references, accepted from records and from nothing else.

use crate::cli::Exit;
use crate::cli::args::{AcceptArgs, BaselineArgs, BaselineVerb, Format, Shared, ShowArgs};
use crate::cli::context::{from_here, reading_root};
use crate::experiment::references::{self, Accepted};
use crate::experiment::revision::short_hash;
use crate::experiment::surroundings::environment_or_system;
use crate::judge::{Reference, References};

/// Accepts a record's rows, or shows those that were accepted.
pub(crate) fn baseline(shared: &Shared, args: &BaselineArgs) -> anyhow::Result<Exit> {
    match &args.verb {
        BaselineVerb::Accept(args) => accept(shared, args),
        BaselineVerb::Show(args) => show(shared, args),
    }
}

fn accept(shared: &Shared, args: &AcceptArgs) -> anyhow::Result<Exit> {
    let root = reading_root()?;
    let directory = args.references.clone().unwrap_or_else(|| references::directory(&root));
    let Accepted { file, old, new } = references::accept(&root, &args.record, &directory)?;
    match shared.format {
        Format::Json => {
            outln!(
                "{}",
                serde_json::to_string_pretty(
                    &serde_json::json!({ "file": file.display().to_string(), "references": new })
                )?
            );
        }
        Format::Table => {
            out!("{}", changes(old.as_ref(), &new));
            outln!(
                "{} rows of suite {} at {} in {}: review the difference and commit it",
                new.rows.len(),
                new.suite,
                short_hash(&new.commit),
                from_here(&file).display()
            );
        }
    }
    Ok(Exit::Fine)
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
        row.measure,
        row.value,
        row.measure.unit().symbol(),
        row.lo,
        row.hi
    )
}

fn show(shared: &Shared, args: &ShowArgs) -> anyhow::Result<Exit> {
    let root = reading_root()?;
    let here = environment_or_system();
    let directory = args.references.clone().unwrap_or_else(|| references::directory(&root));
    let all = references::all(&directory, args.suite.as_deref())?;
    if shared.format == Format::Json {
        let all: Vec<&References> = all.iter().map(|(_, references)| references).collect();
        outln!("{}", serde_json::to_string_pretty(&all)?);
        return Ok(Exit::Fine);
    }
    for (path, references) in &all {
        outln!(
            "{}: suite {} at {}, record {}, {}",
            from_here(path).display(),
            references.suite,
            short_hash(&references.commit),
            references.record,
            references.environment.class()
        );
        for difference in crate::judge::differences(references, &here, &[]) {
            outln!("  differs from here: {}: {} | {}", difference.field, difference.left, difference.right);
        }
        for row in &references.rows {
            outln!("  {}", line(row));
        }
    }
    Ok(Exit::Fine)
}
