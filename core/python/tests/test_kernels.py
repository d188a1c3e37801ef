"""The kernels on buffers: right answers, no copies, and one sentence for each buffer that does not fit."""

import ctypes
import math
import random
import statistics
import sys
from array import array

import pytest

import mcp_rust_core as core
from mcp_rust_core import _calls

try:
    import numpy
except ImportError:
    numpy = None

needs_numpy = pytest.mark.skipif(numpy is None, reason="needs NumPy")
RELEASE = pytest.mark.parametrize("release", [False, True])


def numbers(count, code="d", seed=1):
    source = random.Random(seed)
    return array(code, [source.uniform(-1, 1) for _ in range(count)])


def close(found, wanted):
    assert list(found) == pytest.approx(list(wanted), rel=1e-5, abs=1e-5)


@RELEASE
@pytest.mark.parametrize("dims", [1, 3, 16, 384])
@pytest.mark.parametrize("count", [0, 1, 50])
def test_dot(dims, count, release):
    query, rows = numbers(dims, "f"), numbers(dims * count, "f", seed=2)
    found = core.dot(query, rows, release=release)
    assert isinstance(found, array) and found.typecode == "f"
    wanted = [math.fsum(a * b for a, b in zip(query, rows[row * dims :])) for row in range(count)]
    close(found, wanted)
    assert core.dot(query.tolist(), rows.tolist()) == found
    out = array("f", bytes(4 * count))
    assert core.dot(query, rows, out, release=release) is out and out == found


@RELEASE
def test_z_scores(release):
    values = numbers(2001)
    scores, median, deviation = core.z_scores(values, release=release)
    assert median == statistics.median(values)
    assert deviation == pytest.approx(1.4826022185 * statistics.median(abs(value - median) for value in values))
    close(scores, [(value - median) / deviation for value in values])
    assert core.z_scores([5.0, 5.0, 6.0])[0].tolist() == [0.0, 0.0, math.inf]
    assert core.z_scores([1])[1:] == (1.0, 0.0)
    core.z_scores([1.0, math.inf, -math.inf])
    out = array("d", bytes(8 * len(values)))
    assert core.z_scores(values, out=out, release=release)[0] is out and out == scores


@RELEASE
@pytest.mark.parametrize("window", [2, 7, 1000])
def test_moving_mean_sd(window, release):
    series = numbers(1000)
    means, deviations = core.moving_mean_sd(series, window, release=release)
    windows = [series[start : start + window] for start in range(1001 - window)]
    close(means, map(statistics.fmean, windows))
    close(deviations, map(statistics.stdev, windows))
    out = (array("d", bytes(8 * len(means))), array("d", bytes(8 * len(means))))
    assert core.moving_mean_sd(series, window, out, release=release) == (means, deviations) == out
    assert [list(part) for part in core.moving_mean_sd(series, 1001)] == [[], []]
    assert [list(part) for part in core.moving_mean_sd(series, sys.maxsize)] == [[], []]


def holt(series, alpha, beta):
    level, trend, errors = series[1], series[1] - series[0], 0.0
    for value in series[2:]:
        error = value - (level + trend)
        errors += error * error
        level, trend = level + trend + alpha * error, trend + alpha * beta * error
    return errors


@RELEASE
def test_holt(release):
    series, alphas, betas = numbers(900), array("d", [0, 0.1, 0.5, 1]), array("d", [0, 0.3, 1, 1])
    close(core.holt(series, alphas, betas, release=release), map(holt, [series] * 4, alphas, betas))
    assert core.holt([1.0], [0.5], [0.5]).tolist() == [0.0]
    assert core.holt([], [], []).tolist() == []


@RELEASE
def test_bitset_intersect(release):
    source = random.Random(3)
    query = [source.getrandbits(64) for _ in range(40)]
    sets = [source.getrandbits(64) for _ in range(40 * 30)]
    wanted = [sum(bin(a & b).count("1") for a, b in zip(query, sets[row * 40 :])) for row in range(30)]
    assert core.bitset_intersect(array("Q", query), array("Q", sets), release=release).tolist() == wanted
    assert core.bitset_intersect(query, sets).tolist() == wanted
    assert core.bitset_intersect([1], array("L", [1]) if array("L").itemsize == 8 else [1]).tolist() == [1]
    with pytest.raises(OverflowError):
        core.bitset_intersect([-1], [1])


def cosine(a, b):
    return math.fsum(x * y for x, y in zip(a, b)) / math.sqrt(math.fsum(x * x for x in a) * math.fsum(y * y for y in b))


