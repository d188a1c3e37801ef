//! The server's side: starts supervisors and hears how their runs ended.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::{self, IoSlice, Write};
use std::mem::MaybeUninit;
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{CWD, Mode, OFlags};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};

use crate::capabilities::Capabilities;
use crate::environment;
use crate::error::{Layer, SandboxError};
use crate::handles::{CancelHandle, Watch};
use crate::job::Job;
use crate::outcome::{Outcome, Snapshot};
use crate::protection::{ProcessLimit, Protection, protection};
use crate::root::{Root, folder_error, open_beneath};
use crate::wire::{ARGUMENT, Answer, CANCEL, End, Failure, Lengths, SNAPSHOT, Spec, frame, read_frame};

/// This very program, also if its file was replaced meanwhile.
pub(crate) const SELF: &str = "/proc/self/exe";

/// How a supervisor is started.
#[derive(Clone, Debug)]
pub struct Helper {
    /// The program.
    pub program: PathBuf,
    /// What it needs before the word that this crate adds.
    pub arguments: Vec<OsString>,
}

impl Default for Helper {
    /// This very program.
    fn default() -> Self {
        Self { program: PathBuf::from(SELF), arguments: Vec::new() }
    }
}

/// How long a supervisor may take to start a command; one that takes longer is no supervisor.
const PATIENCE: Duration = Duration::from_secs(30);

/// More roots than this do not fit into one message of descriptors.
const MOST_ROOTS: usize = 64;

/// Where commands are run: the roots, and what holds for all of them. Made once, at the start of a server.
#[derive(Debug)]
pub struct Sandbox {
    roots: Vec<Root>,
    reads: Vec<PathBuf>,
    programs: Vec<String>,
    variables: Vec<(String, String)>,
    helper: Helper,
    scratch_base: PathBuf,
    accepted: BTreeSet<Layer>,
    capabilities: Capabilities,
}

impl Sandbox {
    /// A sandbox over `roots`, the folders that commands may see, on a host that offers `capabilities` (from
    /// [`offered`](crate::offered); tests give others).
    ///
    /// # Errors
    /// [`SandboxError::Folder`] for a root that is no folder, or that is one of the system's own.
    pub fn new<P: AsRef<Path>>(roots: &[P], capabilities: Capabilities) -> Result<Self, SandboxError> {
        if roots.is_empty() || roots.len() > MOST_ROOTS {
            return Err(SandboxError::Job(format!("a sandbox needs 1 to {MOST_ROOTS} roots")));
        }
        let roots = roots.iter().map(|root| Root::open(root.as_ref())).collect::<Result<_, _>>()?;
        Ok(Self {
            roots,
            reads: Vec::new(),
            programs: Vec::new(),
            variables: Vec::new(),
            helper: Helper::default(),
            scratch_base: std::env::temp_dir(),
            accepted: BTreeSet::new(),
            capabilities,
        })
    }

    /// Also lets commands read and execute what lies below `path`: a toolchain, for instance.
    ///
    /// # Errors
    /// [`SandboxError::Folder`] if it does not exist.
    pub fn also_read(mut self, path: &Path) -> Result<Self, SandboxError> {
        self.reads.push(path.canonicalize().map_err(|error| folder_error(path, error.to_string()))?);
        Ok(self)
    }

    /// Also looks for programs in `folder`, before the fixed `PATH`, and lets commands read what lies below it.
    ///
    /// # Errors
    /// [`SandboxError::Folder`] if it does not exist or its name cannot stand in `PATH`.
    pub fn with_programs(mut self, folder: &Path) -> Result<Self, SandboxError> {
        let found = folder.canonicalize().map_err(|error| folder_error(folder, error.to_string()))?;
        let name = found.to_str().filter(|name| !name.contains(':'));
        let name = name.ok_or_else(|| folder_error(folder, "cannot stand in PATH: it holds a colon"))?;
        self.programs.push(name.to_owned());
        self.reads.push(found);
        Ok(self)
    }

