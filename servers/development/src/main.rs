//! `development-mcp`: code found, read and understood, for models.

use std::process::ExitCode;

fn main() -> ExitCode {
    mcp_server::serve::main(&development::server::purpose())
}
