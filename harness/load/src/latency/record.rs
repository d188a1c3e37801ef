//! What a latency record holds: `latency.json`.

use serde::{Deserialize, Serialize};

use crate::latency::{Comparison, Distribution, Slope};
use crate::machine::Environment;
use crate::mcp::{Era, Fault};

/// Who was measured. A record writes it as a word: `server`, `null_server`, `peer_3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Member {
    /// The server after `--`: the baseline of a comparison.
    Server,
    /// The one that it is compared with.
    Against,
    /// The baseline's command once more: the A/A control.
    Control,
    /// The hand-rolled server without a library: what the work itself costs.
    NullServer,
    /// The same over HTTP, in a field that has servers of both kinds.
    NullHttp,
    /// `cat`: what a pipe and this lab cost.
    Pipe,
    /// The null server's own call, timed by itself in its process: the work without a way to it.
    InProcess,
    /// Another server of a field, by its place in the file.
    Peer(u8),
}

/// The members that have one word each.
const WORDS: [(Member, &str); 7] = [
    (Member::Server, "server"),
    (Member::Against, "against"),
    (Member::Control, "control"),
    (Member::NullServer, "null_server"),
    (Member::NullHttp, "null_http"),
    (Member::Pipe, "pipe"),
    (Member::InProcess, "in_process"),
];

impl From<Member> for String {
    fn from(member: Member) -> Self {
        if let Member::Peer(place) = member {
            return format!("peer_{place}");
        }
        let word = WORDS.iter().find(|(known, _)| *known == member);
        word.map_or_else(Self::new, |(_, word)| (*word).to_owned())
    }
}

impl TryFrom<String> for Member {
    type Error = String;

    fn try_from(word: String) -> Result<Self, String> {
        let known = WORDS.iter().find(|(_, known)| *known == word).map(|(member, _)| *member);
        let peer = || word.strip_prefix("peer_")?.parse().ok().map(Self::Peer);
        known.or_else(peer).ok_or_else(|| format!("there is no member “{word}”"))
    }
}

/// Where client and server run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Placement {
    /// Both on one core.
    Same,
    /// Each on a core of its own.
    Split,
}

/// When calls are made.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "loop", rename_all = "snake_case")]
pub enum Load {
    /// The next one when one of so many is answered.
    Closed {
        /// Calls in flight.
        in_flight: u32,
    },
    /// At times that are fixed beforehand.
    Open {
        /// Calls a second.
        rate: f64,
        /// A Poisson process; evenly spaced otherwise.
        poisson: bool,
    },
}

/// What a run asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// How long calls take.
    Latency,
    /// The highest rate with a bounded p99.
    Capacity,
    /// From the start of the process to its first answers.
    ColdStart,
    /// Latency and memory over time.
    Soak,
    /// What taking a call back does.
    Cancel,
    /// Latency along a parameter.
    Sweep,
    /// Several servers, side by side.
    Field,
}

/// How far a run came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LatencyState {
    /// All that was asked for is in it.
    Finished,
    /// The user stopped it.
    Stopped,
    /// A server failed: what was finished before is in it.
    Failed,
}

/// What a server says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerFacts {
    /// Who it is.
    pub member: Member,
    /// What it is called in tables; by its member where there is none.
    #[serde(default)]
    pub label: Option<String>,
    /// How it is built or configured, where that was said.
    #[serde(default)]
    pub details: Option<String>,
    /// The floor that its times are set against.
    #[serde(default)]
    pub floor: Option<Member>,
    /// Its command.
    pub command: String,
    /// Its own name and version, where it tells them.
    pub name: Option<String>,
    /// The era that it was spoken with; `None` where it is not an MCP server.
    pub era: Option<Era>,
    /// The version that was agreed on.
    pub version: Option<String>,
    /// `stdio` or `http`.
    pub transport: String,
    /// Its tools.
    pub tools: usize,
    /// The tools that were called.
    pub called: Vec<String>,
}

/// One process of one series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LaunchOf {
    /// When its measurement began, in seconds since the Unix epoch.
    pub began: f64,
    /// How long it was measured, in seconds.
    pub seconds: f64,
    /// Calls that were answered rightly.
    pub calls: u64,
    /// Its percentiles in the order of [`crate::latency::QUANTILES`], in ns.
    pub quantiles_ns: Vec<u64>,
    /// Its longest call, in ns.
    pub max_ns: u64,
    /// From its start to its first answer, in ns.
    pub ready_ns: Option<u64>,
    /// From its start to the answer of its first tool call, in ns.
    pub first_call_ns: Option<u64>,
    /// CPU time of the server a call, in ns.
    pub cpu_ns: Option<f64>,
    /// CPU time of the lab's client a call, in ns.
    pub own_cpu_ns: f64,
    /// The most memory that it held, in bytes.
    pub peak_rss: Option<u64>,
}

/// One thing that was measured, over launches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// Who.
    pub member: Member,
    /// Where.
    pub placement: Placement,
    /// Under which load.
    pub load: Load,
    /// The point of a sweep, or a window of another mode; empty otherwise.
    pub label: String,
    /// The launches.
    pub launches: Vec<LaunchOf>,
    /// Answers a second, over all launches.
    pub per_second: f64,
    /// From when a call was due to its answer. In a closed loop a call is due when it is sent.
    pub response: Distribution,
    /// From when a call was sent to its answer; `None` in a closed loop, where it is the same.
    pub service: Option<Distribution>,
    /// How late the client itself was; `None` in a closed loop, which cannot be late.
    pub lag: Option<Distribution>,
    /// Answers that came in another order than their calls, which JSON-RPC allows.
    pub out_of_order: u64,
    /// Calls that were due and given up, because the server or the client fell too far behind.
    pub given_up: u64,
    /// The histogram logs, below the record.
    pub hlog: Vec<String>,
}

