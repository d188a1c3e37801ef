//! One program, run to its end: with a time limit, capped output, and nothing left behind.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::process::Invocation;

/// The most that both pipes of a child hold when it ends (`fs.pipe-max-size` of a user is 1 MiB).
const PIPE: usize = 2 << 20;
/// How long a stand-in may take to end what it started; it takes milliseconds where it is given a core.
const FAREWELL: Duration = Duration::from_secs(5);

/// Where a run is cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest it may take.
    pub timeout: Duration,
    /// The most bytes that are kept of each of stdout and stderr; the rest is read and dropped.
    pub output: usize,
}

/// What a finished program left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// The beginning of its stdout.
    pub stdout: String,
    /// The beginning of its stderr.
    pub stderr: String,
    /// How long it took.
    pub wall: Duration,
}

impl Output {
    /// Whether it exited with 0.
    #[must_use]
    pub fn success(&self) -> bool {
        self.code == Some(0)
    }
}

/// Why there is no output.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// It could not be started.
    #[error("cannot start {program}: {error}")]
    NotStarted {
        /// The program.
        program: String,
        /// The system's reason.
        error: io::Error,
    },
    /// It did not end in time, and was killed with everything it had started.
    #[error("{program} did not end within {} s and was stopped", timeout.as_secs())]
    TimedOut {
        /// The program.
        program: String,
        /// The limit.
        timeout: Duration,
    },
    /// The user asked to stop; it was killed with everything it had started.
    #[error("stopped")]
    Stopped,
}

/// Runs a program in a process group of its own, with an empty stdin that stays open until it ends.
/// `stop` is asked every 50 ms.
///
/// It has ended when its own process has: what it left running, and whatever that may still write, is not waited
/// for, and is ended too where it is in the same process group and holds a pipe.
///
/// # Errors
/// [`RunError`]: it cannot be started, takes too long, or `stop` says so. The exit code is not an error.
pub fn run(invocation: &Invocation, limits: Limits, stop: &dyn Fn() -> bool) -> Result<Output, RunError> {
    let program = invocation.program.to_string_lossy().into_owned();
    let start = Instant::now();
    let mut child =
        invocation.spawn().map_err(|error| RunError::NotStarted { program: program.clone(), error })?;
    // Held open: its end is how a supervisor learns that the lab is gone.
    let mut stdin = child.stdin.take();
    let mut pipes = Pipes::of(&mut child, limits.output);
    loop {
        let wrong = match child.try_wait() {
            Ok(Some(status)) => {
                if pipes.drain() {
                    kill(&mut child);
                }
                let [stdout, stderr] = pipes.texts();
                let (code, signal) = (status.code(), status.signal());
                return Ok(Output { code, signal, stdout, stderr, wall: start.elapsed() });
            }
            Err(error) => RunError::NotStarted { program, error },
            Ok(None) if stop() => RunError::Stopped,
            Ok(None) if start.elapsed() > limits.timeout => {
                RunError::TimedOut { program, timeout: limits.timeout }
            }
            Ok(None) => {
                // Short programs are waited for finely, long ones cheaply.
                let pause = start.elapsed() / 20;
                pipes.wait(pause.clamp(Duration::from_micros(200), Duration::from_millis(50)));
                continue;
            }
        };
        if invocation.stand_in {
            drop(stdin.take());
            farewell(&mut child);
        }
        kill(&mut child);
        return Err(wrong);
    }
}

/// Waits for a stand-in whose stdin has ended: what it started is in a group of its own, and it alone can end that.
fn farewell(child: &mut Child) {
    let start = Instant::now();
    while matches!(child.try_wait(), Ok(None)) && start.elapsed() < FAREWELL {
        thread::sleep(Duration::from_millis(1));
    }
}

/// Ends a child and everything in its process group.
pub(crate) fn kill(child: &mut Child) {
    if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        // A group that is gone already is what was wanted.
        kill_process_group(group, Signal::KILL).ok();
    }
    child.wait().ok();
}

/// What a child writes, read as it comes, so that it never waits for room.
struct Pipes {
    open: [Option<File>; 2],
    kept: [Vec<u8>; 2],
    limit: usize,
}

impl Pipes {
    fn of(child: &mut Child, limit: usize) -> Self {
        let stdout = child.stdout.take().map(OwnedFd::from);
        let stderr = child.stderr.take().map(OwnedFd::from);
        Self {
            open: [stdout, stderr].map(|pipe| pipe.map(File::from)),
            kept: [Vec::new(), Vec::new()],
            limit,
        }
    }

