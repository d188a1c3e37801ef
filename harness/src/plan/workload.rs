//! The kinds of task that the lab measures, each with the data that it takes.
//!
//! This file is the list of kinds: their data, what else is known of each ([`Traits`]), and nothing of how they are
//! measured. A new kind is a variant here, its keys in `plan/arm_table.rs`, a file in `experiment` that knows how to
//! build, launch and give a turn to it, and the place there that starts it. No other file asks for the kind.
//!
//! The kinds are variants and not objects behind a trait of build, launch and turn: they share no state, a plan holds
//! one kind, and matching lets the compiler list what a new kind has to say.

use serde::{Deserialize, Serialize};

use crate::plan::{Benchmark, BuildSettings, Ffi, Library, Measure, Source, ToolCall};

/// What an arm runs, with all that it takes to build, start and time it. The arms of a plan are of one kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Workload {
    /// A call inside a subject process, timed by the subject.
    Kernel(Variant),
    /// A build by Cargo: seconds, memory and sizes.
    Build(CargoBuild),
    /// A call from a Python interpreter into a shared library, timed by the interpreter.
    Ffi(Ffi),
    /// An MCP request to a server process, timed by the lab's client.
    ToolCall(Server),
    /// A whole run of a command: time, CPU time, memory.
    Command(Command),
}

/// A kind of workload without its data: what a calibration, a reference or a suite's first lines name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkloadKind {
    /// [`Workload::Kernel`].
    #[default]
    Kernel,
    /// [`Workload::Build`].
    Build,
    /// [`Workload::Ffi`].
    Ffi,
    /// [`Workload::ToolCall`].
    ToolCall,
    /// [`Workload::Command`].
    Command,
}

/// What Cargo is asked to build: package × features × flag set × profile × source.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Variant {
    /// The package that holds the subject; empty for a library that Cargo does not build.
    pub package: String,
    /// Its binary target; in `ffi` suites the name of the library, which is the module's; the bench target where
    /// [`Self::bench`] says so.
    pub bin: String,
    /// How a bench target is made a subject; `None` where what is built is not one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bench: Option<Bench>,
    /// Cargo features of the package, besides its defaults.
    pub features: Vec<String>,
    /// Whether the package's default features are on.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub default_features: bool,
    /// The flag set's name; empty for a library that Cargo does not build.
    pub flagset: String,
    /// The Cargo profile.
    pub profile: String,
    /// Where the code comes from.
    pub source: Source,
}

/// How a bench target is measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bench {
    /// It is a subject: by itself, or since it is compiled against the lab's own form of criterion.
    #[default]
    Subject,
    /// By the criterion that the project itself names: one process a turn.
    Criterion,
    /// By the divan that the project itself names: one process a turn.
    Divan,
}

impl Bench {
    /// Which way that is, in the words of a suite.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::Criterion => "criterion",
            Self::Divan => "divan",
        }
    }
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's `skip_serializing_if` hands references")]
fn is_yes(value: &bool) -> bool {
    *value
}

/// A build that is measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CargoBuild {
    /// What is built.
    #[serde(flatten)]
    pub variant: Variant,
    /// How Cargo is run for it.
    pub settings: BuildSettings,
}

/// A server with the calls that are made to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Server {
    /// The server's program.
    #[serde(flatten)]
    pub variant: Variant,
    /// Its arguments.
    pub args: Vec<String>,
    /// The calls, the same for every arm.
    pub calls: Vec<ToolCall>,
}

/// A command that is run as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// The command, word by word; the first is the program.
    pub words: Vec<String>,
}

/// What is built for a kind of workload, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Built {
    /// Once, before measuring; then linked in another order for every launch.
    Once,
    /// In every turn: building is what is measured.
    EveryTurn,
    /// Never: what runs is there already.
    Never,
}

/// Which arms a gate takes where nobody says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gated {
    /// The baseline's.
    Baseline,
    /// Every arm that Cargo builds.
    EveryArm,
    /// None: no commit can be compared with another.
    None,
}

/// What everything outside of building and measuring has to know of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traits {
    /// What is built for it.
    pub built: Built,
    /// What can be measured of it by a row of the suite.
    pub measures: &'static [Measure],
    /// Whether a reader asks for the value itself, with an interval, and not only for its ratio to the baseline's.
    pub shows_values: bool,
    /// What tells its arms apart: `cpu` (flag sets), `arm` or `command`.
    pub arms_are: &'static str,
    /// Which arms its gates take.
    pub gated: Gated,
    /// The ending that names its calibrations.
    pub calibration: &'static str,
    /// Whether a known slow-down can be injected into a run of it.
    pub takes_injections: bool,
    /// Whether the process that the lab starts is the one whose memory counts.
    pub owns_memory: bool,
}

