# The stub of every server's native module: what `server_module!` makes. Each package has this very file.

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import final

from ._config import Config
from ._types import CallResult, Form, Tool

__all__ = ["InternalError", "Server", "ServerClosed", "version"]

version: str

class InternalError(RuntimeError): ...
class ServerClosed(RuntimeError): ...

@final
class Server:
    def __new__(
        cls,
        config: Config | None = None,
        *,
        on_question: Callable[[str, Form], Mapping[str, object] | bool | None] | None = None,
    ) -> Server: ...
    def list_tools(self) -> list[Tool]: ...
    def call_tool(self, name: str, arguments: dict[str, object] | None = None) -> CallResult: ...
    @property
    def instructions(self) -> str: ...
    @property
    def closed(self) -> bool: ...
    def close(self) -> None: ...
    def __enter__(self) -> Server: ...
    def __exit__(
        self,
        type: type[BaseException] | None = None,
        value: BaseException | None = None,
        traceback: TracebackType | None = None,
        /,
    ) -> None: ...
