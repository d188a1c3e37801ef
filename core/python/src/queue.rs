//! `PriorityQueue`: Python objects from some threads to others, the urgent first.
#![expect(clippy::needless_pass_by_value, reason = "pyo3 passes converted arguments by value")]

use crate::guard::{guarded, released};
use crate::numbers::{Count, Seconds};
use mcp_python_face::json;
use mcp_store::priority_queue::{self, Order, Priority, RecvError, SendError};
use pyo3::create_exception;
use pyo3::exceptions::{PyException, PyMemoryError, PyValueError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;
use pyo3::types::PyType;
use std::cell::RefCell;
use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

create_exception!(
    mcp_rust_core,
    QueueClosed,
    PyException,
    "The queue takes no more messages; raised by a receive only when none is left."
);

/// How long a thread waits before it looks whether a signal came, such as a keyboard interrupt.
const NAP: Duration = Duration::from_millis(50);

/// A message that was received, and its priority.
type Received = (Py<PyAny>, &'static str);

/// A bounded queue of four priorities: "low", "normal", "high" and "urgent".
///
/// Messages are any objects; those of one priority are received in the order in which they were sent. With the
/// order "strict" the most urgent message is next; with "fair" a priority that has been passed over many times in
/// a row goes first. While a thread waits, others run, and a keyboard interrupt ends the wait.
///
/// >>> from mcp_rust_core import PriorityQueue
/// >>> queue = PriorityQueue(100)
/// >>> queue.send("report")
/// >>> queue.send("fire", priority="urgent")
/// >>> queue.receive(), queue.receive()
/// (('fire', 'urgent'), ('report', 'normal'))
#[pyclass(frozen, weakref, module = "mcp_rust_core")]
// Locked only with the interpreter held, and waited for without the lock, so that the child of a `fork`, which is a
// thread that holds the interpreter, finds nothing locked.
pub(crate) struct PriorityQueue {
    queue: priority_queue::PriorityQueue<Py<PyAny>>,
    /// By priority, how often a message that waits for room was given back only to be sent again.
    retries: [AtomicU64; 4],
}

#[pymethods]
impl PriorityQueue {
    #[new]
    #[pyo3(signature = (capacity, order=Ordered(Order::Strict)), text_signature = "(capacity, order='strict')")]
    fn new(capacity: Count, order: Ordered) -> PyResult<Self> {
        if capacity.0 == 0 {
            return Err(PyValueError::new_err("capacity is 0; room for at least 1 message is wanted"));
        }
        guarded(|| {
            let queue = priority_queue::PriorityQueue::new(capacity.0, order.0);
            Ok(Self { queue, retries: Default::default() })
        })
    }

    /// Sends a message, and waits for room: up to `timeout` seconds, or as long as it takes.
    ///
    /// Raises `queue.Full` where none came free in time, and `QueueClosed`.
    #[pyo3(
        signature = (message, priority=Named(Priority::Normal), timeout=None),
        text_signature = "($self, message, priority='normal', timeout=None)"
    )]
    fn send(
        &self,
        py: Python<'_>,
        message: Py<PyAny>,
        priority: Named,
        timeout: Option<Seconds>,
    ) -> PyResult<()> {
        let Named(priority) = priority;
        let deadline = Deadline::after(timeout);
        let mut unsent = message;
        loop {
            let seen = self.queue.changes();
            match guarded(|| Ok(self.queue.try_send(unsent, priority)))? {
                Err(SendError::Full(message)) if !deadline.has_passed() => unsent = message,
                other => return sent(py, other),
            }
            py.check_signals()?;
            self.retries[priority as usize].fetch_add(1, Ordering::Relaxed);
            self.nap(py, seen, &deadline)?;
        }
    }

    /// Sends a message if there is room now. Raises `queue.Full` and `QueueClosed`.
    #[pyo3(
        signature = (message, priority=Named(Priority::Normal)),
        text_signature = "($self, message, priority='normal')"
    )]
    fn try_send(&self, py: Python<'_>, message: Py<PyAny>, priority: Named) -> PyResult<()> {
        let Named(priority) = priority;
        sent(py, guarded(|| Ok(self.queue.try_send(message, priority)))?)
    }

    /// Receives the next message, and waits for one: up to `timeout` seconds, or as long as it takes.
    ///
    /// The answer is the message and its priority. Raises `queue.Empty` where none came in time, and
    /// `QueueClosed` where none will come.
    #[pyo3(signature = (timeout=None))]
    fn receive(&self, py: Python<'_>, timeout: Option<Seconds>) -> PyResult<Received> {
        let deadline = Deadline::after(timeout);
        loop {
            let seen = self.queue.changes();
            match guarded(|| Ok(self.queue.try_recv()))? {
                Err(RecvError::Empty) if !deadline.has_passed() => {}
                // None came in time, which only a wait can say.
                Err(RecvError::Empty) if timeout.is_some_and(|Seconds(timeout)| !timeout.is_zero()) => {
                    return received(py, Err(RecvError::TimedOut));
                }
                other => return received(py, other),
            }
            py.check_signals()?;
            self.nap(py, seen, &deadline)?;
        }
    }

    /// Receives the next message if there is one now. Raises `queue.Empty` and `QueueClosed`.
    fn try_receive(&self, py: Python<'_>) -> PyResult<Received> {
        received(py, guarded(|| Ok(self.queue.try_recv()))?)
    }

    /// Takes no more messages. What waits can still be received; threads that wait for room, or for a message of
    /// an empty queue, get `QueueClosed` at once.
    fn close(&self) -> PyResult<()> {
        guarded(|| {
            self.queue.close();
            Ok(())
        })
    }

    /// Whether the queue was closed.
    #[getter]
    fn closed(&self) -> bool {
        self.queue.is_closed()
    }

    /// The most messages that can wait.
    #[getter]
    fn capacity(&self) -> usize {
        self.queue.capacity()
    }

    /// What went through (`sent`, `received`, `rejected`, by priority), how many messages wait (`depth`), and the
    /// most that ever did (`max_depth`), as a dict.
    fn statistics<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let mut statistics = self.queue.statistics();
        let [low, normal, high, urgent] =
            self.retries.each_ref().map(|retries| retries.load(Ordering::Relaxed));
        let rejected = &mut statistics.rejected;
        for (rejected, retries) in [
            (&mut rejected.low, low),
            (&mut rejected.normal, normal),
            (&mut rejected.high, high),
            (&mut rejected.urgent, urgent),
        ] {
            *rejected = rejected.saturating_sub(retries);
        }
        json::from_value(py, &statistics)
    }

    fn __len__(&self) -> usize {
        self.queue.len()
    }

    fn __repr__(&self) -> String {
        let closed = if self.queue.is_closed() { ", closed" } else { "" };
        format!("<PriorityQueue: {} of {} messages{closed}>", self.queue.len(), self.queue.capacity())
    }
}

