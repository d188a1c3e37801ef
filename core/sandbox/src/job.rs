//! What to run and within which bounds.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What a command may touch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Profile {
    /// Reads below the roots and the system's directories; writes only to a private temporary directory; no network.
    #[serde(rename = "read")]
    Read,
    /// Also writes below the roots.
    #[serde(rename = "workspace")]
    Workspace,
    /// Also opens connections over IPv4 and IPv6 (TCP, UDP and echo requests); accepts none.
    #[serde(rename = "workspace+net")]
    WorkspaceNet,
}

impl Profile {
    /// True when files below the roots may be changed.
    pub fn writes(self) -> bool {
        self != Self::Read
    }

    /// True when connections may be opened.
    pub fn network(self) -> bool {
        self == Self::WorkspaceNet
    }

    /// The name that clients use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Workspace => "workspace",
            Self::WorkspaceNet => "workspace+net",
        }
    }
}

/// A profile of that name does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown profile {0:?}: use read, workspace or workspace+net")]
pub struct UnknownProfile(pub String);

impl std::str::FromStr for Profile {
    type Err = UnknownProfile;

    fn from_str(name: &str) -> Result<Self, UnknownProfile> {
        [Self::Read, Self::Workspace, Self::WorkspaceNet]
            .into_iter()
            .find(|profile| profile.name() == name)
            .ok_or_else(|| UnknownProfile(name.to_owned()))
    }
}

/// Bounds of one run. Each process has the limits of `setrlimit(2)` for itself; time and output are of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Wall-clock time after which everything is killed.
    pub time: Duration,
    /// Processor seconds of each process (`RLIMIT_CPU`).
    pub cpu_seconds: u64,
    /// Address space of each process in bytes (`RLIMIT_AS`).
    pub address_space: u64,
    /// Processes and threads at a time. For root the kernel's bound is coarser: up to 300 more.
    pub processes: u64,
    /// Size of each written file in bytes (`RLIMIT_FSIZE`).
    pub file_size: u64,
    /// Open files of each process (`RLIMIT_NOFILE`).
    pub open_files: u64,
    /// Size in bytes of the private temporary directory, where it is a file system of its own (with namespaces).
    pub scratch: u64,
    /// Bytes kept of the start of each output stream.
    pub head: usize,
    /// Bytes kept of the end of each output stream.
    pub tail: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            time: Duration::from_secs(60),
            cpu_seconds: 600,
            address_space: 16 << 30,
            processes: 512,
            file_size: 1 << 30,
            open_files: 1024,
            scratch: 256 << 20,
            head: 32 << 10,
            tail: 32 << 10,
        }
    }
}

/// One thing to run.
#[derive(Debug, Clone)]
pub struct Job {
    /// The stages of a pipeline, each a program with its arguments; one stage for a plain command. Standard output
    /// of a stage is standard input of the next; no shell is involved.
    pub stages: Vec<Vec<OsString>>,
    /// Text that is written to a file in the private temporary directory, whose path is appended to the first stage:
    /// how an interpreter is given a script.
    pub script: Option<String>,
    /// Working directory: relative to the first root, or absolute below one of the roots. The first root if absent.
    pub cwd: Option<PathBuf>,
    /// What may be touched.
    pub profile: Profile,
    /// Bounds.
    pub limits: Limits,
    /// Variables beyond the fixed ones; only names from a short list of harmless ones are taken.
    pub variables: Vec<(String, String)>,
    /// Lets the command open Unix sockets (`socket(AF_UNIX)`). Off by default: below Landlock ABI 9 nothing stops
    /// a connection to a daemon whose socket lies below a root. Pairs (`socketpair`) that stay connected are always
    /// allowed. With [`Profile::WorkspaceNet`] no socket listens, of whatever family: the kernel's filter cannot tell
    /// them apart.
    pub unix_sockets: bool,
}

impl Job {
    /// A program with its arguments.
    pub fn argv<S: Into<OsString>>(profile: Profile, argv: impl IntoIterator<Item = S>) -> Self {
        Self {
            stages: vec![argv.into_iter().map(Into::into).collect()],
            script: None,
            cwd: None,
            profile,
            limits: Limits::default(),
            variables: Vec::new(),
            unix_sockets: false,
        }
    }

    /// A script and the interpreter (with its options) that is to run it.
    pub fn script<S: Into<OsString>>(
        profile: Profile,
        interpreter: impl IntoIterator<Item = S>,
        text: impl Into<String>,
    ) -> Self {
        Self { script: Some(text.into()), ..Self::argv(profile, interpreter) }
    }

    /// Programs that are joined by pipes.
    pub fn pipeline(profile: Profile, stages: Vec<Vec<OsString>>) -> Self {
        Self { stages, ..Self::argv(profile, Vec::<OsString>::new()) }
    }
}
