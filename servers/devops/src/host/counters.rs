//! What the kernel counts: processors, memory, disks, interfaces.

use std::collections::BTreeMap;

use crate::host::{Source, number};

/// Sectors of `/proc/diskstats` have this many bytes, whatever the disk's have (Linux, "I/O statistics fields").
const SECTOR: u64 = 512;

/// Times of all processors together, in ticks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CpuTimes {
    /// Programs, niced ones too.
    pub user: u64,
    /// The kernel, interrupts included.
    pub system: u64,
    /// Nothing to do.
    pub idle: u64,
    /// Nothing to do while a disk was waited for.
    pub iowait: u64,
    /// Another guest of the hypervisor ran.
    pub steal: u64,
}

impl CpuTimes {
    /// All of them.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.user + self.system + self.idle + self.iowait + self.steal
    }
}

/// Main memory, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Memory {
    /// All of it.
    pub total_bytes: u64,
    /// What programs could get without swapping.
    pub available_bytes: u64,
    /// Swap space.
    pub swap_total_bytes: u64,
    /// Swap space in use.
    pub swap_used_bytes: u64,
}

/// What a disk did since the start of the system.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Disk {
    /// Bytes read.
    pub read_bytes: u64,
    /// Bytes written.
    pub written_bytes: u64,
    /// Milliseconds in which it had something to do.
    pub busy_ms: u64,
    /// Milliseconds that all requests together waited and ran.
    pub waited_ms: u64,
}

/// What an interface did since the start of the system.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Interface {
    /// Bytes received.
    pub received_bytes: u64,
    /// Bytes sent.
    pub sent_bytes: u64,
    /// Packets with errors, and packets dropped, both ways.
    pub errors: u64,
}

/// Everything that is counted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counters {
    /// The processors.
    pub cpu: CpuTimes,
    /// Tasks that run or could.
    pub running: u64,
    /// Tasks that wait for a disk.
    pub blocked: u64,
    /// Load averages over one, five and fifteen minutes.
    pub load: Option<[f64; 3]>,
    /// Main memory.
    pub memory: Memory,
    /// Pages swapped in and out.
    pub swapped_pages: u64,
    /// Processes that were killed because memory ran out.
    pub oom_kills: u64,
    /// Disks by name, partitions left out.
    pub disks: BTreeMap<String, Disk>,
    /// Interfaces by name, but for the loopback.
    pub interfaces: BTreeMap<String, Interface>,
    /// Segments that TCP sent again, and all that it sent.
    pub tcp: Option<(u64, u64)>,
    /// Seconds since the start of the system.
    pub uptime: f64,
}

impl Counters {
    /// What is counted at this moment. What the kernel does not tell stays zero or empty.
    #[must_use]
    pub fn of(source: &Source) -> Self {
        let stat = source.text("stat").unwrap_or_default();
        let vmstat = source.text("vmstat").unwrap_or_default();
        let first = |text: String| text.split_whitespace().next().and_then(|word| word.parse().ok());
        Self {
            cpu: cpu(&stat),
            running: number(&stat, "procs_running").unwrap_or(0),
            blocked: number(&stat, "procs_blocked").unwrap_or(0),
            load: source.text("loadavg").and_then(|text| load(&text)),
            memory: memory(&source.text("meminfo").unwrap_or_default()),
            swapped_pages: number(&vmstat, "pswpin ").unwrap_or(0) + number(&vmstat, "pswpout ").unwrap_or(0),
            oom_kills: number(&vmstat, "oom_kill ").unwrap_or(0),
            disks: disks(&source.text("diskstats").unwrap_or_default()),
            interfaces: interfaces(&source.text("net/dev").unwrap_or_default()),
            tcp: source.text("net/snmp").and_then(|text| tcp(&text)),
            uptime: source.text("uptime").and_then(first).unwrap_or(0.0),
        }
    }
}

fn cpu(stat: &str) -> CpuTimes {
    let line = stat.lines().find(|line| line.starts_with("cpu ")).unwrap_or_default();
    let fields: Vec<u64> = line.split_whitespace().skip(1).filter_map(|word| word.parse().ok()).collect();
    let field = |at: usize| fields.get(at).copied().unwrap_or(0);
    // user nice system idle iowait irq softirq steal; guests count as user already.
    CpuTimes {
        user: field(0) + field(1),
        system: field(2) + field(5) + field(6),
        idle: field(3),
        iowait: field(4),
        steal: field(7),
    }
}

fn load(text: &str) -> Option<[f64; 3]> {
    let mut words = text.split_whitespace().map(str::parse);
    Some([words.next()?.ok()?, words.next()?.ok()?, words.next()?.ok()?])
}

