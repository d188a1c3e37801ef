"""The fixtures of all Python modules, and a root with something in it."""

import pytest

pytest_plugins = ["module_fixtures"]


@pytest.fixture
def root(root):
    """A directory with a few files, that commands may work in."""
    (root / "notes").mkdir()
    (root / "notes/one.txt").write_text("alpha\nbeta\n")
    (root / "two.log").write_text("error: gamma\n")
    return root
