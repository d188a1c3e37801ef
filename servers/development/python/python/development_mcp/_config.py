"""The options of Development: those that all servers have, and one of its own."""

from __future__ import annotations

from ._types import Options

__all__ = ["Config"]


class Config(Options, total=False):
    """What a server is made with."""

    any_root: bool
    """Take a home directory or the whole file system for a root."""