    /// Sets a variable for all commands.
    ///
    /// # Errors
    /// [`SandboxError::Job`] for a name that decides what is executed (`LD_PRELOAD`, `BASH_ENV`, `GIT_…`, …).
    pub fn with_variable(mut self, name: &str, value: &str) -> Result<Self, SandboxError> {
        environment::refuse_operator(name, value).map_err(SandboxError::Job)?;
        self.variables.push((name.to_owned(), value.to_owned()));
        Ok(self)
    }

    /// Uses the program at `path` as the supervisor instead of this one: for a library inside a foreign program,
    /// such as a Python module.
    pub fn with_helper(self, path: &Path) -> Self {
        self.with_supervisor(Helper { program: path.to_owned(), arguments: Vec::new() })
    }

    /// As [`with_helper`](Self::with_helper), for a program that needs arguments to become the supervisor, such as an
    /// interpreter that calls [`enter`](crate::enter).
    pub fn with_supervisor(mut self, helper: Helper) -> Self {
        self.helper = helper;
        self
    }

    /// Where private temporary folders are made on hosts without namespaces (default: the system's); also removes
    /// those that a crash left there.
    ///
    /// # Errors
    /// [`SandboxError::Folder`] if `base` is not a folder that can be read.
    pub fn with_scratch(mut self, base: &Path) -> Result<Self, SandboxError> {
        self.scratch_base = base.canonicalize().map_err(|error| folder_error(base, error.to_string()))?;
        crate::scratch::sweep(&self.scratch_base).map_err(|error| folder_error(base, error.to_string()))?;
        Ok(self)
    }

    /// Runs also where `layer` is missing: the explicit flag of an operator. Outcomes name what was missing.
    pub fn accept(mut self, layer: Layer) -> Self {
        self.accepted.insert(layer);
        self
    }

    /// The same sandbox on a host that offers `capabilities`: for a server that opens its roots at its start and
    /// asks the host when something is to be run.
    pub fn on(mut self, capabilities: Capabilities) -> Self {
        self.capabilities = capabilities;
        self
    }

    /// The layers that `job` would be run behind.
    ///
    /// # Errors
    /// [`SandboxError::Missing`] as [`protection`] says.
    pub fn protection(&self, job: &Job) -> Result<Protection, SandboxError> {
        protection(&self.capabilities, job, &self.accepted)
    }

    /// Runs `job` to its end.
    ///
    /// # Errors
    /// As [`Sandbox::start`]; also if the supervisor was killed.
    pub fn run(&self, job: &Job) -> Result<Outcome, SandboxError> {
        self.start(job)?.wait()
    }

    /// Starts `job`; returns when its programs have been started or could not be.
    ///
    /// # Errors
    /// A malformed job, a layer that is missing, a working folder outside the roots, a program that does not exist.
    pub fn start(&self, job: &Job) -> Result<Running, SandboxError> {
        let protection = self.protection(job)?;
        check(job)?;
        let (cwd, folder) = self.working_folder(job.cwd.as_deref())?;
        let (weaker, namespaces) = (protection.weaker.clone(), protection.namespaces);
        let spec = Spec {
            probe: false,
            stages: job.stages.clone(),
            script: job.script.clone(),
            environment: environment::variables(
                server_variables(),
                &self.variables,
                &job.variables,
                &self.programs,
            ),
            profile: job.profile,
            limits: job.limits,
            protection,
            roots: self.roots.iter().map(|root| root.path.clone()).collect(),
            cwd,
            reads: self.reads.clone(),
            bind_ports: job.bind_ports.clone(),
            scratch_base: self.scratch_base.clone(),
        };
        let descriptors: Vec<BorrowedFd<'_>> =
            self.roots.iter().map(|root| root.folder.as_fd()).chain([folder.as_fd()]).collect();
        let mut running = Running::spawn(&self.helper, &spec, &descriptors)?;
        (running.weaker, running.namespaces) = (weaker, namespaces);
        running.started()?;
        Ok(running)
    }

