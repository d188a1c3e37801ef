"""The options of this server: those that all have that run commands, and its own."""

from __future__ import annotations

from ._types import Path, RunsOptions

__all__ = ["Config"]


class Config(RunsOptions, total=False):
    """The options of the command line that concern the tools."""

    policy: Path
    """File with rules for what may run; the built-in rules follow them."""
