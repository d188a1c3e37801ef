"""Shared by all tests."""

import os
import pathlib

import bash_god_mcp
import pytest
from stdio_client import StdioServer

ROOT = pathlib.Path(__file__).parents[4]


@pytest.fixture(scope="session")
def program():
    """The server as a program: BASH_GOD_MCP, or what Cargo builds."""
    program = os.environ.get("BASH_GOD_MCP", str(ROOT / "target/debug/bash-god-mcp"))
    assert os.path.exists(program), f"{program} is missing: cargo build --package bash-god"
    return program


@pytest.fixture
def root(tmp_path):
    """A folder with a few files, that commands may work in."""
    folder = tmp_path / "root"
    (folder / "notes").mkdir(parents=True)
    (folder / "notes/one.txt").write_text("alpha\nbeta\n")
    (folder / "two.log").write_text("error: gamma\n")
    return folder


@pytest.fixture
def stdio(program, root):
    with StdioServer(program, "--root", str(root), "--state", "none") as server:
        yield server


@pytest.fixture
def server(root):
    with bash_god_mcp.Server({"root": root, "state": "none"}) as server:
        yield server
