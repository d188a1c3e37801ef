//! Numbers out of a Python list, without a call, a reference count and a `Result` for each of them.
//!
//! Two ways lead to the items of a list. The stable ABI has `PyList_GetItem` and `PyFloat_AsDouble`: two calls
//! for each number, which cost several times what adding the number costs. Reading the list's array and the
//! float's value in place needs the layout of two objects that the stable ABI does not name. It is the same in
//! every CPython from 3.9 to 3.14, and no patch release may change it; [`Layout::look`] asks at import whether
//! this is such an interpreter, and where it is not, or anything differs, the calls are used.

use crate::buffers::no_memory;
use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyFloat, PyInt, PyList};

/// How the numbers of a list are reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// The objects are laid out as [`ListObject`] and [`FloatObject`].
    Known,
    /// Only the functions of the stable ABI may be used.
    Unknown,
}

/// `PyListObject` of CPython 3.9 to 3.14 (Include/cpython/listobject.h).
#[repr(C)]
struct ListObject {
    base: ffi::PyVarObject,
    items: *const *mut ffi::PyObject,
    allocated: ffi::Py_ssize_t,
}

/// `PyFloatObject` of CPython 3.9 to 3.14 (Include/cpython/floatobject.h).
#[repr(C)]
struct FloatObject {
    base: ffi::PyObject,
    value: f64,
}

static LAYOUT: PyOnceLock<Layout> = PyOnceLock::new();

impl Layout {
    /// What [`Layout::look`] found when it was first asked.
    pub(crate) fn of_this_interpreter(py: Python<'_>) -> PyResult<Self> {
        LAYOUT.get_or_try_init(py, || Self::look(py)).copied()
    }

    /// Whether this interpreter is one whose layout is known, and its objects have the sizes that go with it.
    fn look(py: Python<'_>) -> PyResult<Self> {
        let version = py.version_info();
        let released = version.major == 3 && (9..=14).contains(&version.minor);
        let sys = py.import("sys")?;
        let implementation: String = sys.getattr("implementation")?.getattr("name")?.extract()?;
        // A build for debugging or without the interpreter's lock has more fields in front.
        let known = released
            && implementation == "cpython"
            && size_in_python::<PyList>(py)? == size_of::<ListObject>()
            && size_in_python::<PyFloat>(py)? == size_of::<FloatObject>();
        Ok(if known { Self::Known } else { Self::Unknown })
    }
}

fn size_in_python<T: pyo3::PyTypeInfo>(py: Python<'_>) -> PyResult<usize> {
    T::type_object(py).getattr("__basicsize__")?.extract()
}

/// Calls `take` with every number of `list`, in order; `take` must not run Python code.
///
/// # Errors
/// `TypeError` at the first item that is neither a `float` nor an `int`, `OverflowError` at an `int` beyond
/// the range of a `float`.
pub(crate) fn each(list: &Bound<'_, PyList>, layout: Layout, mut take: impl FnMut(f64)) -> PyResult<()> {
    let mut index = 0;
    loop {
        index = match layout {
            Layout::Known => run_in_place(list, index, &mut take),
            Layout::Unknown => run_by_calls(list, index, &mut take)?,
        };
        // What follows may run Python code, which may change the list: its length is asked again.
        if index >= list.len() {
            return Ok(());
        }
        take(uncommon(list, index)?);
        index += 1;
    }
}

/// The numbers of `list`.
///
/// # Errors
/// As [`each`], and `MemoryError`.
pub(crate) fn collect(list: &Bound<'_, PyList>) -> PyResult<Vec<f64>> {
    let mut numbers = Vec::new();
    let bytes = list.len().saturating_mul(size_of::<f64>());
    numbers.try_reserve_exact(list.len()).map_err(|_| no_memory(bytes))?;
    each(list, Layout::of_this_interpreter(list.py())?, |number| numbers.push(number))?;
    Ok(numbers)
}

/// Takes floats from `first` on, and returns the index of the first item that is not exactly a float, or the
/// length of the list. Must only be called where the layout is known.
#[expect(unsafe_code, reason = "reads the items and their values in place")]
fn run_in_place(list: &Bound<'_, PyList>, first: usize, mut take: impl FnMut(f64)) -> usize {
    let len = list.len();
    if first >= len {
        return len;
    }
    // SAFETY: a list of this interpreter is a `ListObject`, see `Layout::look`; `items` points to as many
    // initialised references as the list is long, which is at least one here. Nothing changes the list until
    // this function returns: the interpreter is held, and no Python code runs in it.
    let items = unsafe { std::slice::from_raw_parts((*list.as_ptr().cast::<ListObject>()).items, len) };
    for (index, &item) in items.iter().enumerate().skip(first) {
        // SAFETY: the list owns a reference to `item`, so it is alive.
        if unsafe { ffi::PyFloat_CheckExact(item) } == 0 {
            return index;
        }
        // SAFETY: an exact float of this interpreter is a `FloatObject`.
        take(unsafe { (*item.cast::<FloatObject>()).value });
    }
    len
}

/// As [`run_in_place`], with the functions of the stable ABI alone.
#[expect(unsafe_code, reason = "borrows the items: owning each would cost a third call")]
fn run_by_calls(list: &Bound<'_, PyList>, first: usize, mut take: impl FnMut(f64)) -> PyResult<usize> {
    let len = list.len();
    for index in first..len {
        // SAFETY: `list` is a live list. `item` is borrowed: it lives as long as nothing changes the list, and
        // no Python code runs before its last use below.
        let item = unsafe { ffi::PyList_GetItem(list.as_ptr(), index as ffi::Py_ssize_t) };
        if item.is_null() {
            return Err(PyErr::fetch(list.py()));
        }
        // SAFETY: `item` is alive, see above.
        if unsafe { ffi::PyFloat_CheckExact(item) } == 0 {
            return Ok(index);
        }
        // SAFETY: as above; of an exact float this runs no Python code and cannot fail.
        take(unsafe { ffi::PyFloat_AsDouble(item) });
    }
    Ok(len)
}

/// A number that is not exactly a `float`; its class may run Python code.
#[cold]
fn uncommon(list: &Bound<'_, PyList>, index: usize) -> PyResult<f64> {
    let item = list.get_item(index)?;
    if item.is_instance_of::<PyFloat>() || item.is_instance_of::<PyInt>() {
        return item.extract();
    }
    let kind = item.get_type().name()?;
    Err(PyTypeError::new_err(format!("item {index} is of type {kind}; a list of numbers is wanted")))
}
