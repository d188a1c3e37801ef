"""What a type checker has to accept, and to know; `mypy --strict` reads it, nothing runs it."""

from __future__ import annotations

import pathlib

from quality_mcp import CallResult, Config, Server

config: Config = {"root": pathlib.Path("."), "state": "none", "without_rust": True, "programs": ["/opt/bin"]}
with Server(config) as server:
    result: CallResult = server.call_tool("metrics", {"paths": ["src"]})
    structured: dict[str, object] = result.get("structuredContent", {})

server.call_tool("metrics", "src")  # type: ignore[arg-type]
Server({"roots": "/tmp"})  # type: ignore[arg-type]
