//! `command_run`, and running two forms of a command to compare them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use mcp_runs::answer::{ROOM, RunAnswer, Status, milliseconds};
use mcp_runs::plan::{Invocation, USUAL_BACKGROUND_TIME, USUAL_TIME};
use mcp_runs::runs::{Guard, Look};
use mcp_runs::tools;
use mcp_sandbox::Profile;
use mcp_server::ask::{Answer, Ask};
use mcp_server::context::{Capability, Context};
use mcp_server::tool::ToolError;

use crate::analysis::{Analysis, Decision, PathPattern};
use crate::answers::{AnalysisView, Measured, PlanView, RunView};
use crate::judged::{Judged, Permission, Reason};
use crate::params;
use crate::state::BashGod;
use crate::tools::bad;

pub(crate) async fn run(
    state: Arc<BashGod>,
    params: params::Run,
    context: Context,
) -> Result<RunView, ToolError> {
    tools::check_room(&context)?;
    let is_background = params.background == Some(true);
    let judged = judged(&state, &params, is_background)?;
    if params.dry_run == Some(true) {
        return Ok(planned(judged, &context));
    }
    let permission = permitted(&judged, params.task, &context).await?;
    let Judged { plan, analysis } = judged;
    let decision = analysis.decision;
    let cause = Reason { permission, analysis, memory: Arc::clone(&state.memory) };
    let run = tools::run(&state.runs, plan, cause, is_background, &context, |run, outcome| {
        let failed = outcome.code != Some(0);
        if failed { plan_notice(&run.cause.analysis, run.plan.profile) } else { Vec::new() }
    });
    Ok(RunView { run: run.await?, decision, plan: None })
}

fn judged(state: &BashGod, params: &params::Run, is_background: bool) -> Result<Judged, ToolError> {
    let invocation =
        Invocation::new(params.argv.clone(), params.pipeline.clone(), params.command.clone()).map_err(bad)?;
    let usual = if is_background { USUAL_BACKGROUND_TIME } else { USUAL_TIME };
    let time = match params.timeout_s {
        Some(seconds) => Duration::try_from_secs_f64(seconds)
            .map_err(|_| bad("timeout_s is not a time: give seconds from 0.1 to 3600".to_owned()))?,
        None => usual,
    };
    let profile = params.profile.map_or(Profile::Read, Profile::from);
    Judged::new(&state.workspace, invocation, params.cwd.as_deref(), profile, time).map_err(bad)
}

/// Whether the policy allows it, or a person does.
async fn permitted(
    judged: &Judged,
    task: Option<String>,
    context: &Context,
) -> Result<Permission, ToolError> {
    let reasons = || judged.analysis.reasons.join(" ");
    match judged.analysis.decision {
        Decision::Allow => Ok(Permission::Allowed(task)),
        Decision::Deny => {
            Err(ToolError::failed(format!("the policy denies this command, nothing was run: {}", reasons())))
        }
        Decision::Prompt if !context.client_can(Capability::Elicitation) => Err(ToolError::failed(format!(
            "a person has to agree to this command and this client cannot ask one, nothing was run: {} Use a command \
             that the policy allows, or let its owner add a rule to the server's policy file.",
            reasons()
        ))),
        Decision::Prompt => match context.ask("run", Ask::confirmation(&judged.question())).await? {
            Answer::Accepted(_) => Ok(Permission::Confirmed(task)),
            Answer::Declined => {
                Err(ToolError::failed("the person did not agree to this command, nothing was run"))
            }
            Answer::Dismissed | Answer::Result(_) => {
                Err(ToolError::failed("nobody agreed to this command, nothing was run: ask again"))
            }
        },
    }
}

fn planned(judged: Judged, context: &Context) -> RunView {
    let Judged { plan, analysis } = judged;
    let decision = analysis.decision;
    let (argv, script) = match plan.invocation {
        Invocation::Programs(stages) => (stages, None),
        Invocation::Script(script) => (Vec::new(), Some(script)),
    };
    let notices = plan_notice(&analysis, plan.profile);
    let view = PlanView {
        argv,
        script,
        cwd: plan.directory.display().to_string(),
        profile: plan.profile.name(),
        timeout_s: plan.time.as_secs_f64(),
        analysis: AnalysisView::new(analysis, context.detail(), context.budget().max_bytes() - ROOM),
    };
    RunView { run: RunAnswer { notices, ..RunAnswer::empty(Status::Planned) }, decision, plan: Some(view) }
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
            let invocation = Invocation::new(None, None, Some(line.to_owned()))?;
            let judged = Judged::new(&state.workspace, invocation, cwd, Profile::Read, USUAL_TIME)?;
            if judged.analysis.decision != Decision::Allow {
                return Err("the policy does not allow both forms without asking".to_owned());
            }
            let Judged { plan, analysis } = judged;
            let memory = Arc::clone(&state.memory);
            let cause = Reason { permission: Permission::Measured, analysis, memory };
            let run = state.runs.start(plan, cause).await?;
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
