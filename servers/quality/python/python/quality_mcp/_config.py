"""The options of Quality: where tests run, and what they read."""

from __future__ import annotations

from ._types import RunsOptions

__all__ = ["Config"]


class Config(RunsOptions, total=False):
    """What the tools are made with."""

    without_rust: bool
    """Do not let tests read this user's Rust."""
