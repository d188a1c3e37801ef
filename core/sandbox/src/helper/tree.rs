//! Ends every process that a run started, however it hid.
//!
//! The supervisor is a subreaper: a process whose parent has ended becomes its child, also in a session of its own.
//! So all that is left of a run hangs below the supervisor, and it is done when it has no child.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::time::{Duration, Instant};

use rustix::process::{
    Pid, PidfdFlags, Resource, Rlimit, Signal, WaitOptions, getpid, pidfd_open, pidfd_send_signal, prlimit,
    wait,
};

/// What is known of a process by its line in `/proc`.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Entry {
    parent: i32,
    /// Ticks after boot; with the number it names a process for good.
    started: u64,
}

/// Reads parent and start of a process. The name in front of them may hold spaces and brackets.
fn entry(pid: i32) -> Option<Entry> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = text.get(text.rfind(')')? + 2..)?.split_ascii_whitespace();
    let parent = fields.nth(1)?.parse().ok()?;
    Some(Entry { parent, started: fields.nth(17)?.parse().ok()? })
}

fn descendants(of: i32) -> Vec<(i32, Entry)> {
    let all: HashMap<i32, Entry> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|found| found.file_name().to_str()?.parse().ok())
        .filter_map(|pid| Some((pid, entry(pid)?)))
        .collect();
    let mut below = HashSet::from([of]);
    loop {
        let before = below.len();
        below.extend(
            all.iter()
                .filter(|(_, entry)| below.contains(&entry.parent))
                .map(|(pid, _)| *pid)
                .collect::<Vec<_>>(),
        );
        if below.len() == before {
            break;
        }
    }
    all.into_iter().filter(|(pid, _)| *pid != of && below.contains(pid)).collect()
}

/// Kills one process, if it still is the one that was seen.
fn kill(number: i32, seen: Entry) {
    let Some(pid) = Pid::from_raw(number) else { return };
    let Ok(descriptor) = pidfd_open(pid, PidfdFlags::empty()) else { return };
    // A parent may have reaped it, and its number may belong to a stranger by now.
    if entry(number).is_none_or(|now| now.started != seen.started) {
        return;
    }
    // First it may have no more children, so that those that multiply do not outrun the loop.
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    let _ = prlimit(Some(pid), Resource::Nproc, none);
    let _ = pidfd_send_signal(&descriptor, Signal::KILL);
}

/// Takes note of children that have ended; true when there is none left, alive or dead.
fn reaped() -> bool {
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some(_)) => {}
            Ok(None) => return false,
            Err(error) => return error == rustix::io::Errno::CHILD,
        }
    }
}

/// Kills all descendants of this process, again and again until there is none. Answers how many are left after
/// `patience`, which only happens to those that the kernel does not let go.
pub(crate) fn end_all(patience: Duration) -> u32 {
    let deadline = Instant::now() + patience;
    let own = getpid().as_raw_nonzero().get();
    let mut pause = Duration::from_micros(200);
    // To reap is to ask whether anything is left: only a process without children, alive or dead, is done. Those that
    // are found alive are killed and then, once more, waited for, since each may have started another meanwhile.
    while !reaped() {
        let found = descendants(own);
        for (pid, entry) in &found {
            kill(*pid, *entry);
        }
        if Instant::now() > deadline {
            return u32::try_from(found.len()).unwrap_or(u32::MAX);
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
    0
}
