//! One row against many.

use crate::buffers::{Input, Number, Output, write};
use mcp_kernels::level::Level;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// Dot products of a query with every row of a table.
///
/// `query` and `rows` are buffers or lists of float32; `rows` is a table, or one row after another. The answer
/// is a new `array.array('f')`, or `out`, a writable buffer of float32 with a place for each row.
/// Buffers are read in place while the interpreter is held; with `release=True` they are copied, and other
/// threads run meanwhile.
///
/// >>> from array import array
/// >>> from mcp_rust_core import dot
/// >>> dot(array('f', [1, 2]), array('f', [3, 4, 5, 6])).tolist()
/// [11.0, 17.0]
#[pyfunction]
#[pyo3(signature = (query, rows, out=None, *, release=false))]
pub(super) fn dot(
    query: &Bound<'_, PyAny>,
    rows: &Bound<'_, PyAny>,
    out: Option<&Bound<'_, PyAny>>,
    release: bool,
) -> PyResult<Py<PyAny>> {
    each_row::<f32, f32>(query, rows, out, release, "rows", |query, rows, scores| {
        mcp_kernels::dot::dispatched(Level::detected(), query, rows, scores);
    })
}

/// How many bits a set has in common with each of many others.
///
/// `query` and `sets` are buffers or lists of uint64, each set as long as the query; `sets` is a table, or
/// one set after another. The answer is a new `array.array('I')`, or `out`, a writable buffer of uint32 with a
/// place for each set. For `release` see `dot`.
///
/// >>> from array import array
/// >>> from mcp_rust_core import bitset_intersect
/// >>> bitset_intersect([0b1011], array('Q', [0b0001, 0b1010, 0b0100])).tolist()
/// [1, 2, 0]
#[pyfunction]
#[pyo3(signature = (query, sets, out=None, *, release=false))]
pub(super) fn bitset_intersect(
    query: &Bound<'_, PyAny>,
    sets: &Bound<'_, PyAny>,
    out: Option<&Bound<'_, PyAny>>,
    release: bool,
) -> PyResult<Py<PyAny>> {
    each_row::<u64, u32>(query, sets, out, release, "sets", |query, sets, counts| {
        mcp_kernels::bitset::dispatched(Level::detected(), query, sets, counts);
    })
}

/// Has `kernel` compare `query` with each row, and returns what it wrote.
fn each_row<T: Number, R: Number>(
    query: &Bound<'_, PyAny>,
    rows: &Bound<'_, PyAny>,
    out: Option<&Bound<'_, PyAny>>,
    release: bool,
    name: &str,
    kernel: impl FnOnce(&[T], &[T], &mut [R]) + Send,
) -> PyResult<Py<PyAny>> {
    let py = query.py();
    let query = Input::<T>::new(query, "query", release)?;
    let rows = Input::<T>::new(rows, name, release)?;
    let count = rows_of(&rows, query.numbers().len(), name)?;
    let mut out = Output::new::<R>(py, out, "out", count)?;
    out.keep_off(&[&query, &rows], "out")?;
    let fixed = query.is_fixed() && rows.is_fixed();
    let (query, numbers) = (query.numbers(), rows.numbers());
    write(py, [&mut out], fixed, size_of_val(numbers), |[results]| kernel(query, numbers, results))?;
    Ok(out.into_object())
}

/// How many rows of `dims` numbers there are.
///
/// # Errors
/// `ValueError` where that is not a whole number, or `dims` is zero.
pub(super) fn rows_of<T: Number>(rows: &Input<T>, dims: usize, name: &str) -> PyResult<usize> {
    let len = rows.numbers().len();
    if dims == 0 {
        return Err(PyValueError::new_err("query is empty; at least one number is wanted"));
    }
    if let Some(columns) = rows.columns().filter(|columns| *columns != dims) {
        return Err(PyValueError::new_err(format!(
            "{name} has {columns} columns and query {dims} numbers; give as many"
        )));
    }
    if !len.is_multiple_of(dims) {
        return Err(PyValueError::new_err(format!(
            "{name} holds {len} numbers; a multiple of the query's {dims} is wanted"
        )));
    }
    Ok(len / dims)
}
