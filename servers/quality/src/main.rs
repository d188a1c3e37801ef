//! `quality-mcp`: metrics, findings, coverage, tests and one gate for models.

use std::process::ExitCode;

fn main() -> ExitCode {
    // A command's supervisor is this program, started once more.
    if let Some(code) = mcp_sandbox::enter_if_asked() {
        return code;
    }
    mcp_server::serve::main(&quality::server::purpose())
}
