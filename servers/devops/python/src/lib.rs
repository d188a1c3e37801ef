//! DevOps as the Python module `devops_mcp`: glue, nothing else.

mcp_python_face::server_module!(devops_mcp, "devops_mcp", devops::server::purpose);
