//! A child that is spoken with line by line.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, ChildStdin};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use crate::process::Invocation;
use crate::process::run::kill;

/// The longest line that is taken from a child: a listing of thousands of benchmarks fits.
const LONGEST_LINE: u64 = 16 << 20;
/// What is kept of a child's stderr.
const STDERR_KEPT: usize = 4096;

/// A running child. Dropping it ends it and everything in its process group.
pub struct Conversation {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    stderr: Receiver<String>,
    ended: Option<Ended>,
}

/// Why no line came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// Nothing within the time.
    TimedOut,
    /// The child closed its stdout: it has ended or is about to.
    Closed,
}

/// How a child ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// The end of its stderr.
    pub stderr: String,
}

impl Conversation {
    /// Starts a child in a process group of its own.
    ///
    /// # Errors
    /// The system's reason when it cannot be started.
    pub fn start(invocation: &Invocation) -> io::Result<Self> {
        let mut child = invocation.spawn()?;
        let stdin = child.stdin.take();
        let (line_sender, lines) = mpsc::channel();
        if let Some(stdout) = child.stdout.take() {
            thread::spawn(move || {
                let mut reader = BufReader::new(stdout);
                loop {
                    let mut line = String::new();
                    match reader.by_ref().take(LONGEST_LINE).read_line(&mut line) {
                        Ok(1..) if line_sender.send(line.trim_end().to_owned()).is_ok() => {}
                        _ => break,
                    }
                }
            });
        }
        let (tail_sender, stderr) = mpsc::channel();
        if let Some(mut pipe) = child.stderr.take() {
            thread::spawn(move || {
                let mut tail = Vec::new();
                let mut buffer = [0; 1024];
                while let Ok(read @ 1..) = pipe.read(&mut buffer) {
                    tail.extend_from_slice(&buffer[..read]);
                    let surplus = tail.len().saturating_sub(STDERR_KEPT);
                    tail.drain(..surplus);
                }
                tail_sender.send(String::from_utf8_lossy(&tail).trim().to_owned()).ok();
            });
        }
        Ok(Self { child, stdin, lines, stderr, ended: None })
    }

    /// The child's process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends one line. A child that is gone is noticed when the answer is waited for.
    pub fn send(&mut self, line: &str) {
        if let Some(stdin) = &mut self.stdin {
            let sent = stdin.write_all(format!("{line}\n").as_bytes()).and_then(|()| stdin.flush());
            if sent.is_err() {
                self.stdin = None;
            }
        }
    }

    /// Waits for the next line.
    ///
    /// # Errors
    /// [`Silence`] when none comes.
    pub fn receive(&self, timeout: Duration) -> Result<String, Silence> {
        self.lines.recv_timeout(timeout).map_err(|error| match error {
            RecvTimeoutError::Timeout => Silence::TimedOut,
            RecvTimeoutError::Disconnected => Silence::Closed,
        })
    }

    /// Closes the child's stdin, gives it a second to end by itself, then ends it.
    pub fn end(&mut self) -> Ended {
        if let Some(ended) = &self.ended {
            return ended.clone();
        }
        self.stdin = None;
        let start = Instant::now();
        let mut status = None;
        while status.is_none() && start.elapsed() < Duration::from_secs(1) {
            status = self.child.try_wait().ok().flatten();
            if status.is_none() {
                thread::sleep(Duration::from_micros(300));
            }
        }
        kill(&mut self.child);
        let ended = Ended {
            code: status.and_then(|status| status.code()),
            signal: status.and_then(|status| status.signal()),
            stderr: self.stderr.recv_timeout(Duration::from_secs(1)).unwrap_or_default(),
        };
        self.ended.insert(ended).clone()
    }
}

impl Drop for Conversation {
    fn drop(&mut self) {
        if self.ended.is_none() {
            kill(&mut self.child);
        }
    }
}

/// The most memory that a process has held so far, in bytes (`VmHWM`); `None` when it is gone.
#[must_use]
pub fn peak_rss(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kibibytes| kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_secs(10);

    #[test]
    fn lines_go_both_ways_and_the_end_is_told() {
        let mut cat =
            Conversation::start(&Invocation::new("sh", ["-c", "read a; echo got $a; exit 5"])).unwrap();
        assert!(peak_rss(cat.pid()).is_some());
        cat.send("this");
        assert_eq!(cat.receive(SOON), Ok("got this".to_owned()));
        assert_eq!(cat.receive(SOON), Err(Silence::Closed));
        assert_eq!(cat.end().code, Some(5));
    }

    #[test]
    fn silence_and_signals_are_told_apart() {
        let mut sleeper =
            Conversation::start(&Invocation::new("sh", ["-c", "echo why >&2; sleep 60"])).unwrap();
        assert_eq!(sleeper.receive(Duration::from_millis(50)), Err(Silence::TimedOut));
        let ended = sleeper.end();
        assert_eq!((ended.code, ended.stderr.as_str()), (None, "why"));
        let mut killed = Conversation::start(&Invocation::new("sh", ["-c", "kill -ILL $$"])).unwrap();
        assert_eq!(killed.receive(SOON), Err(Silence::Closed));
        assert_eq!(killed.end().signal, Some(4));
    }

    #[test]
    fn sending_to_the_dead_is_no_error() {
        let mut gone = Conversation::start(&Invocation::new("true", [""; 0])).unwrap();
        assert_eq!(gone.receive(SOON), Err(Silence::Closed));
        gone.send("x");
        gone.send("y");
        assert_eq!(gone.end().code, Some(0));
    }
}
