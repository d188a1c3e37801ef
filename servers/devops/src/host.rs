//! The host at one moment, by what the kernel says below `/proc` and `/sys/fs/cgroup`: utilisation, saturation and errors of
//! processors, memory, disks and network (the USE method: Gregg, "Thinking Methodically about Performance", 2013), pressure,
//! the own cgroup, and the largest processes.
//!
//! Utilisation is a difference of two moments: between two snapshots, or since the start of the system where there was none
//! before.

mod cgroup;
mod counters;
mod findings;
mod pressure;
mod processes;
mod snapshot;

use std::path::{Path, PathBuf};

pub use cgroup::{Cgroup, CgroupKind};
pub use counters::{Counters, CpuTimes, Disk, Interface, Memory};
pub use findings::findings;
pub use pressure::{Pressure, Stall};
pub use processes::{Process, Processes};
pub(crate) use snapshot::used;
pub use snapshot::{Cpu, DiskUse, Filesystem, Host, InterfaceUse, Snapshot};

/// Where the kernel tells about the host. Tests have a directory of their own.
#[derive(Clone, Debug)]
pub struct Source {
    /// `/proc`.
    pub proc: PathBuf,
    /// `/sys/fs/cgroup`.
    pub cgroup: PathBuf,
}

impl Default for Source {
    fn default() -> Self {
        Self { proc: "/proc".into(), cgroup: "/sys/fs/cgroup".into() }
    }
}

impl Source {
    /// The text of a file below `/proc`; `None` where it is not there.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        read(&self.proc.join(name))
    }
}

/// The text of a file of the kernel; files of other hands are not read here.
fn read(path: &Path) -> Option<String> {
    std::fs::read_to_string(path).ok()
}

/// The number behind a key at the start of a line.
fn number(text: &str, key: &str) -> Option<u64> {
    text.lines().find_map(|line| {
        let rest = line.strip_prefix(key)?;
        rest.trim_start_matches(':').split_whitespace().next()?.parse().ok()
    })
}
