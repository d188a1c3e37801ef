"""Tests of scripts/build_workspace on messages as Cargo writes them."""

import contextlib
import hashlib
import importlib.machinery
import importlib.util
import io
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import unittest
from pathlib import Path
from unittest import mock

SCRIPT = Path(__file__).resolve().parent.parent / "build_workspace"


def loaded():
    """The script as a module; its name has no suffix, so that it is named to the loader."""
    loader = importlib.machinery.SourceFileLoader("build_workspace", str(SCRIPT))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    sys.modules[loader.name] = module
    loader.exec_module(module)
    return module


bw = loaded()

INCLUDE = sysconfig.get_paths()["include"]
HEADERS = os.path.isfile(os.path.join(INCLUDE, "Python.h"))

LIB, BIN = "path+file:///w/shared#0.1.0", "path+file:///w/tool#the-tool@0.1.0"
MEMBERS = {LIB: "shared", BIN: "the-tool"}


def target(name, *kinds, features=()):
    return {"name": name, "kind": list(kinds), "required-features": list(features)}


METADATA = {
    "workspace_members": [LIB, BIN],
    "packages": [
        {"id": LIB, "name": "shared", "targets": [target("shared", "lib"), target("speed", "bench")]},
        {
            "id": BIN,
            "name": "the-tool",
            "targets": [
                target("the-tool", "bin"),
                target("extra", "bin", features=["extra"]),
                target("build-script-build", "custom-build"),
                target("end_to_end", "test"),
            ],
        },
    ],
}


def artifact(package, name, kind, *files):
    return {
        "reason": "compiler-artifact", "package_id": package,
        "target": {"name": name, "kind": [kind]}, "filenames": list(files),
    }


def diagnostic(package, level, text, spans=(), code=None):
    return {
        "reason": "compiler-message", "package_id": package,
        "message": {
            "level": level, "message": text, "spans": list(spans),
            "code": code and {"code": code}, "rendered": f"{level}: {text}\n",
        },
    }


def span(file, line, column, primary=True):
    return {"file_name": file, "line_start": line, "column_start": column, "is_primary": primary}


class Messages(unittest.TestCase):
    def setUp(self):
        self.build = bw.Build(MEMBERS)

    def test_an_error_keeps_package_message_code_and_the_primary_place(self):
        spans = [span("src/other.rs", 1, 1, primary=False), span("src/lib.rs", 7, 5)]
        rendered = self.build.take(diagnostic(LIB, "error", "mismatched types", spans, "E0308"))
        self.assertEqual(rendered, "error: mismatched types\n")
        self.assertEqual(self.build.errors, [bw.Error("shared", "mismatched types", "src/lib.rs:7:5", "E0308")])

    def test_an_error_of_a_dependency_names_it(self):
        self.build.take(diagnostic("registry+https://example.invalid/index#far@2.0.0", "error", "no"))
        self.assertEqual(self.build.errors, [bw.Error("far", "no", None)])

    def test_a_panic_of_the_compiler_is_an_error(self):
        self.build.take(diagnostic(LIB, "error: internal compiler error", "it broke"))
        self.assertEqual(self.build.errors, [bw.Error("shared", "it broke", None)])

    def test_warnings_are_counted_and_notes_are_not(self):
        for level in ("warning", "warning", "note", "failure-note"):
            self.build.take(diagnostic(LIB, level, "hm"))
        self.assertEqual((self.build.warnings, self.build.errors), (2, []))

    def test_counts_of_errors_are_not_errors(self):
        told = self.build.take(diagnostic(LIB, "error", "aborting due to 2 previous errors"))
        self.build.take_cargo_line("error: could not compile `shared` (lib) due to 2 previous errors\n")
        self.build.take_cargo_line("   Compiling shared v0.1.0\n")
        self.assertIsNone(told)
        self.assertEqual(self.build.errors, [])

    def test_what_only_cargo_tells_is_kept(self):
        self.build.take_cargo_line("error: failed to run custom build command for `the-tool v0.1.0`\n")
        self.build.take_cargo_line("error[E0001]: coded\n")
        script = "failed to run custom build command for `the-tool v0.1.0`"
        self.assertEqual(
            self.build.errors, [bw.Error("the-tool", script, None), bw.Error(None, "coded", None)]
        )

    def test_artifacts_of_members_are_kept_without_metadata_and_build_scripts(self):
        self.build.take(artifact(LIB, "shared", "lib", "/t/libshared.rlib", "/t/libshared.rmeta"))
        self.build.take(artifact(BIN, "build-script-build", "custom-build", "/t/build-script-build"))
        self.build.take(artifact("registry+https://example.invalid/index#far@2.0.0", "far", "lib", "/t/far.rlib"))
        self.assertEqual(self.build.made, {bw.Target("shared", "shared", "lib"): ["/t/libshared.rlib"]})

    def test_the_end_of_the_build_is_known(self):
        self.assertIsNone(self.build.finished)
        self.build.take({"reason": "build-finished", "success": False})
        self.assertIs(self.build.finished, False)


