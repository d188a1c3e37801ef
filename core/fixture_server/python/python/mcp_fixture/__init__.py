"""Tools that exercise the protocol, in this process: what the tests of all such modules run on."""

from ._types import CallResult, Config, Content, Form, Tool
from .mcp_fixture import InternalError, Server, ServerClosed, version

__all__ = [
    "CallResult",
    "Config",
    "Content",
    "Form",
    "InternalError",
    "Server",
    "ServerClosed",
    "Tool",
    "version",
]
