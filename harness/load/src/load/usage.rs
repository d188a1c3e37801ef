//! What a server costs, as `/proc` tells it for its whole process group; where this thread runs.

use std::fs;
use std::num::NonZeroU64;

use rustix::thread::{CpuSet, sched_setaffinity, set_current_timer_slack};

use crate::process::group::members;

/// What a process group has used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// CPU time, in ns, of the threads that run now.
    pub cpu_ns: u64,
    /// Memory that it holds, in bytes.
    pub rss: u64,
    /// The sum of the most that each process has held, in bytes.
    pub peak_rss: u64,
    /// How many processes there are.
    pub processes: usize,
}

/// What the process group `group` has used. A server that is started through another program (`npx`) is
/// several processes.
#[must_use]
pub fn usage_of(group: u32) -> Usage {
    let mut usage = Usage::default();
    for pid in members(group) {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let bytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()).unwrap_or(0)
                * 1024
        };
        usage.rss += bytes("VmRSS:");
        usage.peak_rss += bytes("VmHWM:");
        usage.cpu_ns += cpu_ns(pid);
        usage.processes += 1;
    }
    usage
}

/// The processes of a group, by their ids. Looking for them takes a look at every process of the machine.
#[must_use]
pub fn processes_of(group: u32) -> Vec<u32> {
    members(group)
}

/// CPU time of these processes so far, in ns, of the threads that run now.
#[must_use]
pub fn cpu_of(processes: &[u32]) -> u64 {
    processes.iter().map(|&pid| cpu_ns(pid)).sum()
}

/// The first number of `schedstat` is the time on a CPU in ns, thread by thread.
fn cpu_ns(pid: u32) -> u64 {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().filter_map(Result::ok);
    let of = |text: String| text.split_whitespace().next()?.parse::<u64>().ok();
    tasks.filter_map(|task| of(fs::read_to_string(task.path().join("schedstat")).ok()?)).sum()
}

/// Moves this thread to one core. What the system refuses is left as it was.
pub fn pin_to(cpu: usize) {
    let mut set = CpuSet::new();
    set.set(cpu);
    sched_setaffinity(None, &set).ok();
}

/// Lets timers of this thread fire when they are due, and not up to 50 µs later, as Linux does to save power.
pub fn calm_timer() {
    set_current_timer_slack(NonZeroU64::new(1)).ok();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::{Invocation, Piped};
    use std::time::{Duration, Instant};

    #[test]
    fn a_group_is_counted_whole() {
        let script = "sleep 60 & i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; echo; sleep 60";
        let child = Piped::start(&Invocation::new("sh", ["-c", script])).unwrap();
        let start = Instant::now();
        let mut usage = usage_of(child.pid());
        while (usage.processes < 3 || usage.cpu_ns < 1_000_000) && start.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(5));
            usage = usage_of(child.pid());
        }
        assert_eq!(usage.processes, 3, "the shell and two sleepers");
        assert!(usage.cpu_ns >= 1_000_000 && usage.rss > 100_000 && usage.peak_rss >= usage.rss, "{usage:?}");
        let found = processes_of(child.pid());
        assert!(found.len() == 3 && found.contains(&child.pid()), "{found:?}");
        assert!(cpu_of(&found) >= usage.cpu_ns);
        assert_eq!(usage_of(u32::MAX), Usage::default());
    }
}