def test_cosine():
    rows, query = numbers(64 * 100, "f"), numbers(64, "f", seed=5)
    wanted = sorted(((cosine(rows[64 * row : 64 * row + 64], query), row) for row in range(100)), reverse=True)
    table = core.Embeddings(rows, dims=64)
    found = table.top_k(query, 7)
    assert [row for row, _ in found] == [row for _, row in wanted[:7]]
    close([score for _, score in found], [score for score, _ in wanted[:7]])
    assert core.cosine_top_k(rows, query, 7) == found
    assert len(table.top_k(query, 2**62)) == 100 and table.top_k(query, 0) == []
    assert (len(table), table.dims, repr(table)) == (100, 64, "<Embeddings: 100 rows of 64 float32>")
    rows[:] = array("f", bytes(4 * len(rows)))
    assert table.top_k(query, 7) == found
    for wrong, text in [((rows,), "say with dims"), ((rows, 63), "whole rows of 63"), ((rows, 0), "whole rows of 0")]:
        with pytest.raises(ValueError, match=text):
            core.Embeddings(*wrong)
    with pytest.raises(ValueError, match="query has 3 numbers; the rows have 64"):
        table.top_k([1.0, 2.0, 3.0], 1)
    with pytest.raises(ValueError, match="a number from 0 to .*, not -1"):
        table.top_k(query, -1)


@RELEASE
@pytest.mark.parametrize("size", [0, 1, 255, 4096, 100_000])
def test_bytes(size, release):
    data = random.Random(size).randbytes(size)
    forms = [data, bytearray(data), memoryview(data), array("B", data)]
    wanted = [data.count(byte) for byte in range(256)]
    for form in forms:
        assert core.byte_histogram(form, release=release).tolist() == wanted
        assert core.xxh3(form, release=release) == core.xxh3(data)
        classes = core.byte_classes(form, release=release)
        assert sum(classes.values()) == size and classes["high"] == sum(wanted[128:])
        assert core.edit_distance(form, data[:100], release=release) == max(0, size - 100)
    out = array("I", bytes(1024))
    assert core.byte_histogram(data, out, release=release) is out and out.tolist() == wanted


def test_known_hashes_and_distances():
    # From the reference implementation of xxHash 0.8, xxhsum -H3.
    assert core.xxh3(b"") == 0x2D06800538D394C2
    assert core.xxh3("é") == core.xxh3("é".encode()) != core.xxh3("e")
    assert core.edit_distance("", "abc") == 3
    assert core.edit_distance("é", "e") == 2
    assert core.edit_distance("a" * 1000, "b" * 1000) == 1000
    assert core.winnow("") == []
    assert core.winnow("one two three", shingle=1, window=1) == core.winnow("one  two\nthree", 1, 1)
    for wrong in ({"shingle": 0}, {"window": 0}):
        with pytest.raises(ValueError, match="at least 1"):
            core.winnow("a", **wrong)
    with pytest.raises(UnicodeEncodeError):
        core.xxh3("\ud800")


def place(buffer):
    """Address and length of a buffer as Python sees them."""
    return ctypes.addressof((ctypes.c_char * memoryview(buffer).nbytes).from_buffer(buffer)), memoryview(buffer).nbytes


def test_buffers_are_read_where_they_are():
    for buffer in (bytearray(1 << 20), array("d", bytes(1 << 20)), memoryview(bytearray(1 << 20))):
        assert _calls.buffer_place(buffer) == place(buffer)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc and an enforced limit")
def test_without_room_for_a_copy_kernels_work_and_copies_raise(in_new_process):
    in_new_process(
        """
        import resource
        from array import array
        from mcp_rust_core import Embeddings, StateStore, dot, xxh3

        query, rows, out = array("f", bytes(1 << 20)), array("f", bytes(256 << 20)), array("f", bytes(1 << 10))
        store = StateStore(1 << 40)
        with open("/proc/self/statm") as statm:
            used = int(statm.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + (64 << 20),) * 2)
        assert dot(query, rows, out) is out
        xxh3(rows)
        actions = (
            lambda: dot(query, rows, out, release=True),
            lambda: xxh3(rows, release=True),
            lambda: Embeddings(rows, 256),
            lambda: store.set("a", rows),
        )
        for number, action in enumerate(actions):
            try:
                action()
            except MemoryError:
                continue
            raise SystemExit(f"action {number} found memory for a copy")
        assert len(store) == 0 and xxh3(b"") == 0x2D06800538D394C2
        """
    )


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc and an enforced limit")
@pytest.mark.parametrize(
    "fill",
    [
        "store.set(str(number), value)",
        "store.set(str(number), value, None)",
        "store[str(number)] = value[:64]",
        "queue.send(None)",
        "router.register_handler(str(number), print)",
        "latencies.append(LatencyHistogram()) or latencies[-1].record('a', 1 << 40)",
    ],
)
def test_memory_that_runs_out_is_an_exception(in_new_process, fill):
    """However small the pieces are that fill it."""
    out = in_new_process(
        f"""
        import resource
        from mcp_rust_core import LatencyHistogram, PriorityQueue, Router, StateStore, xxh3

        store, queue, router, latencies = StateStore(1 << 40), PriorityQueue(1 << 40), Router(), []
        value = bytes(40_000)
        with open("/proc/self/statm") as statm:
            used = int(statm.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + (48 << 20),) * 2)
        number = 0
        try:
            while True:
                number += 1
                {fill}
        except MemoryError:
            pass
        assert number > 100
        del store, queue, router, latencies
        assert xxh3(b"") == 0x2D06800538D394C2
        print("goes on")
        """,
        timeout=120,
    )
    assert out == "goes on\n"


