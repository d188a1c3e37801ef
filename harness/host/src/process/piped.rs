//! A child whose stdin and stdout are handed over as they are, for talk that a thread in between would delay.

use std::io::{self, Read as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, ChildStdin, ChildStdout};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::process::run::kill;
use crate::process::{Ended, Invocation};

/// What is kept of a child's stderr.
const STDERR_KEPT: usize = 4096;
/// How long a child that was asked to end may take.
const FAREWELL: Duration = Duration::from_millis(500);

#[derive(Default)]
struct Tail {
    kept: Vec<u8>,
    bytes: u64,
}

/// A running child. Dropping it ends it and everything in its process group.
pub struct Piped {
    child: Child,
    /// Its stdin; `None` once it is closed.
    pub stdin: Option<ChildStdin>,
    /// Its stdout; `None` once it is taken.
    pub stdout: Option<ChildStdout>,
    stderr: Arc<Mutex<Tail>>,
    reader: Option<thread::JoinHandle<()>>,
    ended: Option<Ended>,
}

impl Piped {
    /// Starts a child in a process group of its own. Its stderr is read to its end, and the last of it kept.
    ///
    /// # Errors
    /// The system's reason when it cannot be started.
    pub fn start(invocation: &Invocation) -> io::Result<Self> {
        let mut child = invocation.spawn()?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let stderr = Arc::new(Mutex::new(Tail::default()));
        let reader = child.stderr.take().map(|mut pipe| {
            let tail = Arc::clone(&stderr);
            thread::spawn(move || {
                let mut buffer = [0; 8192];
                while let Ok(read @ 1..) = pipe.read(&mut buffer) {
                    let mut tail = tail.lock().unwrap_or_else(PoisonError::into_inner);
                    tail.bytes += read as u64;
                    tail.kept.extend_from_slice(&buffer[..read]);
                    let surplus = tail.kept.len().saturating_sub(STDERR_KEPT);
                    tail.kept.drain(..surplus);
                }
            })
        });
        Ok(Self { child, stdin, stdout, stderr, reader, ended: None })
    }

    /// The child's process id, which is also its group's.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How many bytes it has written to stderr so far.
    #[must_use]
    pub fn stderr_bytes(&self) -> u64 {
        self.stderr.lock().unwrap_or_else(PoisonError::into_inner).bytes
    }

    /// Whether it has not ended yet.
    pub fn is_running(&mut self) -> bool {
        self.ended.is_none() && matches!(self.child.try_wait(), Ok(None))
    }

    /// Closes the child's stdin, gives it half a second to end by itself, then ends it and its group.
    pub fn end(&mut self) -> Ended {
        if let Some(ended) = &self.ended {
            return ended.clone();
        }
        self.stdin = None;
        self.stdout = None;
        let start = Instant::now();
        let mut status = self.child.try_wait().ok().flatten();
        while status.is_none() && start.elapsed() < FAREWELL {
            thread::sleep(Duration::from_micros(200));
            status = self.child.try_wait().ok().flatten();
        }
        kill(&mut self.child);
        // The pipe ends with the last process that holds it; a daemon of the child's may hold it for ever.
        let start = Instant::now();
        while self.reader.as_ref().is_some_and(|reader| !reader.is_finished()) && start.elapsed() < FAREWELL {
            thread::sleep(Duration::from_micros(200));
        }
        let kept = self.stderr.lock().unwrap_or_else(PoisonError::into_inner).kept.clone();
        let ended = Ended {
            code: status.and_then(|status| status.code()),
            signal: status.and_then(|status| status.signal()),
            stderr: String::from_utf8_lossy(&kept).trim().to_owned(),
        };
        self.ended.insert(ended).clone()
    }
}

impl Drop for Piped {
    fn drop(&mut self) {
        if self.ended.is_none() {
            kill(&mut self.child);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn a_flood_on_stderr_blocks_nobody_and_its_end_is_kept() {
        let script =
            "head -c 1000000 /dev/zero | tr '\\0' x >&2; echo last words >&2; read line; echo $line; exit 4";
        let mut child = Piped::start(&Invocation::new("sh", ["-c", script])).unwrap();
        child.stdin.as_mut().unwrap().write_all(b"hello\n").unwrap();
        let mut said = String::new();
        child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!(said, "hello\n");
        let ended = child.end();
        assert_eq!(ended.code, Some(4));
        assert!(ended.stderr.ends_with("last words") && ended.stderr.len() <= STDERR_KEPT);
        assert_eq!(child.stderr_bytes(), 1_000_011);
    }

    #[test]
    fn a_child_that_stays_is_killed_with_its_group() {
        let mut child = Piped::start(&Invocation::new("sh", ["-c", "sleep 61.75 & sleep 61.75"])).unwrap();
        let ended = child.end();
        assert_eq!((ended.code, ended.signal), (None, None), "it did not end by itself");
        let survivors = std::process::Command::new("pgrep").args(["-f", "sleep 61.7[5]"]).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&survivors.stdout), "");
    }
}
