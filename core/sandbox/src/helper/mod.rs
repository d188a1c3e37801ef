//! The supervisor: this program, started once more.

mod capture;
mod confine;
mod filter;
mod init;
mod namespaces;
mod supervisor;
mod tree;

use std::convert::Infallible;
use std::process::ExitCode;
use std::time::Duration;

use crate::wire::ARGUMENT;

/// Becomes the supervisor if this process was started as one, and then ends with it; otherwise answers `None` at
/// once. Call it first in `main`: before threads, arguments, logging and anything that opens a file.
///
/// ```no_run
/// fn main() -> std::process::ExitCode {
///     if let Some(code) = mcp_sandbox::enter_if_asked() {
///         return code;
///     }
///     // … the server …
///     std::process::ExitCode::SUCCESS
/// }
/// ```
pub fn enter_if_asked() -> Option<ExitCode> {
    if std::env::args_os().nth(1).is_none_or(|argument| argument != ARGUMENT) {
        return None;
    }
    Some(ExitCode::from(enter()))
}

/// Becomes the supervisor in any case: for a process that was started for nothing else, such as an interpreter whose
/// program calls this. The answer is the status to end with.
pub fn enter() -> u8 {
    match supervisor::supervise() {
        Ok(()) => 0,
        Err(_) => 2,
    }
}

/// What a process of the sandbox does until it is replaced or ends: there is no way back.
type Never = Infallible;

/// How long processes may take to be gone after they have been killed.
const PATIENCE: Duration = Duration::from_secs(10);
