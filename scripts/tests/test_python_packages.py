"""The Python package of a server holds what is its own: everything else is linked from core/python_face."""

import pathlib
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FACE = ROOT / "core/python_face"


def packages():
    """The directories of all modules that are made by `server_module!`."""
    for source in sorted([*ROOT.glob("core/*/python/src/lib.rs"), *ROOT.glob("servers/*/python/src/lib.rs")]):
        if "server_module!" in source.read_text(encoding="utf-8"):
            yield source.parent.parent


def lines(path):
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


class Packages(unittest.TestCase):
    def test_there_are_some(self):
        names = [package.relative_to(ROOT).as_posix() for package in packages()]
        self.assertIn("servers/bash_god/python", names)
        self.assertIn("core/fixture_server/python", names)

    def test_what_is_the_same_is_linked(self):
        for package in packages():
            (sources,) = (package / "python").iterdir()
            files = [(sources / "_types.py", "_types.py"), (sources / f"{sources.name}.pyi", "server.pyi")]
            for file, shared in [*files, (package / "build_backend.py", "build_backend.py")]:
                self.assertTrue(file.is_symlink(), f"{file} is a copy")
                self.assertEqual(file.resolve(), (FACE / "python" / shared).resolve())
                self.assertFalse(file.readlink().is_absolute(), file)
            self.assertIn('pytest_plugins = ["module_fixtures"]', lines(package / "tests/conftest.py"))

    def test_no_line_of_python_is_in_two_packages(self):
        """But imports and the head of the options' class: what a package says, it says for itself."""
        seen = {}
        for package in packages():
            own = {
                line.strip()
                for file in package.glob("python/*/*.py")
                if not file.is_symlink()
                for line in lines(file)
                if not line.startswith(("from ", "__all__ =", "class Config("))
            }
            for line in own:
                self.assertNotIn(line, seen, f"{package} and {seen.get(line)}")
                seen[line] = package

    def test_the_glue_is_short(self):
        """Beside its options and its tests: the manifests, the macro and the list of what is passed on."""
        for package in packages():
            glue = [package / "Cargo.toml", package / "pyproject.toml", package / "src/lib.rs"]
            glue += package.glob("python/*/__init__.py")
            count = sum(len(lines(file)) for file in glue)
            self.assertLessEqual(count, 90, f"{package} has {count} lines")


if __name__ == "__main__":
    unittest.main()
