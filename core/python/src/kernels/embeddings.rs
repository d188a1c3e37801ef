//! The rows of a table that are most like a query.

use crate::buffers::{Input, Number as _, copy_of, read};
use crate::kernels::vectors::rows_of;
use crate::numbers::Count;
use mcp_kernels::cosine;
use mcp_kernels::level::Level;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// A table of embedding vectors, prepared for many queries.
///
/// `rows` is a table of float32, or with `dims` a buffer or list of one row after another. It is copied once, so
/// that queries copy nothing and run while other threads do.
///
/// >>> from mcp_rust_core import Embeddings
/// >>> table = Embeddings([1.0, 0.0, 0.0, 1.0, 3.0, 3.0], dims=2)
/// >>> [row for row, score in table.top_k([1.0, 0.9], 2)]
/// [2, 0]
#[pyclass(frozen, weakref, module = "mcp_rust_core")]
pub(super) struct Embeddings(cosine::Embeddings);

#[pymethods]
impl Embeddings {
    #[new]
    #[pyo3(signature = (rows, dims=None))]
    fn new(rows: &Bound<'_, PyAny>, dims: Option<Count>) -> PyResult<Self> {
        let input = Input::<f32>::new(rows, "rows", false)?;
        let dims = match (dims, input.columns()) {
            (Some(Count(dims)), Some(columns)) if dims != columns => Err(format!(
                "rows is a table of {columns} columns, and dims is {dims}; leave dims out for a table"
            )),
            (_, Some(columns)) => Ok(columns),
            _ if input.axes() > 2 => Err(format!("rows has {} axes; a table has two", input.axes())),
            (Some(Count(dims)), None) => Ok(dims),
            (None, None) => Err("rows is not a table; say with dims how many numbers a row has".to_owned()),
        };
        let dims = dims.map_err(PyValueError::new_err)?;
        prepare(rows.py(), &input, dims).map(Self)
    }

    /// The `k` rows with the highest cosine similarity to the query, best first.
    ///
    /// The answer is a list of pairs of a row's index and its similarity, between -1 and 1; 0 where a vector is
    /// all zeros. Of equal rows the one with the lower index comes first.
    fn top_k(&self, py: Python<'_>, query: &Bound<'_, PyAny>, k: Count) -> PyResult<Vec<(u32, f32)>> {
        let query = Input::<f32>::new(query, "query", true)?;
        let (given, dims) = (query.numbers().len(), self.0.dims());
        if given != dims {
            return Err(PyValueError::new_err(format!("query has {given} numbers; the rows have {dims}")));
        }
        comparable(query.numbers(), dims, |_, column| format!("query[{column}]"), "query")?;
        best(py, &self.0, query.numbers(), k)
    }

    /// How many numbers a row has.
    #[getter]
    fn dims(&self) -> usize {
        self.0.dims()
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    fn __repr__(&self) -> String {
        format!("<Embeddings: {} rows of {} {}>", self.0.len(), self.0.dims(), f32::NAME)
    }
}

/// The `k` rows with the highest cosine similarity to a query, best first.
///
/// `rows` is a table of float32, or one row after another. It is copied and prepared anew each time; for several
/// queries of the same table use `Embeddings`. The answer is that of `Embeddings.top_k`.
///
/// >>> from mcp_rust_core import cosine_top_k
/// >>> cosine_top_k([1.0, 0.0, 0.0, 1.0], [0.0, 2.0], 1)
/// [(1, 1.0)]
#[pyfunction]
pub(super) fn cosine_top_k(
    rows: &Bound<'_, PyAny>,
    query: &Bound<'_, PyAny>,
    k: Count,
) -> PyResult<Vec<(u32, f32)>> {
    let input = Input::<f32>::new(rows, "rows", false)?;
    let query = Input::<f32>::new(query, "query", true)?;
    rows_of(&input, query.numbers().len(), "rows")?;
    let dims = query.numbers().len();
    comparable(query.numbers(), dims, |_, column| format!("query[{column}]"), "query")?;
    let table = prepare(rows.py(), &input, dims)?;
    best(rows.py(), &table, query.numbers(), k)
}

/// A table whose rows have `dims` numbers.
fn prepare(py: Python<'_>, input: &Input<f32>, dims: usize) -> PyResult<cosine::Embeddings> {
    let numbers = input.numbers();
    if dims == 0 || !numbers.len().is_multiple_of(dims) {
        return Err(PyValueError::new_err(format!(
            "rows holds {} numbers; whole rows of {dims} are wanted, and at least one number in each",
            numbers.len()
        )));
    }
    if u32::try_from(numbers.len() / dims).is_err() {
        return Err(PyValueError::new_err("rows has too many rows; less than 2^32 are wanted"));
    }
    comparable(numbers, dims, |row, column| format!("rows[{row}][{column}]"), "a row")?;
    let copy = copy_of(numbers)?;
    read(py, true, size_of_val(numbers), || cosine::Embeddings::new(dims, copy))
}

/// Fails where vectors of `dims` numbers have no direction: where one is NaN or infinite, or their squares are beyond
/// float32. `name` says where a number is, by row and column, and `whole` what has too large numbers.
fn comparable(
    numbers: &[f32],
    dims: usize,
    name: impl Fn(usize, usize) -> String,
    whole: &str,
) -> PyResult<()> {
    for (row, vector) in numbers.chunks(dims.max(1)).enumerate() {
        let square: f32 = vector.iter().map(|number| number * number).sum();
        if square.is_finite() {
            continue;
        }
        return Err(PyValueError::new_err(match vector.iter().position(|number| !number.is_finite()) {
            Some(column) => {
                format!("{} is {}; a direction has finite numbers", name(row, column), vector[column])
            }
            None => {
                format!("{whole} has numbers whose squares float32 cannot hold (row {row}); scale it down")
            }
        }));
    }
    Ok(())
}

/// `query` must be fixed.
fn best(py: Python<'_>, table: &cosine::Embeddings, query: &[f32], k: Count) -> PyResult<Vec<(u32, f32)>> {
    let hits = read(py, true, size_of_val(table.rows()), || {
        cosine::dispatched(Level::detected(), table, query, k.0.min(table.len()))
    })?;
    // Rounding may end beyond the ends.
    Ok(hits.into_iter().map(|hit| (hit.row, hit.score.clamp(-1.0, 1.0))).collect())
}
