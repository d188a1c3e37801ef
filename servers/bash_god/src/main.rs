//! `bash-god-mcp`: shell commands for models, told before they run and run where they can do no harm.

use std::process::ExitCode;

fn main() -> ExitCode {
    // A command's supervisor is this program, started once more.
    if let Some(code) = mcp_sandbox::enter_if_asked() {
        return code;
    }
    mcp_server::serve::main(&bash_god::server::purpose())
}
