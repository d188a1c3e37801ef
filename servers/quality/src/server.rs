//! The server: who it is, and what it is started with.

use std::sync::Arc;

use clap::Args;
use mcp_runs::options::{self, SandboxFlags, Settings};
use mcp_server::doctor::{self, Fact};
use mcp_server::options::Options;
use mcp_server::serve::Purpose;
use mcp_server::server::About;
use mcp_state::cli::Transfer;

use crate::policy::{self, Policy};
use crate::remembered::{LIMITS, TestRun};
use crate::runner::Toolchain;
use crate::state::Quality;
use crate::tools;

/// Who it is.
pub const ABOUT: About = About {
    name: "quality-mcp",
    title: "Quality",
    version: env!("CARGO_PKG_VERSION"),
    instructions: "Measures code, finds copies and mistakes, reads coverage, runs and selects tests. Ask gate before you \
                   call a change done.",
};

/// The options beside those of all servers.
#[derive(Clone, Debug, Default, Args)]
pub struct Flags {
    /// Do not let tests read this user's Rust: the toolchains of rustup and the crates of Cargo
    #[arg(long)]
    pub without_rust: bool,
    /// About the sandbox.
    #[command(flatten)]
    pub sandbox: SandboxFlags,
}

impl Flags {
    fn toolchain(&self) -> Toolchain {
        if self.without_rust { Toolchain::default() } else { Toolchain::of_user() }
    }

    /// The sandbox's options, with what a build of Rust reads.
    fn sandbox(&self, toolchain: &Toolchain) -> SandboxFlags {
        let mut sandbox = self.sandbox.clone();
        sandbox.programs.extend(toolchain.programs());
        sandbox.also_read.extend(toolchain.reads());
        sandbox
    }
}

/// What the server is for: what its program and its Python module are made of.
#[must_use]
pub fn purpose() -> Purpose<Flags, Transfer> {
    Purpose {
        about: ABOUT,
        tools: |builder, options, flags| {
            let toolchain = flags.toolchain();
            let settings = Settings::new(&ABOUT, options, &flags.sandbox(&toolchain))?;
            let read_only = settings.read_only;
            let state = Arc::new(Quality::new(&settings, toolchain)?);
            Ok(builder.tools(&state, tools::all(read_only)))
        },
        facts,
        act: |transfer, options, _flags| {
            transfer.carry_out::<TestRun>(options.state_dir(ABOUT.name).as_deref(), LIMITS)
        },
    }
}

/// What `doctor` finds out.
fn facts(options: &Options, flags: &Flags) -> Vec<Fact> {
    let toolchain = flags.toolchain();
    let mut facts = options::facts(&ABOUT, options, &flags.sandbox(&toolchain));
    facts.push(match &toolchain.cargo {
        Some(cargo) => Fact::good("cargo", cargo.display().to_string()),
        None => doctor::program("cargo", "install rustup, or give --programs: cargo runs tests of Rust"),
    });
    facts.push(doctor::program("python3", "install python3 and pytest: it runs tests of Python"));
    let root = options.roots_or_current().ok().and_then(|roots| roots.into_iter().next());
    let text = root.map(|root| std::fs::read_to_string(root.join(policy::FILE)));
    facts.push(match text {
        Some(Ok(text)) => match Policy::read(&text) {
            Ok(_) => Fact::good("policy", policy::FILE),
            Err(error) => Fact::missing("policy", error, "fix the file"),
        },
        _ => Fact::good("policy", format!("built in, without {}", policy::FILE)),
    });
    facts
}
