"""What a type checker has to accept, and to know; `mypy --strict` reads it, nothing runs it."""

from __future__ import annotations

import pathlib

from bash_god_mcp import CallResult, Config, Form, Server


def answer(message: str, form: Form) -> bool:
    return "rm" not in message


config: Config = {"root": pathlib.Path("."), "state": "none", "policy": "policy.toml", "run_without": ["seccomp"]}
with Server(config, on_question=answer) as server:
    result: CallResult = server.call_tool("command_analyze", {"command": "ls"})
    structured: dict[str, object] = result.get("structuredContent", {})

server.call_tool("command_analyze", "ls")  # type: ignore[arg-type]
Server({"roots": "/tmp"})  # type: ignore[arg-type]
