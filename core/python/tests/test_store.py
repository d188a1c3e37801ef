"""StateStore: a mapping with a cap, versions and times to live."""

import asyncio
import threading
import time
import weakref

import pytest

from mcp_rust_core import StateStore


def test_it_is_a_mapping():
    store = StateStore(1 << 20)
    store["a"] = b"1"
    store["b"] = bytearray(b"2")
    store["c"] = memoryview(b"3")
    assert (store["a"], store["b"], store["c"]) == (b"1", b"2", b"3")
    assert sorted(store) == sorted(store.keys()) == ["a", "b", "c"]
    assert len(store) == 3 and "a" in store and "z" not in store
    del store["a"]
    assert store.get("a") is None and store.get("a", 5) == 5 and store.get("a", default=b"") == b""
    with pytest.raises(KeyError) as missing:
        store["a"]
    assert missing.value.args == ("a",)
    with pytest.raises(KeyError):
        del store["a"]
    assert store.remove("b") and not store.remove("b")
    store.clear()
    assert len(store) == 0 and list(store) == []


def test_values_are_copied():
    store = StateStore(1 << 20)
    value = bytearray(b"before")
    store["a"] = value
    value[:] = b"after!"
    assert store["a"] == b"before"


@pytest.mark.parametrize("size", [0, 1, 4095, 4096, (1 << 20) - 1, 1 << 20, 3 << 20])
@pytest.mark.parametrize("kind", [bytes, bytearray])
def test_values_of_all_sizes_come_back(size, kind):
    store = StateStore(8 << 20)
    value = kind(index % 251 for index in range(size))
    store["a"] = value
    assert store["a"] == value


def test_versions_and_compare_and_swap():
    store = StateStore(1 << 20)
    assert store.get_versioned("a") is None
    first = store.compare_and_swap("a", None, b"1")
    assert store.get_versioned("a") == (b"1", first)
    assert store.compare_and_swap("a", None, b"x") is None
    assert store.compare_and_swap("a", first + 1, b"x") is None
    second = store.compare_and_swap("a", first, b"2")
    assert second > first and store["a"] == b"2"
    assert store.set("a", b"3") > second


def test_threads_lose_no_increment():
    store = StateStore(1 << 20)
    store["n"] = b"0"

    def add():
        for _ in range(200):
            while True:
                value, version = store.get_versioned("n")
                if store.compare_and_swap("n", version, b"%d" % (int(value) + 1)) is not None:
                    break

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store["n"] == b"800"


def test_time_to_live():
    store = StateStore(1 << 20)
    store.set("short", b"1", ttl=0.01)
    store.set("long", b"2", ttl=1e300)
    store.compare_and_swap("swapped", None, b"3", 0.01)
    time.sleep(0.05)
    assert "short" not in store and "swapped" not in store and store["long"] == b"2"
    assert store.statistics()["expirations"] == 2


def test_the_cap_evicts_the_least_recently_used_and_refuses_what_never_fits():
    store = StateStore(1000)
    for name in "abc":
        store[name] = bytes(200)
    with pytest.raises(ValueError, match="store less"):
        store["large"] = bytes(5000)
    with pytest.raises(ValueError, match="store less"):
        store.compare_and_swap("large", None, bytes(950))
    assert len(store) == 3
    store["d"] = bytes(200)
    assert "a" not in store and "d" in store
    statistics = store.statistics()
    assert statistics["evictions"] >= 1 and statistics["capacity_bytes"] == 1000
    assert 0 < statistics["bytes"] <= 1000


@pytest.mark.parametrize(
    ("action", "error", "text"),
    [
        (lambda s: StateStore(-1), ValueError, "a number from 0 to .* is wanted, not -1"),
        (lambda s: StateStore(2**70), ValueError, "a number from 0"),
        (lambda s: StateStore(1.5), TypeError, "a whole number is wanted, not float"),
        (lambda s: StateStore("1"), TypeError, "a whole number is wanted, not str"),
        (lambda s: s.set(1, b""), TypeError, None),
        (lambda s: s.set("\ud800", b""), UnicodeEncodeError, None),
        (lambda s: s.set("a", "text"), TypeError, "value is of type str; a buffer, such as bytes, is wanted"),
        (lambda s: s.set("a", 5), TypeError, "value is of type int"),
        (lambda s: s.set("a", memoryview(b"abcd")[::2]), ValueError, "value is not contiguous"),
        (lambda s: s.set("a", b"", ttl=-1), ValueError, "a finite number of seconds from 0 on"),
        (lambda s: s.set("a", b"", ttl=0), ValueError, "ttl is 0 seconds"),
        (lambda s: s.set("a", b"", ttl=float("nan")), ValueError, "a finite number of seconds"),
        (lambda s: s.set("a", b"", ttl=float("inf")), ValueError, "leave it out for no limit"),
        (lambda s: s.set("a", b"", ttl="1"), TypeError, "a number of seconds is wanted"),
        (lambda s: s.compare_and_swap("a", -1, b""), ValueError, "a number from 0"),
        (lambda s: s[5], TypeError, None),
    ],
)
def test_bad_input_gets_one_sentence(action, error, text):
    store = StateStore(1000)
    with pytest.raises(error, match=text):
        action(store)
    assert len(store) == 0


