//! `__calls`: a server as a subject. It speaks the subject protocol with the lab and MCP with the server, so that an arm
//! of a `tool_call` suite is built, linked, launched, checked and judged like every other.

use std::fs;
use std::io::{BufRead as _, Write as _};
use std::time::Duration;

use anyhow::{Context as _, bail};
use perflab_subject::protocol::{BenchmarkInfo, PROTOCOL_VERSION, Prepared, Refused, Request, Slice, Turned};
use serde::Serialize;

use crate::cli::Exit;
use crate::cli::args::CallsArgs;
use crate::experiment::references::rows::TAIL_ROW;
use crate::latency::Load;
use crate::load::{Client, End, Program, Session, Stretch, Taken, calm_timer};
use crate::mcp::{CallEntry, Mix, calls_of, find_tool, mirrored};
use crate::plan::ToolCall;
use crate::process::Invocation;

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Calls before the first timing.
const WARM_UP: u64 = 200;
/// How long the tail of a call is measured in a turn.
const TAIL: Duration = Duration::from_millis(40);
/// How long calls run untimed before that.
const SETTLE: Duration = Duration::from_millis(2);

/// The listing, with what `perflab-subject`'s own has no field for.
#[derive(Serialize)]
struct Listing {
    protocol: u32,
    subject: String,
    benchmarks: Vec<Listed>,
}

#[derive(Serialize)]
struct Listed {
    #[serde(flatten)]
    common: BenchmarkInfo,
    /// A call of a server may take longer than one of a kernel.
    slow: bool,
}

/// A server with the suite's calls.
struct Bridge {
    calls: Vec<ToolCall>,
    session: Session,
}

/// Answers the lab until it closes stdin.
pub(crate) fn serve(args: &CallsArgs) -> anyhow::Result<Exit> {
    calm_timer();
    let mut bridge = Bridge::start(args)?;
    for line in std::io::stdin().lock().lines() {
        let answer = match serde_json::from_str(&line?) {
            Ok(request) => bridge.answer(&request)?,
            Err(error) => refused(format!("no request: {error}"))?,
        };
        let mut output = std::io::stdout().lock();
        output
            .write_all(answer.as_bytes())
            .and_then(|()| output.write_all(b"\n"))
            .and_then(|()| output.flush())?;
    }
    bridge.session.client.end();
    Ok(Exit::Fine)
}

fn refused(error: String) -> anyhow::Result<String> {
    Ok(serde_json::to_string(&Refused { error })?)
}

impl Bridge {
    fn start(args: &CallsArgs) -> anyhow::Result<Self> {
        let text = fs::read_to_string(&args.calls)
            .with_context(|| format!("cannot read the calls {}", args.calls.display()))?;
        let calls: Vec<ToolCall> = serde_json::from_str(&text).context("the calls are malformed")?;
        let (program, rest) = args.command.split_first().context("no server")?;
        // Through the lab itself, so that the server ends with this process. It runs where this process does.
        let lab = std::env::current_exe().context("cannot find the lab's own executable")?;
        let invocation = Invocation::new(program, rest.to_vec()).through(lab, ["__exec".to_owned()]);
        let mut client = Client::open(&Program { invocation, http: None, era: None, patience: PATIENCE })?;
        let tools = client.list_tools()?;
        let mut sets = Vec::new();
        for call in &calls {
            let entry = CallEntry {
                tool: call.tool.clone(),
                weight: 1,
                arguments: call.arguments.clone(),
                expect: call.expect.clone(),
                expect_structured: call.expect_structured.clone(),
            };
            let made = calls_of(&call.name, vec![entry], &tools)?;
            let schema = &find_tool(&tools, &call.tool).map_err(anyhow::Error::msg)?.input;
            let headers = mirrored(schema, &call.arguments).map_err(anyhow::Error::msg)?;
            sets.push((Mix::new(made, &client.protocol), vec![headers]));
        }
        Ok(Self { calls, session: Session::new(client, sets, 0) })
    }

