//! The protocol fixture as the Python module `mcp_fixture`: glue, nothing else. The tests of the face in process
//! run on it.

mcp_python_face::server_module!(mcp_fixture, "mcp_fixture", mcp_fixture_server::purpose);
