"""The eight tools in process: the answers of the server over stdio."""

import development_mcp
import pytest
from stdio_client import canonical

CALLS = [
    ("search", {"query": "run"}),
    ("search", {"query": "(", "mode": "regex"}),
    ("search", {"query": "RUN"}),
    ("search", {"query": "ru", "mode": "symbol"}),
    ("ast_search", {"pattern": "print($A)", "language": "python"}),
    ("outline", {"path": "pkg/core.py"}),
    ("symbol", {"name": "run", "body": True}),
    ("symbol", {"name": "rum"}),
    ("references", {"name": "run"}),
    ("impact", {"path": "pkg/core.py"}),
    ("impact", {}),
    ("read", {"path": "app.py", "lines": "1-2"}),
    ("read", {"path": "../outside"}),
    ("repo_map", {}),
]


@pytest.mark.parametrize(("name", "arguments"), CALLS, ids=[f"{i}-{call[0]}" for i, call in enumerate(CALLS)])
def test_an_answer_is_that_over_stdio(server, stdio, name, arguments):
    # What is indexed by a call that needs no index depends on the calls before it.
    here, there = server.call_tool(name, arguments), stdio.call_tool(name, arguments)
    assert canonical(here, ("indexed",)) == canonical(there, ("indexed",))


def test_the_list_is_that_over_stdio(server, stdio):
    assert canonical(server.list_tools()) == canonical(stdio.list_tools())
    names = [tool["name"] for tool in server.list_tools()]
    assert names == ["search", "ast_search", "outline", "symbol", "references", "impact", "read", "repo_map"]


def test_an_edit_is_seen_by_the_next_call(server, root):
    first = server.call_tool("symbol", {"name": "later"})["structuredContent"]
    assert first["total"] == 0
    (root / "pkg/core.py").write_text("def later():\n    pass\n")
    second = server.call_tool("symbol", {"name": "later"})["structuredContent"]
    assert [found["path"] for found in second["definitions"]] == ["pkg/core.py"]


def test_a_home_directory_is_not_taken_by_accident(monkeypatch, root):
    monkeypatch.setenv("HOME", str(root))
    with pytest.raises(ValueError, match="any-root"):
        development_mcp.Server({"root": root, "state": "none"})
