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
use crate::metrics::{FileMetrics, measure};
use crate::params;
use crate::performance::{self, Performance};
use crate::policy::{self, Policy};
use crate::runner;
use crate::state::Quality;
use crate::tools::select::USUAL_BASE;
use crate::tools::{bad, coverage, failed, lint, run};
use crate::tree;
use crate::words::{count, files as files_of};

pub(super) fn gate(state: &Quality, params: &params::Gate, context: &Context) -> Result<GateView, ToolError> {
    let root = state.first();
    let policy = state.policy(root)?;
    let repository = Repository::open(root.path(), state.roots.paths()).map_err(failed)?;
    let changes = repository.changes(params.base.as_deref().unwrap_or(USUAL_BASE)).map_err(failed)?;
    let base = params.base.as_deref().unwrap_or(USUAL_BASE);
    let mut notices = about(&changes, base);
    let last = last_run(state, root, &policy);
    let covered = match &params.report {
        None => Condition::not_checked("new_line_coverage", "no coverage report was given"),
        Some(report) => {
            let read = coverage::read(state, report, root)?;
            notices.extend(read.notices);
            gate::coverage(&policy.gate, &new_lines(&changes, &read.placed.files, &read.newer))
        }
    };
    let (files, unmeasured) = functions(root, &repository, &changes);
    let reports = params.findings.as_deref().unwrap_or_default();
    let findings = findings(state, root, &changes, reports, context, &mut notices)?;
    let stale = stale(state, root, &changes, reports)?;
    let record = params.record.as_deref().map(|record| read_record(state, record)).transpose()?;
    let conditions: Vec<Condition> = gate::work_tree(&changes)
        .into_iter()
        .chain([
            gate::tests(&policy.gate, last.as_ref()),
            covered,
            gate::complexity(&policy.gate, &changes, &files, &unmeasured),
            gate::findings(&policy.gate, &changes, &findings, &stale),
            gate::performance(&policy.gate, record.as_ref()),
        ])
        .collect();
    Ok(GateView { answer: fold(&conditions), conditions, base: changes.base, notices })
}

/// What a reader of the answer has to know of the change.
fn about(changes: &Changes, base: &str) -> Vec<String> {
    let mut notices = Vec::new();
    if changes.files.is_empty() {
        notices
            .push(format!("nothing is different from {base}: for what was committed, name an earlier base"));
    }
    if changes.files.contains_key(policy::FILE) {
        notices.push(format!("the change includes {}: the limits are those of now", policy::FILE));
    }
    if !changes.inner.is_empty() {
        let names: Vec<&str> = changes.inner.iter().take(5).map(String::as_str).collect();
        notices.push(format!(
            "{} not looked at: {}",
            count(changes.inner.len(), "inner repository", "inner repositories"),
            names.join(", ")
        ));
    }
    if changes.unnamed > 0 {
        notices.push(format!("{} with a name that is not UTF-8 not looked at", files_of(changes.unnamed)));
    }
    notices
}

/// The reports of findings that are older than a changed file.
fn stale(
    state: &Quality,
    root: &Root,
    changes: &Changes,
    reports: &[String],
) -> Result<Vec<String>, ToolError> {
    let mut stale = Vec::new();
    for report in reports {
        let (_, file) = state.file("findings", report)?;
        let Ok(written) = file.metadata().and_then(|metadata| metadata.modified()) else { continue };
        let is_code = |path: &&String| Language::of_path((*path).as_ref()).is_some();
        if changes.files.keys().filter(is_code).any(|path| coverage::is_newer(root, path, written)) {
            stale.push(report.clone());
        }
    }
    Ok(stale)
}

/// The last run of all tests, with the quarantine of today.
fn last_run(state: &Quality, root: &Root, policy: &Policy) -> Option<LastRun> {
    let runs = state.remembered(root);
    let mut whole = runs.into_iter().map(|run| run.entry).filter(|run| run.is_whole).peekable();
    // A run by a runner that is not this directory's says nothing of its tests, unless there is no other.
    let usual = runner::detect(root.path()).ok();
    let newest = whole.peek().cloned();
    let run = whole.find(|run| usual.is_none() || run.runner == usual).or(newest)?;
    let day = policy::today();
    let counts = |name: &String| policy.quarantined(name, day).is_none();
    Some(LastRun {
        at_ms: run.at_ms,
        is_current: run.digest == run::digest(run::code(root), run::data(state, root)),
        failed: run.failed.into_iter().filter(counts).collect(),
        flaky: run.flaky.into_iter().filter(counts).collect(),
        broken: run.broken,
    })
}

/// The functions of the changed files, now and at the base; and which files could not be measured, with the reason. One
/// that has errors of grammar which it had at the base too, as headers of C often do, counts as measured.
fn functions(
    root: &Root,
    repository: &Repository,
    changes: &Changes,
) -> (BTreeMap<String, FileFunctions>, BTreeMap<String, String>) {
    let (mut files, mut unmeasured) = (BTreeMap::new(), BTreeMap::new());
    let there = changes.files.iter().filter(|(_, change)| change.change != Change::Deleted);
    for (path, change) in there.filter(|(path, _)| Language::of_path((*path).as_ref()).is_some()) {
        let mut skips = Skips::default();
        let Some(parsed) = tree::parsed(root, path, &mut skips) else {
            if let Some(skipped) = skips.list().first() {
                unmeasured.insert(path.clone(), skipped.reason.replace('_', " "));
            }
            continue;
        };
        let now = measure(parsed.language, &parsed.tree, &parsed.text);
        let old = change.old_path.as_ref().unwrap_or(path);
        let before = repository.text_at(&changes.base, old).map(|text| of_text(parsed.language, &text));
        let was_partial = before.as_ref().is_some_and(|before| before.is_partial);
        if change.is_binary {
            unmeasured.insert(path.clone(), "too large to compare".to_owned());
        } else if now.is_partial && !was_partial {
            unmeasured.insert(path.clone(), "it has errors of grammar".to_owned());
        }
        let before = before.map(|before| before.functions).unwrap_or_default();
        files.insert(path.clone(), FileFunctions { now: now.functions, before });
    }
    (files, unmeasured)
}

fn of_text(language: Language, text: &[u8]) -> FileMetrics {
    let tree = parse::parse(language, text, parse::USUAL_TIME);
    tree.map(|tree| measure(language, &tree, text)).unwrap_or_default()
}

/// The findings of built-in rules in changed files, and of the reports that were given.
fn findings(
    state: &Quality,
    root: &Root,
    changes: &Changes,
    reports: &[String],
    context: &Context,
    notices: &mut Vec<String>,
) -> Result<Vec<crate::lint::Finding>, ToolError> {
    let there = |change: &crate::git::FileChange| change.change != Change::Deleted;
    let changed: Vec<&str> =
        changes.files.iter().filter(|(_, change)| there(change)).map(|(path, _)| path.as_str()).collect();
    let (mut findings, _) = lint::built_in(root, &changed, context)?;
    let (files, _) = tree::files(root.path());
    for report in reports {
        findings.extend(lint::reported(state, report, &files, root, notices)?.0);
    }
    Ok(findings)
}

/// The verdict of a record: of its gate, where it has one.
fn read_record(state: &Quality, record: &str) -> Result<Performance, ToolError> {
    state.roots.resolve("record", Some(record)).map_err(bad)?;
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