    /// Waits until there is something to read, and reads it; no longer than `pause`. Returns the bytes, 0 for nothing
    /// but the ends of pipes, and `None` where nothing came.
    fn wait(&mut self, pause: Duration) -> Option<usize> {
        let wait = Timespec::try_from(pause).ok()?;
        let mut ready = [false; 2];
        {
            let mut asked: Vec<(usize, PollFd<'_>)> = Vec::new();
            for (at, pipe) in self.open.iter().enumerate() {
                asked.extend(pipe.as_ref().map(|pipe| (at, PollFd::new(pipe, PollFlags::IN))));
            }
            let (places, mut asked): (Vec<usize>, Vec<PollFd<'_>>) = asked.into_iter().unzip();
            // Without a pipe that is open, and where a signal comes, this is a sleep.
            poll(&mut asked, Some(&wait)).ok();
            for (at, asked) in places.into_iter().zip(&asked) {
                ready[at] = !asked.revents().is_empty();
            }
        }
        let read: usize = (0..2).filter(|&at| ready[at]).map(|at| self.read(at)).sum();
        ready.contains(&true).then_some(read)
    }

    /// Reads what one pipe has; its end closes it.
    fn read(&mut self, at: usize) -> usize {
        let mut buffer = [0; 1 << 16];
        let Some(pipe) = &mut self.open[at] else { return 0 };
        match pipe.read(&mut buffer) {
            Ok(read @ 1..) => {
                let room = self.limit.saturating_sub(self.kept[at].len());
                self.kept[at].extend_from_slice(&buffer[..read.min(room)]);
                read
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => 0,
            _ => {
                self.open[at] = None;
                0
            }
        }
    }

    /// Reads what a child that has ended left in its pipes. Returns whether somebody else holds one of them.
    fn drain(&mut self) -> bool {
        let mut left = PIPE;
        while let Some(read) = self.wait(Duration::ZERO) {
            left = left.saturating_sub(read);
            if left == 0 {
                break;
            }
        }
        self.open.iter().any(Option::is_some)
    }

    fn texts(self) -> [String; 2] {
        self.kept.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { timeout: Duration::from_secs(20), output: 1000 };

    #[test]
    fn code_output_and_signal_come_back() {
        let output =
            run(&Invocation::new("sh", ["-c", "echo out; echo err >&2; exit 3"]), LIMITS, &|| false).unwrap();
        assert_eq!(
            (output.code, output.stdout.as_str(), output.stderr.as_str()),
            (Some(3), "out\n", "err\n")
        );
        let output = run(&Invocation::new("sh", ["-c", "kill -ILL $$"]), LIMITS, &|| false).unwrap();
        assert_eq!((output.code, output.signal), (None, Some(4)));
    }

    #[test]
    fn output_is_capped_and_read_to_its_end() {
        let output =
            run(&Invocation::new("sh", ["-c", "head -c 1000000 /dev/zero"]), LIMITS, &|| false).unwrap();
        assert_eq!((output.stdout.len(), output.code), (1000, Some(0)));
    }

    #[test]
    fn a_timeout_and_a_stop_end_the_whole_group() {
        let limits = Limits { timeout: Duration::from_millis(100), output: 100 };
        let invocation = Invocation::new("sh", ["-c", "sleep 61.25 & wait"]);
        assert!(matches!(run(&invocation, limits, &|| false), Err(RunError::TimedOut { .. })));
        assert!(matches!(run(&invocation, LIMITS, &|| true), Err(RunError::Stopped)));
        let survivors = run(&Invocation::new("pgrep", ["-f", "sleep 61.2[5]"]), LIMITS, &|| false).unwrap();
        assert_eq!(survivors.stdout, "", "the grandchild is gone too");
    }

    #[test]
    fn what_a_program_leaves_running_is_neither_waited_for_nor_left() {
        let script = "echo before; sleep 61.125 & echo said >&2; head -c 100000 /dev/zero | tr '\\0' x";
        let invocation = Invocation::new("sh", ["-c", script]);
        let limits = Limits { timeout: Duration::from_secs(20), output: 200_000 };
        let output = run(&invocation, limits, &|| false).unwrap();
        assert_eq!((output.code, output.stderr.as_str()), (Some(0), "said\n"));
        assert_eq!(output.stdout.len(), "before\n".len() + 100_000, "all of it came");
        assert!(output.wall < Duration::from_secs(20), "{:?}", output.wall);
        let survivors = run(&Invocation::new("pgrep", ["-f", "sleep 61.12[5]"]), LIMITS, &|| false).unwrap();
        assert_eq!(survivors.stdout, "");
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let error = run(&Invocation::new("no-such-program", [""; 0]), LIMITS, &|| false).unwrap_err();
        assert!(error.to_string().starts_with("cannot start no-such-program: "), "{error}");
    }
}
