//! A gate's file as reports draw it.

use crate::experiment::gate::file::GateFile;
use crate::experiment::revision::short_hash;
use crate::record::Commit;
use crate::report::{Chart, ChartError, GateView, Style, gate_chart, gate_markdown, gate_table, number_of};

/// For a terminal.
#[must_use]
pub fn table(file: &GateFile, style: &Style) -> String {
    let head = head(file);
    gate_table(&view(file, &head), style)
}

/// For a step summary.
#[must_use]
pub fn markdown(file: &GateFile) -> String {
    let head = head(file);
    gate_markdown(&view(file, &head))
}

/// As a picture, where a row has a number.
pub(crate) fn chart(file: &GateFile) -> Result<Option<Chart>, ChartError> {
    let head = head(file);
    gate_chart(&view(file, &head))
}

fn view<'a>(file: &'a GateFile, head: &'a [String]) -> GateView<'a> {
    GateView {
        head,
        report: &file.report,
        false_alarms: file.false_alarms.as_ref(),
        seconds: file.seconds,
        warnings: &file.warnings,
        stopped: file.stopped,
    }
}

fn head(file: &GateFile) -> Vec<String> {
    let candidate = match &file.candidate {
        Some(Commit { hash, changed: 0, .. }) => format!("work tree ({})", short_hash(hash)),
        Some(Commit { hash, changed, .. }) => {
            format!("work tree ({} and {})", short_hash(hash), number_of(*changed, "changed file"))
        }
        None => "work tree".to_owned(),
    };
    let name = &file.against_name;
    let short = short_hash(&file.against);
    let against = if file.against.starts_with(name) { short.to_owned() } else { format!("{name} ({short})") };
    let version = |rustc: &str| rustc.split_whitespace().nth(1).unwrap_or("?").to_owned();
    let compiler = match &file.compilers[..] {
        [reference, candidate] if reference != candidate => {
            format!("DIFFERENT COMPILERS: {candidate} against {reference}")
        }
        [compiler, ..] => format!("rustc {}", version(compiler)),
        [] => format!("rustc {}", version(&file.environment.toolchain.rustc)),
    };
    vec![
        format!("perflab {}", file.perflab),
        format!("gate of suite {}", file.suite),
        format!("{candidate} against {against}"),
        file.environment.class(),
        format!("{} cores", file.environment.cores),
        compiler,
    ]
}
