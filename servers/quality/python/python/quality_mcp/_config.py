"""The options of this server: those that all have, and its own."""

from __future__ import annotations

from typing import List, Union

from ._types import Options, Path

__all__ = ["Config"]


class Config(Options, total=False):
    """The options of the command line that concern the tools."""

    without_rust: bool
    """Do not let tests read this user's Rust."""
    run_without: Union[str, List[str]]
    """Run commands although this host lacks these layers of protection."""
    programs: Union[Path, List[Path]]
    """Directories with further programs, such as a toolchain's."""
    also_read: Union[Path, List[Path]]
    """Directories outside of the roots that commands may read."""