fn memory(text: &str) -> Memory {
    let bytes = |key: &str| number(text, key).map_or(0, |kibibytes| kibibytes * 1024);
    let swap_total_bytes = bytes("SwapTotal");
    Memory {
        total_bytes: bytes("MemTotal"),
        available_bytes: bytes("MemAvailable"),
        swap_total_bytes,
        swap_used_bytes: swap_total_bytes.saturating_sub(bytes("SwapFree")),
    }
}

fn disks(text: &str) -> BTreeMap<String, Disk> {
    let mut found: BTreeMap<String, Disk> = BTreeMap::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let Some(name) = words.get(2) else { continue };
        if name.starts_with("loop") || name.starts_with("ram") {
            continue;
        }
        let field = |at: usize| words.get(at).and_then(|word| word.parse::<u64>().ok()).unwrap_or(0);
        let disk = Disk {
            read_bytes: field(5) * SECTOR,
            written_bytes: field(9) * SECTOR,
            busy_ms: field(12),
            waited_ms: field(6) + field(10),
        };
        found.insert((*name).to_owned(), disk);
    }
    // A partition does what its disk does: sda1 beside sda, nvme0n1p1 beside nvme0n1.
    let names: Vec<String> = found.keys().cloned().collect();
    found.retain(|name, _| {
        let whole = name.trim_end_matches(|c: char| c.is_ascii_digit());
        let whole = whole
            .strip_suffix('p')
            .filter(|rest| rest.ends_with(|c: char| c.is_ascii_digit()))
            .unwrap_or(whole);
        whole == name || !names.iter().any(|other| other == whole)
    });
    found
}

fn interfaces(text: &str) -> BTreeMap<String, Interface> {
    let one = |line: &str| {
        let (name, rest) = line.split_once(':')?;
        let fields: Vec<u64> = rest.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        let field = |at: usize| fields.get(at).copied().unwrap_or(0);
        let interface = Interface {
            received_bytes: field(0),
            sent_bytes: field(8),
            errors: field(2) + field(3) + field(10) + field(11),
        };
        (name.trim() != "lo").then(|| (name.trim().to_owned(), interface))
    };
    text.lines().skip(2).filter_map(one).collect()
}

fn tcp(text: &str) -> Option<(u64, u64)> {
    let mut lines = text.lines().filter(|line| line.starts_with("Tcp:"));
    let (names, values) = (lines.next()?, lines.next()?);
    let value = |key: &str| {
        let place = names.split_whitespace().position(|name| name == key)?;
        values.split_whitespace().nth(place)?.parse().ok()
    };
    Some((value("RetransSegs")?, value("OutSegs")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_the_kernel_are_read() {
        let times = cpu("cpu  10 2 30 400 5 1 2 7 0 0\ncpu0 1 1 1 1\n");
        assert_eq!(times, CpuTimes { user: 12, system: 33, idle: 400, iowait: 5, steal: 7 });
        assert_eq!(load("0.50 1.25 2.00 1/234 5678\n"), Some([0.5, 1.25, 2.0]));
        let memory = memory("MemTotal: 1000 kB\nMemAvailable: 250 kB\nSwapTotal: 100 kB\nSwapFree: 40 kB\n");
        assert_eq!((memory.available_bytes, memory.swap_used_bytes), (256_000, 61_440));
        let disks = disks(
            "8 0 sda 1 0 8 40 2 0 16 60 0 70 100\n8 1 sda1 1 0 8 4 2 0 16 6 0 7 10\n7 0 loop0 1 0 8 4 2 0 16 6 0 7 10\n\
             259 0 nvme0n1 1 0 2 3 4 5 6 7 8 9 10\n259 1 nvme0n1p1 1 0 2 3 4 5 6 7 8 9 10\n254 0 vda1 1 0 2 3 4 5 6 7 8 9 10\n",
        );
        assert_eq!(disks.keys().collect::<Vec<_>>(), ["nvme0n1", "sda", "vda1"]);
        assert_eq!(disks["sda"], Disk { read_bytes: 4096, written_bytes: 8192, busy_ms: 70, waited_ms: 100 });
        let text = "a\nb\n  lo: 1 2 3 4 5 6 7 8 9\neth0: 100 2 1 2 0 0 0 0 50 6 3 4 0 0 0 0\n";
        let found = interfaces(text);
        assert_eq!(found["eth0"], Interface { received_bytes: 100, sent_bytes: 50, errors: 10 });
        assert_eq!(found.len(), 1);
        assert_eq!(tcp("Tcp: OutSegs RetransSegs\nTcp: 100 3\n"), Some((3, 100)));
    }

    #[test]
    fn this_host_is_read() {
        let found = Counters::of(&Source::default());
        assert!(found.cpu.total() > 0 && found.memory.total_bytes > 0 && found.uptime > 0.0, "{found:?}");
    }
}
