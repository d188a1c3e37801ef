//! How long a million points take, and how much memory: `million [POINTS]`. To be run as a release build.

use std::io::{self, Write};
use std::time::Instant;

use devops::changes::changes;
use devops::detect::detect;
use devops::forecast::{Request, forecast};
use devops::logs::templates;
use devops::series::Series;

/// Steps of a minute: a million of them are two years.
const STEP_MS: i64 = 60_000;

fn main() -> io::Result<()> {
    let asked: Option<i64> = std::env::args().nth(1).and_then(|word| word.parse().ok());
    let count = asked.unwrap_or(1_000_000);
    let noise = |at: i64| ((at.wrapping_mul(2_654_435_761)) % 1_000_003) as f64 / 1_000_003.0;
    let day = |at: i64| ((at * STEP_MS) as f64 / 86_400_000.0 * std::f64::consts::TAU).sin();
    let points = (0..count).map(|at| (at * STEP_MS, 50.0 + 10.0 * day(at) + noise(at))).collect();
    let series = Series::new("x", points, None);
    let mut out = io::stdout().lock();
    writeln!(out, "{count} points, {} of memory for them", rss())?;
    let mut timed = |what: &str, work: &dyn Fn() -> usize| {
        let (mut times, mut cpu) = (Vec::new(), Vec::new());
        let mut found = 0;
        for _ in 0..7 {
            let (started, used) = (Instant::now(), processor_ms());
            found = work();
            cpu.push(processor_ms() - used);
            times.push(started.elapsed().as_secs_f64() * 1e3);
        }
        times.sort_by(f64::total_cmp);
        cpu.sort_by(f64::total_cmp);
        let (clock, worst, processor) = (times[3], times[6], cpu[3]);
        writeln!(
            out,
            "{what:<18} median {clock:7.1} ms, worst of 7 {worst:7.1} ms, processor {processor:7.1} ms, {found} found, {}",
            rss()
        )
    };
    timed("detect_anomalies", &|| detect(&series, None).map_or(0, |found| found.alarms.len()))?;
    timed("forecast", &|| {
        let request = Request { hours: Some(24.0), level: None };
        forecast(&series, request).map_or(0, |found| found.points.len())
    })?;
    timed("change_points", &|| changes(&series).map_or(0, |found| found.found.len()))?;
    timed("summary", &|| series.summary().map_or(0, |summary| summary.points))?;
    let lines: Vec<String> =
        (0..count / 10).map(|at| format!("worker {} finished job {at} in {} ms", at % 7, at % 911)).collect();
    timed("log lines / 10", &|| templates(lines.iter().map(String::as_str)).found.len())
}

/// The time that a processor spent on this thread (`/proc/self/schedstat`): the clock's, were nothing else running.
fn processor_ms() -> f64 {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    text.split_whitespace().next().and_then(|word| word.parse::<f64>().ok()).unwrap_or(0.0) / 1e6
}

/// The main memory that this process holds.
fn rss() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap_or_default();
    line.split_whitespace().skip(1).collect::<Vec<_>>().join(" ")
}
