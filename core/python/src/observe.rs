//! `LatencyHistogram` and `host_snapshot`: what a server tells of itself.
#![expect(clippy::needless_pass_by_value, reason = "pyo3 passes converted arguments by value")]

use crate::guard::{guarded, released};
use crate::numbers::Count;
use mcp_python_face::json;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;

/// How long the calls of named methods took, recorded by several threads.
///
/// Latencies are nanoseconds, kept to three significant digits. Beyond 256 methods, further ones are counted
/// together as "(other)".
///
/// >>> from mcp_rust_core import LatencyHistogram
/// >>> latencies = LatencyHistogram()
/// >>> for nanoseconds in (100, 200, 300):
/// ...     latencies.record("search", nanoseconds)
/// >>> latencies.summary("search")["p50"]
/// 200
#[pyclass(frozen, weakref, module = "mcp_rust_core")]
pub(crate) struct LatencyHistogram(mcp_store::LatencyHistogram);

#[pymethods]
impl LatencyHistogram {
    #[new]
    fn new() -> Self {
        Self(mcp_store::LatencyHistogram::new())
    }

    /// Records one call of a method.
    fn record(&self, method: PyBackedStr, nanoseconds: Count) -> PyResult<()> {
        guarded(|| {
            self.0.record(&method, nanoseconds.0 as u64);
            Ok(())
        })
    }

    /// What the calls of a method took, as a dict with `count`, and in nanoseconds `min`, `p50`, `p90`, `p99`,
    /// `p999`, `max` and `mean`; `None` where no call was recorded.
    fn summary<'py>(&self, py: Python<'py>, method: PyBackedStr) -> PyResult<Option<Bound<'py, PyAny>>> {
        let summary = guarded(|| Ok(self.0.summary(&method)))?;
        summary.map(|summary| json::from_value(py, &summary)).transpose()
    }

    /// The methods with at least one call, in alphabetical order.
    fn methods(&self) -> PyResult<Vec<String>> {
        guarded(|| Ok(self.0.methods()))
    }

    /// Adds all calls that another histogram has recorded.
    fn merge_from(&self, other: PyRef<'_, Self>) -> PyResult<()> {
        guarded(|| {
            self.0.merge_from(&other.0);
            Ok(())
        })
    }

    fn __repr__(&self) -> PyResult<String> {
        guarded(|| Ok(format!("<LatencyHistogram: {} methods>", self.0.methods().len())))
    }

    /// Forgets all calls.
    fn reset(&self) -> PyResult<()> {
        guarded(|| {
            self.0.reset();
            Ok(())
        })
    }
}

/// What this host is and how busy it is now, as a dict: processor, load, memory, swap, uptime, operating system,
/// and the memory of this process.
///
/// >>> from mcp_rust_core import host_snapshot
/// >>> host_snapshot()["cpu_count"] >= 1
/// True
#[pyfunction]
pub(crate) fn host_snapshot(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    let snapshot = released(py, mcp_store::host::snapshot)?;
    json::from_value(py, &snapshot)
}
