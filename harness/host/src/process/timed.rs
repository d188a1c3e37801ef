//! One run of a command under a stand-in that does nothing else: what it took, and what it used.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;
use rustix::process::{Pid, Signal, kill_process_group};
use rustix::thread::{CpuSet, sched_setaffinity};
use serde::{Deserialize, Serialize};

use crate::process::peak_rss;
use crate::process::stand_in::{end_with_the_lab_and, take_priority};

/// What one run of a command took.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timed {
    /// From before it was started until it was waited for, in ns.
    pub wall_ns: u64,
    /// Time on CPUs, user and system, of it and of those of its children that it waited for, in ns.
    pub cpu_ns: u64,
    /// The most memory that it or one of those children held, in bytes; at least `floor_bytes`.
    pub rss_bytes: u64,
    /// The memory of the stand-in, in bytes. The system counts the starting process's memory as the command's until
    /// the command's own image is in its place, so that nothing below this can be seen.
    pub floor_bytes: u64,
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Whether it left processes running in its group. They were ended: they would run beside the next one.
    #[serde(default)]
    pub left: bool,
}

/// How a command is run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TimedSetup {
    /// The core that it is pinned to.
    pub cpu: Option<usize>,
    /// Its nice value; 0 leaves this process's.
    pub priority: i32,
    /// Where its stdout goes; it is discarded otherwise.
    pub stdout: Option<PathBuf>,
}

/// Runs a command to its end, once in the life of this process: the system adds the use of all children up, and of
/// their memory it keeps the most. The command has a process group of its own, so that a signal to all of it (`kill 0`)
/// does not reach this process. When this process's stdin ends, everything in both groups is killed.
///
/// The command has no stdin, and its stderr is this process's.
///
/// # Errors
/// When it cannot be started, or its stdout cannot be written.
pub fn time_once(program: &OsString, args: &[OsString], setup: &TimedSetup) -> io::Result<Timed> {
    if let Some(cpu) = setup.cpu {
        let mut set = CpuSet::new();
        set.set(cpu);
        sched_setaffinity(None, &set).ok();
    }
    take_priority(setup.priority);
    let stdout = setup
        .stdout
        .as_deref()
        .map_or_else(|| Ok(Stdio::null()), |file: &Path| File::create(file).map(Stdio::from))?;
    // Locked while the command is started: whoever ends its group has to know it.
    let group = Arc::new(Mutex::new(None));
    let known = Arc::clone(&group);
    end_with_the_lab_and(move || *known.lock().unwrap_or_else(PoisonError::into_inner));
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null()).stdout(stdout).process_group(0);
    let floor_bytes = peak_rss(std::process::id()).unwrap_or(0);
    let mut started = group.lock().unwrap_or_else(PoisonError::into_inner);
    let start = Instant::now();
    let mut child = command.spawn()?;
    let own = Pid::from_child(&child);
    *started = Some(own);
    drop(started);
    let status = child.wait()?;
    let wall = start.elapsed();
    let left = kill_process_group(own, Signal::KILL).is_ok();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let cpu = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Ok(Timed {
        wall_ns: u64::try_from(wall.as_nanos()).unwrap_or(u64::MAX),
        cpu_ns: u64::try_from(cpu).unwrap_or(0) * 1000,
        // Linux gives KiB.
        rss_bytes: u64::try_from(usage.max_rss()).unwrap_or(0) * 1024,
        floor_bytes,
        code: status.code(),
        signal: status.signal(),
        left,
    })
}
