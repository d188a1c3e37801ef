//! Bash God as the Python module `bash_god_mcp`: glue, nothing else.

use pyo3::prelude::*;

mcp_python_face::server_module!(bash_god_mcp, "bash_god_mcp", bash_god::server::purpose, |module| {
    module.add_function(wrap_pyfunction!(_supervise, module)?)
});

/// Supervises one command and returns the status to end with: what an interpreter is started for, once for each
/// command.
#[pyfunction]
fn _supervise() -> u8 {
    mcp_sandbox::enter()
}
