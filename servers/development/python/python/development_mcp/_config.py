"""The options of this server: those that all have, and its own."""

from __future__ import annotations

from ._types import Options

__all__ = ["Config"]


class Config(Options, total=False):
    """The options of the command line that concern the tools."""

    any_root: bool
    """Take a home directory or the whole file system for a root."""
