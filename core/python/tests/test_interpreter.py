"""How the module lives with its interpreter: panics, threads, forks, and the end."""

import doctest
import importlib.util
import inspect
import os
import pathlib
import subprocess
import sys
import threading
from array import array

import pytest

import mcp_rust_core
from mcp_rust_core import _calls

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")


@pytest.mark.parametrize("panic", [_calls.panic, _calls.panic_released])
def test_a_panic_is_an_ordinary_exception_and_everything_goes_on(panic):
    for _ in range(3):
        with pytest.raises(mcp_rust_core.InternalError, match="as it was asked to") as raised:
            panic()
        assert isinstance(raised.value, RuntimeError)
    with pytest.raises(Exception):
        panic()
    assert mcp_rust_core.edit_distance("kitten", "sitting") == 3


def test_a_panic_below_a_handler_is_passed_on():
    router = mcp_rust_core.Router()
    router.register_handler("panic", lambda params: _calls.panic())
    with pytest.raises(mcp_rust_core.InternalError):
        router.process_request({"method": "panic"})
    assert '"type":"InternalError"' in router.process_request('{"method": "panic"}')


def test_names_and_docs():
    assert sorted(mcp_rust_core.__all__) == mcp_rust_core.__all__
    for name in mcp_rust_core.__all__:
        thing = getattr(mcp_rust_core, name)
        assert name == "version" or inspect.getdoc(thing), name
    assert mcp_rust_core.version.count(".") == 2


def doctests():
    things = {"mcp_rust_core": mcp_rust_core}
    for name in mcp_rust_core.__all__:
        thing = getattr(mcp_rust_core, name)
        things[name] = thing
        if inspect.isclass(thing):
            members = {f"{name}.{member}": getattr(thing, member) for member in vars(thing) if member[0] != "_"}
            things.update(members)
    for name, thing in things.items():
        text = getattr(thing, "__doc__", None) or ""
        if ">>>" in text:
            yield pytest.param(doctest.DocTestParser().get_doctest(text, {}, name, None, None), id=name)


@pytest.mark.parametrize("example", list(doctests()))
def test_examples_in_docstrings(example):
    assert doctest.DocTestRunner().run(example).failed == 0


def test_enough_examples():
    assert len(list(doctests())) >= 18


def lets_others_run(call):
    """Whether this thread gets the interpreter while another one is inside `call`."""
    inside, ended = threading.Lock(), []

    def work():
        inside.release()
        call()
        ended.append(True)

    inside.acquire()
    thread = threading.Thread(target=work)
    # No thread is asked to give the interpreter up: it has to do so by itself.
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1000)
    try:
        thread.start()
        inside.acquire()
        return not ended
    finally:
        sys.setswitchinterval(interval)
        thread.join()


VALUES = array("d", [0.5, 2.5, 1.0, 7.0] * 250_000)


@pytest.mark.parametrize(
    ("released", "held"),
    [
        (lambda: _calls.spin(50_000_000), lambda: _calls.spin_holding(50_000_000)),
        (lambda: mcp_rust_core.z_scores(VALUES, release=True), lambda: mcp_rust_core.z_scores(VALUES)),
    ],
    ids=["spin", "z_scores"],
)
def test_who_may_run_meanwhile(released, held):
    # A busy machine may wake this thread too late to see it.
    assert any(lets_others_run(released) for _ in range(30))
    assert not any(lets_others_run(held) for _ in range(5))


@needs_fork
def test_fork_after_import(in_new_process):
    out = in_new_process(
        """
        import os, threading
        from mcp_rust_core import LatencyHistogram, PriorityQueue, Router, StateStore, z_scores

        store, queue, router = StateStore(1 << 20), PriorityQueue(10), Router()
        store["a"] = b"parent"
        router.register_handler("get", lambda params: store[params].decode())
        waiting = threading.Thread(target=queue.receive)
        waiting.start()
        child = os.fork()
        if child == 0:
            assert router.process_request({"method": "get", "params": "a"})["result"] == "parent"
            store["a"] = b"child"
            own = PriorityQueue(1)
            threading.Timer(0.05, own.send, ["sent"]).start()
            assert own.receive(timeout=10) == ("sent", "normal")
            assert z_scores([1.0] * 100_000)[1] == 1.0
            LatencyHistogram().record("a", 1)
            print("child", flush=True)
            raise SystemExit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        queue.send("end")
        waiting.join()
        assert store["a"] == b"parent"
        print("parent")
        """
    )
    assert out.split() == ["child", "parent"]


