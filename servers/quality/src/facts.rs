//! What the host and the root offer, for `doctor`; and what a build of Rust needs.

use std::path::Path;

use clap::Args;
use mcp_runs::options::{self, SandboxFlags};
use mcp_server::doctor::{self, Fact};
use mcp_server::options::Options;

use crate::policy::{self, Policy};
use crate::runner::{Toolchain, environment, installed};
use crate::server::ABOUT;

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
    /// The Rust that tests may use.
    #[must_use]
    pub fn toolchain(&self) -> Toolchain {
        if self.without_rust { Toolchain::default() } else { Toolchain::of_user() }
    }

    /// The sandbox's options, with what a build of Rust reads.
    #[must_use]
    pub fn sandbox(&self, toolchain: &Toolchain) -> SandboxFlags {
        let mut sandbox = self.sandbox.clone();
        sandbox.programs.extend(toolchain.programs());
        sandbox.also_read.extend(toolchain.reads());
        sandbox
    }
}

/// What `doctor` finds out.
#[must_use]
pub fn facts(options: &Options, flags: &Flags) -> Vec<Fact> {
    let toolchain = flags.toolchain();
    let mut facts = options::facts(&ABOUT, options, &flags.sandbox(&toolchain));
    facts.push(match &toolchain.cargo {
        Some(cargo) => Fact::good("cargo", cargo.display().to_string()),
        None => doctor::program("cargo", "install rustup, or give --programs: cargo runs tests of Rust"),
    });
    let root = options.roots_or_current().ok().and_then(|roots| roots.into_iter().next());
    facts.push(python(root.as_deref(), flags));
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

/// The Python that runs tests in the first root, and whether the sandbox lets it.
fn python(root: Option<&Path>, flags: &Flags) -> Fact {
    let name = "python3";
    let root = root.and_then(|root| root.canonicalize().ok());
    let given = flags.sandbox.programs.iter().map(|bin| bin.join(name)).find(|python| python.is_file());
    let Some((root, python)) = root.and_then(|root| Some((root.clone(), environment(&root, &root)?))) else {
        let system = ["/usr/local/bin", "/usr/bin"].map(|bin| Path::new(bin).join(name));
        return match given.or_else(|| system.into_iter().find(|python| python.is_file())) {
            Some(python) => Fact::good(name, python.display().to_string()),
            None => Fact::missing(name, "not found", "install python3 and pytest: it runs tests of Python"),
        };
    };
    let readable = || flags.sandbox.programs.iter().chain(&flags.sandbox.also_read);
    match installed(&python, &root) {
        Some(prefix) if !readable().any(|directory| prefix.starts_with(directory)) => {
            let found =
                format!("{} leads to {}, which tests may not read", python.display(), prefix.display());
            Fact::missing(name, found, format!("give --also-read {}", prefix.display()))
        }
        _ => Fact::good(name, python.display().to_string()),
    }
}
