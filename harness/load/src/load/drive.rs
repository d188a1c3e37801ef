//! Calls under load: in a closed loop, or at times that are fixed beforehand.

use std::collections::VecDeque;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

use crate::latency::{Arrivals, Load, Times};
use crate::load::clock::{ns, thread_cpu_ns};
use crate::load::flight::{Flight, Sent};
use crate::load::link::Outgoing;
use crate::load::{Client, Usage, usage_of};
use crate::mcp::{Fault, Incoming, Mix, Oracle, read_message};

/// Sends at a time before answers are looked for again.
const BURST: usize = 64;
/// Connections that an open loop may have over HTTP.
const CONNECTIONS: usize = 64;
/// How long stray answers are waited for at the end.
const STRAYS: Duration = Duration::from_millis(20);
/// Below this, in ns, a client on a core of its own waits by looking at the clock.
const SPIN: u64 = 60_000;
/// How long the request that follows an unanswered one may take.
const SECOND_CHANCE: Duration = Duration::from_secs(2);

/// When a stretch of calls ends; whatever comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// After so long.
    pub after: Duration,
    /// After so many calls.
    pub calls: u64,
}

/// Calls of one kind of load.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stretch {
    /// The load.
    pub load: Load,
    /// Its end.
    pub end: End,
    /// The seed of Poisson arrivals.
    pub seed: u64,
    /// Whether the client has a core of its own, on which it may spin.
    pub alone: bool,
    /// Calls are given up when one is open for so long; the stretch is then marked.
    pub give_up: Option<Duration>,
}

/// What was measured.
#[derive(Clone, Debug, Default)]
pub struct Taken {
    /// From when a call was due to its answer.
    pub response: Times,
    /// From when it was sent to its answer.
    pub service: Times,
    /// How late the client was by its own doing.
    pub lag: Times,
    /// Since the Unix epoch, when it began.
    pub began: Duration,
    /// How long it lasted.
    pub length: Duration,
    /// Calls that were answered rightly.
    pub calls: u64,
    /// CPU time of the client's thread, in ns.
    pub own_cpu_ns: u64,
    /// Answers that overtook others.
    pub out_of_order: u64,
    /// Calls that were due and never answered, because they were given up.
    pub given_up: u64,
}

impl Taken {
    /// Adds what was measured later.
    pub fn add(&mut self, other: &Self) {
        self.response.merge(&other.response);
        self.service.merge(&other.service);
        self.lag.merge(&other.lag);
        if self.length.is_zero() {
            self.began = other.began;
        }
        self.length += other.length;
        self.calls += other.calls;
        self.own_cpu_ns += other.own_cpu_ns;
        self.out_of_order += other.out_of_order;
        self.given_up += other.given_up;
    }
}

/// Calls, with what is known of their answers.
struct Calls {
    mix: Mix,
    oracle: Oracle,
    /// Headers that repeat arguments, for each call of the mix.
    mirrored: Vec<Vec<(String, String)>>,
}

/// A server with the calls that are made to it.
pub struct Session {
    /// The server.
    pub client: Client,
    /// One or more sets of calls; one is made at a time.
    sets: Vec<Calls>,
    /// Which one.
    current: usize,
    random: ChaCha8Rng,
    number: u64,
    body: Vec<u8>,
}

/// What an answer is held against, apart from the connection that it comes over.
struct Answers<'a> {
    flight: &'a mut Flight,
    oracle: &'a mut Oracle,
    mix: &'a Mix,
    taken: &'a mut Taken,
    open_loop: bool,
    pings: &'a mut Vec<Value>,
}

impl Answers<'_> {
    fn take(&mut self, text: &[u8], at: u64) -> Result<(), Fault> {
        if let Some((call, id)) = self.oracle.recognise(text)
            && self.flight.get(id).is_some_and(|sent| sent.call == call && sent.due.is_none())
        {
            let sent = self.flight.take(id)?;
            self.count(&sent, at);
            return Ok(());
        }
        match read_message(text)? {
            Incoming::Answer(answer) => {
                let Some(id) = answer.id else {
                    let wrong = match &answer.outcome {
                        Err(error) => format!("it has no id, and says: {}", error.message),
                        Ok(_) => "it has no id".to_owned(),
                    };
                    return Err(Fault::Malformed { method: "tools/call".to_owned(), wrong });
                };
                let sent = self.flight.take(id)?;
                let call = &self.mix.calls[sent.call];
                self.oracle.check(sent.call, call, text, &answer, sent.due.as_deref())?;
                self.count(&sent, at);
                Ok(())
            }
            Incoming::Request { id, method } if method == "ping" => {
                self.pings.push(id);
                Ok(())
            }
            Incoming::Request { method, .. } => Err(Fault::AsksForInput { method }),
            Incoming::Notification { .. } => Ok(()),
        }
    }

    fn count(&mut self, sent: &Sent, at: u64) {
        self.taken.calls += 1;
        self.taken.response.record(at.saturating_sub(sent.intended));
        if self.open_loop {
            self.taken.service.record(at.saturating_sub(sent.sent));
        }
    }
}

