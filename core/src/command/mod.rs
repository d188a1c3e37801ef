//! Runs a program with limits: time, output, environment; and nothing that it started outlives it.
//!
//! No shell is involved: the program and each argument are given as they are. This is no sandbox. A program
//! may do what its user may; what it may read, write and connect to is for the caller to restrict.
//!
//! A command dies with the thread that runs it, even when the whole process is killed, where the host has
//! `setpriv` (util-linux), through which the command then is started: the kernel sends the death signal
//! (`PR_SET_PDEATHSIG`) to the command itself, and not to what that has started. See
//! [`dies_with_caller`].

mod capture;
mod environment;
mod running;
mod tree;

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::fs::{Access, access};

use crate::command::running::Running;

pub use capture::Captured;
pub use environment::SEARCH_PATH;

/// Where a command is cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest it may take.
    pub timeout: Duration,
    /// The most bytes that are kept of its standard output, half from the beginning and half from the end.
    pub stdout: usize,
    /// The same for its standard error.
    pub stderr: usize,
}

impl Default for Limits {
    /// A minute, a mebibyte and 64 kibibytes.
    fn default() -> Self {
        Self { timeout: Duration::from_secs(60), stdout: 1 << 20, stderr: 64 << 10 }
    }
}

/// A program, its arguments and its limits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Command {
    program: OsString,
    args: Vec<OsString>,
    folder: Option<PathBuf>,
    variables: Vec<(OsString, OsString)>,
    input: Vec<u8>,
    limits: Limits,
}

/// What a command left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Finished {
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Its standard output.
    pub stdout: Captured,
    /// Its standard error.
    pub stderr: Captured,
    /// Whether something of either was left out.
    pub truncated: bool,
    /// How long it took.
    pub duration: Duration,
}

/// Why a command did not come to its own end. An exit code is not an error.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// There is no such program.
    #[error(
        "cannot find the program {program:?}: give a name in {SEARCH_PATH}, or the path of an executable file"
    )]
    NotFound {
        /// What was asked for.
        program: OsString,
    },
    /// A program or argument that no program can be given.
    #[error("{word:?} holds a NUL byte, which no argument can hold")]
    Nul {
        /// The program or argument.
        word: OsString,
    },
    /// A variable that may not be set.
    #[error("the variable {name:?} cannot be set: it is no name, or it changes what programs load or run")]
    Variable {
        /// Its name.
        name: OsString,
    },
    /// The system could not start or follow it.
    #[error("cannot run {program:?}: {error}")]
    System {
        /// The program.
        program: OsString,
        /// The system's reason.
        error: io::Error,
    },
    /// It did not end in time, and was killed with everything it had started.
    #[error("{program:?} did not end within {timeout:?} and was stopped: give it longer, or less to do")]
    TimedOut {
        /// The program.
        program: OsString,
        /// The limit.
        timeout: Duration,
        /// What it had left until then.
        left: Box<Finished>,
    },
    /// The caller asked to stop; it was killed with everything it had started.
    #[error("{program:?} was stopped because the caller asked for it")]
    Stopped {
        /// The program.
        program: OsString,
        /// What it had left until then.
        left: Box<Finished>,
    },
}

impl Command {
    /// A program, by its name in [`SEARCH_PATH`] or by a path, with its arguments.
    pub fn new<A: Into<OsString>>(program: impl Into<OsString>, args: impl IntoIterator<Item = A>) -> Self {
        let args = args.into_iter().map(Into::into).collect();
        Self { program: program.into(), args, ..Self::default() }
    }

    /// The same in a folder; without one it runs where the caller is.
    #[must_use]
    pub fn in_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// The same with a variable on top of the few that pass (`HOME`, `LANG`, …).
    #[must_use]
    pub fn with_variable(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    /// The same with bytes on its standard input; without them that is at its end at once.
    #[must_use]
    pub fn with_input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = input.into();
        self
    }

    /// The same with other limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Runs it to its end, in this thread.
    ///
    /// # Errors
    /// [`CommandError`]: it cannot be started or takes too long.
    pub fn run(&self) -> Result<Finished, CommandError> {
        self.run_until(&|| false)
    }

    /// Runs it to its end or until `stop` says so, which is asked every 20 ms.
    ///
    /// # Errors
    /// [`CommandError`]: it cannot be started, takes too long or is stopped.
    pub fn run_until(&self, stop: &dyn Fn() -> bool) -> Result<Finished, CommandError> {
        let program = self.resolve()?;
        self.check()?;
        let start = Instant::now();
        let mark = tree::mark();
        let system = |error| CommandError::System { program: self.program.clone(), error };
        let child = self.prepare(&program, &mark).spawn().map_err(system)?;
        let running = Running::new(child, mark, &self.input, self.limits).map_err(system)?;
        running.follow(start, stop, &self.program)
    }

    /// The file that is run.
    fn resolve(&self) -> Result<PathBuf, CommandError> {
        let not_found = || CommandError::NotFound { program: self.program.clone() };
        let is_program = |path: &PathBuf| path.is_file() && access(path, Access::EXEC_OK).is_ok();
        if self.program.as_bytes().contains(&b'/') {
            let path = self.folder.as_deref().unwrap_or(Path::new("")).join(&self.program);
            return std::path::absolute(path).ok().filter(is_program).ok_or_else(not_found);
        }
        let name = Path::new(&self.program);
        // `..` and nothing at all name folders.
        name.file_name().ok_or_else(not_found)?;
        SEARCH_PATH
            .split(':')
            .map(|folder| Path::new(folder).join(name))
            .find(is_program)
            .ok_or_else(not_found)
    }

    fn check(&self) -> Result<(), CommandError> {
        let has_nul = |word: &&OsString| word.as_bytes().contains(&0);
        if let Some(word) = self.args.iter().find(has_nul) {
            return Err(CommandError::Nul { word: word.clone() });
        }
        let refused = |(name, value): &&(OsString, OsString)| !environment::may_be_set(name, value);
        if let Some((name, _)) = self.variables.iter().find(refused) {
            return Err(CommandError::Variable { name: name.clone() });
        }
        Ok(())
    }

    fn prepare(&self, program: &Path, mark: &str) -> std::process::Command {
        let mut command = match setpriv() {
            Some(setpriv) => {
                let mut command = std::process::Command::new(setpriv);
                command.args(["--pdeathsig", "KILL", "--"]).arg(program);
                command
            }
            None => std::process::Command::new(program),
        };
        command.args(&self.args).env_clear().envs(environment::passed()).env("PATH", SEARCH_PATH);
        command.envs(self.variables.iter().map(|(name, value)| (name, value))).env(tree::VARIABLE, mark);
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        let input = if self.input.is_empty() { Stdio::null() } else { Stdio::piped() };
        command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        command
    }
}

/// Whether commands on this host are killed by the kernel when the thread that runs them ends, however it
/// ends. Without it a command whose caller is killed runs on to its own end.
#[must_use]
pub fn dies_with_caller() -> bool {
    setpriv().is_some()
}

fn setpriv() -> Option<&'static OsStr> {
    ["/usr/bin/setpriv", "/bin/setpriv"].into_iter().map(OsStr::new).find(|path| Path::new(path).is_file())
}
