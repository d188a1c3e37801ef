//! Ends everything that a command has started.
//!
//! A command has a process group of its own, which is killed as a whole. What left the group (`setsid`) is
//! known by a mark in its environment, which children inherit. A process that both leaves the group and
//! clears its environment gets away; only a process namespace or a cgroup could hold it.

use std::collections::hash_map::RandomState;
use std::fs;
use std::hash::{BuildHasher as _, Hasher as _};

use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open, pidfd_send_signal};

/// The variable that carries the mark.
pub const VARIABLE: &str = "MCP_COMMAND_MARK";

/// How often the processes are looked through: what forks while it is looked for is found again.
const ROUNDS: usize = 16;

/// A mark that no other command has.
pub fn mark() -> String {
    // The only source of randomness in the standard library: keys that the system seeds for hash maps.
    let random = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", random(), random())
}

/// Kills the group of `leader`, which has not been waited for yet, so that its number is still its own, and
/// all processes that carry the mark.
pub fn kill(leader: Pid, mark: &str) {
    // A group that is gone already is what was wanted.
    kill_process_group(leader, Signal::KILL).ok();
    for _ in 0..ROUNDS {
        let marked: Vec<Pid> = processes().filter(|pid| carries(*pid, mark)).collect();
        if marked.is_empty() {
            return;
        }
        for pid in marked {
            end(pid, mark);
        }
    }
}

/// Kills one process if it still is the one that carries the mark: its number may be another's meanwhile,
/// and the descriptor names the process that was looked at.
fn end(pid: Pid, mark: &str) {
    let Ok(process) = pidfd_open(pid, PidfdFlags::empty()) else {
        return;
    };
    if carries(pid, mark) {
        pidfd_send_signal(&process, Signal::KILL).ok();
    }
}

fn processes() -> impl Iterator<Item = Pid> {
    let folders = fs::read_dir("/proc").into_iter().flatten().flatten();
    folders.filter_map(|folder| folder.file_name().to_str()?.parse().ok()).filter_map(Pid::from_raw)
}

/// Whether a process has the mark in its environment; one that has ended has none.
fn carries(pid: Pid, mark: &str) -> bool {
    let environment = fs::read(format!("/proc/{}/environ", pid.as_raw_nonzero())).unwrap_or_default();
    environment.split(|byte| *byte == 0).any(|variable| {
        variable.strip_prefix(VARIABLE.as_bytes()).and_then(|rest| rest.strip_prefix(b"="))
            == Some(mark.as_bytes())
    })
}