class Names(unittest.TestCase):
    def test_a_package_id_in_each_form(self):
        forms = {
            "path+file:///w/shared#0.1.0": "shared",
            "path+file:///w/tool#the-tool@0.1.0": "the-tool",
            "registry+https://example.invalid/index#far@2.0.0": "far",
            "far 2.0.0 (registry+https://example.invalid/index)": "far",
        }
        self.assertEqual({form: bw.package_name(form) for form in forms}, forms)


class Sorting(unittest.TestCase):
    def test_only_what_a_plain_build_makes_is_expected(self):
        wanted = {bw.Target("shared", "shared", "lib"), bw.Target("the-tool", "the-tool", "bin")}
        self.assertEqual(bw.expected(METADATA), wanted)

    def test_a_crate_behind_a_broken_one_is_not_called_failed(self):
        build = bw.Build(MEMBERS)
        build.take(diagnostic(LIB, "error", "no"))
        build.take(diagnostic("registry+https://example.invalid/index#far@2.0.0", "error", "not a member"))
        self.assertEqual(bw.crates(bw.expected(METADATA), build), bw.Crates([], ["shared"], ["the-tool"]))

    def test_a_crate_is_built_when_all_its_targets_are(self):
        build = bw.Build(MEMBERS)
        build.take(artifact(LIB, "shared", "lib", "/t/libshared.rlib"))
        self.assertEqual(bw.crates(bw.expected(METADATA), build), bw.Crates(["shared"], [], ["the-tool"]))
        build.take(artifact(BIN, "the-tool", "bin", "/t/the-tool"))
        self.assertEqual(bw.crates(bw.expected(METADATA), build), bw.Crates(["shared", "the-tool"], [], []))


class Panics(unittest.TestCase):
    MANIFEST = (
        '[profile.release]\n\n[profile.seed]\ninherits = "release"\npanic = "abort"\n\n'
        '[profile.small]\ninherits = "seed"\n\n[profile.wheel]\ninherits = "seed"\npanic = "unwind"\n'
    )

    def test_a_profile_aborts_by_itself_or_as_it_inherits(self):
        found = {name: bw.aborts(self.MANIFEST, name) for name in ("release", "seed", "small", "wheel", "dev")}
        self.assertEqual(found, {"release": False, "seed": True, "small": True, "wheel": False, "dev": False})

    def test_members_that_python_loads_are_known_by_what_they_depend_on(self):
        library, binary = METADATA["packages"]
        modules = {**METADATA, "packages": [{**library, "dependencies": [{"name": "pyo3"}]}, binary]}
        self.assertEqual((bw.python_modules(METADATA), bw.python_modules(modules)), ([], ["shared"]))

    def test_what_is_left_out_is_not_asked_for(self):
        command = bw.cargo_command(bw.arguments(["--profile", "seed"]), ["shared"])
        self.assertEqual(command[command.index("--exclude") + 1], "shared")


