//! The fixture server as a process.

use std::process::Command;

pub use mcp_testing::client::{PATIENCE, Process, call, initialize, lines, stateless, text};

/// The command of the fixture server, which keeps no state.
pub fn command() -> Command {
    let mut command = bare();
    command.args(["--state", "none"]);
    command
}

/// The command of the fixture server.
pub fn bare() -> Command {
    Command::new(env!("CARGO_BIN_EXE_mcp-fixture-server"))
}

/// The fixture server on stdio.
pub fn start() -> Process {
    Process::start(&mut command())
}

/// The same, with all calls going through the protocol library.
pub fn without_front() -> Process {
    Process::start(command().env("MCP_NO_FRONT", "1"))
}
