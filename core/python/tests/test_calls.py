"""The call shapes that the lab measures, and the conversion of lists that they share with the kernels."""

import ctypes
import math
import random
from array import array

import pytest

import mcp_rust_core.mcp_rust_core as native
from mcp_rust_core import StateStore, _calls

direct = getattr(native, "_direct", None)
needs_direct = pytest.mark.skipif(direct is None, reason="the wheel for CPython 3.9 has no direct functions")


def test_each_shape_does_what_its_name_says():
    assert _calls.nothing() is None
    assert _calls.add(2, -3) == -1
    assert _calls.text_length("hé") == 3
    assert _calls.echo_text("hé\0\U0001f600") == "hé\0\U0001f600"
    assert _calls.echo_bytes(b"\0\xff") == b"\0\xff"
    assert _calls.sum_dict({"a": 1.5, "b": 2.0}) == {"sum": 3.5, "count": 2.0}
    assert _calls.call_back(lambda number: number * 10, 4) == 30
    assert _calls.spin(1000) == _calls.spin_holding(1000) != 1


def from_first_to_last(numbers):
    total = 0.0
    for number in numbers:
        total += number
    return total


@pytest.mark.parametrize("sum_list", [_calls.sum_list, _calls.sum_list_by_calls])
def test_both_ways_through_a_list_agree(sum_list):
    numbers = [random.Random(7).uniform(-1e9, 1e9) for _ in range(1000)]
    assert sum_list(numbers) == from_first_to_last(numbers)
    assert sum_list(numbers) == _calls.sum_buffer(array("d", numbers))
    assert sum_list([]) == 0.0
    assert math.isnan(sum_list([1.0, math.nan]))
    assert sum_list([math.inf, 1.0]) == math.inf


class Half(float):
    pass


class Evil(int):
    """Empties the list that it is in while it is converted."""

    def __new__(cls, victim):
        self = super().__new__(cls, 5)
        self.victim = victim
        return self

    def __float__(self):
        self.victim.clear()
        self.victim.append(7.0)
        return 2.0

    def __index__(self):
        return int(self.__float__())


@pytest.mark.parametrize("sum_list", [_calls.sum_list, _calls.sum_list_by_calls])
def test_items_that_are_not_exactly_floats(sum_list):
    assert sum_list([1.0, 2, True, Half(0.5), 4.0]) == 8.5
    with pytest.raises(TypeError, match="item 1 is of type str"):
        sum_list([1.0, "2"])
    with pytest.raises(OverflowError):
        sum_list([10**400])
    with pytest.raises(TypeError):
        sum_list((1.0, 2.0))
    numbers = []
    numbers += [1.0, Evil(numbers)] + [3.0] * 100_000
    assert sum_list(numbers) < 10


def test_wrong_arguments():
    with pytest.raises(OverflowError):
        _calls.add(2**63, 0)
    with pytest.raises(TypeError):
        _calls.add("1", 2)
    with pytest.raises(UnicodeEncodeError):
        _calls.text_length("\ud800")
    with pytest.raises(TypeError, match="does not hold float64"):
        _calls.sum_buffer(array("f", [1.0]))
    with pytest.raises(TypeError, match="the values must be floats"):
        _calls.sum_dict({"a": 1})
    with pytest.raises(ZeroDivisionError):
        _calls.call_back(lambda number: 1 / number, 3)


def test_plain_c_functions():
    library = ctypes.CDLL(native.__file__)
    library.mcp_rust_core_add.argtypes = [ctypes.c_int64, ctypes.c_int64]
    library.mcp_rust_core_add.restype = ctypes.c_int64
    library.mcp_rust_core_sum.argtypes = [ctypes.POINTER(ctypes.c_double), ctypes.c_size_t]
    library.mcp_rust_core_sum.restype = ctypes.c_double
    library.mcp_rust_core_nothing()
    assert library.mcp_rust_core_add(2**62, -1) == 2**62 - 1
    assert library.mcp_rust_core_sum((ctypes.c_double * 3)(1.0, 2.0, 4.0), 3) == 7.0
    assert library.mcp_rust_core_sum(None, 3) == 0.0


def outcome(function, *arguments, **named):
    """What a call returns, or the class and the words of what it raises."""
    try:
        return function(*arguments, **named)
    except Exception as error:
        return type(error), str(error)


class Index:
    def __index__(self):
        return 5


class Int(int):
    pass


@needs_direct
@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((), {}), ((1,), {}), ((1, 2), {}), ((1, 2, 3), {}), ((1,), {"b": 2}), ((), {"b": 1, "a": 2}), ((1, 2), {"b": 2}),
        ((1,), {"c": 2}), ((2**63 - 1, 1), {}), ((-(2**63), -1), {}), ((2**63, 0), {}), ((0, -(2**63) - 1), {}),
        ((True, -1), {}), ((Int(3), Index()), {}), (("1", 2), {}), ((1.0, 2), {}), ((None, None), {}), ((-1, -1), {}),
    ],
)  # fmt: skip
def test_a_direct_function_is_its_twin(arguments, named):
    assert outcome(direct.add, *arguments, **named) == outcome(_calls.add, *arguments, **named)
    assert outcome(direct.nothing, *arguments, **named) == outcome(_calls.nothing, *arguments, **named)


@needs_direct
def test_direct_functions_describe_themselves_as_their_twins():
    for name in ("nothing", "add"):
        one, other = getattr(direct, name), getattr(_calls, name)
        assert (one.__name__, one.__doc__, one.__text_signature__) == (name, other.__doc__, other.__text_signature__)


class Text(str):
    pass


def test_a_store_takes_every_form_of_a_call():
    store = StateStore(100_000)
    versions = [store.set("a", b"1"), store.set(key="b", value=b"2"), store.set(Text("a"), bytearray(b"1"))]
    assert versions == sorted(set(versions))
    assert store.get("a") == store.get(Text("a")) == store.get(key="a") == store.get("a", 5) == b"1"
    assert store.get("z") is store.get("z", None) is None and store.get("z", default=7) == store.get("z", 7) == 7
    for size in (0, 1, 4095, 4096, 99_000):
        store.set("sized", bytes(size))
        assert store.get("sized") == bytes(size)
    for wrong in ((), (1,), ("a", 1, 2), (b"a",), (None,)):
        with pytest.raises(TypeError):
            store.get(*wrong)
    for wrong in ((), ("a",), ("a", "text"), (1, b""), ("a", b"", 1.0, 2)):
        with pytest.raises(TypeError):
            store.set(*wrong)
    with pytest.raises(TypeError):
        StateStore.get("not a store", "a")
    with pytest.raises(UnicodeEncodeError):
        store.get("\ud800")
    with pytest.raises(ValueError, match="store less"):
        store.set("a", bytes(100_001))
    with pytest.raises(ValueError, match="store less"):
        StateStore(200).set("a", bytes(100))
    assert store.get("a") == b"1"
    before = store.statistics()
    assert store.get("a") and store.get("gone") is None
    after = store.statistics()
    assert (after["hits"], after["misses"]) == (before["hits"] + 1, before["misses"] + 1)


def test_direct_calls_keep_no_reference():
    import sys

    store, default, value = StateStore(100_000), object(), bytes(100)
    before = sys.getrefcount(default), sys.getrefcount(value), sys.getrefcount(None)
    for _ in range(1000):
        store.set("a", value)
        store.get("b", default)
        store.get("b", default=default)
        store.get("b")
    after = sys.getrefcount(default), sys.getrefcount(value), sys.getrefcount(None)
    assert after[:2] == before[:2] and abs(after[2] - before[2]) < 100