    fn answer(&mut self, request: &Request) -> anyhow::Result<String> {
        Ok(match request {
            Request::List => serde_json::to_string(&self.listing())?,
            Request::Prepare { benchmark } => {
                let Some((set, _)) = self.row(benchmark) else { return unknown(benchmark) };
                self.session.choose(set);
                let taken = self.drive(set, End { after: PATIENCE, calls: WARM_UP })?;
                let call_ns = taken.response.quantile(0.5).unwrap_or(1).max(1);
                serde_json::to_string(&Prepared { checksum: 1, call_ns })?
            }
            Request::Turn { benchmark, settle_ns, slices, iters, .. } => {
                let Some((set, tail)) = self.row(benchmark) else { return unknown(benchmark) };
                self.session.choose(set);
                let slices = if tail {
                    self.tail(set, *slices)?
                } else {
                    self.typical(set, *settle_ns, *slices, *iters)?
                };
                serde_json::to_string(&Turned { slices })?
            }
            Request::Count { .. } => refused("calls of a server are not counted".to_owned())?,
        })
    }

    /// Two rows a call: its p50 under its name, and p99.
    fn listing(&self) -> Listing {
        let row = |name: String, long: bool| Listed {
            common: BenchmarkInfo { name, answer: 1, count_answer: 1, long, code: Vec::new() },
            slow: true,
        };
        let typical = self.calls.iter().map(|call| row(call.name.clone(), false));
        let tails = self.calls.iter().map(|call| row(call.name.clone() + TAIL_ROW.1, true));
        Listing {
            protocol: PROTOCOL_VERSION,
            subject: self.session.client.name.clone().unwrap_or_default(),
            benchmarks: typical.chain(tails).collect(),
        }
    }

    /// The call that a row is about, and whether it is about its tail.
    fn row(&self, name: &str) -> Option<(usize, bool)> {
        let (call, tail) = match name.strip_suffix(TAIL_ROW.1) {
            Some(call) => (call, true),
            None => (name, false),
        };
        Some((self.calls.iter().position(|known| known.name == call)?, tail))
    }

    /// Slices of `iters` calls. The wall time of one is that of so many calls at its median.
    fn typical(&mut self, set: usize, settle_ns: u64, slices: u32, iters: u64) -> anyhow::Result<Vec<Slice>> {
        self.settle(set, Duration::from_nanos(settle_ns))?;
        let mut timed = Vec::new();
        for _ in 0..slices {
            let taken = self.drive(set, End { after: PATIENCE * 10, calls: iters })?;
            let p50 = taken.response.quantile(0.5).unwrap_or(1);
            timed.push(Slice { iters, wall_ns: p50 * iters, cpu_ns: 0, checksum: taken.calls });
        }
        Ok(timed)
    }

    /// Slices of one call, which took as long as p99 of all calls within [`TAIL`].
    fn tail(&mut self, set: usize, slices: u32) -> anyhow::Result<Vec<Slice>> {
        self.settle(set, SETTLE)?;
        let mut timed = Vec::new();
        for _ in 0..slices {
            let taken = self.drive(set, End { after: TAIL, calls: u64::MAX })?;
            let wall_ns = taken.response.quantile(TAIL_ROW.0).unwrap_or(1);
            timed.push(Slice { iters: 1, wall_ns, cpu_ns: 0, checksum: u64::from(taken.calls > 0) });
        }
        Ok(timed)
    }

    fn settle(&mut self, set: usize, after: Duration) -> anyhow::Result<()> {
        if !after.is_zero() {
            self.drive(set, End { after, calls: u64::MAX })?;
        }
        Ok(())
    }

    /// Makes calls. The answer of each was held against what is due; the first fault ends the bridge.
    fn drive(&mut self, set: usize, end: End) -> anyhow::Result<Taken> {
        let load = Load::Closed { in_flight: self.calls[set].in_flight };
        let stretch = Stretch { load, end, seed: 0, alone: false, give_up: None };
        let (taken, fault) = self.session.drive(&stretch, &|| false);
        match fault {
            Some(fault) => bail!(fault),
            None => Ok(taken),
        }
    }
}

fn unknown(benchmark: &str) -> anyhow::Result<String> {
    refused(format!("unknown benchmark {benchmark:?}"))
}
