//! The wire types of the subject protocol: one JSON object a line, described in `harness/PROTOCOL.md`.

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

pub use crate::wire::RequestError;

/// The version that this library speaks.
pub const PROTOCOL_VERSION: u32 = 1;

/// What the lab asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "serde", serde(tag = "op", rename_all = "snake_case", deny_unknown_fields))]
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
        #[cfg_attr(feature = "serde", serde(default))]
        extra: u64,
    },
    /// Call the benchmark once on its count input, after one call that warms it. Answered by
    /// [`Counted`].
    Count {
        /// The benchmark's name.
        benchmark: String,
    },
}

impl Request {
    /// The benchmark that it is about.
    #[must_use]
    pub fn benchmark(&self) -> Option<&str> {
        match self {
            Self::List => None,
            Self::Prepare { benchmark } | Self::Turn { benchmark, .. } | Self::Count { benchmark } => {
                Some(benchmark)
            }
        }
    }
}

/// What a subject can do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Listing {
    /// The protocol version that the subject speaks.
    pub protocol: u32,
    /// The subject's own name.
    pub subject: String,
    /// Its benchmarks.
    pub benchmarks: Vec<BenchmarkInfo>,
}

/// The answer of a benchmark whose answer nobody knows: 1 a call, so that checksums still count calls.
pub const UNKNOWN_ANSWER: u64 = 1;

/// One benchmark of a subject.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct BenchmarkInfo {
    /// Its name, unique in the subject.
    pub name: String,
    /// What each call must return on the measured input.
    pub answer: u64,
    /// What a call must return on the count input.
    pub count_answer: u64,
    /// Whether a single call is longer than a slice.
    #[cfg_attr(feature = "serde", serde(default))]
    pub long: bool,
    /// Path prefixes of the symbols that hold the measured code.
    #[cfg_attr(feature = "serde", serde(default))]
    pub code: Vec<String>,
    /// Whether a call here may take longer than the lab likes, though it is not a task of the `long` kind.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "std::ops::Not::not"))]
    pub slow: bool,
    /// Whether the subject knows no answer: `answer` is [`UNKNOWN_ANSWER`], and what calls return is not looked at.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "std::ops::Not::not"))]
    pub unchecked: bool,
    /// Bytes that a call has to read or write, where its time depends on them.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub payload: Option<u64>,
    /// Elements that a call works through.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub elements: Option<u64>,
}

/// The answer to [`Request::Prepare`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Prepared {
    /// The checksum of one call.
    pub checksum: u64,
    /// The least time that a call took, in ns, at least 1.
    pub call_ns: u64,
    /// The least time that a call took with its set-up, in ns, where set-up is not timed; 0 where there is none.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_zero"))]
    pub whole_ns: u64,
    /// Whether the subject has found that a single call is longer than a slice, and its listing could not know.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "std::ops::Not::not"))]
    pub long: bool,
}

#[cfg(feature = "serde")]
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's `skip_serializing_if` hands references")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// The answer to [`Request::Turn`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Turned {
    /// The timed batches, in order.
    pub slices: Vec<Slice>,
}

/// One timed batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Slice {
    /// How many calls it holds.
    pub iters: u64,
    /// Wall clock, ns.
    pub wall_ns: u64,
    /// CPU time of the thread, ns; 0 where one thread's time says nothing.
    pub cpu_ns: u64,
    /// The wrapping sum of the calls' answers.
    pub checksum: u64,
}

/// The answer to [`Request::Count`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Counted {
    /// What the counted call returned.
    pub checksum: u64,
}

/// The answer to a request that cannot be carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Refused {
    /// What was wrong, in one sentence.
    pub error: String,
}

/// How a refusal begins that says why a benchmark which the subject has cannot be measured.
pub const CANNOT_BE_MEASURED: &str = "cannot be measured: ";
