//! What `mcp` can be asked for: a verb a question, each with the options that it has.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use crate::called::program;
use crate::cli::mcp::old::OldArgs;
use crate::cli::values::duration;
use crate::latency::Placement;
use crate::load_test;
use crate::mcp::Era;

/// The latency of tool calls of any MCP server: `mcp -- COMMAND`.
#[derive(Args, Clone, Debug)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    // The old options for fields and calibrations come without a command.
    mut_arg("command", |command| {
        command.required(false).required_unless_present_any(["servers", "calibrate"])
    }),
    after_help = format!("Without a verb, `closed` is meant.\n\
    Exit codes: 0 measured, 1 the server failed (what was finished is kept), 2 usage or set-up, 3 void, 130 \
    stopped.\n\n\
    {0} mcp -- ./my-server\n\
    {0} mcp open --rate 200 --poisson --tool search -- python3 server.py\n\
    {0} mcp closed --against './my-server-new' -- ./my-server\n\
    {0} mcp capacity --p99 5ms -- ./my-server\n\
    {0} mcp --http 'http://127.0.0.1:{{port}}/mcp' -- ./my-server --http '127.0.0.1:{{port}}'", program())
)]
pub(crate) struct McpArgs {
    #[command(subcommand)]
    pub verb: Option<McpVerb>,
    #[command(flatten)]
    pub closed: ClosedArgs,
    #[command(flatten)]
    pub old: OldArgs,
}

/// The questions.
#[derive(Subcommand, Clone, Debug)]
pub(crate) enum McpVerb {
    /// Closed loop: so many calls in flight, the next one when one is answered (the default).
    #[command(visible_alias = "closed-loop")]
    Closed(ClosedArgs),
    /// Open loop: so many calls a second, due at fixed times whatever the server does.
    #[command(visible_alias = "open-loop")]
    Open(OpenArgs),
    /// Search for the highest rate whose p99 of the response time stays within a bound.
    Capacity(CapacityArgs),
    /// Many starts and one call each: start-up to the first answer, and memory.
    ColdStart(ColdStartArgs),
    /// One long launch: latency and memory over time, and whether memory grows.
    Soak(SoakArgs),
    /// Cancel calls while they run: is the server free again, and does it obey?
    Cancel(CancelArgs),
    /// Repeat the measurement along a parameter: payload, concurrency, or every tool.
    Sweep(SweepArgs),
    /// Several servers of a file, side by side: a field.
    Field(FieldArgs),
    /// Compare fixtures with themselves and with slower ones: how often a comparison errs, and what it sees.
    Calibrate(CalibrateArgs),
}

/// Options of every question about a server by its command.
#[derive(Args, Clone, Debug)]
pub(crate) struct ServerArgs {
    /// The server's command, after `--`.
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
    /// Speak Streamable HTTP with the server at this address. `{port}` in it and in the commands becomes a free port.
    #[arg(long, value_name = "URL")]
    pub http: Option<String>,
    /// Call this tool, with arguments made from its schema; may be repeated.
    #[arg(long, value_name = "NAME", conflicts_with = "calls", help_heading = "Calls")]
    pub tool: Vec<String>,
    /// The calls, as a weighted mix: a TOML file of [[call]] tables with tool, weight, arguments, expect.
    #[arg(long, value_name = "FILE", help_heading = "Calls")]
    pub calls: Option<PathBuf>,
    /// A text that every answer has to hold.
    #[arg(long, value_name = "TEXT", help_heading = "Calls")]
    pub expect: Option<String>,
}

