"""Shared by all tests."""

import os
import pathlib
import subprocess
import sys
import textwrap

import mcp_fixture
import pytest
from stdio_client import StdioServer

ROOT = pathlib.Path(__file__).parents[4]


@pytest.fixture(scope="session")
def program():
    """The fixture server as a program: MCP_FIXTURE_SERVER, or what Cargo builds."""
    program = os.environ.get("MCP_FIXTURE_SERVER", str(ROOT / "target/debug/mcp-fixture-server"))
    assert os.path.exists(program), f"{program} is missing: cargo build --package mcp-fixture-server"
    return program


@pytest.fixture
def stdio(program):
    with StdioServer(program, "--state", "none") as server:
        yield server


@pytest.fixture
def server():
    with mcp_fixture.Server({"state": "none"}) as server:
        yield server


@pytest.fixture
def in_new_process():
    """Runs code in an interpreter of its own, which must end well and in time; returns what it printed."""

    def run(code, timeout=30):
        command = [sys.executable, "-X", "faulthandler", "-c", textwrap.dedent(code)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
        assert done.returncode == 0, f"exit status {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    return run
