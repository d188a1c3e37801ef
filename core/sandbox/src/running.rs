//! One run from the server's side: the supervisor that was started for it, and what it says.

use std::io::{self, IoSlice, Write};
use std::mem::MaybeUninit;
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{CWD, Mode, OFlags};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};

use crate::error::{Layer, SandboxError};
use crate::handles::{CancelHandle, Watch};
use crate::job::Job;
use crate::outcome::{Outcome, Snapshot};
use crate::protection::{ProcessLimit, Protection};
use crate::runner::{Helper, MOST_ROOTS};
use crate::wire::{ARGUMENT, Answer, CANCEL, End, Failure, Lengths, SNAPSHOT, Spec, frame, read_frame};

/// How long a supervisor may take to start a command; one that takes longer is not a supervisor.
const PATIENCE: Duration = Duration::from_secs(30);

/// A command that runs. When it is dropped, everything that the command started is killed.
#[derive(Debug)]
pub struct Running {
    control: UnixStream,
    child: Child,
    outcome: Option<Outcome>,
    weaker: Vec<Layer>,
    namespaces: bool,
}

impl Running {
    pub(crate) fn spawn(
        helper: &Helper,
        spec: &Spec,
        descriptors: &[BorrowedFd<'_>],
    ) -> Result<Self, SandboxError> {
        let (control, far) =
            UnixStream::pair().map_err(SandboxError::system("a socket for the supervisor"))?;
        let mut command = Command::new(&helper.program);
        command
            .args(&helper.arguments)
            .arg(ARGUMENT)
            .stdin(OwnedFd::from(far))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .env_clear();
        let child = command.spawn().map_err(SandboxError::system("starting the supervisor"))?;
        // Closes the far end, so that its end is seen here.
        drop(command);
        let running = Self { control, child, outcome: None, weaker: Vec::new(), namespaces: false };
        running
            .hand_over(spec, descriptors)
            .map_err(SandboxError::system("handing the job to the supervisor"))?;
        Ok(running)
    }

    /// One byte that carries the descriptors, then the job.
    fn hand_over(&self, spec: &Spec, descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_ROOTS + 1))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        if !ancillary.push(SendAncillaryMessage::ScmRights(descriptors)) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "too many roots"));
        }
        sendmsg(&self.control, &[IoSlice::new(b"j")], &mut ancillary, SendFlags::NOSIGNAL)?;
        (&self.control).write_all(&frame(spec)?)
    }

    /// What the run is behind, which its outcome says.
    pub(crate) fn behind(&mut self, weaker: Vec<Layer>, namespaces: bool) {
        (self.weaker, self.namespaces) = (weaker, namespaces);
    }

    /// Waits for the first word.
    pub(crate) fn started(&mut self) -> Result<(), SandboxError> {
        match self.first()? {
            Answer::Started => Ok(()),
            Answer::Finished(end, stdout, stderr) => self.finished(&end, stdout, stderr),
            other => Err(unexpected(other)),
        }
    }

    fn first(&mut self) -> Result<Answer, SandboxError> {
        if !self.readable(Some(PATIENCE))? {
            let _ = self.child.kill();
            return Err(SandboxError::SupervisorLost(
                "it did not answer; does this program call enter_if_asked() first?".to_owned(),
            ));
        }
        self.answer()
    }

    fn readable(&self, timeout: Option<Duration>) -> Result<bool, SandboxError> {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        loop {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            let left = left.and_then(|left| Timespec::try_from(left).ok());
            match poll(&mut [PollFd::new(&self.control, PollFlags::IN)], left.as_ref()) {
                Ok(count) => return Ok(count > 0),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(SandboxError::system("waiting for the supervisor")(error.into())),
            }
        }
    }

    fn answer(&mut self) -> Result<Answer, SandboxError> {
        read_frame(&mut self.control).map_err(|error| self.lost(&error))
    }

    fn lost(&mut self, error: &io::Error) -> SandboxError {
        let ended = self.child.try_wait().ok().flatten().map(|status| format!("{status}; "));
        SandboxError::SupervisorLost(format!("{}{error}", ended.unwrap_or_default()))
    }

    fn finished(&mut self, end: &End, stdout: Lengths, stderr: Lengths) -> Result<(), SandboxError> {
        let stdout = stdout.read(&mut self.control).map_err(|error| self.lost(&error))?;
        let stderr = stderr.read(&mut self.control).map_err(|error| self.lost(&error))?;
        let stages: Vec<Option<ExitStatus>> =
            end.statuses.iter().map(|status| status.map(ExitStatus::from_raw)).collect();
        let last = stages.last().copied().flatten();
        self.outcome = Some(Outcome {
            code: last.and_then(|status| status.code()),
            signal: last.and_then(|status| status.signal()),
            stages: stages
                .into_iter()
                .map(|status| {
                    status.and_then(|status| status.code().or(status.signal().map(|signal| 128 + signal)))
                })
                .collect(),
            truncated: stdout.dropped() > 0 || stderr.dropped() > 0,
            stdout,
            stderr,
            duration: Duration::from_nanos(end.nanos),
            reason: end.reason,
            weaker: self.weaker.clone(),
            namespaces: self.namespaces,
            leftover: end.leftover,
        });
        Ok(())
    }

    /// Waits for the end.
    ///
    /// # Errors
    /// [`SandboxError::SupervisorLost`] if the supervisor was killed.
    pub fn wait(mut self) -> Result<Outcome, SandboxError> {
        loop {
            if let Some(outcome) = self.outcome.take() {
                return Ok(outcome);
            }
            self.receive()?;
        }
    }

    /// Waits at most `timeout`: the outcome, or `None` if the command still runs.
    ///
    /// # Errors
    /// [`SandboxError::SupervisorLost`] if the supervisor was killed.
    pub fn wait_timeout(&mut self, timeout: Duration) -> Result<Option<Outcome>, SandboxError> {
        if self.outcome.is_none() && self.readable(Some(timeout))? {
            self.receive()?;
        }
        Ok(self.outcome.clone())
    }

    fn receive(&mut self) -> Result<Option<Snapshot>, SandboxError> {
        match self.answer()? {
            Answer::Finished(end, stdout, stderr) => self.finished(&end, stdout, stderr).map(|()| None),
            Answer::Snapshot(stdout, stderr) => {
                let stdout = stdout.read(&mut self.control).map_err(|error| self.lost(&error))?;
                let stderr = stderr.read(&mut self.control).map_err(|error| self.lost(&error))?;
                Ok(Some(Snapshot { stdout, stderr }))
            }
            other => Err(unexpected(other)),
        }
    }

    /// The output so far.
    ///
    /// # Errors
    /// [`SandboxError::SupervisorLost`] if the supervisor was killed.
    pub fn snapshot(&mut self) -> Result<Snapshot, SandboxError> {
        if self.outcome.is_none() {
            // If the run ends at this moment, its last word is in the socket in place of an answer.
            let _ = (&self.control).write_all(&[SNAPSHOT]);
            if let Some(snapshot) = self.receive()? {
                return Ok(snapshot);
            }
        }
        let outcome = self.outcome.as_ref();
        Ok(outcome.map_or_else(Snapshot::default, |outcome| Snapshot {
            stdout: outcome.stdout.clone(),
            stderr: outcome.stderr.clone(),
        }))
    }

    /// Has everything killed that the command started; [`Running::wait`] then gives the outcome.
    pub fn cancel(&self) {
        let _ = (&self.control).write_all(&[CANCEL]);
    }

    /// A handle that cancels from another thread.
    ///
    /// # Errors
    /// If no descriptor is free.
    pub fn cancel_handle(&self) -> Result<CancelHandle, SandboxError> {
        self.control.try_clone().map(CancelHandle).map_err(SandboxError::system("a handle to cancel by"))
    }

    /// A watch on the end of the run, for a thread that does not hold it.
    ///
    /// # Errors
    /// If no descriptor is free.
    pub fn watch(&self) -> Result<Watch, SandboxError> {
        self.control.try_clone().map(Watch).map_err(SandboxError::system("a watch on a run"))
    }

    /// The process number of the supervisor.
    pub fn supervisor(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The supervisor sees the end of the socket, kills what is left and ends.
        let _ = self.control.shutdown(Shutdown::Both);
        let _ = self.child.wait();
    }
}