class PythonModules(unittest.TestCase):
    """A module is tried by a real interpreter; here with modules that come with it, or with none."""

    def tried(self, path, check):
        package = {"name": "shared", "metadata": {"python": {"check": check}} if check else None}
        return bw.tried(package, "module_under_trial", path, sys.executable)

    def test_what_is_no_library_does_not_work(self):
        trial = self.tried(str(SCRIPT), "True")
        self.assertFalse(trial.works)
        self.assertIn("ImportError", trial.told)

    def test_an_interpreter_that_is_not_there_is_told(self):
        trial = bw.tried({"name": "shared"}, "m", "m.so", "/nowhere/python")
        self.assertEqual((trial.works, "--python" in trial.told), (False, True))

    @unittest.skipIf(shutil.which("cc") is None or not HEADERS, "no C compiler, or no Python.h")
    def test_a_library_is_imported_and_called(self):
        code = (
            "#include <Python.h>\n"
            "static PyObject *two(PyObject *m, PyObject *i) { return PyLong_FromLong(2); }\n"
            "static PyObject *end(PyObject *m, PyObject *i) { abort(); }\n"
            'static PyMethodDef all[] = {{"two", two, METH_NOARGS, 0}, {"end", end, METH_NOARGS, 0}, {0}};\n'
            'static struct PyModuleDef def = {PyModuleDef_HEAD_INIT, "module_under_trial", 0, -1, all};\n'
            "PyMODINIT_FUNC PyInit_module_under_trial(void) { return PyModule_Create(&def); }\n"
        )
        with tempfile.TemporaryDirectory() as folder:
            source, library = Path(folder, "m.c"), Path(folder, "libm.so")
            source.write_text(code, encoding="utf-8")
            subprocess.run(
                ["cc", "-shared", "-fPIC", "-w", f"-I{INCLUDE}", str(source), "-o", str(library)], check=True
            )
            works = self.tried(str(library), "module.two() == 2")
            self.assertEqual((works.works, works.told), (True, "imported, and module.two() == 2"))
            self.assertIn("names no check", self.tried(str(library), "").told)
            wrong = self.tried(str(library), "module.two() == 3")
            self.assertEqual((wrong.works, wrong.told), (False, "module.two() == 3 is not true"))
            self.assertIn("AttributeError", self.tried(str(library), "module.three()").told)
            self.assertFalse(self.tried(str(library), "module.end()").works)
            build = bw.Build(MEMBERS)
            build.take(artifact(LIB, "module_under_trial", "cdylib", str(library)))
            build.take(artifact(BIN, "the-tool", "bin", str(library)))
            package = {
                "id": LIB, "name": "shared", "dependencies": [{"name": "pyo3"}],
                "metadata": {"python": {"check": "module.two() == 2"}},
            }
            metadata = {"workspace_members": [LIB], "packages": [package]}
            found = bw.trials(metadata, build, sys.executable)
        self.assertEqual([(trial.package, trial.works) for trial in found], [("shared", True)])


class Files(unittest.TestCase):
    def test_an_artifact_is_measured_and_shown_below_the_root(self):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "target", "the-tool")
            file.parent.mkdir()
            file.write_bytes(b"x" * 1500)
            build = bw.Build(MEMBERS)
            build.take(artifact(BIN, "the-tool", "bin", str(file)))
            found = bw.artifacts(build, Path(folder))
        sha256 = hashlib.sha256(b"x" * 1500).hexdigest()
        self.assertEqual(found, [bw.Artifact("the-tool", "bin", os.path.join("target", "the-tool"), 1500, sha256)])
        self.assertEqual(
            bw.table(found).splitlines(),
            ["artifact         bytes  sha256", f"target/the-tool  1,500  {sha256}"],
        )


