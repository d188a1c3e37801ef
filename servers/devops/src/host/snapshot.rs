//! A snapshot: the difference of two moments, and what stands still.

use std::path::Path;

use serde::Serialize;

use crate::host::{Cgroup, Counters, CpuTimes, Memory, Pressure, Process, Processes, Source};

/// How many processes of each order are named.
const LARGEST: usize = 5;
/// The kinds of file systems that hold files of people: the rest is the kernel's own or memory.
const STORED: [&str; 12] =
    ["ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "vfat", "overlay", "nfs", "nfs4", "fuseblk"];

/// File systems in memory that are smaller hold nothing of people, in bytes.
const LEAST_IN_MEMORY: u64 = 1 << 20;
/// Rates and shares are over at least so long, in seconds: less is a few ticks of the clock.
const LEAST_S: f64 = 0.1;

/// The processors.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Cpu {
    /// How many there are.
    pub count: usize,
    /// The share of their time that was used.
    pub utilisation: f64,
    /// The share that programs used.
    pub user: f64,
    /// The share that the kernel used.
    pub system: f64,
    /// The share in which a disk was waited for.
    pub iowait: f64,
    /// The share that the hypervisor gave to others.
    pub steal: f64,
    /// Tasks that run or could, at this moment.
    pub running: u64,
    /// Load averages over one, five and fifteen minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load: Option<[f64; 3]>,
}

/// A disk.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DiskUse {
    /// Its name.
    pub name: String,
    /// The share of time in which it had something to do.
    pub utilisation: f64,
    /// How many requests waited or ran, on average.
    pub queue: f64,
    /// Bytes read in a second.
    pub read_per_s: f64,
    /// Bytes written in a second.
    pub written_per_s: f64,
}

/// An interface.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct InterfaceUse {
    /// Its name.
    pub name: String,
    /// Bytes received in a second.
    pub received_per_s: f64,
    /// Bytes sent in a second.
    pub sent_per_s: f64,
    /// Errors and dropped packets in a second.
    pub errors_per_s: f64,
}

/// A file system.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Filesystem {
    /// Where it is mounted.
    pub path: String,
    /// Its size in bytes.
    pub total_bytes: u64,
    /// The share that is used of what users may fill.
    pub used: f64,
    /// What users may still fill, in bytes.
    pub available_bytes: u64,
    /// The share of its inodes that is in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inodes_used: Option<f64>,
}

/// The host over a time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Snapshot {
    /// The seconds that rates and shares are taken over.
    pub over_s: f64,
    /// Whether these are all seconds since the start of the system: there was no snapshot before.
    pub since_boot: bool,
    /// The processors.
    pub cpu: Cpu,
    /// Main memory.
    pub memory: Memory,
    /// Pages swapped in and out in a second.
    pub swapped_per_s: f64,
    /// Processes that were killed because memory ran out: since the last look, at the first one since the start of the
    /// system.
    pub oom_kills: u64,
    /// Whether nobody looked before.
    #[serde(skip)]
    pub is_first: bool,
    /// Tasks that wait for a disk, at this moment.
    pub blocked: u64,
    /// The disks that did something, the busiest first.
    pub disks: Vec<DiskUse>,
    /// The interfaces that did something, the busiest first.
    pub interfaces: Vec<InterfaceUse>,
    /// The share of TCP's segments that were sent again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tcp_resent: Option<f64>,
    /// The file systems, the fullest first.
    pub filesystems: Vec<Filesystem>,
    /// Pressure; none where the kernel does not tell it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pressure: Option<Pressure>,
    /// The own control group; none where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cgroup: Option<Cgroup>,
    /// The largest processes: by processor time, then by memory.
    pub processes: Vec<Process>,
    /// How many processes there are.
    pub process_count: usize,
}

/// A host that is looked at again and again.
#[derive(Debug, Default)]
pub struct Host {
    source: Source,
    /// What was counted at the last look that lay far enough from the one before, and what at that.
    before: Option<Counters>,
    earlier: Option<Counters>,
    oom_kills: Option<u64>,
    processes: Processes,
}

impl Host {
    /// A host by what a directory says.
    #[must_use]
    pub fn new(source: Source) -> Self {
        Self { source, ..Self::default() }
    }

    /// Counts for the first time, so that the next look tells of the time since; how long to wait for it.
    pub fn begin(&mut self) -> std::time::Duration {
        if self.before.is_some() {
            return std::time::Duration::ZERO;
        }
        let now = Counters::of(&self.source);
        self.processes.count(&self.source, now.uptime);
        self.before = Some(now);
        std::time::Duration::from_secs_f64(LEAST_S + 0.02)
    }

