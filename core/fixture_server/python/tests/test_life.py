"""Threads, interrupts, forks, and the end of the interpreter."""

import os
import sys
import threading
import time

import mcp_fixture
import pytest

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")


def test_other_threads_run_meanwhile(server):
    counted = []

    def count():
        while not done.is_set():
            counted.append(1)
            time.sleep(0.001)

    done = threading.Event()
    # No thread is asked to give the interpreter up: the call has to do so by itself.
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1000)
    counter = threading.Thread(target=count)
    try:
        counter.start()
        before = len(counted)
        server.call_tool("test_wait", {"milliseconds": 300})
        meanwhile = len(counted) - before
    finally:
        sys.setswitchinterval(interval)
        done.set()
        counter.join()
    assert meanwhile > 3


def test_calls_of_several_threads_go_on_beside_each_other(server):
    answers = []

    def work(number):
        for round in range(5):
            milliseconds = (number + round) % 7
            answers.append((milliseconds, server.call_tool("test_wait", {"milliseconds": milliseconds})))
            server.call_tool("echo", {"text": str(number)})

    workers = [threading.Thread(target=work, args=(number,)) for number in range(12)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(answers) == 60
    assert all(answer["structuredContent"] == {"milliseconds": waited} for waited, answer in answers)


def test_close_ends_calls_of_other_threads(server):
    ended = []

    def work():
        try:
            server.call_tool("test_wait", {"milliseconds": 4000})
        except mcp_fixture.ServerClosed as error:
            ended.append(str(error))

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    time.sleep(0.2)
    server.close()
    for worker in workers:
        worker.join(3)
    assert ended == ["the server was closed while the call was under way"] * 3


@pytest.mark.parametrize("tool", ["test_wait", "test_count"])
def test_ctrl_c_ends_a_call(in_new_process, tool):
    arguments = {"test_wait": {"milliseconds": 4500}, "test_count": {}}[tool]
    out = in_new_process(
        f"""
        import os, signal, threading, time
        import mcp_fixture
        # Also where whoever started the tests ignores it.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        server = mcp_fixture.Server({{"state": "none"}})
        begin = time.monotonic()
        threading.Timer(0.05, os.kill, [os.getpid(), signal.SIGINT]).start()
        try:
            while True:
                server.call_tool("{tool}", {arguments})
        except KeyboardInterrupt:
            print("interrupted", time.monotonic() - begin < 4)
        print(server.call_tool("echo", {{"text": "after"}})["structuredContent"]["text"])
        """
    )
    assert out.split() == ["interrupted", "True", "after"]


@needs_fork
def test_a_child_of_fork_makes_a_server_of_its_own(in_new_process, tmp_path):
    out = in_new_process(
        f"""
        import os
        import mcp_fixture
        server = mcp_fixture.Server({{"state": {str(tmp_path)!r}}})
        server.call_tool("test_wait", {{"milliseconds": 1}})
        child = os.fork()
        if child == 0:
            for use in (server.list_tools, lambda: server.call_tool("echo", {{"text": "a"}})):
                try:
                    use()
                except RuntimeError as error:
                    assert "before it forked: make another one in this process" in str(error), error
                else:
                    raise AssertionError("the parent's server was used")
            server.close()
            own = mcp_fixture.Server({{"state": "none"}})
            own.call_tool("test_wait", {{"milliseconds": 1}})
            del server
            print("child", flush=True)
            raise SystemExit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        # The event loop that the child has a copy of still works here.
        for _ in range(3):
            assert not server.call_tool("test_wait", {{"milliseconds": 5}})["isError"]
        print("parent")
        """
    )
    assert out.split() == ["child", "parent"]


IN_FLIGHT = {
    "waiting": "server.call_tool('test_wait', {'milliseconds': 4000})",
    "computing": "server.call_tool('test_count')",
    "answering at once": "server.call_tool('stats', {'values': [1.5] * 10_000})",
    "asking": "server.call_tool('test_elicitation', {'message': '?'})",
    "making": "mcp_fixture.Server({'state': 'none'})",
}


@pytest.mark.parametrize("call", IN_FLIGHT.values(), ids=IN_FLIGHT)
def test_shutdown_with_calls_in_flight(in_new_process, call):
    """Neither a hang nor an abort, whatever daemon threads are doing."""
    for _ in range(3):
        out = in_new_process(
            f"""
            import threading, time
            import mcp_fixture
            server = mcp_fixture.Server({{"state": "none"}}, on_question=lambda m, f: time.sleep(0.01))

            def work():
                while True:
                    {call}

            for _ in range(4):
                threading.Thread(target=work, daemon=True).start()
            time.sleep(0.1)
            print("done", flush=True)
            """
        )
        assert out == "done\n"


def test_many_servers_leave_nothing_behind():
    def descriptors():
        return len(os.listdir("/proc/self/fd"))

    def use():
        with mcp_fixture.Server({"state": "none"}) as server:
            server.call_tool("test_wait", {"milliseconds": 0})

    use()
    before = descriptors()
    for _ in range(50):
        use()
    assert descriptors() <= before
