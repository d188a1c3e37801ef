//! Counts as text: benchmarks × arms, absolute and as a change from the baseline.

use std::fmt::Write as _;

use crate::measure::RunFailure;
use crate::record::call_counts::{CountedBy, CountedCall, CountsFile};
use crate::report::{label, sentence, thousands};

/// A column: its head, then its cells.
pub(crate) fn column(head: &str, cells: impl Iterator<Item = String>) -> Vec<String> {
    std::iter::once(head.to_owned()).chain(cells).collect()
}

/// The first column to the left, the others to the right.
pub(crate) fn aligned(columns: &[Vec<String>]) -> String {
    let widths: Vec<usize> = columns.iter().map(|cells| width(cells)).collect();
    let mut text = String::new();
    for line in 0..columns.first().map_or(0, Vec::len) {
        for (column, (cells, &width)) in columns.iter().zip(&widths).enumerate() {
            let cell = &cells[line];
            let _ = match column {
                0 => write!(text, "{cell:<width$}"),
                _ => write!(text, "  {cell:>width$}"),
            };
        }
        text.push('\n');
    }
    text
}

/// The widest cell; a name that is wider than any terminal widens no other line.
fn width(cells: &[String]) -> usize {
    cells.iter().map(|cell| cell.chars().count()).max().unwrap_or(0).min(1000)
}

/// The table for a terminal of `columns` columns, in panels of as many arms as fit, and what there is to say.
#[must_use]
pub fn text(counts: &CountsFile, columns: usize) -> String {
    let mut text = head(counts) + "\n\n";
    let all = all_columns(counts);
    if let Some((names, arms)) = all.split_first() {
        let mut left = arms;
        while !left.is_empty() {
            let mut room = columns.saturating_sub(width(names));
            let fits = left.iter().take_while(|cells| {
                let needs = width(cells) + 2;
                let fits = needs <= room;
                room = room.saturating_sub(needs);
                fits
            });
            let (panel, rest) = left.split_at(fits.count().max(1));
            let shown: Vec<Vec<String>> = std::iter::once(names).chain(panel).cloned().collect();
            text += &aligned(&shown);
            text.push('\n');
            left = rest;
        }
    }
    text + &notes(counts)
}

/// The same as Markdown.
pub(crate) fn markdown(counts: &CountsFile) -> String {
    let mut text =
        format!("# Instructions a call: {}\n\n{}\n\n`{}`\n\n", counts.suite, head(counts), counts.command);
    let all = all_columns(counts);
    for line in 0..all.first().map_or(0, Vec::len) {
        let cells: Vec<&str> = all.iter().map(|cells| cells[line].as_str()).collect();
        let _ = writeln!(text, "| {} |", cells.join(" | "));
        if line == 0 {
            let _ = writeln!(text, "|---|{}", "---:|".repeat(all.len() - 1));
        }
    }
    text.push('\n');
    text + &notes(counts)
}

fn head(counts: &CountsFile) -> String {
    let by = match counts.by {
        CountedBy::SingleStep => "single steps (ptrace)".to_owned(),
        CountedBy::Hardware => "the processor's counter (perf_event)".to_owned(),
        CountedBy::Callgrind => {
            format!("Callgrind ({})", counts.origin.valgrind.as_deref().unwrap_or("version unknown"))
        }
    };
    let rustc = counts.origin.rustc.split(" (").next().unwrap_or(&counts.origin.rustc);
    format!("instructions of one call on the count input, by {by} · {} · {rustc}", counts.machine)
}

/// Names, then an arm a column.
fn all_columns(counts: &CountsFile) -> Vec<Vec<String>> {
    let mut columns = vec![column("benchmark", counts.benchmarks.iter().cloned())];
    let baseline = counts.arms.first().map_or("", |arm| arm.name.as_str());
    for arm in &counts.arms {
        let cells = counts.benchmarks.iter().map(|benchmark| cell(counts, benchmark, &arm.name, baseline));
        columns.push(column(&arm.name, cells));
    }
    columns
}

fn cell(counts: &CountsFile, benchmark: &str, arm: &str, baseline: &str) -> String {
    let Some(call) = counts.call(benchmark, arm) else {
        return failure(counts, benchmark, arm)
            .map_or_else(|| "-".to_owned(), |failure| label(&failure.reason));
    };
    let before = counts.call(benchmark, baseline).and_then(CountedCall::exact);
    match (call.exact(), before) {
        (None, _) => call
            .range()
            .map_or_else(String::new, |(least, most)| format!("{}–{}", thousands(least), thousands(most))),
        (Some(count), Some(before)) if arm != baseline => {
            format!("{} {:>8}", thousands(count), change(before, count))
        }
        (Some(count), _) => thousands(count),
    }
}

/// Counts are exact: the smallest change is one, and never rounds to none.
pub(crate) fn change(before: u64, now: u64) -> String {
    let percent = (now as f64 - before as f64) / before as f64 * 100.0;
    match (before, now) {
        (before, now) if before == now => "=".to_owned(),
        (0, _) => "from none".to_owned(),
        _ if percent.abs() < 0.05 => format!("{}<0.1 %", if percent < 0.0 { '−' } else { '+' }),
        _ => format!("{percent:+.1} %").replace('-', "−"),
    }
}

fn failure<'a>(counts: &'a CountsFile, benchmark: &str, arm: &str) -> Option<&'a RunFailure> {
    let of_this = |failure: &&RunFailure| {
        failure.arm == arm && failure.benchmark.as_deref().is_none_or(|name| name == benchmark)
    };
    counts.failures.iter().find(of_this)
}

/// Failures in sentences, a line each.
pub(crate) fn failures(counts: &CountsFile) -> String {
    let line = |failure: &RunFailure| {
        let place = failure.benchmark.as_ref().map_or(String::new(), |benchmark| format!(", {benchmark}"));
        format!("{}{place}: {}\n", failure.arm, sentence(&failure.reason))
    };
    counts.failures.iter().map(line).collect()
}

fn notes(counts: &CountsFile) -> String {
    let mut text = String::new();
    for (arm, twin) in &counts.identical {
        let _ = writeln!(text, "{arm} is identical code to {twin}: counted once");
    }
    let inexact: Vec<&CountedCall> = counts.calls.iter().filter(|call| call.exact().is_none()).collect();
    for call in &inexact {
        let _ = writeln!(
            text,
            "{}, {}: not exact, counts of its processes differ; a map with a random hasher does that, a fixed hasher does not",
            call.arm, call.benchmark
        );
    }
    text += &failures(counts);
    let _ = writeln!(
        text,
        "{} counted, {} of them exact",
        counts.calls.len(),
        counts.calls.len() - inexact.len()
    );
    text
}

#[cfg(test)]
pub(crate) mod tests;
