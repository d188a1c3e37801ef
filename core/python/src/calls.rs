//! `mcp_rust_core._calls`: the shapes of a call whose cost the lab measures, and nothing that users need.

use crate::buffers::{Bytes, Input};
use crate::floats::{self, Layout};
use crate::guard::{guarded, released};
use mcp_python_face::callers::calling;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyFloat, PyList, PyString};
use std::hint::black_box;

/// Adds `_calls` to the module.
pub(crate) fn register(parent: &Bound<'_, PyModule>) -> PyResult<()> {
    let module = PyModule::new(parent.py(), "mcp_rust_core._calls")?;
    for function in [
        wrap_pyfunction!(nothing, &module)?,
        wrap_pyfunction!(add, &module)?,
        wrap_pyfunction!(text_length, &module)?,
        wrap_pyfunction!(echo_text, &module)?,
        wrap_pyfunction!(echo_bytes, &module)?,
        wrap_pyfunction!(sum_list, &module)?,
        wrap_pyfunction!(sum_list_by_calls, &module)?,
        wrap_pyfunction!(sum_buffer, &module)?,
        wrap_pyfunction!(sum_dict, &module)?,
        wrap_pyfunction!(call_back, &module)?,
        wrap_pyfunction!(spin, &module)?,
        wrap_pyfunction!(spin_holding, &module)?,
        wrap_pyfunction!(buffer_place, &module)?,
        wrap_pyfunction!(panic, &module)?,
        wrap_pyfunction!(panic_released, &module)?,
    ] {
        module.add_function(function)?;
    }
    parent.add("_calls", &module)?;
    let modules = parent.py().import("sys")?.getattr("modules")?;
    modules.set_item("mcp_rust_core._calls", &module)?;
    #[cfg(not(feature = "abi3-py39"))]
    direct::register(parent, &module)?;
    Ok(())
}

/// Does nothing: the price of crossing the boundary.
#[pyfunction]
fn nothing() {}

/// Adds two numbers, wrapping at 64 bits.
#[pyfunction]
fn add(a: i64, b: i64) -> i64 {
    a.wrapping_add(b)
}

/// The length of a text in bytes of UTF-8, read in place.
#[pyfunction]
fn text_length(s: &Bound<'_, PyString>) -> PyResult<usize> {
    #[cfg(not(feature = "abi3-py39"))]
    return Ok(s.to_str()?.len());
    #[cfg(feature = "abi3-py39")]
    return Ok(s.to_cow()?.len());
}

/// A new text, equal to the one given.
#[pyfunction]
fn echo_text<'py>(s: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyString>> {
    #[cfg(not(feature = "abi3-py39"))]
    return Ok(PyString::new(s.py(), s.to_str()?));
    #[cfg(feature = "abi3-py39")]
    return Ok(PyString::new(s.py(), &s.to_cow()?));
}

/// New bytes, equal to those given.
#[pyfunction]
fn echo_bytes<'py>(b: &Bound<'py, PyBytes>) -> Bound<'py, PyBytes> {
    PyBytes::new(b.py(), b.as_bytes())
}

/// The sum of a list of numbers, added from first to last.
#[pyfunction]
fn sum_list(list: &Bound<'_, PyList>) -> PyResult<f64> {
    sum_of(list, Layout::of_this_interpreter(list.py())?)
}

/// As `sum_list`, with the functions of the stable ABI alone: two calls for each number.
#[pyfunction]
fn sum_list_by_calls(list: &Bound<'_, PyList>) -> PyResult<f64> {
    sum_of(list, Layout::Unknown)
}

fn sum_of(list: &Bound<'_, PyList>, layout: Layout) -> PyResult<f64> {
    let mut sum = 0.0;
    floats::each(list, layout, |number| sum += number)?;
    Ok(sum)
}

/// The sum of a buffer of float64, read in place.
#[pyfunction]
fn sum_buffer(buffer: &Bound<'_, PyAny>) -> PyResult<f64> {
    let numbers = Input::<f64>::new(buffer, "buffer", false)?;
    Ok(numbers.numbers().iter().fold(0.0, |sum, number| sum + number))
}

/// Where a buffer lies, as Rust sees it: the address and the number of bytes.
#[pyfunction]
fn buffer_place(buffer: &Bound<'_, PyAny>) -> PyResult<(usize, usize)> {
    let bytes = Bytes::of_buffer(buffer, "buffer")?;
    Ok((bytes.as_bytes().as_ptr().addr(), bytes.as_bytes().len()))
}

/// Panics, to show what becomes of it.
#[pyfunction]
#[expect(clippy::panic, reason = "what it is for")]
fn panic() -> PyResult<()> {
    guarded(|| panic!("as it was asked to"))
}

/// The same with the interpreter released.
#[pyfunction]
#[expect(clippy::panic, reason = "what it is for")]
fn panic_released(py: Python<'_>) -> PyResult<()> {
    released(py, || panic!("as it was asked to"))
}

