//! Calls that are timed in parts: what prepares a call is not timed, and a slice is the sum of its timed parts.

use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::benchmark::burn;
use crate::os::{mark, thread_cpu, threads};
use crate::protocol::{Counted, Prepared, Slice, Turned, UNKNOWN_ANSWER};

/// Code that says itself which of its parts are timed. What its calls return is not checked.
pub trait Calls {
    /// Makes `calls` calls, each within a timed part of `watch`.
    fn run(&mut self, calls: u64, watch: &mut Stopwatch);
}

impl<F: FnMut(u64, &mut Stopwatch)> Calls for F {
    fn run(&mut self, calls: u64, watch: &mut Stopwatch) {
        self(calls, watch);
    }
}

/// Adds up the timed parts of one slice.
#[derive(Debug)]
pub struct Stopwatch {
    clock: Clock,
    spent: Duration,
    /// Calls in the timed parts so far.
    calls: u64,
    /// Dependent steps for every 1,000 calls, and those that were done.
    extra: u64,
    burnt: u64,
    /// Whether one thread's CPU time says nothing of these calls.
    other_clock: bool,
}

#[derive(Debug)]
enum Clock {
    Monotonic,
    Given(fn() -> Duration),
    /// No clock: the first timed part lies between marks.
    Marks {
        used: bool,
    },
}

/// The start of a timed part.
#[derive(Debug)]
#[must_use = "a part that is not stopped is not timed"]
pub struct Started(Reading);

#[derive(Debug)]
enum Reading {
    At(Instant),
    Since(Duration),
    Marked,
    Nothing,
}

impl Stopwatch {
    fn new(clock: Clock, extra: u64) -> Self {
        Self { clock, spent: Duration::ZERO, calls: 0, extra, burnt: 0, other_clock: false }
    }

    /// One that reads the monotonic clock.
    #[must_use]
    pub fn monotonic() -> Self {
        Self::new(Clock::Monotonic, 0)
    }

    /// One that reads another clock: a test shows by it what is timed.
    #[must_use]
    pub fn reading(clock: fn() -> Duration) -> Self {
        Self::new(Clock::Given(clock), 0)
    }

    /// Begins a timed part.
    #[inline]
    pub fn start(&mut self) -> Started {
        Started(match &mut self.clock {
            Clock::Monotonic => Reading::At(Instant::now()),
            Clock::Given(clock) => Reading::Since(clock()),
            Clock::Marks { used: true } => Reading::Nothing,
            Clock::Marks { used } => {
                *used = true;
                mark();
                mark();
                Reading::Marked
            }
        })
    }

    /// Ends a timed part that held so many calls.
    #[inline]
    pub fn stop(&mut self, started: Started, calls: u64) {
        self.calls = self.calls.wrapping_add(calls);
        if self.extra > 0 {
            self.burn();
        }
        match (started.0, &self.clock) {
            (Reading::At(start), _) => self.spent += start.elapsed(),
            (Reading::Since(start), Clock::Given(clock)) => self.spent += clock().saturating_sub(start),
            (Reading::Marked, _) => mark(),
            (Reading::Since(_) | Reading::Nothing, _) => {}
        }
    }

    /// Adds a part that was timed by the calls themselves.
    pub fn add(&mut self, took: Duration, calls: u64) {
        self.calls = self.calls.wrapping_add(calls);
        self.spent += took;
        self.other_clock = true;
    }

    /// Says that these calls may wait or run on other threads, so that one thread's CPU time says nothing of them.
    pub fn elsewhere(&mut self) {
        self.other_clock = true;
    }

    /// The sum of the timed parts.
    #[must_use]
    pub fn spent(&self) -> Duration {
        self.spent
    }

    /// Does the steps that belong to the calls so far: parts may be shorter than 1,000 calls, and nothing may be lost.
    fn burn(&mut self) {
        let due = self.calls.saturating_mul(self.extra) / 1_000;
        black_box(burn(black_box(self.calls), due.saturating_sub(self.burnt)));
        self.burnt = due;
    }
}

