//! What a test needs before it starts anything: cores, programs, who waits.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::latency::{Load, Member, Mode, Placement};
use crate::load::{Address, Program, calm_timer, pin_to};
use crate::load_test::options::{Floors, Question, Servers};
use crate::load_test::{Entry, Error, Options};
use crate::machine;
use crate::mcp::Era;
use crate::process::Invocation;
use crate::progress::{Stage, Watcher};

/// Where the null server listens.
const FLOOR_URL: &str = "http://127.0.0.1:{port}/mcp";

/// Everything that is fixed before the first process starts.
pub(crate) struct Setup {
    pub options: Options,
    /// What the run asks.
    pub mode: Mode,
    /// The load, where the question does not set others.
    pub load: Load,
    /// The cores that client and servers may use.
    cores: Vec<usize>,
    watcher: Watcher,
}

impl Options {
    /// Looks for what cannot work before anything is started.
    ///
    /// # Errors
    /// The [`Error`] that starting would end in.
    pub fn check(&self) -> Result<(), Error> {
        if self.placements.contains(&Placement::Split) && machine::cores().len() < 2 {
            return Err(Error::options(
                "the placement split needs two cores, and this process may use one: take the placement same",
            ));
        }
        if !(0.0..0.5).contains(&self.noise_threshold) {
            return Err(Error::options("the threshold is a share from 0 to 0.5"));
        }
        match &self.servers {
            Servers::Field { .. } if !matches!(self.question, Question::Latency { .. }) => {
                Err(Error::options("servers of a field can only be asked for their latency"))
            }
            Servers::Field { .. } => Ok(()),
            Servers::Named(named) => {
                let alone = matches!(self.question, Question::Latency { .. } | Question::ColdStart);
                if named.against.is_some() && !alone {
                    return Err(Error::options(
                        "two servers are compared by their latency or their cold starts",
                    ));
                }
                check_address(named.http.as_deref(), &named.command, named.against.as_deref())?;
                let commands = [Some(&named.command), named.against.as_ref()];
                commands.into_iter().flatten().try_for_each(|command| check_program(command.first()))
            }
        }
    }
}

impl Setup {
    pub(crate) fn of(mut options: Options, watcher: Watcher) -> Result<Self, Error> {
        options.check()?;
        let cores = machine::cores();
        options.environment.pinned_to = options.launcher.as_ref().and(cores.last().copied());
        options.environment.nice = Some(machine::priority());
        // Client and servers share a core, and so one priority: children inherit it.
        rustix::process::setpriority_process(None, machine::priority()).ok();
        Ok(Self { mode: options.mode(), load: options.load(), cores, watcher, options })
    }

    /// Whether the test should stop.
    pub(crate) fn stopped(&self) -> bool {
        self.watcher.stopped()
    }

    /// A stage begins.
    pub(crate) fn stage(&self, name: &'static str, what: &str, steps: u64) -> Box<dyn Stage> {
        self.watcher.progress().stage(name, what, steps)
    }

