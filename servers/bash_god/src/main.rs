//! `bash-god-mcp`: shell commands for models, told before they run and run where they can do no harm.

use std::process::ExitCode;

use bash_god::server::{ABOUT, Settings, act, facts, offer};
use mcp_core::serve::{Purpose, main as serve};

fn main() -> ExitCode {
    // A command's supervisor is this program, started once more.
    if let Some(code) = mcp_sandbox::enter_if_asked() {
        return code;
    }
    serve(&Purpose {
        about: ABOUT,
        tools: |builder, options, flags| offer(builder, Settings::new(options, flags)?),
        facts,
        act: |action, options, _flags| act(action, options),
    })
}
