//! The server: who it is, and what it is started with.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use mcp_runs::options::{self, SandboxFlags, Settings};
use mcp_server::doctor::{self, Fact};
use mcp_server::options::Options;
use mcp_server::serve::Purpose;
use mcp_server::server::{About, ServerBuilder};
use mcp_state::cli::Transfer;

use crate::history::{LIMITS, NewRecord};
use crate::policy::Policy;
use crate::state::BashGod;
use crate::tools;

/// Who it is.
pub const ABOUT: About = About {
    name: "bash-god-mcp",
    title: "Bash God",
    version: env!("CARGO_PKG_VERSION"),
    instructions: "Runs shell commands where they can do no harm, and tells beforehand what they would do. Look \
                   for a command with command_suggest, check one with command_analyze, run it with command_run.",
};

/// The options beside those of all servers.
#[derive(Clone, Debug, Default, Args)]
pub struct Flags {
    /// File with rules for what may run; the built-in rules follow them
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// About the sandbox.
    #[command(flatten)]
    pub sandbox: SandboxFlags,
}

/// Adds the tools to a server.
///
/// # Errors
/// One sentence: a root or another directory cannot be used.
pub fn offer(builder: ServerBuilder, settings: Settings, policy: Policy) -> Result<ServerBuilder, String> {
    let read_only = settings.read_only;
    let state = Arc::new(BashGod::new(settings, policy)?);
    Ok(builder.tools(&state, tools::all(read_only)))
}

/// What the server is for: what its program and its Python module are made of.
#[must_use]
pub fn purpose() -> Purpose<Flags, Transfer> {
    Purpose {
        about: ABOUT,
        tools: |builder, options, flags| {
            let policy = Policy::read(flags.policy.as_deref())?;
            offer(builder, Settings::new(&ABOUT, options, &flags.sandbox)?, policy)
        },
        facts,
        act: |transfer, options, _flags| {
            transfer.carry_out::<NewRecord>(options.state_dir(ABOUT.name).as_deref(), LIMITS)
        },
    }
}

/// What `doctor` finds out.
fn facts(options: &Options, flags: &Flags) -> Vec<Fact> {
    let mut facts = options::facts(&ABOUT, options, &flags.sandbox);
    facts.push(doctor::program("bash", "install bash: scripts are run by it"));
    facts.push(match Policy::read(flags.policy.as_deref()) {
        Ok(_) if flags.policy.is_none() => Fact::good("policy", "built in"),
        Ok(_) => Fact::good("policy", "its rules do what their examples say"),
        Err(error) => Fact::missing("policy", error, "fix the file"),
    });
    facts
}
