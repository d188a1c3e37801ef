//! What the lab's own executable does when it stands between the lab and a child.

use std::ffi::OsString;
use std::io::{self, Read as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, Stdio};
use std::thread;

use nix::sys::personality::{self, Persona};
use rustix::process::{
    Pid, Signal, getpgrp, kill_process_group, set_parent_process_death_signal, setpriority_process,
};
use rustix::thread::{CpuSet, sched_setaffinity};

/// Turns this process into `program`: pinned to `cpu`, at the nice value `priority` (0 leaves it as it is), and
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
    take_priority(priority);
    Command::new(program).args(args).exec()
}

/// Gives this thread, and what it starts, a nice value; 0 leaves it as it is.
pub(crate) fn take_priority(nice: i32) {
    if nice != 0 {
        setpriority_process(None, nice).ok();
    }
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
fn end_with_the_lab() {
    end_with_the_lab_and(|| None);
}

/// As [`end_with_the_lab`]; first another group is killed, which `group` is asked for when it comes to that.
pub(crate) fn end_with_the_lab_and(group: impl FnOnce() -> Option<Pid> + Send + 'static) {
    thread::spawn(move || {
        let mut buffer = [0; 64];
        while let Ok(1..) = io::stdin().read(&mut buffer) {}
        if let Some(group) = group() {
            kill_process_group(group, Signal::KILL).ok();
        }
        kill_process_group(getpgrp(), Signal::KILL).ok();
    });
}
