"""The Python SDK (package mcp), as its README shows it."""

from mcp.server.mcpserver import MCPServer
from work import Summary, summarise

server = MCPServer("python-sdk")


@server.tool()
def echo(text: str) -> str:
    """Returns the text."""
    return text


@server.tool()
def stats(values: list[float]) -> Summary:
    """Summarises numbers."""
    return summarise(values)


if __name__ == "__main__":
    server.run()
