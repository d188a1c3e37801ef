//! The server: what is fixed at its start, and the state that its tools share.

use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use clap::{Args, ValueEnum};
use mcp_sandbox::{Capabilities, Helper, Layer, Sandbox, SandboxError};
use mcp_server::doctor::{self, Fact};
use mcp_server::layers::Audit;
use mcp_server::options::Options;
use mcp_server::serve::Purpose;
use mcp_server::server::{About, ServerBuilder};
use mcp_state::cli::Transfer;

use crate::catalogue::Catalogue;
use crate::execution::runs::{Ground, Runs};
use crate::history::{LIMITS, NewRecord};
use crate::memory::Memory;
use crate::policy::Policy;
use crate::programs::Programs;
use crate::ranking::suggest::Suggester;
use crate::tools;
use crate::workspace::Workspace;

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
    /// Run commands although this host lacks a layer of protection
    #[arg(long, value_name = "LAYER")]
    pub run_without: Vec<LayerName>,
    /// Folder with further programs, such as a toolchain's; commands may read and run what lies there
    #[arg(long, value_name = "DIR")]
    pub programs: Vec<PathBuf>,
    /// Folder outside of the roots that commands may read
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

/// What a server is made of.
pub struct Settings {
    /// The folders that commands may work in.
    pub roots: Vec<PathBuf>,
    /// The folder for what is remembered; nothing is, where there is none.
    pub state: Option<PathBuf>,
    /// Only what changes nothing.
    pub read_only: bool,
    /// The options of its own.
    pub flags: Flags,
    /// How to start what supervises commands, where this program cannot: a library in a foreign program.
    pub helper: Option<Helper>,
    /// What the host offers, where it is not to be asked.
    pub capabilities: Option<Capabilities>,
}

impl Settings {
    /// The settings of a command line.
    ///
    /// # Errors
    /// One sentence: no root is given, and the current folder cannot be told.
    pub fn new(options: &Options, flags: &Flags) -> Result<Self, String> {
        let mut roots = options.roots.clone();
        if roots.is_empty() {
            let current = std::env::current_dir();
            roots.push(
                current
                    .map_err(|error| format!("the current folder is no root ({error}): give --root DIR"))?,
            );
        }
        Ok(Self {
            roots,
            state: options.state_folder(ABOUT.name),
            read_only: options.read_only,
            flags: flags.clone(),
            helper: options.supervisor.split_first().map(|(program, arguments)| Helper {
                program: program.into(),
                arguments: arguments.to_vec(),
            }),
            capabilities: None,
        })
    }
}

/// The state that the tools share.
pub struct BashGod {
    pub(crate) workspace: Workspace,
    pub(crate) runs: Runs,
    pub(crate) memory: Arc<Memory>,
    pub(crate) programs: Programs,
    pub(crate) read_only: bool,
}

/// The catalogue with its index, made when the first suggestion is asked for.
pub(crate) static SUGGESTER: LazyLock<Suggester<'static>> =
    LazyLock::new(|| Suggester::new(Catalogue::shipped()));

impl BashGod {
    /// The state of a server. Asks the host nothing and opens no history: both are done when they are needed.
    ///
    /// # Errors
    /// One sentence: a root or another folder cannot be used, the policy cannot be read.
    pub fn new(settings: Settings) -> Result<Self, String> {
        let Settings { roots, state, read_only, flags, helper, capabilities } = settings;
        let policy = policy(&flags)?;
        let home = mcp_workspace::state::home();
        let workspace = Workspace::new(&roots, &home, policy)?;
        let sandbox = sandbox(&roots, &flags, helper.clone()).map_err(|error| match error {
            SandboxError::Folder { .. } => format!("{error}; give another --root"),
            other => other.to_string(),
        })?;
        let probe = move || match (&capabilities, &helper) {
            (Some(capabilities), _) => Ok(capabilities.clone()),
            (None, Some(helper)) => mcp_sandbox::offered_with(helper),
            (None, None) => mcp_sandbox::offered(),
        };
        let audit = state.as_ref().map(|folder| open_audit(folder)).transpose()?;
        let memory = Arc::new(Memory::new(state, !read_only));
        let ground = Arc::new(Ground::new(sandbox, probe));
        Ok(Self {
            workspace,
            runs: Runs::new(ground, Arc::clone(&memory), audit.map(Arc::new)),
            memory,
            programs: Programs::new(&flags.programs),
            read_only,
        })
    }
}

fn policy(flags: &Flags) -> Result<Policy, String> {
    let Some(file) = &flags.policy else { return Ok(Policy::built_in().clone()) };
    let shown = file.display().to_string();
    let text = std::fs::read_to_string(file)
        .map_err(|error| format!("the policy {shown} cannot be read ({error}): name a file with rules"))?;
    Policy::parse(&shown, &text).map_err(|error| error.to_string())
}

fn sandbox(roots: &[PathBuf], flags: &Flags, helper: Option<Helper>) -> Result<Sandbox, SandboxError> {
    let mut sandbox = Sandbox::new(roots, Capabilities::none())?;
    for folder in &flags.programs {
        sandbox = sandbox.with_programs(folder)?;
    }
    for folder in &flags.also_read {
        sandbox = sandbox.also_read(folder)?;
    }
    for layer in &flags.run_without {
        sandbox = sandbox.accept((*layer).into());
    }
    Ok(match helper {
        Some(helper) => sandbox.with_supervisor(helper),
        None => sandbox,
    })
}

fn open_audit(folder: &std::path::Path) -> Result<Audit, String> {
    std::fs::create_dir_all(folder).map_err(|error| {
        let folder = folder.display();
        format!("the folder {folder} for the server's state cannot be made: {error}; choose another with --state, or `none`")
    })?;
    Audit::open(&folder.join("audit.jsonl")).map_err(|error| error.to_string())
}

/// What the server is for: what its program and its Python module are made of.
#[must_use]
pub fn purpose() -> Purpose<Flags, Transfer> {
    Purpose {
        about: ABOUT,
        tools: |builder, options, flags| offer(builder, Settings::new(options, flags)?),
        facts,
        act: |transfer, options, _flags| {
            transfer.carry_out::<NewRecord>(options.state_folder(ABOUT.name).as_deref(), LIMITS)
        },
    }
}

/// Adds the tools to a server.
///
/// # Errors
/// As [`BashGod::new`].
pub fn offer(builder: ServerBuilder, settings: Settings) -> Result<ServerBuilder, String> {
    let read_only = settings.read_only;
    let state = Arc::new(BashGod::new(settings)?);
    Ok(builder.tools(&state, tools::all(read_only)))
}

/// What `doctor` finds out.
#[must_use]
pub fn facts(options: &Options, flags: &Flags) -> Vec<Fact> {
    let mut facts = match mcp_sandbox::offered() {
        Ok(offered) => protections(&offered),
        Err(error) => vec![Fact::missing("sandbox", error.to_string(), "start this program itself")],
    };
    facts.push(doctor::program("bash", "install bash: scripts are run by it"));
    facts.push(match policy(flags) {
        Ok(_) if flags.policy.is_none() => Fact::good("policy", "built in"),
        Ok(_) => Fact::good("policy", "its rules do what their examples say"),
        Err(error) => Fact::missing("policy", error, "fix the file"),
    });
    if options.roots.is_empty() {
        facts.push(match Settings::new(options, flags).and_then(BashGod::new) {
            Ok(state) => Fact::good("root", state.workspace.roots().paths()[0].display().to_string()),
            Err(error) => Fact::missing("root", error, "give --root DIR"),
        });
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
