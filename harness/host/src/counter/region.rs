//! The stretch between two marks of one thread.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::WaitPidFlag;
use nix::unistd::Pid;
use perf_event::Counter;
use perf_event::events::Event;

use crate::counter::hardware::{counter_of, failed, instructions};
use crate::counter::tracee::{Next, Pace, Stop, next_instruction, next_stop, resume, seize};
use crate::counter::{CountError, Limits, Means};

/// The signal by which a subject marks: ignored where nobody traces, and sent by nothing else to a process that has
/// no terminal.
const MARK: Signal = Signal::SIGWINCH;
/// How often is looked for the first mark.
const LOOK: Duration = Duration::from_micros(100);

/// What was counted between marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    /// Instructions between the second and the third mark, less those between the first two.
    pub instructions: u64,
    /// Instructions between the first two marks: what marking costs.
    pub empty: u64,
    /// Further rounds of `rep`-prefixed instructions, which count once; 0 where the hardware counts.
    pub rounds: u64,
}

/// Counts one call of process `pid`, a child of this thread that has one thread: `ask` makes it begin, and it raises
/// [`SIGWINCH`](Signal::SIGWINCH) in itself twice before the call and once after it. `answered` tells whether it has
/// answered already. Afterwards it runs on by itself.
///
/// # Errors
/// [`CountError`]. After one, the process may be in any state; end it.
pub fn count_region(
    pid: u32,
    means: Means,
    limits: Limits,
    ask: &mut dyn FnMut(),
    answered: &mut dyn FnMut() -> bool,
) -> Result<Tally, CountError> {
    let event = match means {
        Means::SingleStep => None,
        Means::Hardware => Some(instructions()),
    };
    count_between_marks(pid, event, limits, ask, answered)
}

/// As [`count_region`]; an `event` is counted in place of single steps.
fn count_between_marks(
    pid: u32,
    event: Option<Event>,
    limits: Limits,
    ask: &mut dyn FnMut(),
    answered: &mut dyn FnMut() -> bool,
) -> Result<Tally, CountError> {
    let thread = Pid::from_raw(i32::try_from(pid).map_err(|_| CountError::Ended)?);
    let gauge = match event {
        None => Gauge::Steps(Steps::default()),
        Some(event) => Gauge::Counter(counter_of(thread.as_raw(), event, false)?),
    };
    let seized = Seized::new(thread)?;
    let watchdog = Watchdog::start(thread, limits.patience);
    let mut region = Region { thread, gauge, limits };
    ask();
    let tally = region.first_mark(answered).and_then(|()| region.count());
    let tally = match tally {
        // The process was killed for it.
        Err(CountError::Ended) if watchdog.fired() => Err(CountError::TimedOut { patience: limits.patience }),
        other => other,
    };
    drop(watchdog);
    drop(seized);
    tally
}

/// A thread under control, let go at the end.
struct Seized(Pid);

impl Seized {
    fn new(thread: Pid) -> Result<Self, CountError> {
        seize(thread, Options::empty())?;
        Ok(Self(thread))
    }
}

impl Drop for Seized {
    fn drop(&mut self) {
        // Gone already, or not stopped: then whoever started it ends it.
        ptrace::detach(self.0, None).ok();
    }
}

/// Kills a process that is not done in time: a tracer that waits for a stop cannot watch the clock.
struct Watchdog {
    done: Option<Sender<()>>,
    fired: Arc<AtomicBool>,
    waiting: Option<JoinHandle<()>>,
}

impl Watchdog {
    fn start(process: Pid, patience: Duration) -> Self {
        let (done, over) = mpsc::channel::<()>();
        let fired = Arc::new(AtomicBool::new(false));
        let firing = Arc::clone(&fired);
        let waiting = thread::spawn(move || {
            if over.recv_timeout(patience) == Err(RecvTimeoutError::Timeout) {
                firing.store(true, Ordering::SeqCst);
                // The process cannot have been replaced by another: nobody has waited for its end yet.
                kill(process, Signal::SIGKILL).ok();
            }
        });
        Self { done: Some(done), fired, waiting: Some(waiting) }
    }

    fn fired(&self) -> bool {
        self.fired.load(Ordering::SeqCst)
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.done = None;
        if let Some(waiting) = self.waiting.take() {
            waiting.join().ok();
        }
    }
}