/// Options of every question.
#[derive(Args, Clone, Debug)]
pub(crate) struct CommonArgs {
    /// The revision to speak [default: the newer that the server has].
    #[arg(long, value_enum)]
    pub era: Option<EraName>,
    /// Client and server on one core, each on its own, or one after the other.
    #[arg(long, value_enum, default_value_t = PlacementName::Same, help_heading = "Measurement")]
    pub placement: PlacementName,
    /// How long an answer may take before the server is given up.
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "10s", help_heading = "Measurement")]
    pub patience: Duration,
    /// Count the instructions of a call too, in processes of their own after the timing.
    #[arg(long, help_heading = "Measurement")]
    pub instructions: bool,
    /// Do not measure the floors (`cat` and a server without a library).
    #[arg(long, help_heading = "Measurement")]
    pub no_floors: bool,
    /// The server that is the floor [default: null-server of this project].
    #[arg(long, value_name = "FILE", help_heading = "Measurement")]
    pub floor_server: Option<PathBuf>,
    /// The seed of every random choice [default: from the clock].
    #[arg(long, help_heading = "Measurement")]
    pub seed: Option<u64>,
    /// Where records go [default: results].
    #[arg(long, value_name = "DIR", help_heading = "Measurement")]
    pub out: Option<PathBuf>,
}

/// Options of what is measured in several launches.
#[derive(Args, Clone, Debug)]
pub(crate) struct LaunchArgs {
    /// Starts of each server [default: 5; 16 of a comparison, 10 of a field].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Measurement")]
    pub launches: Option<u32>,
    /// How long each launch is measured [default: 2s; 500ms of a comparison, 300ms a load of a field].
    #[arg(long, value_name = "TIME", value_parser = duration, help_heading = "Measurement")]
    pub duration: Option<Duration>,
    /// Calls before measuring, in each launch.
    #[arg(long, value_name = "N", default_value_t = 200, help_heading = "Measurement")]
    pub warm_up: u64,
}

/// Options of what two servers can be compared by.
#[derive(Args, Clone, Debug)]
pub(crate) struct AgainstArgs {
    /// A second server, compared with the first: both alive, blocks alternated, many launches.
    #[arg(long, value_name = "COMMAND")]
    pub against: Option<String>,
    /// The smallest change worth a name in a comparison, in percent.
    #[arg(long, value_name = "PERCENT", default_value_t = 1.0, help_heading = "Measurement")]
    pub threshold: f64,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct InFlightArgs {
    /// Calls in flight [default: 1].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024), help_heading = "Load")]
    pub in_flight: Option<u32>,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct ClosedArgs {
    #[command(flatten)]
    pub server: ServerArgs,
    #[command(flatten)]
    pub load: InFlightArgs,
    #[command(flatten)]
    pub against: AgainstArgs,
    #[command(flatten)]
    pub launch: LaunchArgs,
    #[command(flatten)]
    pub common: CommonArgs,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct OpenArgs {
    #[command(flatten)]
    pub server: ServerArgs,
    /// Calls a second.
    #[arg(long, value_name = "CALLS/S", value_parser = rate, help_heading = "Load")]
    pub rate: f64,
    /// Calls are due at random times (a Poisson process) in place of even ones.
    #[arg(long, help_heading = "Load")]
    pub poisson: bool,
    #[command(flatten)]
    pub against: AgainstArgs,
    #[command(flatten)]
    pub launch: LaunchArgs,
    #[command(flatten)]
    pub common: CommonArgs,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct CapacityArgs {
    #[command(flatten)]
    pub server: ServerArgs,
    /// The bound on p99 of the response time.
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "5ms", help_heading = "Load")]
    pub p99: Duration,
    /// Calls are due at random times (a Poisson process) in place of even ones.
    #[arg(long, help_heading = "Load")]
    pub poisson: bool,
    /// How long each rate is measured.
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "1s", help_heading = "Measurement")]
    pub duration: Duration,
    #[command(flatten)]
    pub common: CommonArgs,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct ColdStartArgs {
    #[command(flatten)]
    pub server: ServerArgs,
    #[command(flatten)]
    pub against: AgainstArgs,
    /// Starts of each server.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), default_value_t = 20, help_heading = "Measurement")]
    pub launches: u32,
    #[command(flatten)]
    pub common: CommonArgs,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct SoakArgs {
    #[command(flatten)]
    pub server: ServerArgs,
    /// How long the one launch is measured.
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "60s", help_heading = "Measurement")]
    pub duration: Duration,
    #[command(flatten)]
    pub load: InFlightArgs,
    /// An open loop of so many calls a second in place of the closed one.
    #[arg(long, value_name = "CALLS/S", value_parser = rate, conflicts_with = "in_flight", help_heading = "Load")]
    pub rate: Option<f64>,
    /// Calls of --rate are due at random times (a Poisson process) in place of even ones.
    #[arg(long, conflicts_with = "in_flight", help_heading = "Load")]
    pub poisson: bool,
    #[command(flatten)]
    pub common: CommonArgs,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct CancelArgs {
    #[command(flatten)]
    pub server: ServerArgs,
    #[command(flatten)]
    pub common: CommonArgs,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct SweepArgs {
    /// The parameter.
    #[arg(value_enum)]
    pub along: Along,
    #[command(flatten)]
    pub server: ServerArgs,
    #[command(flatten)]
    pub load: InFlightArgs,
    #[command(flatten)]
    pub launch: LaunchArgs,
    #[command(flatten)]
    pub common: CommonArgs,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct FieldArgs {
    /// The servers and what is called, as TOML: [[server]] tables with name and command, [[load]] tables.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Leave these servers out, by name.
    #[arg(long, value_name = "NAME")]
    pub without: Vec<String>,
    /// The smallest change worth a name, in percent.
    #[arg(long, value_name = "PERCENT", default_value_t = 1.0, help_heading = "Measurement")]
    pub threshold: f64,
    #[command(flatten)]
    pub launch: LaunchArgs,
    #[command(flatten)]
    pub common: CommonArgs,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct CalibrateArgs {
    /// Experiments; they add up over several runs.
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub experiments: u32,
    /// Starts of each fixture in an experiment.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), default_value_t = 12, help_heading = "Measurement")]
    pub launches: u32,
    /// How long each launch is measured.
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "100ms", help_heading = "Measurement")]
    pub duration: Duration,
    /// Calls before measuring, in each launch.
    #[arg(long, value_name = "N", default_value_t = 200, help_heading = "Measurement")]
    pub warm_up: u64,
    /// How long an answer may take before the fixture is given up.
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "10s", help_heading = "Measurement")]
    pub patience: Duration,
    /// The smallest change worth a name, in percent.
    #[arg(long, value_name = "PERCENT", default_value_t = 1.0, help_heading = "Measurement")]
    pub threshold: f64,
    /// The null server; the fixture `tool-server` is looked for beside it [default: those of this project].
    #[arg(long, value_name = "FILE", help_heading = "Measurement")]
    pub floor_server: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum, PartialEq, Eq)]
