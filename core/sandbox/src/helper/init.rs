//! The process between supervisor and command: builds the view, starts the stages, gathers how they ended. With
//! namespaces it is the first process of its own, whose end takes all others with it.

use std::ffi::{CString, OsStr, OsString};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{CWD, Mode, OFlags};
use rustix::process::{
    Pid, Signal, WaitOptions, getpid, set_child_subreaper, set_parent_process_death_signal,
};

use crate::helper::namespaces::{enter_view, map_identity, reopen, same};
use crate::helper::{Never, PATIENCE, confine, tree};
use crate::protection::ProcessLimit;
use crate::sys::{self, Cloned};
use crate::wire::{Failure, Spec, frame};

/// What the supervisor leaves to this process.
pub(crate) struct Inheritance {
    pub spec: Spec,
    /// The opened roots.
    pub roots: Vec<OwnedFd>,
    /// The opened working directory.
    pub cwd: OwnedFd,
    pub stdout: OwnedFd,
    pub stderr: OwnedFd,
    /// Receives a [`Failure`] if the command cannot be started; closed when it was.
    pub setup: Option<OwnedFd>,
    /// Receives a line for each stage that ended: its number and its wait status.
    pub status: OwnedFd,
    /// Ends when the supervisor has ended.
    pub alive: OwnedFd,
    /// The private temporary directory on disk, where there is no file system of its own.
    pub scratch: Option<PathBuf>,
    pub user: u32,
    pub group: u32,
}

fn failure(step: &str, message: &str) -> Failure {
    Failure::Refused { step: step.to_owned(), message: message.to_owned() }
}

/// Makes sure that the run does not outlive the supervisor, also if that has died before this call.
///
/// With namespaces the end of this process ends all others, so it dies with its parent. Without, it has to stay and
/// kill them: it is a subreaper as well, below the supervisor, and either of the two ends what the other leaves.
fn follow_supervisor(spec: &Spec, alive: BorrowedFd<'_>) -> Result<(), Failure> {
    if spec.protection.namespaces {
        set_parent_process_death_signal(Some(Signal::KILL)).map_err(Failure::at("parent death signal"))?;
    } else {
        set_child_subreaper(Some(getpid())).map_err(Failure::at("subreaper"))?;
    }
    if wait_for(&[alive], Duration::ZERO).is_empty() {
        return Ok(());
    }
    Err(failure("parent", "the supervisor has ended"))
}

