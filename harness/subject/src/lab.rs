//! The lab as a program meets it whose own course decides which benchmark comes next.

use std::fmt::Display;
use std::io::{self, Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use crate::os::{Streams, at_exit, die_with_parent};
use crate::protocol::{Request, RequestError};
use crate::serve::displace;

/// The longest request that is read, in bytes.
const LONGEST_LINE: usize = 16 << 20;

/// Whether the lab started this process: it sets this variable for every subject.
#[must_use]
pub fn started_by_lab() -> bool {
    std::env::var_os("PERFLAB_PAD").is_some()
}

/// Requests on stdin, answers on stdout. Both are taken away from the rest of the process: it reads nothing, and what it
/// prints goes to stderr.
pub struct Lab {
    streams: Streams,
}

impl Lab {
    /// Begins the conversation: the process dies with the lab, and its heap begins where the lab wants it.
    ///
    /// # Errors
    /// The standard streams cannot be taken.
    pub fn meet() -> io::Result<Self> {
        die_with_parent();
        displace(std::env::var_os("PERFLAB_PAD").map_or(0, |pad| pad.len()));
        Ok(Self { streams: Streams::take()? })
    }

    /// Takes stdout alone seriously: for a process that is to print a listing and hears nothing.
    ///
    /// # Errors
    /// The standard streams cannot be taken.
    pub fn only_speak() -> io::Result<Self> {
        die_with_parent();
        Ok(Self { streams: Streams::take()? })
    }

    /// The next request, or why its line is not one; `None` once the lab has nothing more to ask.
    ///
    /// # Errors
    /// The line cannot be read, or is longer than 16 MiB.
    pub fn next_request(&mut self) -> io::Result<Option<Result<Request, RequestError>>> {
        loop {
            let Some(line) = self.line()? else { return Ok(None) };
            if !line.trim().is_empty() {
                return Ok(Some(Request::read(&line)));
            }
        }
    }

    /// Byte by byte, so that nothing is lost when another program takes this one's place.
    fn line(&mut self) -> io::Result<Option<String>> {
        let mut line = Vec::new();
        let mut byte = [0];
        while self.streams.input.read(&mut byte)? == 1 {
            if byte == *b"\n" {
                return Ok(Some(String::from_utf8_lossy(&line).into_owned()));
            }
            if line.len() == LONGEST_LINE {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a request of more than 16 MiB"));
            }
            line.extend(byte);
        }
        Ok((!line.is_empty()).then(|| String::from_utf8_lossy(&line).into_owned()))
    }

    /// Gives an answer.
    ///
    /// # Errors
    /// The lab does not listen any more.
    pub fn say(&mut self, answer: &impl Display) -> io::Result<()> {
        self.streams.output.write_all(format!("{answer}\n").as_bytes())
    }

    /// Lets another program take this one's place in the conversation. Returns only where it cannot be started.
    #[must_use]
    pub fn leave_to(&self, mut program: Command) -> io::Error {
        match self.streams.give_back() {
            Ok(()) => program.exec(),
            Err(error) => error,
        }
    }
}

/// Has `call` made when this process exits, however its `main` ends; not when a signal ends it.
pub fn when_it_exits(call: extern "C" fn()) {
    at_exit(call);
}
