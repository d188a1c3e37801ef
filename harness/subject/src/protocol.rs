//! The wire types of the subject protocol: one JSON object a line, described in `harness/PROTOCOL.md`.

use serde::{Deserialize, Serialize};

/// The version that this library speaks.
pub const PROTOCOL_VERSION: u32 = 1;

/// What the lab asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// Name every benchmark. Answered by [`Listing`].
    List,
    /// Build the input of a benchmark, call it once, and estimate the time of a call. Answered by
    /// [`Prepared`].
    Prepare {
        /// The benchmark's name.
        benchmark: String,
    },
    /// Settle, then time some slices. Answered by [`Turned`].
    Turn {
        /// The benchmark's name.
        benchmark: String,
        /// How long to run untimed first, in ns.
        settle_ns: u64,
        /// How many slices to time.
        slices: u32,
        /// Calls a slice.
        iters: u64,
        /// Dependent steps of extra work for every 1,000 calls, done in one chain after the last of a batch.
        #[serde(default)]
        extra: u64,
    },
    /// Call the benchmark once on its count input, after one call that warms it. Answered by
    /// [`Counted`].
    Count {
        /// The benchmark's name.
        benchmark: String,
    },
}

/// What a subject can do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// The protocol version that the subject speaks.
    pub protocol: u32,
    /// The subject's own name.
    pub subject: String,
    /// Its benchmarks.
    pub benchmarks: Vec<BenchmarkInfo>,
}

/// One benchmark of a subject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BenchmarkInfo {
    /// Its name, unique in the subject.
    pub name: String,
    /// What each call must return on the measured input.
    pub answer: u64,
    /// What a call must return on the count input.
    pub count_answer: u64,
    /// Whether a single call is longer than a slice.
    #[serde(default)]
    pub long: bool,
    /// Path prefixes of the symbols that hold the measured code.
    #[serde(default)]
    pub code: Vec<String>,
}

/// The answer to [`Request::Prepare`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prepared {
    /// The checksum of one call.
    pub checksum: u64,
    /// The least time that a call took, in ns, at least 1.
    pub call_ns: u64,
}

/// The answer to [`Request::Turn`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turned {
    /// The timed batches, in order.
    pub slices: Vec<Slice>,
}

/// One timed batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slice {
    /// How many calls it holds.
    pub iters: u64,
    /// Wall clock, ns.
    pub wall_ns: u64,
    /// CPU time of the thread, ns.
    pub cpu_ns: u64,
    /// The wrapping sum of the calls' answers.
    pub checksum: u64,
}

/// The answer to [`Request::Count`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// What the counted call returned.
    pub checksum: u64,
}

/// The answer to a request that cannot be carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// What was wrong, in one sentence.
    pub error: String,
}
