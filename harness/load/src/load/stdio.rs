//! Lines over pipes.

use std::io::{Read as _, Write as _};
use std::os::fd::AsFd;
use std::process::{ChildStdin, ChildStdout};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

use crate::load::Clock;
use crate::load::link::{Intake, LONGEST_MESSAGE, READ, exited, is_passing, timespec};
use crate::mcp::Fault;
use crate::process::{Invocation, Piped};

/// A child that is spoken with line by line, never blocking on either pipe.
pub(crate) struct StdioLink {
    pub child: Piped,
    stdin: ChildStdin,
    stdout: ChildStdout,
    /// Bytes from the child, from the beginning of an unfinished line on.
    held: Vec<u8>,
    /// How many bytes of `held` are filled; the rest is room to read into.
    filled: usize,
    /// Bytes that did not fit into the pipe.
    out: Vec<u8>,
    /// How many bytes of `out` have left.
    left: usize,
}

impl StdioLink {
    /// Starts the server.
    pub(crate) fn start(invocation: &Invocation) -> Result<Self, Fault> {
        let not_started = |error: std::io::Error| Fault::NotStarted { said: error.to_string() };
        let mut child = Piped::start(invocation).map_err(not_started)?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Fault::NotStarted { said: "it has no pipes".to_owned() });
        };
        unblock(&stdin).and_then(|()| unblock(&stdout)).map_err(|error| not_started(error.into()))?;
        Ok(Self { child, stdin, stdout, held: vec![0; READ], filled: 0, out: Vec::new(), left: 0 })
    }

    pub(crate) fn has_room(&self) -> bool {
        self.out.is_empty()
    }

    pub(crate) fn send(&mut self, line: &[u8]) -> Result<(), Fault> {
        // One write for the line and its end: two would wake the child twice.
        self.out.extend_from_slice(line);
        self.out.push(b'\n');
        self.flush()
    }

    fn flush(&mut self) -> Result<(), Fault> {
        while self.left < self.out.len() {
            match self.stdin.write(&self.out[self.left..]) {
                Ok(written) => self.left += written,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) if is_passing(&error) => return Ok(()),
                // A closed stdin is an end; the reason comes when stdout ends too.
                Err(_) => break,
            }
        }
        self.out.clear();
        self.left = 0;
        Ok(())
    }

    pub(crate) fn wait(&mut self, timeout: Duration) -> Result<(), Fault> {
        let mut pipes = [PollFd::new(&self.stdout, PollFlags::IN), PollFd::new(&self.stdin, PollFlags::OUT)];
        let count = if self.out.is_empty() { 1 } else { 2 };
        // Interrupted by a signal: whoever waits looks whether it was meant for him.
        poll(&mut pipes[..count], Some(&timespec(timeout))).ok();
        if self.out.is_empty() { Ok(()) } else { self.flush() }
    }

    pub(crate) fn receive(&mut self, clock: Clock, each: &mut Intake<'_>) -> Result<(), Fault> {
        if self.held.len() < self.filled + READ {
            self.held.resize((self.filled + READ).max(2 * self.held.len()), 0);
        }
        let read = match self.stdout.read(&mut self.held[self.filled..]) {
            Ok(0) => return Err(exited(&mut self.child)),
            Ok(read) => read,
            Err(error) if is_passing(&error) => return Ok(()),
            Err(_) => return Err(exited(&mut self.child)),
        };
        let at = clock.ns();
        let mut searched = self.filled;
        self.filled += read;
        let mut begins = 0;
        let mut taken = Ok(());
        while let Some(end) = memchr::memchr(b'\n', &self.held[searched..self.filled]) {
            let end = searched + end;
            let line = &self.held[begins..end];
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if !line.is_empty() && taken.is_ok() {
                taken = each(line, at);
            }
            (begins, searched) = (end + 1, end + 1);
        }
        self.held.copy_within(begins..self.filled, 0);
        self.filled -= begins;
        if self.filled > LONGEST_MESSAGE {
            return taken.and(Err(Fault::LongLine { bytes: LONGEST_MESSAGE }));
        }
        taken
    }
}

fn unblock(pipe: &impl AsFd) -> rustix::io::Result<()> {
    fcntl_setfl(pipe, fcntl_getfl(pipe)? | OFlags::NONBLOCK)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    fn lines(link: &mut StdioLink, count: usize) -> Result<Vec<String>, Fault> {
        let (clock, start, mut lines) = (Clock::start(), Instant::now(), Vec::new());
        while lines.len() < count && start.elapsed() < Duration::from_secs(30) {
            link.wait(Duration::from_millis(50))?;
            link.receive(clock, &mut |line, _| {
                lines.push(String::from_utf8_lossy(line).into_owned());
                Ok(())
            })?;
        }
        Ok(lines)
    }

    #[test]
    fn lines_longer_than_a_pipe_go_both_ways_without_a_deadlock() {
        let mut link = StdioLink::start(&Invocation::new("cat", [""; 0])).unwrap();
        let long = "x".repeat(3_000_000);
        link.send(long.as_bytes()).unwrap();
        assert!(!link.has_room(), "a pipe holds less");
        link.send(b"short").unwrap();
        assert_eq!(lines(&mut link, 2).unwrap(), [long, "short".to_owned()]);
        assert!(link.has_room());
    }

    #[test]
    fn an_end_is_told_with_its_code_and_last_words() {
        let script = "echo one; printf 'two\\r\\n\\nthree'; echo why >&2; exit 3";
        let mut link = StdioLink::start(&Invocation::new("sh", ["-c", script])).unwrap();
        let fault = lines(&mut link, 9).unwrap_err();
        assert_eq!(fault, Fault::Exited { how: "exit code 3".into(), stderr: "why".into() });
    }

    #[test]
    fn a_line_without_end_is_given_up() {
        let mut link = StdioLink::start(&Invocation::new("cat", ["/dev/zero"])).unwrap();
        assert_eq!(lines(&mut link, 1), Err(Fault::LongLine { bytes: LONGEST_MESSAGE }));
    }
}
