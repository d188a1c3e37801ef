//! What a load test can be asked for, apart from how it is written on a command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use crate::latency::{Load, Mode, Placement};
use crate::load_test::Field;
use crate::machine::Environment;
use crate::mcp::Era;

/// Everything that a load test is asked for. [`Options::new`] fills in what is usual for its question.
#[derive(Clone, Debug)]
pub struct Options {
    /// What is to be found out.
    pub question: Question,
    /// Of whom.
    pub servers: Servers,
    /// The revision to speak; `None` takes the newer that a server has.
    pub era: Option<Era>,
    /// Where client and servers run, one placement after the other.
    pub placements: Vec<Placement>,
    /// Starts of each server.
    pub launches: u32,
    /// How long each launch is measured. Of a sweep its points share it, of a capacity it is each rate's, and a soak
    /// is one launch of it.
    pub length: Duration,
    /// Calls before measuring, in each launch.
    pub warm_up: u64,
    /// How long an answer may take before the server is given up.
    pub patience: Duration,
    /// The smallest change of a ratio worth a name, as a share: 0.01 is 1 %.
    pub noise_threshold: f64,
    /// Whether the instructions of a call are counted too, after the timing.
    pub instructions: bool,
    /// What is measured below the servers.
    pub floors: Floors,
    /// The seed of every random choice.
    pub seed: u64,
    /// The machine, as the record will describe it.
    pub environment: Environment,
    /// A program that is called as `LAUNCHER __exec --cpu=N -- PROGRAM…`, pins itself to that core, sees to it that
    /// it ends with whoever started it, and becomes the program: `perflab` is one. Without one, servers are started
    /// as they are, and run wherever the system puts them.
    pub launcher: Option<PathBuf>,
    /// Where programs of a field that are written with a slash are looked for; the record leaves it out of the paths of
    /// commands. Empty: neither.
    pub root: PathBuf,
    /// The record's name: its directory's.
    pub name: String,
    /// The command that measures the same again, for the record.
    pub command: String,
}

/// What is to be found out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Question {
    /// How long calls take under a load.
    Latency {
        /// The load. A field has loads of its own.
        load: Load,
    },
    /// The highest rate whose p99 of the response time stays within a limit.
    Capacity {
        /// The limit.
        limit: Duration,
        /// Whether calls are due at random times; evenly spaced otherwise.
        poisson: bool,
    },
    /// How long a start takes up to the first answer, and its memory: one call a launch.
    ColdStart,
    /// Latency and memory over one long launch, and whether memory grows.
    Soak {
        /// The load.
        load: Load,
    },
    /// Whether a server is free again when a call is cancelled, and whether it obeys.
    Cancel,
    /// Latency along a parameter.
    Sweep {
        /// The parameter.
        along: Sweep,
        /// The load of every point, where the load is not the parameter.
        load: Load,
    },
}

/// The parameter of a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sweep {
    /// Text of 100 B to 4 MiB in the first free text argument.
    Payload,
    /// 1 to 64 calls in flight.
    Concurrency,
    /// Every tool that only reads, one after the other.
    Tools,
}

/// Whom the question is about.
#[derive(Clone, Debug)]
pub enum Servers {
    /// One server, or two that are compared.
    Named(Named),
    /// Several side by side, each compared with the first. They can only be asked for their latency.
    Field {
        /// Who they are, and which calls all of them get.
        field: Field,
        /// The names of those that are left out.
        without: Vec<String>,
    },
}

/// A server by its command.
#[derive(Clone, Debug, Default)]
pub struct Named {
    /// Its command. `{port}` in it becomes a free port.
    pub command: Vec<OsString>,
    /// The command of a second server that is compared with it: both alive, blocks alternated.
    pub against: Option<Vec<OsString>>,
    /// The address of both, where they are spoken with over Streamable HTTP; `{port}` as in the commands.
    pub http: Option<String>,
    /// What is called.
    pub calls: Calls,
    /// A text that every answer has to hold.
    pub expect: Option<String>,
}

