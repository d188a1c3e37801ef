import os
import sys

sys.path[0] = os.getcwd()
import pytest

to = os.dup(2)


def say(line):
    os.write(to, f"\x1equality {line}\n".encode(errors="backslashreplace"))


class Counting:
    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session):
        if session.items:
            say(f"found {len(session.items)}")

    def pytest_deselected(self, items):
        say(f"deselected {len(items)}")

    def pytest_runtest_logstart(self, nodeid):
        say(f"begins {nodeid}")

    def pytest_runtest_logfinish(self, nodeid):
        say(f"ends {nodeid}")


sys.exit(pytest.main(sys.argv[1:], plugins=[Counting()]))
