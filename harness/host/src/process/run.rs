//! One program, run to its end: with a time limit, capped output, and nothing left behind.

use std::io::{self, Read};
use std::os::unix::process::ExitStatusExt as _;
use std::process::Child;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::process::Invocation;

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
/// # Errors
/// [`RunError`]: it cannot be started, takes too long, or `stop` says so. The exit code is not an error.
pub fn run(invocation: &Invocation, limits: Limits, stop: &dyn Fn() -> bool) -> Result<Output, RunError> {
    let program = invocation.program.to_string_lossy().into_owned();
    let start = Instant::now();
    let mut child =
        invocation.spawn().map_err(|error| RunError::NotStarted { program: program.clone(), error })?;
    // Held open: its end is how a supervisor learns that the lab is gone.
    let _stdin = child.stdin.take();
    let stdout = drain(child.stdout.take(), limits.output);
    let stderr = drain(child.stderr.take(), limits.output);
    loop {
        match child.try_wait() {
            Ok(Some(status)) => {
                return Ok(Output {
                    code: status.code(),
                    signal: status.signal(),
                    stdout: stdout.recv().unwrap_or_default(),
                    stderr: stderr.recv().unwrap_or_default(),
                    wall: start.elapsed(),
                });
            }
            Ok(None) => {}
            Err(error) => {
                kill(&mut child);
                return Err(RunError::NotStarted { program, error });
            }
        }
        if stop() {
            kill(&mut child);
            return Err(RunError::Stopped);
        }
        if start.elapsed() > limits.timeout {
            kill(&mut child);
            return Err(RunError::TimedOut { program, timeout: limits.timeout });
        }
        // Short programs are waited for finely, long ones cheaply.
        thread::sleep((start.elapsed() / 20).clamp(Duration::from_micros(200), Duration::from_millis(50)));
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

fn drain(pipe: Option<impl Read + Send + 'static>, limit: usize) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut kept = Vec::new();
        if let Some(mut pipe) = pipe {
            let mut buffer = [0; 8192];
            while let Ok(read @ 1..) = pipe.read(&mut buffer) {
                let room = limit.saturating_sub(kept.len());
                kept.extend_from_slice(&buffer[..read.min(room)]);
            }
        }
        sender.send(String::from_utf8_lossy(&kept).into_owned()).ok();
    });
    receiver
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
    fn a_program_that_is_not_there_is_named() {
        let error = run(&Invocation::new("no-such-program", [""; 0]), LIMITS, &|| false).unwrap_err();
        assert!(error.to_string().starts_with("cannot start no-such-program: "), "{error}");
    }
}
