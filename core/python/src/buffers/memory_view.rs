//! The same through `memoryview`, since before CPython 3.11 the stable ABI has no buffer protocol.
//!
//! It does have `PyObject_AsReadBuffer`, which answers where the memory lies: deprecated in the headers, kept
//! for good in the ABI. It forgets the export as soon as it has answered, so a `memoryview` keeps one.
#![expect(unsafe_code, reason = "declares and calls a function that pyo3 does not")]

use crate::buffers::{Facts, columns_of, format_of};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyMemoryView;
use std::ffi::{c_int, c_void};
use std::ptr;

// SAFETY: the declaration in CPython's Objects/abstract.c, part of the stable ABI ("abi_only" in
// Misc/stable_abi.toml).
unsafe extern "C" {
    fn PyObject_AsReadBuffer(
        object: *mut ffi::PyObject,
        buffer: *mut *const c_void,
        len: *mut ffi::Py_ssize_t,
    ) -> c_int;
}

/// Keeps memory exported until it is dropped.
pub(crate) type Export = Py<PyMemoryView>;

/// Exports the memory of `object`.
///
/// # Errors
/// What `object` raises; `TypeError` where it has none to export.
pub(crate) fn export(object: &Bound<'_, PyAny>) -> PyResult<(Export, Facts)> {
    let view = PyMemoryView::from(object)?;
    let is_contiguous = view.getattr("c_contiguous")?.extract()?;
    let format: String = view.getattr("format")?.extract()?;
    let shape: Vec<usize> = view.getattr("shape")?.extract()?;
    let facts = Facts {
        start: if is_contiguous { start_of(&view)? } else { ptr::null_mut() },
        bytes: view.getattr("nbytes")?.extract()?,
        format: format_of(format.as_bytes()),
        item_size: view.getattr("itemsize")?.extract()?,
        axes: shape.len(),
        columns: columns_of(&shape),
        is_contiguous,
        is_read_only: view.getattr("readonly")?.extract()?,
    };
    Ok((view.unbind(), facts))
}

fn start_of(view: &Bound<'_, PyMemoryView>) -> PyResult<*mut u8> {
    let mut start = ptr::null();
    let mut len = 0;
    // SAFETY: `view` is a live object, and both places can be written.
    if unsafe { PyObject_AsReadBuffer(view.as_ptr(), &raw mut start, &raw mut len) } != 0 {
        return Err(PyErr::fetch(view.py()));
    }
    Ok(start.cast_mut().cast())
}