/// Waits until a process of the descriptors has ended or the other end of a pipe was closed; says which did.
fn wait_for(descriptors: &[BorrowedFd<'_>], at_most: Duration) -> Vec<usize> {
    let mut polled: Vec<PollFd<'_>> =
        descriptors.iter().map(|descriptor| PollFd::from_borrowed_fd(*descriptor, PollFlags::IN)).collect();
    // An interrupted wait has brought nothing; the caller asks again.
    let _ = poll(&mut polled, Timespec::try_from(at_most).ok().as_ref());
    (0..polled.len()).filter(|place| !polled[*place].revents().is_empty()).collect()
}

/// The entry of the process: never returns.
pub(crate) fn run(mut inheritance: Inheritance) -> ! {
    let Err(failure) = prepare(&mut inheritance);
    report(&inheritance, &failure);
    sys::exit_now(1)
}

/// Tells the supervisor why the command cannot be started.
fn report(inheritance: &Inheritance, failure: &Failure) {
    let setup = inheritance.setup.as_ref().and_then(|setup| setup.try_clone().ok());
    if let (Some(setup), Ok(bytes)) = (setup, frame(failure)) {
        // If the supervisor cannot be reached, it sees that there is neither a status nor a start.
        let _ = File::from(setup).write_all(&bytes);
    }
}

fn prepare(inheritance: &mut Inheritance) -> Result<Never, Failure> {
    let spec = &inheritance.spec;
    follow_supervisor(spec, inheritance.alive.as_fd())?;
    // If memory runs out, the command dies before the server.
    let _ = std::fs::write("/proc/self/oom_score_adj", "500");
    if spec.protection.namespaces {
        map_identity(inheritance.user, inheritance.group)?;
        let own_limit = spec.protection.process_limit == ProcessLimit::PidMax;
        enter_view(spec, &inheritance.roots, own_limit)?;
        inheritance.roots = spec
            .roots
            .iter()
            .zip(&inheritance.roots)
            .map(|(path, known)| reopen(path, known.as_fd()))
            .collect::<Result<_, _>>()?;
    }
    if spec.probe {
        sys::exit_now(0);
    }
    let _ = rustix::process::setsid();
    rustix::process::umask(Mode::from_raw_mode(0o022));
    let cwd = enter_cwd(spec, &inheritance.roots, inheritance.cwd.as_fd())?;
    let scratch = scratch_folders(spec, inheritance.scratch.as_deref())?;
    inheritance.cwd = cwd;
    start(inheritance, &scratch)
}

/// Opens the working directory beneath its root, in the view of the command, and goes there.
fn enter_cwd(spec: &Spec, roots: &[OwnedFd], known: BorrowedFd<'_>) -> Result<OwnedFd, Failure> {
    let step = || "working directory".to_owned();
    let root = roots.get(spec.cwd.0).ok_or_else(|| failure("working directory", "lies below no root"))?;
    let opened = mcp_workspace::open_directory(root.as_fd(), &spec.cwd.1).map_err(Failure::at(step()))?;
    same(opened.as_fd(), known, step())?;
    rustix::process::fchdir(&opened).map_err(Failure::at(step()))?;
    Ok(opened)
}

/// Makes home and script in the private temporary directory; answers what may be written.
fn scratch_folders(spec: &Spec, on_disk: Option<&Path>) -> Result<Vec<PathBuf>, Failure> {
    let temporary = on_disk.unwrap_or(Path::new("/tmp")).to_owned();
    std::fs::create_dir_all(temporary.join("home")).map_err(Failure::at("private home"))?;
    if let Some(script) = &spec.script {
        std::fs::write(temporary.join("script"), script).map_err(Failure::at("script file"))?;
    }
    Ok(if on_disk.is_some() { vec![temporary] } else { vec![temporary, PathBuf::from("/dev/shm")] })
}

/// Starts the stages and stays until all have ended.
fn start(inheritance: &mut Inheritance, scratch: &[PathBuf]) -> Result<Never, Failure> {
    // Counted before there are any of this run.
    let before = if inheritance.spec.protection.namespaces { 0 } else { processes_of(inheritance.user) };
    let null = rustix::fs::openat(CWD, "/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())
        .map_err(Failure::at("/dev/null"))?;
    let count = inheritance.spec.stages.len();
    let mut input = null;
    let mut stages = Vec::new();
    for number in 0..count {
        let (output, next) = if number + 1 == count {
            (inheritance.stdout.try_clone().map_err(Failure::at("output"))?, None)
        } else {
            let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)
                .map_err(Failure::at("pipe between stages"))?;
            (write, Some(read))
        };
        match sys::clone_process(0).map_err(Failure::at("fork"))? {
            Cloned::Child => become_stage(inheritance, number, &input, &output, scratch, before),
            Cloned::Parent(pid, descriptor) => stages.push(Stage { number, pid, descriptor }),
        }
        if let Some(next) = next {
            input = next;
        }
    }
    drop(input);
    // From now on only the stages hold it, until they have become their programs.
    inheritance.setup = None;
    let status = inheritance.status.try_clone().map_err(Failure::at("status"))?;
    attend(&mut stages, &mut File::from(status), inheritance.alive.as_fd());
    if !inheritance.spec.protection.namespaces {
        tree::end_all(PATIENCE);
    }
    sys::exit_now(0)
}

/// A stage that runs.
struct Stage {
    number: usize,
    pid: Pid,
    descriptor: OwnedFd,
}

/// Writes down how the stages end, until all have or the supervisor is gone.
fn attend(stages: &mut Vec<Stage>, status: &mut File, alive: BorrowedFd<'_>) {
    while !stages.is_empty() {
        let descriptors: Vec<BorrowedFd<'_>> =
            [alive].into_iter().chain(stages.iter().map(|stage| stage.descriptor.as_fd())).collect();
        // Orphans that end meanwhile wake nobody; they are buried at the next turn.
        if wait_for(&descriptors, Duration::from_secs(1)).contains(&0) {
            return;
        }
        while let Ok(Some((pid, ended))) = rustix::process::wait(WaitOptions::NOHANG) {
            if let Some(place) = stages.iter().position(|stage| stage.pid == pid) {
                let stage = stages.swap_remove(place);
                // Without a reader there is nobody who wants to know.
                let _ = status.write_all(format!("{} {}\n", stage.number, ended.as_raw()).as_bytes());
            }
        }
    }
}

/// Processes and threads of a user, which the limit of processes counts together.
fn processes_of(user: u32) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let Ok(entries) = std::fs::read_dir("/proc") else { return 0 };
    entries
        .flatten()
        .filter(|entry| entry.file_name().as_bytes().iter().all(u8::is_ascii_digit))
        .filter(|entry| entry.metadata().is_ok_and(|status| status.uid() == user))
        .map(|entry| std::fs::read_dir(entry.path().join("task")).map_or(1, |tasks| tasks.count() as u64))
        .sum()
}

