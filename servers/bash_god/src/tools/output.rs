//! `run_output`.

use std::time::Duration;

use mcp_sandbox::{Captured, Outcome};
use mcp_server::context::Context;
use mcp_server::tool::ToolError;

use crate::answers::{OutputView, Status};
use crate::execution::output::{Cursor, Part, Size, grep, page, tail};
use crate::execution::runs::Look;
use crate::params::{OutputAction, RunOutput, Stream};
use crate::server::BashGod;
use crate::tools::bad;

/// How many lines are shown where nobody says.
const USUAL_LINES: u32 = 200;

/// Bytes of an answer that are not output.
const ROOM: usize = 600;

/// The most bytes that the text repeats.
const EXCERPT: usize = 1_500;

/// How long a run may take to end that is killed.
const PATIENCE: Duration = Duration::from_secs(15);

pub(crate) async fn output(
    state: &BashGod,
    params: RunOutput,
    context: &Context,
) -> Result<OutputView, ToolError> {
    let action = params.action.unwrap_or_default();
    if (action == OutputAction::Grep) != params.pattern.is_some() {
        return Err(bad("pattern belongs to grep: give both or neither".to_owned()));
    }
    let cursor = params.cursor.as_deref().map(str::parse::<Cursor>).transpose().map_err(bad)?;
    let run = state.runs.find(&params.handle).map_err(bad)?;
    if action == OutputAction::Kill {
        run.cancel();
        tokio::time::timeout(PATIENCE, run.ended())
            .await
            .map_err(|_| ToolError::failed("the run was killed but has not ended yet: look again"))?;
    }
    let look = run.look().map_err(ToolError::failed)?;
    let room = context.budget().max_bytes().saturating_sub(ROOM);
    let excerpt = (room / 4).min(EXCERPT);
    let size = Size { lines: params.lines.unwrap_or(USUAL_LINES) as usize, bytes: room - excerpt };
    let (captured, ended) = match &look {
        Look::Running(snapshot) => (stream(&snapshot.stdout, &snapshot.stderr, params.stream), None),
        Look::Ended(outcome) => {
            (stream(&outcome.stdout, &outcome.stderr, params.stream), Some(outcome.as_ref()))
        }
    };
    let offset = cursor.map_or(0, |cursor| cursor.0);
    let part = match (action, params.pattern.as_deref()) {
        (OutputAction::Grep, Some(pattern)) => grep(captured, offset, pattern, size).map_err(bad)?,
        (OutputAction::Tail | OutputAction::Kill, _) => tail(captured, size),
        (OutputAction::Page | OutputAction::Grep, _) => page(captured, offset, size),
    };
    Ok(view(part, captured, ended, excerpt))
}

fn stream<'a>(stdout: &'a Captured, stderr: &'a Captured, wanted: Option<Stream>) -> &'a Captured {
    match wanted.unwrap_or_default() {
        Stream::Stdout => stdout,
        Stream::Stderr => stderr,
    }
}

fn view(part: Part, captured: &Captured, ended: Option<&Outcome>, excerpt: usize) -> OutputView {
    // What goes on has more to come, after all that there is.
    let next = part.next.or_else(|| ended.is_none().then_some(captured.total));
    OutputView {
        status: ended.map_or(Status::Running, |outcome| outcome.reason.into()),
        exit_code: ended.and_then(|outcome| outcome.code),
        signal: ended.and_then(|outcome| outcome.signal),
        text: part.text,
        total_bytes: captured.total,
        dropped_bytes: Some(captured.dropped()).filter(|dropped| *dropped > 0),
        matches: part.matches,
        next_cursor: next.map(|offset| Cursor(offset).to_string()),
        excerpt,
    }
}
