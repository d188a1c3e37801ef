"""Answers in process are those over stdio, to the byte after canonical JSON."""

import copy
import math
import random

import mcp_fixture
import pytest
from stdio_client import canonical

FLOATS = [random.Random(7).uniform(-1e6, 1e6) for _ in range(1000)]
EDGES = [5e-324, 1.7976931348623157e308, 0.1, 1e23, 9007199254740993.0, 2.2250738585072014e-308, -0.0, 1e-7]

CALLS = [
    ("echo", {"text": "ä \u2028 \U0001f600 \" \\ \n"}),
    ("echo", {"text": "a", "detail": "detailed", "max_tokens": 10}),
    ("echo", {"text": "a" * 1000, "max_tokens": 10}),
    ("echo", {}),
    ("echo", {"text": 1}),
    ("echo", {"text": "a", "other": [1, {"b": None}]}),
    ("stats", {"values": FLOATS}),
    ("stats", {"values": EDGES}),
    ("stats", {"values": []}),
    ("stats", {"values": [1, 2**53, -(2**63), 2**64 - 1]}),
    ("test_form", {"name": "n", "count": 1, "share": 0.1, "labels": ["a"], "place": {"line": 3, "exact": True}}),
    ("test_form", {"name": "n", "count": 0}),
    ("test_simple_text", {}),
    ("test_image_content", {}),
    ("test_audio_content", {}),
    ("test_embedded_resource", {}),
    ("test_multiple_content_types", {}),
    ("test_error_handling", {}),
    ("test_panic", {}),
    ("test_tool_with_progress", {}),
    ("test_heavy_with_progress", {}),
    ("test_wait", {"milliseconds": 5}),
    ("test_count", {}),
    ("test_dirty_text", {}),
    ("test_elicitation", {"message": "?"}),
    ("test_sampling", {"prompt": "?"}),
    ("json_schema_2020_12_tool", {"contactMethod": "phone", "phone": "1"}),
    ("json_schema_2020_12_tool", {"contactMethod": "phone", "email": "1"}),
]


@pytest.mark.parametrize(("name", "arguments"), CALLS, ids=[f"{i}-{call[0]}" for i, call in enumerate(CALLS)])
def test_an_answer_is_that_over_stdio(server, stdio, name, arguments):
    given = copy.deepcopy(arguments)
    here = server.call_tool(name, arguments)
    assert arguments == given
    assert canonical(here) == canonical(stdio.call_tool(name, arguments))


def test_the_list_is_that_over_stdio(server, stdio):
    assert canonical(server.list_tools()) == canonical(stdio.list_tools())
    assert {"echo", "stats", "test_wait"} <= {tool["name"] for tool in server.list_tools()}


@pytest.mark.parametrize("seed", range(20))
def test_random_numbers_arrive_as_they_are(server, stdio, seed):
    """Every bit pattern of a float that is a number, and integers of up to 64 bits."""
    chance = random.Random(seed)
    values = []
    while len(values) < 50:
        value = math.ldexp(chance.random() - 0.5, chance.randrange(-1000, 1000))
        values += [value, float(f"{value:.{chance.randrange(1, 17)}g}"), chance.randrange(-(2**63), 2**64)]
    assert canonical(server.call_tool("stats", {"values": values})) == canonical(
        stdio.call_tool("stats", {"values": values})
    )
    one = server.call_tool("stats", {"values": [values[0]]})["structuredContent"]
    assert one["min"] == one["max"] == values[0]


def test_options_choose_tools(program):
    every = mcp_fixture.Server({"state": "none"}).list_tools()
    some = mcp_fixture.Server({"state": "none", "read_only": True}).list_tools()
    two = mcp_fixture.Server({"fixture": True}).list_tools()
    assert len(every) > len(some) > len(two) == 2
    assert all(tool["annotations"]["readOnlyHint"] for tool in some)


def test_what_the_server_keeps_goes_to_its_folder(tmp_path):
    with mcp_fixture.Server({"state": tmp_path / "state"}) as server:
        server.call_tool("test_wait", {"milliseconds": 1})
    assert '"tool":"test_wait"' in (tmp_path / "state/audit.jsonl").read_text()