/// The last steps of a stage; never returns.
fn become_stage(
    inheritance: &Inheritance,
    number: usize,
    input: &OwnedFd,
    output: &OwnedFd,
    scratch: &[PathBuf],
    before: u64,
) -> ! {
    let Err(failure) = confined(inheritance, number, input, output, scratch, before);
    report(inheritance, &failure);
    sys::exit_now(126)
}

fn confined(
    inheritance: &Inheritance,
    number: usize,
    input: &OwnedFd,
    output: &OwnedFd,
    scratch: &[PathBuf],
    before: u64,
) -> Result<Never, Failure> {
    let spec = &inheritance.spec;
    let mut arguments = spec.stages[number].clone();
    if number == 0 && spec.script.is_some() {
        arguments.push(scratch[0].join("script").into_os_string());
    }
    let program = arguments.first().ok_or_else(|| failure("program", "the argument list is empty"))?.clone();
    let environment = environment(spec, &scratch[0])?;
    let strings: Vec<CString> = arguments.into_iter().map(c_string).collect::<Result<_, _>>()?;
    let candidates = candidates(&program, spec)?;
    let parent = rustix::process::getppid();
    confine::limit(spec, before)?;
    confine::drop_privileges()?;
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(Failure::at("parent death signal"))?;
    if rustix::process::getppid() != parent {
        return Err(failure("parent", "the supervisor has ended"));
    }
    sys::reset_signals();
    rustix::stdio::dup2_stdin(input).map_err(Failure::at("input"))?;
    rustix::stdio::dup2_stdout(output).map_err(Failure::at("output"))?;
    rustix::stdio::dup2_stderr(&inheritance.stderr).map_err(Failure::at("output"))?;
    sys::close_on_exec_from_three().map_err(Failure::at("close descriptors"))?;
    confine::landlock(spec, &inheritance.roots, scratch)?;
    confine::limit_open_files(spec)?;
    confine::seccomp(spec)?;
    let mut worst = std::io::Error::from_raw_os_error(libc::ENOENT);
    for candidate in &candidates {
        let error = sys::execute(candidate, &strings, &environment);
        if error.raw_os_error() != Some(libc::ENOENT) && error.raw_os_error() != Some(libc::ENOTDIR) {
            worst = error;
        }
    }
    let message = match worst.raw_os_error() {
        Some(libc::ENOENT) => format!("there is no such program; looked for in {}", searched(spec)),
        Some(libc::ENOEXEC) => "it is neither a binary for this machine nor begins with #!".to_owned(),
        Some(libc::EACCES) => "it may not be executed here (outside the roots, or not executable)".to_owned(),
        _ => worst.to_string(),
    };
    Err(Failure::Program { program: program.to_string_lossy().into_owned(), message })
}

fn searched(spec: &Spec) -> String {
    spec.environment
        .iter()
        .find(|(name, _)| name == "PATH")
        .map_or_else(String::new, |(_, path)| path.clone())
}

fn c_string(text: OsString) -> Result<CString, Failure> {
    CString::new(text.into_vec()).map_err(|_| failure("arguments", "an argument holds a NUL byte"))
}

fn environment(spec: &Spec, temporary: &Path) -> Result<Vec<CString>, Failure> {
    let home = temporary.join("home");
    let own = [("TMPDIR", temporary.as_os_str()), ("HOME", home.as_os_str())];
    spec.environment
        .iter()
        .map(|(name, value)| (name.as_str(), OsStr::new(value.as_str())))
        .chain(own)
        .map(|(name, value)| c_string([OsStr::new(name), OsStr::new("="), value].into_iter().collect()))
        .collect()
}

/// Where the program may be: as it is named if the name holds a slash, else below each directory of `PATH`.
fn candidates(program: &OsStr, spec: &Spec) -> Result<Vec<CString>, Failure> {
    if program.as_bytes().contains(&b'/') {
        return Ok(vec![c_string(program.to_owned())?]);
    }
    searched(spec)
        .split(':')
        .map(|folder| c_string(Path::new(folder).join(program).into_os_string()))
        .collect()
}

/// Reads what is in `pipe` to its end.
pub(crate) fn read_all(pipe: OwnedFd) -> Vec<u8> {
    let mut bytes = Vec::new();
    // What arrived before an error is still of use.
    let _ = File::from(pipe).read_to_end(&mut bytes);
    bytes
}

/// For the supervisor: the wait statuses that [`run`] wrote.
pub(crate) fn statuses(text: &[u8], count: usize) -> Vec<Option<i32>> {
    let mut found = vec![None; count];
    for line in String::from_utf8_lossy(text).lines() {
        let numbers = line.split_once(' ').map(|(number, status)| (number.parse(), status.parse()));
        if let Some((Ok(number), Ok(status))) = numbers
            && let Some(place) = found.get_mut::<usize>(number)
        {
            *place = Some(status);
        }
    }
    found
}