/// Single steps so far.
#[derive(Default)]
pub(crate) struct Steps {
    /// Instructions.
    pub instructions: u64,
    /// Further rounds of `rep`-prefixed instructions.
    pub rounds: u64,
    /// Where the next instruction is.
    at: u64,
}

impl Steps {
    /// Takes note of a step that leads to the instruction at `next`. A `rep`-prefixed instruction traps after each
    /// round and stays where it is until the last.
    pub(crate) fn step(&mut self, next: u64) {
        if next == self.at {
            self.rounds += 1;
        } else {
            self.instructions += 1;
        }
        self.at = next;
    }
}

/// What is read at each mark.
enum Gauge {
    Steps(Steps),
    Counter(Counter),
}

impl Gauge {
    fn read(&mut self) -> Result<u64, CountError> {
        match self {
            Self::Steps(steps) => Ok(steps.instructions),
            Self::Counter(counter) => counter.read().map_err(|error| failed(&error)),
        }
    }

    fn rounds(&self) -> u64 {
        match self {
            Self::Steps(steps) => steps.rounds,
            Self::Counter(_) => 0,
        }
    }
}

struct Region {
    thread: Pid,
    gauge: Gauge,
    limits: Limits,
}

impl Region {
    /// Lets the process run to its first mark, where it stays stopped.
    fn first_mark(&self, answered: &mut dyn FnMut() -> bool) -> Result<(), CountError> {
        let start = Instant::now();
        loop {
            match next_stop(Some(self.thread), WaitPidFlag::WNOHANG)? {
                Next::Ended => return Err(CountError::Ended),
                Next::Stop(_, Stop::Signal(MARK)) => return Ok(()),
                Next::Stop(_, stop) => resume(self.thread, Pace::Run, passed_on(stop))?,
                Next::Nothing if answered() => return Err(CountError::NotMarked),
                // The watchdog is due at the same time; it may be late.
                Next::Nothing if start.elapsed() > self.limits.patience => {
                    return Err(CountError::TimedOut { patience: self.limits.patience });
                }
                Next::Nothing => thread::sleep(LOOK),
            }
        }
    }

    /// Counts from the first mark, where the process is stopped, to the third, where it stays so.
    fn count(&mut self) -> Result<Tally, CountError> {
        match &mut self.gauge {
            Gauge::Steps(steps) => steps.at = next_instruction(self.thread),
            Gauge::Counter(counter) => counter.enable().map_err(|error| failed(&error))?,
        }
        self.next_mark()?;
        let (empty, earlier) = (self.gauge.read()?, self.gauge.rounds());
        self.next_mark()?;
        let whole = self.gauge.read()? - empty;
        Ok(Tally { instructions: whole.saturating_sub(empty), empty, rounds: self.gauge.rounds() - earlier })
    }

    /// From one mark to the next.
    fn next_mark(&mut self) -> Result<(), CountError> {
        let mut signal = None;
        loop {
            let pace = if matches!(self.gauge, Gauge::Steps(_)) { Pace::Step } else { Pace::Run };
            resume(self.thread, pace, signal)?;
            match next_stop(Some(self.thread), WaitPidFlag::empty())? {
                Next::Ended => return Err(CountError::Ended),
                Next::Stop(_, Stop::Signal(MARK)) => return Ok(()),
                Next::Stop(_, stop) => {
                    signal = passed_on(stop);
                    if let ControlFlow::Break(error) = self.stepped(stop) {
                        return Err(error);
                    }
                }
                Next::Nothing => {}
            }
        }
    }

    fn stepped(&mut self, stop: Stop) -> ControlFlow<CountError> {
        let limit = self.limits.instructions;
        if let (Gauge::Steps(steps), Stop::Step) = (&mut self.gauge, stop) {
            steps.step(next_instruction(self.thread));
            // A loop in one place never ends, and neither does a jump to itself.
            if steps.instructions > limit || steps.rounds > limit.saturating_mul(ROUNDS) {
                return ControlFlow::Break(CountError::TooMany { limit });
            }
        }
        ControlFlow::Continue(())
    }
}

/// How many rounds of `rep`-prefixed instructions are waited for, for each instruction of the limit.
const ROUNDS: u64 = 20;

