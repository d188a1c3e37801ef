//! The seven tools.

mod history;
mod run;
mod system;

use std::sync::Arc;

use mcp_runs::tools::{LONGEST, run_output};
use mcp_server::answer::length;
use mcp_server::context::Context;
use mcp_server::tool::{Tool, ToolError};

use crate::answers::{AnalysisView, ChangeView, Optimized, SuggestionView, Suggestions};
use crate::optimize;
use crate::params;
use crate::state::{BashGod, SUGGESTER};

/// The sets of `--toolset`: what runs nothing, what runs commands, what was run.
const LOOK: &str = "look";
const RUN: &str = "run";
const HISTORY: &str = "history";

/// How many commands are suggested where nobody says.
const USUAL_SUGGESTIONS: u8 = 5;

/// All of them; where nothing may be changed, in the forms that change nothing.
pub(crate) fn all(read_only: bool) -> Vec<Tool<BashGod>> {
    let mut tools = Vec::from(looking());
    tools.extend(running(read_only));
    tools.push(remembering(read_only));
    tools.push(
        Tool::heavy("system_info", "Tell system, roots, sandbox, and where programs are.", system::system)
            .read_only()
            .toolset(LOOK)
            .rate(50.0),
    );
    tools.into_iter().map(Tool::terse_output).collect()
}

fn looking() -> [Tool<BashGod>; 3] {
    let analyze = Tool::quick(
        "command_analyze",
        "Tell what shell source would read, write, delete, execute and contact, how risky it is, and whether policy \
         allows it. Runs nothing. Use before running or handing over a command.",
        |state: &BashGod, params, context: &Context| analyze(state, &params, context),
    );
    let suggest = Tool::heavy(
        "command_suggest",
        "Find commands for a goal, from a checked catalogue and the user's history; each analysed. Use when unsure \
         which program or options fit.",
        |state: &BashGod, params, context: &Context| suggest(state, &params, context),
    );
    let optimize = Tool::new(
        "command_optimize",
        "Rewrite a command into a cheaper form with the same result.",
        |state, params, _context| async move { optimized(&state, params).await },
    );
    [analyze.rate(100_000.0), suggest.rate(200.0), optimize.rate(200.0).timeout(LONGEST)]
        .map(|tool| tool.read_only().toolset(LOOK))
}

fn running(read_only: bool) -> [Tool<BashGod>; 2] {
    let what = "Run a program, pipeline or script in a sandbox below the roots; may ask the user first. Give argv or \
                pipeline unless shell syntax is needed.";
    let run = if read_only {
        let run = |state, params: params::RunReading, context| run::run(state, params.into(), context);
        Tool::new("command_run", what, run).read_only()
    } else {
        Tool::new("command_run", what, run::run).destructive().audits_itself().open_world()
    };
    [run.interactive().rate(20.0).timeout(LONGEST), run_output(read_only)].map(|tool| tool.toolset(RUN))
}

fn remembering(read_only: bool) -> Tool<BashGod> {
    let tool = if read_only {
        let read = |state: &BashGod, params: params::HistoryReading, context: &Context| {
            history::history(state, params.into(), context)
        };
        Tool::heavy("history", "Query the commands that were run.", read).read_only()
    } else {
        let what = "Query the commands that were run, judge one (better suggestions follow), or forget some.";
        Tool::heavy("history", what, history::history).destructive()
    };
    tool.toolset(HISTORY).rate(200.0)
}

fn bad(sentence: String) -> ToolError {
    ToolError::bad_arguments(sentence)
}

fn analyze(state: &BashGod, params: &params::Analyze, context: &Context) -> Result<AnalysisView, ToolError> {
    let folder = state.workspace.folder(params.cwd.as_deref()).map_err(bad)?;
    let analysis = state.workspace.look(&params.command, &folder, false);
    Ok(AnalysisView::new(analysis, context.detail(), context.budget().max_bytes()))
}

fn suggest(state: &BashGod, params: &params::Suggest, context: &Context) -> Result<Suggestions, ToolError> {
    if params.task.trim().is_empty() {
        return Err(bad("task is empty: say in words what is to be done".to_owned()));
    }
    // Without a history suggestions still serve; the answer says why there is none.
    let (experience, problem) = match state.memory.experience() {
        Ok(experience) => (experience, None),
        Err(problem) => (None, Some(problem)),
    };
    let limit = usize::from(params.limit.unwrap_or(USUAL_SUGGESTIONS));
    let found = SUGGESTER.suggest(&params.task, limit, &state.programs.all(), experience.as_deref());
    let folder = state.workspace.folder(None).map_err(bad)?;
    let mut left = context.budget().max_bytes().saturating_sub(ENVELOPE);
    let mut suggestions = Vec::with_capacity(found.len());
    for suggestion in found {
        let analysis = state.workspace.look(&suggestion.command, &folder, false);
        let view = SuggestionView {
            command: suggestion.command,
            template: suggestion.template,
            program: suggestion.program,
            score: suggestion.score,
            source: suggestion.source,
            says: suggestion.says,
            assumed: suggestion.assumed,
            analysis: AnalysisView::new(analysis, context.detail(), left),
        };
        // The text repeats the command.
        let needed = length(&view) + view.command.len() + 2;
        if needed > left && !suggestions.is_empty() {
            break;
        }
        left = left.saturating_sub(needed);
        suggestions.push(view);
    }
    state.memory.suggested(&params.task, suggestions.iter().map(|view| view.command.as_str()));
    Ok(Suggestions { suggestions, notice: problem.or_else(|| state.memory.notice()) })
}

/// The bytes of an answer that are neither its text nor its lists.
const ENVELOPE: usize = 200;

async fn optimized(state: &Arc<BashGod>, params: params::Optimize) -> Result<Optimized, ToolError> {
    let folder = state.workspace.folder(params.cwd.as_deref()).map_err(bad)?;
    let locale = optimize::Locale::of_commands();
    let form = optimize::optimize(&params.command, &locale).map_err(ToolError::failed)?;
    let is_changed = !form.changes.is_empty();
    let mut notice = (!is_changed).then(|| "no rule applies: it stays as it is".to_owned());
    let mut measured = None;
    if is_changed && params.measure == Some(true) {
        match run::measure(state, &params.command, &form.command, &folder).await {
            Ok(times) => measured = Some(times),
            Err(reason) => notice = Some(format!("not measured: {reason}")),
        }
    }
    let changes = form.changes.into_iter().map(|change| ChangeView {
        rule: change.rule.to_owned(),
        before: change.before,
        after: change.after,
        why: change.why.to_owned(),
        assumes: change.assumes.iter().map(|text| (*text).to_owned()).collect(),
    });
    Ok(Optimized { command: form.command, changes: changes.collect(), measured, notice })
}
