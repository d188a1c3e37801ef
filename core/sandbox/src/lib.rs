//! Runs a command where it cannot do harm.
//!
//! The boundary is the kernel, not a list of names. A [`Sandbox`] starts the program that links it once more
//! (`/proc/self/exe __sandbox`) as a *supervisor*, hands it the job over a socket, and the supervisor starts the
//! command behind these layers, in this order:
//!
//! 1. own user, mount, process, IPC and (without network) network namespaces, where the host lets them be made;
//! 2. resource limits, all capabilities dropped, `no_new_privs`;
//! 3. Landlock: files, TCP ports, signals and abstract sockets;
//! 4. seccomp: system calls that lead out of the sandbox or deep into the kernel.
//!
//! A layer that is missing is an error that names it ([`SandboxError::Missing`]), unless it was accepted with
//! [`Sandbox::accept`]; then the [`Outcome`] says so. Namespaces are no such layer: without them more system calls
//! are refused instead (see [`protection`]), so that the promise stays the same.
//!
//! The supervisor keeps the output within bounds and kills everything the command started, also in sessions of its
//! own, when the command ends, at a timeout, at a cancel, and when the server ends in whatever way.
//!
//! A program that uses this crate calls [`enter_if_asked`] first in `main`.
//!
//! # What the layers do not cover
//!
//! - Names below a root that was given for writing are the command's to change, `.git/hooks` among them: what is
//!   run from there later, outside, runs with the user's rights.
//! - `workspace+net` reaches every address that the host reaches, services on the loopback interface included.
//! - Memory is bounded for each process, not for all together.
//! - Without namespaces the existence and the size of any file can be asked for (`stat`), and what `/proc` tells
//!   everybody about other processes, their command lines among it, can be read.

mod capabilities;
mod clean;
mod environment;
mod error;
mod handles;
mod helper;
mod job;
mod outcome;
mod protection;
mod root;
mod runner;
mod running;
mod scratch;
mod sys;
mod view;
mod wire;

pub use crate::capabilities::{Capabilities, offered, offered_by, offered_with};
pub use crate::clean::{clean, is_binary};
pub use crate::environment::PATH;
pub use crate::error::{Layer, SandboxError};
pub use crate::handles::{CancelHandle, Watch};
pub use crate::helper::{enter, enter_if_asked};
pub use crate::job::{Job, Limits, Profile, UnknownProfile};
pub use crate::outcome::{Captured, Outcome, Reason, Snapshot};
pub use crate::protection::{ProcessLimit, Protection, protection};
pub use crate::runner::{Helper, Sandbox};
pub use crate::running::Running;