    /// Whether two servers are compared.
    pub(crate) fn compares(&self) -> bool {
        self.options.named().is_some_and(|named| named.against.is_some())
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
    fn pinned(&self, invocation: Invocation) -> Invocation {
        let Some(launcher) = &self.options.launcher else { return invocation };
        let mut args = vec!["__exec".to_owned()];
        args.extend(self.cores.last().map(|core| format!("--cpu={core}")));
        invocation.through(launcher, args)
    }

    /// The command of a member, as a person would type it.
    pub(crate) fn shown(&self, member: Member) -> String {
        // What lies in the workspace is the same in every copy of it.
        let root = &self.options.root;
        let within = |word: OsString| match Path::new(&word).strip_prefix(root) {
            Ok(path) if root.is_absolute() => path.into(),
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
        self.options.field()?.servers.get(place)
    }

    /// Where a member listens; `None` of one on stdio.
    fn address(&self, member: Member) -> Option<&str> {
        let named = self.options.named().and_then(|named| named.http.as_deref());
        match member {
            Member::Pipe | Member::InProcess => None,
            Member::NullHttp => Some(FLOOR_URL),
            Member::NullServer => named.map(|_| FLOOR_URL),
            _ => match self.entry(member) {
                Some(entry) => entry.http.as_deref(),
                None => named,
            },
        }
    }

    fn command(&self, member: Member) -> Vec<OsString> {
        let floor = |words: &[&str]| -> Vec<OsString> {
            let path = self.options.floor().into_iter().map(|path| path.clone().into_os_string());
            path.chain(words.iter().map(OsString::from)).collect()
        };
        let named = || self.options.named().cloned().unwrap_or_default();
        match member {
            Member::Against => named().against.unwrap_or_default(),
            Member::Pipe => vec!["cat".into()],
            Member::InProcess => floor(&["--in-process"]),
            Member::NullServer | Member::NullHttp if self.address(member).is_some() => {
                floor(&["--http", "{port}"])
            }
            Member::NullServer | Member::NullHttp => floor(&[]),
            Member::Server | Member::Control | Member::Peer(_) => match self.entry(member) {
                Some(entry) => entry.words(&self.options.root),
                None => named().command,
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
    pub(crate) fn in_process(&self, member: Member) -> Result<Invocation, Error> {
        let command = self.command(member);
        let (program, rest) = command.split_first().ok_or_else(|| Error::options("there is no command"))?;
        Ok(self.pinned(Invocation::new(program, rest.to_vec())))
    }

    /// How a member is started, on a port of its own where it needs one.
    pub(crate) fn program(&self, member: Member, era: Option<Era>) -> Result<Program, Error> {
        let mut command = self.command(member);
        let mut http = None;
        if let Some(url) = self.address(member) {
            let port = Address::free_port()
                .map_err(|error| Error::options(format!("there is no free port: {error}")))?
                .to_string();
            let address = Address::parse(&url.replace("{port}", &port))?;
            address.check_free()?;
            for word in &mut command {
                if let Some(text) = word.to_str().filter(|text| text.contains("{port}")) {
                    *word = text.replace("{port}", &port).into();
                }
            }
            http = Some(address);
        }
        let (program, rest) = command.split_first().ok_or_else(|| Error::options("there is no command"))?;
        let invocation = self.pinned(Invocation::new(program, rest.to_vec()));
        let era = era.or(self.options.era);
        Ok(Program { invocation, http, era, patience: self.options.patience })
    }

    /// Whether anything is measured below the servers.
    pub(crate) fn has_floors(&self) -> bool {
        self.options.floors != Floors::None
    }
}

/// A program that is not there would look like a server that ends at once.
fn check_program(program: Option<&OsString>) -> Result<(), Error> {
    let Some(program) = program else { return Err(Error::options("there is no command")) };
    let path = Path::new(program);
    let found = if path.components().count() > 1 {
        path.is_file()
    } else {
        let directories = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&directories).any(|directory| directory.join(path).is_file())
    };
    if found { Ok(()) } else { Err(Error::NoProgram(PathBuf::from(program))) }
}

fn check_address(url: Option<&str>, command: &[OsString], against: Option<&[OsString]>) -> Result<(), Error> {
    let Some(url) = url else { return Ok(()) };
    Address::parse(&url.replace("{port}", "1"))?;
    let names_port = |words: &[OsString]| words.iter().any(|word| word.to_string_lossy().contains("{port}"));
    if url.contains("{port}") != names_port(command) {
        return Err(Error::options(
            "{port} has to stand both in the address and in the command, or in neither",
        ));
    }
    if against.is_some_and(|against| !url.contains("{port}") || !names_port(against)) {
        return Err(Error::options(
            "two servers need a port each: write {port} in the address and in both commands",
        ));
    }
    Ok(())
}
