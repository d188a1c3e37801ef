//! What this host offers a sandbox.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::SandboxError;
use crate::runner::Helper;
use crate::running;
use crate::sys;

/// What the running kernel offers to this user. A `doctor` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capabilities {
    /// Release of the kernel.
    pub kernel: String,
    /// Landlock's ABI; 0 if it is absent or switched off.
    pub landlock_abi: u32,
    /// seccomp with filters that can kill a process.
    pub seccomp: bool,
    /// User, mount, process, IPC and network namespaces can be made and a private view be built in them: tried, not
    /// guessed.
    pub namespaces: bool,
    /// Why not, if not.
    pub namespaces_reason: Option<String>,
    /// A process namespace has its own `pid_max` (Linux 6.14), which bounds processes of root too.
    pub own_pid_max: bool,
    /// A cgroup of version 2 is mounted and this process may make groups below its own. Told, not used.
    pub cgroup_v2: bool,
    /// This process is run by root, whom `RLIMIT_NPROC` does not bind.
    pub root: bool,
}

impl Capabilities {
    /// A host that offers nothing: what is assumed before it was asked.
    pub fn none() -> Self {
        Self {
            kernel: String::new(),
            landlock_abi: 0,
            seccomp: false,
            namespaces: false,
            namespaces_reason: None,
            own_pid_max: false,
            cgroup_v2: false,
            root: true,
        }
    }
}

/// What the host offers, with this program itself as the supervisor that tries it (see
/// [`enter_if_asked`](crate::enter_if_asked)). Takes some milliseconds: ask once.
///
/// # Errors
/// If this program cannot be started once more, or does not call `enter_if_asked`.
pub fn offered() -> Result<Capabilities, SandboxError> {
    offered_with(&Helper::default())
}

/// As [`offered`], with the program at `helper` as the supervisor.
///
/// # Errors
/// If `helper` cannot be started or is not a program that calls `enter_if_asked`.
pub fn offered_by(helper: &Path) -> Result<Capabilities, SandboxError> {
    offered_with(&Helper { program: helper.to_owned(), arguments: Vec::new() })
}

/// As [`offered`], with a supervisor that is started like this.
///
/// # Errors
/// As [`offered_by`].
pub fn offered_with(helper: &Helper) -> Result<Capabilities, SandboxError> {
    let kernel = rustix::system::uname().release().to_string_lossy().into_owned();
    let landlock_abi = sys::landlock_abi();
    let seccomp = sys::seccomp_offered();
    // Before Linux 6.14 the file is there too, but what is written to it holds for the whole host.
    let mut own_pid_max = release(&kernel) >= (6, 14);
    let mut tried = running::probe(helper, own_pid_max)?;
    if tried.is_some() && own_pid_max {
        own_pid_max = false;
        tried = running::probe(helper, false)?;
    }
    Ok(Capabilities {
        landlock_abi,
        seccomp,
        namespaces: tried.is_none(),
        own_pid_max: tried.is_none() && own_pid_max,
        namespaces_reason: tried,
        cgroup_v2: own_cgroup().is_some_and(|path| writable(&path)),
        root: rustix::process::geteuid().is_root(),
        kernel,
    })
}

fn release(text: &str) -> (u32, u32) {
    let mut numbers =
        text.split(|letter: char| !letter.is_ascii_digit()).map(|part| part.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

/// The directory of the cgroup (version 2) that this process is in.
fn own_cgroup() -> Option<PathBuf> {
    let own = std::fs::read_to_string("/proc/self/cgroup").ok()?;
    let below = own.lines().find_map(|line| line.strip_prefix("0::/"))?.to_owned();
    let mounts = std::fs::read_to_string("/proc/self/mounts").ok()?;
    let mount = mounts.lines().find_map(|line| {
        let mut fields = line.split(' ').skip(1);
        let place = fields.next()?;
        (fields.next()? == "cgroup2").then(|| place.to_owned())
    })?;
    Some(Path::new(&mount).join(below))
}

fn writable(path: &Path) -> bool {
    rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_ok()
        && rustix::fs::access(path.join("cgroup.procs"), rustix::fs::Access::WRITE_OK).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_read_with_whatever_follows() {
        let cases = [("6.18.44-fc-v657", (6, 18)), ("5.4", (5, 4)), ("6.1.0-18-amd64", (6, 1)), ("", (0, 0))];
        for (text, expected) in cases {
            assert_eq!(release(text), expected, "{text}");
        }
    }
}
