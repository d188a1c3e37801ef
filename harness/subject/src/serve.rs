//! The loop that answers the lab.

use std::hint::black_box;
use std::io::{self, BufRead, Write};
use std::mem;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::benchmark::{Benchmark, Input, Task, settle, time_slice};
use crate::os::{die_with_parent, mark};
use crate::protocol::{Counted, Listing, PROTOCOL_VERSION, Prepared, Refused, Request, Turned};

/// Answers requests on stdin until it ends. A subject's `main` is one call of this function.
///
/// The process dies with the lab, even when the lab is killed: end of input ends the loop, and the kernel
/// is asked to kill a subject that is in the middle of a turn.
pub fn serve(subject: &str, benchmarks: Vec<Benchmark>) -> ExitCode {
    die_with_parent();
    displace(std::env::var_os("PERFLAB_PAD").map_or(0, |pad| pad.len()));
    let mut session = Session { subject, benchmarks, prepared: None };
    match session.run(io::stdin().lock(), io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_closed) => ExitCode::FAILURE,
    }
}

/// Larger than what earlier allocations have left free: what follows comes after it.
const BEYOND_GAPS: usize = 4096;

/// Leaks an allocation of `pad` bytes more than a page; none for 0. The heap begins at the same offset within a page in
/// every start, so that an allocation more or less in a program would move every input to another offset, the same in
/// all launches, and pass for a change of the code. Beneath one of a size that differs from launch to launch, inputs lie
/// at other offsets each time, in steps of the 16 bytes to which the allocator rounds.
pub(crate) fn displace(pad: usize) {
    if pad > 0 {
        mem::forget(black_box(Vec::<u8>::with_capacity(BEYOND_GAPS + pad)));
    }
}

struct Session<'a> {
    subject: &'a str,
    benchmarks: Vec<Benchmark>,
    /// The benchmark that was set up last: turns of one benchmark follow each other.
    prepared: Option<(String, Box<dyn Task>)>,
}

impl Session<'_> {
    fn run(&mut self, input: impl BufRead, mut output: impl Write) -> io::Result<()> {
        for line in input.lines() {
            let line = line?;
            if line.trim().is_empty() {
                continue;
            }
            let answer = match Request::read(&line) {
                Ok(request) => self.answer(&request),
                Err(error) => refuse(error.to_string()),
            };
            writeln!(output, "{answer}")?;
            output.flush()?;
        }
        Ok(())
    }

    fn answer(&mut self, request: &Request) -> String {
        match request {
            Request::List => Listing {
                protocol: PROTOCOL_VERSION,
                subject: self.subject.to_owned(),
                benchmarks: self.benchmarks.iter().map(|benchmark| benchmark.info.clone()).collect(),
            }
            .to_string(),
            Request::Prepare { benchmark } => match self.task(benchmark) {
                Some(task) => prepare(task).to_string(),
                None => self.unknown(benchmark),
            },
            Request::Turn { benchmark, settle_ns, slices, iters, extra } => match self.task(benchmark) {
                Some(task) => {
                    settle(task, *iters, *extra, Duration::from_nanos(*settle_ns));
                    let slices = (0..*slices).map(|_| time_slice(task, *iters, *extra)).collect();
                    Turned { slices }.to_string()
                }
                None => self.unknown(benchmark),
            },
            Request::Count { benchmark } => match self.find(benchmark) {
                Some(found) => {
                    let mut task = found.prepare(Input::Count);
                    task.batch(1, 0);
                    Counted { checksum: counted(task.as_mut()) }.to_string()
                }
                None => self.unknown(benchmark),
            },
        }
    }

    fn find(&self, name: &str) -> Option<&Benchmark> {
        self.benchmarks.iter().find(|benchmark| benchmark.info.name == name)
    }

    fn task(&mut self, name: &str) -> Option<&mut (dyn Task + 'static)> {
        if self.prepared.as_ref().is_none_or(|(prepared, _)| prepared != name) {
            let task = self.find(name)?.prepare(Input::Measure);
            self.prepared = Some((name.to_owned(), task));
        }
        self.prepared.as_mut().map(|(_, task)| task.as_mut())
    }

    fn unknown(&self, name: &str) -> String {
        let known: Vec<_> = self.benchmarks.iter().map(|benchmark| benchmark.info.name.as_str()).collect();
        refuse(format!("unknown benchmark {name:?}; known: {}", known.join(", ")))
    }
}

/// One call between marks. What lies between the first two is what marking costs; a counter subtracts it from
/// what lies between the second and the third.
#[inline(never)]
fn counted(task: &mut dyn Task) -> u64 {
    mark();
    mark();
    let checksum = task.batch(1, 0);
    mark();
    checksum
}

/// How long sizing takes: a millisecond, and longer until so many slices were taken, because one that was disturbed says
/// nothing. Calls that are long themselves are not repeated so often.
const SIZING: Duration = Duration::from_millis(1);
const SIZING_SLICES: u32 = 5;
const LONGEST_SIZING: Duration = Duration::from_millis(100);

