//! What tools do that run something: wait for a run, and show what it printed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mcp_sandbox::{Captured, Outcome};
use mcp_server::budget::BYTES_PER_TOKEN;
use mcp_server::context::Context;
use mcp_server::tool::{Tool, ToolError};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::answer::{EXCERPT, OutputAnswer, ROOM, RunAnswer, Status};
use crate::output::{Cursor, Part, Size, grep, page, tail};
use crate::plan::Plan;
use crate::runs::{Cause, Guard, Look, Run, Runs};

/// How long a call of a tool that runs commands may take: the longest command, and a person who thinks about it.
pub const LONGEST: Duration = Duration::from_secs(2 * 3600);

/// How often a run says that it goes on.
const STEP: Duration = Duration::from_secs(1);

/// How many lines are shown where nobody says.
const USUAL_LINES: u32 = 200;

/// Bytes of an answer of `run_output` that are not output.
const OUTPUT_ROOM: usize = 600;

/// How long a run may take to end that is killed.
const PATIENCE: Duration = Duration::from_secs(15);

/// The state of a server whose tools run something.
pub trait Runner: Send + Sync + 'static {
    /// Why it runs what it runs.
    type Cause: Cause;

    /// Its runs.
    fn runs(&self) -> &Runs<Self::Cause>;
}

/// Refuses a call whose bound leaves no room for an answer about a run.
///
/// # Errors
/// One sentence: the least that does.
pub fn check_room(context: &Context) -> Result<(), ToolError> {
    if context.budget().max_bytes() >= ROOM {
        return Ok(());
    }
    let least = ROOM.div_ceil(BYTES_PER_TOKEN);
    Err(ToolError::bad_arguments(format!("max_tokens leaves no room for an answer: give at least {least}")))
}

/// Runs a plan: to its end, with a word of progress every second, or in the background, where the answer is its
/// handle. `notices` says what a server has to say about the end beside what concerns every run.
///
/// # Errors
/// One sentence: it could not be started, or its end is not known.
pub async fn run<C: Cause>(
    runs: &Runs<C>,
    plan: Plan,
    cause: C,
    is_background: bool,
    context: &Context,
    notices: impl FnOnce(&Run<C>, &Outcome) -> Vec<String>,
) -> Result<RunAnswer, ToolError> {
    let time = plan.time;
    let run = runs.start(plan, cause).await.map_err(ToolError::failed)?;
    if is_background {
        return Ok(RunAnswer::running(&run));
    }
    // A caller that goes away ends what it asked for.
    let guard = Guard::new(&run);
    wait(&run, time, context).await;
    guard.disarm();
    match run.look().map_err(ToolError::failed)? {
        Look::Ended(outcome) => {
            let answer = RunAnswer::ended(&run, &outcome, notices(&run, &outcome), context.budget());
            if answer.handle.is_none() {
                runs.forget(&run);
            }
            Ok(answer)
        }
        Look::Running(_) => Ok(RunAnswer::running(&run)),
    }
}

/// Waits for the end, and says every second that it goes on.
async fn wait<C>(run: &Run<C>, time: Duration, context: &Context) {
    let started = Instant::now();
    loop {
        tokio::select! {
            () = run.ended() => return,
            () = tokio::time::sleep(STEP) => {
                let elapsed = started.elapsed().as_secs_f64();
                context.progress(elapsed, Some(time.as_secs_f64()), "running").await;
            }
        }
    }
}

// The comments are the descriptions that a model reads, so they are short.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RunOutput {
    handle: String,
    action: Option<OutputAction>,
    stream: Option<Stream>,
    /// Regex for grep
    pattern: Option<String>,
    #[schemars(range(min = 1, max = 10_000))]
    lines: Option<u32>,
    cursor: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "lowercase")]
enum OutputAction {
    #[default]
    Page,
    Grep,
    Tail,
    Kill,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Stream {
    #[default]
    Stdout,
    Stderr,
}

/// The tool `run_output`: reads, searches or kills a run by its handle. `read_only` is for a server all of whose runs
/// only read, where killing one changes nothing either.
#[must_use]
pub fn run_output<S: Runner>(read_only: bool) -> Tool<S> {
    let tool = Tool::new(
        "run_output",
        "Read, search or kill a run by its handle.",
        |state: Arc<S>, params, context: Context| async move { output(state.runs(), params, &context).await },
    );
    let tool = if read_only { tool.read_only() } else { tool.idempotent() };
    tool.rate(200.0)
}

async fn output<C: Cause>(
    runs: &Runs<C>,
    params: RunOutput,
    context: &Context,
) -> Result<OutputAnswer, ToolError> {
    let bad = |sentence: String| ToolError::bad_arguments(sentence);
    let action = params.action.unwrap_or_default();
    if (action == OutputAction::Grep) != params.pattern.is_some() {
        return Err(bad("pattern belongs to grep: give both or neither".to_owned()));
    }
    let cursor = params.cursor.as_deref().map(str::parse::<Cursor>).transpose().map_err(bad)?;
    let run = runs.find(&params.handle).map_err(bad)?;
    if action == OutputAction::Kill {
        run.cancel();
        tokio::time::timeout(PATIENCE, run.ended())
            .await
            .map_err(|_| ToolError::failed("the run was killed but has not ended yet: look again"))?;
    }
    let look = run.look().map_err(ToolError::failed)?;
    let room = context.budget().max_bytes().saturating_sub(OUTPUT_ROOM);
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
    Ok(shown(part, captured, ended, excerpt))
}

fn stream<'a>(stdout: &'a Captured, stderr: &'a Captured, wanted: Option<Stream>) -> &'a Captured {
    match wanted.unwrap_or_default() {
        Stream::Stdout => stdout,
        Stream::Stderr => stderr,
    }
}

fn shown(part: Part, captured: &Captured, ended: Option<&Outcome>, excerpt: usize) -> OutputAnswer {
    // What goes on has more to come, after all that there is.
    let next = part.next.or_else(|| ended.is_none().then_some(captured.total));
    OutputAnswer {
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
