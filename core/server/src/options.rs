//! The command line that all servers share.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use crate::server::Selection;

/// The options of a server, fixed at its start.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// Serve HTTP at this address instead of stdin and stdout, such as 127.0.0.1:8080
    #[arg(long, value_name = "ADDR:PORT")]
    pub http: Option<SocketAddr>,
    /// File with the bearer token that HTTP clients must send; needed for addresses beyond this machine
    #[arg(long, value_name = "FILE", requires = "http")]
    pub token_file: Option<PathBuf>,
    /// Further name under which HTTP clients may address the server (Host header)
    #[arg(long, value_name = "NAME", requires = "http")]
    pub allow_host: Vec<String>,
    /// Further web origin that may call the server, such as `https://example.com:443`
    #[arg(long, value_name = "ORIGIN", requires = "http")]
    pub allow_origin: Vec<String>,
    /// How long an HTTP session may be idle, such as 24h; one with a call under way is not
    #[arg(long, value_name = "TIME", requires = "http", default_value = "24h", value_parser = humantime::parse_duration)]
    pub session_idle: Duration,
    /// How many HTTP sessions there may be: a further one ends the one that was idle longest
    #[arg(long, value_name = "N", requires = "http", default_value_t = 256, value_parser = most_sessions)]
    pub max_sessions: usize,
    /// Offer only tools that change nothing
    #[arg(long)]
    pub read_only: bool,
    /// Directory that tools may work in [default: the current one]
    #[arg(long = "root", value_name = "DIR")]
    pub roots: Vec<PathBuf>,
    /// Directory for what the server remembers, or `none` [default: in the user's data directory]
    #[arg(long, value_name = "DIR|none")]
    pub state: Option<PathBuf>,
    /// Offer only the tools of these sets
    #[arg(long = "toolset", value_name = "SET", value_delimiter = ',')]
    pub toolsets: Vec<String>,
    /// Serve the two reference tools `echo` and `stats` instead, to measure and test the way to them
    #[arg(long)]
    pub fixture: bool,
    /// What to log on stderr
    #[arg(long, value_name = "LEVEL", default_value = "warn")]
    pub log: LogLevel,
    /// How to start this very code in a process of its own, as the supervisor of what a tool executes: program and
    /// arguments, set where the code is a library in a foreign program. Empty where the program can start itself.
    #[arg(skip)]
    pub supervisor: Vec<OsString>,
}

/// What a server can do besides serving.
#[derive(Clone, Debug, Subcommand)]
pub enum Action {
    /// Say what this machine offers to the server, and how to get what is missing
    Doctor,
    /// Write manual pages and shell completions below a directory, for whoever packs the program.
    #[command(name = "__pages", hide = true)]
    Pages {
        /// The directory.
        directory: PathBuf,
    },
}

/// How much is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "the names say it")]
pub enum LogLevel {
    Off,
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

impl Options {
    /// Which tools are shown.
    #[must_use]
    pub fn selection(&self) -> Selection {
        Selection { read_only: self.read_only, toolsets: self.toolsets.clone() }
    }

    /// The directories that tools may work in: the current one, where none is named.
    ///
    /// # Errors
    /// One sentence: the current directory cannot be found.
    pub fn roots_or_current(&self) -> Result<Vec<PathBuf>, String> {
        if !self.roots.is_empty() {
            return Ok(self.roots.clone());
        }
        let current = std::env::current_dir();
        let current = current
            .map_err(|error| format!("the current directory cannot be a root ({error}): give --root DIR"))?;
        Ok(vec![current])
    }

    /// The directory for what the server remembers; `None` where it keeps nothing.
    #[must_use]
    pub fn state_dir(&self, server: &str) -> Option<PathBuf> {
        mcp_workspace::state::directory(self.state.as_deref(), server)
    }
}

fn most_sessions(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(most @ 1..) => Ok(most),
        _ => Err("expected a number of sessions, at least 1".to_owned()),
    }
}

impl From<LogLevel> for tracing_subscriber::filter::LevelFilter {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Off => Self::OFF,
            LogLevel::Error => Self::ERROR,
            LogLevel::Warn => Self::WARN,
            LogLevel::Info => Self::INFO,
            LogLevel::Debug => Self::DEBUG,
            LogLevel::Trace => Self::TRACE,
        }
    }
}
