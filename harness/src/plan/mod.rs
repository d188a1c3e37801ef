//! What is to be built, measured and claimed: parsed from data, checked, and fixed before measuring.
//!
//! Nothing here does IO: callers hand in texts.

mod arm_table;
mod benchmark_table;
mod budget_table;
mod built_in;
mod calibrate;
mod defaults;
mod error;
mod ffi;
#[cfg(test)]
pub(crate) mod fixture;
mod flagset;
mod gate;
mod measure;
mod suite;
mod tool_call;
mod workload;

pub use budget_table::LAUNCH_LIMIT;
pub use calibrate::CrosstalkSettings;
pub use defaults::Defaults;
pub use error::PlanError;
pub use ffi::{Ffi, Library, Shape};
pub use flagset::{FlagSet, FlagSets};
pub use gate::{Bounds, GateSettings, TOLERANCE};
pub use measure::{Measure, Quantile, Unit};
pub(crate) use suite::hex;
pub use suite::{Suite, parse_suite};
pub use tool_call::ToolCall;
pub use workload::{
    Bench, Built, CargoBuild, Command, Gated, Server, Traits, Variant, Workload, WorkloadKind,
};

use serde::{Deserialize, Serialize};

/// The version of the record's plan and of everything that hangs on it.
pub const SCHEMA_VERSION: u32 = 2;

/// The commit or tree that a variant is built from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The files as they are in the work tree.
    Worktree,
    /// A commit, by its full hash.
    Commit(String),
}

/// What an arm is in an experiment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The arm that the others are compared with.
    Baseline,
    /// An arm that is compared with the baseline.
    Candidate,
    /// The baseline's variant again, on layouts of its own: its true ratio is 1.
    Control,
}

/// One variant's place in an experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Arm {
    /// The name that tables show: the flag set's, unless the suite names it otherwise.
    pub name: String,
    /// What it runs.
    pub workload: Workload,
    /// What it is compared as.
    pub role: Role,
    /// The slow-down that is injected into every call, as a fraction of its time; 0 but in calibrations.
    #[serde(default)]
    pub injected: f64,
}

impl Arm {
    /// The flag set's name; empty where there is none.
    #[must_use]
    pub fn flagset(&self) -> &str {
        self.workload.variant().map_or("", |variant| &variant.flagset)
    }

    /// The Cargo profile; empty where nothing is built.
    #[must_use]
    pub fn profile(&self) -> &str {
        self.workload.variant().map_or("", |variant| &variant.profile)
    }
}

/// How Cargo is run by an arm of a `build` suite; `None` leaves Cargo's own choice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BuildSettings {
    /// Parallel jobs.
    pub jobs: Option<u32>,
    /// Whether the target directory lies on a tmpfs instead of a disk.
    pub tmpfs: bool,
    /// Incremental compilation.
    pub incremental: Option<bool>,
    /// Codegen units of every crate.
    pub codegen_units: Option<u32>,
}

/// One row of an experiment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Benchmark {
    /// Its name in the subject.
    pub name: String,
    /// What each call must return.
    pub answer: u64,
    /// Whether one call is longer than a slice.
    pub long: bool,
    /// Path prefixes of the symbols that hold its code.
    pub code: Vec<String>,
    /// What is measured.
    pub measure: Measure,
    /// The unit of its values: the measure's own.
    pub unit: Unit,
    /// Bytes that a call has to read or write, where its time depends on them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<u64>,
    /// Elements that a call works through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elements: Option<u64>,
    /// Whether its subject knows no answer, so that what calls return was not checked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unchecked: bool,
}

impl Benchmark {
    /// A benchmark of which only the name is known yet: the time of a call.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self::of(name, Measure::Time)
    }

    /// A row of a measure.
    #[must_use]
    pub fn of(name: &str, measure: Measure) -> Self {
        Self {
            name: name.to_owned(),
            answer: 0,
            long: false,
            code: Vec::new(),
            measure,
            unit: measure.unit(),
            payload: None,
            elements: None,
            unchecked: false,
        }
    }
}

/// How much is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Launches, each on a layout of its own for every arm.
    pub launches: u32,
    /// Blocks a launch: one turn of every arm in each.
    #[serde(default = "default_blocks")]
    pub blocks: u32,
    /// Slices a turn.
    #[serde(default = "default_slices")]
    pub slices: u32,
    /// The longest that a slice should last, in ns.
    #[serde(default = "default_slice_ns")]
    pub slice_ns: u64,
    /// How long an arm runs untimed at the start of its turn, in ns.
    #[serde(default = "default_settle_ns")]
    pub settle_ns: u64,
    /// How long an arm may be silent beyond the time of its work before it is given up, in ms.
    #[serde(default = "default_patience_ms")]
    pub patience_ms: u64,
}

fn default_blocks() -> u32 {
    4
}

fn default_slices() -> u32 {
    4
}

/// Shorter than the scheduler's quantum: longer slices are interrupted on a busy machine.
fn default_slice_ns() -> u64 {
    300_000
}

