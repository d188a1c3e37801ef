//! What is remarkable about a snapshot, in sentences. Each limit is a convention that is named with the finding, not a law.

use crate::host::Snapshot;

/// Tasks that wait for each processor.
const RUNNING_PER_CPU: f64 = 2.0;
/// Utilisation from which waiting grows fast: at 0.9 a queue of one server is nine times the time of service.
const BUSY: f64 = 0.9;
/// Pressure over a minute, in percent, that is felt.
const PRESSURE: f64 = 10.0;
/// What should stay available of memory.
const AVAILABLE: f64 = 0.1;
/// What should stay free of a file system.
const FREE: f64 = 0.1;
/// Segments sent again that slow a connection down.
const RESENT: f64 = 0.01;

/// One sentence for each thing that is remarkable, with the key by which remedies know it.
#[must_use]
pub fn findings(host: &Snapshot) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    processors(host, &mut found);
    memory(host, &mut found);
    storage(host, &mut found);
    if let Some(share) = host.tcp_resent.filter(|share| *share > RESENT) {
        found.push(("network-errors", format!("TCP sent {:.1} % of its segments again", 100.0 * share)));
    }
    for interface in host.interfaces.iter().filter(|interface| interface.errors_per_s > 1.0) {
        let what = format!(
            "{} has {:.1} errors and dropped packets a second",
            interface.name, interface.errors_per_s
        );
        found.push(("network-errors", what));
    }
    if let Some(cgroup) = &host.cgroup {
        if let Some(share) = cgroup.throttled_share.filter(|share| *share > 0.05) {
            let what = format!("the control group was throttled in {:.0} % of its periods", 100.0 * share);
            found.push(("cgroup-throttled", what));
        }
        if let Some((used, limit)) = cgroup.memory_used_bytes.zip(cgroup.memory_limit_bytes)
            && used as f64 > BUSY * limit as f64
        {
            let share = 100.0 * used as f64 / limit as f64;
            found.push((
                "memory-pressure",
                format!("the control group uses {share:.0} % of the memory that it may"),
            ));
        }
    }
    found
}

fn processors(host: &Snapshot, found: &mut Vec<(&'static str, String)>) {
    let cpu = &host.cpu;
    if cpu.utilisation > BUSY {
        found.push((
            "cpu-saturated",
            format!("processors are busy {:.0} % of the time", 100.0 * cpu.utilisation),
        ));
    }
    if cpu.running as f64 > RUNNING_PER_CPU * cpu.count as f64 {
        found.push((
            "cpu-saturated",
            format!("{} tasks want to run on {} processors", cpu.running, cpu.count),
        ));
    }
    if cpu.steal > 0.05 {
        found.push((
            "cpu-stolen",
            format!("the hypervisor gives {:.0} % of the time to others", 100.0 * cpu.steal),
        ));
    }
    if let Some(stall) = host.pressure.and_then(|pressure| pressure.cpu_some)
        && stall.avg60 > PRESSURE
    {
        found.push((
            "cpu-saturated",
            format!("tasks waited for a processor {:.0} % of the last minute", stall.avg60),
        ));
    }
}

fn memory(host: &Snapshot, found: &mut Vec<(&'static str, String)>) {
    let memory = &host.memory;
    if memory.total_bytes > 0 && (memory.available_bytes as f64) < AVAILABLE * memory.total_bytes as f64 {
        let share = 100.0 * memory.available_bytes as f64 / memory.total_bytes as f64;
        found.push(("memory-pressure", format!("{share:.0} % of the memory is available")));
    }
    if let Some(stall) = host.pressure.and_then(|pressure| pressure.memory_some)
        && stall.avg60 > PRESSURE
    {
        found.push((
            "memory-pressure",
            format!("tasks waited for memory {:.0} % of the last minute", stall.avg60),
        ));
    }
    if host.swapped_per_s > 100.0 && !host.since_boot {
        found.push(("memory-pressure", format!("{:.0} pages a second are swapped", host.swapped_per_s)));
    }
    if host.oom_kills > 0 {
        let since = if host.is_first { "since the start of the system" } else { "since the last look" };
        let what = format!("memory ran out: {} processes were killed {since}", host.oom_kills);
        found.push(("oom-kill", what));
    }
}

fn storage(host: &Snapshot, found: &mut Vec<(&'static str, String)>) {
    for disk in host.disks.iter().filter(|disk| disk.utilisation > BUSY) {
        found.push((
            "disk-saturated",
            format!("{} is busy {:.0} % of the time", disk.name, 100.0 * disk.utilisation),
        ));
    }
    if let Some(stall) = host.pressure.and_then(|pressure| pressure.io_some)
        && stall.avg60 > PRESSURE
    {
        found.push((
            "disk-saturated",
            format!("tasks waited for a disk {:.0} % of the last minute", stall.avg60),
        ));
    }
    for fs in &host.filesystems {
        let free = 1.0 - fs.used;
        if free < FREE {
            found.push(("disk-full", format!("{} has {:.0} % left", fs.path, 100.0 * free)));
        }
        if let Some(used) = fs.inodes_used.filter(|used| *used > 1.0 - FREE) {
            found.push(("inodes-full", format!("{} uses {:.0} % of its inodes", fs.path, 100.0 * used)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Host;

    #[test]
    fn what_is_remarkable_is_told_and_nothing_else() {
        let mut host = Host::default().snapshot();
        host.cpu.utilisation = 0.1;
        host.cpu.running = 1;
        host.cpu.steal = 0.0;
        (host.pressure, host.cgroup, host.tcp_resent) = (None, None, None);
        host.memory.available_bytes = host.memory.total_bytes;
        host.filesystems.clear();
        host.interfaces.clear();
        host.disks.clear();
        host.oom_kills = 0;
        assert_eq!(findings(&host), []);
        host.cpu.utilisation = 0.95;
        host.memory.available_bytes = host.memory.total_bytes / 50;
        host.oom_kills = 2;
        let keys: Vec<&str> = findings(&host).iter().map(|(key, _)| *key).collect();
        assert_eq!(keys, ["cpu-saturated", "memory-pressure", "oom-kill"]);
    }
}
