//! Reference files: TOML that a person reviews, one row a line, in a stable order, under a digest.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use sha2::{Digest, Sha256};

use crate::called::{INSTALLED, program};
use crate::experiment::store::{entries, replace};
use crate::judge::{REFERENCE_SCHEMA, References};
use crate::plan::hex;

/// The first lines of every file: the same whoever wrote it.
fn head() -> String {
    format!(
        "# Accepted by `{INSTALLED} baseline accept`, and by nothing else. A change of this file is reviewed like one of \
         code.\n# Edit nothing here: the digest would not fit. Tolerances stand in the suite, below [gate].\n"
    )
}

/// Writes references whole: a kill at any moment leaves the old ones.
pub(crate) fn write(path: &Path, references: &References) -> anyhow::Result<()> {
    replace(path, text(references)?.as_bytes()).with_context(|| {
        format!("cannot write {}: the references that were accepted before stay as they are", path.display())
    })
}

/// The text of a file.
pub(crate) fn text(references: &References) -> anyhow::Result<String> {
    let body = body(references)?;
    Ok(format!("{}digest = \"{}\"\n{body}", head(), digest(&body)))
}

fn digest(body: &str) -> String {
    hex(&Sha256::digest(body.as_bytes()))
}

fn body(references: &References) -> anyhow::Result<String> {
    let mut table = toml::Table::try_from(references)?;
    table.remove("rows");
    let lines: Vec<String> = references
        .rows
        .iter()
        .map(|row| {
            let row = toml::Table::try_from(row)?;
            let order = ["benchmark", "arm", "measure", "value", "lo", "hi", "spread", "launches"];
            let fields: Vec<String> = order
                .iter()
                .filter_map(|name| row.get(*name).map(|value| format!("{name} = {value}")))
                .collect();
            Ok(format!("  {{ {} }},\n", fields.join(", ")))
        })
        .collect::<anyhow::Result<_>>()?;
    // Plain values come before tables, or they would belong to the last of those.
    let (tables, values): (toml::Table, toml::Table) = table.into_iter().partition(|(_, value)| {
        value.is_table() || value.as_array().is_some_and(|array| array.iter().any(toml::Value::is_table))
    });
    Ok(format!("{}rows = [\n{}]\n\n{}", toml::to_string(&values)?, lines.concat(), toml::to_string(&tables)?))
}

/// Reads references.
///
/// # Errors
/// The file cannot be read, is of another schema, was edited by hand, or is not a reference file.
pub(crate) fn read(path: &Path) -> anyhow::Result<References> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))?;
    let table: toml::Table = text.parse().with_context(|| format!("{shown} is not a reference file"))?;
    let schema = table.get("schema").and_then(toml::Value::as_integer).unwrap_or(0);
    if schema != i64::from(REFERENCE_SCHEMA) {
        bail!(
            "{shown} has schema {schema}, and this perflab reads {REFERENCE_SCHEMA}: use the perflab that accepted it, or accept a new record"
        );
    }
    let stated = table.get("digest").and_then(toml::Value::as_str).unwrap_or_default().to_owned();
    let body = text.split_once("\ndigest = ").and_then(|(_, rest)| rest.split_once('\n'));
    if body.is_none_or(|(_, body)| digest(body) != stated) {
        bail!(
            "{shown} was edited by hand: its digest does not fit. Restore it (git checkout), or accept a record with {} baseline accept",
            program()
        );
    }
    let mut table = table;
    table.remove("digest");
    table.try_into().with_context(|| format!("{shown} is not a reference file"))
}

/// The reference files of a suite below a directory, in order; none where there is no directory.
///
/// # Errors
/// The directory cannot be read.
pub(crate) fn all(directory: &Path, suite: &str) -> anyhow::Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> =
        entries(directory)?.into_iter().map(|class| class.join(format!("{suite}.toml"))).collect();
    files.retain(|file| file.is_file());
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn references() -> References {
        let environment = crate::machine::probe().unwrap();
        let row = |benchmark: &str, measure, value: f64| crate::judge::Reference {
            benchmark: benchmark.to_owned(),
            arm: "x86-64".to_owned(),
            measure,
            value,
            lo: value * 0.99,
            hi: value * 1.01,
            spread: 0.012_345_678_9,
            launches: 16,
        };
        References {
            schema: REFERENCE_SCHEMA,
            suite: "s".to_owned(),
            workload: crate::plan::WorkloadKind::Kernel,
            commit: "0123456789".repeat(4),
            record: "r".to_owned(),
            measured: "2026-11-27T12:00:00Z".to_owned(),
            environment,
            arms: vec![crate::judge::ReferenceArm {
                name: "x86-64".to_owned(),
                profile: "release".to_owned(),
                flags: vec!["-C".to_owned(), "target-cpu=x86-64".to_owned()],
            }],
            rows: vec![
                row("dot/\"odd\" name", crate::plan::Measure::Time, 5_160.25),
                row("executable", crate::plan::Measure::FileSize, 3_407_872.0),
            ],
        }
    }

    #[test]
    fn what_is_written_is_read_and_a_row_is_a_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("class/s.toml");
        let references = references();
        write(&path, &references).unwrap();
        assert_eq!(read(&path).unwrap(), references);
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().filter(|line| line.contains("benchmark = ")).count(), 2, "{text}");
        assert_eq!(text, super::text(&read(&path).unwrap()).unwrap(), "the same rows, the same text");
        assert_eq!(all(folder.path(), "s").unwrap(), [path]);
        assert_eq!(all(folder.path(), "t").unwrap(), [""; 0].map(PathBuf::from));
    }

    #[test]
    fn a_hand_edit_anywhere_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.toml");
        let text = super::text(&references()).unwrap();
        for (from, to) in [
            ("5160.25", "5260.25"),
            ("time", "memory"),
            ("launches = 16", "launches = 17"),
            ("suite = \"s\"", "suite = \"s\" "),
            ("\nrows", "\n\nrows"),
            ("-C", "-O"),
        ] {
            assert!(text.contains(from), "{from}");
            std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
            let said = format!("{:#}", read(&path).unwrap_err());
            assert!(said.contains("was edited by hand"), "{from}: {said}");
        }
        std::fs::write(&path, text.replacen("digest = \"", "digest = \"0", 1)).unwrap();
        assert!(format!("{:#}", read(&path).unwrap_err()).contains("edited by hand"));
    }

    #[test]
    fn another_schema_and_another_file_are_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.toml");
        let text = super::text(&references()).unwrap();
        std::fs::write(&path, text.replacen("schema = 1", "schema = 99", 1)).unwrap();
        let said = format!("{:#}", read(&path).unwrap_err());
        assert!(said.contains("s.toml has schema 99, and this perflab reads 1"), "{said}");
        std::fs::write(&path, "not = [toml").unwrap();
        assert!(format!("{:#}", read(&path).unwrap_err()).contains("is not a reference file"));
        assert!(format!("{:#}", read(&folder.path().join("none")).unwrap_err()).contains("cannot read"));
    }
}