/// A server against the baseline, at one placement and load.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Versus {
    /// Who is compared with the baseline.
    pub member: Member,
    /// Where.
    pub placement: Placement,
    /// Which calls, in a field; empty otherwise.
    #[serde(default)]
    pub label: String,
    /// A row a percentile.
    pub rows: Vec<Comparison>,
}

/// One rate of a search for the capacity.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rung {
    /// Calls a second that were due.
    pub rate: f64,
    /// Calls a second that were answered.
    pub answered: f64,
    /// p50 of the response time, in ns.
    pub p50_ns: u64,
    /// p99 of the response time, in ns.
    pub p99_ns: u64,
    /// p50 of the client's own lag, in ns.
    pub lag_p50_ns: u64,
    /// p99 of it, in ns.
    pub lag_p99_ns: u64,
    /// Whether the rate was held.
    pub held: bool,
}

/// The capacity of a server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Capacity {
    /// Who.
    pub member: Member,
    /// Where.
    pub placement: Placement,
    /// The bound on p99 of the response time, in ns.
    pub limit_ns: u64,
    /// The highest rate that was held; 0 where none was.
    pub held: f64,
    /// The lowest that was not; `None` where the search ended before.
    pub failed: Option<f64>,
    /// Whether it is the client, and not the server, that could go no faster.
    pub client_bound: bool,
    /// What was tried.
    pub rungs: Vec<Rung>,
}

/// A window of a soak.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Window {
    /// Its middle, in seconds from the beginning.
    pub at: f64,
    /// Calls in it.
    pub calls: u64,
    /// p50 in ns.
    pub p50_ns: u64,
    /// p99 in ns.
    pub p99_ns: u64,
    /// The longest, in ns.
    pub max_ns: u64,
    /// Memory at its end, in bytes.
    pub rss: u64,
}

/// Memory over a soak.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// Who.
    pub member: Member,
    /// The windows.
    pub windows: Vec<Window>,
    /// Growth in bytes a second over the last three quarters; `None` with too few windows.
    pub growth: Option<Slope>,
    /// Growth in bytes a call, from the same line.
    pub bytes_a_call: Option<f64>,
}

/// What taking calls back did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cancellation {
    /// Who.
    pub member: Member,
    /// Calls that were cancelled.
    pub cancelled: u64,
    /// Of those, calls that were answered before.
    pub answered_before: u64,
    /// Of those, calls that were answered all the same.
    pub answered_after: u64,
    /// From cancelling to the answer of a request that was sent right behind.
    pub free_again: Distribution,
    /// CPU time of the server in the grace time after it, in ns: the median.
    pub cpu_after_ns: Option<u64>,
    /// The grace time, in ns.
    pub grace_ns: u64,
}

/// `latency.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LatencyFile {
    /// The schema's version.
    pub schema: u32,
    /// perflab's version.
    pub perflab: String,
    /// The record's name: its directory's.
    pub name: String,
    /// When it was started (UTC, ISO 8601).
    pub started: String,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// The command that measures the same again.
    pub command: String,
    /// How far it came.
    pub state: LatencyState,
    /// What it asked.
    pub mode: Mode,
    /// The seed of every random choice.
    pub seed: u64,
    /// The smallest change of a ratio worth a name.
    pub noise_threshold: f64,
    /// Where it ran.
    pub environment: Environment,
    /// The field's name, of which the markers in a document are.
    #[serde(default)]
    pub field: Option<String>,
    /// Instructions a call.
    #[serde(default)]
    pub instructions: Vec<Instructions>,
    /// Who was measured.
    pub servers: Vec<ServerFacts>,
    /// The distributions.
    pub series: Vec<Series>,
    /// The comparisons.
    pub versus: Vec<Versus>,
    /// The capacities.
    pub capacities: Vec<Capacity>,
    /// The soaks.
    pub memories: Vec<Memory>,
    /// The cancellations.
    pub cancellations: Vec<Cancellation>,
    /// What servers did wrong.
    pub faults: Vec<Failed>,
    /// What else should be known, each a sentence.
    pub notes: Vec<String>,
    /// Why no number of this run counts; `None` when they do.
    pub void: Option<String>,
}

/// What a call executes in the server's own code, the kernel left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Instructions {
    /// Whose.
    pub member: Member,
    /// Which calls, in a field; empty otherwise.
    pub label: String,
    /// Instructions a call; `None` where they could not be counted.
    pub a_call: Option<f64>,
    /// How they were counted, or why not.
    pub how: String,
}

/// A fault and whose it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    /// Whose.
    pub member: Member,
    /// The launch, from 0.
    pub launch: u32,
    /// What it did.
    #[serde(flatten)]
    pub fault: Fault,
    /// The same in a sentence.
    pub says: String,
}

impl LatencyFile {
    /// What is known of a member.
    #[must_use]
    pub fn facts(&self, member: Member) -> Option<&ServerFacts> {
        self.servers.iter().find(|facts| facts.member == member)
    }
}

/// The version of [`LatencyFile`].
pub const LATENCY_SCHEMA: u32 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_words_and_read_back() {
        let all = WORDS.iter().map(|(member, _)| *member).chain([Member::Peer(0), Member::Peer(200)]);
        for member in all {
            let word = serde_json::to_value(member).unwrap();
            assert_eq!(serde_json::from_value::<Member>(word.clone()).unwrap(), member, "{word}");
        }
        assert_eq!(serde_json::to_value(Member::Peer(3)).unwrap(), "peer_3");
        for wrong in ["peer_", "peer_256", "peer", "Server", ""] {
            assert!(Member::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }
}
