//! Markdown for `$GITHUB_STEP_SUMMARY`: what matters first, and never more than a step may write.

use crate::report::export::{change_text, with_rate};
use crate::report::markdown::{self, escape, prose, sheet_text};
use crate::report::view::View;
use crate::report::{Report, details};
use crate::rows::{Measured, Rows};

/// Bytes that one step may add to its summary, with room to spare: GitHub drops a summary above 1 MiB as a whole.
pub const SUMMARY_LIMIT: usize = 900_000;

/// What stands where something was left out.
const CUT: &str = "\n\n*Cut here: a step may not write more. The whole report is in the record.*\n";

/// The summary of a record: answers, table and notes, then every row and the machine, folded. At most `limit` bytes.
#[must_use]
pub fn summary(report: &Report<'_>, limit: usize) -> String {
    let view = View::of(report);
    let mut parts = vec![format!("## perflab: suite {}", escape(&report.plan.suite))];
    parts.extend(markdown::results_block(report, &view));
    let folded = [
        ("Every row", sheet_text(&details::every_row(&view))),
        (details::artifacts_heading(&view), sheet_text(&details::artifacts(&view, true))),
        ("Machine and run", sheet_text(&details::machine(report))),
    ];
    parts.extend(folded.into_iter().map(|(title, text)| fold(title, &text)));
    fitted(&parts, limit)
}

/// The summary of rows that have no report. At most `limit` bytes.
#[must_use]
pub fn rows_summary(rows: &Rows, limit: usize) -> String {
    let mut parts = vec![format!("## {}: {}", escape(&rows.suite), escape(&rows.name))];
    let row = |row: &Measured| {
        let change = row.change.as_ref().map(change_text).unwrap_or_default();
        let cells = [&row.benchmark, &row.arm, &with_rate(row), &change].map(|text| escape(text));
        format!("| {} |", cells.join(" | "))
    };
    let head = ["| benchmark | arm | value | change |".to_owned(), "| --- | --- | ---: | --- |".to_owned()];
    let lines: Vec<String> = head.into_iter().chain(rows.rows.iter().map(row)).collect();
    parts.push(lines.join("\n"));
    let missing = rows.missing.iter().map(|missing| {
        let what = missing.benchmark.as_deref().map_or(String::new(), |benchmark| format!("{benchmark}, "));
        format!("- {}{}: {}", escape(&what), escape(&missing.arm), prose(&missing.reason))
    });
    let missing = missing.collect::<Vec<_>>().join("\n");
    if !missing.is_empty() {
        parts.push(missing);
    }
    fitted(&parts, limit)
}

fn fold(title: &str, text: &str) -> String {
    format!("<details><summary>{title}</summary>\n\n{text}\n\n</details>")
}

/// The parts that fit, whole, and as many lines of the first as there is room for.
#[must_use]
pub fn fitted(parts: &[String], limit: usize) -> String {
    let mut text = String::new();
    for part in parts {
        let room = limit.saturating_sub(text.len() + CUT.len());
        if part.len() + 2 <= room {
            text.push_str(part);
            text.push_str("\n\n");
            continue;
        }
        if !part.starts_with("<details>") {
            for line in part.split_inclusive('\n').scan(0, |used, line| {
                *used += line.len();
                (*used <= room).then_some(line)
            }) {
                text.push_str(line);
            }
        }
        if text.len() + CUT.len() <= limit {
            text.push_str(CUT);
        }
        break;
    }
    text
}
