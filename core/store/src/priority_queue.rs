//! A bounded queue of four priorities for several senders and receivers.
//!
//! Messages of one priority leave in the order in which they came. Which priority is next is the queue's
//! [`Order`].

use std::collections::VecDeque;
use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, MutexGuard};
use serde::{Deserialize, Serialize};

/// How urgent a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// After everything else.
    Low,
    /// The ordinary.
    Normal,
    /// Before the ordinary.
    High,
    /// Before everything else.
    Urgent,
}

impl Priority {
    /// All of them, the least urgent first.
    pub const ALL: [Self; 4] = [Self::Low, Self::Normal, Self::High, Self::Urgent];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
            Self::Urgent => "urgent",
        }
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A name that no priority has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown priority {0:?}: low, normal, high or urgent")]
pub struct UnknownPriority(pub String);

impl FromStr for Priority {
    type Err = UnknownPriority;

    fn from_str(name: &str) -> Result<Self, UnknownPriority> {
        Self::ALL
            .into_iter()
            .find(|priority| priority.name() == name)
            .ok_or_else(|| UnknownPriority(name.to_owned()))
    }
}

/// Which priority is received next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// The most urgent that has a message: others wait as long as there are such.
    Strict,
    /// The same, but a priority that has been passed over [`PATIENCE`] times in a row goes first, so that no
    /// message at the head of its priority sees more than [`FAIR_BOUND`] others go before it.
    Fair,
}

/// How often a waiting priority is passed over before it goes first ([`Order::Fair`]).
pub const PATIENCE: u32 = 13;

/// The most messages of other priorities that are received while one waits at the head of its own
/// ([`Order::Fair`]): its [`PATIENCE`], and then each of the three others once, where these have waited
/// even longer.
pub const FAIR_BOUND: u32 = PATIENCE + 3;

/// One number for each priority.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PerPriority {
    /// Of [`Priority::Low`].
    pub low: u64,
    /// Of [`Priority::Normal`].
    pub normal: u64,
    /// Of [`Priority::High`].
    pub high: u64,
    /// Of [`Priority::Urgent`].
    pub urgent: u64,
}

impl PerPriority {
    /// The number of one priority.
    #[must_use]
    pub fn of(&self, priority: Priority) -> u64 {
        match priority {
            Priority::Low => self.low,
            Priority::Normal => self.normal,
            Priority::High => self.high,
            Priority::Urgent => self.urgent,
        }
    }

    /// All four together.
    #[must_use]
    pub fn total(&self) -> u64 {
        Priority::ALL.into_iter().map(|priority| self.of(priority)).sum()
    }

    fn count(&mut self, priority: Priority) {
        let number = match priority {
            Priority::Low => &mut self.low,
            Priority::Normal => &mut self.normal,
            Priority::High => &mut self.high,
            Priority::Urgent => &mut self.urgent,
        };
        *number += 1;
    }
}

/// What went through a queue; exact at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct QueueStatistics {
    /// Messages that were taken in.
    pub sent: PerPriority,
    /// Messages that were handed out.
    pub received: PerPriority,
    /// Messages that were given back to their sender, because the queue was full or closed, or memory was.
    pub rejected: PerPriority,
    /// How many messages wait.
    pub depth: u64,
    /// The most that ever waited.
    pub max_depth: u64,
}

/// Why a message was not taken; it is given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError<T> {
    /// There is no room, or none came free in time.
    #[error("the queue is full: receive first, or wait longer")]
    Full(T),
    /// The queue was closed.
    #[error("the queue is closed: it takes no more messages")]
    Closed(T),
    /// The system has no memory for another message.
    #[error("there is no memory for another message: receive first")]
    NoMemory(T),
}

impl<T> SendError<T> {
    /// The message.
    pub fn into_message(self) -> T {
        match self {
            Self::Full(message) | Self::Closed(message) | Self::NoMemory(message) => message,
        }
    }
}

/// Why there is no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecvError {
    /// None waits now.
    #[error("the queue is empty")]
    Empty,
    /// None waits, and none will come.
    #[error("the queue is closed and empty")]
    Closed,
    /// None came in time.
    #[error("no message came in time")]
    TimedOut,
}

