//! Who belongs to a process group, as `/proc` tells it.

use std::fs;

/// The processes of a group, `group` itself included where it runs. A program that is started through another
/// (`npx`) is several.
#[must_use]
pub fn members(group: u32) -> Vec<u32> {
    numbers("/proc")
        .filter(|&pid| pid == group || stat(pid, pid).is_some_and(|stat| stat.group == group))
        .collect()
}

/// The threads of a process.
#[must_use]
pub fn threads(pid: u32) -> Vec<u32> {
    numbers(&format!("/proc/{pid}/task")).collect()
}

/// Whether a thread waits for something to happen, or has ended and waits to be asked for its end: neither running
/// nor stopped.
#[must_use]
pub fn rests(pid: u32, thread: u32) -> bool {
    stat(pid, thread).is_some_and(|stat| matches!(stat.state, 'S' | 'Z'))
}

fn numbers(folder: &str) -> impl Iterator<Item = u32> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

struct Stat {
    state: char,
    group: u32,
}

fn stat(pid: u32, thread: u32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/task/{thread}/stat")).ok()?;
    // The name in brackets may hold anything; state, parent and group follow it (proc_pid_stat(5)).
    let mut fields = text.rsplit_once(')')?.1.split_whitespace();
    Some(Stat { state: fields.next()?.chars().next()?, group: fields.nth(1)?.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::{Invocation, Piped};
    use std::time::{Duration, Instant};

    #[test]
    fn a_group_is_its_shell_and_what_the_shell_started() {
        let mut child = Piped::start(&Invocation::new("sh", ["-c", "sleep 60 & read line"])).unwrap();
        let (pid, start) = (child.pid(), Instant::now());
        let at_rest = || members(pid).len() == 2 && members(pid).iter().all(|&pid| rests(pid, pid));
        while !at_rest() && start.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(2));
        }
        assert!(at_rest(), "{:?}", members(pid));
        assert_eq!(threads(pid), [pid]);
        let own = std::process::id();
        assert!(threads(own).iter().any(|&thread| !rests(own, thread)), "this thread runs");
        child.end();
        assert!(!members(pid).contains(&pid), "its end was asked for");
    }
}
