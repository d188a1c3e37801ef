//! The eight tools.

mod code;
pub(crate) mod copies;
mod coverage;
mod gate;
mod lint;
mod run;
mod select;

use std::io::BufReader;
use std::time::Duration;

use mcp_runs::tools::LONGEST;
use mcp_server::answer::{cursor, fitting, length, place};
use mcp_server::context::Context;
use mcp_server::tool::{Tool, ToolError};
use serde::Serialize;

use crate::state::Quality;

/// The sets of `--toolset`: what reads code, and what has to do with tests.
const CODE: &str = "code";
const TESTS: &str = "tests";

/// How long a tool may read.
const READING: Duration = Duration::from_secs(600);

/// All of them; where nothing may be changed, without the one that runs something.
pub(crate) fn all(read_only: bool) -> Vec<Tool<Quality>> {
    let mut tools = Vec::from(code());
    tools.extend(tests(read_only));
    tools.into_iter().map(Tool::terse_output).collect()
}

fn code() -> [Tool<Quality>; 4] {
    [
        Tool::heavy(
            "metrics",
            "Complexity, nesting, length, maintainability of functions, worst first.",
            |state: &Quality, params, context: &Context| code::metrics(state, &params, context),
        ),
        Tool::heavy(
            "hotspots",
            "Files that are complex and often changed in git.",
            |state: &Quality, params, context: &Context| code::hotspots(state, &params, context),
        ),
        Tool::heavy(
            "lint",
            "Findings of built-in rules (Rust, Python, JS/TS) or of another tool's report.",
            |state: &Quality, params, context: &Context| lint::lint(state, &params, context),
        ),
        Tool::heavy(
            "duplicates",
            "Copied code, also renamed or edited.",
            |state: &Quality, params, context: &Context| copies::duplicates(state, &params, context),
        ),
    ]
    .map(|tool| tool.read_only().toolset(CODE).rate(20.0).timeout(READING))
}

fn tests(read_only: bool) -> Vec<Tool<Quality>> {
    let coverage = Tool::heavy(
        "coverage",
        "Totals and gaps of a coverage report, or of changed lines.",
        |state: &Quality, params, context: &Context| coverage::coverage(state, &params, context),
    );
    let run = Tool::new(
        "run_tests",
        "Run tests in a sandbox: failed, flaky, broken, each with its message.",
        run::run_tests,
    );
    let select = Tool::heavy(
        "select_tests",
        "Tests that a change needs, with reasons and miss risk.",
        |state: &Quality, params, context: &Context| select::select_tests(state, &params, context),
    );
    let gate = Tool::heavy(
        "gate",
        "One answer for a change: tests, coverage, complexity, findings, performance. Use before calling it done.",
        |state: &Quality, params, context: &Context| gate::gate(state, &params, context),
    );
    let reading = |tool: Tool<Quality>| tool.read_only().toolset(TESTS).rate(20.0).timeout(READING);
    let mut tools = vec![reading(coverage)];
    if !read_only {
        tools.push(run.destructive().audits_itself().toolset(TESTS).rate(5.0).timeout(LONGEST));
    }
    tools.extend([select, gate].map(reading));
    tools
}

fn bad(sentence: impl Into<String>) -> ToolError {
    ToolError::bad_arguments(sentence)
}

fn failed(sentence: impl Into<String>) -> ToolError {
    ToolError::failed(sentence)
}

/// How many items a list shows where nobody says.
const USUAL: u16 = 50;

/// The bytes of an answer that are neither its text nor its list.
const ENVELOPE: usize = 1_500;

/// How many bytes count as one token.
const BYTES_A_TOKEN: usize = 4;

/// A part of a list that fits the caller's bound, and the cursor of the next one.
fn page<T: Serialize>(
    items: Vec<T>,
    list: &str,
    at: Option<&str>,
    limit: Option<u16>,
    context: &Context,
) -> Result<(Vec<T>, Option<String>), ToolError> {
    let start = match at {
        None => 0,
        Some(at) => place(list, at)
            .and_then(|start| usize::try_from(start).ok())
            .filter(|start| *start <= items.len())
            .ok_or_else(|| bad(format!("the cursor is not one of {list}: leave it out to begin")))?,
    };
    let total = items.len();
    let limit = usize::from(limit.unwrap_or(USUAL));
    let mut rest: Vec<T> = items.into_iter().skip(start).take(limit).collect();
    // The text says each of them in fewer words.
    let room = context.budget().max_bytes().saturating_sub(ENVELOPE);
    let taken = |item: &T| length(item) * 8 / 5 + 8;
    let shown = fitting(rest.iter(), room, |item| taken(item));
    if shown == 0
        && let Some(next) = rest.first()
    {
        let least = (ENVELOPE + taken(next)).div_ceil(BYTES_A_TOKEN) + 1;
        return Err(failed(format!("the next item needs max_tokens of {least} or more")));
    }
    rest.truncate(shown);
    let next = start + shown;
    Ok((rest, (next < total).then(|| cursor(list, next as u64))))
}

fn reader(file: std::fs::File) -> BufReader<std::fs::File> {
    BufReader::with_capacity(1 << 16, file)
}
