# cython: language_level=3, binding=False
"""The functions that harness/ffi/ffi_subject.py calls, as Cython makes them."""

from libc.stdint cimport int64_t, uint64_t


def nothing():
    pass


def add(int64_t a, int64_t b):
    return <int64_t>(<uint64_t>a + <uint64_t>b)


def text_length(str text not None):
    return len(text.encode("utf-8"))


def echo_text(str text not None):
    return text.encode("utf-8").decode("utf-8")


def echo_bytes(bytes data not None):
    cdef const char *start = data
    return start[:len(data)]


def sum_list(list numbers not None):
    cdef double total = 0.0
    for number in numbers:
        total += <double>number
    return total


def sum_buffer(const double[::1] numbers not None):
    cdef double total = 0.0
    cdef Py_ssize_t index
    for index in range(numbers.shape[0]):
        total += numbers[index]
    return total


def sum_dict(dict values not None):
    cdef double total = 0.0
    for value in values.values():
        total += <double>value
    return {"sum": total, "count": <double>len(values)}


def call_back(callable, uint64_t n):
    cdef uint64_t number
    answer = None
    for number in range(n):
        answer = callable(number)
    return answer


cdef uint64_t turn(uint64_t steps) noexcept nogil:
    cdef uint64_t state = 1
    cdef uint64_t step
    for step in range(steps):
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
    return state


def spin(uint64_t steps):
    cdef uint64_t state
    with nogil:
        state = turn(steps)
    return state


def spin_holding(uint64_t steps):
    return turn(steps)
