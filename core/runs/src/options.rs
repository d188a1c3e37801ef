//! What every server that runs commands is started with, and what `doctor` says about it.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use mcp_sandbox::{Capabilities, Helper, Layer, Sandbox, SandboxError};
use mcp_server::doctor::Fact;
use mcp_server::layers::Audit;
use mcp_server::options::Options;
use mcp_server::server::About;
use mcp_workspace::Roots;
use mcp_workspace::state::exposed;

use crate::ground::Ground;
use crate::runs::{Cause, Runs};

/// The options about the sandbox.
#[derive(Clone, Debug, Default, Args)]
pub struct SandboxFlags {
    /// Run commands although this host lacks a layer of protection
    #[arg(long, value_name = "LAYER")]
    pub run_without: Vec<LayerName>,
    /// Directory with further programs, such as a toolchain's; commands may read and run what lies there
    #[arg(long, value_name = "DIR")]
    pub programs: Vec<PathBuf>,
    /// Directory outside of the roots that commands may read
    #[arg(long, value_name = "DIR")]
    pub also_read: Vec<PathBuf>,
}

/// A layer of protection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "the names say it; they are those of the sandbox")]
pub enum LayerName {
    Landlock,
    Signals,
    TcpPorts,
    Seccomp,
    ProcessLimit,
}

impl From<LayerName> for Layer {
    fn from(name: LayerName) -> Self {
        match name {
            LayerName::Landlock => Self::Landlock,
            LayerName::Signals => Self::Signals,
            LayerName::TcpPorts => Self::TcpPorts,
            LayerName::Seccomp => Self::Seccomp,
            LayerName::ProcessLimit => Self::ProcessLimit,
        }
    }
}

/// What a server that runs commands is made of.
pub struct Settings {
    /// The directories that commands may work in.
    pub roots: Vec<PathBuf>,
    /// The directory for what is remembered; nothing is, where there is none.
    pub state: Option<PathBuf>,
    /// Only what changes nothing.
    pub read_only: bool,
    /// The options about the sandbox.
    pub sandbox: SandboxFlags,
    /// How to start what supervises commands, where this program cannot: a library in a foreign program.
    pub helper: Option<Helper>,
    /// What the host offers, where it is not to be asked.
    pub capabilities: Option<Capabilities>,
}

impl Settings {
    /// The settings of a command line.
    ///
    /// # Errors
    /// One sentence: no root is given, and the current directory cannot be found.
    pub fn new(about: &About, options: &Options, sandbox: &SandboxFlags) -> Result<Self, String> {
        Ok(Self {
            roots: options.roots_or_current()?,
            state: options.state_dir(about.name),
            read_only: options.read_only,
            sandbox: sandbox.clone(),
            helper: options.supervisor.split_first().map(|(program, arguments)| Helper {
                program: program.into(),
                arguments: arguments.to_vec(),
            }),
            capabilities: None,
        })
    }

    /// The roots, and no runs yet: opens the roots and the audit log, and asks the host nothing.
    ///
    /// # Errors
    /// One sentence: a root or another directory cannot be used.
    pub fn open<C: Cause>(&self) -> Result<(Roots, Runs<C>), String> {
        let roots = self.roots()?;
        let sandbox = self.sandbox()?;
        let (capabilities, helper) = (self.capabilities.clone(), self.helper.clone());
        let ground = Ground::new(sandbox, move || match (&capabilities, &helper) {
            (Some(capabilities), _) => Ok(capabilities.clone()),
            (None, Some(helper)) => mcp_sandbox::offered_with(helper),
            (None, None) => mcp_sandbox::offered(),
        });
        self.state_apart()?;
        let audit = self.state.as_deref().map(Audit::open_in).transpose();
        Ok((roots, Runs::new(ground, audit.map_err(|error| error.to_string())?)))
    }

    /// The root whose commands could change what is remembered. One that only reads changes nothing.
    fn exposed_state(&self) -> Option<&Path> {
        if self.read_only { None } else { exposed(self.state.as_deref()?, &self.roots) }
    }

    fn state_apart(&self) -> Result<(), String> {
        let (Some(state), Some(root)) = (&self.state, self.exposed_state()) else { return Ok(()) };
        Err(format!(
            "the state directory {} and the root {} share files, so that commands could change what is remembered: give --state a directory apart from the roots, or --state none",
            state.display(),
            root.display()
        ))
    }

    fn roots(&self) -> Result<Roots, String> {
        let roots = Roots::new(&self.roots);
        roots.map_err(|error| format!("the root {} cannot be used: {}", error.path.display(), error.message))
    }

    fn sandbox(&self) -> Result<Sandbox, String> {
        self.sandboxed().map_err(|error| match error {
            SandboxError::Directory { .. } => format!("{error}; give another --root"),
            other => other.to_string(),
        })
    }

    fn sandboxed(&self) -> Result<Sandbox, SandboxError> {
        let mut sandbox = Sandbox::new(&self.roots, Capabilities::none())?;
        for directory in &self.sandbox.programs {
            sandbox = sandbox.with_programs(directory)?;
        }
        for directory in &self.sandbox.also_read {
            sandbox = sandbox.also_read(directory)?;
        }
        for layer in &self.sandbox.run_without {
            sandbox = sandbox.accept((*layer).into());
        }
        Ok(match &self.helper {
            Some(helper) => sandbox.with_supervisor(helper.clone()),
            None => sandbox,
        })
    }
}

/// What `doctor` finds out about a server that runs commands: the layers of the sandbox, and its roots and state.
#[must_use]
pub fn facts(about: &About, options: &Options, flags: &SandboxFlags) -> Vec<Fact> {
    let mut facts = match mcp_sandbox::offered() {
        Ok(offered) => protections(&offered),
        Err(error) => vec![Fact::missing("sandbox", error.to_string(), "start this program itself")],
    };
    match Settings::new(about, options, flags).and_then(|settings| {
        settings.sandbox()?;
        Ok((settings.roots()?, settings))
    }) {
        Ok((roots, settings)) => {
            if options.roots.is_empty() {
                facts.push(Fact::good("root", roots.names()[0].clone()));
            }
            if let Some(root) = settings.exposed_state() {
                let found =
                    format!("shares files with the root {}, where commands can change it", root.display());
                facts.push(Fact::missing("state", found, "give --state a directory apart from the roots"));
            }
        }
        Err(error) => facts.push(Fact::missing("root", error, "give --root DIR")),
    }
    facts
}

fn protections(offered: &Capabilities) -> Vec<Fact> {
    let mut facts = vec![
        match offered.landlock_abi {
            0..3 => Fact::missing(
                "Landlock",
                "not enough for files",
                "it needs Linux 6.2, with landlock among its LSMs",
            ),
            abi => Fact::good("Landlock", format!("ABI {abi}")),
        },
        if offered.seccomp {
            Fact::good("seccomp", "filters can kill a process")
        } else {
            Fact::missing("seccomp", "no filters", "it needs a kernel with CONFIG_SECCOMP_FILTER")
        },
    ];
    facts.push(match &offered.namespaces_reason {
        None => Fact::good("namespaces", "can be made"),
        Some(reason) => {
            Fact::missing("namespaces", reason, "allow user namespaces; seccomp refuses more meanwhile")
        }
    });
    if offered.root && !offered.own_pid_max {
        let remedy = "run the server as another user, or with --run-without process-limit";
        facts.push(Fact::missing("process limit", "does not bind root here", remedy));
    }
    facts
}
