"""What a type checker has to accept, and to know; `mypy --strict` reads it, nothing runs it."""

from __future__ import annotations

import pathlib

import mcp_fixture
from mcp_fixture import CallResult, Config, Form, Server, Tool


def answer(message: str, form: Form) -> dict[str, object] | bool | None:
    return {"name": message} if "name" in form["properties"] else None


config: Config = {"root": [pathlib.Path("."), "/tmp"], "state": "none", "read_only": True}
with Server(config, on_question=answer) as server:
    tools: list[Tool] = server.list_tools()
    name: str = tools[0]["name"]
    result: CallResult = server.call_tool(name, {"text": "a"})
    failed: bool = result["isError"]
    text: str = result["content"][0]["text"]
    structured: dict[str, object] = result.get("structuredContent", {})
    words: str = server.instructions
closed: bool = server.closed
error: RuntimeError = mcp_fixture.ServerClosed()

server.call_tool(b"echo")  # type: ignore[arg-type]
Server({"rooot": "/tmp"})  # type: ignore[arg-type]
Server(on_question=len)  # type: ignore[arg-type]
