//! Work that lets other Python threads run meanwhile, and how it ends together with the interpreter.
//!
//! A daemon thread that comes back to an interpreter which is shutting down is ended by CPython (before 3.14)
//! with `pthread_exit`, which unwinds its stack; Rust's frames on it turn that into an abort of the process.
//! So a function that `atexit` calls closes the way back: threads that finish their work later stay outside,
//! until the process ends, and those that are on the way are waited for.

use crate::guard::internal_error;
use pyo3::prelude::*;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How long the end of the interpreter waits for threads on their way back, at most. They need the
/// interpreter only, so it takes microseconds; a child of `fork` may wait for threads that it does not have.
const PATIENCE: Duration = Duration::from_millis(500);

/// The interpreter is shutting down.
static CLOSED: AtomicBool = AtomicBool::new(false);
/// How many threads are between their work and the interpreter.
static RETURNING: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// This thread closed the way: it is the one that ends the interpreter, and may use it to its end.
    static CLOSED_IT: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work` with the interpreter released. A panic becomes an `InternalError`.
pub(crate) fn released<T: Send>(py: Python<'_>, work: impl FnOnce() -> T + Send) -> PyResult<T> {
    let outcome = py.detach(|| {
        let outcome = catch_unwind(AssertUnwindSafe(work));
        return_or_stay();
        outcome
    });
    RETURNING.fetch_sub(1, Ordering::SeqCst);
    outcome.map_err(|payload| internal_error(&*payload))
}

/// Announces that this thread returns to the interpreter; where that has closed, it never does.
fn return_or_stay() {
    // This and the closing are sequentially consistent: either this thread sees that the way is closed, or
    // the closing thread sees that this one is on it.
    RETURNING.fetch_add(1, Ordering::SeqCst);
    if CLOSED.load(Ordering::SeqCst) && !CLOSED_IT.get() {
        RETURNING.fetch_sub(1, Ordering::SeqCst);
        loop {
            std::thread::park();
        }
    }
}

/// Has the interpreter call [`close`] before it shuts down.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let atexit = module.py().import("atexit")?;
    atexit.call_method1("register", (wrap_pyfunction!(close, module)?,))?;
    Ok(())
}

/// Closes the way back, and waits for those that are on it.
#[pyfunction]
fn close(py: Python<'_>) -> PyResult<()> {
    CLOSED_IT.set(true);
    CLOSED.store(true, Ordering::SeqCst);
    py.detach(|| {
        let deadline = Instant::now() + PATIENCE;
        while RETURNING.load(Ordering::SeqCst) > 0 && Instant::now() < deadline {
            std::thread::sleep(Duration::from_micros(100));
        }
    });
    Ok(())
}
