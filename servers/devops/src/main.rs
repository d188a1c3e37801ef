//! `devops-mcp`: the health of hosts and services for models, with error rates that were measured. It never acts.

use std::process::ExitCode;

fn main() -> ExitCode {
    mcp_server::serve::main(&devops::server::purpose())
}
