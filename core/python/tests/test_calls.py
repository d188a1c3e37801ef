"""The call shapes that the lab measures, and the conversion of lists that they share with the kernels."""

import ctypes
import math
import random
from array import array

import pytest

import mcp_rust_core.mcp_rust_core as native
from mcp_rust_core import _calls


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
