"""The eight tools in process: the answers of the server over stdio."""

import pytest
import quality_mcp
from stdio_client import canonical

# What the clock says.
MASKED = ("duration_ms",)

CALLS = [
    ("metrics", {}),
    ("metrics", {"paths": ["a.py"], "detail": "detailed"}),
    ("metrics", {"paths": ["none.py"]}),
    ("hotspots", {}),
    ("lint", {"severity": "warning"}),
    ("lint", {"report": "lcov.info"}),
    ("duplicates", {}),
    ("coverage", {"report": "lcov.info"}),
    ("coverage", {"report": "none.info"}),
    ("coverage", {}),
    ("run_tests", {"runner": "pytest", "tests": ["--help"]}),
    ("select_tests", {}),
    ("gate", {}),
]


@pytest.mark.parametrize(("name", "arguments"), CALLS, ids=[f"{i}-{call[0]}" for i, call in enumerate(CALLS)])
def test_an_answer_is_that_over_stdio(server, stdio, name, arguments):
    here, there = server.call_tool(name, arguments), stdio.call_tool(name, arguments)
    assert canonical(here, MASKED) == canonical(there, MASKED)


def test_the_list_is_that_over_stdio(server, stdio):
    assert canonical(server.list_tools()) == canonical(stdio.list_tools())
    assert len(server.list_tools()) == 8


def test_what_is_measured_is_what_is_there(server):
    said = server.call_tool("metrics", {"paths": ["a.py"]})["structuredContent"]
    assert [(f["name"], f["cyclomatic"], f["cognitive"]) for f in said["functions"]] == [("f", 3, 2)]
    said = server.call_tool("coverage", {"report": "lcov.info"})["structuredContent"]
    assert said["files"][0]["gaps"] == [[3, 3]]


def test_an_option_that_makes_no_sense_is_refused(root):
    with pytest.raises(ValueError, match="--without-rust"):
        quality_mcp.Server({"root": root, "without_rust": "maybe"})
