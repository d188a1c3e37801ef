//! What the lab's own executable does when it stands between the lab and a child.

use std::ffi::OsString;
use std::io::{self, Read as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, Stdio};
use std::thread;

use nix::sys::personality::{self, Persona};
use rustix::process::{Signal, getpgrp, kill_process_group, nice, set_parent_process_death_signal};
use rustix::thread::{CpuSet, sched_setaffinity};

/// Turns this process into `program`: pinned to `cpu`, at priority `priority` (a nice increment), and
/// killed by the kernel when the thread that started it ends.
///
/// `still` places its memory at the same addresses in every start.
///
/// What the system refuses is left as it was: `doctor` tells what a machine allows.
///
/// # Errors
/// Returns only when the program cannot be executed.
pub fn become_program(
    program: &OsString,
    args: &[OsString],
    cpu: Option<usize>,
    priority: i32,
    still: bool,
) -> io::Error {
    if still && let Ok(now) = personality::get() {
        personality::set(now | Persona::ADDR_NO_RANDOMIZE).ok();
    }
    set_parent_process_death_signal(Some(Signal::KILL)).ok();
    if let Some(cpu) = cpu {
        let mut set = CpuSet::new();
        set.set(cpu);
        sched_setaffinity(None, &set).ok();
    }
    if priority != 0 {
        nice(priority).ok();
    }
    Command::new(program).args(args).exec()
}

/// Runs `program` and returns its exit code (128 + the signal's number where a signal ended it). When this
/// process's stdin ends, the lab is gone: everything in the process group is killed, this process included.
///
/// # Errors
/// When the program cannot be started.
pub fn supervise(program: &OsString, args: &[OsString]) -> io::Result<i32> {
    let mut child = Command::new(program).args(args).stdin(Stdio::null()).spawn()?;
    end_with_the_lab();
    let status = child.wait()?;
    Ok(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)))
}

/// From now on this process's group is killed when its stdin ends: the lab is gone then.
pub(crate) fn end_with_the_lab() {
    thread::spawn(|| {
        let mut buffer = [0; 64];
        while let Ok(1..) = io::stdin().read(&mut buffer) {}
        kill_process_group(getpgrp(), Signal::KILL).ok();
    });
}
