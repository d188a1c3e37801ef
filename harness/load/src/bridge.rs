//! A server as a subject: it speaks the subject protocol with the lab and MCP with the server, so that an arm of a
//! `tool_call` suite is built, linked, launched, checked and judged like every other.

use std::io::{self, BufRead, Write};
use std::time::Duration;

use perflab_subject::protocol::{
    BenchmarkInfo, Listing, PROTOCOL_VERSION, Prepared, Refused, Request, Slice, Turned,
};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::latency::Load;
use crate::load::{Client, End, Program, Session, Stretch, Taken, calm_timer};
use crate::mcp::{CallEntry, CallsError, Fault, Mix, calls_of, find_tool, mirrored};
use crate::process::Invocation;

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Calls before the first timing.
const WARM_UP: u64 = 200;
/// How long the tail of a call is measured in a turn.
const TAIL: Duration = Duration::from_millis(40);
/// How long calls run untimed before that.
const SETTLE: Duration = Duration::from_millis(2);

/// A server with the suite's calls.
struct Bridge {
    calls: Vec<BridgedCall>,
    session: Session,
}

/// Why a bridge ended before whoever asks closed its end.
#[derive(Debug, thiserror::Error)]
pub enum BridgeError {
    /// The server went wrong.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The calls do not fit the server.
    #[error(transparent)]
    Calls(#[from] CallsError),
    /// Reading a request or writing an answer failed.
    #[error("the conversation with the lab broke off")]
    Broken(#[from] io::Error),
}

/// A call of a suite, as the lab hands it over.
#[derive(Clone, Debug, PartialEq)]
pub struct BridgedCall {
    /// Its name in tables.
    pub name: String,
    /// The tool.
    pub tool: String,
    /// Its arguments, with the templates of a file of calls.
    pub arguments: Map<String, Value>,
    /// A text that the answer has to hold.
    pub expect: Option<String>,
    /// The whole structured content that is expected.
    pub expect_structured: Option<Value>,
    /// Calls in flight.
    pub in_flight: u32,
    /// What is measured of it: a row each.
    pub rows: Vec<BridgedRow>,
}

/// A row of a call: one quantile of its response times.
#[derive(Clone, Debug, PartialEq)]
pub struct BridgedRow {
    /// Its name in tables.
    pub name: String,
    /// The quantile, between 0 and 1, where it is about the tail; `None` for the median. A tail takes a turn of its own
    /// length.
    pub tail: Option<f64>,
}

/// Starts the server of `invocation`, and answers the requests of `input` with its calls until there are no more.
///
/// # Errors
/// A [`BridgeError`]: whoever asks sees the answers end.
pub fn serve(
    calls: Vec<BridgedCall>,
    invocation: Invocation,
    input: impl BufRead,
    mut output: impl Write,
) -> Result<(), BridgeError> {
    calm_timer();
    let mut bridge = Bridge::start(calls, invocation)?;
    for line in input.lines() {
        let mut answer = match serde_json::from_str(&line?) {
            Ok(request) => bridge.answer(&request)?,
            Err(error) => refused(format!("not a request: {error}"))?,
        };
        answer.push('\n');
        output.write_all(answer.as_bytes()).and_then(|()| output.flush())?;
    }
    bridge.session.client.end();
    Ok(())
}

fn refused(error: String) -> Result<String, BridgeError> {
    said(&Refused { error })
}

/// A message as a line holds it.
fn said(message: &impl Serialize) -> Result<String, BridgeError> {
    serde_json::to_string(message).map_err(|error| BridgeError::Broken(error.into()))
}

impl Bridge {
    fn start(calls: Vec<BridgedCall>, invocation: Invocation) -> Result<Self, BridgeError> {
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
            let schema = &find_tool(&tools, &call.tool).map_err(CallsError)?.input;
            let headers = mirrored(schema, &call.arguments).map_err(CallsError)?;
            sets.push((Mix::new(made, &client.protocol), vec![headers]));
        }
        Ok(Self { calls, session: Session::new(client, sets, 0) })
    }

    fn answer(&mut self, request: &Request) -> Result<String, BridgeError> {
        match request {
            Request::List => said(&self.listing()),
            Request::Prepare { benchmark } => {
                let Some((set, _)) = self.row(benchmark) else { return unknown(benchmark) };
                self.session.choose(set);
                let taken = self.drive(set, End { after: PATIENCE, calls: WARM_UP })?;
                // Why at least 1 here: the lab divides the length of a slice by this to learn how many calls fill it.
                // Only where no call was made at all is there no median; that does not pass as a call for free,
                // since the checksum of the first turn counts the calls.
                let call_ns = taken.response.quantile(0.5).unwrap_or(1).max(1);
                said(&Prepared { checksum: 1, call_ns, ..Prepared::default() })
            }
            Request::Turn { benchmark, settle_ns, slices, iters, .. } => {
                let Some((set, tail)) = self.row(benchmark) else { return unknown(benchmark) };
                self.session.choose(set);
                let slices = match tail {
                    Some(quantile) => self.tail(set, quantile, *slices)?,
                    None => self.typical(set, *settle_ns, *slices, *iters)?,
                };
                said(&Turned { slices })
            }
            Request::Count { .. } => refused("calls of a server are not counted".to_owned()),
        }
    }

    /// A row a call and quantile: the medians first, then the tails.
    fn listing(&self) -> Listing {
        let of = |tails: bool| {
            let rows = self.calls.iter().flat_map(|call| &call.rows);
            rows.filter(move |row| row.tail.is_some() == tails).map(|row| BenchmarkInfo {
                name: row.name.clone(),
                answer: 1,
                count_answer: 1,
                long: row.tail.is_some(),
                // A call of a server may take longer than one of a kernel.
                slow: true,
                ..BenchmarkInfo::default()
            })
        };
        Listing {
            protocol: PROTOCOL_VERSION,
            subject: self.session.client.name.clone().unwrap_or_default(),
            benchmarks: of(false).chain(of(true)).collect(),
        }
    }

    /// The call that a row is about, and the quantile of its tail; `None` for its median.
    fn row(&self, name: &str) -> Option<(usize, Option<f64>)> {
        let of = |(set, call): (usize, &BridgedCall)| {
            Some((set, call.rows.iter().find(|row| row.name == name)?.tail))
        };
        self.calls.iter().enumerate().find_map(of)
    }

    /// Slices of `iters` calls. The wall time of one is that of so many calls at its median.
    fn typical(
        &mut self,
        set: usize,
        settle_ns: u64,
        slices: u32,
        iters: u64,
    ) -> Result<Vec<Slice>, BridgeError> {
        self.settle(set, Duration::from_nanos(settle_ns))?;
        let mut timed = Vec::new();
        for _ in 0..slices {
            let taken = self.drive(set, End { after: PATIENCE * 10, calls: iters })?;
            let p50 = taken.response.quantile(0.5).unwrap_or(1);
            timed.push(Slice { iters, wall_ns: p50 * iters, cpu_ns: 0, checksum: taken.calls });
        }
        Ok(timed)
    }

    /// Slices of one call, which took as long as a quantile of all calls within [`TAIL`].
    fn tail(&mut self, set: usize, quantile: f64, slices: u32) -> Result<Vec<Slice>, BridgeError> {
        self.settle(set, SETTLE)?;
        let mut timed = Vec::new();
        for _ in 0..slices {
            let taken = self.drive(set, End { after: TAIL, calls: u64::MAX })?;
            let wall_ns = taken.response.quantile(quantile).unwrap_or(1);
            timed.push(Slice { iters: 1, wall_ns, cpu_ns: 0, checksum: u64::from(taken.calls > 0) });
        }
        Ok(timed)
    }

    fn settle(&mut self, set: usize, after: Duration) -> Result<(), BridgeError> {
        if !after.is_zero() {
            self.drive(set, End { after, calls: u64::MAX })?;
        }
        Ok(())
    }

    /// Makes calls. The answer of each was held against what is due; the first fault ends the bridge.
    fn drive(&mut self, set: usize, end: End) -> Result<Taken, BridgeError> {
        let load = Load::Closed { in_flight: self.calls[set].in_flight };
        let stretch = Stretch { load, end, seed: 0, alone: false, give_up: None };
        let (taken, fault) = self.session.drive(&stretch, &|| false);
        match fault {
            Some(fault) => Err(fault.into()),
            None => Ok(taken),
        }
    }
}

fn unknown(benchmark: &str) -> Result<String, BridgeError> {
    refused(format!("unknown benchmark {benchmark:?}"))
}
