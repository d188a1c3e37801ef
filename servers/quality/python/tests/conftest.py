"""The fixtures of all Python modules, and a root with code in it."""

import pytest

pytest_plugins = ["module_fixtures"]


@pytest.fixture
def root(root):
    """A directory with a file of Python and a report about it."""
    (root / "a.py").write_text("def f(a, b=[]):\n    if a and b:\n        return eval(a)\n    return b\n")
    (root / "lcov.info").write_text("SF:a.py\nDA:1,1\nDA:2,1\nDA:3,0\nDA:4,1\nend_of_record\n")
    return root