/// A bounded queue of four priorities.
pub struct PriorityQueue<T> {
    state: Mutex<State<T>>,
    not_empty: Condvar,
    not_full: Condvar,
    changes: AtomicU32,
    /// How many threads wait for [`PriorityQueue::changes`].
    watchers: AtomicU32,
    capacity: usize,
    order: Order,
}

struct State<T> {
    /// By priority.
    waiting: [VecDeque<T>; 4],
    /// How often each priority was passed over in a row while it had a message.
    passed_over: [u32; 4],
    depth: usize,
    closed: bool,
    statistics: QueueStatistics,
}

impl<T> PriorityQueue<T> {
    /// An empty queue that holds up to `capacity` messages of all priorities together.
    #[must_use]
    pub fn new(capacity: usize, order: Order) -> Self {
        Self {
            state: Mutex::new(State {
                waiting: [const { VecDeque::new() }; 4],
                passed_over: [0; 4],
                depth: 0,
                closed: false,
                statistics: QueueStatistics::default(),
            }),
            not_empty: Condvar::new(),
            not_full: Condvar::new(),
            changes: AtomicU32::new(0),
            watchers: AtomicU32::new(0),
            capacity,
            order,
        }
    }

    /// Sends a message if there is room now.
    ///
    /// # Errors
    /// [`SendError`] with the message.
    pub fn try_send(&self, message: T, priority: Priority) -> Result<(), SendError<T>> {
        self.send_in(self.state.lock(), message, priority)
    }

    /// Sends a message, and waits up to `timeout` for room.
    ///
    /// # Errors
    /// [`SendError`] with the message.
    pub fn send_timeout(
        &self,
        message: T,
        priority: Priority,
        timeout: Duration,
    ) -> Result<(), SendError<T>> {
        let mut state = self.state.lock();
        self.wait(&self.not_full, &mut state, timeout, |state| state.depth < self.capacity);
        self.send_in(state, message, priority)
    }

    /// Receives the next message if there is one now.
    ///
    /// # Errors
    /// [`RecvError::Empty`], or [`RecvError::Closed`] when none will come.
    pub fn try_recv(&self) -> Result<(T, Priority), RecvError> {
        self.receive_in(self.state.lock())
    }

    /// Receives the next message, and waits up to `timeout` for one.
    ///
    /// # Errors
    /// [`RecvError::TimedOut`], or [`RecvError::Closed`] when none will come.
    pub fn recv_timeout(&self, timeout: Duration) -> Result<(T, Priority), RecvError> {
        let mut state = self.state.lock();
        self.wait(&self.not_empty, &mut state, timeout, |state| state.depth > 0);
        self.receive_in(state).map_err(|error| match error {
            RecvError::Empty => RecvError::TimedOut,
            other => other,
        })
    }

    /// Takes no more messages. What waits can still be received; everyone who waits for room, or for a
    /// message of an empty queue, learns of it at once.
    pub fn close(&self) {
        self.state.lock().closed = true;
        self.not_empty.notify_all();
        self.not_full.notify_all();
        self.change();
    }

    /// A number that is another one after each message and after [`PriorityQueue::close`], for
    /// [`PriorityQueue::wait_for_change`].
    #[must_use]
    pub fn changes(&self) -> u32 {
        self.changes.load(Ordering::SeqCst)
    }

    /// Waits, for up to `timeout`, until [`PriorityQueue::changes`] is no longer `seen`. It may return earlier.
    ///
    /// No lock is held or taken meanwhile, so that a process can fork while threads wait: look first, then wait for a
    /// change since the look.
    pub fn wait_for_change(&self, seen: u32, timeout: Duration) {
        self.watchers.fetch_add(1, Ordering::SeqCst);
        wait(&self.changes, seen, timeout);
        self.watchers.fetch_sub(1, Ordering::SeqCst);
    }

    fn change(&self) {
        self.changes.fetch_add(1, Ordering::SeqCst);
        // A thread that begins to watch after this look finds the new number.
        if self.watchers.load(Ordering::SeqCst) > 0 {
            wake(&self.changes);
        }
    }