pub(crate) enum EraName {
    #[value(name = "2026-07-28")]
    Modern,
    #[value(name = "2025-11-25")]
    Legacy,
}

impl From<EraName> for Era {
    fn from(name: EraName) -> Self {
        match name {
            EraName::Modern => Self::Modern,
            EraName::Legacy => Self::Legacy,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum, PartialEq, Eq)]
pub(crate) enum Along {
    /// Text of 100 B to 4 MiB in the first free text argument.
    Payload,
    /// 1 to 64 calls in flight.
    Concurrency,
    /// Every tool that only reads, one after the other.
    Tools,
}

impl From<Along> for load_test::Sweep {
    fn from(along: Along) -> Self {
        match along {
            Along::Payload => Self::Payload,
            Along::Concurrency => Self::Concurrency,
            Along::Tools => Self::Tools,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum, PartialEq, Eq)]
pub(crate) enum PlacementName {
    /// One core for both.
    Same,
    /// A core each.
    Split,
    /// Both placements.
    Both,
}

impl PlacementName {
    /// The placements, one after the other.
    pub(crate) fn placements(self) -> Vec<Placement> {
        match self {
            Self::Same => vec![Placement::Same],
            Self::Split => vec![Placement::Split],
            Self::Both => vec![Placement::Same, Placement::Split],
        }
    }
}

pub(crate) fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse::<f64>().map_err(|_| "write a number of calls a second".to_owned())?;
    if rate > 0.0 && rate <= 1e8 {
        Ok(rate)
    } else {
        Err("a rate is above 0 and at most 100000000".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_numbers_above_0() {
        assert!(rate("0").is_err() && rate("x").is_err() && rate("NaN").is_err());
        assert_eq!(rate("2.5"), Ok(2.5));
    }
}
