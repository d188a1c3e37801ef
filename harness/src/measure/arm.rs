//! One arm's process: what the lab asks of it, and what its silence means.

use std::cell::RefCell;
use std::path::PathBuf;
use std::time::Duration;

use perflab_subject::protocol::{CANNOT_BE_MEASURED, Counted, PROTOCOL_VERSION, Prepared, Refused, Request};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::counter::{CountError, Limits, Means, Tally, count_region};
use crate::measure::FailureReason;
use crate::measure::wire::{Listing, TimedSlice, Turned};
use crate::process::{Conversation, Ended, Invocation, Silence, peak_rss};

/// The signal of an illegal instruction.
const SIGILL: i32 = 4;

/// How an arm's executable is started.
#[derive(Clone, Debug, Default)]
pub struct ArmProgram {
    /// The executable.
    pub path: PathBuf,
    /// The directory that it is started in: the root of the workspace that it was built from. `None` is the lab's own.
    pub directory: Option<PathBuf>,
    /// The lab's own executable, through which it is pinned, prioritised and tied to the lab's life.
    pub starter: Option<PathBuf>,
    /// The core to pin it to.
    pub cpu: Option<usize>,
    /// Its nice value; 0 leaves it as it is.
    pub priority: i32,
    /// Bytes of padding in its environment.
    pub pad: u32,
    /// Whether its memory lies at the same addresses in every start.
    pub still: bool,
}

impl ArmProgram {
    fn invocation(&self) -> Invocation {
        let mut invocation = Invocation::new(&self.path, [""; 0]);
        invocation.folder.clone_from(&self.directory);
        if let Some(starter) = &self.starter {
            let mut args = vec!["__exec".to_owned(), format!("--priority={}", self.priority)];
            args.extend(self.cpu.map(|cpu| format!("--cpu={cpu}")));
            args.extend(self.still.then(|| "--still".to_owned()));
            invocation = invocation.through(starter, args);
        }
        invocation.set.push(("PERFLAB_PAD".into(), "x".repeat(self.pad as usize).into()));
        invocation
    }
}

/// How long a turn is: calls a slice, and extra work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pace {
    /// Calls a slice.
    pub iters: u64,
    /// Dependent steps for every 1,000 calls.
    pub extra: u64,
    /// Whether one call may take longer than a slice.
    pub long: bool,
}

/// A running arm.
pub(crate) struct Arm {
    conversation: Conversation,
}

impl Arm {
    pub(crate) fn start(program: &ArmProgram) -> Result<Self, FailureReason> {
        match Conversation::start(&program.invocation()) {
            Ok(conversation) => Ok(Self { conversation }),
            Err(error) => Err(FailureReason::said(format!("it cannot be started: {error}"))),
        }
    }

    pub(crate) fn list(&mut self, patience: Duration) -> Result<Listing, FailureReason> {
        let listing: Listing = self.ask(&Request::List, patience)?;
        if listing.protocol != PROTOCOL_VERSION {
            return Err(FailureReason::said(format!(
                "it speaks protocol {}, and this lab speaks {PROTOCOL_VERSION}",
                listing.protocol
            )));
        }
        match listing.repeated() {
            Some(name) => Err(FailureReason::RepeatedName { name: name.to_owned() }),
            None => Ok(listing),
        }
    }

    pub(crate) fn prepare(&mut self, benchmark: &str, patience: Duration) -> Result<Prepared, FailureReason> {
        self.ask(&Request::Prepare { benchmark: benchmark.to_owned() }, patience)
    }

    pub(crate) fn turn(
        &mut self,
        benchmark: &str,
        settle_ns: u64,
        slices: u32,
        pace: Pace,
        timeout: Duration,
    ) -> Result<Vec<TimedSlice>, FailureReason> {
        let Pace { iters, extra, .. } = pace;
        let request = Request::Turn { benchmark: benchmark.to_owned(), settle_ns, slices, iters, extra };
        let turned: Turned = self.ask(&request, timeout)?;
        turned.checked(slices, iters)
    }

    pub(crate) fn peak_rss(&self) -> Option<u64> {
        peak_rss(self.conversation.pid())
    }

