//! Development as the Python module `development_mcp`: glue, nothing else.

mcp_python_face::server_module!(development_mcp, "development_mcp", development::server::purpose);
