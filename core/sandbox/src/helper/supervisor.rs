//! The event loop of the supervisor: one process, one thread, one run.

use std::io::{self, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{CWD, Mode, OFlags};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{
    PidfdFlags, Signal, getpid, getppid, pidfd_open, pidfd_send_signal, set_child_subreaper,
};

use crate::helper::capture::Capture;
use crate::helper::init::{self, Inheritance};
use crate::helper::{PATIENCE, namespaces, tree};
use crate::outcome::Reason;
use crate::scratch::Scratch;
use crate::sys::{self, Cloned};
use crate::wire::{Answer, CANCEL, End, Failure, Lengths, SNAPSHOT, Spec, frame, read_frame, write_captured};

/// Reads the job and does it. An error means that nobody is there to hear of it.
pub(crate) fn supervise() -> io::Result<()> {
    sys::close_inherited()?;
    // What the server's own parent chose stays in force across exec: with SIGCHLD ignored nobody could be waited for.
    sys::reset_signals();
    sys::ignore_endings();
    let _ = rustix::process::setsid();
    set_child_subreaper(Some(getpid()))?;
    // Before the job is read: if the server has ended already, the socket says so.
    let server = getppid().and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
    let control = UnixStream::from(rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3)?);
    let null = rustix::fs::openat(CWD, "/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?;
    rustix::stdio::dup2_stdin(&null)?;
    let (spec, mut descriptors) = receive(&control)?;
    let Some(cwd) = descriptors.pop() else {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "no working directory came with the job"));
    };
    let result = match Run::start(spec, descriptors, cwd) {
        Ok(run) => run.attend(&control, server.as_ref()),
        Err(failure) => answer(&control, &Answer::Failed(failure)),
    };
    tree::end_all(PATIENCE);
    result
}

fn answer(mut control: &UnixStream, message: &Answer) -> io::Result<()> {
    control.write_all(&frame(message)?)
}

/// The job, and the descriptors that came with its first byte.
fn receive(control: &UnixStream) -> io::Result<(Spec, Vec<OwnedFd>)> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(253))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut first = [0_u8];
    let received =
        recvmsg(control, &mut [io::IoSliceMut::new(&mut first)], &mut ancillary, RecvFlags::CMSG_CLOEXEC)?;
    if received.bytes == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let mut descriptors = Vec::new();
    for message in ancillary.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = message {
            descriptors.extend(rights);
        }
    }
    let mut rest = control;
    Ok((read_frame(&mut rest)?, descriptors))
}

/// A run from the supervisor's side.
struct Run {
    spec: Spec,
    /// The first process of the run.
    init: OwnedFd,
    stdout: Option<OwnedFd>,
    stderr: Option<OwnedFd>,
    setup: Option<OwnedFd>,
    failure: Vec<u8>,
    status: OwnedFd,
    /// Held open for as long as this process lives; what `init` looks at.
    alive: Option<OwnedFd>,
    captures: (Capture, Capture),
    started: Instant,
    scratch: Option<Scratch>,
}

impl Run {
    fn start(spec: Spec, roots: Vec<OwnedFd>, cwd: OwnedFd) -> Result<Self, Failure> {
        let pipe = || pipe_with(PipeFlags::CLOEXEC).map_err(Failure::at("pipe"));
        let (stdout, stdout_end) = pipe()?;
        let (stderr, stderr_end) = pipe()?;
        let (setup, setup_end) = pipe()?;
        let (status, status_end) = pipe()?;
        let (alive_end, alive) = pipe()?;
        let scratch = if spec.protection.namespaces {
            None
        } else {
            let made = Scratch::make(&spec.scratch_base);
            let step = format!("private temporary directory below {}", spec.scratch_base.display());
            Some(made.map_err(Failure::at(step))?)
        };
        let flags = if spec.protection.namespaces { namespaces::flags(spec.profile.network()) } else { 0 };
        let user = rustix::process::geteuid().as_raw();
        let group = rustix::process::getegid().as_raw();
        match sys::clone_process(flags).map_err(Failure::at("new process"))? {
            Cloned::Child => {
                let scratch = scratch.map(|scratch| std::mem::ManuallyDrop::new(scratch).path().to_owned());
                drop((stdout, stderr, setup, status, alive));
                let (stdout, stderr, setup) = (stdout_end, stderr_end, Some(setup_end));
                let (status, alive) = (status_end, alive_end);
                init::run(Inheritance {
                    spec,
                    roots,
                    cwd,
                    stdout,
                    stderr,
                    setup,
                    status,
                    alive,
                    scratch,
                    user,
                    group,
                })
            }
            Cloned::Parent(_, init) => {
                let limits = spec.limits;
                let capture = || Capture::new(limits.head, limits.tail);
                Ok(Self {
                    spec,
                    init,
                    stdout: Some(stdout),
                    stderr: Some(stderr),
                    setup: Some(setup),
                    failure: Vec::new(),
                    status,
                    alive: Some(alive),
                    captures: (capture(), capture()),
                    started: Instant::now(),
                    scratch,
                })
            }
        }
    }

