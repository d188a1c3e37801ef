//! `command_run`, and running two forms of a command to compare them.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mcp_sandbox::{Captured, Outcome, Profile};
use mcp_server::ask::{Answer, Ask};
use mcp_server::budget::Budget;
use mcp_server::context::{Capability, Context};
use mcp_server::tool::ToolError;

use crate::analysis::{Analysis, Decision, PathPattern};
use crate::answers::{AnalysisView, Measured, PlanView, RunView, Status};
use crate::execution::journal::milliseconds;
use crate::execution::output::cut;
use crate::execution::plan::{Plan, USUAL_BACKGROUND_TIME, USUAL_TIME, What};
use crate::execution::runs::{Cause, Guard, Look, Run, weaker};
use crate::params;
use crate::server::BashGod;
use crate::tools::bad;

/// Bytes of an answer that are not output; an answer with less room says nothing.
pub(crate) const ROOM: usize = 1_000;

/// The most bytes of output in a short answer; the rest is there for `run_output`.
const SHORT: usize = 16 << 10;

/// The most bytes of each stream that the text repeats.
const EXCERPT: usize = 1_500;

/// How often a run tells that it goes on.
const STEP: Duration = Duration::from_secs(1);

pub(crate) async fn run(
    state: Arc<BashGod>,
    params: params::Run,
    context: Context,
) -> Result<RunView, ToolError> {
    if context.budget().max_bytes() < ROOM {
        let least = ROOM.div_ceil(mcp_server::budget::BYTES_PER_TOKEN);
        return Err(bad(format!("max_tokens leaves no room for an answer: give at least {least}")));
    }
    let is_background = params.background == Some(true);
    let plan = plan(&state, &params, is_background)?;
    if params.dry_run == Some(true) {
        return Ok(planned(plan, &context));
    }
    let cause = permitted(&plan, params.task, &context).await?;
    let decision = plan.analysis.decision;
    let time = plan.time;
    let run = state.runs.start(plan, cause).await.map_err(ToolError::failed)?;
    if is_background {
        return Ok(running(&run, decision));
    }
    let guard = Guard::new(&run);
    wait(&run, time, &context).await;
    guard.disarm();
    match run.look().map_err(ToolError::failed)? {
        Look::Ended(outcome) => {
            let view = ended(&run, &outcome, decision, context.budget());
            if view.handle.is_none() {
                state.runs.forget(&run);
            }
            Ok(view)
        }
        Look::Running(_) => Ok(running(&run, decision)),
    }
}

fn plan(state: &BashGod, params: &params::Run, is_background: bool) -> Result<Plan, ToolError> {
    let what =
        What::new(params.argv.clone(), params.pipeline.clone(), params.command.clone()).map_err(bad)?;
    let usual = if is_background { USUAL_BACKGROUND_TIME } else { USUAL_TIME };
    let time = match params.timeout_s {
        Some(seconds) => Duration::try_from_secs_f64(seconds)
            .map_err(|_| bad("timeout_s is no time: give seconds from 0.1 to 3600".to_owned()))?,
        None => usual,
    };
    let profile = params.profile.map_or(Profile::Read, Profile::from);
    Plan::new(&state.workspace, what, params.cwd.as_deref(), profile, time).map_err(bad)
}

/// Whether the policy allows it, or a person does.
async fn permitted(plan: &Plan, task: Option<String>, context: &Context) -> Result<Cause, ToolError> {
    let reasons = || plan.analysis.reasons.join(" ");
    match plan.analysis.decision {
        Decision::Allow => Ok(Cause::Allowed(task)),
        Decision::Deny => {
            Err(ToolError::failed(format!("the policy denies this command, nothing was run: {}", reasons())))
        }
        Decision::Prompt if !context.client_can(Capability::Elicitation) => Err(ToolError::failed(format!(
            "a person has to agree to this command and this client cannot ask one, nothing was run: {} Use a command \
             that the policy allows, or let its owner add a rule to the server's policy file.",
            reasons()
        ))),
        Decision::Prompt => match context.ask("run", Ask::confirmation(&plan.question())).await? {
            Answer::Accepted(_) => Ok(Cause::Confirmed(task)),
            Answer::Declined => {
                Err(ToolError::failed("the person did not agree to this command, nothing was run"))
            }
            Answer::Dismissed | Answer::Result(_) => {
                Err(ToolError::failed("nobody agreed to this command, nothing was run: ask again"))
            }
        },
    }
}

