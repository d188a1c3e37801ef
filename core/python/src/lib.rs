//! The shared core and its kernels as the Python module `mcp_rust_core`: glue, nothing else.

#[cfg(all(panic = "abort", not(feature = "measure-abort")))]
compile_error!(
    "a panic would end the interpreter that imported this module: build with a profile that unwinds, \
     such as `--profile python`"
);

use pyo3::prelude::*;

mod calls;
mod floats;

#[pymodule(gil_used = true)]
fn mcp_rust_core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    calls::register(module)
}
