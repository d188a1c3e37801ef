//! Calls that a process times itself, without a way to it: what the work alone costs.
//!
//! The conversation is described in `harness/PROTOCOL.md`, under "Calls in process".

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;
use serde_json::Value;

use crate::load::clock::{ns, thread_cpu_ns};
use crate::load::stdio::StdioLink;
use crate::load::{Clock, Taken, Usage, usage_of};
use crate::mcp::{Era, Fault, Incoming, Mix, Oracle, read_message};
use crate::process::Invocation;

/// Calls of the first exchange.
const FIRST: u64 = 10;
/// The most calls of an exchange: their times come in one line.
const MOST: u64 = 20_000;
/// How long an exchange should take.
const EXCHANGE: Duration = Duration::from_millis(5);

/// A process that makes calls within itself when it is told to.
pub struct InProcess {
    link: StdioLink,
    clock: Clock,
    sets: Vec<(Mix, Oracle)>,
    current: usize,
    random: ChaCha8Rng,
    number: u64,
    patience: Duration,
    /// Calls of the next exchange.
    calls: u64,
}

/// What it answers.
#[derive(Deserialize)]
struct Timed {
    /// The time of each call, in ns.
    ns: Vec<u64>,
    /// The answer of the last one.
    answer: Value,
}

impl InProcess {
    /// Starts the process.
    ///
    /// # Errors
    /// The [`Fault`] when it does not start.
    pub fn start(
        invocation: &Invocation,
        sets: Vec<Mix>,
        era: Era,
        seed: u64,
        patience: Duration,
    ) -> Result<Self, Fault> {
        Ok(Self {
            link: StdioLink::start(invocation)?,
            clock: Clock::start(),
            sets: sets.into_iter().map(|mix| (mix.clone(), Oracle::new(mix.calls.len(), era))).collect(),
            current: 0,
            random: ChaCha8Rng::seed_from_u64(seed),
            number: 0,
            patience,
            calls: FIRST,
        })
    }

    /// Makes the calls of another set from now on.
    pub fn choose(&mut self, set: usize) {
        let set = set.min(self.sets.len().saturating_sub(1));
        if set != self.current {
            (self.current, self.calls) = (set, FIRST);
        }
    }

    /// Has calls made for so long. What was measured before a fault is returned with it.
    pub fn drive(&mut self, length: Duration, stop: &dyn Fn() -> bool) -> (Taken, Option<Fault>) {
        let mut taken = Taken {
            began: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
            ..Taken::default()
        };
        let (start, cpu) = (self.clock.ns(), thread_cpu_ns());
        let mut fault = None;
        // At least one exchange, however short the time.
        while !stop() {
            fault = self.exchange(&mut taken).err();
            if fault.is_some() || self.clock.ns() - start >= ns(length) {
                break;
            }
        }
        taken.length = Duration::from_nanos(self.clock.ns() - start);
        taken.own_cpu_ns = thread_cpu_ns() - cpu;
        (taken, fault)
    }

    /// One exchange: so many calls, their times, and the answer of the last.
    fn exchange(&mut self, taken: &mut Taken) -> Result<(), Fault> {
        self.number += 1;
        let (mix, oracle) = &mut self.sets[self.current];
        let mut line = format!(r#"{{"calls":{},"request":"#, self.calls).into_bytes();
        let (call, due) = mix.write(self.number, self.number, &mut self.random, &mut line);
        line.push(b'}');
        self.link.send(&line)?;
        let start = self.clock.ns();
        let mut outcome = None;
        while outcome.is_none() {
            let waited = self.clock.ns() - start;
            if waited > ns(self.patience) {
                let after_ms = u64::try_from(self.patience.as_millis()).unwrap_or(u64::MAX);
                return Err(Fault::Silent { method: "calls in process".to_owned(), after_ms });
            }
            self.link.wait(Duration::from_millis(200))?;
            self.link.receive(self.clock, &mut |text, _| {
                outcome = Some(read(text)?);
                Ok(())
            })?;
        }
        let (times, answer) = outcome.unwrap_or_default();
        if times.len() as u64 != self.calls {
            return Err(malformed(&format!("it has {} times, and {} are due", times.len(), self.calls)));
        }
        let Incoming::Answer(message) = read_message(answer.as_bytes())? else {
            return Err(malformed("its answer is none"));
        };
        if message.id != Some(self.number) {
            return Err(malformed("its answer has another id"));
        }
        oracle.check(call, &mix.calls[call], answer.as_bytes(), &message, due.as_deref())?;
        let spent: u64 = times.iter().sum();
        times.iter().for_each(|&time| taken.response.record(time));
        taken.calls += self.calls;
        let mean = (spent / self.calls).max(1);
        self.calls = (ns(EXCHANGE) / mean).clamp(1, MOST);
        Ok(())
    }

    /// The process group.
    #[must_use]
    pub fn group(&self) -> u32 {
        self.link.child.pid()
    }

    /// What the process has used so far.
    pub fn usage(&self) -> Usage {
        usage_of(self.link.child.pid())
    }

    /// Ends it.
    pub fn end(mut self) {
        self.link.child.end();
    }
}

fn malformed(wrong: &str) -> Fault {
    Fault::Malformed { method: "calls in process".to_owned(), wrong: wrong.to_owned() }
}

fn read(text: &[u8]) -> Result<(Vec<u64>, String), Fault> {
    let timed: Timed = serde_json::from_slice(text).map_err(|error| malformed(&error.to_string()))?;
    Ok((timed.ns, timed.answer.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mcp::{Call, Expectation, Protocol};

    fn timer(answer: &str) -> (Taken, Option<Fault>) {
        let call = Call {
            tool: "echo".to_owned(),
            weight: 1,
            arguments: serde_json::Map::new(),
            expect: Expectation { text: Some("hello".to_owned()), structured: None },
            output: None,
        };
        let mix = Mix::new(vec![call], &Protocol::proposed(Era::Legacy));
        let shell =
            Invocation::new("sh", ["-c", &format!("while read -r line; do echo '{answer}'; exec cat; done")]);
        let mut timer = InProcess::start(&shell, vec![mix], Era::Legacy, 1, Duration::from_secs(20)).unwrap();
        let taken = timer.drive(Duration::ZERO, &|| false);
        timer.end();
        taken
    }

    const ANSWER: &str = r#"{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"hello"}]}}"#;

    #[test]
    fn times_are_taken_as_they_are_told() {
        let (taken, fault) = timer(&format!(r#"{{"ns":[5,5,5,5,5,5,5,5,5,900],"answer":{ANSWER}}}"#));
        assert_eq!(fault, None);
        assert_eq!((taken.calls, taken.response.max(), taken.response.quantile(0.5)), (10, 900, Some(5)));
    }

    #[test]
    fn a_wrong_answer_and_missing_times_are_no_measurement() {
        let wrong = ANSWER.replace("hello", "goodbye");
        let ten = "[1,1,1,1,1,1,1,1,1,1]";
        for (line, name) in [
            (format!(r#"{{"ns":{ten},"answer":{wrong}}}"#), "wrong_answer"),
            (format!(r#"{{"ns":[1],"answer":{ANSWER}}}"#), "malformed"),
            (format!(r#"{{"ns":{ten},"answer":{}}}"#, ANSWER.replace(":1,", ":2,")), "malformed"),
            ("hello".to_owned(), "malformed"),
        ] {
            let (taken, fault) = timer(&line);
            assert_eq!((fault.unwrap().name(), taken.calls), (name.to_owned(), 0), "{line}");
        }
    }
}
