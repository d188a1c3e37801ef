//! Calls of Python code, and how they end together with the interpreter.
//!
//! A daemon thread whose Python code waits for an interpreter that is shutting down is ended by CPython (before
//! 3.14) with `pthread_exit`, which unwinds its stack. Where Rust called that code, its frames turn this into an
//! abort of the process. So a function that `atexit` calls has `SystemExit` raised in such code first, and waits
//! until it has left; calls that begin later never begin. Threads that come back from work with the interpreter
//! released need no such care: pyo3 keeps them waiting, as CPython itself does from 3.14 on.
//!
//! What is left is Python code that sits in one blocking call for longer than `PATIENCE` and comes back just
//! while the interpreter is taken apart.

use pyo3::exceptions::{PyImportError, PyRecursionError, PySystemExit};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::cell::Cell;
use std::collections::HashSet;
use std::ffi::c_ulong;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long the end of the interpreter waits for other threads, at most.
const PATIENCE: Duration = Duration::from_millis(500);

/// How many calls of Python code may be under way inside each other in one thread: what stands between a handler
/// that calls itself and the end of the stack, where no Python frame counts the levels.
const DEEPEST: u32 = 200;

/// The interpreter is shutting down. Read and written with the interpreter held, as [`CALLERS`].
static CLOSED: AtomicBool = AtomicBool::new(false);
/// The threads in which Python code is under way that was called from here, as `threading.get_ident` names them.
/// Locked only with the interpreter held, so that `fork` does not find it locked.
static CALLERS: LazyLock<Mutex<HashSet<c_ulong>>> = LazyLock::new(Mutex::default);

thread_local! {
    /// This thread ends the interpreter, and may use it to its end.
    static CLOSED_IT: Cell<bool> = const { Cell::new(false) };
    /// How many calls of Python code are under way in this thread.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    /// What `threading.get_ident` says in this thread; 0 before it was asked.
    static IDENT: Cell<c_ulong> = const { Cell::new(0) };
}

/// Runs `work`, which calls Python code that may take long or call back.
///
/// # Errors
/// Those of `work`; `RecursionError` where more than 200 such calls are inside each other.
pub fn calling<T>(py: Python<'_>, work: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    let _level = Level::enter(py)?;
    work()
}

/// One call of Python code under way in this thread.
struct Level;

impl Level {
    fn enter(py: Python<'_>) -> PyResult<Self> {
        let depth = DEPTH.get();
        if depth >= DEEPEST {
            return Err(PyRecursionError::new_err(format!(
                "handlers call each other more than {DEEPEST} deep"
            )));
        }
        if depth == 0 {
            if CLOSED.load(Ordering::Relaxed) && !CLOSED_IT.get() {
                py.detach(stay_outside);
            }
            callers().insert(ident(py)?);
        }
        DEPTH.set(depth + 1);
        Ok(Self)
    }
}

impl Drop for Level {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
        if DEPTH.get() == 0 {
            callers().remove(&IDENT.get());
        }
    }
}

/// Waits until the process ends.
fn stay_outside() {
    loop {
        std::thread::park();
    }
}

fn callers() -> MutexGuard<'static, HashSet<c_ulong>> {
    CALLERS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn ident(py: Python<'_>) -> PyResult<c_ulong> {
    if IDENT.get() == 0 {
        IDENT.set(py.import("threading")?.call_method0("get_ident")?.extract()?);
    }
    Ok(IDENT.get())
}

/// Refuses a second interpreter in the same process: what a module keeps for all of it would belong to two.
///
/// # Errors
/// `ImportError`.
#[expect(unsafe_code, reason = "pyo3 has no safe form of these functions")]
pub fn only_in_the_main_interpreter(py: Python<'_>) -> PyResult<()> {
    let _held = py;
    // SAFETY: the interpreter is held, so that there is a current one.
    let number = unsafe { ffi::PyInterpreterState_GetID(ffi::PyInterpreterState_Get()) };
    if number == 0 {
        return Ok(());
    }
    Err(PyImportError::new_err(
        "this module works in the main interpreter alone, and this is a subinterpreter: import it there, or use threads",
    ))
}

/// Has the interpreter end such calls before it shuts down, and forget them in a child of `fork`. Each module that
/// uses [`calling`] does this once, when it is imported.
///
/// # Errors
/// Those of the interpreter, whose modules `atexit` and `os` are used.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
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

/// Ends the calls of other threads, and keeps new ones from beginning.
#[pyfunction]
fn close(py: Python<'_>) -> PyResult<()> {
    CLOSED_IT.set(true);
    CLOSED.store(true, Ordering::Relaxed);
    let deadline = Instant::now() + PATIENCE;
    let own = ident(py)?;
    loop {
        let others: Vec<c_ulong> = callers().iter().copied().filter(|other| *other != own).collect();
        if others.is_empty() || Instant::now() >= deadline {
            return Ok(());
        }
        others.iter().for_each(|thread| interrupt(py, *thread));
        py.detach(|| std::thread::sleep(Duration::from_micros(200)));
    }
}

/// Has `SystemExit` raised in the Python code of a thread.
#[expect(unsafe_code, reason = "pyo3 has no safe form of this function")]
fn interrupt(py: Python<'_>, thread: c_ulong) {
    let exit = py.get_type::<PySystemExit>();
    // SAFETY: the interpreter is held, and `exit` is a live exception class. A thread that has ended meanwhile is
    // not found, which is not an error. pyo3 declares the unsigned number as a signed one.
    unsafe { ffi::PyThreadState_SetAsyncExc(thread.cast_signed(), exit.as_ptr()) };
}

/// Forgets the threads that a child of `fork` does not have.
#[pyfunction]
fn forked() {
    let own = IDENT.get();
    callers().retain(|thread| *thread == own);
}