fn unexpected(answer: Answer) -> SandboxError {
    match answer {
        Answer::Failed(Failure::Refused { step, message }) => SandboxError::Refused { step, message },
        Answer::Failed(Failure::Program { program, message }) => SandboxError::Program { program, message },
        other => SandboxError::SupervisorLost(format!("an answer out of turn: {other:?}")),
    }
}

/// Tries namespaces, with a bound on processes in them if `limit`: what went wrong, or `None`.
pub(crate) fn probe(helper: &Helper, limit: bool) -> Result<Option<String>, SandboxError> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = rustix::fs::openat(CWD, "/", flags, Mode::empty())
        .map_err(|error| SandboxError::system("opening /")(error.into()))?;
    let job = Job::argv(crate::Profile::Read, ["true"]);
    let spec = Spec {
        probe: true,
        stages: job.stages,
        script: None,
        environment: Vec::new(),
        profile: job.profile,
        limits: job.limits,
        protection: Protection {
            namespaces: true,
            landlock_abi: 0,
            seccomp: false,
            process_limit: if limit { ProcessLimit::PidMax } else { ProcessLimit::Resource },
            unix_sockets: false,
            weaker: Vec::new(),
        },
        roots: Vec::new(),
        cwd: (0, PathBuf::new()),
        reads: Vec::new(),
        scratch_base: std::env::temp_dir(),
    };
    let mut running = Running::spawn(helper, &spec, &[root.as_fd()])?;
    match running.first()? {
        Answer::Probed(tried) => Ok(tried),
        Answer::Failed(Failure::Refused { step, message }) => Ok(Some(format!("{step}: {message}"))),
        other => Err(unexpected(other)),
    }
}
