//! `lint`.

use std::collections::BTreeMap;

use mcp_server::context::Context;
use mcp_server::tool::ToolError;
use mcp_source::{Language, Skips};
use mcp_workspace::Root;

use crate::answers::{LintView, Looked};
use crate::coverage::place::Finder;
use crate::lint::ingest::{self, Ingested};
use crate::lint::rules::{find, names};
use crate::lint::{Finding, Severity};
use crate::params;
use crate::state::Quality;
use crate::tools::{bad, failed, page, reader};
use crate::tree;
use crate::words::count;

pub(super) fn lint(state: &Quality, params: &params::Lint, context: &Context) -> Result<LintView, ToolError> {
    let place = state.place(params.paths.as_deref())?;
    let (files, _) = tree::files(place.root.path());
    let wanted = tree::below(&files, &place.paths);
    let mut notices = Vec::new();
    let (mut findings, source, looked) = match &params.report {
        Some(report) => {
            let (mut findings, source) = reported(state, report, &files, place.root, &mut notices)?;
            findings.retain(|finding| place.paths.is_empty() || wanted.contains(&finding.path.as_str()));
            let looked = Looked { files: 0, complete: true, ..Looked::default() };
            (findings, source, looked)
        }
        None => {
            let (findings, looked) = built_in(place.root, &wanted, context)?;
            (findings, "built-in".to_owned(), looked)
        }
    };
    let least = params.severity.map_or(Severity::Note, Severity::from);
    let start = params.rule.as_deref().unwrap_or_default();
    if params.report.is_none() {
        known(start)?;
        if looked.files == 0 && looked.skipped.is_empty() {
            notices.push("there is no file of a language that the built-in rules are for".to_owned());
        }
    }
    findings.retain(|finding| finding.severity >= least && finding.rule.starts_with(start));
    findings.sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.cmp(b)));
    let mut rules: BTreeMap<String, usize> = BTreeMap::new();
    for finding in &findings {
        *rules.entry(finding.rule.clone()).or_default() += 1;
    }
    let (findings, next_cursor) =
        page(findings, "findings", params.cursor.as_deref(), params.limit, context)?;
    Ok(LintView { findings, rules, source, looked, notices, next_cursor })
}

/// Refuses the start of a rule's name that no rule has.
fn known(start: &str) -> Result<(), ToolError> {
    if names().any(|name| name.starts_with(start)) {
        return Ok(());
    }
    let near: Vec<&str> = names().filter(|name| name.contains(start)).take(10).collect();
    let packs = "names begin with rust/, python/ or script/";
    Err(bad(match near.is_empty() {
        true => format!("no rule begins with {start:?}: {packs}"),
        false => format!("no rule begins with {start:?}: {packs}, such as {}", near.join(", ")),
    }))
}

/// The findings of a report, with the paths of the tree here.
pub(super) fn reported(
    state: &Quality,
    report: &str,
    tree: &[String],
    root: &Root,
    notices: &mut Vec<String>,
) -> Result<(Vec<Finding>, String), ToolError> {
    let (_, file) = state.file("report", report)?;
    let ingested = ingest::read(reader(file)).map_err(|problem| bad(format!("report {report} {problem}")))?;
    let Ingested { format, mut findings, without_place } = ingested;
    let finder = Finder::new(tree, &[root.path()]);
    let mut unknown = 0_usize;
    for finding in &mut findings {
        match finder.find_plain(&finding.path) {
            Some(found) => finding.path = found.to_owned(),
            None => unknown += 1,
        }
    }
    if unknown > 0 && unknown == findings.len() {
        return Err(bad(format!(
            "report {report} names no file that is here, such as {}: it is of another tree",
            findings[0].path
        )));
    }
    if unknown > 0 {
        notices.push(format!("{} in files that are not here", count(unknown, "finding", "findings")));
    }
    if without_place > 0 {
        notices.push(format!("{} without a place", count(without_place, "result", "results")));
    }
    Ok((findings, format.to_owned()))
}

/// The findings of the built-in rules.
pub(super) fn built_in(
    root: &Root,
    files: &[&str],
    context: &Context,
) -> Result<(Vec<Finding>, Looked), ToolError> {
    let mut skips = Skips::default();
    let (mut findings, mut count, mut partial) = (Vec::new(), 0, 0);
    let has_rules = |path: &&&str| {
        matches!(
            Language::of_path((**path).as_ref()),
            Some(
                Language::Rust
                    | Language::Python
                    | Language::JavaScript
                    | Language::TypeScript
                    | Language::Tsx
            )
        )
    };
    let sources: Vec<&str> = files.iter().filter(has_rules).copied().collect();
    for (number, path) in sources.iter().enumerate() {
        if number % 32 == 0 {
            if context.is_cancelled() {
                return Err(failed("the call was cancelled"));
            }
            #[expect(clippy::cast_precision_loss, reason = "counts of files are small")]
            context.progress_from_thread(number as f64, Some(sources.len() as f64), "looking");
        }
        let Some(parsed) = tree::parsed(root, path, &mut skips) else { continue };
        let Ok(text) = std::str::from_utf8(&parsed.text) else {
            skips.add(mcp_source::Reason::Binary);
            continue;
        };
        count += 1;
        partial += usize::from(parsed.tree.root_node().has_error());
        findings.extend(find(parsed.language, parsed.tree, text, path));
    }
    let complete = skips.is_complete();
    Ok((findings, Looked { files: count, partial, skipped: skips.list(), complete }))
}