/// One slice, and how long it took with everything that was not timed.
fn slice(calls: &mut dyn Calls, iters: u64, extra: u64, one_thread: bool) -> (Slice, Duration) {
    let mut watch = Stopwatch::new(Clock::Monotonic, extra);
    let cpu_start = thread_cpu();
    let start = Instant::now();
    calls.run(iters, &mut watch);
    let whole = start.elapsed();
    let cpu = thread_cpu().saturating_sub(cpu_start);
    // A reading of the thread's clock is a system call, too long to surround each of many parts. The time in which
    // the thread did not run is taken from the slice as a whole, and counted as if all of it fell into what is timed.
    let lost = whole.saturating_sub(cpu);
    let cpu_ns =
        if one_thread && !watch.other_clock { nanos(watch.spent.saturating_sub(lost)).max(1) } else { 0 };
    let checksum = UNKNOWN_ANSWER.wrapping_mul(watch.calls);
    (Slice { iters, wall_ns: nanos(watch.spent), cpu_ns, checksum }, whole)
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// A call longer than this does not fit a slice with others, and one that is set up for longer than
/// [`LONGEST_SET_UP`] would make four of them too dear.
const LONGEST_CALL: Duration = Duration::from_micros(100);
const LONGEST_SET_UP: Duration = Duration::from_millis(10);

/// How long sizing takes: a millisecond, and longer until so many slices were taken, because one that was disturbed
/// says nothing. Calls that are long themselves are not repeated so often.
const SIZING: Duration = Duration::from_millis(1);
const SIZING_SLICES: u32 = 5;
const LONGEST_SIZING: Duration = Duration::from_millis(100);

/// Calls once, then estimates the time of a call from slices of them: the least time, because it only sizes slices and
/// every disturbance makes it longer.
pub fn prepare(calls: &mut dyn Calls) -> Prepared {
    let checksum = slice(calls, 1, 0, false).0.checksum;
    let start = Instant::now();
    let (mut batch, mut call_ns, mut whole_ns) = (1, u64::MAX, u64::MAX);
    for slices in 1.. {
        let (timed, whole) = slice(calls, batch, 0, false);
        call_ns = call_ns.min(timed.wall_ns / batch);
        whole_ns = whole_ns.min(nanos(whole) / batch);
        if whole.max(Duration::from_nanos(timed.wall_ns)) < Duration::from_micros(20) {
            batch *= 2;
        }
        let so_far = start.elapsed();
        if so_far >= SIZING && slices >= SIZING_SLICES || so_far >= LONGEST_SIZING {
            break;
        }
    }
    let call_ns = call_ns.max(1);
    let long = call_ns > nanos(LONGEST_CALL) || whole_ns > nanos(LONGEST_SET_UP);
    Prepared { checksum, call_ns, whole_ns: whole_ns.max(1), long }
}

/// Runs untimed until `settle` has passed, then times `slices` batches of `iters` calls.
pub fn turn(calls: &mut dyn Calls, settle: Duration, slices: u32, iters: u64, extra: u64) -> Turned {
    let batch = iters.div_ceil(8).max(1);
    let start = Instant::now();
    while start.elapsed() < settle {
        calls.run(batch, &mut Stopwatch::new(Clock::Monotonic, extra));
    }
    let one_thread = threads() == 1;
    Turned { slices: (0..slices).map(|_| slice(calls, iters, extra, one_thread).0).collect() }
}

/// One call that warms, and one whose timed part lies between marks. What lies between the first two marks is what
/// marking costs; a counter subtracts it from what lies between the second and the third.
pub fn count(calls: &mut dyn Calls) -> Counted {
    calls.run(1, &mut Stopwatch::monotonic());
    let mut watch = Stopwatch::new(Clock::Marks { used: false }, 0);
    calls.run(1, &mut watch);
    Counted { checksum: UNKNOWN_ANSWER.wrapping_mul(watch.calls) }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    thread_local! {
        static NOW: Cell<u64> = const { Cell::new(0) };
    }

    fn pass(nanos: u64) {
        NOW.set(NOW.get() + nanos);
    }

    #[test]
    fn only_what_lies_between_start_and_stop_is_timed() {
        let mut watch = Stopwatch::reading(|| Duration::from_nanos(NOW.get()));
        for _ in 0..3 {
            pass(1_000);
            let started = watch.start();
            pass(7);
            watch.stop(started, 2);
            pass(1_000);
        }
        assert_eq!((watch.spent(), watch.calls), (Duration::from_nanos(21), 6));
        watch.add(Duration::from_nanos(9), 4);
        assert_eq!((watch.spent(), watch.calls), (Duration::from_nanos(30), 10));
    }

    #[test]
    fn extra_work_is_done_to_the_last_step_however_short_the_parts_are() {
        let mut watch = Stopwatch::new(Clock::Monotonic, 100);
        for _ in 0..25 {
            let started = watch.start();
            watch.stop(started, 1);
        }
        assert_eq!(watch.burnt, 2, "100 steps for every 1,000 calls");
    }

    /// A call that sleeps before each timed part.
    fn slept(before: Duration) -> impl FnMut(u64, &mut Stopwatch) {
        move |calls, watch| {
            for _ in 0..calls {
                std::thread::sleep(before);
                let started = watch.start();
                watch.stop(started, 1);
            }
        }
    }

    #[test]
    fn a_turn_sums_timed_parts_and_counts_calls() {
        let mut calls = slept(Duration::from_millis(2));
        let turned = turn(&mut calls, Duration::ZERO, 2, 3, 0);
        assert_eq!(turned.slices.len(), 2);
        for slice in turned.slices {
            assert_eq!((slice.iters, slice.checksum), (3, 3));
            assert!(slice.wall_ns < 6_000_000, "the sleep is not timed: {slice:?}");
        }
    }

    #[test]
    fn sizing_tells_set_up_from_calls() {
        let prepared = prepare(&mut slept(Duration::from_millis(2)));
        assert!(prepared.whole_ns >= 2_000_000 && prepared.call_ns < 1_000_000, "{prepared:?}");
        assert!(!prepared.long);
        assert!(prepare(&mut slept(Duration::from_millis(11))).long, "set up for too long");
        let mut long = |calls: u64, watch: &mut Stopwatch| watch.add(Duration::from_millis(calls), calls);
        assert!(prepare(&mut long).long);
        assert_eq!(turn(&mut long, Duration::ZERO, 1, 5, 0).slices[0].wall_ns, 5_000_000);
    }

    #[test]
    fn calls_that_time_themselves_or_run_elsewhere_say_nothing_of_the_thread() {
        let mut custom = |calls: u64, watch: &mut Stopwatch| watch.add(Duration::from_nanos(calls), calls);
        assert_eq!(slice(&mut custom, 4, 0, true).0.cpu_ns, 0);
        let mut plain = |calls: u64, watch: &mut Stopwatch| {
            let started = watch.start();
            watch.stop(started, calls);
        };
        assert!(slice(&mut plain, 4, 0, true).0.cpu_ns > 0);
        assert_eq!(slice(&mut plain, 4, 0, false).0.cpu_ns, 0);
    }

    #[test]
    fn a_count_makes_two_calls_and_marks_one_part() {
        let made = Cell::new(0);
        let mut parts = |calls: u64, watch: &mut Stopwatch| {
            made.set(made.get() + calls);
            for part in [calls, 0] {
                let started = watch.start();
                watch.stop(started, part);
            }
        };
        assert_eq!(count(&mut parts).checksum, 1);
        assert_eq!(made.get(), 2);
    }
}