def test_a_long_comparison_ends_with_a_signal(in_new_process):
    out = in_new_process(
        """
        import signal
        from mcp_rust_core import edit_distance

        class Enough(Exception):
            pass

        def enough(number, frame):
            raise Enough

        signal.signal(signal.SIGALRM, enough)
        for texts in [("a" * 500_000, "b" * 500_000), (bytearray(500_000), bytearray(500_000))]:
            signal.setitimer(signal.ITIMER_REAL, 0.3)
            try:
                edit_distance(*texts)
            except Enough:
                print("ended")
        """,
        timeout=120,
    )
    assert out.split() == ["ended"] * 2


def test_a_similarity_is_one_at_most():
    source = random.Random(3)
    for dims in range(1, 60):
        row = array("f", [source.uniform(-1, 1) for _ in range(dims)])
        for sign in (1, -1):
            ((_, score),) = core.Embeddings(row, dims).top_k([sign * number for number in row], 1)
            assert -1 <= score <= 1 and abs(score) > 0.999


@needs_numpy
def test_numpy_arrays():
    rows = numpy.arange(12, dtype=numpy.float32).reshape(4, 3)
    query = numpy.array([1, 0, 2], dtype="f4")
    assert core.dot(query, rows).tolist() == (rows @ query).tolist()
    out = numpy.zeros(4, dtype="f4")
    assert core.dot(query, rows, out=out) is out and out.tolist() == (rows @ query).tolist()
    assert core.Embeddings(rows).dims == 3
    assert core.bitset_intersect(numpy.array([3], "u8"), numpy.array([1, 3], "u8")).tolist() == [1, 2]
    assert _calls.buffer_place(rows) == (rows.ctypes.data, rows.nbytes)
    frozen = numpy.ones(4, dtype="f4")
    frozen.flags.writeable = False
    unaligned = numpy.frombuffer(bytearray(33), dtype="u1")[1:].view("f4")
    for action, error, text in [
        (lambda: core.dot(query, rows.T), ValueError, "rows is not contiguous"),
        (lambda: core.dot(query, rows[:, ::2]), ValueError, "rows is not contiguous"),
        (lambda: core.dot(query, numpy.ones((3, 4), "f4")), ValueError, "rows has 4 columns and query 3 numbers"),
        (lambda: core.dot(query, rows.astype("f8")), TypeError, "rows does not hold float32; convert it"),
        (lambda: core.dot(query, rows.astype(">f4")), TypeError, "rows does not hold float32"),
        (lambda: core.dot(query, rows.astype(object)), TypeError, "rows does not hold float32"),
        (lambda: core.dot(query, rows, out=frozen), ValueError, "out is read-only"),
        (lambda: core.dot(query, rows, out=rows[1:3].reshape(-1)[:4]), ValueError, "out shares memory"),
        (lambda: core.dot(query[:2], unaligned), ValueError, "rows is not aligned for float32"),
    ]:
        with pytest.raises(error, match=text):
            action()


