"""StateStore: a mapping with a cap, versions and times to live."""

import threading
import time

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
