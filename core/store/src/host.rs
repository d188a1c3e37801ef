//! What this host is and how busy it is at this moment (the `sysinfo` crate).

use serde::Serialize;
use sysinfo::{
    CpuRefreshKind, MemoryRefreshKind, ProcessRefreshKind, ProcessesToUpdate, RefreshKind, System,
    get_current_pid,
};

/// The host at one moment. What the system does not tell is `None`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HostSnapshot {
    /// The processor's name as it gives it.
    pub cpu_model: Option<String>,
    /// How many processors this process may use: hardware threads, within its CPU mask and cgroup quota.
    pub cpu_count: usize,
    /// How many cores the host has.
    pub core_count: Option<usize>,
    /// How many tasks ran or waited, on average.
    pub load: Option<Load>,
    /// Main memory.
    pub memory: Option<Memory>,
    /// Memory on disk.
    pub swap: Option<Swap>,
    /// Seconds since the system was started.
    pub uptime_seconds: Option<u64>,
    /// The operating system and its version.
    pub os: Option<String>,
    /// The kernel's version.
    pub kernel: Option<String>,
    /// The processor's architecture that this program was built for.
    pub architecture: &'static str,
    /// The main memory that this process holds, in bytes.
    pub process_rss_bytes: Option<u64>,
}

/// Tasks that ran or waited, as exponentially damped averages. The number of processors is full load.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Load {
    /// Over about a minute.
    pub one: f64,
    /// Over about five minutes.
    pub five: f64,
    /// Over about a quarter of an hour.
    pub fifteen: f64,
}

/// Main memory, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Memory {
    /// All of it.
    pub total_bytes: u64,
    /// What programs could get without swapping.
    pub available_bytes: u64,
    /// What is neither free nor only a cache.
    pub used_bytes: u64,
}

/// Memory on disk, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Swap {
    /// All of it.
    pub total_bytes: u64,
    /// What is in use.
    pub used_bytes: u64,
}

/// Looks at the host once. No utilisation of processors is given, because that is a difference between two
/// moments.
#[must_use]
pub fn snapshot() -> HostSnapshot {
    let wanted = RefreshKind::nothing()
        .with_cpu(CpuRefreshKind::nothing())
        .with_memory(MemoryRefreshKind::everything());
    let mut system = System::new_with_specifics(wanted).ok();
    let model = |system: &System| system.cpus().first().map(|cpu| cpu.brand().trim().to_owned());
    HostSnapshot {
        cpu_model: system.as_ref().and_then(model).filter(|name| !name.is_empty()),
        cpu_count: std::thread::available_parallelism().map_or(1, usize::from),
        core_count: System::physical_core_count().ok(),
        load: System::load_average().ok().map(Load::from),
        memory: system.as_ref().map(Memory::of).filter(|memory| memory.total_bytes > 0),
        swap: system.as_ref().map(Swap::of),
        uptime_seconds: System::uptime().ok(),
        os: System::long_os_version().ok(),
        kernel: System::kernel_version().ok(),
        architecture: std::env::consts::ARCH,
        process_rss_bytes: system.as_mut().and_then(own_rss),
    }
}

impl From<sysinfo::LoadAvg> for Load {
    fn from(load: sysinfo::LoadAvg) -> Self {
        Self { one: load.one, five: load.five, fifteen: load.fifteen }
    }
}

impl Memory {
    fn of(system: &System) -> Self {
        Self {
            total_bytes: system.total_memory(),
            available_bytes: system.available_memory(),
            used_bytes: system.used_memory(),
        }
    }
}

impl Swap {
    fn of(system: &System) -> Self {
        Self { total_bytes: system.total_swap(), used_bytes: system.used_swap() }
    }
}

fn own_rss(system: &mut System) -> Option<u64> {
    let own = get_current_pid().ok()?;
    let memory_only = ProcessRefreshKind::nothing().with_memory().without_tasks();
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[own]), false, memory_only);
    system.process(own).map(sysinfo::Process::memory)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kibibytes(file: &str, field: &str) -> u64 {
        let text = std::fs::read_to_string(file).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(field)).unwrap();
        line.trim_start_matches(':').trim().trim_end_matches("kB").trim().parse().unwrap()
    }

    #[test]
    fn the_snapshot_agrees_with_the_kernel() {
        let ballast = std::hint::black_box(vec![1_u8; 64 << 20]);
        let seen = snapshot();
        let memory = seen.memory.unwrap();
        assert_eq!(memory.total_bytes, kibibytes("/proc/meminfo", "MemTotal") * 1024);
        assert_eq!(seen.swap.unwrap().total_bytes, kibibytes("/proc/meminfo", "SwapTotal") * 1024);
        assert!((1..=memory.total_bytes).contains(&memory.available_bytes));
        let rss = seen.process_rss_bytes.unwrap();
        assert!((64 << 20..1 << 40).contains(&rss), "{rss} bytes");
        drop(ballast);
        let uptime = std::fs::read_to_string("/proc/uptime").unwrap();
        let seconds: f64 = uptime.split_whitespace().next().unwrap().parse().unwrap();
        assert!((seconds - seen.uptime_seconds.unwrap() as f64).abs() < 60.0);
        let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
        assert_eq!(seen.kernel.as_deref(), Some(kernel.trim()));
        let load = seen.load.unwrap();
        assert!([load.one, load.five, load.fifteen].iter().all(|load| (0.0..1e6).contains(load)));
    }

    #[test]
    fn it_serialises_with_units_in_its_names() {
        let value = serde_json::to_value(snapshot()).unwrap();
        assert!(value["memory"]["total_bytes"].as_u64().unwrap() > 0);
        assert!(value["uptime_seconds"].is_u64());
    }
}