/// A new dict with the sum of the values under "sum" and their number under "count".
#[pyfunction]
fn sum_dict<'py>(values: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyDict>> {
    let mut sum = 0.0;
    for value in values.values() {
        sum +=
            value.cast::<PyFloat>().map_err(|_| PyTypeError::new_err("the values must be floats"))?.value();
    }
    let answer = PyDict::new(values.py());
    answer.set_item("sum", sum)?;
    answer.set_item("count", values.len() as f64)?;
    Ok(answer)
}

/// Calls `callable` `n` times with the number of the call, and returns the last answer.
#[pyfunction]
fn call_back<'py>(callable: &Bound<'py, PyAny>, n: u64) -> PyResult<Bound<'py, PyAny>> {
    let py = callable.py();
    let mut answer = py.None().into_bound(py);
    calling(py, || {
        for number in 0..n {
            answer = callable.call1((number,))?;
        }
        Ok(answer)
    })
}

/// Turns a generator of random numbers `n` times with the interpreter released, and returns its state.
#[pyfunction]
fn spin(py: Python<'_>, n: u64) -> PyResult<u64> {
    released(py, || turn(n))
}

/// As `spin`, with the interpreter held.
#[pyfunction]
fn spin_holding(n: u64) -> u64 {
    turn(n)
}

/// Steps of a generator of which each needs the one before: work that no compiler can shorten.
fn turn(n: u64) -> u64 {
    let mut state = black_box(1);
    for _ in 0..n {
        state = xorshift(state);
    }
    state
}

/// One step of xorshift64 (Marsaglia 2003, "Xorshift RNGs", 13-7-17).
fn xorshift(mut state: u64) -> u64 {
    state ^= state << 13;
    state ^= state >> 7;
    state ^ (state << 17)
}

/// `mcp_rust_core._direct`: of these shapes the shortest, without pyo3 in between.
#[cfg(not(feature = "abi3-py39"))]
mod direct {
    #![expect(unsafe_code, reason = "speaks with CPython without pyo3 in between")]

    use crate::direct::{Call, Twin, direct};
    use pyo3::ffi::{self, PyObject};
    use pyo3::prelude::*;

    static NOTHING: Twin = Twin::function();
    static ADD: Twin = Twin::function();

    pub(crate) fn register(parent: &Bound<'_, PyModule>, twins: &Bound<'_, PyModule>) -> PyResult<()> {
        let module = PyModule::new(parent.py(), "mcp_rust_core._direct")?;
        NOTHING.of_function(twins, &module, "nothing", nothing)?;
        ADD.of_function(twins, &module, "add", add)?;
        // Not `add`, which would export the name: the wheel for CPython 3.9 does not have it.
        parent.setattr("_direct", &module)?;
        let modules = parent.py().import("sys")?.getattr("modules")?;
        modules.set_item("mcp_rust_core._direct", &module)
    }

    unsafe extern "C" fn nothing(
        module: *mut PyObject,
        arguments: *const *mut PyObject,
        count: ffi::Py_ssize_t,
        names: *mut PyObject,
    ) -> *mut PyObject {
        // SAFETY: CPython calls this function, and nothing else does.
        direct(&NOTHING, unsafe { Call::new(module, arguments, count, names) }, |call| {
            let [] = call.exactly()?;
            Some(Ok(call.none()))
        })
    }

    unsafe extern "C" fn add(
        module: *mut PyObject,
        arguments: *const *mut PyObject,
        count: ffi::Py_ssize_t,
        names: *mut PyObject,
    ) -> *mut PyObject {
        // SAFETY: CPython calls this function, and nothing else does.
        direct(&ADD, unsafe { Call::new(module, arguments, count, names) }, |call| {
            let [a, b] = call.exactly()?;
            let Ok(sum) = crate::calls::add(a.int()?, b.int()?).into_pyobject(call.py());
            Some(Ok(sum.into_any()))
        })
    }
}

/// The plain C functions that `ctypes` calls.
mod plain_c {
    #![expect(unsafe_code, reason = "symbols with fixed names and a raw pointer are what ctypes can call")]

    // SAFETY: no other symbol has this name: it carries the name of the library.
    #[unsafe(no_mangle)]
    extern "C" fn mcp_rust_core_nothing() {}

    // SAFETY: no other symbol has this name.
    #[unsafe(no_mangle)]
    extern "C" fn mcp_rust_core_add(a: i64, b: i64) -> i64 {
        a.wrapping_add(b)
    }

    /// The sum of `len` numbers at `numbers`, added from first to last; 0 for a null pointer.
    ///
    /// # Safety
    /// `numbers` is null or points to `len` readable, aligned numbers that nothing changes meanwhile.
    // SAFETY: no other symbol has this name.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn mcp_rust_core_sum(numbers: *const f64, len: usize) -> f64 {
        if numbers.is_null() {
            return 0.0;
        }
        // SAFETY: as the caller promises.
        unsafe { std::slice::from_raw_parts(numbers, len) }.iter().sum()
    }
}