impl PriorityQueue {
    /// Waits for a change since `seen` with the interpreter released, for a while at most.
    fn nap(&self, py: Python<'_>, seen: u32, deadline: &Deadline) -> PyResult<()> {
        released(py, || self.queue.wait_for_change(seen, deadline.nap()))
    }
}

thread_local! {
    /// The queues that are dropped while another one's messages are.
    static DROPPED: RefCell<Option<Vec<priority_queue::PriorityQueue<Py<PyAny>>>>> = const { RefCell::new(None) };
}

/// A queue may wait in a queue, and so on: dropped inside each other, they would take the stack to its end.
impl Drop for PriorityQueue {
    fn drop(&mut self) {
        let queue = mem::replace(&mut self.queue, priority_queue::PriorityQueue::new(0, Order::Strict));
        let outermost = DROPPED.with_borrow_mut(|dropped| match dropped {
            Some(dropped) => {
                dropped.push(queue);
                None
            }
            None => {
                *dropped = Some(Vec::new());
                Some(queue)
            }
        });
        let mut next = outermost;
        while let Some(queue) = next {
            while let Ok((message, _)) = queue.try_recv() {
                drop(message);
            }
            next = DROPPED.with_borrow_mut(|dropped| {
                let pending = dropped.as_mut().and_then(Vec::pop);
                if pending.is_none() {
                    *dropped = None;
                }
                pending
            });
        }
    }
}

/// When a wait ends.
struct Deadline(Option<Instant>);

impl Deadline {
    /// Without a timeout, or with one beyond what clocks can tell, never.
    fn after(timeout: Option<Seconds>) -> Self {
        Self(timeout.and_then(|Seconds(timeout)| Instant::now().checked_add(timeout)))
    }

    fn has_passed(&self) -> bool {
        self.0.is_some_and(|end| Instant::now() >= end)
    }

    /// How long to wait before the next look at signals.
    fn nap(&self) -> Duration {
        self.0.map_or(NAP, |end| end.saturating_duration_since(Instant::now()).min(NAP))
    }
}

/// A priority by its name.
struct Named(Priority);

impl<'py> FromPyObject<'_, 'py> for Named {
    type Error = PyErr;

    fn extract(name: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let name: PyBackedStr = name.extract()?;
        let named = name.parse().map(Self);
        named.map_err(|error: priority_queue::UnknownPriority| PyValueError::new_err(error.to_string()))
    }
}

/// An order by its name.
struct Ordered(Order);

impl<'py> FromPyObject<'_, 'py> for Ordered {
    type Error = PyErr;

    fn extract(name: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let name: PyBackedStr = name.extract()?;
        match &*name {
            "strict" => Ok(Self(Order::Strict)),
            "fair" => Ok(Self(Order::Fair)),
            other => Err(PyValueError::new_err(format!("unknown order {other:?}: strict or fair"))),
        }
    }
}

fn sent(py: Python<'_>, outcome: Result<(), SendError<Py<PyAny>>>) -> PyResult<()> {
    outcome.map_err(|error| {
        let text = error.to_string();
        match error {
            SendError::Full(_) => of_module_queue(py, "Full", text),
            SendError::Closed(_) => QueueClosed::new_err(text),
            SendError::NoMemory(_) => PyMemoryError::new_err(text),
        }
    })
}

fn received(py: Python<'_>, outcome: Result<(Py<PyAny>, Priority), RecvError>) -> PyResult<Received> {
    match outcome {
        Ok((message, priority)) => Ok((message, priority.name())),
        Err(error @ RecvError::Closed) => Err(QueueClosed::new_err(error.to_string())),
        Err(error @ (RecvError::Empty | RecvError::TimedOut)) => {
            Err(of_module_queue(py, "Empty", error.to_string()))
        }
    }
}

/// An exception of the standard module `queue`.
fn of_module_queue(py: Python<'_>, name: &str, text: String) -> PyErr {
    let class = py.import("queue").and_then(|module| module.getattr(name));
    match class.and_then(|class| Ok(class.cast_into::<PyType>()?)) {
        Ok(class) => PyErr::from_type(class, text),
        Err(error) => error,
    }
}
