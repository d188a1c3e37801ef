//! One arm's process: what the lab asks of it, and what its silence means.

use std::path::PathBuf;
use std::time::Duration;

use perflab_subject::protocol::{PROTOCOL_VERSION, Prepared, Refused, Request};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

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
    /// The lab's own executable, through which it is pinned, prioritised and tied to the lab's life.
    pub starter: Option<PathBuf>,
    /// The core to pin it to.
    pub cpu: Option<usize>,
    /// The nice increment.
    pub priority: i32,
    /// Bytes of padding in its environment.
    pub pad: u32,
}

impl ArmProgram {
    fn invocation(&self) -> Invocation {
        let mut invocation = Invocation::new(&self.path, [""; 0]);
        if let Some(starter) = &self.starter {
            let mut args = vec!["__exec".to_owned(), format!("--priority={}", self.priority)];
            args.extend(self.cpu.map(|cpu| format!("--cpu={cpu}")));
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
            Err(error) => Err(FailureReason::NotASubject { said: format!("it cannot be started: {error}") }),
        }
    }

    pub(crate) fn list(&mut self, patience: Duration) -> Result<Listing, FailureReason> {
        let listing: Listing = self.ask(&Request::List, patience)?;
        if listing.protocol == PROTOCOL_VERSION {
            return Ok(listing);
        }
        Err(FailureReason::NotASubject {
            said: format!("it speaks protocol {}, and this lab speaks {PROTOCOL_VERSION}", listing.protocol),
        })
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
        Ok(turned.slices)
    }

    pub(crate) fn peak_rss(&self) -> Option<u64> {
        peak_rss(self.conversation.pid())
    }

    fn ask<T: DeserializeOwned>(&mut self, request: &Request, timeout: Duration) -> Result<T, FailureReason> {
        let line = serde_json::to_string(request).map_err(|error| FailureReason::NotASubject {
            said: format!("the request cannot be written: {error}"),
        })?;
        self.conversation.send(&line);
        let answer = match self.conversation.receive(timeout) {
            Ok(answer) => answer,
            Err(Silence::TimedOut) => {
                let after_ms = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
                return Err(FailureReason::TimedOut { after_ms });
            }
            Err(Silence::Closed) => return Err(why_it_ended(self.conversation.end())),
        };
        serde_json::from_str(&answer).map_err(|_| match serde_json::from_str::<Refused>(&answer) {
            Ok(refused) if refused.error.starts_with("unknown benchmark") => FailureReason::UnknownBenchmark,
            Ok(refused) => FailureReason::NotASubject { said: refused.error },
            Err(_) => FailureReason::NotASubject { said: excerpt(&answer) },
        })
    }
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
