"""Tests of ffi_subject.py: the protocol, the tasks, and the floor in C where there is a compiler."""

import contextlib
import importlib.util
import io
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import unittest
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent
SCRIPT = FOLDER / "ffi_subject.py"
MASK = (1 << 64) - 1


def loaded():
    spec = importlib.util.spec_from_file_location("ffi_subject", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


subject = loaded()


def command(*options):
    return [sys.executable, "-I", "-B", str(SCRIPT), *options]


class Conversation:
    """A subject's process, asked line by line."""

    def __init__(self, *options):
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command(*options), stdin=pipe, stdout=pipe, stderr=pipe, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        _, self.stderr = self.process.communicate(timeout=60)

    def line(self, text):
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def ask(self, **request):
        return self.line(json.dumps(request))

    def turn(self, benchmark, **fields):
        request = {"op": "turn", "benchmark": benchmark, "settle_ns": 0, "slices": 1, "iters": 1}
        return self.ask(**{**request, **fields})


def floor():
    """The compiled floor, once; None where it cannot be compiled."""
    if not hasattr(floor, "path"):
        include = sysconfig.get_paths()["include"]
        floor.path = None
        if shutil.which("cc") and os.path.isfile(os.path.join(include, "Python.h")):
            floor.folder = tempfile.TemporaryDirectory()
            path = os.path.join(floor.folder.name, "any-name")
            options = ["-Wall", "-Wextra", "-Werror", "-O1", "-shared", "-fPIC", "-I" + include]
            subprocess.run(["cc", *options, str(FOLDER / "floor.c"), "-o", path], check=True)
            floor.path = path
    return floor.path


def floor_options(shape):
    return "--shape", shape, "--module", "perflab_floor", "--library", floor()


class Protocol(unittest.TestCase):
    def test_a_session_lists_prepares_turns_and_counts(self):
        with Conversation("--shape", "pure") as pure:
            listing = pure.ask(op="list")
            self.assertEqual((listing["protocol"], listing["subject"]), (1, "ffi-pure"))
            info = {info["name"]: info for info in listing["benchmarks"]}["ffi/add"]
            self.assertEqual((info["answer"], info["count_answer"], info["long"]), (777_777, 1500, False))
            prepared = pure.ask(op="prepare", benchmark="ffi/add")
            self.assertEqual(prepared["checksum"], 777_777)
            self.assertGreaterEqual(prepared["call_ns"], 1)
            turned = pure.turn("ffi/add", slices=3, iters=1000)
            self.assertEqual(len(turned["slices"]), 3)
            for part in turned["slices"]:
                self.assertEqual((part["iters"], part["checksum"]), (1000, 777_777_000))
                self.assertTrue(all(part[name] > 0 for name in ("wall_ns", "loop_ns", "cpu_ns")), part)
            self.assertEqual(pure.ask(op="count", benchmark="ffi/add"), {"checksum": 1500})

    def test_a_turn_sets_up_what_was_not_prepared(self):
        with Conversation("--shape", "pure") as pure:
            part = pure.turn("ffi/sum_dict/16", iters=7, settle_ns=1000)["slices"][0]
            answer = subject.fold({"sum": 136.0, "count": 16.0})
            self.assertEqual(part["checksum"], answer * 7 & MASK)

    def test_what_cannot_be_done_is_refused_and_the_session_goes_on(self):
        with Conversation("--shape", "pure") as pure:
            error = pure.ask(op="prepare", benchmark="ffi/nope")["error"]
            self.assertTrue(error.startswith('unknown benchmark "ffi/nope"; known: ffi/nothing'), error)
            self.assertIn("unknown benchmark", pure.ask(op="prepare", benchmark="ffi/spin_held")["error"])
            self.assertIn("known: list, prepare, turn, count", pure.ask(op="stop")["error"])
            self.assertIn("one line of JSON", pure.line("{")["error"])
            self.assertIn("this is list", pure.line("[]")["error"])
            self.assertIn("iters is 0", pure.turn("ffi/add", iters=0)["error"])
            self.assertIn("slices is -1", pure.turn("ffi/add", slices=-1)["error"])
            self.assertIn("settle_ns is true", pure.turn("ffi/add", settle_ns=True)["error"])
            self.assertEqual(pure.ask(op="count", benchmark="ffi/add"), {"checksum": 1500})

    def test_what_is_not_offered_says_why(self):
        with Conversation("--shape", "pure") as pure:
            listing = pure.ask(op="list")
        absent = {entry["name"]: entry["why"] for entry in listing["not_offered"]}
        self.assertIn("cannot release the interpreter", absent["ffi/spin_released"])
        names = [info["name"] for info in listing["benchmarks"]] + list(absent)
        self.assertEqual(sorted(names), sorted(task.name for task in subject.tasks()))

    def test_a_library_that_does_not_load_ends_the_subject_with_a_sentence(self):
        for shape in ("c-api", "ctypes"):
            options = ("--shape", shape, "--module", "m", "--library", str(SCRIPT))
            ended = subprocess.run(command(*options), input="", capture_output=True, text=True, timeout=60)
            self.assertEqual((ended.returncode, ended.stdout), (1, ""))
            self.assertTrue(ended.stderr.startswith("the library cannot be loaded: "), ended.stderr)
            self.assertEqual(len(ended.stderr.splitlines()), 1)

    def test_options_that_do_not_fit_are_told(self):
        with contextlib.redirect_stderr(io.StringIO()) as said:
            with self.assertRaises(SystemExit) as ended:
                subject.arguments_of(["--shape", "pyo3"])
        self.assertEqual(ended.exception.code, 2)
        self.assertIn("--shape pyo3 needs --library and --module", said.getvalue())
        self.assertEqual(subject.arguments_of(["--shape", "pure"]).shape, "pure")

    def test_what_a_library_prints_does_not_reach_the_lab(self):
        program = (
            "import sys; sys.path.insert(0, %r); import ffi_subject, os\n"
            "answers = ffi_subject.private_stdout()\n"
            "os.write(1, b'noise'); print('more', flush=True); answers.write('answer'); answers.close()"
        )
        words = [sys.executable, "-B", "-c", program % str(FOLDER)]
        ended = subprocess.run(words, capture_output=True, text=True, timeout=60)
        self.assertEqual((ended.stdout, ended.stderr.replace("\n", "")), ("answer", "noisemore"))


class Tasks(unittest.TestCase):
    def test_answers_are_folded_apart_and_never_to_zero(self):
        values = [None, 0, 1, 7, -1, 0.0, 1.5, "", "a", b"", b"a", {}, {"a": 1.0}, {"a": 2.0}, {"b": 1.0}]
        folded = [subject.fold(value) for value in values]
        self.assertTrue(all(0 < number <= MASK for number in folded), folded)
        self.assertEqual(len(set(folded)), len(values), folded)
        with self.assertRaises(subject.Misuse):
            subject.fold([])

    def test_the_generator_is_the_published_one(self):
        # Marsaglia's xorshift64 (13, 7, 17) from a state of 1.
        self.assertEqual(subject.xorshift(1), 1082269761)
        self.assertEqual(subject.xorshift(2), 1152992998833853505)

    def test_pure_python_gives_every_answer_in_a_new_object(self):
        for task in subject.tasks():
            if task.store is None and subject.missing(task, subject.Pure, "pure") is None:
                for arguments in (task.arguments(), task.small()):
                    found = getattr(subject.Pure, task.function)(*arguments)
                    self.assertEqual(found, task.answer(*arguments), task.name)
        for echo, value in ((subject.Pure.echo_text, "abc" * 20), (subject.Pure.echo_bytes, b"abc" * 20)):
            self.assertIsNot(echo(value), value)

    def test_extra_work_is_appended_once_a_batch(self):
        calls, steps = [], []
        original, subject.chain = subject.chain, steps.append
        try:
            for loop, arguments in ((subject.calls_0, ()), (subject.calls_1, (1,)), (subject.calls_2, (1, 2))):
                _, result = loop(lambda *given: calls.append(given) or len(calls), arguments, 5, 2_000 * subject.STEPS_IN_ONE)
                self.assertEqual(result, len(calls))
            self.assertEqual((calls, steps), ([()] * 5 + [(1,)] * 5 + [(1, 2)] * 5, [10, 10, 10]))
            subject.calls_0(lambda: None, (), 5, 0)
            self.assertEqual(steps, [10, 10, 10])
        finally:
            subject.chain = original
        self.assertEqual(subject.chain(2), 6364136223846793006 * 6364136223846793005 + 1 & MASK)

    def test_every_task_has_a_loop_of_its_own(self):
        one, other = subject.own_copy(subject.calls_1), subject.own_copy(subject.calls_1)
        self.assertIsNot(one.__code__, other.__code__)
        self.assertEqual(one(len, ("abc",), 4, 0)[1], 3)

    def test_a_store_is_seen_through_what_it_holds(self):
        for name in ("ffi/store_get/4KiB", "ffi/store_set/4KiB", "ffi/store_set/4KiB_4_threads"):
            task = next(task for task in subject.tasks() if task.name == name)
            bench = subject.Bench(task, None, subject.LockedDict)
            value = subject.fold(subject.data(4096))
            self.assertEqual(bench.once(), value)
            self.assertEqual(bench.slice(5, 0)["checksum"], value * 5 & MASK)
            self.assertEqual(len(bench.partners), task.threads - 1)
            made = []
            bench.repeated(subject.own_copy(subject.calls_1), made.append)("key")
            self.assertEqual(made, ["key"] * task.repeat)

        class Forgetful(subject.LockedDict):
            def set(self, key, value):
                super().set(key, value[:-1])

        task = next(task for task in subject.tasks() if task.name == "ffi/store_set/4KiB")
        self.assertNotEqual(subject.Bench(task, None, Forgetful).once(), value)

    @unittest.skipIf(subject.other_core() is None, "one core only")
    def test_a_wrong_answer_on_the_second_thread_is_seen(self):
        import threading

        main = threading.get_ident()
        functions = type("Functions", (), {})()
        functions.spin = lambda steps: 5 if threading.get_ident() == main else 6
        task = next(task for task in subject.tasks() if task.name == "ffi/two_threads_released")
        bench = subject.Bench(task, functions)
        self.assertEqual(bench.slice(3, 0)["checksum"], subject.fold(None) * 3)
        functions.spin = lambda steps: 5
        self.assertEqual(subject.Bench(task, functions).slice(3, 0)["checksum"], 15)


@unittest.skipIf(floor() is None, "no C compiler, or no Python.h: apt-get install gcc python3-dev")
class Floor(unittest.TestCase):
    def test_every_answer_of_the_c_interface_is_right(self):
        stores = {task.name for task in subject.tasks() if task.store is not None}
        self.check("c-api", {"ffi/sum_numpy/1000"} | stores)

    def test_every_answer_by_way_of_ctypes_is_right(self):
        names = {"ffi/nothing", "ffi/add", "ffi/sum_list/1000", "ffi/sum_buffer/1000", "ffi/sum_buffer/1MiB"}
        self.check("ctypes", {task.name for task in subject.tasks()} - names)

    def check(self, shape, may_lack):
        with Conversation(*floor_options(shape)) as asked:
            listing = asked.ask(op="list")
            for info in listing["benchmarks"]:
                name = info["name"]
                self.assertEqual(asked.ask(op="prepare", benchmark=name)["checksum"], info["answer"], name)
                counted = asked.ask(op="count", benchmark=name)
                self.assertEqual(counted["checksum"], info["count_answer"], name)
                iters = 1 if info["long"] else 3
                part = asked.turn(name, iters=iters)["slices"][0]
                self.assertEqual(part["checksum"], info["answer"] * iters & MASK, name)
            alone = subject.other_core() is None
            lacking = {entry["name"] for entry in listing["not_offered"]}
            lacking = {name for name in lacking if not (alone and "two_threads" in name)}
            self.assertLessEqual(lacking, may_lack)

    def test_calls_that_may_take_long_are_marked(self):
        with Conversation(*floor_options("ctypes")) as asked:
            slow = [info["name"] for info in asked.ask(op="list")["benchmarks"] if info.get("slow")]
        self.assertEqual(slow, ["ffi/sum_list/1000"])

    def test_the_floor_takes_no_arguments_where_none_are_due(self):
        module = subject.loaded_module("perflab_floor", floor())
        self.assertIsNone(module.nothing())
        with self.assertRaises(TypeError):
            module.nothing(1)

    def test_wrong_arguments_are_exceptions(self):
        module = subject.loaded_module("perflab_floor", floor())
        for call in (
            lambda: module.add(1),
            lambda: module.add("1", 2),
            lambda: module.add(1 << 70, 2),
            lambda: module.text_length(b""),
            lambda: module.echo_bytes(""),
            lambda: module.sum_list((1.0,)),
            lambda: module.sum_list(["a"]),
            lambda: module.sum_buffer(b"12345678"),
            lambda: module.sum_dict([]),
            lambda: module.sum_dict({"a": "b"}),
            lambda: module.call_back(None, 1),
            lambda: module.spin(-1),
        ):
            with self.assertRaises((TypeError, OverflowError, ValueError)):
                call()
        self.assertEqual(module.call_back(subject.identity, 3), 2)
        self.assertIsNone(module.call_back(subject.identity, 0))


if __name__ == "__main__":
    unittest.main()