@pytest.mark.parametrize(
    ("action", "error", "text"),
    [
        (lambda d, f: core.dot(f, 5), TypeError, "rows is of type int; a buffer or a list of float32 is wanted"),
        (lambda d, f: core.dot(f, None), TypeError, "rows is of type NoneType"),
        (lambda d, f: core.dot(f, "text"), TypeError, "rows is of type str"),
        (lambda d, f: core.dot(f, b"1234"), TypeError, "rows does not hold float32"),
        (lambda d, f: core.dot(f, d), TypeError, "rows does not hold float32"),
        (lambda d, f: core.dot(f, ["1"]), TypeError, "item 0 is of type str; a list of numbers is wanted"),
        (lambda d, f: core.dot([], f), ValueError, "query is empty"),
        (lambda d, f: core.dot(f[:3], f), ValueError, "rows holds 8 numbers; a multiple of the query's 3"),
        (lambda d, f: core.dot(f, f, array("f", [0, 0])), ValueError, "out holds 2 numbers; 1 are wanted"),
        (lambda d, f: core.dot(f, f, array("d", [0])), TypeError, "out does not hold float32"),
        (lambda d, f: core.dot(f, f, [0.0]), TypeError, "out is of type list; a writable buffer of float32"),
        (lambda d, f: core.dot(f[:1], f, f), ValueError, "out shares memory with another argument"),
        (lambda d, f: core.z_scores([]), ValueError, "values is empty"),
        (lambda d, f: core.z_scores([1.0, 2.0, math.nan]), ValueError, r"values\[2\] is NaN.*leave it out"),
        (lambda d, f: core.Embeddings([1.0, math.nan], dims=2), ValueError, r"rows\[0\]\[1\] is NaN; a direction"),
        (lambda d, f: core.Embeddings([0.0, 1.0, math.inf, 0.0], 2), ValueError, r"rows\[1\]\[0\] is inf"),
        (lambda d, f: core.Embeddings([0.0, 1.0, 3e38, 3e38], 2), ValueError, r"a row has numbers whose squares .*row 1"),
        (lambda d, f: core.Embeddings([0.0, 1.0], 2).top_k([0.0, math.nan], 1), ValueError, r"query\[1\] is NaN"),
        (lambda d, f: core.cosine_top_k([0.0, 1.0], [math.nan, 0.0], 1), ValueError, r"query\[0\] is NaN"),
        (lambda d, f: core.Embeddings(memoryview(f).cast("b").cast("f", (2, 4)), 2), ValueError, "table of 4 columns, and dims is 2"),
        (lambda d, f: core.Embeddings(memoryview(f).cast("b").cast("f", (2, 2, 2))), ValueError, "rows has 3 axes"),
        (lambda d, f: core.z_scores(memoryview(d)[:1].cast("b").cast("d", ())), TypeError, "values is a single number"),
        (lambda d, f: core.z_scores(d, d), ValueError, "out shares memory"),
        (lambda d, f: core.z_scores(memoryview(d)[::2]), ValueError, "values is not contiguous"),
        (lambda d, f: core.moving_mean_sd(d, 1), ValueError, "window is 1; a deviation needs at least 2"),
        (lambda d, f: core.moving_mean_sd(d, -1), ValueError, "a number from 0 to .*, not -1"),
        (lambda d, f: core.moving_mean_sd(d, 2.5), TypeError, "a whole number is wanted, not float"),
        (lambda d, f: core.moving_mean_sd(d, 2, (d, d)), ValueError, r"out\[0\] holds 8 numbers; 7"),
        (lambda d, f: core.moving_mean_sd(d[:7], 2, (d[:6], memoryview(d)[:6])), None, None),
        (lambda d, f: core.moving_mean_sd(d[:7], 2, (memoryview(d)[:6], memoryview(d)[2:])), ValueError, r"out\[1\] shares"),
        (lambda d, f: core.holt(d, [0.5], [0.5, 0.5]), ValueError, "there are 1 alphas and 2 betas"),
        (lambda d, f: core.holt(d, [1.5], [0.5]), ValueError, r"alphas\[0\] is 1.5; a weight lies between 0 and 1"),
        (lambda d, f: core.holt(d, [0.5], [math.nan]), ValueError, r"betas\[0\] is NaN"),
        (lambda d, f: core.byte_histogram(b"", out=memoryview(bytes(1024)).cast("I")), ValueError, "out is read-only"),
        (lambda d, f: core.edit_distance(1, b""), TypeError, "a is of type int; a str or a buffer of bytes is wanted"),
        (lambda d, f: core.winnow(b"bytes"), TypeError, None),
    ],
)
def test_buffers_that_do_not_fit_get_one_sentence(action, error, text):
    d, f = numbers(8), numbers(8, "f")
    before = d.tolist(), f.tolist()
    if error is None:
        action(d, f)
        return
    with pytest.raises(error, match=text):
        action(d, f)
    assert (d.tolist(), f.tolist()) == before


def test_a_released_buffer_is_refused():
    view = memoryview(array("d", [1.0]))
    view.release()
    with pytest.raises(ValueError, match="released"):
        core.z_scores(view)


def test_an_exported_array_can_be_resized_afterwards():
    values = numbers(100)
    core.z_scores(values)
    with pytest.raises(TypeError):
        core.z_scores(values, out=5)
    with pytest.raises(ValueError):
        core.z_scores(values, out=values)
    values.append(1.0)


class Rebuffered(bytes):
    """Bytes that export other memory than their own, as Python 3.12 lets them."""

    memory = bytearray(8192)

    def __buffer__(self, flags):
        return memoryview(self.memory)


def test_a_subclass_of_bytes_is_not_taken_for_immutable():
    assert core.xxh3(Rebuffered(b"x")) in (core.xxh3(b"x"), core.xxh3(bytes(8192)))
