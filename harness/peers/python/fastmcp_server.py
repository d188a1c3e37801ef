"""fastmcp, as its README shows it."""

from fastmcp import FastMCP
from work import Summary, summarise

server = FastMCP("fastmcp")


@server.tool
def echo(text: str) -> str:
    """Returns the text."""
    return text


@server.tool
def stats(values: list[float]) -> Summary:
    """Summarises numbers."""
    return summarise(values)


if __name__ == "__main__":
    server.run(show_banner=False)