@needs_fork
def test_forks_beside_busy_threads(in_new_process):
    """No child finds a lock held by a thread that it does not have."""
    out = in_new_process(
        """
        import os, signal, threading
        from mcp_rust_core import LatencyHistogram, PriorityQueue, StateStore

        store, queue, latencies, end = StateStore(64 << 20), PriorityQueue(4), LatencyHistogram(), threading.Event()
        large = bytes(2 << 20)

        def fill():
            while not end.is_set():
                for number in range(500):
                    store[str(number)] = b"value"
                    latencies.record(str(number % 50), number)
                store.set("large", large)
                len(store), store.keys(), store.statistics(), latencies.methods(), latencies.summary("1")
                store.clear()
                latencies.reset()

        def send():
            while not end.is_set():
                queue.send(1)

        def receive():
            while not end.is_set():
                queue.receive()

        threads = [threading.Thread(target=work, daemon=True) for work in (fill, fill, send, receive, receive)]
        for thread in threads:
            thread.start()
        ended = []
        for _ in range(120):
            child = os.fork()
            if child == 0:
                signal.alarm(20)
                len(store), store.keys(), store.clear(), latencies.summary("1"), latencies.reset(), len(queue)
                store["own"] = b"value"
                latencies.record("own", 1)
                try:
                    queue.try_receive()
                except Exception:
                    pass
                os._exit(0)
            ended.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        end.set()
        print(ended.count(0))
        os._exit(0)
        """,
        timeout=200,
    )
    assert out.split() == ["120"]


def test_a_subinterpreter_is_refused(in_new_process):
    for name in ("_interpreters", "_xxsubinterpreters"):
        if importlib.util.find_spec(name):
            break
    else:
        pytest.skip("this interpreter has no module for subinterpreters")
    out = in_new_process(
        f"""
        import {name} as interpreters
        try:
            other = interpreters.create("legacy")
        except TypeError:
            other = interpreters.create(isolated=False)
        code = "try:\\n import mcp_rust_core\\nexcept ImportError as error:\\n print(error)"
        print(interpreters.run_string(other, code))
        interpreters.destroy(other)
        """
    )
    assert "interpreter" in out, out


IN_FLIGHT = {
    "waiting": "queue.receive()",
    "waiting for a short time": "wait_briefly()",
    "spinning": "_calls.spin(20_000)",
    "computing": "mcp_rust_core.z_scores(values)",
    "in a busy handler": "router.process_request({'method': 'busy'})",
    "in a busy handler whose caller carries on": "carry_on()",
    "in a sleeping handler": "router.process_request({'method': 'sleep'})",
    "called back": "_calls.call_back(lambda n: n, 10_000)",
}


@pytest.mark.parametrize("call", IN_FLIGHT.values(), ids=IN_FLIGHT)
@pytest.mark.parametrize("end", ["return", "exit", "raise"])
def test_shutdown_with_calls_in_flight(call, end):
    """Neither a hang nor an abort, whatever daemon threads are doing."""
    code = f"""
import queue as queue_module, sys, threading, time
import mcp_rust_core
from mcp_rust_core import _calls

queue, router, values = mcp_rust_core.PriorityQueue(1), mcp_rust_core.Router(), [1.0] * 20_000

def busy(params):
    end = time.monotonic() + 20
    while time.monotonic() < end:
        pass

def sleep(params):
    for _ in range(20_000):
        time.sleep(0.001)

router.register_handler("busy", busy)
router.register_handler("sleep", sleep)

def carry_on():
    try:
        router.process_request({{'method': 'busy'}})
    except BaseException:
        pass

def wait_briefly():
    try:
        queue.receive(timeout=0.0005)
    except queue_module.Empty:
        pass

class Slow:
    # Gives the other threads time to come back while the interpreter is taken apart.
    def __del__(self, sleep=time.sleep):
        sleep(0.03)

slow = Slow()

def work():
    while True:
        {call}

for _ in range(4):
    threading.Thread(target=work, daemon=True).start()
time.sleep(0.1)
print("done", flush=True)
{dict(exit='sys.exit(0)', **{'return': 'pass', 'raise': 'raise SystemExit(0)'})[end]}
"""
    for _ in range(3):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
        assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr


def test_use_while_shutting_down(in_new_process):
    out = in_new_process(
        """
        import atexit
        def last():
            assert mcp_rust_core.z_scores([1.0] * 100_000)[1] == 1.0
            print("before")
        atexit.register(last)
        import mcp_rust_core
        class Thing:
            def __del__(self, z_scores=mcp_rust_core.z_scores):
                print(z_scores([2.0] * 100_000)[1])
        keep = Thing()
        """
    )
    assert out.split() == ["before", "2.0"]


@pytest.mark.parametrize(
    ("page", "least"), [("core/python/README.md", 15), ("docs/src/guide/python.md", 8)], ids=["the module's", "the book's"]
)
def test_examples_in_documents(page, least):
    document = pathlib.Path(__file__).parents[3] / page
    outcome = doctest.testfile(str(document), module_relative=False, encoding="utf-8")
    assert outcome.failed == 0 and outcome.attempted >= least