CARGO = """#!/bin/sh
case $1 in
metadata) cat "$FAKE/metadata.json" ;;
build) echo "   Compiling shared" >&2; cat "$FAKE/messages.json"; exit "$FAKE_CODE" ;;
esac
"""


class WholeScript(unittest.TestCase):
    """Runs `main` against a stand-in for Cargo, which says what it was told to say."""

    def run_main(self, messages, code):
        with tempfile.TemporaryDirectory() as folder:
            cargo = Path(folder, "cargo")
            cargo.write_text(CARGO, encoding="utf-8")
            cargo.chmod(0o755)
            metadata = dict(METADATA, workspace_root=folder, target_directory=os.path.join(folder, "target"))
            Path(folder, "Cargo.toml").write_text(Panics.MANIFEST, encoding="utf-8")
            Path(folder, "metadata.json").write_text(bw.json.dumps(metadata), encoding="utf-8")
            lines = "".join(bw.json.dumps(message) + "\n" for message in messages(folder))
            Path(folder, "messages.json").write_text(lines, encoding="utf-8")
            paths = folder + os.pathsep + os.environ["PATH"]
            changed = {"PATH": paths, "FAKE": folder, "FAKE_CODE": str(code)}
            out = io.StringIO()
            with mock.patch.dict(os.environ, changed), contextlib.redirect_stdout(out):
                with contextlib.redirect_stderr(io.StringIO()):
                    exit_code = bw.main(["--profile", "seed"])
            logs = sorted(Path(folder, "target", "build-logs").iterdir())
            self.assertEqual([path.name.partition("-")[2] for path in logs], ["seed.json", "seed.log"])
            return exit_code, out.getvalue(), bw.json.loads(logs[0].read_text()), logs[1].read_text()

    def test_a_whole_build_is_a_success(self):
        def messages(folder):
            for name in ("libshared.rlib", "the-tool"):
                Path(folder, name).write_bytes(b"made")
            yield artifact(LIB, "shared", "lib", os.path.join(folder, "libshared.rlib"))
            yield artifact(BIN, "the-tool", "bin", os.path.join(folder, "the-tool"))
            yield {"reason": "build-finished", "success": True}

        code, out, summary, log = self.run_main(messages, 0)
        self.assertEqual(code, 0)
        self.assertTrue(summary["success"])
        self.assertEqual(summary["crates"], {"built": ["shared", "the-tool"], "failed": [], "blocked": []})
        self.assertEqual([made["path"] for made in summary["artifacts"]], ["libshared.rlib", "the-tool"])
        self.assertIn("built: shared, the-tool", out)
        self.assertIn("Compiling shared", log)
        self.assertIn("--profile seed", log)

    def test_a_broken_crate_is_named_with_its_error_and_exit_code_1(self):
        def messages(_):
            yield diagnostic(LIB, "error", "mismatched types", [span("src/lib.rs", 7, 5)], "E0308")
            yield {"reason": "build-finished", "success": False}

        code, out, summary, log = self.run_main(messages, 101)
        self.assertEqual(code, 1)
        self.assertFalse(summary["success"])
        self.assertIn("failed: shared\nnot reached: the-tool\n", out)
        self.assertIn("shared: mismatched types [E0308] (src/lib.rs:7:5)", out)
        self.assertIn("error: mismatched types", log)

    def test_a_build_that_ends_without_its_artifacts_is_no_success(self):
        code, _, summary, _ = self.run_main(lambda _: [{"reason": "build-finished", "success": True}], 0)
        self.assertEqual((code, summary["success"]), (1, False))

    def test_a_build_that_never_began_is_a_matter_of_set_up(self):
        code, _, summary, _ = self.run_main(lambda _: [], 101)
        self.assertEqual((code, summary["success"]), (2, False))


if __name__ == "__main__":
    unittest.main()