impl WorkloadKind {
    /// What is known of the kind.
    #[must_use]
    pub fn traits(self) -> Traits {
        let plain = Traits {
            built: Built::Once,
            measures: &[Measure::Time],
            shows_values: false,
            arms_are: "arm",
            gated: Gated::Baseline,
            calibration: "",
            takes_injections: true,
            owns_memory: true,
        };
        match self {
            Self::Kernel => Traits { arms_are: "cpu", ..plain },
            Self::Build => Traits {
                built: Built::EveryTurn,
                measures: &[Measure::CleanBuild, Measure::Rebuild, Measure::FileSize, Measure::Memory],
                gated: Gated::None,
                calibration: "-build",
                ..plain
            },
            Self::Ffi => Traits { shows_values: true, gated: Gated::EveryArm, calibration: "-ffi", ..plain },
            // The arm's own process is the client: its memory says nothing of the server, and it makes no extra work.
            // What is measured of a call stands with the call.
            Self::ToolCall => Traits {
                measures: &[],
                calibration: "-tool-calls",
                takes_injections: false,
                owns_memory: false,
                ..plain
            },
            Self::Command => Traits {
                built: Built::Never,
                measures: &[Measure::Time, Measure::CpuTime, Measure::Memory],
                arms_are: "command",
                calibration: "-command",
                ..plain
            },
        }
    }
}

impl Workload {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> WorkloadKind {
        match self {
            Self::Kernel(_) => WorkloadKind::Kernel,
            Self::Build(_) => WorkloadKind::Build,
            Self::Ffi(_) => WorkloadKind::Ffi,
            Self::ToolCall(_) => WorkloadKind::ToolCall,
            Self::Command(_) => WorkloadKind::Command,
        }
    }

    /// The rows that are known before anything was started, where the suite names none: all of a build and of a
    /// command, those of the calls that are made. A subject says what it has.
    #[must_use]
    pub fn rows(&self) -> Vec<Benchmark> {
        let long = |(name, measure)| Benchmark { long: true, ..Benchmark::of(name, measure) };
        match self {
            Self::Kernel(_) | Self::Ffi(_) => Vec::new(),
            Self::Build(_) => [
                ("clean build", Measure::CleanBuild),
                ("rebuild after an edit", Measure::Rebuild),
                ("executable size", Measure::FileSize),
                ("memory in use", Measure::Memory),
            ]
            .map(long)
            .into(),
            Self::ToolCall(server) => ToolCall::rows(&server.calls),
            Self::Command(_) => [
                ("wall time", Measure::Time),
                ("CPU time", Measure::CpuTime),
                ("peak memory", Measure::Memory),
            ]
            .map(long)
            .into(),
        }
    }

    /// What is built for it; `None` where nothing is.
    #[must_use]
    pub fn variant(&self) -> Option<&Variant> {
        match self {
            Self::Kernel(variant)
            | Self::Build(CargoBuild { variant, .. })
            | Self::Ffi(Ffi { variant, .. })
            | Self::ToolCall(Server { variant, .. }) => Some(variant),
            Self::Command(_) => None,
        }
    }

    /// The same, to change its profile or its source.
    pub fn variant_mut(&mut self) -> Option<&mut Variant> {
        match self {
            Self::Kernel(variant)
            | Self::Build(CargoBuild { variant, .. })
            | Self::Ffi(Ffi { variant, .. })
            | Self::ToolCall(Server { variant, .. }) => Some(variant),
            Self::Command(_) => None,
        }
    }

    /// The library that Python calls, where one does.
    #[must_use]
    pub fn ffi(&self) -> Option<&Ffi> {
        if let Self::Ffi(ffi) = self { Some(ffi) } else { None }
    }

    /// The same, to call it from another interpreter.
    pub fn ffi_mut(&mut self) -> Option<&mut Ffi> {
        if let Self::Ffi(ffi) = self { Some(ffi) } else { None }
    }

    /// The server that is called, where one is.
    #[must_use]
    pub fn server(&self) -> Option<&Server> {
        if let Self::ToolCall(server) = self { Some(server) } else { None }
    }

    /// How Cargo is run, where builds are measured.
    #[must_use]
    pub fn build_settings(&self) -> Option<&BuildSettings> {
        if let Self::Build(build) = self { Some(&build.settings) } else { None }
    }

    /// The words of the command, where one is run as it is; else none.
    #[must_use]
    pub fn command(&self) -> &[String] {
        if let Self::Command(command) = self { &command.words } else { &[] }
    }

    /// Whether Cargo builds what it runs.
    #[must_use]
    pub fn by_cargo(&self) -> bool {
        match self {
            Self::Kernel(_) | Self::Build(_) | Self::ToolCall(_) => true,
            Self::Ffi(ffi) => ffi.library == Library::Cdylib,
            Self::Command(_) => false,
        }
    }

    /// Whether the lab links what it runs, and so can link it in other orders.
    #[must_use]
    pub fn has_layouts(&self) -> bool {
        self.kind().traits().built == Built::Once && self.ffi().is_none_or(Ffi::has_layouts)
    }

    /// Whether the same is built for both: what is done with it may still differ.
    #[must_use]
    pub fn same_build(&self, other: &Self) -> bool {
        // One library may be called in two ways, and its artifact holds the way.
        self.variant() == other.variant() && self.ffi() == other.ffi()
    }

    /// Whether both do the same with the same code. Another profile may link another panic runtime, which is not
    /// among the linker inputs that are compared, one library may be called in two ways, and one server may be
    /// started with other arguments.
    #[must_use]
    pub fn same_use(&self, other: &Self) -> bool {
        let profile = |workload: &Self| workload.variant().map(|variant| variant.profile.clone());
        let shape = |workload: &Self| workload.ffi().map(|ffi| ffi.shape);
        let args = |workload: &Self| workload.server().map(|server| server.args.clone());
        profile(self) == profile(other) && shape(self) == shape(other) && args(self) == args(other)
    }
}
