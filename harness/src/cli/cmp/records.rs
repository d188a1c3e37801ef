//! `cmp records`: counts and sizes are judged; times of different runs are shown and not judged.

use std::path::Path;

use crate::cli::Exit;
use crate::cli::args::{Format, Shared};
use crate::cli::context::reading_root;
use crate::experiment::judged::Judged;
use crate::machine::Difference;
use crate::measure::ArmFacts;

/// Compares two records.
pub(crate) fn records(shared: &Shared, left: &Path, right: &Path) -> anyhow::Result<Exit> {
    let root = reading_root()?;
    let (left, right) = (Judged::read(&root, left)?, Judged::read(&root, right)?);
    let differences = left.file.environment.differences(&right.file.environment);
    let pairs: Vec<(&ArmFacts, &ArmFacts)> = left
        .file
        .facts
        .iter()
        .filter_map(|facts| {
            right.file.facts.iter().find(|other| other.arm == facts.arm).map(|other| (facts, other))
        })
        .collect();
    if shared.format == Format::Json {
        outln!("{}", serde_json::to_string_pretty(&as_json(&pairs, &differences))?);
        return Ok(Exit::Fine);
    }
    outln!("{}  against  {}", left.meta.name, right.meta.name);
    for difference in &differences {
        outln!("differs: {}: {} | {}", difference.field, difference.left, difference.right);
    }
    for (one, other) in pairs {
        let same = if one.digest == other.digest { "the same file" } else { "another file" };
        outln!(
            "{:<18} {same}; code {} → {} bytes ({}), file {} → {} bytes ({})",
            one.arm,
            one.text_bytes,
            other.text_bytes,
            change(one.text_bytes, other.text_bytes),
            one.file_bytes,
            other.file_bytes,
            change(one.file_bytes, other.file_bytes)
        );
        for (word, from, to) in [("needs", one, other), ("no longer needs", other, one)] {
            let new: Vec<&str> = to
                .required
                .iter()
                .filter(|feature| !from.required.contains(feature))
                .map(String::as_str)
                .collect();
            if !new.is_empty() {
                outln!("{:<18} {word} {}", "", new.join(" "));
            }
        }
    }
    for row in &left.analysis.rows {
        let twin =
            right.analysis.rows.iter().find(|other| other.benchmark == row.benchmark && other.arm == row.arm);
        let (Some(one), Some(other)) = (row.estimate, twin.and_then(|twin| twin.estimate)) else {
            continue;
        };
        outln!(
            "{:<28} {:<18} ratio {:.3} [{:.3}, {:.3}] | {:.3} [{:.3}, {:.3}]   different runs: not judged",
            row.benchmark,
            row.arm,
            one.ratio,
            one.interval.lo,
            one.interval.hi,
            other.ratio,
            other.interval.lo,
            other.interval.hi
        );
    }
    Ok(Exit::Fine)
}

/// The same for programs.
fn as_json(pairs: &[(&ArmFacts, &ArmFacts)], differences: &[Difference]) -> serde_json::Value {
    let arms: Vec<_> = pairs
        .iter()
        .map(|(left, right)| {
            serde_json::json!({
                "arm": left.arm,
                "same_artifact": left.digest == right.digest,
                "text_bytes": [left.text_bytes, right.text_bytes],
                "file_bytes": [left.file_bytes, right.file_bytes],
                "required": [left.required, right.required],
            })
        })
        .collect();
    let differs: Vec<_> = differences
        .iter()
        .map(|d| serde_json::json!({ "field": d.field, "left": d.left, "right": d.right }))
        .collect();
    serde_json::json!({ "arms": arms, "machines_differ_in": differs, "times": "different runs: not judged" })
}

/// Sizes are exact: any change is one.
fn change(from: u64, to: u64) -> String {
    if from == to {
        return "no change".to_owned();
    }
    let share = (to as f64 - from as f64) / (from as f64).max(1.0) * 100.0;
    format!("{} {share:+.2} %", if to > from { "grew" } else { "shrank" })
}
