//! What `mcp` can be asked for.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::cli::values::duration;
use crate::mcp::Era;

/// The latency of tool calls of any MCP server: `cargo lab mcp -- COMMAND`.
#[derive(Args, Clone, Debug)]
#[command(
    after_help = "One mode at a time: latency (the default), --capacity, --cold-start, --soak, --cancel, \
    --sweep, --servers.\n\
    Exit codes: 0 measured, 1 the server failed (what was finished is kept), 2 usage or set-up, 3 void, 130 \
    stopped.\n\n\
    cargo lab mcp -- ./my-server\n\
    cargo lab mcp --tool search --rate 200 --poisson -- python3 server.py\n\
    cargo lab mcp --against './my-server-new' -- ./my-server\n\
    cargo lab mcp --http 'http://127.0.0.1:{port}/mcp' -- ./my-server --http '127.0.0.1:{port}'"
)]
pub(crate) struct McpArgs {
    /// The server's command, after `--`.
    #[arg(last = true, required_unless_present_any = ["servers", "calibrate"], value_name = "COMMAND")]
    pub command: Vec<OsString>,
    /// Several servers of a TOML file, side by side: [[server]] tables with name and command, [[load]] tables.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["command", "against", "http", "tool", "calls", "expect", "rate", "in_flight"])]
    pub servers: Option<PathBuf>,
    /// Leave these servers of --servers out, by name.
    #[arg(long, value_name = "NAME", requires = "servers")]
    pub without: Vec<String>,
    /// A second server, compared with the first: both alive, blocks alternated, many launches.
    #[arg(long, value_name = "COMMAND")]
    pub against: Option<String>,
    /// Speak Streamable HTTP with the server at this address. `{port}` in it and in the commands becomes a free port.
    #[arg(long, value_name = "URL")]
    pub http: Option<String>,
    /// The revision to speak [default: the newer that the server has].
    #[arg(long, value_enum)]
    pub era: Option<EraName>,

    /// Call this tool, with arguments made from its schema; may be repeated.
    #[arg(long, value_name = "NAME", conflicts_with = "calls", help_heading = "Calls")]
    pub tool: Vec<String>,
    /// The calls, as a weighted mix: a TOML file of [[call]] tables with tool, weight, arguments, expect.
    #[arg(long, value_name = "FILE", help_heading = "Calls")]
    pub calls: Option<PathBuf>,
    /// A text that every answer has to hold.
    #[arg(long, value_name = "TEXT", help_heading = "Calls")]
    pub expect: Option<String>,

    /// Closed loop: so many calls in flight, the next one when one is answered.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1024), help_heading = "Load")]
    pub in_flight: u32,
    /// Open loop: so many calls a second, due at fixed times whatever the server does.
    #[arg(long, value_name = "CALLS/S", value_parser = rate, conflicts_with = "in_flight", help_heading = "Load")]
    pub rate: Option<f64>,
    /// Open loop at random times (a Poisson process) in place of even ones.
    #[arg(long, requires = "rate", help_heading = "Load")]
    pub poisson: bool,

    /// Search for the highest rate with p99 of the response time within --p99.
    #[arg(long, group = "mode", conflicts_with_all = ["rate", "in_flight", "against", "servers"], help_heading = "Modes")]
    pub capacity: bool,
    /// The bound of --capacity.
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "5ms", help_heading = "Modes")]
    pub p99: Duration,
    /// Many starts and one call each: start-up to the first answer, and memory.
    #[arg(long, group = "mode", conflicts_with_all = ["rate", "servers"], help_heading = "Modes")]
    pub cold_start: bool,
    /// One launch for so long: latency and memory over time, and whether memory grows.
    #[arg(long, value_name = "TIME", value_parser = duration, group = "mode", conflicts_with_all = ["against", "servers"], help_heading = "Modes")]
    pub soak: Option<Duration>,
    /// Take calls back while they run: is the server free again, and does it obey?
    #[arg(long, group = "mode", conflicts_with_all = ["rate", "against", "servers"], help_heading = "Modes")]
    pub cancel: bool,
    /// Repeat the measurement along a parameter.
    #[arg(long, value_enum, group = "mode", conflicts_with_all = ["rate", "against", "servers"], help_heading = "Modes")]
    pub sweep: Option<Sweep>,

    /// Compare fixtures with themselves and with slower ones: how often a comparison errs, and what it sees.
    #[arg(long, group = "mode", conflicts_with_all = ["command", "servers", "against", "http", "rate", "no_floors"], help_heading = "Modes")]
    pub calibrate: bool,
    /// Experiments of --calibrate; they add up over several runs.
    #[arg(long, value_name = "N", default_value_t = 10, requires = "calibrate", help_heading = "Modes")]
    pub experiments: u32,

    /// Client and server on one core, each on its own, or one after the other.
    #[arg(long, value_enum, default_value_t = PlacementName::Same, help_heading = "Measurement")]
    pub placement: PlacementName,
    /// Starts of the server [default: 5; 16 with --against, 20 with --cold-start, 10 with --servers, 12 with --calibrate].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Measurement")]
    pub launches: Option<u32>,
    /// How long each launch is measured [default: 2s; 500ms with --against, 300ms a load with --servers, 100ms with --calibrate].
    #[arg(long, value_name = "TIME", value_parser = duration, help_heading = "Measurement")]
    pub duration: Option<Duration>,
    /// Calls before measuring, in each launch.
    #[arg(long, value_name = "N", default_value_t = 200, help_heading = "Measurement")]
    pub warm_up: u64,
    /// How long an answer may take before the server is given up.
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "10s", help_heading = "Measurement")]
    pub patience: Duration,
    /// The smallest change worth a name with --against, in percent.
    #[arg(long, value_name = "PERCENT", default_value_t = 1.0, help_heading = "Measurement")]
    pub threshold: f64,
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
pub(crate) enum Sweep {
    /// Text of 100 B to 4 MiB in the first free text argument.
    Payload,
    /// 1 to 64 calls in flight.
    Concurrency,
    /// Every tool that only reads, one after the other.
    Tools,
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

fn rate(text: &str) -> Result<f64, String> {
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
    fn a_rate_is_above_zero() {
        assert!(rate("0").is_err() && rate("x").is_err() && rate("NaN").is_err());
        assert_eq!(rate("2.5"), Ok(2.5));
    }
}
