//! Bash God as the Python module `bash_god_mcp`: glue, nothing else.

mcp_python_face::server_module!(
    bash_god_mcp,
    "bash_god_mcp",
    bash_god::server::purpose,
    supervisor = mcp_sandbox::enter
);
