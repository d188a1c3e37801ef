//! What a run needs before it starts anything: cores, programs, the floor, the record's folder.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, bail};

use crate::cli::mcp::args::{McpArgs, PlacementName};
use crate::cli::mcp::field::{Entry, Field};
use crate::cli::values;
use crate::experiment::surroundings::{self, clock_seed};
use crate::latency::{Load, Member, Mode, Placement};
use crate::load::{Address, Program, calm_timer, pin_to};
use crate::machine::{Environment, probe};
use crate::mcp::Era;
use crate::process::{Invocation, Limits, run};

/// Where the null server listens.
const FLOOR_URL: &str = "http://127.0.0.1:{port}/mcp";

/// Everything that is fixed before the first process starts.
pub(crate) struct Setup {
    pub args: McpArgs,
    pub environment: Environment,
    /// What the run asks.
    pub mode: Mode,
    /// Where client and server run, one placement after the other.
    pub placements: Vec<Placement>,
    pub load: Load,
    pub launches: u32,
    /// How long a launch is measured.
    pub length: Duration,
    pub seed: u64,
    /// Where records go.
    pub out: PathBuf,
    /// The floor under every server; `None` without one.
    pub floor: Option<PathBuf>,
    /// Several servers, side by side.
    pub field: Option<Field>,
    root: PathBuf,
    lab: PathBuf,
    cores: Vec<usize>,
    against: Option<Vec<OsString>>,
    stop: Arc<AtomicBool>,
}

