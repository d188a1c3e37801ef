//! What a bench target does without the lab: it lists, calls each benchmark once, or measures each shortly.

use std::io::{self, Write as _};
use std::time::{Duration, Instant};

use perflab_subject::calls::{Calls, prepare, turn};

use crate::Throughput;
use crate::measurement::{Measurement as _, WallTime};
use crate::visit::Visit;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    List,
    CallOnce,
    Measure,
    /// Benchmarks are never the ignored tests that `--ignored` asks for.
    Nothing,
}

/// What the command line asks for.
#[derive(Debug)]
pub(crate) struct Plain {
    action: Action,
    filter: Option<String>,
    exact: bool,
}

/// Options of criterion and of the test harness that are followed by a value.
const WITH_VALUE: [&str; 20] = [
    "-b",
    "-c",
    "-s",
    "--baseline",
    "--baseline-lenient",
    "--color",
    "--colour",
    "--confidence-level",
    "--format",
    "--load-baseline",
    "--logfile",
    "--measurement-time",
    "--noise-threshold",
    "--nresamples",
    "--output-format",
    "--plotting-backend",
    "--profile-time",
    "--sample-size",
    "--save-baseline",
    "--significance-level",
];
const ALSO_WITH_VALUE: [&str; 3] = ["--skip", "--test-threads", "--warm-up-time"];

impl Plain {
    /// Reads the arguments behind the program's name. `cargo bench` passes `--bench`, `cargo test` does not.
    pub(crate) fn of(args: impl Iterator<Item = String>) -> Self {
        let (mut list, mut test, mut bench, mut ignored, mut exact) = (false, false, false, false, false);
        let mut filter = None;
        let mut args = args;
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--list" => list = true,
                "--test" => test = true,
                "--bench" => bench = true,
                "--exact" => exact = true,
                "--ignored" => ignored = true,
                option if WITH_VALUE.contains(&option) || ALSO_WITH_VALUE.contains(&option) => {
                    args.next();
                }
                option if option.starts_with('-') => {}
                _ => filter = filter.or(Some(arg)),
            }
        }
        let action = match (ignored, list, test || !bench) {
            (true, _, _) => Action::Nothing,
            (false, true, _) => Action::List,
            (false, false, true) => Action::CallOnce,
            (false, false, false) => Action::Measure,
        };
        Self { action, filter, exact }
    }

    fn wants(&self, name: &str) -> bool {
        match &self.filter {
            None => true,
            Some(filter) if self.exact => name == filter,
            Some(filter) => name.contains(filter.as_str()),
        }
    }

    /// What is to be done with the benchmark of that name now.
    pub(crate) fn enter(&self, name: &str, throughput: Option<&Throughput>) -> Option<Visit> {
        if !self.wants(name) {
            return None;
        }
        let name = name.to_owned();
        match self.action {
            Action::Nothing => None,
            Action::List => {
                print(&format!("{name}: benchmark"));
                None
            }
            Action::CallOnce => Some(Visit::once(name)),
            Action::Measure => {
                let short = Short { throughput: throughput.cloned(), call_ns: Vec::new() };
                Some(Visit::short(name, short))
            }
        }
    }
}

fn print(line: &str) {
    // Whoever reads may have left.
    writeln!(io::stdout(), "{line}").ok();
}

/// Says how the one call of a benchmark went; a call that panics ends the program.
pub(crate) fn show_called(name: &str, fault: Option<&str>) {
    match fault {
        None => print(&format!("{name}: called once")),
        Some(why) => print(&format!("{name}: not called: {why}")),
    }
}

/// How long a benchmark is measured, how long one slice is, and how many there are at most and at least.
const LONG_ENOUGH: Duration = Duration::from_millis(200);
const SLICE_NS: u64 = 1_000_000;
const MOST_SLICES: usize = 200;
const FEWEST_SLICES: usize = 3;

/// A short measurement.
pub(crate) struct Short {
    throughput: Option<Throughput>,
    /// The time of a call, slice by slice.
    call_ns: Vec<f64>,
}

impl Short {
    pub(crate) fn measure(&mut self, calls: &mut dyn Calls) {
        let prepared = prepare(calls);
        let iters = (SLICE_NS / prepared.call_ns.max(1)).min(10 * SLICE_NS / prepared.whole_ns.max(1)).max(1);
        let start = Instant::now();
        while self.call_ns.len() < FEWEST_SLICES
            || self.call_ns.len() < MOST_SLICES && start.elapsed() < LONG_ENOUGH
        {
            let turned = turn(calls, Duration::ZERO, 1, iters, 0);
            self.call_ns.extend(turned.slices.iter().map(|slice| slice.wall_ns as f64 / iters as f64));
        }
    }

    pub(crate) fn show(&self, name: &str, fault: Option<&str>) {
        if let Some(why) = fault {
            return print(&format!("{name}: not measured: {why}"));
        }
        let mut sorted = self.call_ns.clone();
        sorted.sort_by(f64::total_cmp);
        let at =
            |share: usize| sorted.get((sorted.len().saturating_sub(1)) * share / 4).copied().unwrap_or(0.0);
        let shown = |nanos: f64| WallTime.formatter().format_value(nanos).trim().to_owned();
        let rate = self.throughput.as_ref().map_or_else(String::new, |throughput| {
            let rate = WallTime.formatter().format_throughput(throughput, at(2).max(f64::MIN_POSITIVE));
            format!(", {}", rate.trim())
        });
        print(&format!(
            "{name}: {} a call{rate} (median of {} slices, quartiles {} and {}; not an experiment)",
            shown(at(2)),
            sorted.len(),
            shown(at(1)),
            shown(at(3)),
        ));
    }
}

#[cfg(test)]
mod tests {
    use perflab_subject::calls::Stopwatch;

    use super::*;

    fn of(args: &str) -> Plain {
        Plain::of(args.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn cargo_bench_measures_and_cargo_test_calls_once() {
        assert_eq!(of("--bench").action, Action::Measure);
        assert_eq!(of("").action, Action::CallOnce);
        assert_eq!(of("--test --bench").action, Action::CallOnce);
        assert_eq!(of("--bench --list --format terse").action, Action::List);
        assert_eq!(of("--ignored").action, Action::Nothing);
    }

    #[test]
    fn filters_are_told_from_values_of_options() {
        let plain = of("--bench --save-baseline old -n group/f --warm-up-time 1 other --color=always");
        assert_eq!(plain.filter.as_deref(), Some("group/f"));
        assert!(plain.wants("a group/function") && !plain.wants("group"));
        let exact = of("--exact group/f --bench");
        assert!(exact.wants("group/f") && !exact.wants("group/function"));
        assert!(of("--bench").wants("anything"));
    }

    #[test]
    fn a_short_measurement_takes_slices_of_many_calls() {
        let mut made = 0;
        let mut short = Short { throughput: None, call_ns: Vec::new() };
        short.measure(&mut |calls: u64, watch: &mut Stopwatch| {
            made += calls;
            watch.add(Duration::from_nanos(10 * calls), calls);
        });
        assert!(short.call_ns.len() >= FEWEST_SLICES);
        assert!(short.call_ns.iter().all(|nanos| (nanos - 10.0).abs() < 1e-9), "{:?}", short.call_ns);
        assert!(made > 1_000);
    }
}
