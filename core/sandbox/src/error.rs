//! What can be missing and what can go wrong.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A layer of protection that the kernel may lack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// Files: Landlock ABI 3 (Linux 6.2), the first that also covers truncation.
    Landlock,
    /// Signals to processes outside: own process namespace, or Landlock ABI 6 (Linux 6.12).
    Signals,
    /// TCP ports that may be bound, for the profile with network: Landlock ABI 4 (Linux 6.7).
    TcpPorts,
    /// System calls: seccomp with filters.
    Seccomp,
    /// A bound on the number of processes: `RLIMIT_NPROC` does not bind root, which needs own namespaces with
    /// a `pid_max` of their own (Linux 6.14).
    ProcessLimit,
}

impl fmt::Display for Layer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Landlock => "Landlock (files)",
            Self::Signals => "signal scoping",
            Self::TcpPorts => "Landlock (TCP ports)",
            Self::Seccomp => "seccomp",
            Self::ProcessLimit => "limit on the number of processes",
        })
    }
}

/// Why a job was not run, or why its outcome is not known.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The kernel lacks a layer that was not accepted as missing.
    #[error("this host offers no {layer}: {needs}; start the server with its explicit flag to run without")]
    Missing {
        /// The layer that is missing.
        layer: Layer,
        /// What would have to be there.
        needs: &'static str,
    },
    /// The kernel refused a layer while it was set up; the command did not run.
    #[error("the sandbox could not be set up ({step}): {message}; nothing was run")]
    Refused {
        /// The step that failed.
        step: String,
        /// What the kernel said.
        message: String,
    },
    /// The program does not exist below the fixed `PATH`, or cannot be executed.
    #[error("{program} cannot be run: {message}")]
    Program {
        /// The program as it was asked for.
        program: String,
        /// What the kernel said.
        message: String,
    },
    /// A root or the working directory is not usable.
    #[error("{path}: {message}")]
    Directory {
        /// The path as it was given.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// The job itself is malformed.
    #[error("{0}")]
    Job(String),
    /// The supervising process ended without an answer; with it ended everything it had started.
    #[error("the supervising process ended without an answer ({0}); what it ran was killed with it")]
    SupervisorLost(String),
    /// The operating system refused something that is needed before the sandbox is set up.
    #[error("{action}: {source}")]
    System {
        /// What was tried.
        action: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
}

impl SandboxError {
    pub(crate) fn system(action: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::System { action, source }
    }
}
