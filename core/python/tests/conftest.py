"""Shared by all tests."""

import subprocess
import sys
import textwrap

import pytest


@pytest.fixture
def in_new_process():
    """Runs code in an interpreter of its own, which must end well and in time; returns what it printed."""

    def run(code, timeout=30):
        command = [sys.executable, "-X", "faulthandler", "-c", textwrap.dedent(code)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
        assert done.returncode == 0, f"exit status {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    return run
