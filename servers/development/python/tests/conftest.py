"""The fixtures of all Python modules, and a root with code in it."""

import pytest

pytest_plugins = ["module_fixtures"]


@pytest.fixture
def root(root):
    """A directory with a small package."""
    (root / "pkg").mkdir()
    (root / "pkg/__init__.py").write_text("from .core import run\n")
    (root / "pkg/core.py").write_text('def run(value):\n    """Runs."""\n    return value\n')
    (root / "app.py").write_text("from pkg import run\n\nprint(run(1))\n")
    return root