    /// The host since the last look that is long enough ago, or since its start.
    pub fn snapshot(&mut self) -> Snapshot {
        let now = Counters::of(&self.source);
        let is_old = |counters: &Counters| now.uptime - counters.uptime >= LEAST_S;
        let is_next = self.before.as_ref().is_none_or(is_old);
        if is_next {
            self.earlier = self.before.replace(now.clone());
        }
        let since_boot = self.earlier.is_none();
        let before = self.earlier.clone().unwrap_or_default();
        let known = self.oom_kills.replace(now.oom_kills);
        let seconds = (now.uptime - before.uptime).max(0.01);
        let (processes, process_count) = self.processes.largest(&self.source, now.uptime, is_next, LARGEST);
        let per_second = |now: u64, before: u64| now.saturating_sub(before) as f64 / seconds;
        Snapshot {
            over_s: seconds,
            since_boot,
            cpu: cpu(&now, &before.cpu),
            memory: now.memory,
            swapped_per_s: per_second(now.swapped_pages, before.swapped_pages),
            oom_kills: now.oom_kills.saturating_sub(known.unwrap_or_default()),
            is_first: known.is_none(),
            blocked: now.blocked,
            disks: disks(&now, &before, seconds),
            interfaces: interfaces(&now, &before, seconds),
            tcp_resent: now.tcp.map(|(resent, sent)| {
                let (resent_before, sent_before) = before.tcp.unwrap_or_default();
                resent.saturating_sub(resent_before) as f64 / sent.saturating_sub(sent_before).max(1) as f64
            }),
            filesystems: filesystems(&self.source),
            pressure: Pressure::of(&self.source),
            cgroup: Cgroup::of(&self.source),
            processes,
            process_count,
        }
    }
}

fn cpu(now: &Counters, before: &CpuTimes) -> Cpu {
    let total = now.cpu.total().saturating_sub(before.total()).max(1) as f64;
    let share = |now: u64, before: u64| now.saturating_sub(before) as f64 / total;
    let (user, system) = (share(now.cpu.user, before.user), share(now.cpu.system, before.system));
    Cpu {
        count: std::thread::available_parallelism().map_or(1, usize::from),
        utilisation: user + system,
        user,
        system,
        iowait: share(now.cpu.iowait, before.iowait),
        steal: share(now.cpu.steal, before.steal),
        running: now.running,
        load: now.load,
    }
}

fn disks(now: &Counters, before: &Counters, seconds: f64) -> Vec<DiskUse> {
    let one = |(name, disk): (&String, &crate::host::Disk)| {
        let earlier = before.disks.get(name).copied().unwrap_or_default();
        let per_second = |now: u64, before: u64| now.saturating_sub(before) as f64 / seconds;
        DiskUse {
            name: name.clone(),
            utilisation: (per_second(disk.busy_ms, earlier.busy_ms) / 1000.0).min(1.0),
            queue: per_second(disk.waited_ms, earlier.waited_ms) / 1000.0,
            read_per_s: per_second(disk.read_bytes, earlier.read_bytes),
            written_per_s: per_second(disk.written_bytes, earlier.written_bytes),
        }
    };
    let mut disks: Vec<DiskUse> =
        now.disks.iter().map(one).filter(|disk| disk.read_per_s + disk.written_per_s > 0.0).collect();
    disks.sort_by(|a, b| b.utilisation.total_cmp(&a.utilisation));
    disks
}

fn interfaces(now: &Counters, before: &Counters, seconds: f64) -> Vec<InterfaceUse> {
    let one = |(name, interface): (&String, &crate::host::Interface)| {
        let earlier = before.interfaces.get(name).copied().unwrap_or_default();
        let per_second = |now: u64, before: u64| now.saturating_sub(before) as f64 / seconds;
        InterfaceUse {
            name: name.clone(),
            received_per_s: per_second(interface.received_bytes, earlier.received_bytes),
            sent_per_s: per_second(interface.sent_bytes, earlier.sent_bytes),
            errors_per_s: per_second(interface.errors, earlier.errors),
        }
    };
    let busy = |interface: &InterfaceUse| interface.received_per_s + interface.sent_per_s;
    let mut found: Vec<InterfaceUse> =
        now.interfaces.iter().map(one).filter(|interface| busy(interface) > 0.0).collect();
    found.sort_by(|a, b| busy(b).total_cmp(&busy(a)));
    found
}