/// Longer than a core needs to recover its clock after wide vectors of another arm (about 1 ms).
fn default_settle_ns() -> u64 {
    1_500_000
}

/// Set-up of the largest input on a machine ten times as busy takes less.
fn default_patience_ms() -> u64 {
    30_000
}

impl Budget {
    /// How long an arm may be silent beyond the time of its work.
    #[must_use]
    pub fn patience(&self) -> std::time::Duration {
        std::time::Duration::from_millis(self.patience_ms)
    }

    /// A budget of so many launches, all else as it is by default.
    #[must_use]
    pub fn of(launches: u32) -> Self {
        Self {
            launches,
            blocks: default_blocks(),
            slices: default_slices(),
            slice_ns: default_slice_ns(),
            settle_ns: default_settle_ns(),
            patience_ms: default_patience_ms(),
        }
    }
}

/// A statement about a ratio, fixed before the run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Claim {
    /// A short name, unique in the suite.
    pub id: String,
    /// The statement in words.
    pub text: String,
    /// The arm that it compares with.
    pub baseline: String,
    /// The arm that it speaks of.
    pub candidate: String,
    /// The least and the greatest speed-up (baseline value / candidate value) that make it true.
    pub margin: Margin,
    /// The benchmarks that it speaks of; empty means all of the suite that are not `long`.
    pub benchmarks: Vec<String>,
    /// The CPU that it speaks of, as LLVM names it (`znver4`); `None` means any.
    pub cpu: Option<String>,
}

/// A closed range of speed-ups.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Margin {
    /// The least.
    pub lo: f64,
    /// The greatest; infinite where the claim names no upper end.
    #[serde(with = "finite_or_null")]
    pub hi: f64,
}

/// JSON has no infinity: an open end is written as `null`.
mod finite_or_null {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's `with` hands references")]
    pub fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        value.is_finite().then_some(*value).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        Ok(Option::<f64>::deserialize(deserializer)?.unwrap_or(f64::INFINITY))
    }
}

/// Everything that was decided before measuring.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The suite's name.
    pub suite: String,
    /// SHA-256 of the suite file, claims included, in hex.
    pub digest: String,
    /// The arms, the baseline first, controls last.
    pub arms: Vec<Arm>,
    /// The rows. Before the subject was asked they are those that are known without it, which may be none.
    pub benchmarks: Vec<Benchmark>,
    /// How much is measured.
    pub budget: Budget,
    /// The smallest change of a ratio worth a name (0.01 is 1 %).
    pub noise_threshold: f64,
    /// What is claimed.
    pub claims: Vec<Claim>,
    /// The seed of every random choice: orders, layouts, pads.
    pub seed: u64,
}

impl Plan {
    /// The baseline's arm.
    ///
    /// # Panics
    /// Never: a plan is made with its baseline first.
    #[must_use]
    pub fn baseline(&self) -> &Arm {
        &self.arms[0]
    }

    /// Whether there are arms, all of one kind.
    ///
    /// # Errors
    /// A clause that names the arm.
    pub fn of_one_kind(&self) -> Result<(), String> {
        let Some(first) = self.arms.first() else { return Err("a plan without arms".to_owned()) };
        let same = |arm: &&Arm| arm.workload.kind() == first.workload.kind();
        match self.arms.iter().find(|arm| !same(arm)) {
            Some(other) => Err(format!("arm \"{}\" is of another kind than the first", other.name)),
            None => Ok(()),
        }
    }

    /// The kind of task that is measured.
    #[must_use]
    pub fn kind(&self) -> WorkloadKind {
        self.baseline().workload.kind()
    }

    /// What is known of that kind.
    #[must_use]
    pub fn traits(&self) -> Traits {
        self.kind().traits()
    }

    /// The row of a name: as it is known, else the time of a call.
    #[must_use]
    pub fn row(&self, name: &str) -> Benchmark {
        let known = self.benchmarks.iter().find(|benchmark| benchmark.name == name);
        known.cloned().unwrap_or_else(|| Benchmark::named(name))
    }

    /// The Python interpreter that libraries are called from: a name on `PATH`, or a path.
    #[must_use]
    pub fn python(&self) -> Option<&str> {
        self.baseline().workload.ffi().map(|ffi| ffi.python.as_str())
    }

    /// Calls from another interpreter; `false` where nothing is called from one.
    pub fn call_from(&mut self, python: &str) -> bool {
        let mut libraries = self.arms.iter_mut().filter_map(|arm| arm.workload.ffi_mut()).peekable();
        let any = libraries.peek().is_some();
        libraries.for_each(|ffi| python.clone_into(&mut ffi.python));
        any
    }

    /// Builds every arm under another profile.
    pub fn set_profile(&mut self, profile: &str) {
        let variants = self.arms.iter_mut().filter_map(|arm| arm.workload.variant_mut());
        variants.for_each(|variant| profile.clone_into(&mut variant.profile));
    }
}
