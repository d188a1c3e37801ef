//! What a server does for one call: from one moment of rest to the next.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::WaitPidFlag;
use nix::unistd::Pid;
use perf_event::Counter;
use perf_event::events::Event;

use crate::counter::hardware::{counter_of, failed, instructions};
use crate::counter::region::Steps;
use crate::counter::tracee::{Next, Pace, Stop, next_instruction, next_stop, resume, seize};
use crate::counter::{CountError, Limits, Means};
use crate::process::group;

/// A server is at rest when all of its threads wait and nothing was counted for this long: hundreds of single steps.
const REST: Duration = Duration::from_millis(20);

/// Counts the instructions of a whole process group, all threads and later ones included.
///
/// A stretch begins and ends with the server at rest, each thread in the system call in which it waits for more. So
/// it holds the same code every time, whatever the server does after its answer has left.
///
/// With single steps nobody else may wait for the server's processes (`try_wait` and the like) until
/// [`end`](Self::end): the kernel would hand the steps to them.
pub struct ServerCounter {
    group: u32,
    limits: Limits,
    counted: Counted,
}

enum Counted {
    Steps { shared: Arc<Shared>, tracer: Option<JoinHandle<()>> },
    Counters { counters: Vec<Counter>, before: u64 },
}

/// What the tracer tells.
#[derive(Default)]
struct Shared {
    instructions: AtomicU64,
    /// Stops of any kind: a server at rest has none.
    stops: AtomicU64,
    /// Threads run freely from here on: the limit was reached.
    free: AtomicBool,
    /// Why tracing is over: everything has ended, or it failed.
    over: Mutex<Option<CountError>>,
}

impl ServerCounter {
    /// Begins to count in the process group `group`, whose leader this process has started.
    ///
    /// # Errors
    /// [`CountError`]: not allowed, or the server has ended.
    pub fn attach(group: u32, means: Means, limits: Limits) -> Result<Self, CountError> {
        let event = match means {
            Means::SingleStep => None,
            Means::Hardware => Some(instructions()),
        };
        Self::attach_with(group, event.as_ref(), limits)
    }

    /// As [`attach`](Self::attach); an `event` is counted in place of single steps.
    fn attach_with(group: u32, event: Option<&Event>, limits: Limits) -> Result<Self, CountError> {
        let counted = match event {
            None => trace(group, limits.instructions)?,
            Some(event) => Counted::Counters { counters: counters(group, event)?, before: 0 },
        };
        let mut counter = Self { group, limits, counted };
        counter.settle()?;
        Ok(counter)
    }

    /// Waits until the server is at rest, and returns the instructions since the last time.
    ///
    /// # Errors
    /// [`CountError`]: the server has ended, it does not come to rest in time, or it took more instructions than the
    /// limit allows. From then on it runs freely, and this error is all that comes.
    pub fn settle(&mut self) -> Result<u64, CountError> {
        let start = Instant::now();
        let mut last = self.progress()?;
        let mut still = Instant::now();
        loop {
            thread::sleep(REST / 10);
            if let Some(error) = self.over() {
                return Err(error);
            }
            if let Counted::Steps { shared, .. } = &self.counted
                && shared.free.load(Ordering::SeqCst)
            {
                return Err(CountError::TooMany { limit: self.limits.instructions });
            }
            let now = self.progress()?;
            if now != last || !at_rest(self.group) {
                (last, still) = (now, Instant::now());
            } else if still.elapsed() >= REST {
                return self.since_last();
            }
            if start.elapsed() > self.limits.patience {
                return Err(CountError::TimedOut { patience: self.limits.patience });
            }
        }
    }

    fn since_last(&mut self) -> Result<u64, CountError> {
        let since = match &mut self.counted {
            Counted::Steps { shared, .. } => shared.instructions.swap(0, Ordering::SeqCst),
            Counted::Counters { counters, before } => {
                let total = sum(counters)?;
                total - std::mem::replace(before, total)
            }
        };
        if since > self.limits.instructions {
            return Err(CountError::TooMany { limit: self.limits.instructions });
        }
        Ok(since)
    }

    /// A number that stands still while nothing is executed.
    fn progress(&mut self) -> Result<u64, CountError> {
        match &mut self.counted {
            Counted::Steps { shared, .. } => Ok(shared.stops.load(Ordering::SeqCst)),
            Counted::Counters { counters, .. } => sum(counters),
        }
    }

    fn over(&self) -> Option<CountError> {
        match &self.counted {
            Counted::Steps { shared, .. } => {
                shared.over.lock().unwrap_or_else(PoisonError::into_inner).clone()
            }
            Counted::Counters { .. } => group::members(self.group).is_empty().then_some(CountError::Ended),
        }
    }

    /// Kills the server's process group and stops counting. Its end can be waited for afterwards.
    pub fn end(self) {
        drop(self);
    }
}

impl Drop for ServerCounter {
    fn drop(&mut self) {
        if let Ok(group) = i32::try_from(self.group) {
            killpg(Pid::from_raw(group), Signal::SIGKILL).ok();
        }
        if let Counted::Steps { tracer, .. } = &mut self.counted
            && let Some(tracer) = tracer.take()
        {
            tracer.join().ok();
        }
    }
}

fn at_rest(group: u32) -> bool {
    let mut threads = group::members(group)
        .into_iter()
        .flat_map(|pid| group::threads(pid).into_iter().map(move |thread| (pid, thread)));
    threads.all(|(pid, thread)| group::rests(pid, thread))
}