fn filesystems(source: &Source) -> Vec<Filesystem> {
    let text = source.text("self/mounts").unwrap_or_default();
    let mut devices: Vec<&str> = Vec::new();
    let mut found = Vec::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let [device, path, kind, options, ..] = words.as_slice() else { continue };
        // Each file system in memory is one of its own, whatever its device is called.
        let is_memory = *kind == "tmpfs" && options.split(',').any(|option| option == "rw");
        // One device may be mounted at many places; a network that hangs would hang the snapshot.
        let is_stored = STORED.contains(kind) && !kind.starts_with("nfs") && !devices.contains(device);
        if !is_memory && !is_stored {
            continue;
        }
        if is_stored {
            devices.push(device);
        }
        let path = unescaped(path);
        let Ok(stat) = rustix::fs::statvfs(Path::new(&path)) else { continue };
        if stat.f_blocks == 0 || is_memory && stat.f_blocks * stat.f_frsize < LEAST_IN_MEMORY {
            continue;
        }
        let inodes = stat.f_files.saturating_sub(stat.f_ffree) as f64;
        found.push(Filesystem {
            path,
            total_bytes: stat.f_blocks * stat.f_frsize,
            available_bytes: stat.f_bavail * stat.f_frsize,
            used: used(&stat),
            inodes_used: (stat.f_files > 0).then(|| inodes / stat.f_files as f64),
        });
    }
    found.sort_by(|a, b| b.used.total_cmp(&a.used));
    found
}

/// The share of a file system that is used of what users may fill, as `df` tells it: blocks that are kept for the system
/// count neither way.
pub(crate) fn used(stat: &rustix::fs::StatVfs) -> f64 {
    let used = stat.f_blocks.saturating_sub(stat.f_bfree) as f64;
    used / (used + stat.f_bavail as f64).max(1.0)
}

/// A path of `/proc/mounts`: blanks and the like are written as octal numbers.
fn unescaped(path: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .iter()
        .fold(path.to_owned(), |path, (from, to)| path.replace(from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(base: &Path, stat: &str, uptime: &str) {
        for (name, text) in [
            ("stat", stat),
            ("uptime", uptime),
            ("meminfo", "MemTotal: 1000 kB\nMemAvailable: 100 kB\n"),
            ("diskstats", &format!("8 0 sda 1 0 {} 0 1 0 0 0 0 {} {}\n", uptime.len() * 2048, 500, 900)),
        ] {
            std::fs::write(base.join(name), text).unwrap();
        }
    }

    #[test]
    fn shares_are_of_the_time_between_two_snapshots() {
        let base = tempfile::tempdir().unwrap();
        let mut host = Host::new(Source { proc: base.path().to_owned(), cgroup: base.path().to_owned() });
        written(base.path(), "cpu 100 0 100 800 0 0 0 0\nprocs_running 3\nprocs_blocked 1\n", "1000.0 1");
        let first = host.snapshot();
        assert!(first.since_boot && (first.cpu.utilisation - 0.2).abs() < 1e-9, "{first:?}");
        written(base.path(), "cpu 190 0 100 810 0 0 0 0\nprocs_running 3\nprocs_blocked 1\n", "1010.0 1");
        let second = host.snapshot();
        assert!(!second.since_boot && (second.over_s - 10.0).abs() < 1e-9);
        assert!((second.cpu.utilisation - 0.9).abs() < 1e-9, "{second:?}");
        assert_eq!((second.cpu.running, second.blocked), (3, 1));
        written(base.path(), "cpu 191 0 100 810 0 0 0 0\nprocs_running 3\nprocs_blocked 1\n", "1010.01 1");
        let at_once = host.snapshot();
        assert!(!at_once.since_boot && at_once.over_s > 10.0, "the base is the one before: {at_once:?}");
        assert!(second.pressure.is_none() && second.cgroup.is_none(), "what is not told is left out");
    }

    #[test]
    fn this_host_is_looked_at() {
        let mut host = Host::default();
        let first = host.snapshot();
        assert!(first.since_boot && first.process_count > 0 && !first.processes.is_empty());
        assert!((0.0..=1.0).contains(&first.cpu.utilisation));
        assert_eq!(unescaped("/a\\040b"), "/a b");
        let begun = &mut Host::default();
        std::thread::sleep(begun.begin());
        assert!(!begun.snapshot().since_boot && begun.begin().is_zero());
    }

    #[test]
    fn a_file_system_is_as_full_as_df_says() {
        let Ok(output) = std::process::Command::new("df").args(["--output=pcent", "/"]).output() else {
            return;
        };
        let text = String::from_utf8(output.stdout).unwrap();
        let percent: f64 = text.lines().nth(1).unwrap().trim().trim_end_matches('%').parse().unwrap();
        let found = 100.0 * used(&rustix::fs::statvfs("/").unwrap());
        // It rounds up, and something may be written meanwhile.
        assert!((found - percent).abs() <= 1.5, "{found} {percent}");
    }
}
