//! `gate`.

use std::collections::BTreeMap;
use std::io::Read as _;

use mcp_server::context::Context;
use mcp_server::tool::ToolError;
use mcp_source::{Language, Skips, parse};
use mcp_workspace::Root;

use crate::answers::GateView;
use crate::gate::{self, Condition, FileFunctions, LastRun, fold, new_lines};
use crate::git::{Change, Changes, Repository};
use crate::metrics::measure;
use crate::params;
use crate::performance::{self, Performance};
use crate::policy::Policy;
use crate::state::Quality;
use crate::tools::select::USUAL_BASE;
use crate::tools::{bad, coverage, failed, lint, run};
use crate::tree;

pub(super) fn gate(state: &Quality, params: &params::Gate, context: &Context) -> Result<GateView, ToolError> {
    let root = state.first();
    let policy = state.policy(root)?;
    let repository = Repository::open(root.path(), state.roots.paths()).map_err(failed)?;
    let changes = repository.changes(params.base.as_deref().unwrap_or(USUAL_BASE)).map_err(failed)?;
    let mut notices = Vec::new();
    let last = last_run(state, root, &policy);
    let covered = match &params.report {
        None => Condition::not_checked("new_line_coverage", "no coverage report was given"),
        Some(report) => {
            let read = coverage::read(state, report, root)?;
            notices.extend(read.notices);
            gate::coverage(&policy.gate, &new_lines(&changes, &read.placed.files))
        }
    };
    let files = functions(root, &repository, &changes, &mut notices);
    let findings = findings(state, root, &changes, params.findings.as_deref(), context, &mut notices)?;
    let record = params.record.as_deref().map(|record| read_record(state, record)).transpose()?;
    let conditions = vec![
        gate::tests(&policy.gate, last.as_ref()),
        covered,
        gate::complexity(&policy.gate, &changes, &files),
        gate::findings(&policy.gate, &changes, &findings),
        gate::performance(&policy.gate, record.as_ref()),
    ];
    Ok(GateView { answer: fold(&conditions), conditions, base: changes.base, notices })
}

/// The last run of all tests, with the quarantine of today.
fn last_run(state: &Quality, root: &Root, policy: &Policy) -> Option<LastRun> {
    let run = state.remembered(root).into_iter().find(|run| run.entry.is_whole)?.entry;
    let day = crate::policy::today();
    let counts = |name: &String| policy.quarantined(name, day).is_none();
    Some(LastRun {
        at_ms: run.at_ms,
        is_current: run.digest == run::digest(root),
        failed: run.failed.into_iter().filter(counts).collect(),
        flaky: run.flaky.into_iter().filter(counts).collect(),
        broken: run.broken,
    })
}

/// The functions of the changed files, now and at the base.
fn functions(
    root: &Root,
    repository: &Repository,
    changes: &Changes,
    notices: &mut Vec<String>,
) -> BTreeMap<String, FileFunctions> {
    let mut files = BTreeMap::new();
    let mut skips = Skips::default();
    for (path, change) in &changes.files {
        if change.change == Change::Deleted || change.is_binary {
            continue;
        }
        let Some(parsed) = tree::parsed(root, path, &mut skips) else { continue };
        let now = measure(parsed.language, &parsed.tree, &parsed.text).functions;
        let old = change.old_path.as_ref().unwrap_or(path);
        let before = repository.text_at(&changes.base, old).map(|text| of_text(parsed.language, &text));
        files.insert(path.clone(), FileFunctions { now, before: before.unwrap_or_default() });
    }
    let left_out: u64 = skips.list().iter().map(|skipped| skipped.n).sum();
    if left_out > 0 {
        notices.push(format!("{left_out} changed files of code could not be measured"));
    }
    files
}

fn of_text(language: Language, text: &[u8]) -> Vec<crate::metrics::FunctionMetrics> {
    let tree = parse::parse(language, text, parse::USUAL_TIME);
    tree.map(|tree| measure(language, &tree, text).functions).unwrap_or_default()
}

/// The findings of built-in rules in changed files, and of the reports that were given.
fn findings(
    state: &Quality,
    root: &Root,
    changes: &Changes,
    reports: Option<&[String]>,
    context: &Context,
    notices: &mut Vec<String>,
) -> Result<Vec<crate::lint::Finding>, ToolError> {
    let there = |change: &crate::git::FileChange| change.change != Change::Deleted && !change.is_binary;
    let changed: Vec<&str> =
        changes.files.iter().filter(|(_, change)| there(change)).map(|(path, _)| path.as_str()).collect();
    let (mut findings, _) = lint::built_in(root, &changed, context)?;
    let (files, _) = tree::files(root.path());
    for report in reports.unwrap_or_default() {
        findings.extend(lint::reported(state, report, &files, root, notices)?.0);
    }
    Ok(findings)
}

/// The verdict of a record: of its gate, where it has one.
fn read_record(state: &Quality, record: &str) -> Result<Performance, ToolError> {
    for file in performance::FILES {
        let path = format!("{}/{file}", record.trim_end_matches('/'));
        let Ok((_, opened)) = state.file("record", &path) else { continue };
        let mut text = Vec::new();
        let read = opened.take(performance::LARGEST + 1).read_to_end(&mut text);
        read.map_err(|error| bad(format!("record {path} cannot be read ({error})")))?;
        if text.len() as u64 > performance::LARGEST {
            return Err(bad(format!("record {path} has more than {} MiB", performance::LARGEST >> 20)));
        }
        return performance::read(file, &text).map_err(bad);
    }
    Err(bad(format!(
        "record {record} is not the directory of a record: it holds neither {} nor {}",
        performance::FILES[0],
        performance::FILES[1]
    )))
}