impl Setup {
    pub(crate) fn of(args: &McpArgs) -> anyhow::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
            signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&stop))?;
            signal_hook::flag::register(signal, Arc::clone(&stop))?;
        }
        let cores = crate::machine::cores();
        let placements = match args.placement {
            PlacementName::Same => vec![Placement::Same],
            PlacementName::Split => vec![Placement::Split],
            PlacementName::Both => vec![Placement::Same, Placement::Split],
        };
        if placements.contains(&Placement::Split) && cores.len() < 2 {
            bail!("--placement split needs two cores, and this process may use one: take --placement same");
        }
        if !(0.0..50.0).contains(&args.threshold) {
            bail!("--threshold is a percentage from 0 to 50");
        }
        let against = args.against.as_deref().map(values::command).transpose();
        let against = against.map_err(|said| anyhow::anyhow!("--against: {said}"))?;
        let field = args.servers.as_deref().map(Field::read).transpose()?;
        let root = surroundings::workspace_root(&std::env::current_dir()?).ok();
        check_http(args, against.as_deref())?;
        check_program(args.command.first())?;
        check_program(against.as_ref().and_then(|words| words.first()))?;
        let mut environment = probe()?;
        environment.pinned_to = cores.last().copied();
        environment.nice = Some(crate::machine::priority());
        let mode = mode(args);
        let compares = against.is_some();
        let default_launches = match mode {
            Mode::ColdStart => 20,
            Mode::Soak | Mode::Capacity | Mode::Cancel => 1,
            Mode::Latency if compares => 16,
            Mode::Field if args.calibrate => 12,
            Mode::Field => 10,
            Mode::Latency | Mode::Sweep => 5,
        };
        let default_length = match mode {
            Mode::Field if args.calibrate => Duration::from_millis(100),
            Mode::Field => Duration::from_millis(300),
            _ if compares => Duration::from_millis(500),
            _ => Duration::from_secs(2),
        };
        let load = match args.rate {
            Some(rate) => Load::Open { rate, poisson: args.poisson },
            None => Load::Closed { in_flight: args.in_flight },
        };
        let lab = std::env::current_exe().context("cannot find the lab's own executable")?;
        let floor = if args.no_floors { None } else { floor(args, &lab, root.as_deref())? };
        // Client and servers share a core, and so one priority: children inherit it.
        rustix::process::nice(crate::machine::priority()).ok();
        Ok(Self {
            environment,
            mode,
            placements,
            load,
            launches: args.launches.unwrap_or(default_launches),
            length: args.duration.unwrap_or(default_length),
            seed: args.seed.unwrap_or_else(clock_seed),
            out: args.out.clone().unwrap_or_else(|| root.clone().unwrap_or_default().join("results")),
            root: root.unwrap_or_default(),
            field,
            floor,
            lab,
            cores,
            against,
            stop,
            args: args.clone(),
        })
    }

    /// Whether the user asked to stop.
    pub(crate) fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Whether two servers are compared.
    pub(crate) fn compares(&self) -> bool {
        self.against.is_some()
    }

    /// Moves the client to its core.
    pub(crate) fn place_client(&self, placement: Placement) {
        calm_timer();
        let place = match placement {
            Placement::Same => self.cores.len().saturating_sub(1),
            Placement::Split => self.cores.len().saturating_sub(2),
        };
        if let Some(&core) = self.cores.get(place) {
            pin_to(core);
        }
    }

    /// Another program, pinned as servers are.
    pub(crate) fn pinned(&self, invocation: Invocation) -> Invocation {
        let mut args = vec!["__exec".to_owned()];
        args.extend(self.cores.last().map(|core| format!("--cpu={core}")));
        invocation.through(&self.lab, args)
    }

    /// The command of a member, as a person would type it.
    pub(crate) fn shown(&self, member: Member) -> String {
        // What lies in the workspace is the same in every copy of it.
        let within = |word: OsString| match Path::new(&word).strip_prefix(&self.root) {
            Ok(path) if self.root.is_absolute() => path.into(),
            _ => word,
        };
        let mut words = self.command(member).into_iter().map(within);
        words.next().map_or(String::new(), |program| Invocation::new(program, words).display())
    }

    /// The name of a server in a field, else its command.
    pub(crate) fn name(&self, member: Member) -> String {
        self.entry(member).map_or_else(|| self.shown(member), |entry| entry.name.clone())
    }

    /// The server of a field that a member is.
    pub(crate) fn entry(&self, member: Member) -> Option<&Entry> {
        let place = match member {
            Member::Server | Member::Control => 0,
            Member::Peer(place) => usize::from(place),
            _ => return None,
        };
        self.field.as_ref()?.servers.get(place)
    }

    /// Where a member listens; `None` of one on stdio.
    fn address(&self, member: Member) -> Option<&str> {
        match member {
            Member::Pipe | Member::InProcess => None,
            Member::NullHttp => Some(FLOOR_URL),
            Member::NullServer => self.args.http.as_ref().map(|_| FLOOR_URL),
            _ => match self.entry(member) {
                Some(entry) => entry.http.as_deref(),
                None => self.args.http.as_deref(),
            },
        }
    }

    fn command(&self, member: Member) -> Vec<OsString> {
        let floor = |words: &[&str]| -> Vec<OsString> {
            let path = self.floor.iter().map(|path| path.clone().into_os_string());
            path.chain(words.iter().map(OsString::from)).collect()
        };
        match member {
            Member::Against => self.against.clone().unwrap_or_default(),
            Member::Pipe => vec!["cat".into()],
            Member::InProcess => floor(&["--in-process"]),
            Member::NullServer | Member::NullHttp if self.address(member).is_some() => {
                floor(&["--http", "{port}"])
            }
            Member::NullServer | Member::NullHttp => floor(&[]),
            Member::Server | Member::Control | Member::Peer(_) => match self.entry(member) {
                Some(entry) => entry.words(&self.root),
                None => self.args.command.clone(),
            },
        }
    }

    /// Whether a member is spoken with over HTTP.
    pub(crate) fn speaks_http(&self, member: Member) -> bool {
        self.address(member).is_some()
    }

    /// A sentence, where a member's program is not there.
    pub(crate) fn absent(&self, member: Member) -> Option<String> {
        check_program(self.command(member).first()).err().map(|error| error.to_string())
    }

    /// How a process that times its own calls is started.
    pub(crate) fn in_process(&self, member: Member) -> anyhow::Result<Invocation> {
        let command = self.command(member);
        let (program, rest) = command.split_first().context("no command")?;
        Ok(self.pinned(Invocation::new(program, rest.to_vec())))
    }

    /// How a member is started, on a port of its own where it needs one.
    pub(crate) fn program(&self, member: Member, era: Option<Era>) -> anyhow::Result<Program> {
        let mut command = self.command(member);
        let mut http = None;
        if let Some(url) = self.address(member) {
            let port = Address::free_port().context("no free port")?.to_string();
            let address = Address::parse(&url.replace("{port}", &port))?;
            address.check_free()?;
            for word in &mut command {
                if let Some(text) = word.to_str().filter(|text| text.contains("{port}")) {
                    *word = text.replace("{port}", &port).into();
                }
            }
            http = Some(address);
        }
        let (program, rest) = command.split_first().context("no command after --")?;
        let invocation = self.pinned(Invocation::new(program, rest.to_vec()));
        let era = era.or(self.args.era.map(Era::from));
        Ok(Program { invocation, http, era, patience: self.args.patience })
    }
}

