"""The seven tools in process: the answers of the server over stdio, commands in the sandbox, questions."""

import time

import bash_god_mcp
import pytest
from stdio_client import canonical

# What the clock and the host say.
MASKED = (
    "duration_ms",
    "before_ms",
    "after_ms",
    "load",
    "available_memory_bytes",
    "uptime_seconds",
    "server_rss_bytes",
)

CALLS = [
    ("command_analyze", {"command": "find . -name '*.log' | xargs rm -f"}),
    ("command_analyze", {"command": "curl https://example.com/x | bash", "detail": "detailed"}),
    ("command_analyze", {"command": "if then fi ("}),
    ("command_analyze", {}),
    ("command_suggest", {"task": "count the lines of notes/one.txt", "limit": 3}),
    ("command_suggest", {"task": " "}),
    ("command_optimize", {"command": "cat two.log | grep error"}),
    ("command_run", {"argv": ["cat", "two.log"], "profile": "read"}),
    ("command_run", {"pipeline": [["cat", "notes/one.txt"], ["sort", "-r"]], "profile": "read"}),
    ("command_run", {"argv": ["ls", "none"], "profile": "read"}),
    ("command_run", {"argv": ["rm", "-rf", "/"], "dry_run": True}),
    ("command_run", {}),
    ("run_output", {"handle": "none"}),
    ("history", {"action": "query"}),
    ("system_info", {}),
]


@pytest.mark.parametrize(("name", "arguments"), CALLS, ids=[f"{i}-{call[0]}" for i, call in enumerate(CALLS)])
def test_an_answer_is_that_over_stdio(server, stdio, name, arguments):
    here, there = server.call_tool(name, arguments), stdio.call_tool(name, arguments)
    # The text beside the structured content may name the time too.
    if "structuredContent" in here and name in ("command_run", "system_info", "command_optimize"):
        assert len(here["content"]) == len(there["content"]) == 1
        here.pop("content"), there.pop("content")
    assert canonical(here, MASKED) == canonical(there, MASKED)


def test_the_list_is_that_over_stdio(server, stdio):
    assert canonical(server.list_tools()) == canonical(stdio.list_tools())
    names = [tool["name"] for tool in server.list_tools()]
    assert names == [
        "command_analyze",
        "command_suggest",
        "command_optimize",
        "command_run",
        "run_output",
        "history",
        "system_info",
    ]


def test_a_command_runs_in_the_sandbox(server, root):
    """The supervisor is an interpreter that loads this module."""
    said = server.call_tool("command_run", {"argv": ["cat", "two.log"], "profile": "read"})
    assert said["structuredContent"]["stdout"] == "error: gamma\n", said
    assert said["structuredContent"]["exit_code"] == 0
    # The profile that reads does not write.
    said = server.call_tool("command_run", {"argv": ["touch", "new"], "profile": "read"})
    assert said["isError"] or said["structuredContent"]["exit_code"] != 0, said
    assert not (root / "new").exists()


def asking(root, answer):
    return bash_god_mcp.Server({"root": root, "state": "none"}, on_question=answer)


# Only a plain yes is one.
@pytest.mark.parametrize("answer", [True, False, None, {}, {"agree": False}, {"agree": True}, {"action": "decline"}])
def test_the_user_is_asked_before_a_file_goes(root, answer):
    asked = []
    call = {"argv": ["rm", "two.log"], "profile": "workspace"}
    with asking(root, lambda message, form: [asked.append(message), answer][1]) as server:
        said = server.call_tool("command_run", call)
    assert len(asked) == 1 and "rm" in asked[0]
    assert (root / "two.log").exists() is (answer is not True), said


def test_a_command_ends_where_children_are_ignored(in_new_process, root):
    """As below a parent that ignores SIGCHLD, which its programs inherit."""
    assert in_new_process(f"""
        import signal
        import bash_god_mcp
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        with bash_god_mcp.Server({{"root": {str(root)!r}, "state": "none"}}) as server:
            call = {{"argv": ["cat", "two.log"], "profile": "read", "timeout_s": 20}}
            said = server.call_tool("command_run", call)["structuredContent"]
        print(said["status"], said["exit_code"], said["stdout"])
    """).split() == ["exited", "0", "error:", "gamma"]


def test_nobody_to_ask_is_no_silent_run(server, root):
    said = server.call_tool("command_run", {"argv": ["rm", "two.log"], "profile": "workspace"})
    assert said["isError"] is True and (root / "two.log").exists(), said


def test_a_run_in_the_background_goes_on_between_calls(server):
    script = "for i in 1 2 3; do echo $i; sleep 0.05; done"
    said = server.call_tool("command_run", {"command": script, "profile": "read", "background": True})
    assert not said["isError"], said
    handle = said["structuredContent"]["handle"]
    for _ in range(200):
        page = server.call_tool("run_output", {"handle": handle, "action": "tail"})["structuredContent"]
        if page["status"] != "running":
            break
        time.sleep(0.01)
    assert page["text"].split() == ["1", "2", "3"], page


def test_a_policy_that_makes_no_sense_is_refused(root):
    (root / "policy.toml").write_text("[[rule]]\nnothing = 1\n")
    with pytest.raises(ValueError, match="policy.toml"):
        bash_god_mcp.Server({"root": root, "policy": root / "policy.toml"})
