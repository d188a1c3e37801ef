"""The shapes of options and answers, for type checkers. Every server's package has this very file."""

from __future__ import annotations

from os import PathLike
from typing import Any, Dict, List, TypedDict, Union

# What the packages pass on; `Options`, `RunsOptions` and `Path` are for their `_config.py`.
__all__ = ["CallResult", "Content", "Form", "Tool"]

Path = Union[str, "PathLike[str]"]

# A JSON Schema.
Form = Dict[str, Any]


class Options(TypedDict, total=False):
    """The options of the command line that every server has for its tools."""

    root: Union[Path, List[Path]]
    """Directories that tools may work in; the current one where none is named."""
    state: Path
    """Directory for what the server remembers, or "none"."""
    read_only: bool
    """Offer only tools that change nothing."""
    toolset: Union[str, List[str]]
    """Offer only the tools of these sets."""
    fixture: bool
    """Offer the two reference tools instead."""


class RunsOptions(Options, total=False):
    """The options of every server that runs commands in the sandbox."""

    run_without: Union[str, List[str]]
    """Run commands although this host lacks these layers of protection."""
    programs: Union[Path, List[Path]]
    """Directories with further programs, such as a toolchain's."""
    also_read: Union[Path, List[Path]]
    """Directories outside of the roots that commands may read."""


class Content(TypedDict, total=False):
    """A block of an answer."""

    type: str
    text: str
    data: str
    mimeType: str
    resource: Dict[str, str]


class _Answered(TypedDict):
    content: List[Content]
    isError: bool


class CallResult(_Answered, total=False):
    """The result object of a call."""

    structuredContent: Dict[str, Any]


class _Named(TypedDict):
    name: str
    description: str
    inputSchema: Dict[str, Any]
    annotations: Dict[str, Any]


class Tool(_Named, total=False):
    """A tool, as `tools/list` shows it."""

    title: str
    outputSchema: Dict[str, Any]
