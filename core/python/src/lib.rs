//! The shared core and its kernels as the Python module `mcp_rust_core`: glue, nothing else.

#[cfg(all(panic = "abort", not(feature = "measure-abort")))]
compile_error!(
    "a panic would end the interpreter that imported this module: build with a profile that unwinds, \
     such as `--profile python`"
);

use mcp_python_face::callers::only_in_the_main_interpreter;
use pyo3::prelude::*;

mod buffers;
mod calls;
#[cfg(not(feature = "abi3-py39"))]
mod direct;
mod floats;
mod guard;
mod kernels;
mod memory;
mod numbers;
mod observe;
mod queue;
mod router;
mod store;

/// The native part of the package, which `__init__.py` passes on.
#[pymodule(gil_used = true)]
fn mcp_rust_core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    only_in_the_main_interpreter(py)?;
    module.add("version", env!("CARGO_PKG_VERSION"))?;
    module.add("InternalError", py.get_type::<guard::InternalError>())?;
    module.add("QueueClosed", py.get_type::<queue::QueueClosed>())?;
    module.add_class::<store::StateStore>()?;
    module.add_class::<queue::PriorityQueue>()?;
    module.add_class::<observe::LatencyHistogram>()?;
    module.add_class::<router::Router>()?;
    module.add_function(wrap_pyfunction!(observe::host_snapshot, module)?)?;
    kernels::register(module)?;
    mcp_python_face::callers::register(module)?;
    #[cfg(not(feature = "abi3-py39"))]
    store::direct::register(py)?;
    calls::register(module)
}