/// A mix of calls, and for each of its calls the headers that repeat arguments over HTTP.
pub type CallSet = (Mix, Vec<Vec<(String, String)>>);

impl Session {
    /// Calls to a server, with a seed for the mix. There may be several sets of calls; the first one is made until
    /// [`Session::choose`] says another.
    #[must_use]
    pub fn new(client: Client, sets: Vec<CallSet>, seed: u64) -> Self {
        let era = client.protocol.era;
        let calls =
            |(mix, mirrored): (Mix, _)| Calls { oracle: Oracle::new(mix.calls.len(), era), mix, mirrored };
        Self {
            client,
            sets: sets.into_iter().map(calls).collect(),
            current: 0,
            random: ChaCha8Rng::seed_from_u64(seed),
            number: 0,
            body: Vec::new(),
        }
    }

    /// Makes the calls of another set from now on; the last one where there are fewer.
    pub fn choose(&mut self, set: usize) {
        self.current = set.min(self.sets.len().saturating_sub(1));
    }

    /// Writes a call with this id into `out`. Returns its kind, its tool and the headers that it needs.
    pub(crate) fn write(&self, id: u64, out: &mut Vec<u8>) -> (String, Vec<(String, String)>) {
        let calls = &self.sets[self.current];
        let (index, _) = calls.mix.write(id, id, &mut ChaCha8Rng::seed_from_u64(id), out);
        (calls.mix.calls[index].tool.clone(), calls.mirrored[index].clone())
    }

    /// Makes calls until the end of the stretch or until `stop` says so. What was measured before a fault is
    /// returned with it.
    pub fn drive(&mut self, stretch: &Stretch, stop: &dyn Fn() -> bool) -> (Taken, Option<Fault>) {
        let mut taken = Taken {
            began: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
            ..Taken::default()
        };
        let mut flight = Flight::new(self.client.next_id);
        let (start, cpu) = (self.client.clock.ns(), thread_cpu_ns());
        let outcome = match stretch.load {
            Load::Closed { in_flight } => {
                self.client.link.widen(in_flight as usize);
                self.closed(stretch, in_flight as usize, &mut flight, &mut taken, stop)
            }
            Load::Open { rate, poisson } => {
                self.client.link.widen(CONNECTIONS);
                let arrivals = Arrivals::new(rate, poisson.then_some(stretch.seed));
                self.open(stretch, arrivals, &mut flight, &mut taken, stop)
            }
        };
        taken.length = Duration::from_nanos(self.client.clock.ns() - start);
        taken.own_cpu_ns = thread_cpu_ns() - cpu;
        taken.out_of_order = flight.out_of_order;
        (taken, outcome.err())
    }

    /// Listens for answers that nobody asked for, at the end of a launch.
    ///
    /// # Errors
    /// The [`Fault`] that came.
    pub fn strays(&mut self) -> Result<(), Fault> {
        let mut flight = Flight::new(self.client.next_id);
        let start = self.client.clock.ns();
        while self.client.clock.ns() - start < ns(STRAYS) {
            self.client.link.wait(STRAYS)?;
            self.receive(&mut flight, &mut Taken::default(), false)?;
        }
        Ok(())
    }

    /// What the server's process group has used so far.
    pub fn usage(&mut self) -> Usage {
        usage_of(self.client.group())
    }

    fn closed(
        &mut self,
        stretch: &Stretch,
        in_flight: usize,
        flight: &mut Flight,
        taken: &mut Taken,
        stop: &dyn Fn() -> bool,
    ) -> Result<(), Fault> {
        let start = self.client.clock.ns();
        let (end, mut sent, mut now) = (start + ns(stretch.end.after), 0, start);
        loop {
            let more = now < end && sent < stretch.end.calls && !stop();
            while more && flight.open() < in_flight && sent < stretch.end.calls && self.client.link.has_room()
            {
                self.send(flight, None)?;
                sent += 1;
            }
            if !more && flight.open() == 0 {
                return Ok(());
            }
            self.client.link.wait(self.patience_left(flight, now))?;
            self.receive(flight, taken, false)?;
            now = self.client.clock.ns();
            self.overdue(flight, now)?;
        }
    }

