"""What makes no sense is refused in one sentence."""

import mcp_fixture
import pytest


@pytest.mark.parametrize(
    ("config", "error", "sentence"),
    [
        ([], TypeError, "config is of type list; a dict of options is wanted"),
        ({1: 2}, TypeError, "a key of config is of type int; options have names"),
        ({"rooot": "/"}, ValueError, "unexpected argument '--rooot' found; tip: a similar argument exists: '--root'"),
        ({"Root": "/"}, ValueError, '"Root" is not the name of an option'),
        ({"": "/"}, ValueError, '"" is not the name of an option'),
        ({"root": 1.5}, TypeError, "--root cannot be a float; str, paths, int and bool can be options"),
        ({"root": [None]}, TypeError, "--root cannot be a NoneType; str, paths, int and bool can be options"),
        ({"read_only": "yes"}, ValueError, "unexpected value 'yes' for '--read-only' found; no more were expected"),
        ({"toolset": "none"}, ValueError, "there is no toolset `none`; there are none"),
        ({"http": "127.0.0.1:0"}, ValueError, "http is for servers on stdio and HTTP; one in process has no such option"),
        ({"state": "/dev/null/state"}, RuntimeError, "the directory /dev/null/state for the server's state cannot be made"),
    ],
)
def test_options(config, error, sentence):
    with pytest.raises(error) as raised:
        mcp_fixture.Server(config)
    assert str(raised.value).startswith(sentence)
    assert "\n" not in str(raised.value)


def test_nothing_is_an_option():
    for config in (None, {}, {"root": None, "state": "none", "read_only": False, "toolset": []}):
        assert len(mcp_fixture.Server(config).list_tools()) > 2


@pytest.mark.parametrize(
    ("name", "arguments", "error", "sentence"),
    [
        ("none", {}, LookupError, "there is no tool named `none`; tools/list tells which there are"),
        ("echo", [], TypeError, "arguments are of type list; a dict is wanted"),
        ("echo", "{}", TypeError, "arguments are of type str; a dict is wanted"),
        ("echo", {1: 2}, TypeError, "a key is of type int; keys in JSON are str"),
        ("echo", {"text": {1, 2}}, TypeError, "JSON has no form for set"),
        ("echo", {"text": b"a"}, TypeError, "JSON has no form for bytes"),
        ("stats", {"values": [float("nan")]}, ValueError, "JSON has no form for NaN; use None"),
        ("stats", {"values": [2**64]}, ValueError, "an int has more than 64 bits; pass it as a str"),
    ],
)
def test_calls(server, name, arguments, error, sentence):
    with pytest.raises(error) as raised:
        server.call_tool(name, arguments)
    assert str(raised.value).startswith(sentence)


def test_wrong_types(server):
    with pytest.raises(TypeError):
        server.call_tool(1)
    with pytest.raises(TypeError):
        server.call_tool()
    with pytest.raises(TypeError, match="on_question is of type int; something callable is wanted"):
        mcp_fixture.Server(on_question=1)
    with pytest.raises(UnicodeEncodeError):
        server.call_tool("echo", {"text": "\ud800"})
    nested = {}
    nested["text"] = nested
    with pytest.raises(ValueError, match="nested in itself"):
        server.call_tool("echo", nested)
    assert server.call_tool("echo", {"text": "a"})["isError"] is False


def test_use_after_close(server):
    assert not server.closed
    server.close()
    server.close()
    assert server.closed
    for use in (server.list_tools, lambda: server.call_tool("echo", {"text": "a"}), lambda: server.instructions):
        with pytest.raises(mcp_fixture.ServerClosed, match="the server is closed: make another one"):
            use()
    assert issubclass(mcp_fixture.ServerClosed, RuntimeError)


def test_a_panic_is_an_ordinary_exception(capfd):
    for _ in range(2):
        with pytest.raises(mcp_fixture.InternalError, match="please report it: asked for") as raised:
            mcp_fixture.Server({"root": "panic", "state": "none"})
        assert isinstance(raised.value, RuntimeError)


def test_a_panic_of_a_tool_is_an_answer_and_everything_goes_on(server):
    for _ in range(2):
        answer = server.call_tool("test_panic")
        assert answer["isError"] is True and "this is a bug of the server" in answer["content"][0]["text"]
        assert server.call_tool("echo", {"text": "a"})["structuredContent"] == {"text": "a"}


def test_names_and_docs():
    names = "CallResult Config Content Form InternalError Server ServerClosed Tool version"
    public = [name for name in dir(mcp_fixture) if not name.startswith("_")]
    assert public == sorted([*names.split(), "mcp_fixture"])
    assert mcp_fixture.Server.__module__ == mcp_fixture.InternalError.__module__ == "mcp_fixture"
    for thing in (mcp_fixture.Server, mcp_fixture.Server.call_tool, mcp_fixture.ServerClosed):
        assert thing.__doc__
    assert mcp_fixture.version.count(".") == 2
