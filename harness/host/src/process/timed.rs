//! One run of a command under a stand-in that does nothing else: what it took, and what it used.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;
use rustix::process::nice;
use rustix::thread::{CpuSet, sched_setaffinity};
use serde::{Deserialize, Serialize};

use crate::process::peak_rss;
use crate::process::stand_in::end_with_the_lab;

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
}

/// How a command is run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TimedSetup {
    /// The core that it is pinned to.
    pub cpu: Option<usize>,
    /// A nice increment.
    pub priority: i32,
    /// Where its stdout goes; it is discarded otherwise.
    pub stdout: Option<PathBuf>,
}

/// Runs a command to its end, once in the life of this process: the system adds the use of all children up, and of
/// their memory it keeps the most. When this process's stdin ends, everything in its process group is killed.
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
    if setup.priority != 0 {
        nice(setup.priority).ok();
    }
    let stdout = setup
        .stdout
        .as_deref()
        .map_or_else(|| Ok(Stdio::null()), |file: &Path| File::create(file).map(Stdio::from))?;
    end_with_the_lab();
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null()).stdout(stdout);
    let floor_bytes = peak_rss(std::process::id()).unwrap_or(0);
    let start = Instant::now();
    let mut child = command.spawn()?;
    let status = child.wait()?;
    let wall = start.elapsed();
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
    })
}
