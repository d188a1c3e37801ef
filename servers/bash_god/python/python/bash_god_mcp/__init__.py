"""Shell commands for models, in this process: told before they run, and run where they can do no harm."""

from ._types import CallResult, Config, Content, Form, Tool
from .bash_god_mcp import InternalError, Server, ServerClosed, version

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
