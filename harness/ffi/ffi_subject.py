"""A subject whose benchmarks are calls from this interpreter into a shared library.

It speaks the protocol of harness/PROTOCOL.md and needs nothing but the standard library of CPython 3.9 or
later. The library is loaded from the path that is given, whatever its file name, so that every layout of it
can be:

    python3 -I -B ffi_subject.py --shape pyo3 --module my_module --library /tmp/layout-7.so
"""

import argparse
import array
import ctypes
import functools
import gc
import importlib.machinery
import importlib.util
import itertools
import json
import os
import struct
import sys
import threading
import types
import zlib
from time import perf_counter_ns, thread_time_ns

PROTOCOL = 1
MASK = (1 << 64) - 1

# Shapes that are a Python module, and so have every function under its own name.
MODULES = ("pyo3", "direct", "c-api", "cython", "nanobind")
SHAPES = (*MODULES, "ctypes", "pure")

# Steps of a call of `spin`: ten microseconds or some more, so that also two held ones fit a slice.
SPIN_STEPS = 8_000
# Calls that take a hundred times as long as the floor's: too long for the lab on a slow machine, and no reason
# to time everybody's call one by one. So are calls that wait for a second thread on a busy machine.
SLOW = {("ctypes", "sum_list")}
# A call is estimated over batches of at least this long.
ESTIMATED_OVER_NS = 200_000
# Batches of an estimate; the least counts.
ESTIMATES = 5
# Of the lab's steps of extra work, which take about a nanosecond, this many are one step of the interpreter.
STEPS_IN_ONE = 64
# Calls of a store by each of several threads in one call: so long that the threads also meet within it, since the
# interpreter changes between them every five milliseconds.
STORE_CALLS = 20_000
# Settling looks at the clock after batches of about this long.
SETTLE_BATCH_NS = 50_000


class Misuse(Exception):
    """A request or an option that cannot be carried out; its text is the answer."""


# The implementations.


class Pure:
    """The same tasks in Python alone. What comes back is a new object, as it is from a library."""

    @staticmethod
    def nothing():
        pass

    @staticmethod
    def add(a, b):
        return a + b

    @staticmethod
    def text_length(text):
        return len(text.encode())

    @staticmethod
    def echo_text(text):
        return text[:-1] + text[-1:]

    @staticmethod
    def echo_bytes(data):
        return bytes(memoryview(data))

    @staticmethod
    def sum_list(numbers):
        return float(sum(numbers))

    @staticmethod
    def sum_buffer(buffer):
        return float(sum(memoryview(buffer)))

    @staticmethod
    def sum_dict(values):
        return {"sum": float(sum(values.values())), "count": float(len(values))}

    @staticmethod
    def call_back(callable, n):
        answer = None
        for number in range(n):
            answer = callable(number)
        return answer


class Foreign:
    """The plain C functions of a library, called by way of ctypes. Only what C can name is there."""

    def __init__(self, path, prefix):
        library = ctypes.CDLL(path)
        self.nothing = getattr(library, prefix + "_nothing")
        self.nothing.restype = None
        self.nothing.argtypes = ()
        self.add = getattr(library, prefix + "_add")
        self.add.restype = ctypes.c_int64
        self.add.argtypes = (ctypes.c_int64, ctypes.c_int64)
        total = getattr(library, prefix + "_sum")
        total.restype = ctypes.c_double
        total.argtypes = (ctypes.c_void_p, ctypes.c_size_t)
        double = ctypes.c_double

        def sum_list(numbers):
            return total((double * len(numbers))(*numbers), len(numbers))

        def sum_buffer(buffer):
            return total((double * len(buffer)).from_buffer(buffer), len(buffer))

        self.sum_list = sum_list
        self.sum_buffer = sum_buffer


class LockedDict:
    """What Python offers instead of a store for several threads."""

    def __init__(self):
        self.lock, self.values = threading.Lock(), {}

    def get(self, key):
        with self.lock:
            return self.values.get(key)

    def set(self, key, value):
        with self.lock:
            self.values[key] = value


