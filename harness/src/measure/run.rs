//! What measuring returns: raw samples as integers, and every failure as a row with its reason.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::build::BuildError;
use crate::plan::Unit;

/// One reading, as it was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The value.
    pub value: u64,
    /// What it counts: the unit of its row.
    pub unit: Unit,
}

/// One batch of one arm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    /// Calls in it.
    pub iters: u64,
    /// What they took together; where nothing is called, the value itself.
    pub sample: Sample,
    /// CPU time of the measuring thread, in ns; 0 where one thread's time says nothing.
    pub cpu_ns: u64,
    /// Wall clock of the same loop without its calls, in ns; 0 where the subject's loop costs nothing worth
    /// subtracting.
    pub loop_ns: u64,
}

impl Slice {
    /// A value that is not a sum over calls.
    #[must_use]
    pub fn once(sample: Sample) -> Self {
        Self { iters: 1, sample, cpu_ns: 0, loop_ns: 0 }
    }
}

/// What one arm did before the next arm's turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Index into the plan's benchmarks.
    pub benchmark: usize,
    /// The block, from 0.
    pub block: u32,
    /// The turn's place in its block, from 0.
    pub position: u32,
    /// Index into the plan's arms.
    pub arm: usize,
    /// The batches, in order.
    pub slices: Vec<Slice>,
}

/// One arm's process in a launch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaunchArm {
    /// Index into the plan's arms.
    pub arm: usize,
    /// The seed that its layout was linked with; `None` where layouts cannot be made.
    pub layout: Option<u64>,
    /// Bytes of padding in its environment.
    pub pad: u32,
    /// The most memory that the process held, in bytes; `None` where the system does not tell.
    pub peak_rss: Option<u64>,
    /// The exit code of a command; `None` where a signal ended it, and of a process that stays for its whole launch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<i32>,
    /// The signal that ended a command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
}

/// One start of one process per arm. The unit of replication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launch {
    /// Its number, from 0.
    pub index: u32,
    /// The processes.
    pub arms: Vec<LaunchArm>,
    /// Everything that they timed.
    pub turns: Vec<Turn>,
}

/// Why an arm, or one benchmark of it, has no numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FailureReason {
    /// This CPU lacks features that the arm's code needs.
    MissingFeatures {
        /// Their names.
        features: Vec<String>,
    },
    /// The process was ended by an illegal instruction in spite of the census.
    IllegalInstruction,
    /// Another signal ended the process.
    Signal {
        /// Its number.
        signal: i32,
    },
    /// The process ended by itself.
    Exited {
        /// Its exit code.
        code: i32,
        /// The last lines of its stderr.
        stderr: String,
    },
    /// No answer in time.
    TimedOut {
        /// How long was waited, in ms.
        after_ms: u64,
    },
    /// A call returned something else than the answer that the subject declares.
    WrongAnswer {
        /// The expected checksum.
        expected: u64,
        /// The checksum that was found.
        found: u64,
    },
    /// The subject keeps its word, and declares another answer than the first arm that has the benchmark.
    OtherTask {
        /// The answer that the first arm declares.
        expected: u64,
        /// The answer that this one declares.
        declared: u64,
    },
    /// A command wrote something else to stdout than the first run of the baseline did.
    OtherOutput,
    /// The executable does not speak the subject protocol.
    NotASubject {
        /// What it said instead; empty where it answers, and breaks the protocol in another way.
        said: String,
        /// How its answer breaks the protocol, in a clause; empty where it is not an answer.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        broken: String,
    },
    /// The subject has several benchmarks of one name, which nothing tells apart.
    RepeatedName {
        /// The name.
        name: String,
    },
    /// The subject does not have the benchmark.
    UnknownBenchmark,
    /// The benchmark is not one that the subject's kind can offer.
    NotOffered {
        /// Why, in a clause.
        why: String,
    },
    /// The subject has the benchmark and says why it cannot be measured: it panics, or never times anything.
    CannotBeMeasured {
        /// Why, in a clause.
        why: String,
    },
    /// This machine lacks a program or a file that the arm needs.
    MissingTool {
        /// What is missing, in a clause.
        what: String,
        /// What to do about it.
        remedy: String,
    },
    /// Cargo or the linker could not make the artifact.
    NotBuilt {
        /// The first error, in the tool's words.
        error: String,
        /// The file that held all of them; empty where none was kept.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        log: String,
    },
    /// The instructions of a call could not be counted.
    NotCounted {
        /// Why, in a clause.
        why: String,
    },
    /// A single call takes longer than a slice may, and the benchmark is not marked `long`.
    TooLong {
        /// The time of a call, in ns.
        call_ns: u64,
    },
}

