"""A client over stdio, for comparing a module's answers with those of the same server as a process."""

from __future__ import annotations

import json
import subprocess
from typing import Any

INITIALIZE = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "test", "version": "1"},
}


class StdioServer:
    """A server as a process, spoken with by one line for each message."""

    def __init__(self, *command: str) -> None:
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._last_id = 0
        self.request("initialize", INITIALIZE)
        self._send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message) + "\n")
        self._process.stdin.flush()

    def request(self, method: str, params: dict[str, Any]) -> Any:
        """The result of a request, or the error object."""
        self._last_id += 1
        self._send({"jsonrpc": "2.0", "id": self._last_id, "method": method, "params": params})
        assert self._process.stdout is not None
        for line in self._process.stdout:
            message = json.loads(line)
            if message.get("id") == self._last_id:
                return message["result"] if "result" in message else message["error"]
        raise AssertionError(f"the server ended without an answer to {method}")

    def list_tools(self) -> Any:
        return self.request("tools/list", {})["tools"]

    def call_tool(self, name: str, arguments: dict[str, Any]) -> Any:
        return self.request("tools/call", {"name": name, "arguments": arguments})

    def __enter__(self) -> StdioServer:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(30)


def canonical(answer: Any, masked: tuple[str, ...] = ()) -> str:
    """The answer as canonical JSON; members that name the clock or the host are masked."""

    def mask(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: "…" if key in masked else mask(item) for key, item in value.items()}
        if isinstance(value, list):
            return [mask(item) for item in value]
        return value

    return json.dumps(mask(answer), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