/// What is called.
#[derive(Clone, Debug, Default)]
pub enum Calls {
    /// `echo`, or the first tool that says of itself that it only reads, with arguments made from its schema.
    #[default]
    Safe,
    /// These tools, with arguments made from their schemas.
    Tools(Vec<String>),
    /// A weighted mix: the text of a TOML file with `[[call]]` tables.
    Mix {
        /// What messages call the file.
        file: String,
        /// What is in it.
        text: String,
    },
}

/// What is measured below the servers, to tell how much of a time is theirs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Floors {
    /// Nothing.
    None,
    /// `cat`: what a pipe and this client cost.
    Pipe,
    /// The pipe, and a server without a library at this path, `null-server`; its calls in process too.
    Server(PathBuf),
}

impl Options {
    /// The usual options for a question: one core for client and server, `cat` as the floor, a random choice by the
    /// seed 1, and as many and as long launches as the question needs.
    #[must_use]
    pub fn new(question: Question, servers: Servers, environment: Environment) -> Self {
        let compares = matches!(&servers, Servers::Named(Named { against: Some(_), .. }));
        let field = matches!(servers, Servers::Field { .. });
        let launches = match question {
            Question::ColdStart => 20,
            Question::Soak { .. } | Question::Capacity { .. } | Question::Cancel => 1,
            Question::Latency { .. } if compares => 16,
            Question::Latency { .. } if field => 10,
            Question::Latency { .. } | Question::Sweep { .. } => 5,
        };
        let length = match question {
            Question::Soak { .. } => Duration::from_secs(60),
            Question::Capacity { .. } => Duration::from_secs(1),
            _ if field => Duration::from_millis(300),
            _ if compares => Duration::from_millis(500),
            _ => Duration::from_secs(2),
        };
        Self {
            question,
            servers,
            era: None,
            placements: vec![Placement::Same],
            launches,
            length,
            warm_up: 200,
            patience: Duration::from_secs(10),
            noise_threshold: 0.01,
            instructions: false,
            floors: Floors::Pipe,
            seed: 1,
            environment,
            launcher: None,
            root: PathBuf::new(),
            name: "load-test".to_owned(),
            command: String::new(),
        }
    }

    /// What the run asks, as its record says it.
    #[must_use]
    pub fn mode(&self) -> Mode {
        match (&self.servers, self.question) {
            (Servers::Field { .. }, _) => Mode::Field,
            (_, Question::Latency { .. }) => Mode::Latency,
            (_, Question::Capacity { .. }) => Mode::Capacity,
            (_, Question::ColdStart) => Mode::ColdStart,
            (_, Question::Soak { .. }) => Mode::Soak,
            (_, Question::Cancel) => Mode::Cancel,
            (_, Question::Sweep { .. }) => Mode::Sweep,
        }
    }

    /// The load that servers are warmed up and measured under, where the question does not set others.
    pub(crate) fn load(&self) -> Load {
        match self.question {
            Question::Latency { load } | Question::Soak { load } | Question::Sweep { load, .. } => load,
            Question::Capacity { .. } | Question::ColdStart | Question::Cancel => {
                Load::Closed { in_flight: 1 }
            }
        }
    }

    /// The server that is asked for by its command.
    pub(crate) fn named(&self) -> Option<&Named> {
        match &self.servers {
            Servers::Named(named) => Some(named),
            Servers::Field { .. } => None,
        }
    }

    /// The servers of a field.
    pub(crate) fn field(&self) -> Option<&Field> {
        match &self.servers {
            Servers::Field { field, .. } => Some(field),
            Servers::Named(_) => None,
        }
    }

    /// The program of the floor below every server.
    pub(crate) fn floor(&self) -> Option<&PathBuf> {
        match &self.floors {
            Floors::Server(path) => Some(path),
            Floors::None | Floors::Pipe => None,
        }
    }
}
