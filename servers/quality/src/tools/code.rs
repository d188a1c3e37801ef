//! `metrics` and `hotspots`.

use std::collections::BTreeMap;
use std::sync::Arc;

use mcp_server::budget::Detail;
use mcp_server::context::Context;
use mcp_server::tool::ToolError;
use mcp_source::walk::Stamp;
use mcp_source::{Language, Skips};
use mcp_workspace::Root;

use crate::answers::{FunctionView, HotspotsView, Looked, MetricsTotals, MetricsView};
use crate::git::{Limits, Repository};
use crate::hotspots::{Complexity, rank};
use crate::metrics::{FileMetrics, FunctionMetrics, measure};
use crate::params;
use crate::state::{MOST_MEASURED, Quality};
use crate::tools::{failed, page};
use crate::tree;

/// The metrics of files, and what was not read.
pub(super) struct Measured {
    pub files: Vec<(String, Arc<FileMetrics>)>,
    pub looked: Looked,
}

/// Measures the source files of a list; those that did not change since the last time are remembered.
pub(super) fn measured(
    state: &Quality,
    root: &Root,
    files: &[&str],
    context: &Context,
) -> Result<Measured, ToolError> {
    let mut skips = Skips::default();
    let mut found = Vec::new();
    let sources: Vec<&str> =
        files.iter().copied().filter(|path| Language::of_path((*path).as_ref()).is_some()).collect();
    for (number, path) in sources.iter().enumerate() {
        if number % 64 == 0 {
            if context.is_cancelled() {
                return Err(failed("the call was cancelled"));
            }
            #[expect(clippy::cast_precision_loss, reason = "counts of files are small")]
            context.progress_from_thread(number as f64, Some(sources.len() as f64), "measuring");
        }
        if let Some(metrics) = file_metrics(state, root, path, &mut skips) {
            found.push(((*path).to_owned(), metrics));
        }
    }
    let partial = found.iter().filter(|(_, metrics)| metrics.is_partial).count();
    let complete = skips.is_complete();
    let looked = Looked { files: found.len(), partial, skipped: skips.list(), complete };
    Ok(Measured { files: found, looked })
}

fn file_metrics(state: &Quality, root: &Root, path: &str, skips: &mut Skips) -> Option<Arc<FileMetrics>> {
    let full = root.path().join(path);
    let stamp =
        root.file(path.as_ref()).and_then(|file| file.metadata()).map(|metadata| Stamp::of(&metadata)).ok();
    if let Some((known, metrics)) = state.measured.lock().get(&full)
        && Some(*known) == stamp
    {
        return Some(Arc::clone(metrics));
    }
    let parsed = tree::parsed(root, path, skips)?;
    let metrics = Arc::new(measure(parsed.language, &parsed.tree, &parsed.text));
    if let Some(stamp) = stamp {
        let mut known = state.measured.lock();
        if known.len() >= MOST_MEASURED {
            known.clear();
        }
        known.insert(full, (stamp, Arc::clone(&metrics)));
    }
    Some(metrics)
}

pub(super) fn metrics(
    state: &Quality,
    params: &params::Metrics,
    context: &Context,
) -> Result<MetricsView, ToolError> {
    let place = state.place(params.paths.as_deref())?;
    let (files, _) = tree::files(place.root.path());
    let wanted = tree::below(&files, &place.paths);
    let Measured { files, looked } = measured(state, place.root, &wanted, context)?;
    let mut totals = MetricsTotals::default();
    let mut functions: Vec<(&str, &FunctionMetrics)> = Vec::new();
    for (path, metrics) in &files {
        totals.functions += metrics.functions.len();
        totals.lines += u64::from(metrics.lines);
        totals.code_lines += u64::from(metrics.code_lines);
        totals.comment_lines += u64::from(metrics.comment_lines);
        totals.cyclomatic += metrics.cyclomatic();
        totals.cognitive += metrics.cognitive();
        functions.extend(metrics.functions.iter().map(|function| (path.as_str(), function)));
    }
    sort(&mut functions, params.sort.unwrap_or_default());
    let is_detailed = context.detail() == Detail::Detailed;
    let view = |(path, function): (&str, &FunctionMetrics)| FunctionView {
        path: path.to_owned(),
        line: function.first_line,
        name: function.name.clone(),
        cyclomatic: function.cyclomatic,
        cognitive: function.cognitive,
        nesting: function.nesting,
        lines: function.lines(),
        parameters: function.parameters,
        maintainability: (function.maintainability * 10.0).round() / 10.0,
        halstead: is_detailed.then_some(function.halstead),
    };
    let functions = functions.into_iter().map(view).collect();
    let (functions, next_cursor) =
        page(functions, "functions", params.cursor.as_deref(), params.limit, context)?;
    Ok(MetricsView { functions, totals, looked, next_cursor })
}

fn sort(functions: &mut [(&str, &FunctionMetrics)], by: params::Sort) {
    let key = |function: &FunctionMetrics| -> f64 {
        match by {
            params::Sort::Cognitive => f64::from(function.cognitive),
            params::Sort::Cyclomatic => f64::from(function.cyclomatic),
            params::Sort::Nesting => f64::from(function.nesting),
            params::Sort::Lines => f64::from(function.lines()),
            params::Sort::Maintainability => -function.maintainability,
        }
    };
    functions.sort_by(|(path, a), (other, b)| {
        key(b)
            .total_cmp(&key(a))
            .then_with(|| (path, a.first_line, &a.name).cmp(&(other, b.first_line, &b.name)))
    });
}

pub(super) fn hotspots(
    state: &Quality,
    params: &params::Hotspots,
    context: &Context,
) -> Result<HotspotsView, ToolError> {
    let place = state.place(params.paths.as_deref())?;
    let repository = Repository::open(place.root.path(), state.roots.paths()).map_err(failed)?;
    let limits = Limits { days: params.days.unwrap_or(Limits::default().days), ..Limits::default() };
    let history = repository.history(limits, || !context.is_cancelled()).map_err(failed)?;
    let (files, _) = tree::files(place.root.path());
    // What was not changed cannot be hot.
    let wanted: Vec<&str> = tree::below(&files, &place.paths)
        .into_iter()
        .filter(|path| history.files.contains_key(*path))
        .collect();
    let Measured { files, looked } = measured(state, place.root, &wanted, context)?;
    let complexities: BTreeMap<String, Complexity> = files
        .into_iter()
        .map(|(path, metrics)| {
            let complexity = Complexity {
                cyclomatic: metrics.cyclomatic(),
                cognitive: metrics.cognitive(),
                code_lines: metrics.code_lines,
            };
            (path, complexity)
        })
        .collect();
    let spots = rank(&complexities, &history.files);
    let mut notices = Vec::new();
    if history.is_shallow {
        notices.push(
            "the clone is shallow: older commits are missing, so files look changed less often".to_owned(),
        );
    }
    let (hotspots, next_cursor) = page(spots, "hotspots", params.cursor.as_deref(), None, context)?;
    Ok(HotspotsView { hotspots, commits: history.commits, looked, notices, next_cursor })
}
