//! A command while it runs: one loop over its end and its pipes, in the caller's thread.

use std::ffi::OsStr;
use std::io::{self, Read, Write as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, ExitStatus};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_setfl};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use crate::command::capture::Capture;
use crate::command::{CommandError, Finished, Limits, tree};

/// How often the caller is asked whether to stop.
const ASK: Duration = Duration::from_millis(20);

/// How long pipes are read after everything was killed: long enough for what is in them, short where a
/// process that got away holds them open.
const GRACE: Duration = Duration::from_millis(200);

/// The started command. Dropping it ends it and everything it has started.
pub struct Running<'a> {
    child: Child,
    pid: Pid,
    /// Readable when the child has ended.
    end: OwnedFd,
    mark: String,
    input: &'a [u8],
    stdin: Option<ChildStdin>,
    stdout: Stream<ChildStdout>,
    stderr: Stream<ChildStderr>,
    limits: Limits,
    is_reaped: bool,
}

/// A pipe that is read until its end, and what is kept of it.
struct Stream<P> {
    pipe: Option<P>,
    capture: Capture,
}

/// Why the loop ended.
enum Outcome {
    Ended,
    TimedOut,
    Stopped,
}

impl<'a> Running<'a> {
    pub fn new(mut child: Child, mark: String, input: &'a [u8], limits: Limits) -> io::Result<Self> {
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let pid = pid.expect("a child has a positive process number");
        let end = match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(end) => end,
            Err(error) => {
                tree::kill(pid, &mark);
                child.wait()?;
                return Err(error.into());
            }
        };
        let stdin = child.stdin.take();
        let stdout = Stream { pipe: child.stdout.take(), capture: Capture::new(limits.stdout) };
        let stderr = Stream { pipe: child.stderr.take(), capture: Capture::new(limits.stderr) };
        let running = Self { child, pid, end, mark, input, stdin, stdout, stderr, limits, is_reaped: false };
        // From here on an error drops, and so ends, what runs.
        let pipes = [running.stdin.as_ref().map(AsFd::as_fd), running.stdout.fd(), running.stderr.fd()];
        for pipe in pipes.into_iter().flatten() {
            fcntl_setfl(pipe, OFlags::NONBLOCK)?;
        }
        Ok(running)
    }

    /// Waits for the end, kills what is left, and collects.
    pub fn follow(
        mut self,
        start: Instant,
        stop: &dyn Fn() -> bool,
        program: &OsStr,
    ) -> Result<Finished, CommandError> {
        let system = |error| CommandError::System { program: program.to_owned(), error };
        let outcome = self.attend(start, stop).map_err(system)?;
        let duration = start.elapsed();
        let status = self.reap().map_err(system)?;
        self.stdin = None;
        self.drain().map_err(system)?;
        let timeout = self.limits.timeout;
        let left = self.finish(status, duration);
        let program = program.to_owned();
        match outcome {
            Outcome::Ended => Ok(left),
            Outcome::TimedOut => Err(CommandError::TimedOut { program, timeout, left: Box::new(left) }),
            Outcome::Stopped => Err(CommandError::Stopped { program, left: Box::new(left) }),
        }
    }

    /// Serves the pipes until the child has ended or has to.
    fn attend(&mut self, start: Instant, stop: &dyn Fn() -> bool) -> io::Result<Outcome> {
        loop {
            let left = self.limits.timeout.saturating_sub(start.elapsed());
            if left.is_zero() {
                return Ok(Outcome::TimedOut);
            }
            if stop() {
                return Ok(Outcome::Stopped);
            }
            if self.wait(left.min(ASK))? {
                return Ok(Outcome::Ended);
            }
        }
    }

    /// Waits for the end or for a pipe, and serves the pipes; whether the child has ended.
    fn wait(&mut self, time: Duration) -> io::Result<bool> {
        let reading = [self.stdout.fd(), self.stderr.fd()];
        let writing = self.stdin.as_ref().map(AsFd::as_fd);
        let mut polled = vec![PollFd::from_borrowed_fd(self.end.as_fd(), PollFlags::IN)];
        polled
            .extend(reading.into_iter().flatten().map(|pipe| PollFd::from_borrowed_fd(pipe, PollFlags::IN)));
        polled.extend(writing.map(|pipe| PollFd::from_borrowed_fd(pipe, PollFlags::OUT)));
        match poll(&mut polled, Some(&timespec(time))) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let has_ended = !polled[0].revents().is_empty();
        self.stdout.read()?;
        self.stderr.read()?;
        self.feed();
        Ok(has_ended)
    }

    /// Reads what is left in the pipes.
    fn drain(&mut self) -> io::Result<()> {
        let start = Instant::now();
        while start.elapsed() < GRACE && (self.stdout.pipe.is_some() || self.stderr.pipe.is_some()) {
            let pipes = [self.stdout.fd(), self.stderr.fd()];
            let mut polled: Vec<_> = pipes
                .into_iter()
                .flatten()
                .map(|pipe| PollFd::from_borrowed_fd(pipe, PollFlags::IN))
                .collect();
            match poll(&mut polled, Some(&timespec(GRACE))) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            self.stdout.read()?;
            self.stderr.read()?;
        }
        Ok(())
    }

    /// Gives the command as much input as it takes now. One that reads no further has all it wants.
    fn feed(&mut self) {
        while let Some(pipe) = &mut self.stdin {
            match pipe.write(self.input) {
                Ok(written) if written < self.input.len() => self.input = &self.input[written..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(_) | Err(_) => self.stdin = None,
            }
        }
    }

    /// Kills everything and takes the child's exit status.
    fn reap(&mut self) -> io::Result<ExitStatus> {
        tree::kill(self.pid, &self.mark);
        let status = self.child.wait()?;
        self.is_reaped = true;
        Ok(status)
    }

    fn finish(mut self, status: ExitStatus, duration: Duration) -> Finished {
        let stdout = std::mem::replace(&mut self.stdout.capture, Capture::new(0)).finish();
        let stderr = std::mem::replace(&mut self.stderr.capture, Capture::new(0)).finish();
        Finished {
            code: status.code(),
            signal: status.signal(),
            truncated: stdout.is_truncated() || stderr.is_truncated(),
            stdout,
            stderr,
            duration,
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if !self.is_reaped {
            self.reap().ok();
        }
    }
}

impl<P: Read + AsFd> Stream<P> {
    fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.pipe.as_ref().map(AsFd::as_fd)
    }

    /// Takes what is there now, up to a mebibyte, so that no output keeps the loop from its other duties.
    fn read(&mut self) -> io::Result<()> {
        let mut buffer = [0; 16 << 10];
        for _ in 0..64 {
            let Some(pipe) = &mut self.pipe else {
                return Ok(());
            };
            match pipe.read(&mut buffer) {
                Ok(0) => self.pipe = None,
                Ok(read) => self.capture.take(&buffer[..read]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

fn timespec(time: Duration) -> Timespec {
    Timespec::try_from(time).unwrap_or(Timespec { tv_sec: i64::MAX, tv_nsec: 0 })
}
