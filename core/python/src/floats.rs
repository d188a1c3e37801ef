//! Numbers out of a Python list, without a reference count and a `Result` for each of them.

use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyFloat, PyInt, PyList};

/// Calls `take` with every number of `list`, in order; what `take` does must not run Python code.
///
/// # Errors
/// `TypeError` at the first item that is neither a `float` nor an `int`, `OverflowError` at an `int` beyond
/// the range of a `float`.
#[expect(unsafe_code, reason = "items are borrowed from the list: owning each would cost more than its sum")]
pub(crate) fn each(list: &Bound<'_, PyList>, mut take: impl FnMut(f64)) -> PyResult<()> {
    for index in 0..list.len() {
        // SAFETY: `list` is a live list. `item` is borrowed: it lives as long as nothing changes the list, and
        // until its last use below no Python code runs and the interpreter stays held.
        let item = unsafe { ffi::PyList_GetItem(list.as_ptr(), index as ffi::Py_ssize_t) };
        if item.is_null() {
            // Only the conversion of an earlier item can have shortened the list.
            return Err(PyErr::fetch(list.py()));
        }
        // SAFETY: `item` is a live object, see above.
        if unsafe { ffi::PyFloat_CheckExact(item) } != 0 {
            // SAFETY: as above; on an exact float this runs no Python code and cannot fail.
            take(unsafe { ffi::PyFloat_AsDouble(item) });
        } else {
            take(uncommon(list, index)?);
        }
    }
    Ok(())
}

/// A number that is not exactly a `float`: an owned reference, since its class may run Python code.
#[cold]
fn uncommon(list: &Bound<'_, PyList>, index: usize) -> PyResult<f64> {
    let item = list.get_item(index)?;
    if item.is_instance_of::<PyFloat>() || item.is_instance_of::<PyInt>() {
        return item.extract();
    }
    let kind = item.get_type().name()?;
    Err(PyTypeError::new_err(format!("item {index} is a {kind}; numbers are wanted")))
}
