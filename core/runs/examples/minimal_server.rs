//! A whole server: its one tool of its own runs a program in the sandbox, by handle where that is wished, and remembers
//! it. All else is shared: roots, state, sandbox, audit log, `run_output`, `doctor`, `export` and `import`, the faces.

use std::process::ExitCode;
use std::sync::Arc;

use mcp_runs::answer::RunAnswer;
use mcp_runs::mask::masked;
use mcp_runs::options::{self, SandboxFlags, Settings};
use mcp_runs::plan::{Invocation, Plan, USUAL_BACKGROUND_TIME, USUAL_TIME};
use mcp_runs::runs::{Cause, Runs};
use mcp_runs::tools::{self, Runner};
use mcp_sandbox::{Outcome, Profile};
use mcp_server::context::Context;
use mcp_server::serve::Purpose;
use mcp_server::server::About;
use mcp_server::tool::{Tool, ToolError};
use mcp_state::cli::Transfer;
use mcp_state::{Limits, OnDemand, Record, Schema};
use mcp_workspace::Roots;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const ABOUT: About = About {
    name: "minimal-server",
    title: "Minimal server",
    version: env!("CARGO_PKG_VERSION"),
    instructions: "Runs programs in a sandbox below the roots.",
};

const LIMITS: Limits = Limits { records: 1_000, bytes: 1 << 20 };

/// What is remembered of a run.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Ran {
    at_ms: u64,
    line: String,
    exit_code: Option<i32>,
}

impl Record for Ran {
    const SCHEMA: Schema = Schema { name: "ran", format: "minimal-server ran", version: 1 };

    fn checked(mut self) -> Result<Self, String> {
        self.line = masked(&self.line);
        Ok(self)
    }
}

/// A run is remembered when it has ended.
struct Remembered(Arc<OnDemand<Ran>>);

impl Cause for Remembered {
    fn ended(&self, plan: &Plan, started_ms: u64, outcome: &Outcome) -> Option<String> {
        if !self.0.is_kept() {
            return None;
        }
        let record = Ran { at_ms: started_ms, line: plan.line.clone(), exit_code: outcome.code };
        let kept = self.0.get().and_then(|log| log.append(record).map_err(|error| error.to_string()));
        kept.err().map(|error| format!("not remembered: {error}"))
    }
}

struct State {
    roots: Roots,
    runs: Runs<Remembered>,
    memory: Arc<OnDemand<Ran>>,
}

impl Runner for State {
    type Cause = Remembered;

    fn runs(&self) -> &Runs<Remembered> {
        &self.runs
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Run {
    /// Program and arguments
    argv: Vec<String>,
    /// Answer at once with a handle
    background: Option<bool>,
}

async fn run(state: Arc<State>, params: Run, context: Context) -> Result<RunAnswer, ToolError> {
    tools::check_room(&context)?;
    let is_background = params.background == Some(true);
    let time = if is_background { USUAL_BACKGROUND_TIME } else { USUAL_TIME };
    let plan = Invocation::program(params.argv)
        .and_then(|invocation| Plan::new(&state.roots, invocation, None, Profile::Read, time))
        .map_err(ToolError::bad_arguments)?;
    let cause = Remembered(Arc::clone(&state.memory));
    tools::run(&state.runs, plan, cause, is_background, &context, |_, _| Vec::new()).await
}

fn purpose() -> Purpose<SandboxFlags, Transfer> {
    Purpose {
        about: ABOUT,
        tools: |builder, options, flags| {
            let settings = Settings::new(&ABOUT, options, flags)?;
            let (roots, runs) = settings.open()?;
            let memory = Arc::new(OnDemand::new(settings.state, LIMITS));
            let run = Tool::new("run", "Run a program that only reads.", run).read_only();
            let tools = [run.timeout(tools::LONGEST).rate(20.0), tools::run_output(true)];
            Ok(builder.tools(&Arc::new(State { roots, runs, memory }), tools))
        },
        facts: |options, flags| options::facts(&ABOUT, options, flags),
        act: |transfer, options, _flags| {
            transfer.carry_out::<Ran>(options.state_dir(ABOUT.name).as_deref(), LIMITS)
        },
    }
}

fn main() -> ExitCode {
    // A command's supervisor is this program, started once more.
    if let Some(code) = mcp_sandbox::enter_if_asked() {
        return code;
    }
    mcp_server::serve::main(&purpose())
}
