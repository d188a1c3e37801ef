"""The fixtures of all Python modules, and a root with something in it."""

import pytest

pytest_plugins = ["module_fixtures"]


@pytest.fixture
def root(root):
    """A directory with a series and a log."""
    rows = [f"{1_700_000_000 + 300 * at},{10 + at % 7}" for at in range(600)]
    rows[500] = f"{1_700_000_000 + 300 * 500},90"
    (root / "load.csv").write_text("time,load\n" + "\n".join(rows) + "\n")
    (root / "app.log").write_text("job 1 started\njob 2 started\njob 2 paused\n")
    return root