def test_the_rest_of_a_mapping():
    store = StateStore(1 << 20)
    store.update({"a": b"1", "b": b"2"}, c=b"3")
    store.update([("d", bytearray(b"4"))])
    assert sorted(store.items()) == [("a", b"1"), ("b", b"2"), ("c", b"3"), ("d", b"4")]
    assert sorted(store.values()) == [b"1", b"2", b"3", b"4"]
    assert store.pop("a") == b"1" and store.pop("a", None) is None and len(store) == 3
    with pytest.raises(KeyError, match="'a'"):
        store.pop("a")
    with pytest.raises(TypeError, match="2 defaults were given"):
        store.pop("a", 1, 2)
    assert repr(store) == f"<StateStore: 3 entries, {store.statistics()['bytes']} of {1 << 20} bytes>"
    assert weakref.ref(store)() is store


def test_of_several_threads_one_pops():
    store, popped = StateStore(1 << 20), []
    for round in range(200):
        store["key"] = str(round).encode()
        threads = [threading.Thread(target=lambda: popped.append(store.pop("key", None))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(int(value) for value in popped if value is not None) == list(range(200))


def at_once(count, work):
    """What several threads that begin together get."""
    answers, start = [], threading.Barrier(count)

    def run():
        start.wait()
        try:
            answers.append(work())
        except Exception as error:
            answers.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_one_computes_for_all():
    store, computed = StateStore(1 << 20), []

    def slow():
        computed.append(1)
        time.sleep(0.05)
        return b"answer"

    assert at_once(8, lambda: store.get_or_compute("key", slow)) == [b"answer"] * 8
    assert store.get_or_compute("key", slow) == b"answer" and len(computed) == 1
    del store["key"]
    assert store.get_or_compute("key", slow, ttl=0.01) == b"answer" and len(computed) == 2
    time.sleep(0.02)
    assert "key" not in store


def test_a_computation_that_fails_fails_for_all_and_is_tried_again():
    store, computed = StateStore(1 << 20), []

    def failing():
        computed.append(1)
        time.sleep(0.05)
        raise OSError("no answer")

    errors = at_once(4, lambda: store.get_or_compute("key", failing))
    assert all(isinstance(error, OSError) for error in errors), errors
    assert store.get_or_compute("key", lambda: b"better") == b"better"
    with pytest.raises(RuntimeError, match="'own' needs itself"):
        store.get_or_compute("own", lambda: store.get_or_compute("own", lambda: b""))
    with pytest.raises(TypeError):
        store.get_or_compute("text", lambda: "no bytes")
    # What is larger than the store is an answer all the same.
    assert len(StateStore(100).get_or_compute("key", lambda: bytes(1000))) == 1000


def test_functions_remember():
    store, computed = StateStore(1 << 20), []

    @store.memoize(ttl=60)
    def add(a, b=1):
        """Adds."""
        computed.append((a, b))
        return {"sum": a + b}

    assert add(1) == add(1) == {"sum": 2} and add(1, b=1) == {"sum": 2} and add(1, b=2) == {"sum": 3}
    assert computed == [(1, 1), (1, 1), (1, 2)], "arguments are what was given"
    assert add.forget(1) and not add.forget(1) and add(1) == {"sum": 2} and len(computed) == 4
    assert add.__doc__ == "Adds." and add.__name__ == "add"
    assert at_once(4, lambda: add(50)) == [{"sum": 51}] * 4 and computed.count((50, 1)) == 1
    # A function without an answer has one.
    nothing = store.memoize()(lambda: computed.append("nothing"))
    assert nothing() is None and nothing() is None and computed.count("nothing") == 1
    with pytest.raises(TypeError, match="with the parentheses"):
        store.memoize(lambda: 1)


def test_coroutines_remember():
    store, computed = StateStore(1 << 20), []

    @store.memoize()
    async def slow(number):
        computed.append(number)
        await asyncio.sleep(0.02)
        if number < 0:
            raise ValueError("below zero")
        return number * 2

    async def main():
        assert await asyncio.gather(*(slow(number % 3) for number in range(30))) == [number % 3 * 2 for number in range(30)]
        errors = await asyncio.gather(*(slow(-1) for _ in range(5)), return_exceptions=True)
        assert [str(error) for error in errors] == ["below zero"] * 5
        # Who waits goes on where the one that computes is cancelled.
        first = asyncio.create_task(slow(7))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        second = asyncio.create_task(slow(7))
        await asyncio.sleep(0.005)
        first.cancel()
        assert await second == 14
        # A waiter that is cancelled ends alone.
        third, fourth = asyncio.create_task(slow(8)), asyncio.create_task(slow(8))
        await asyncio.sleep(0.005)
        fourth.cancel()
        assert await third == 16 and (await asyncio.gather(fourth, return_exceptions=True))[0].__class__ is asyncio.CancelledError

    asyncio.run(main())
    assert sorted(computed) == [-1, 0, 1, 2, 7, 7, 8]


def test_a_child_of_fork_computes_itself(in_new_process):
    out = in_new_process(
        """
        import os, threading, time
        from mcp_rust_core import StateStore

        store, began = StateStore(1 << 20), threading.Event()
        threading.Thread(target=store.get_or_compute, args=("key", lambda: began.set() or time.sleep(0.5) or b"slow")).start()
        began.wait()
        child = os.fork()
        if child == 0:
            print(store.get_or_compute("key", lambda: b"own"), flush=True)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        """
    )
    assert out.split() == ["b'own'"]
