//! Child processes: run to the end with limits, or held in conversation; never left behind.
//!
//! A child dies with the lab even when the lab is killed: conversations are started through
//! [`become_program`], which asks the kernel for it, and builds run under [`supervise`], which ends a whole
//! process group when the lab's end of a pipe closes.

mod conversation;
pub mod group;
mod piped;
mod run;
mod stand_in;
mod timed;

pub use conversation::{Conversation, Ended, Silence, peak_rss};
pub use piped::Piped;
pub use run::{Limits, Output, RunError, run};
pub use stand_in::{become_program, supervise};
pub use timed::{Timed, TimedSetup, time_once};

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Stdio};

/// What is to be started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Invocation {
    /// The program.
    pub program: OsString,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Variables taken away from the inherited environment.
    pub unset: Vec<OsString>,
    /// Variables set on top of what is left of it.
    pub set: Vec<(OsString, OsString)>,
    /// Its working directory; `None` inherits.
    pub folder: Option<PathBuf>,
    /// Whether the program is the lab's own stand-in, which ends what it started when its stdin ends.
    pub stand_in: bool,
}

impl Invocation {
    /// An invocation of a program with arguments.
    pub fn new<A: Into<OsString>>(program: impl Into<OsString>, args: impl IntoIterator<Item = A>) -> Self {
        Self { program: program.into(), args: args.into_iter().map(Into::into).collect(), ..Self::default() }
    }

    /// The same in a directory.
    #[must_use]
    pub fn in_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// The command as a person would type it, for records and messages.
    #[must_use]
    pub fn display(&self) -> String {
        let word = |text: &OsString| {
            let text = text.to_string_lossy();
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
            if !text.is_empty() && text.chars().all(plain) {
                text.into_owned()
            } else {
                format!("'{}'", text.replace('\'', "'\\''"))
            }
        };
        let variables =
            self.set.iter().map(|(name, value)| format!("{}={}", name.to_string_lossy(), word(value)));
        variables.chain([word(&self.program)]).chain(self.args.iter().map(word)).collect::<Vec<_>>().join(" ")
    }

    /// Starts it in a process group of its own, with pipes on all three of its streams.
    fn spawn(&self) -> io::Result<Child> {
        let pipe = Stdio::piped;
        self.command().stdin(pipe()).stdout(pipe()).stderr(pipe()).process_group(0).spawn()
    }

    fn command(&self) -> std::process::Command {
        let mut command = std::process::Command::new(&self.program);
        command.args(&self.args);
        for name in &self.unset {
            command.env_remove(name);
        }
        command.envs(self.set.iter().map(|(name, value)| (name, value)));
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        command
    }

    /// The same invocation through another program: `program VERB ARGS -- self`.
    #[must_use]
    pub fn through<A: Into<OsString>>(
        self,
        program: impl Into<OsString>,
        args: impl IntoIterator<Item = A>,
    ) -> Self {
        let mut all: Vec<OsString> = args.into_iter().map(Into::into).collect();
        all.extend(["--".into(), self.program]);
        all.extend(self.args);
        Self { program: program.into(), args: all, stand_in: true, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_outlasts_what_is_taken_away() {
        let mut invocation = Invocation::new("true", [""; 0]);
        invocation.set.push(("PATH".into(), "/set".into()));
        invocation.unset.extend(["PATH".into(), "HOME".into()]);
        let command = invocation.command();
        let value =
            |wanted: &str| command.get_envs().find(|(name, _)| *name == wanted).map(|(_, value)| value);
        assert_eq!(value("PATH"), Some(Some("/set".as_ref())));
        assert_eq!(value("HOME"), Some(None));
    }

    #[test]
    fn a_command_is_displayed_so_that_it_can_be_pasted() {
        let mut invocation = Invocation::new("cargo", ["build", "--config", "it's here"]);
        invocation.set.push(("A".into(), "b c".into()));
        assert_eq!(invocation.display(), "A='b c' cargo build --config 'it'\\''s here'");
        let through = invocation.through("perflab", ["__supervise".to_owned()]);
        assert_eq!(through.args[..3], ["__supervise", "--", "cargo"]);
    }
}
