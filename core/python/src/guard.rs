//! Panics as exceptions of this module.

use crate::memory;
use mcp_python_face::guard::{Panic, caught};
use pyo3::create_exception;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

create_exception!(
    mcp_rust_core,
    InternalError,
    PyRuntimeError,
    "A mistake in this module, not in what was asked of it.\n\nThe interpreter and the module go on working."
);

/// Runs `work`; a panic in it becomes an [`InternalError`], which `except Exception` catches.
///
/// Nothing is left half done where other code can see it: what `work` changes lies behind the locks of
/// mcp-store, whose values are valid between any two statements, or in memory that is thrown away.
///
/// # Errors
/// Those of `work`, and `MemoryError` where little is left; then `work` has not begun.
pub(crate) fn guarded<T>(work: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    memory::ensure_reserve()?;
    caught(work).map_err(|panic| internal_error(&panic))?
}

/// Runs `work` with the interpreter released; panics as in [`guarded`].
pub(crate) fn released<T: Send>(py: Python<'_>, work: impl FnOnce() -> T + Send) -> PyResult<T> {
    memory::ensure_reserve()?;
    py.detach(|| caught(work)).map_err(|panic| internal_error(&panic))
}

fn internal_error(panic: &Panic) -> PyErr {
    InternalError::new_err(panic.to_string())
}
