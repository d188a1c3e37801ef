//! The server's side: where commands are run, and what is checked before one is started.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use mcp_workspace::{Root, open_directory, place};

use crate::capabilities::Capabilities;
use crate::environment;
use crate::error::{Layer, SandboxError};
use crate::job::Job;
use crate::outcome::Outcome;
use crate::protection::{Protection, protection};
use crate::root::{self, folder_error};
use crate::running::Running;
use crate::wire::Spec;

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

/// More roots than this do not fit into one message of descriptors.
pub(crate) const MOST_ROOTS: usize = 64;

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
    /// A sandbox over `roots`, the directories that commands may see, on a host that offers `capabilities` (from
    /// [`offered`](crate::offered); tests give others).
    ///
    /// # Errors
    /// [`SandboxError::Directory`] for a root that is not a directory, or that is one of the system's own.
    pub fn new<P: AsRef<Path>>(roots: &[P], capabilities: Capabilities) -> Result<Self, SandboxError> {
        if roots.is_empty() || roots.len() > MOST_ROOTS {
            return Err(SandboxError::Job(format!("a sandbox needs 1 to {MOST_ROOTS} roots")));
        }
        let roots = roots.iter().map(|root| root::open(root.as_ref())).collect::<Result<_, _>>()?;
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
    /// [`SandboxError::Directory`] if it does not exist.
    pub fn also_read(mut self, path: &Path) -> Result<Self, SandboxError> {
        self.reads.push(path.canonicalize().map_err(|error| folder_error(path, error.to_string()))?);
        Ok(self)
    }

    /// Also looks for programs in `folder`, before the fixed `PATH`, and lets commands read what lies below it.
    ///
    /// # Errors
    /// [`SandboxError::Directory`] if it does not exist or its name cannot stand in `PATH`.
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

    /// Where private temporary directories are made on hosts without namespaces (default: the system's); also removes
    /// those that a crash left there.
    ///
    /// # Errors
    /// [`SandboxError::Directory`] if `base` is not a directory that can be read.
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
    /// A malformed job, a layer that is missing, a working directory outside the roots, a program that does not exist.
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
            roots: self.roots.iter().map(|root| root.path().to_owned()).collect(),
            cwd,
            reads: self.reads.clone(),
            scratch_base: self.scratch_base.clone(),
        };
        let descriptors: Vec<BorrowedFd<'_>> =
            self.roots.iter().map(|root| root.as_fd()).chain([folder.as_fd()]).collect();
        let mut running = Running::spawn(&self.helper, &spec, &descriptors)?;
        running.behind(weaker, namespaces);
        running.started()?;
        Ok(running)
    }

    /// Opens the working directory beneath its root; what it is opened as now is what the command runs in.
    fn working_folder(&self, asked: Option<&Path>) -> Result<((usize, PathBuf), OwnedFd), SandboxError> {
        let asked = asked.unwrap_or(Path::new(""));
        let place =
            place(&self.roots, asked).ok_or_else(|| folder_error(asked, "lies below none of the roots"))?;
        let opened = open_directory(self.roots[place.0].as_fd(), &place.1).map_err(|error| match error {
            rustix::io::Errno::XDEV => folder_error(asked, "leads out of its root"),
            other => folder_error(asked, format!("cannot be the working directory ({other})")),
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
