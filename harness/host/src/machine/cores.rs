//! Where this process may run, and with which priority. What is allowed is tried, in a thread of its own, whose place
//! and priority are nobody else's: limits and capabilities alone do not tell what a sandbox refuses.

use rustix::process::{getpriority_process, setpriority_process};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The nice value that arms get where it is allowed.
const WANTED: i32 = -10;

/// The last core that this process may use, where it may bind itself to it: the first ones take most of a system's
/// interrupts. `None` too where it may use one alone.
#[must_use]
pub fn last_core() -> Option<usize> {
    let cores = cores();
    let last = cores.last().copied().filter(|_| cores.len() > 1)?;
    let bound = move || {
        let mut set = CpuSet::new();
        set.set(last);
        sched_setaffinity(None, &set).ok()?;
        sched_getaffinity(None).ok().filter(|bound| *bound == set)
    };
    tried(bound).map(|_| last)
}

/// The cores that this process may use.
#[must_use]
pub fn cores() -> Vec<usize> {
    let Ok(allowed) = sched_getaffinity(None) else { return Vec::new() };
    (0..CpuSet::MAX_CPU).filter(|&cpu| allowed.is_set(cpu)).collect()
}

/// The nice value that arms run with: −10 where this process may raise priorities, else its own.
#[must_use]
pub fn priority() -> i32 {
    let own = getpriority_process(None).unwrap_or(0);
    let raised = move || {
        setpriority_process(None, WANTED).ok()?;
        getpriority_process(None).ok()
    };
    if own <= WANTED { own } else { tried(raised).unwrap_or(own) }
}

/// What a thread of its own finds out.
fn tried<T: Send>(attempt: impl FnOnce() -> Option<T> + Send) -> Option<T> {
    std::thread::scope(|scope| scope.spawn(attempt).join().ok().flatten())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_core_is_one_of_several() {
        let cores = cores();
        assert!(!cores.is_empty() && cores.is_sorted());
        assert!(last_core().is_none() || cores.len() > 1);
        assert_eq!(self::cores(), cores, "trying changed nothing");
        assert!(last_core().is_none_or(|core| Some(&core) == cores.last()));
    }

    #[test]
    fn the_priority_is_one_that_a_process_really_gets() {
        let own = getpriority_process(None).unwrap();
        let said = priority();
        assert_eq!(getpriority_process(None).unwrap(), own, "trying changed nothing");
        let ran = std::process::Command::new("nice").output().unwrap();
        assert_eq!(String::from_utf8_lossy(&ran.stdout).trim(), own.to_string());
        assert!(said == own || said == WANTED && said < own, "{said} of {own}");
    }
}
