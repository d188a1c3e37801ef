"""What a type checker has to accept, and to know; `mypy --strict` reads it, nothing runs it."""

from __future__ import annotations

import pathlib

from development_mcp import CallResult, Config, Server

config: Config = {"root": pathlib.Path("."), "state": "none", "any_root": True}
with Server(config) as server:
    result: CallResult = server.call_tool("symbol", {"name": "run"})
    structured: dict[str, object] = result.get("structuredContent", {})

server.call_tool("symbol", "run")  # type: ignore[arg-type]
Server({"roots": "/tmp"})  # type: ignore[arg-type]