/// Counters on every thread that there is, each with those that it starts.
fn counters(group: u32, event: &Event) -> Result<Vec<Counter>, CountError> {
    let mut counters = Vec::new();
    for thread in group::members(group).into_iter().flat_map(group::threads) {
        let Ok(thread) = i32::try_from(thread) else { continue };
        let mut counter = counter_of(thread, event.clone(), true)?;
        counter.enable().map_err(|error| failed(&error))?;
        counters.push(counter);
    }
    if counters.is_empty() { Err(CountError::Ended) } else { Ok(counters) }
}

fn sum(counters: &mut [Counter]) -> Result<u64, CountError> {
    counters.iter_mut().map(|counter| counter.read().map_err(|error| failed(&error))).sum()
}

/// Starts the thread that traces, and waits until it has seized all that runs.
fn trace(group: u32, limit: u64) -> Result<Counted, CountError> {
    let shared = Arc::new(Shared::default());
    let (seized, outcome) = mpsc::channel();
    let for_tracer = Arc::clone(&shared);
    let tracer = thread::spawn(move || {
        let tracer = Tracer { shared: &for_tracer, limit, threads: HashMap::new() };
        let over = tracer.run(group, &seized);
        *for_tracer.over.lock().unwrap_or_else(PoisonError::into_inner) = Some(over);
    });
    match outcome.recv() {
        Ok(Ok(())) => Ok(Counted::Steps { shared, tracer: Some(tracer) }),
        Ok(Err(error)) => Err(error),
        Err(_) => Err(CountError::Ended),
    }
}

struct Tracer<'a> {
    shared: &'a Shared,
    limit: u64,
    threads: HashMap<Pid, Steps>,
}

impl Tracer<'_> {
    /// Traces until nothing is left; returns why it is over. The server ends with this thread, so that no half-traced
    /// one goes on.
    fn run(mut self, group: u32, seized: &Sender<Result<(), CountError>>) -> CountError {
        if let Err(error) = self.seize_all(group) {
            seized.send(Err(error.clone())).ok();
            return error;
        }
        seized.send(Ok(())).ok();
        loop {
            if let Err(error) = self.next() {
                return error;
            }
        }
    }

    /// Seizes every thread of the group and stops it, so that it goes on by single steps. Threads that are started
    /// from now on are seized by the kernel.
    fn seize_all(&mut self, group: u32) -> Result<(), CountError> {
        let options =
            Options::PTRACE_O_TRACECLONE | Options::PTRACE_O_TRACEFORK | Options::PTRACE_O_TRACEVFORK;
        loop {
            let there = group::members(group).into_iter().flat_map(group::threads);
            let there = there.filter_map(|thread| Some(Pid::from_raw(i32::try_from(thread).ok()?)));
            let new: Vec<Pid> = there.filter(|thread| !self.threads.contains_key(thread)).collect();
            if new.is_empty() {
                return if self.threads.is_empty() { Err(CountError::Ended) } else { Ok(()) };
            }
            for thread in new {
                match seize(thread, options) {
                    Ok(()) => {
                        ptrace::interrupt(thread).ok();
                    }
                    // A thread that has ended, or that the kernel has seized with the one that started it.
                    Err(error) if !self.is_there(thread) => drop(error),
                    Err(error) => return Err(error),
                }
                self.threads.insert(thread, Steps::default());
            }
        }
    }

    fn is_there(&self, thread: Pid) -> bool {
        let status = std::fs::read_to_string(format!("/proc/{thread}/status")).unwrap_or_default();
        let tracer = status.lines().find_map(|line| line.strip_prefix("TracerPid:"));
        tracer.is_some_and(|tracer| tracer.trim() == "0")
    }

    /// Waits for the next stop of any thread and lets it go on; an error when none is left.
    fn next(&mut self) -> Result<(), CountError> {
        let Next::Stop(thread, stop) = next_stop(None, WaitPidFlag::empty())? else {
            return Err(CountError::Ended);
        };
        self.shared.stops.fetch_add(1, Ordering::SeqCst);
        let mut signal = None;
        match stop {
            Stop::Step => self.stepped(thread),
            Stop::Signal(other) => signal = Some(other),
            Stop::Event => {}
        }
        let free = self.shared.free.load(Ordering::SeqCst);
        resume(thread, if free { Pace::Run } else { Pace::Step }, signal)
    }

    fn stepped(&mut self, thread: Pid) {
        let steps = self.threads.entry(thread).or_default();
        let before = steps.instructions;
        steps.step(next_instruction(thread));
        let one = steps.instructions - before;
        let total = self.shared.instructions.fetch_add(one, Ordering::SeqCst) + one;
        if total > self.limit {
            self.shared.free.store(true, Ordering::SeqCst);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::{Conversation, Invocation};
    use perf_event::events::Software;

    /// Where there is no counter of instructions, the same way is tried with an event that every kernel counts.
    #[test]
    fn events_of_the_kernel_are_read_at_rest() {
        let script = "while read line; do x=$x$line; y=$x; [ $line = . ] || for i in 1 2 3 4 5 6; do y=$y$y$y$y$y$y; done; echo; done";
        let mut shell = Conversation::start(&Invocation::new("sh", ["-c", script])).unwrap();
        let limits = Limits { instructions: 1_000_000, patience: Duration::from_secs(30) };
        let event = Event::from(Software::PAGE_FAULTS);
        let mut counter = ServerCounter::attach_with(shell.pid(), Some(&event), limits).unwrap();
        let mut count = |line: &str| {
            shell.send(line);
            shell.receive(Duration::from_secs(30)).unwrap();
            counter.settle().unwrap()
        };
        let few = count(".");
        // At least 46,656 bytes in one text, and as much again on the way.
        let many = count("0123456789");
        assert!(many > few + 20, "{few} {many}");
        counter.end();
    }
}