fn mode(args: &McpArgs) -> Mode {
    if args.servers.is_some() || args.calibrate {
        Mode::Field
    } else if args.capacity {
        Mode::Capacity
    } else if args.cold_start {
        Mode::ColdStart
    } else if args.soak.is_some() {
        Mode::Soak
    } else if args.cancel {
        Mode::Cancel
    } else if args.sweep.is_some() {
        Mode::Sweep
    } else {
        Mode::Latency
    }
}

/// A program that is not there would look like a server that ends at once.
fn check_program(program: Option<&OsString>) -> anyhow::Result<()> {
    let Some(program) = program else { return Ok(()) };
    let path = Path::new(program);
    let found = if path.components().count() > 1 {
        path.is_file()
    } else {
        let folders = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&folders).any(|folder| folder.join(path).is_file())
    };
    if !found {
        bail!("there is no program {}: write the server's command after --", path.display());
    }
    Ok(())
}

fn check_http(args: &McpArgs, against: Option<&[OsString]>) -> anyhow::Result<()> {
    let Some(url) = &args.http else { return Ok(()) };
    Address::parse(&url.replace("{port}", "1"))?;
    let names_port = |words: &[OsString]| words.iter().any(|word| word.to_string_lossy().contains("{port}"));
    if url.contains("{port}") != names_port(&args.command) {
        bail!("{{port}} has to stand both in --http and in the command, or in neither");
    }
    if against.is_some_and(|against| !url.contains("{port}") || !names_port(against)) {
        bail!("two servers need a port each: write {{port}} in --http, in the command and in --against");
    }
    Ok(())
}

/// The null server: as named, beside the lab, or built from this workspace.
fn floor(args: &McpArgs, lab: &Path, root: Option<&Path>) -> anyhow::Result<Option<PathBuf>> {
    if let Some(named) = &args.floor_server {
        return match std::path::absolute(named)? {
            path if path.is_file() => Ok(Some(path)),
            path => bail!("--floor-server: there is no file {}", path.display()),
        };
    }
    let beside = lab.with_file_name("null-server");
    if beside.is_file() {
        return Ok(Some(beside));
    }
    let Some(root) = root.filter(|root| root.join("harness/fixtures/src/null_server.rs").is_file()) else {
        eprintln!("note: there is no null-server beside {}: that floor is not measured", lab.display());
        return Ok(None);
    };
    let target = surroundings::target_directory(root).join("perflab/floor");
    eprintln!(" floor    building null-server");
    let words = [
        "build",
        "--quiet",
        "--release",
        "--package",
        "perflab-fixtures",
        "--bin",
        "null-server",
        "--bin",
        "tool-server",
        "--target-dir",
    ];
    let words = words.iter().map(OsString::from).chain([target.clone().into_os_string()]);
    let invocation = Invocation::new("cargo", words).in_folder(root);
    let output = run(&invocation, Limits { timeout: Duration::from_secs(600), output: 1 << 16 }, &|| false)?;
    if !output.success() {
        bail!("the floor's server cannot be built (--no-floors goes without):\n{}", output.stderr.trim());
    }
    Ok(Some(target.join("release/null-server")))
}
