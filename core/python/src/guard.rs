//! What stands between a panic and the interpreter.

use pyo3::create_exception;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

create_exception!(
    mcp_rust_core,
    InternalError,
    PyRuntimeError,
    "A mistake in this module, not in what was asked of it.\n\nThe interpreter and the module go on working."
);

/// Runs `work`; a panic in it becomes an [`InternalError`], which `except Exception` catches. Without this it
/// would be pyo3's `PanicException`, which only `except BaseException` does.
///
/// Nothing is left half done where other code can see it: what `work` changes lies behind the locks of
/// mcp-core, whose values are valid between any two statements, or in memory that is thrown away.
pub(crate) fn guarded<T>(work: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|payload| Err(internal_error(&*payload)))
}

/// Runs `work` with the interpreter released; panics as in [`guarded`].
pub(crate) fn released<T: Send>(py: Python<'_>, work: impl FnOnce() -> T + Send) -> PyResult<T> {
    let outcome = py.detach(|| catch_unwind(AssertUnwindSafe(work)));
    outcome.map_err(|payload| internal_error(&*payload))
}

/// The exception that tells of a panic.
fn internal_error(payload: &(dyn Any + Send)) -> PyErr {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let text = text.unwrap_or("without a message");
    InternalError::new_err(format!("a mistake in mcp_rust_core, please report it: {text}"))
}