    /// Opens the working folder beneath its root; what it is opened as now is what the command runs in.
    fn working_folder(&self, asked: Option<&Path>) -> Result<((usize, PathBuf), OwnedFd), SandboxError> {
        let asked = asked.unwrap_or(Path::new(""));
        let place = if asked.is_absolute() {
            // The innermost root that holds it, as it is named; links on the way are followed beneath that root only.
            let holding = self.roots.iter().enumerate().filter(|(_, root)| asked.starts_with(&root.path));
            let innermost = holding.max_by_key(|(_, root)| root.path.as_os_str().len());
            let below = innermost.map(|(number, root)| {
                (number, asked.strip_prefix(&root.path).map(Path::to_owned).unwrap_or_default())
            });
            below.ok_or_else(|| folder_error(asked, "lies below none of the roots"))?
        } else {
            (0, asked.to_owned())
        };
        let opened =
            open_beneath(self.roots[place.0].folder.as_fd(), &place.1).map_err(|error| match error {
                rustix::io::Errno::XDEV => folder_error(asked, "leads out of its root"),
                other => folder_error(asked, format!("cannot be the working folder ({other})")),
            })?;
        Ok((place, opened))
    }
}

/// The server's variables that are text.
fn server_variables() -> Vec<(String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

fn check(job: &Job) -> Result<(), SandboxError> {
    use std::os::unix::ffi::OsStrExt;
    let refuse = |message: &str| Err(SandboxError::Job(message.to_owned()));
    if job.stages.is_empty() || job.stages.iter().any(Vec::is_empty) {
        return refuse("nothing to run: give a program and its arguments");
    }
    let empty = |stage: &Vec<std::ffi::OsString>| stage[0].is_empty();
    if job.stages.iter().any(empty) {
        return refuse("the name of a program is empty");
    }
    if job.stages.len() > 32 {
        return refuse("a pipeline has at most 32 stages");
    }
    if job.stages.iter().flatten().any(|text| text.as_bytes().contains(&0)) {
        return refuse("an argument holds a NUL byte");
    }
    if job.limits.time.is_zero() || job.limits.processes == 0 || job.limits.open_files < 8 {
        return refuse("limits must leave some time, one process and eight open files");
    }
    if job.limits.head.max(job.limits.tail) > 16 << 20 {
        return refuse("at most 16 MiB of each end of the output can be kept");
    }
    for (name, value) in &job.variables {
        environment::refuse_caller(name, value).map_err(SandboxError::Job)?;
    }
    Ok(())
}

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
    fn spawn(helper: &Helper, spec: &Spec, descriptors: &[BorrowedFd<'_>]) -> Result<Self, SandboxError> {
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

    /// Waits for the first word.
    fn started(&mut self) -> Result<(), SandboxError> {
        if !self.readable(Some(PATIENCE))? {
            let _ = self.child.kill();
            return Err(SandboxError::SupervisorLost(
                "it did not answer; does this program call enter_if_asked() first?".to_owned(),
            ));
        }
        match self.answer()? {
            Answer::Started => Ok(()),
            Answer::Finished(end, stdout, stderr) => self.finished(&end, stdout, stderr),
            other => Err(unexpected(other)),
        }
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
        bind_ports: Vec::new(),
        scratch_base: std::env::temp_dir(),
    };
    let mut running = Running::spawn(helper, &spec, &[root.as_fd()])?;
    if !running.readable(Some(PATIENCE))? {
        let _ = running.child.kill();
        return Err(SandboxError::SupervisorLost(
            "it did not answer; does this program call enter_if_asked() first?".to_owned(),
        ));
    }
    match running.answer()? {
        Answer::Probed(tried) => Ok(tried),
        Answer::Failed(Failure::Refused { step, message }) => Ok(Some(format!("{step}: {message}"))),
        other => Err(unexpected(other)),
    }
}
