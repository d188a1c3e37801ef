"""What the tests of all Python modules share. Their `conftest.py` names this file as a plugin.

A module of a server says in its pyproject.toml which program offers the same tools: `server_package` and
`server_program`, the names of its Cargo package and of its binary.
"""

from __future__ import annotations

import importlib
import os
import pathlib
import subprocess
import sys
import textwrap

import pytest
from stdio_client import StdioServer

ROOT = pathlib.Path(__file__).resolve().parents[3]


def pytest_addoption(parser):
    parser.addini("server_package", "Cargo package of the program with the same tools; scripts/python_tests builds it")
    parser.addini("server_program", "the program with the same tools")


def pytest_runtest_logreport(report):
    """Tells scripts/check which tests could not run here."""
    if report.skipped and "SKIPPED_TESTS" in os.environ:
        # A skip is reported with its place and its reason.
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        with open(os.environ["SKIPPED_TESTS"], "a", encoding="utf-8") as file:
            file.write(f"{report.nodeid}: {reason.removeprefix('Skipped: ')}\n")


@pytest.fixture
def in_new_process():
    """Runs code in an interpreter of its own, which must end well and in time; returns what it printed."""

    def run(code, timeout=30):
        command = [sys.executable, "-X", "faulthandler", "-c", textwrap.dedent(code)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
        assert done.returncode == 0, f"exit status {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    return run


@pytest.fixture(scope="session")
def module(pytestconfig):
    """The installed module whose sources lie beside the tests."""
    (sources,) = pytestconfig.rootpath.glob("python/*/__init__.py")
    return importlib.import_module(sources.parent.name)


@pytest.fixture(scope="session")
def program(pytestconfig):
    """The server as a program: the one that an environment variable of its name names, or what Cargo builds."""
    name = pytestconfig.getini("server_program")
    built = ROOT / os.environ.get("CARGO_TARGET_DIR", "target") / "debug" / name
    program = os.environ.get(name.upper().replace("-", "_"), str(built))
    package = pytestconfig.getini("server_package")
    assert os.path.exists(program), f"{program} is missing: cargo build --package {package}"
    return program


@pytest.fixture
def root(tmp_path):
    """A directory that tools may work in; tests that need files in it have a fixture of the same name."""
    directory = tmp_path / "root"
    directory.mkdir()
    return directory


@pytest.fixture
def stdio(program, root):
    """The server as a process."""
    with StdioServer(program, "--root", str(root), "--state", "none") as server:
        yield server


@pytest.fixture
def server(module, root):
    """The server in this process."""
    with module.Server({"root": root, "state": "none"}) as server:
        yield server