/// A failure is a row with a reason, never a gap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunFailure {
    /// The arm's name.
    pub arm: String,
    /// The benchmark's name, where the failure concerns one only.
    pub benchmark: Option<String>,
    /// The launch in which it happened; `None` before the first.
    pub launch: Option<u32>,
    /// Why.
    pub reason: FailureReason,
}

impl FailureReason {
    /// That a process does not speak the subject protocol, and `said` this instead.
    pub(crate) fn said(said: impl Into<String>) -> Self {
        Self::NotASubject { said: said.into(), broken: String::new() }
    }

    /// That a process answers, and its answer breaks the protocol: how, in a clause.
    pub(crate) fn broken(how: impl Into<String>) -> Self {
        Self::NotASubject { said: String::new(), broken: how.into() }
    }

    /// That something could not be made, by words that are all there is.
    pub(crate) fn not_built(error: impl Into<String>) -> Self {
        Self::NotBuilt { error: error.into(), log: String::new() }
    }

    /// Why there is no artifact.
    pub(crate) fn of_build(error: BuildError) -> Self {
        match error {
            BuildError::Missing { what, remedy } => Self::MissingTool { what, remedy },
            BuildError::Compile { error, log } => {
                Self::NotBuilt { error, log: log.map_or_else(String::new, |log| log.display().to_string()) }
            }
            other => Self::not_built(other.to_string()),
        }
    }
}

impl RunFailure {
    /// Whether something is broken, and not merely that this machine lacks what an arm needs, or that the arm is of
    /// a kind that has no such benchmark.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        use FailureReason::{MissingFeatures, MissingTool, NotOffered};
        !matches!(self.reason, MissingFeatures { .. } | MissingTool { .. } | NotOffered { .. })
    }
}

/// What is known of an arm's artifact: columns of their own in every report.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ArmFacts {
    /// The arm's name.
    pub arm: String,
    /// The flags that rustc was given.
    pub flags: Vec<String>,
    /// SHA-256 of the artifact as Cargo left it, in hex.
    pub digest: String,
    /// Its size, in bytes.
    pub file_bytes: u64,
    /// The size of its code, in bytes.
    pub text_bytes: u64,
    /// Seconds that Cargo took when it last compiled every crate of it; `None` where some were there before.
    pub build_seconds: Option<f64>,
    /// CPU features that its instructions need.
    pub required: Vec<String>,
    /// Of those, the ones beyond its flag set: code behind a run-time check.
    pub dispatched: Vec<String>,
    /// Instructions by the widest register that they use: `scalar`, `xmm`, `ymm`, `zmm`, `mask`.
    pub widths: BTreeMap<String, u64>,
    /// The same, for the measured functions of each benchmark.
    pub benchmark_widths: BTreeMap<String, BTreeMap<String, u64>>,
    /// The arm that has identical code and was measured in its stead.
    pub identical_to: Option<String>,
    /// Compilers other than rustc that left their name in it: code that no flag set reaches.
    pub foreign_code: Vec<String>,
    /// The rustc that compiled it, by its own words; empty where none did, and in records of labs that did not ask.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub compiler: String,
    /// SHA-256 of the source files of the workspace that it was built from, with their paths, in hex; empty where Cargo
    /// built nothing. Equal trees have equal ones.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sources: String,
    /// Settings of its profile that are not those of the manifest, a clause each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overridden: Vec<String>,
    /// Whether a linker other than lld made it, so that its layout could not be varied.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub other_linker: bool,
}

/// Everything that was measured.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Run {
    /// The finished launches.
    pub launches: Vec<Launch>,
    /// What went wrong.
    pub failures: Vec<RunFailure>,
    /// The arms' artifacts, in the plan's order.
    pub facts: Vec<ArmFacts>,
}
