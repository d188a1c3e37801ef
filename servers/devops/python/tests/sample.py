"""What a type checker has to accept, and to know; `mypy --strict` reads it, nothing runs it."""

from __future__ import annotations

import pathlib

from devops_mcp import CallResult, Config, Server

config: Config = {"root": pathlib.Path("."), "state": "none", "prometheus": "http://127.0.0.1:9090", "history": 8}
with Server(config) as server:
    result: CallResult = server.call_tool("detect_anomalies", {"source": "file:load.csv"})
    structured: dict[str, object] = result.get("structuredContent", {})

server.call_tool("host_snapshot", "now")  # type: ignore[arg-type]
Server({"prometheus": 9090})  # type: ignore[arg-type]