    /// Serves pipes and requests until the run is over, and says how it ended.
    fn attend(mut self, control: &UnixStream, server: Option<&OwnedFd>) -> io::Result<()> {
        // If the server does not take a message, it is gone.
        let reason = self.events(control, server).unwrap_or(Some(Reason::Cancelled));
        self.finish(reason, control)
    }

    /// Why the run is to be ended; `None` if it ended by itself.
    fn events(&mut self, control: &UnixStream, server: Option<&OwnedFd>) -> io::Result<Option<Reason>> {
        let deadline = self.started.checked_add(self.spec.limits.time);
        loop {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) {
                return Ok(Some(Reason::TimedOut));
            }
            let ready = self.wait(control, server, left)?;
            if ready.server_gone {
                return Ok(Some(Reason::Cancelled));
            }
            // Before the request and the end are looked at: the last bytes and the end of the first process often come
            // in one waking, and a look at the output has to show what was printed before it.
            self.serve(&ready, control)?;
            if ready.control {
                match request(control) {
                    Some(SNAPSHOT) => self.snapshot(control)?,
                    Some(_) | None => return Ok(Some(Reason::Cancelled)),
                }
            }
            if ready.ended || self.failed() {
                return Ok(None);
            }
        }
    }

    fn wait(
        &self,
        control: &UnixStream,
        server: Option<&OwnedFd>,
        left: Option<Duration>,
    ) -> io::Result<Ready> {
        let mut polled = vec![PollFd::new(control, PollFlags::IN), PollFd::new(&self.init, PollFlags::IN)];
        let optional = [server, self.stdout.as_ref(), self.stderr.as_ref(), self.setup.as_ref()];
        let mut places = [None; 4];
        for (place, descriptor) in places.iter_mut().zip(optional) {
            if let Some(descriptor) = descriptor {
                *place = Some(polled.len());
                polled.push(PollFd::new(descriptor, PollFlags::IN));
            }
        }
        let timeout = left.and_then(|left| Timespec::try_from(left).ok());
        match poll(&mut polled, timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let is = |place: usize| !polled[place].revents().is_empty();
        let at = |place: Option<usize>| place.is_some_and(is);
        Ok(Ready {
            control: is(0),
            ended: is(1),
            server_gone: at(places[0]),
            stdout: at(places[1]),
            stderr: at(places[2]),
            setup: at(places[3]),
        })
    }

    fn serve(&mut self, ready: &Ready, control: &UnixStream) -> io::Result<()> {
        if ready.stdout {
            drain(&mut self.stdout, |bytes| self.captures.0.push(bytes));
        }
        if ready.stderr {
            drain(&mut self.stderr, |bytes| self.captures.1.push(bytes));
        }
        if ready.setup {
            drain(&mut self.setup, |bytes| self.failure.extend_from_slice(bytes));
            // Closed without a word: every stage has become its program.
            if self.setup.is_none() && self.failure.is_empty() && !self.spec.probe {
                answer(control, &Answer::Started)?;
            }
        }
        Ok(())
    }

    /// True if a stage could not become its program.
    fn failed(&self) -> bool {
        self.setup.is_none() && !self.failure.is_empty()
    }

    fn snapshot(&self, mut control: &UnixStream) -> io::Result<()> {
        let (stdout, stderr) = (self.captures.0.captured(), self.captures.1.captured());
        answer(control, &Answer::Snapshot(Lengths::of(&stdout), Lengths::of(&stderr)))?;
        write_captured(&mut control, &stdout)?;
        write_captured(&mut control, &stderr)
    }

    /// Has the first process end, and with it the others.
    fn end_init(&mut self) {
        if self.spec.protection.namespaces {
            // The kernel ends the others.
            let _ = pidfd_send_signal(&self.init, Signal::KILL);
            return;
        }
        // It ends them itself when it sees this closed. Killed, it would leave them to this process alone, and to
        // nobody if this one is killed at the same moment.
        self.alive = None;
        let patience = Timespec::try_from(PATIENCE).ok();
        let _ = poll(&mut [PollFd::new(&self.init, PollFlags::IN)], patience.as_ref());
    }

    /// Ends the run and says how it ended.
    ///
    /// The order is capture, kill, reap. What was printed so far was captured by [`Run::events`]. Then everything is
    /// killed, before the pipes are read to their end: a process that goes on writing, or just holds a pipe open,
    /// would leave them without one. And it is killed before it is reaped: a child that is not reaped keeps its
    /// number, so that no signal meets a stranger. The rest of the output is read when nobody is left to write.
    fn finish(mut self, reason: Option<Reason>, mut control: &UnixStream) -> io::Result<()> {
        self.end_init();
        let leftover = tree::end_all(PATIENCE);
        let nanos = u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        if leftover == 0 {
            // Nobody is left to write, so each pipe has an end.
            while self.stdout.is_some() {
                drain(&mut self.stdout, |bytes| self.captures.0.push(bytes));
            }
            while self.stderr.is_some() {
                drain(&mut self.stderr, |bytes| self.captures.1.push(bytes));
            }
            while self.setup.is_some() {
                drain(&mut self.setup, |bytes| self.failure.extend_from_slice(bytes));
            }
        }
        drop(self.scratch.take());
        if self.spec.probe {
            let failed = read_frame(&mut self.failure.as_slice()).ok().map(|failure| match failure {
                Failure::Refused { step, message } => format!("{step}: {message}"),
                Failure::Program { program, message } => format!("{program}: {message}"),
            });
            return answer(control, &Answer::Probed(failed));
        }
        // One that was ended while it was set up may say that it could not be.
        if reason.is_none() && !self.failure.is_empty() {
            return answer(control, &Answer::Failed(read_frame(&mut self.failure.as_slice())?));
        }
        let statuses = init::statuses(&init::read_all(self.status), self.spec.stages.len());
        let reason = reason.unwrap_or_else(|| ended_by(&statuses));
        let (stdout, stderr) = (self.captures.0.captured(), self.captures.1.captured());
        let end = End { statuses, reason, nanos, leftover };
        answer(control, &Answer::Finished(end, Lengths::of(&stdout), Lengths::of(&stderr)))?;
        write_captured(&mut control, &stdout)?;
        write_captured(&mut control, &stderr)
    }
}

