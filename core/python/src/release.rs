//! Work that lets other Python threads run meanwhile, calls of Python code, and how both end together with the
//! interpreter.
//!
//! A daemon thread that waits for an interpreter which is shutting down is ended by CPython (before 3.14) with
//! `pthread_exit`, which unwinds its stack; Rust's frames on it turn that into an abort of the process. So a
//! function that `atexit` calls closes the way into the interpreter first:
//! - threads that finish released work later stay outside until the process ends, and those on their way in are
//!   waited for;
//! - Python code that was called from here gets `SystemExit` in daemon threads, is waited for, and its thread
//!   stays outside as well.
//!
//! What is left is Python code that sits in one blocking call for longer than [`PATIENCE`] and comes back just
//! while the interpreter is taken apart.

use crate::guard::internal_error;
use pyo3::exceptions::{PyRecursionError, PySystemExit};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::cell::Cell;
use std::collections::HashSet;
use std::ffi::c_ulong;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long the end of the interpreter waits for other threads, at most. They need the interpreter only, so it
/// takes microseconds, but for Python code in a blocking call.
const PATIENCE: Duration = Duration::from_millis(500);

/// How many calls of Python code may be under way inside each other in one thread: what stands between a handler
/// that calls itself and the end of the stack, where no Python frame counts the levels.
const DEEPEST: u32 = 200;

/// The interpreter is shutting down.
static CLOSED: AtomicBool = AtomicBool::new(false);
/// How many threads are between their work and the interpreter.
static RETURNING: AtomicUsize = AtomicUsize::new(0);
/// The threads in which Python code is under way that was called from here, as `threading.get_ident` names them.
/// Locked only with the interpreter held, or when it ends, so that `fork` does not find it locked.
static CALLERS: LazyLock<Mutex<HashSet<c_ulong>>> = LazyLock::new(Mutex::default);

thread_local! {
    /// This thread closed the way: it is the one that ends the interpreter, and may use it to its end.
    static CLOSED_IT: Cell<bool> = const { Cell::new(false) };
    /// How many calls of Python code are under way in this thread.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    /// What `threading.get_ident` says in this thread; 0 before it was asked.
    static IDENT: Cell<c_ulong> = const { Cell::new(0) };
}

/// Runs `work` with the interpreter released. A panic becomes an `InternalError`.
pub(crate) fn released<T: Send>(py: Python<'_>, work: impl FnOnce() -> T + Send) -> PyResult<T> {
    let outcome = py.detach(|| {
        let outcome = catch_unwind(AssertUnwindSafe(work));
        // This and the closing are sequentially consistent: either this thread sees that the way is closed, or
        // the closing thread sees that this one is on it.
        RETURNING.fetch_add(1, Ordering::SeqCst);
        if is_shut_out() {
            RETURNING.fetch_sub(1, Ordering::SeqCst);
            stay_outside();
        }
        outcome
    });
    RETURNING.fetch_sub(1, Ordering::SeqCst);
    outcome.map_err(|payload| internal_error(&*payload))
}

/// Runs `work`, which calls Python code that may take long or call back.
///
/// # Errors
/// Those of `work`; `RecursionError` where more than [`DEEPEST`] such calls are inside each other.
pub(crate) fn calling<T>(py: Python<'_>, work: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    let _level = Level::enter(py)?;
    work()
}

/// Whether the way into the interpreter is closed for this thread.
fn is_shut_out() -> bool {
    CLOSED.load(Ordering::SeqCst) && !CLOSED_IT.get()
}

/// Waits until the process ends. The interpreter must be released.
fn stay_outside() -> ! {
    callers().remove(&IDENT.get());
    loop {
        std::thread::park();
    }
}

/// One call of Python code under way in this thread.
struct Level<'py>(Python<'py>);

impl<'py> Level<'py> {
    fn enter(py: Python<'py>) -> PyResult<Self> {
        let depth = DEPTH.get();
        if depth >= DEEPEST {
            return Err(PyRecursionError::new_err(format!(
                "handlers call each other more than {DEEPEST} deep"
            )));
        }
        if depth == 0 {
            if is_shut_out() {
                py.detach(|| stay_outside());
            }
            callers().insert(ident(py)?);
        }
        DEPTH.set(depth + 1);
        Ok(Self(py))
    }
}

impl Drop for Level<'_> {
    fn drop(&mut self) {
        let depth = DEPTH.get() - 1;
        DEPTH.set(depth);
        if depth == 0 {
            callers().remove(&IDENT.get());
            if is_shut_out() {
                self.0.detach(|| stay_outside());
            }
        }
    }
}

fn callers() -> std::sync::MutexGuard<'static, HashSet<c_ulong>> {
    CALLERS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn ident(py: Python<'_>) -> PyResult<c_ulong> {
    if IDENT.get() == 0 {
        IDENT.set(py.import("threading")?.call_method0("get_ident")?.extract()?);
    }
    Ok(IDENT.get())
}

/// Has the interpreter call [`close`] before it shuts down, and [`forked`] in a child of `fork`.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    py.import("atexit")?.call_method1("register", (wrap_pyfunction!(close, module)?,))?;
    let os = py.import("os")?;
    if os.hasattr("register_at_fork")? {
        let handlers = PyDict::new(py);
        handlers.set_item("after_in_child", wrap_pyfunction!(forked, module)?)?;
        os.call_method("register_at_fork", (), Some(&handlers))?;
    }
    Ok(())
}

/// Closes the way into the interpreter, and waits for those that are on it.
#[pyfunction]
fn close(py: Python<'_>) -> PyResult<()> {
    CLOSED_IT.set(true);
    CLOSED.store(true, Ordering::SeqCst);
    let deadline = Instant::now() + PATIENCE;
    let own = ident(py)?;
    loop {
        let others: Vec<c_ulong> = callers().iter().copied().filter(|other| *other != own).collect();
        others.iter().for_each(|thread| interrupt(py, *thread));
        let is_over = others.is_empty() && RETURNING.load(Ordering::SeqCst) == 0;
        if is_over || Instant::now() >= deadline {
            return Ok(());
        }
        py.detach(|| std::thread::sleep(Duration::from_micros(200)));
    }
}

/// Has `SystemExit` raised in the Python code of a thread.
#[expect(unsafe_code, reason = "pyo3 has no safe form of this function")]
fn interrupt(py: Python<'_>, thread: c_ulong) {
    let exit = py.get_type::<PySystemExit>();
    // SAFETY: the interpreter is held, and `exit` is a live exception class. A thread that has ended meanwhile is
    // not found, which is no error. pyo3 declares the unsigned number as a signed one.
    unsafe { ffi::PyThreadState_SetAsyncExc(thread.cast_signed(), exit.as_ptr()) };
}

/// Forgets the threads that a child of `fork` does not have.
#[pyfunction]
fn forked() {
    RETURNING.store(0, Ordering::SeqCst);
    let own = IDENT.get();
    callers().retain(|thread| *thread == own);
}