/// The signal that a stopped thread is let go on with.
fn passed_on(stop: Stop) -> Option<Signal> {
    match stop {
        Stop::Signal(signal) => Some(signal),
        Stop::Step | Stop::Event => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::{Conversation, Invocation};
    use perf_event::events::Software;

    const LIMITS: Limits = Limits { instructions: 1_000_000, patience: Duration::from_secs(300) };

    /// A shell that marks as a subject does, around `call`.
    fn shell(call: &str) -> Conversation {
        let script = format!("read l; kill -WINCH $$; kill -WINCH $$; {call}; kill -WINCH $$; echo done");
        Conversation::start(&Invocation::new("sh", ["-c", &script])).unwrap()
    }

    fn count(shell: &mut Conversation, event: Option<Event>, limits: Limits) -> Result<Tally, CountError> {
        let pid = shell.pid();
        let shell = std::cell::RefCell::new(shell);
        let mut ask = || shell.borrow_mut().send("go");
        let mut answered = || shell.borrow().receive(Duration::ZERO).is_ok();
        count_between_marks(pid, event, limits, &mut ask, &mut answered)
    }

    #[test]
    fn a_call_between_marks_is_counted_and_runs_on() {
        let mut one = shell(":");
        let tally = count(&mut one, None, LIMITS).unwrap();
        assert!(tally.empty > 100, "a shell needs many instructions for a mark: {tally:?}");
        assert_eq!(one.receive(Duration::from_secs(20)), Ok("done".to_owned()));
        let mut more = shell(": && :");
        assert!(count(&mut more, None, LIMITS).unwrap().instructions > tally.instructions);
    }

    #[test]
    fn a_rep_prefixed_instruction_counts_once() {
        let mut steps = Steps { at: 10, ..Steps::default() };
        for next in [10, 10, 10, 12, 15] {
            steps.step(next);
        }
        assert_eq!((steps.instructions, steps.rounds), (2, 3));
    }

    #[test]
    fn what_cannot_be_counted_says_why() {
        let endless = Limits { instructions: 3_000, ..LIMITS };
        let mut busy = shell("while :; do :; done");
        assert_eq!(count(&mut busy, None, endless), Err(CountError::TooMany { limit: 3_000 }));
        let short = Limits { patience: Duration::from_millis(300), ..LIMITS };
        let mut slow = shell("read again");
        assert_eq!(count(&mut slow, None, short), Err(CountError::TimedOut { patience: short.patience }));
        let mut dead = shell("kill -KILL $$");
        assert_eq!(count(&mut dead, None, LIMITS), Err(CountError::Ended));
        assert_eq!(dead.end().signal, Some(9), "its end is left to whoever started it");
        let mut silent =
            Conversation::start(&Invocation::new("sh", ["-c", "read l; echo done; read l"])).unwrap();
        assert_eq!(count(&mut silent, None, LIMITS), Err(CountError::NotMarked));
    }

    #[test]
    fn where_another_tracer_is_at_work_a_sentence_says_what_to_do() {
        let mut shell = shell(":");
        let thread = Pid::from_raw(i32::try_from(shell.pid()).unwrap());
        let (traced, wait) = mpsc::channel();
        let (done, over) = mpsc::channel::<()>();
        thread::scope(|scope| {
            scope.spawn(move || {
                let other = Seized::new(thread);
                traced.send(other.is_ok()).unwrap();
                over.recv().ok();
            });
            assert!(wait.recv().unwrap());
            let Err(CountError::NotAllowed(why)) = count(&mut shell, None, LIMITS) else {
                panic!("it was allowed")
            };
            assert!(why.contains("ptrace is refused") && why.contains("SYS_PTRACE"), "{why}");
            drop(done);
        });
    }

    /// Where there is no counter of instructions, the same way is tried with an event that every kernel counts.
    #[test]
    fn events_of_the_kernel_are_read_at_the_marks() {
        let fault = || Event::from(Software::PAGE_FAULTS);
        let mut still = shell(":");
        let few = count(&mut still, Some(fault()), LIMITS).unwrap().instructions;
        // A string of 400,000 bytes takes about a hundred new pages.
        let mut growing = shell("x=0123456789; for i in 1 2 3 4 5 6 7 8; do x=$x$x$x; done; x=$x$x$x$x$x$x");
        let many = count(&mut growing, Some(fault()), LIMITS).unwrap().instructions;
        assert!(many > few + 50, "{few} {many}");
    }
}