/// Waits for the end, and tells every second that it goes on.
async fn wait(run: &Run, time: Duration, context: &Context) {
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

fn planned(plan: Plan, context: &Context) -> RunView {
    let decision = plan.analysis.decision;
    let (argv, script) = match plan.what {
        What::Programs(stages) => (stages, None),
        What::Script(script) => (Vec::new(), Some(script)),
    };
    let notices = plan_notice(&plan.analysis, plan.profile);
    let view = PlanView {
        argv,
        script,
        cwd: plan.folder.display().to_string(),
        profile: plan.profile.name(),
        timeout_s: plan.time.as_secs_f64(),
        analysis: AnalysisView::new(plan.analysis, context.detail(), context.budget().max_bytes() - ROOM),
    };
    RunView { plan: Some(view), notices, ..empty(Status::Planned, decision) }
}

/// What the profile does not let the command do.
fn plan_notice(analysis: &Analysis, profile: Profile) -> Vec<String> {
    let commands = || analysis.commands.iter();
    let named =
        |paths: &[PathPattern]| paths.iter().any(|path| !path.is_anything() && !path.0.starts_with("/dev/"));
    let mut notices = Vec::new();
    if !profile.writes() && commands().any(|command| named(&command.writes) || named(&command.deletes)) {
        notices.push("the profile read lets it change nothing below the roots: workspace does".to_owned());
    }
    if !profile.network() && commands().any(|command| command.network) {
        notices.push(format!("the profile {} has no network: workspace+net has", profile.name()));
    }
    notices
}

fn running(run: &Run, decision: Decision) -> RunView {
    RunView { handle: Some(run.handle.clone()), ..empty(Status::Running, decision) }
}

fn empty(status: Status, decision: Decision) -> RunView {
    RunView {
        exit_code: None,
        signal: None,
        stdout: String::new(),
        stderr: String::new(),
        truncated: false,
        duration_ms: 0.0,
        decision,
        status,
        handle: None,
        plan: None,
        notices: Vec::new(),
        excerpt: 0,
    }
}

fn ended(run: &Run, outcome: &Outcome, decision: Decision, budget: Budget) -> RunView {
    let room = budget.max_bytes().saturating_sub(ROOM);
    let excerpt = (room / 8).min(EXCERPT);
    let most = match budget.detail {
        mcp_server::budget::Detail::Concise => (room - 2 * excerpt).min(SHORT),
        mcp_server::budget::Detail::Detailed => room - 2 * excerpt,
    };
    let (stdout, stderr, is_cut) = shown(&outcome.stdout, &outcome.stderr, most);
    let mut notices: Vec<String> = weaker(&outcome.weaker).into_iter().collect();
    if outcome.code != Some(0) {
        notices.extend(plan_notice(&run.plan.analysis, run.plan.profile));
    }
    notices.extend(run.unkept().map(str::to_owned));
    if outcome.leftover > 0 {
        notices.push(format!(
            "{} processes are stuck in the kernel and could not be ended yet",
            outcome.leftover
        ));
    }
    RunView {
        exit_code: outcome.code,
        signal: outcome.signal,
        stdout,
        stderr,
        truncated: outcome.truncated || is_cut,
        duration_ms: milliseconds(outcome.duration),
        status: outcome.reason.into(),
        handle: (outcome.truncated || is_cut).then(|| run.handle.clone()),
        notices,
        excerpt,
        ..empty(Status::Exited, decision)
    }
}

/// Both streams within `most` bytes of JSON. Each gets half, and what the other one leaves.
fn shown(stdout: &Captured, stderr: &Captured, most: usize) -> (String, String, bool) {
    let (out, err) = (stdout.text(), stderr.text());
    let needed = |text: &str| crate::execution::output::json_length(text);
    let half = most / 2;
    let for_err = needed(&err).min(half.max(most.saturating_sub(needed(&out))));
    let (err, is_err_cut) = cut(&err, for_err);
    let (out, is_out_cut) = cut(&out, most - for_err);
    (out, err, is_out_cut || is_err_cut)
}

/// How often each form is run to be compared.
const RUNS: usize = 5;

/// Runs both forms in turns, where the policy allows both without asking, reading only.
pub(crate) async fn measure(
    state: &Arc<BashGod>,
    before: &str,
    after: &str,
    folder: &Path,
) -> Result<Measured, String> {
    let cwd = folder.to_str();
    let mut times = [Vec::new(), Vec::new()];
    let mut same_result = true;
    for _ in 0..RUNS {
        let mut results = Vec::with_capacity(2);
        for (line, times) in [before, after].into_iter().zip(&mut times) {
            let what = What::new(None, None, Some(line.to_owned()))?;
            let plan = Plan::new(&state.workspace, what, cwd, Profile::Read, USUAL_TIME)?;
            if plan.analysis.decision != Decision::Allow {
                return Err("the policy does not allow both forms without asking".to_owned());
            }
            let run = state.runs.start(plan, Cause::Measured).await?;
            let guard = Guard::new(&run);
            run.ended().await;
            guard.disarm();
            state.runs.forget(&run);
            let Look::Ended(outcome) = run.look()? else { return Err("a run did not end".to_owned()) };
            if outcome.reason != mcp_sandbox::Reason::Exited {
                return Err(format!("`{line}` did not end by itself"));
            }
            times.push(milliseconds(outcome.duration));
            results.push((outcome.code, outcome.stdout.clone()));
        }
        same_result &= results[0] == results[1];
    }
    let [before_ms, after_ms] = times.map(median);
    Ok(Measured { runs: RUNS, before_ms, after_ms, same_result })
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or_default()
}
