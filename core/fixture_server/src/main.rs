//! The fixture as a program.

use std::process::ExitCode;

fn main() -> ExitCode {
    mcp_server::serve::main(&mcp_fixture_server::purpose())
}