    /// Whether it was closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.state.lock().closed
    }

    /// How many messages wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.state.lock().depth
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The most messages that can wait.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// What went through so far.
    #[must_use]
    pub fn statistics(&self) -> QueueStatistics {
        let state = self.state.lock();
        QueueStatistics { depth: state.depth as u64, ..state.statistics }
    }

    /// Waits until the queue is `ready` or closed, or `timeout` has passed.
    fn wait(
        &self,
        signal: &Condvar,
        state: &mut MutexGuard<'_, State<T>>,
        timeout: Duration,
        ready: impl Fn(&State<T>) -> bool,
    ) {
        if ready(state) || state.closed {
            return;
        }
        let waits = |state: &mut State<T>| !ready(state) && !state.closed;
        match Instant::now().checked_add(timeout) {
            Some(deadline) => {
                signal.wait_while_until(state, waits, deadline);
            }
            // Further than the clock reaches.
            None => signal.wait_while(state, waits),
        }
    }

    fn send_in(
        &self,
        mut state: MutexGuard<'_, State<T>>,
        message: T,
        priority: Priority,
    ) -> Result<(), SendError<T>> {
        if state.closed || state.depth >= self.capacity {
            state.statistics.rejected.count(priority);
            return Err(if state.closed { SendError::Closed(message) } else { SendError::Full(message) });
        }
        if state.waiting[priority as usize].try_reserve(1).is_err() {
            state.statistics.rejected.count(priority);
            return Err(SendError::NoMemory(message));
        }
        state.waiting[priority as usize].push_back(message);
        state.depth += 1;
        state.statistics.sent.count(priority);
        state.statistics.max_depth = state.statistics.max_depth.max(state.depth as u64);
        drop(state);
        self.not_empty.notify_one();
        self.change();
        Ok(())
    }

    fn receive_in(&self, mut state: MutexGuard<'_, State<T>>) -> Result<(T, Priority), RecvError> {
        let Some(received) = state.take(self.order) else {
            return Err(if state.closed { RecvError::Closed } else { RecvError::Empty });
        };
        drop(state);
        self.not_full.notify_one();
        self.change();
        Ok(received)
    }
}

#[cfg(target_os = "linux")]
fn wait(number: &AtomicU32, seen: u32, timeout: Duration) {
    use rustix::thread::{Timespec, futex};
    // Longer than the clock reaches is for ever.
    let timeout = Timespec::try_from(timeout).ok();
    // It has changed, the time is over, or a signal came: the caller looks itself.
    let _ = futex::wait(number, futex::Flags::PRIVATE, seen, timeout.as_ref());
}

#[cfg(target_os = "linux")]
fn wake(number: &AtomicU32) {
    use rustix::thread::futex;
    // Nobody to wake is not an error.
    let _ = futex::wake(number, futex::Flags::PRIVATE, i32::MAX.unsigned_abs());
}

/// Without futexes a change is seen within a millisecond.
#[cfg(not(target_os = "linux"))]
fn wait(number: &AtomicU32, seen: u32, timeout: Duration) {
    if number.load(Ordering::SeqCst) == seen {
        std::thread::sleep(timeout.min(Duration::from_millis(1)));
    }
}

#[cfg(not(target_os = "linux"))]
fn wake(_number: &AtomicU32) {}

impl<T> State<T> {
    fn take(&mut self, order: Order) -> Option<(T, Priority)> {
        let priority = self.next(order)?;
        let message = self.waiting[priority as usize].pop_front()?;
        self.depth -= 1;
        self.statistics.received.count(priority);
        for (waiting, passed_over) in self.waiting.iter().zip(&mut self.passed_over) {
            *passed_over = if waiting.is_empty() { 0 } else { *passed_over + 1 };
        }
        self.passed_over[priority as usize] = 0;
        Some((message, priority))
    }

    fn next(&self, order: Order) -> Option<Priority> {
        let waiting = || {
            Priority::ALL.into_iter().rev().filter(|priority| !self.waiting[*priority as usize].is_empty())
        };
        let patience = |priority: &Priority| self.passed_over[*priority as usize];
        let impatient = || waiting().filter(|priority| patience(priority) >= PATIENCE).max_by_key(patience);
        match order {
            Order::Strict => waiting().next(),
            Order::Fair => impatient().or_else(|| waiting().next()),
        }
    }
}

#[cfg(test)]
mod tests;