def loaded_module(name, path, part="_calls"):
    """The extension module of this name out of a file of any name, or the part of it that holds the calls."""
    loader = importlib.machinery.ExtensionFileLoader(name, path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    sys.modules[name] = module
    loader.exec_module(module)
    return getattr(module, part, module)


def implementation(shape, name, path):
    """The functions of a shape."""
    if shape == "pure":
        return Pure
    if shape == "ctypes":
        return Foreign(path, name)
    return loaded_module(name, path, "_direct" if shape == "direct" else "_calls")


def store_class(shape, name):
    """What an implementation has for values that several threads share; None where there is nothing."""
    if shape == "pure":
        return LockedDict
    return getattr(sys.modules[name], "StateStore", None) if shape == "pyo3" else None


# What is called.


class Task:
    """One call with a fixed input and a known answer."""

    def __init__(self, name, function, arguments, small, answer, payload=None, long=False, threads=1, store=None, repeat=1):
        self.name = name
        # The name of the function in the implementation.
        self.function = function
        # Makes the arguments of the measured call, and those of the counted one.
        self.arguments = arguments
        self.small = small
        # What the call with some arguments has to return, as Python itself says.
        self.answer = answer
        # Bytes that the library reads or writes at least once; only where the time depends on them.
        self.payload = payload
        self.long = long
        self.threads = threads
        # Makes what is stored before a method of a store is called instead of a function.
        self.store = store
        # How often one call makes the call: where starting several threads takes longer than one.
        self.repeat = repeat


def text(size):
    return "".join(itertools.islice(itertools.cycle("performance lab "), size))


def data(size):
    return bytes(itertools.islice(itertools.cycle(range(251)), size))


def numbers(count):
    # Whole numbers: their sum is exact, in whatever order it is made.
    return [float(index % 97 + 1) for index in range(count)]


def float_array(count):
    return array.array("d", numbers(count))


def numpy_array(count):
    import numpy

    return numpy.array(numbers(count))


def table(count):
    return {"key_%02d" % index: float(index + 1) for index in range(count)}


def identity(value):
    return value


def xorshift(steps):
    state = 1
    for _ in range(steps):
        state ^= state << 13 & MASK
        state ^= state >> 7
        state ^= state << 17 & MASK
    return state


def sized(function, make, unit, size, answer, payload=None, long=False, label=None):
    name = "ffi/%s/%s" % (function if label is None else label, unit)
    small = lambda: (make(16),)
    return Task(name, function, lambda: (make(size),), small, answer, payload, long)


def spinning(name, function, threads):
    arguments, small = (lambda: (SPIN_STEPS,)), (lambda: (64,))
    return Task(name, function, arguments, small, xorshift, None, False, threads)


def storing(method, threads):
    """Calls of a store with one value of 4 KiB. What a write returns differs, so its answer is what is there then."""
    value, key = data(4096), "session/00000007/state"
    arguments = (lambda: (key,)) if method == "get" else (lambda: (key, value))
    name = "ffi/store_%s/4KiB" % method + ("_%d_threads" % threads if threads > 1 else "")

    def stored(store):
        store.set(key, value)
        return lambda: store.get(key)

    answer, several = lambda *given: value, threads > 1
    repeat = STORE_CALLS if several else 1
    return Task(name, method, arguments, arguments, answer, None, several, threads, stored, repeat)


def new_store(kind):
    """An empty store; one with a cap gets more than the tasks need."""
    return kind() if kind is LockedDict else kind(1 << 26)


def tasks():
    kib, mib = 1 << 10, 1 << 20
    same, total = identity, Pure.sum_list
    return [
        Task("ffi/nothing", "nothing", tuple, tuple, Pure.nothing),
        Task("ffi/add", "add", lambda: (123_456, 654_321), lambda: (700, 800), Pure.add),
        sized("echo_text", text, "64B", 64, same),
        sized("text_length", text, "1KiB", kib, Pure.text_length),
        sized("text_length", text, "64KiB", 64 * kib, Pure.text_length),
        sized("text_length", text, "1MiB", mib, Pure.text_length),
        sized("echo_bytes", data, "1KiB", kib, same, kib),
        sized("echo_bytes", data, "64KiB", 64 * kib, same, 64 * kib),
        sized("echo_bytes", data, "1MiB", mib, same, mib, long=True),
        sized("sum_list", numbers, "1000", 1000, total),
        sized("sum_buffer", float_array, "1000", 1000, total, 8000),
        sized("sum_buffer", float_array, "1MiB", mib // 8, total, mib, long=True),
        sized("sum_buffer", numpy_array, "1000", 1000, total, 8000, label="sum_numpy"),
        sized("sum_dict", table, "16", 16, Pure.sum_dict),
        Task("ffi/call_back", "call_back", lambda: (identity, 1), lambda: (identity, 1), Pure.call_back),
        spinning("ffi/spin_released", "spin", 1),
        spinning("ffi/spin_held", "spin_holding", 1),
        spinning("ffi/two_threads_released", "spin", 2),
        spinning("ffi/two_threads_held", "spin_holding", 2),
        *(storing(method, threads) for threads in (1, 4) for method in ("get", "set")),
    ]


def missing(task, functions, shape, store=LockedDict):
    """Why an implementation does not offer a task; None where it does."""
    if task.store is not None:
        if store is None:
            return "it has no store"
        return "this process may use one core only" if task.threads > 1 and other_core() is None else None
    if not hasattr(functions, task.function):
        if shape == "ctypes":
            return "there is no plain C function for it, and ctypes can call no other"
        if shape == "pure":
            return "Python code cannot release the interpreter, and its loop would be another task"
        return "the module has no function %s" % task.function
    if "numpy" in task.name:
        if importlib.util.find_spec("numpy") is None:
            return "NumPy is not installed: pip install numpy"
        if shape == "ctypes":
            return "as for any buffer: see ffi/sum_buffer"
    if task.threads > 1 and other_core() is None:
        return "this process may use one core only"
    return None


def fold(value):
    """An answer as an unsigned 64-bit number that is never 0."""
    if value is None:
        return 0x6E6F6E65
    if isinstance(value, int):
        return value & MASK or 2
    if isinstance(value, float):
        return struct.unpack("<Q", struct.pack("<d", value))[0] or 3
    if isinstance(value, str):
        return fold(value.encode()) ^ 1
    if isinstance(value, bytes):
        return (zlib.crc32(value) << 32 | len(value) & 0xFFFFFFFF) or 4
    if isinstance(value, dict):
        parts = (fold(name) * 31 + fold(number) for name, number in value.items())
        return sum(parts) & MASK or 6
    raise Misuse("a call returned %s, which no task promises" % type(value).__name__)


# The timing loops. They differ in the number of arguments alone, and hold nothing but the call.


def calls_0(call, arguments, iters, extra):
    repeat, clock, result = itertools.repeat, perf_counter_ns, None
    start = clock()
    for _ in repeat(None, iters):
        result = call()
    if extra:
        chain(iters * extra // (1000 * STEPS_IN_ONE))
    return clock() - start, result


def calls_1(call, arguments, iters, extra):
    repeat, clock, result = itertools.repeat, perf_counter_ns, None
    (first,) = arguments
    start = clock()
    for _ in repeat(None, iters):
        result = call(first)
    if extra:
        chain(iters * extra // (1000 * STEPS_IN_ONE))
    return clock() - start, result


def calls_2(call, arguments, iters, extra):
    repeat, clock, result = itertools.repeat, perf_counter_ns, None
    first, second = arguments
    start = clock()
    for _ in repeat(None, iters):
        result = call(first, second)
    if extra:
        chain(iters * extra // (1000 * STEPS_IN_ONE))
    return clock() - start, result


def no_calls(iters):
    repeat, clock = itertools.repeat, perf_counter_ns
    start = clock()
    for _ in repeat(None, iters):
        pass
    return clock() - start


def chain(steps):
    """Work of a known kind for known slow-downs: steps of which each needs the one before."""
    state = 1
    for _ in itertools.repeat(None, steps):
        state = state * 6364136223846793005 + 1 & MASK
    return state


def own_copy(function):
    """A function with code of its own: the interpreter adapts code to what it calls, and would adapt one
    task's loop to another's call."""
    copy = types.FunctionType(function.__code__.replace(), function.__globals__, function.__name__)
    copy.__defaults__ = function.__defaults__
    return copy


def other_core():
    """A core that this process was not pinned to; None where there is none."""
    if not hasattr(os, "sched_getaffinity"):
        return None
    own = os.sched_getaffinity(0)
    if len(own) > 1:
        return max(own)
    for core in range(os.cpu_count() or 1):
        if core in own:
            continue
        try:
            # Threads have masks of their own; this one's is put back at once.
            os.sched_setaffinity(0, {core})
            os.sched_setaffinity(0, own)
            return core
        except OSError:
            continue
    return None


class Partner:
    """A thread that makes the same calls at the same time, on one of these cores."""

    def __init__(self, loop, call, arguments, cores):
        self.begin, self.done = threading.Lock(), threading.Lock()
        self.begin.acquire()
        self.done.acquire()
        self.loop, self.call, self.arguments = loop, call, arguments
        self.iters, self.empty, self.result = 0, False, None
        self.error = None
        threading.Thread(target=self.work, args=(cores,), daemon=True).start()

    def work(self, cores):
        os.sched_setaffinity(0, cores)
        while True:
            self.begin.acquire()
            try:
                if self.empty:
                    no_calls(self.iters)
                else:
                    _, self.result = self.loop(self.call, self.arguments, self.iters, 0)
            except Exception as error:
                self.error = error
            self.done.release()


def beside(partners, iters, empty, work):
    """Runs `work` while the partners make as many calls each; the time until all have ended."""
    for partner in partners:
        partner.iters, partner.empty = iters, empty
    start = perf_counter_ns()
    for partner in partners:
        partner.begin.release()
    result = work()
    for partner in partners:
        partner.done.acquire()
    wall = perf_counter_ns() - start
    for partner in partners:
        if partner.error is not None:
            raise partner.error
    return wall, result


class Bench:
    """A task that is set up."""

    def __init__(self, task, functions, store=None):
        self.task = task
        self.seen = None
        if task.store is not None:
            functions = store()
            self.seen = task.store(functions)
        self.call = getattr(functions, task.function)
        self.arguments = task.arguments()
        loops = (calls_0, calls_1, calls_2)
        if task.repeat > 1:
            self.call = self.repeated(own_copy(loops[len(self.arguments)]), self.call)
        self.loop = own_copy(loops[len(self.arguments)])
        self.settle_iters = 1
        # Two threads have a core each; more share all that there are.
        cores = {other_core()} if task.threads == 2 else set(range(os.cpu_count() or 1))
        self.partners = [
            Partner(own_copy(loops[len(self.arguments)]), self.call, self.arguments, cores)
            for _ in range(task.threads - 1)
        ]

    def repeated(self, loop, call):
        """The call, so often in a row."""
        return lambda *given: loop(call, given, self.task.repeat, 0)[1]

    def once(self):
        return self.folded(self.call(*self.arguments))

    def folded(self, result):
        """The answer behind what a call returned: of a store's task, what is stored after it."""
        return fold(result if self.seen is None else self.seen())

    def batch(self, iters, extra):
        """Nanoseconds of so many calls, and the answer of the last."""
        if not self.partners:
            return self.loop(self.call, self.arguments, iters, extra)
        work = lambda: self.loop(self.call, self.arguments, iters, extra)[1]
        wall, result = beside(self.partners, iters, False, work)
        # A wrong answer of a partner must not hide behind a right one.
        agree = self.seen is not None or all(partner.result == result for partner in self.partners)
        return wall, result if agree else None

    def empty(self, iters):
        """Nanoseconds of the same loop without the calls."""
        if not self.partners:
            return no_calls(iters)
        return beside(self.partners, iters, True, lambda: no_calls(iters))[0]

    def prepare(self):
        checksum = self.once()
        iters, wall = 1, self.batch(1, 0)[0]
        while wall < ESTIMATED_OVER_NS and not self.task.long:
            iters *= 2
            wall = self.batch(iters, 0)[0]
        least = min(self.batch(iters, 0)[0] for _ in range(ESTIMATES))
        call_ns = max(1, round(least / iters))
        self.settle_iters = max(1, SETTLE_BATCH_NS // call_ns)
        return {"checksum": checksum, "call_ns": call_ns}

    def settle(self, settle_ns):
        end = perf_counter_ns() + settle_ns
        while perf_counter_ns() < end:
            self.batch(self.settle_iters, 0)
            self.empty(self.settle_iters)

    def slice(self, iters, extra):
        loop_ns = self.empty(iters)
        before = thread_time_ns()
        wall, result = self.batch(iters, extra)
        # Of several threads, one's time says nothing of the others'.
        cpu = 0 if self.partners else thread_time_ns() - before
        checksum = self.folded(result) * iters & MASK
        return {"iters": iters, "wall_ns": wall, "cpu_ns": cpu, "loop_ns": loop_ns, "checksum": checksum}


class Subject:
    """The answers to the lab's requests."""

    def __init__(self, shape, functions, store=None):
        self.shape, self.functions, self.store = shape, functions, store
        self.offered, self.not_offered, self.benches = {}, [], {}
        for task in tasks():
            why = missing(task, functions, shape, store)
            if why is None:
                self.offered[task.name] = task
            else:
                self.not_offered.append({"name": task.name, "why": why})

    def answer(self, request):
        operation = request.get("op")
        if operation == "list":
            return self.list()
        if operation not in ("prepare", "turn", "count"):
            raise Misuse("unknown operation %s; known: list, prepare, turn, count" % json.dumps(operation))
        task = self.task(request.get("benchmark"))
        if operation == "count":
            return self.count(task)
        if operation == "prepare":
            return self.quietly(lambda: self.bench(task).prepare())
        return self.quietly(lambda: self.turn(task, request))

    def list(self):
        infos = []
        for task in self.offered.values():
            info = {
                "name": task.name,
                "answer": fold(task.answer(*task.arguments())),
                "count_answer": fold(task.answer(*task.small())),
                "long": task.long,
            }
            if task.threads > 1 or (self.shape, task.function) in SLOW:
                info["slow"] = True
            if task.payload is not None:
                info["payload"] = task.payload
            infos.append(info)
        return {
            "protocol": PROTOCOL,
            "subject": "ffi-" + self.shape,
            "benchmarks": infos,
            "not_offered": self.not_offered,
        }

    def task(self, name):
        if name in self.offered:
            return self.offered[name]
        known = ", ".join(self.offered)
        raise Misuse("unknown benchmark %s; known: %s" % (json.dumps(name), known))

    def bench(self, task):
        if task.name not in self.benches:
            self.benches[task.name] = Bench(task, self.functions, self.store)
        return self.benches[task.name]

    def turn(self, task, request):
        bench = self.benches.get(task.name)
        if bench is None:
            bench = self.bench(task)
            bench.prepare()
        settle_ns, slices, iters = (count_of(request, name) for name in ("settle_ns", "slices", "iters"))
        extra = count_of(request, "extra", 0)
        if iters == 0:
            raise Misuse("iters is 0; a slice has at least one call")
        bench.settle(settle_ns)
        return {"slices": [bench.slice(iters, extra) for _ in range(slices)]}

    def count(self, task):
        if task.store is not None:
            return {"checksum": self.bench(task).once()}
        call, arguments = getattr(self.functions, task.function), task.small()
        call(*arguments)
        return {"checksum": fold(call(*arguments))}

    @staticmethod
    def quietly(work):
        """Runs timed work without the collector of reference cycles."""
        gc.collect()
        gc.disable()
        try:
            return work()
        finally:
            gc.enable()


def count_of(request, name, default=None):
    value = request.get(name, default)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise Misuse("%s is %s; it is a whole number from 0 up" % (name, json.dumps(value)))


def reply(subject, line):
    """The answer to one line."""
    try:
        request = json.loads(line)
        if not isinstance(request, dict):
            raise Misuse("a request is a JSON object, and this is %s" % type(request).__name__)
        return subject.answer(request)
    except ValueError as error:
        return {"error": "a request is one line of JSON: %s" % error}
    except Misuse as error:
        return {"error": str(error)}


def private_stdout():
    """The pipe to the lab. What a library prints goes to stderr instead."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
    os.dup2(2, 1)
    return answers


def serve(subject, requests, answers):
    for line in requests:
        if line.strip():
            answers.write(json.dumps(reply(subject, line), separators=(",", ":")) + "\n")
            answers.flush()


def arguments_of(words):
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--shape", required=True, choices=SHAPES, help="how the library is called")
    parser.add_argument("--library", metavar="PATH", help="the shared library; none for pure")
    parser.add_argument("--module", metavar="NAME", help="the module's name, and the prefix of its C functions")
    options = parser.parse_args(words)
    if options.shape != "pure" and not (options.library and options.module):
        parser.error("--shape %s needs --library and --module" % options.shape)
    return options


def main():
    options = arguments_of(sys.argv[1:])
    answers = private_stdout()
    try:
        functions = implementation(options.shape, options.module, options.library)
        store = store_class(options.shape, options.module)
    except (ImportError, OSError, AttributeError) as error:
        sys.stderr.write("the library cannot be loaded: %s\n" % error)
        return 1
    serve(Subject(options.shape, functions, store and functools.partial(new_store, store)), sys.stdin, answers)
    return 0


if __name__ == "__main__":
    sys.exit(main())