    /// One call of a benchmark's count input: its answer and its instructions.
    pub(crate) fn count(
        &mut self,
        benchmark: &str,
        means: Means,
        limits: Limits,
    ) -> Result<(u64, Tally), Uncounted> {
        let line = written(&Request::Count { benchmark: benchmark.to_owned() })?;
        let (pid, early) = (self.conversation.pid(), RefCell::new(None));
        let conversation = RefCell::new(&mut self.conversation);
        let mut ask = || conversation.borrow_mut().send(&line);
        let mut answered = || {
            *early.borrow_mut() = conversation.borrow().receive(Duration::ZERO).ok();
            early.borrow().is_some()
        };
        let tally = count_region(pid, means, limits, &mut ask, &mut answered);
        let tally = match (tally, early.into_inner()) {
            (Ok(tally), _) => tally,
            // A refusal, or an answer of a subject that marks nothing.
            (Err(CountError::NotMarked), Some(answer)) => {
                read::<Counted>(&answer)?;
                return Err(FailureReason::NotCounted { why: CountError::NotMarked.to_string() }.into());
            }
            (Err(CountError::Ended), _) => return Err(why_it_ended(self.conversation.end()).into()),
            (Err(CountError::TimedOut { patience }), _) => return Err(timed_out(patience).into()),
            (Err(CountError::NotAllowed(why)), _) => return Err(Uncounted::NotAllowed(why)),
            (Err(error), _) => return Err(FailureReason::NotCounted { why: error.to_string() }.into()),
        };
        let counted: Counted = self.hear(limits.patience)?;
        Ok((counted.checksum, tally))
    }

    fn ask<T: DeserializeOwned>(&mut self, request: &Request, timeout: Duration) -> Result<T, FailureReason> {
        let line = written(request)?;
        self.conversation.send(&line);
        self.hear(timeout)
    }

    fn hear<T: DeserializeOwned>(&mut self, timeout: Duration) -> Result<T, FailureReason> {
        match self.conversation.receive(timeout) {
            Ok(answer) => read(&answer),
            Err(Silence::TimedOut) => Err(timed_out(timeout)),
            Err(Silence::Closed) => Err(why_it_ended(self.conversation.end())),
        }
    }
}

/// Why an arm's benchmark has no count.
#[derive(Debug)]
pub(crate) enum Uncounted {
    /// This system lets nobody count.
    NotAllowed(String),
    /// Something about this benchmark or arm.
    Failed(FailureReason),
}

impl From<FailureReason> for Uncounted {
    fn from(reason: FailureReason) -> Self {
        Self::Failed(reason)
    }
}

fn written(request: &Request) -> Result<String, FailureReason> {
    serde_json::to_string(request)
        .map_err(|error| FailureReason::said(format!("the request cannot be written: {error}")))
}

fn read<T: DeserializeOwned>(answer: &str) -> Result<T, FailureReason> {
    serde_json::from_str(answer).map_err(|_| match serde_json::from_str::<Refused>(answer) {
        Ok(refused) if refused.error.starts_with("unknown benchmark") => FailureReason::UnknownBenchmark,
        Ok(refused) => match refused.error.strip_prefix(CANNOT_BE_MEASURED) {
            Some(why) => FailureReason::CannotBeMeasured { why: why.to_owned() },
            None => FailureReason::said(refused.error),
        },
        Err(_) => FailureReason::said(excerpt(answer)),
    })
}

fn timed_out(after: Duration) -> FailureReason {
    FailureReason::TimedOut { after_ms: u64::try_from(after.as_millis()).unwrap_or(u64::MAX) }
}

fn why_it_ended(ended: Ended) -> FailureReason {
    match ended {
        Ended { signal: Some(SIGILL), .. } => FailureReason::IllegalInstruction,
        Ended { signal: Some(signal), .. } => FailureReason::Signal { signal },
        Ended { code, stderr, .. } => FailureReason::Exited { code: code.unwrap_or(-1), stderr },
    }
}

fn excerpt(line: &str) -> String {
    line.chars().take(120).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_of_which_kind_it_is() {
        let of = |error: &str| read::<Counted>(&serde_json::json!({"error": error}).to_string());
        let why = "it panicked".to_owned();
        assert_eq!(of("cannot be measured: it panicked"), Err(FailureReason::CannotBeMeasured { why }));
        assert_eq!(of("unknown benchmark \"a\""), Err(FailureReason::UnknownBenchmark));
        assert_eq!(of("no memory"), Err(FailureReason::said("no memory")));
        assert_eq!(read::<Counted>("hello"), Err(FailureReason::said("hello")));
        assert_eq!(read::<Counted>("{\"checksum\":7}"), Ok(Counted { checksum: 7 }));
    }
}