/// What a wait brought.
struct Ready {
    control: bool,
    ended: bool,
    server_gone: bool,
    stdout: bool,
    stderr: bool,
    setup: bool,
}

/// The next request; `None` if the server has gone.
fn request(mut control: &UnixStream) -> Option<u8> {
    let mut byte = [0];
    match control.read(&mut byte) {
        Ok(1) if byte[0] == SNAPSHOT || byte[0] == CANCEL => Some(byte[0]),
        _ => None,
    }
}

/// Whether a stage ended by a limit that the kernel enforces with a signal.
fn ended_by(statuses: &[Option<i32>]) -> Reason {
    let limit = |status: &i32| {
        libc::WIFSIGNALED(*status) && [libc::SIGXCPU, libc::SIGXFSZ].contains(&libc::WTERMSIG(*status))
    };
    if statuses.iter().flatten().any(limit) { Reason::Limits } else { Reason::Exited }
}

/// Reads once; at the end of the pipe it is closed.
fn drain(pipe: &mut Option<OwnedFd>, take: impl FnOnce(&[u8])) {
    let Some(descriptor) = pipe else { return };
    let mut buffer = [0_u8; 1 << 16];
    match rustix::io::read(&*descriptor, &mut buffer) {
        Ok(0) => *pipe = None,
        Ok(count) => take(&buffer[..count]),
        Err(rustix::io::Errno::INTR) => {}
        Err(_) => *pipe = None,
    }
}
