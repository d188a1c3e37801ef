//! The nine tools. None of them acts on anything but the record of deployments.

mod deployments;
mod host;
mod judging;
mod logs;
mod metrics;

use mcp_server::context::Context;
use mcp_server::tool::{Tool, ToolError};

use crate::params;
use crate::state::State;

/// The sets of `--toolset`: what looks at hosts and metrics, what judges series and logs, what concerns deployments.
const LOOK: &str = "look";
const JUDGE: &str = "judge";
const DEPLOY: &str = "deploy";

/// All of them; where nothing may be changed, in the forms that change nothing.
pub(crate) fn all(read_only: bool) -> Vec<Tool<State>> {
    let mut tools = Vec::from(looking());
    tools.extend(judging());
    tools.push(recording(read_only));
    tools.extend(advising());
    tools.into_iter().map(Tool::terse_output).collect()
}

fn looking() -> [Tool<State>; 2] {
    [
        Tool::heavy(
            "host_snapshot",
            "Look at this host: utilisation, saturation, errors, largest processes.",
            host::snapshot,
        )
        .rate(50.0),
        Tool::heavy(
            "metric_query",
            "Summarise a metric: range, median, trend, gaps, and at most 60 points.",
            metrics::query,
        )
        .open_world()
        .rate(50.0),
    ]
    .map(|tool| tool.read_only().toolset(LOOK))
}

fn judging() -> [Tool<State>; 4] {
    let detect = Tool::heavy(
        "detect_anomalies",
        "Find what is unusual in a metric, with a stated rate of false alarms.",
        |state: &State, params: params::Detect, context: &Context| judging::detect(state, &params, context),
    );
    let changes = Tool::heavy(
        "change_points",
        "Find when a metric changed its level for good.",
        |state: &State, params: params::Changes, context: &Context| judging::changes(state, &params, context),
    );
    let forecast = Tool::heavy(
        "forecast",
        "Forecast a metric with intervals tried on its past, and when a limit is reached.",
        |state: &State, params: params::Forecast, context: &Context| {
            judging::forecast(state, &params, context)
        },
    );
    let logs = Tool::heavy(
        "log_patterns",
        "Count the kinds of lines of a log, and whose rate changed.",
        |state: &State, params: params::Logs, context: &Context| logs::patterns(state, &params, context),
    );
    [detect.open_world(), changes.open_world(), forecast.open_world(), logs]
        .map(|tool| tool.read_only().toolset(JUDGE).rate(20.0))
}

fn recording(read_only: bool) -> Tool<State> {
    let tool = if read_only {
        let read = |state: &State, params: params::RecordReading, context: &Context| {
            deployments::record(state, params.into(), context)
        };
        Tool::heavy("deployment_record", "List deployments.", read).read_only()
    } else {
        let what = "Record a deployment, its outcome by id, forget one, or list them.";
        Tool::heavy("deployment_record", what, deployments::record).destructive()
    };
    tool.toolset(DEPLOY).rate(50.0)
}

fn advising() -> [Tool<State>; 2] {
    [
        Tool::heavy(
            "deployment_risk",
            "Tell the odds of a planned deployment from recorded ones like it, with an interval.",
            deployments::risk,
        ),
        Tool::heavy(
            "suggest_remediation",
            "Suggest causes and commands with risk and rollback. Runs nothing.",
            host::remedies,
        ),
    ]
    .map(|tool| tool.read_only().toolset(DEPLOY).rate(50.0))
}

fn bad(sentence: String) -> ToolError {
    ToolError::bad_arguments(sentence)
}

fn failed(sentence: String) -> ToolError {
    ToolError::failed(sentence)
}
