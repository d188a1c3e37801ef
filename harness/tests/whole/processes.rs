//! What runs on this machine, as `/proc` tells it.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// A process.
pub struct Process {
    /// Its number.
    pub pid: i32,
    /// The path of its executable.
    pub executable: String,
    /// Its working directory.
    pub folder: String,
}

/// Every process that has not ended, as far as this one may look.
pub fn all() -> Vec<Process> {
    let entries = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let process = |pid: i32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // A zombie has ended, and waits only for its parent to take notice.
        let ended = stat.rsplit_once(')')?.1.trim_start().starts_with(['Z', 'X']);
        let link =
            |name: &str| Some(fs::read_link(format!("/proc/{pid}/{name}")).ok()?.display().to_string());
        (!ended).then_some(())?;
        Some(Process { pid, executable: link("exe")?, folder: link("cwd")? })
    };
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter_map(process).collect()
}

/// The executables that run from `folder`, or in it. One that is being killed is given time to die.
pub fn running_below(folder: &Path) -> Vec<String> {
    let folder = folder.display().to_string();
    let start = Instant::now();
    loop {
        let below = |process: &Process| {
            process.executable.starts_with(&folder) || process.folder.starts_with(&folder)
        };
        let found: Vec<String> = all().into_iter().filter(below).map(|process| process.executable).collect();
        if found.is_empty() || start.elapsed() > Duration::from_secs(10) {
            return found;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Sends a signal to a process.
pub fn signal(pid: i32, name: &str) -> bool {
    let status = std::process::Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).status();
    status.is_ok_and(|status| status.success())
}