    fn open(
        &mut self,
        stretch: &Stretch,
        mut arrivals: Arrivals,
        flight: &mut Flight,
        taken: &mut Taken,
        stop: &dyn Fn() -> bool,
    ) -> Result<(), Fault> {
        let start = self.client.clock.ns();
        let end = start + ns(stretch.end.after);
        let mut due = start + arrivals.due();
        let (mut waiting, mut planned) = (VecDeque::new(), 0_u64);
        // From when on the way to the server is free: before that, it is not the client that is late.
        let mut free_since = start;
        loop {
            let now = self.client.clock.ns();
            let ended = |due: u64, planned: u64| due >= end || planned >= stretch.end.calls || stop();
            while due <= now && !ended(due, planned) {
                waiting.push_back(due);
                planned += 1;
                due = start + arrivals.due();
            }
            for _ in 0..BURST {
                if !self.client.link.has_room() {
                    break;
                }
                let Some(intended) = waiting.pop_front() else { break };
                let sent = self.send(flight, Some(intended))?;
                taken.lag.record(sent.saturating_sub(intended.max(free_since)));
            }
            let over = ended(due, planned);
            if over && waiting.is_empty() && flight.open() == 0 {
                return Ok(());
            }
            if self.is_hopeless(stretch, flight, waiting.front().copied(), now, over.then_some(end)) {
                taken.given_up = waiting.len() as u64 + flight.open() as u64;
                return Ok(());
            }
            let had_room = self.client.link.has_room();
            let until_due = if over { u64::MAX } else { due.saturating_sub(self.client.clock.ns()) };
            let until_due = if had_room && !waiting.is_empty() { 0 } else { until_due };
            let spin = stretch.alone && until_due < SPIN;
            let nap = if spin { Duration::ZERO } else { Duration::from_nanos(until_due) };
            self.client.link.wait(nap.min(self.patience_left(flight, now)))?;
            self.receive(flight, taken, true)?;
            let now = self.client.clock.ns();
            if !had_room {
                free_since = now;
            }
            self.overdue(flight, now)?;
        }
    }

    /// Whether a stretch is to be given up: a call waits for longer than it allows, or the calls that are left
    /// after its end are not answered in time.
    fn is_hopeless(
        &self,
        stretch: &Stretch,
        flight: &Flight,
        waiting: Option<u64>,
        now: u64,
        ended: Option<u64>,
    ) -> bool {
        let oldest = flight.oldest().map(|(_, sent)| sent.intended).or(waiting);
        let age = oldest.map_or(0, |oldest| now.saturating_sub(oldest));
        stretch.give_up.is_some_and(|limit| age > ns(limit))
            || ended.is_some_and(|end| waiting.is_some() && now > end + ns(self.client.patience))
    }

    /// Sends the next call. Returns when.
    fn send(&mut self, flight: &mut Flight, intended: Option<u64>) -> Result<u64, Fault> {
        let id = self.client.next_id;
        self.client.next_id += 1;
        self.body.clear();
        let calls = &self.sets[self.current];
        let (call, due) = calls.mix.write(id, self.number, &mut self.random, &mut self.body);
        self.number += 1;
        let sent = self.client.clock.ns();
        flight.push(Sent { call, intended: intended.unwrap_or(sent), sent, due });
        let message = Outgoing {
            id: Some(id),
            method: "tools/call",
            name: Some(&calls.mix.calls[call].tool),
            mirrored: &calls.mirrored[call],
            body: &self.body,
        };
        self.client.link.send(&self.client.protocol, message)?;
        Ok(sent)
    }

    fn receive(&mut self, flight: &mut Flight, taken: &mut Taken, open_loop: bool) -> Result<(), Fault> {
        let mut pings = Vec::new();
        let calls = &mut self.sets[self.current];
        let (oracle, mix) = (&mut calls.oracle, &calls.mix);
        let mut answers = Answers { flight, oracle, mix, taken, open_loop, pings: &mut pings };
        self.client.link.receive(self.client.clock, &mut |text, at| answers.take(text, at))?;
        if pings.is_empty() { Ok(()) } else { self.client.pong(&pings) }
    }

    fn patience_left(&self, flight: &Flight, now: u64) -> Duration {
        let patience = ns(self.client.patience);
        let left = flight.oldest().map_or(patience, |(_, sent)| (sent.sent + patience).saturating_sub(now));
        // A signal that comes between a look at it and the wait is seen this much later.
        Duration::from_nanos(left.clamp(1, 200_000_000))
    }

    /// A call that is open for too long is a fault; which one, a request after it tells.
    fn overdue(&mut self, flight: &mut Flight, now: u64) -> Result<(), Fault> {
        let patience = self.client.patience;
        let Some((id, sent)) = flight.oldest() else { return Ok(()) };
        if now.saturating_sub(sent.sent) < ns(patience) {
            return Ok(());
        }
        let after_ms = u64::try_from(patience.as_millis()).unwrap_or(u64::MAX);
        let dropped = Fault::Dropped { id, after_ms };
        let method = format!("tools/call {}", self.sets[self.current].mix.calls[sent.call].tool);
        if flight.was_overtaken() {
            return Err(dropped);
        }
        self.client.link.widen(flight.open() + 1);
        let deadline = now + ns(patience.min(SECOND_CHANCE));
        if self.client.link.has_room() {
            self.send(flight, None)?;
        }
        while self.client.clock.ns() < deadline {
            self.client.link.wait(Duration::from_millis(20))?;
            self.receive(flight, &mut Taken::default(), false)?;
            if flight.oldest().is_none_or(|(oldest, _)| oldest != id) {
                return Err(Fault::Late { method, after_ms });
            }
            if flight.was_overtaken() {
                return Err(dropped);
            }
        }
        Err(Fault::Silent { method, after_ms })
    }
}
