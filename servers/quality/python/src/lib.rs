//! Quality as the Python module `quality_mcp`: glue, nothing else.

mcp_python_face::server_module!(
    quality_mcp,
    "quality_mcp",
    quality::server::purpose,
    supervisor = mcp_sandbox::enter
);
