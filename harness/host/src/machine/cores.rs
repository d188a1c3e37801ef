//! Where this process may run, and with which priority.

/// The last core that this process may use: the first ones take most of a system's interrupts.
#[must_use]
pub fn last_core() -> Option<usize> {
    let cores = cores();
    cores.last().copied().filter(|_| cores.len() > 1)
}

/// The cores that this process may use.
#[must_use]
pub fn cores() -> Vec<usize> {
    let Ok(allowed) = rustix::thread::sched_getaffinity(None) else { return Vec::new() };
    (0..rustix::thread::CpuSet::MAX_CPU).filter(|&cpu| allowed.is_set(cpu)).collect()
}

/// The nice increment that this process may give its arms: −10 where it may raise priorities, else 0.
#[must_use]
pub fn priority() -> i32 {
    let allowed = rustix::process::getrlimit(rustix::process::Resource::Nice).current;
    // The limit L allows nice values down to 20 − L (getrlimit(2)); root may do as it likes.
    if rustix::process::geteuid().is_root() || allowed.is_none_or(|limit| limit >= 30) { -10 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_core_is_one_of_several() {
        let cores = cores();
        assert!(!cores.is_empty() && cores.is_sorted());
        assert_eq!(last_core().is_some(), cores.len() > 1);
        assert!(last_core().is_none_or(|core| Some(&core) == cores.last()));
    }
}
