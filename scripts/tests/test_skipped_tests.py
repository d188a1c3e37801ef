"""What `scripts/skipped_tests` reads out of the outputs of test runners, and what `scripts/check` says of it."""

import pathlib
import subprocess
import tempfile
import unittest

SCRIPTS = pathlib.Path(__file__).resolve().parent.parent

JUNIT = """<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="nextest-run" tests="4" failures="1">
  <testsuite name="perflab::whole" tests="4">
    <testcase name="effects::wide" classname="perflab::whole"><system-out>
running 1 test
skipped: this CPU has no AVX-512
test effects::wide ... ok
</system-out></testcase>
    <testcase name="proof" classname="bash-god::proof"><system-out>skipped, nothing was executed: no namespaces</system-out></testcase>
    <testcase name="history" classname="perflab::whole"><system-out>it skipped: two</system-out></testcase>
    <testcase name="broken" classname="perflab::whole"><failure/><system-out>skipped: then failed</system-out></testcase>
  </testsuite>
</testsuites>
"""

DOCTEST = """
running 2 tests
test harness/src/lib.rs - mcp (line 3) ... ignored
test harness/src/lib.rs - (line 9) ... ok
"""

UNITTEST = """
test_floor (test_ffi.Floor.test_floor) ... skipped 'no C compiler'
test_quoted (test_ffi.Floor.test_quoted)
Says it's so. ... skipped "it's not here"
test_fine (test_ffi.Floor.test_fine) ... ok
"""


def lines(form, text):
    with tempfile.TemporaryDirectory() as directory:
        file = pathlib.Path(directory, "output")
        file.write_text(text)
        done = subprocess.run([SCRIPTS / "skipped_tests", form, file], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


class Formats(unittest.TestCase):
    def test_a_passed_test_that_says_so_was_skipped(self):
        self.assertEqual(
            lines("nextest", JUNIT),
            [
                "perflab::whole effects::wide: this CPU has no AVX-512",
                "bash-god::proof proof: nothing was executed: no namespaces",
            ],
        )

    def test_tests_that_are_switched_off_are_named(self):
        self.assertEqual(lines("ignored", "perflab tests::slow\n\n"), ["perflab tests::slow: marked with #[ignore]"])

    def test_examples_that_are_only_shown_are_named(self):
        self.assertEqual(
            lines("doctest", DOCTEST), ["harness/src/lib.rs - mcp (line 3): an example that is only shown"]
        )

    def test_reasons_of_unittest_are_taken_over(self):
        self.assertEqual(
            lines("unittest", UNITTEST),
            ["test_floor (test_ffi.Floor.test_floor): no C compiler", "Says it's so.: it's not here"],
        )

    def test_an_unknown_format_is_refused(self):
        done = subprocess.run([SCRIPTS / "skipped_tests", "tap", "/dev/null"], capture_output=True)
        self.assertEqual(done.returncode, 2)


if __name__ == "__main__":
    unittest.main()