/// One call for the answer, then slices of calls, one at the least: the least time is the estimate, because it only sizes
/// slices and every disturbance makes it longer.
fn prepare(task: &mut dyn Task) -> Prepared {
    let checksum = task.batch(1, 0);
    let start = Instant::now();
    let mut batch = 1;
    let mut call_ns = u64::MAX;
    for slices in 1.. {
        let slice = time_slice(task, batch, 0);
        call_ns = call_ns.min(slice.wall_ns / batch);
        if slice.wall_ns < 20_000 {
            batch *= 2;
        }
        let so_far = start.elapsed();
        if so_far >= SIZING && slices >= SIZING_SLICES || so_far >= LONGEST_SIZING {
            break;
        }
    }
    Prepared { checksum, call_ns: call_ns.max(1), ..Prepared::default() }
}

fn refuse(error: String) -> String {
    Refused { error }.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn converse(lines: &str) -> Vec<serde_json::Value> {
        let double = Benchmark::new("double", 42, 4, |input| {
            let number = if input == Input::Measure { 21_u64 } else { 2 };
            move || number * 2
        });
        let mut session = Session { subject: "test", benchmarks: vec![double], prepared: None };
        let mut output = Vec::new();
        session.run(lines.as_bytes(), &mut output).unwrap();
        String::from_utf8(output).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn lists_prepares_turns_and_counts() {
        let answers = converse(concat!(
            "{\"op\":\"list\"}\n",
            "{\"op\":\"prepare\",\"benchmark\":\"double\"}\n",
            "{\"op\":\"turn\",\"benchmark\":\"double\",\"settle_ns\":1000,\"slices\":3,\"iters\":5}\n",
            "{\"op\":\"count\",\"benchmark\":\"double\"}\n",
        ));
        assert_eq!(answers[0]["protocol"], PROTOCOL_VERSION);
        assert_eq!(answers[0]["benchmarks"][0]["answer"], 42);
        assert_eq!(answers[1]["checksum"], 42);
        let slices = answers[2]["slices"].as_array().unwrap();
        assert_eq!(slices.len(), 3);
        assert!(slices.iter().all(|slice| slice["iters"] == 5 && slice["checksum"] == 210));
        assert_eq!(answers[3]["checksum"], 4);
    }

    /// A task of microseconds whose first calls are disturbed for longer than sizing usually takes.
    struct Disturbed {
        calls: u32,
    }

    impl Task for Disturbed {
        fn batch(&mut self, iters: u64, _extra: u64) -> u64 {
            self.calls += 1;
            if self.calls <= 3 {
                std::thread::sleep(Duration::from_millis(3));
            }
            iters
        }
    }

    #[test]
    fn a_disturbed_start_does_not_make_calls_long() {
        let prepared = prepare(&mut Disturbed { calls: 0 });
        assert!(prepared.call_ns < 1_000_000, "one call takes {} ns", prepared.call_ns);
    }

    #[test]
    fn calls_that_are_long_are_timed_once() {
        struct Long(u32);
        impl Task for Long {
            fn batch(&mut self, iters: u64, _extra: u64) -> u64 {
                self.0 += 1;
                std::thread::sleep(LONGEST_SIZING);
                iters
            }
        }
        let mut long = Long(0);
        assert!(prepare(&mut long).call_ns >= 100_000_000);
        assert_eq!(long.0, 2, "the answer's call and one more");
    }

    #[test]
    fn pads_below_a_page_move_inputs_to_every_offset_in_a_page() {
        // Too large for a gap, and too small for a mapping of its own.
        let input = || Vec::<u8>::with_capacity(8_000).leak().as_ptr().addr();
        let offsets = |pad: &dyn Fn(usize) -> usize| {
            // Its own room is there before: nothing else may be allocated in between.
            let mut moved = Vec::with_capacity(4096 / 8);
            let mut before = input();
            moved.extend((0..4096).step_by(8).map(|step| {
                displace(pad(step));
                mem::replace(&mut before, input()).abs_diff(before) % 4096
            }));
            moved.sort_unstable();
            moved.dedup();
            moved
        };
        // The offset of 0 is that of no allocation at all, and the next ones follow every 16 bytes.
        let found = offsets(&|step| step);
        assert_eq!(found.len(), 4096 / 16, "{found:?}");
        assert_eq!(offsets(&|_| 100).len(), 1, "one pad is one offset");
    }

    #[test]
    fn misuse_is_refused_in_a_sentence_and_the_session_goes_on() {
        let answers =
            converse("nonsense\n{\"op\":\"prepare\",\"benchmark\":\"triple\"}\n{\"op\":\"list\"}\n");
        assert!(answers[0]["error"].as_str().unwrap().contains("not a request of protocol 1"));
        assert_eq!(answers[1]["error"], "unknown benchmark \"triple\"; known: double");
        assert_eq!(answers[2]["subject"], "test");
    }
}
