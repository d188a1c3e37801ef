//! From what was typed to what is meant: the options of a load test.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};

use crate::cli::context::current;
use crate::cli::mcp::args::{AgainstArgs, CommonArgs, LaunchArgs, McpVerb, ServerArgs};
use crate::cli::mcp::floor::floors;
use crate::cli::values;
use crate::experiment::store::record_name;
use crate::experiment::surroundings::{clock_seed, environment_or_system, workspace_root};
use crate::latency::Load;
use crate::load_test::{Calls, Error, Field, Named, Options, Question, Servers};

/// A load test as it was asked for, and where its record goes.
pub(crate) struct Asked {
    pub options: Options,
    /// The directory that its record goes to.
    pub out: PathBuf,
}

/// What of a verb makes a load test; the rest is the same for all.
struct Parts {
    question: Question,
    servers: Servers,
    common: CommonArgs,
    threshold: Option<f64>,
    launches: Option<u32>,
    length: Option<Duration>,
    warm_up: Option<u64>,
}

impl Asked {
    /// What a verb asks for.
    ///
    /// # Errors
    /// Something of it cannot be: the sentence says what.
    pub(crate) fn of(verb: McpVerb, command: String) -> anyhow::Result<Self> {
        let parts = parts(verb)?;
        let root = workspace_root(&current()?).ok();
        let launcher = std::env::current_exe().context("cannot find the lab's own executable")?;
        let out = parts.common.out.clone();
        let out = out.unwrap_or_else(|| root.clone().unwrap_or_default().join("results"));
        let mut options = Options::new(parts.question, parts.servers, environment_or_system());
        options.era = parts.common.era.map(Into::into);
        options.placements = parts.common.placement.placements();
        options.patience = parts.common.patience;
        options.instructions = parts.common.instructions;
        options.seed = parts.common.seed.unwrap_or_else(clock_seed);
        options.noise_threshold = share(parts.threshold.unwrap_or(1.0))?;
        options.launches = parts.launches.unwrap_or(options.launches);
        options.length = parts.length.unwrap_or(options.length);
        options.warm_up = parts.warm_up.unwrap_or(options.warm_up);
        options.check().map_err(explained)?;
        options.floors = floors(&parts.common, &launcher, root.as_deref())?;
        options.launcher = Some(launcher);
        options.root = root.unwrap_or_default();
        options.name = record_name(&out);
        options.command = command;
        Ok(Self { out, options })
    }
}

/// A threshold in percent as a share.
pub(crate) fn share(percent: f64) -> anyhow::Result<f64> {
    if !(0.0..50.0).contains(&percent) {
        bail!("--threshold is a percentage from 0 to 50");
    }
    Ok(percent / 100.0)
}

fn parts(verb: McpVerb) -> anyhow::Result<Parts> {
    let closed = |in_flight: Option<u32>| Load::Closed { in_flight: in_flight.unwrap_or(1) };
    Ok(match verb {
        McpVerb::Closed(args) => {
            let question = Question::Latency { load: closed(args.load.in_flight) };
            compared(question, args.server, &args.against, args.common)?.launched(&args.launch)
        }
        McpVerb::Open(args) => {
            let load = Load::Open { rate: args.rate, poisson: args.poisson };
            let question = Question::Latency { load };
            compared(question, args.server, &args.against, args.common)?.launched(&args.launch)
        }
        McpVerb::ColdStart(args) => {
            let parts = compared(Question::ColdStart, args.server, &args.against, args.common)?;
            Parts { launches: Some(args.launches), ..parts }
        }
        McpVerb::Capacity(args) => {
            let question = Question::Capacity { limit: args.p99, poisson: args.poisson };
            Parts { length: Some(args.duration), ..single(question, args.server, args.common)? }
        }
        McpVerb::Soak(args) => {
            let load = match args.rate {
                Some(rate) => Load::Open { rate, poisson: args.poisson },
                None if args.poisson => bail!(
                    "--poisson cannot be used without --rate: calls of a closed loop are due when another is answered"
                ),
                None => closed(args.load.in_flight),
            };
            let parts = single(Question::Soak { load }, args.server, args.common)?;
            Parts { length: Some(args.duration), ..parts }
        }
        McpVerb::Cancel(args) => single(Question::Cancel, args.server, args.common)?,
        McpVerb::Sweep(args) => {
            let question = Question::Sweep { along: args.along.into(), load: closed(args.load.in_flight) };
            single(question, args.server, args.common)?.launched(&args.launch)
        }
        McpVerb::Field(args) => {
            let question = Question::Latency { load: closed(None) };
            let servers = Servers::Field { field: Field::read(&args.file)?, without: args.without };
            let parts = Parts::new(question, servers, args.common).launched(&args.launch);
            Parts { threshold: Some(args.threshold), ..parts }
        }
        McpVerb::Calibrate(_) => bail!("a calibration is not a load test"),
    })
}

impl Parts {
    fn new(question: Question, servers: Servers, common: CommonArgs) -> Self {
        Self { question, servers, common, threshold: None, launches: None, length: None, warm_up: None }
    }

    fn launched(self, args: &LaunchArgs) -> Self {
        Self { launches: args.launches, length: args.duration, warm_up: Some(args.warm_up), ..self }
    }
}

/// A question about one server.
fn single(question: Question, server: ServerArgs, common: CommonArgs) -> anyhow::Result<Parts> {
    Ok(Parts::new(question, Servers::Named(named(server, None)?), common))
}

/// A question about one server, or two that are compared.
fn compared(
    question: Question,
    server: ServerArgs,
    args: &AgainstArgs,
    common: CommonArgs,
) -> anyhow::Result<Parts> {
    let against = args.against.as_deref().map(values::command).transpose();
    let against = against.map_err(|said| anyhow::anyhow!("--against: {said}"))?;
    let parts = Parts::new(question, Servers::Named(named(server, against)?), common);
    Ok(Parts { threshold: Some(args.threshold), ..parts })
}

fn named(args: ServerArgs, against: Option<Vec<OsString>>) -> anyhow::Result<Named> {
    let calls = match args.calls {
        Some(file) => {
            let shown = file.display().to_string();
            let text = fs::read_to_string(file).with_context(|| format!("cannot read the calls {shown}"))?;
            Calls::Mix { file: shown, text }
        }
        None if args.tool.is_empty() => Calls::Safe,
        None => Calls::Tools(args.tool),
    };
    Ok(Named { command: args.command, against, http: args.http, calls, expect: args.expect })
}

/// An error of a load test, with the options of this command line that would change it.
pub(crate) fn explained(error: Error) -> anyhow::Error {
    match error {
        Error::NoProgram(_) => anyhow::anyhow!("{error}: write the server's command after --"),
        Error::NoTool(said) => anyhow::anyhow!("--tool: {said}"),
        Error::NothingSafe(_) => anyhow::anyhow!("{error}: name one with --tool, or write --calls FILE"),
        error => error.into(),
    }
}
