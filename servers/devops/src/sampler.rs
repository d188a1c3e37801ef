//! What is sampled for the own history, and how often.

use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::host::{Counters, Pressure, Source, used};
use crate::ring::{self, Limits, Row, Writer};

/// The distances of samples that may be asked for, in seconds.
pub(crate) const INTERVALS: std::ops::RangeInclusive<f64> = 0.01..=3600.0;

/// Makes rows of what the kernel counts.
pub(crate) struct Sampler {
    source: Source,
    before: Counters,
}

/// Names and values of one row.
#[derive(Default)]
struct Values {
    names: Vec<String>,
    values: Vec<f64>,
}

impl Values {
    fn push(&mut self, name: impl Into<String>, value: f64) {
        self.names.push(name.into());
        self.values.push(value);
    }
}

impl Sampler {
    /// Begins with what is counted now.
    pub fn new(source: Source) -> Self {
        let before = Counters::of(&source);
        Self { source, before }
    }

    /// The row of the time since the last one.
    pub fn row(&mut self) -> (Vec<String>, Row) {
        let now = Counters::of(&self.source);
        let mut all = Values::default();
        processors(&now, &self.before, &mut all);
        memory(&now, &self.before, &mut all);
        devices(&now, &self.before, &mut all);
        if let Some(pressure) = Pressure::of(&self.source) {
            for (name, stall) in [
                ("pressure.cpu", pressure.cpu_some),
                ("pressure.memory", pressure.memory_some),
                ("pressure.io", pressure.io_some),
            ] {
                all.push(name, stall.map_or(f64::NAN, |stall| stall.avg10));
            }
        }
        if let Ok(root) = rustix::fs::statvfs("/") {
            all.push("filesystem./.used", used(&root));
        }
        self.before = now;
        (all.names, Row { time_ms: now_ms(), values: all.values })
    }
}

fn rate(now: u64, before: u64, seconds: f64) -> f64 {
    now.saturating_sub(before) as f64 / seconds
}

fn processors(now: &Counters, before: &Counters, all: &mut Values) {
    let total = now.cpu.total().saturating_sub(before.cpu.total());
    let share = |now: u64, before: u64| match total {
        // A tick of the clock is longer than the distance of the samples.
        0 => f64::NAN,
        total => now.saturating_sub(before) as f64 / total as f64,
    };
    let user = share(now.cpu.user, before.cpu.user);
    let system = share(now.cpu.system, before.cpu.system);
    all.push("cpu.utilisation", user + system);
    all.push("cpu.system", system);
    all.push("cpu.iowait", share(now.cpu.iowait, before.cpu.iowait));
    all.push("cpu.steal", share(now.cpu.steal, before.cpu.steal));
    all.push("tasks.running", now.running as f64);
    all.push("tasks.blocked", now.blocked as f64);
    all.push("load.one", now.load.map_or(f64::NAN, |load| load[0]));
}

fn memory(now: &Counters, before: &Counters, all: &mut Values) {
    let seconds = (now.uptime - before.uptime).max(0.01);
    let memory = &now.memory;
    all.push("memory.available_bytes", memory.available_bytes as f64);
    all.push("memory.used", 1.0 - memory.available_bytes as f64 / memory.total_bytes.max(1) as f64);
    all.push("swap.used_bytes", memory.swap_used_bytes as f64);
    all.push("swap.pages_per_s", rate(now.swapped_pages, before.swapped_pages, seconds));
}

fn devices(now: &Counters, before: &Counters, all: &mut Values) {
    let seconds = (now.uptime - before.uptime).max(0.01);
    for (name, disk) in &now.disks {
        let earlier = before.disks.get(name).copied().unwrap_or_default();
        all.push(format!("disk.{name}.utilisation"), rate(disk.busy_ms, earlier.busy_ms, seconds) / 1000.0);
        all.push(format!("disk.{name}.read_per_s"), rate(disk.read_bytes, earlier.read_bytes, seconds));
        all.push(
            format!("disk.{name}.written_per_s"),
            rate(disk.written_bytes, earlier.written_bytes, seconds),
        );
    }
    for (name, interface) in &now.interfaces {
        let earlier = before.interfaces.get(name).copied().unwrap_or_default();
        let received = rate(interface.received_bytes, earlier.received_bytes, seconds);
        all.push(format!("net.{name}.received_per_s"), received);
        all.push(format!("net.{name}.sent_per_s"), rate(interface.sent_bytes, earlier.sent_bytes, seconds));
        all.push(format!("net.{name}.errors_per_s"), rate(interface.errors, earlier.errors, seconds));
    }
}

/// The time of the clock, in milliseconds since 1970.
pub(crate) fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

/// Refuses a distance of samples that is out of range, in a sentence.
pub(crate) fn refused(every: f64) -> Result<(), String> {
    if INTERVALS.contains(&every) {
        return Ok(());
    }
    let (low, high) = (INTERVALS.start(), INTERVALS.end());
    Err(format!("a sample each {every} s is out of range: give {low} to {high} seconds"))
}

/// Samples until the process ends, or `count` times.
///
/// # Errors
/// One sentence: another process samples, or the history cannot be written at all.
pub(crate) fn run(state: &Path, every: f64, limits: Limits, count: Option<u64>) -> Result<(), String> {
    refused(every)?;
    let mut writer = Writer::open(&ring::directory(state), limits).map_err(|error| error.to_string())?;
    let mut sampler = Sampler::new(Source::default());
    let every = Duration::from_secs_f64(every);
    let mut due = Instant::now();
    let (mut done, mut is_failing) = (0, false);
    while count.is_none_or(|count| done < count) {
        // A machine that was suspended does not make up for what it missed.
        due = (due + every).max(Instant::now());
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let (names, row) = sampler.row();
        match writer.append(&names, &row) {
            Ok(()) => is_failing = false,
            // Said once, and tried again: room may be made.
            Err(error) if !is_failing => {
                is_failing = true;
                tracing::warn!("{error}");
            }
            Err(_) => {}
        }
        done += 1;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_a_value_for_each_name_and_the_names_stay() {
        let mut sampler = Sampler::new(Source::default());
        let (names, row) = sampler.row();
        assert_eq!(names.len(), row.values.len());
        for name in ["cpu.utilisation", "memory.available_bytes", "load.one", "filesystem./.used"] {
            assert!(names.iter().any(|known| known == name), "{name}");
        }
        assert_eq!(sampler.row().0, names);
        let place = names.iter().position(|name| name == "memory.used").unwrap();
        assert!((0.0..1.0).contains(&row.values[place]));
    }

    #[test]
    fn distances_out_of_range_are_refused() {
        let state = tempfile::tempdir().unwrap();
        for every in [0.0, -1.0, f64::NAN, 1e9] {
            let error = run(state.path(), every, Limits::default(), Some(1)).unwrap_err();
            assert!(error.contains("out of range"), "{error}");
        }
    }
}
