"""The steps of the composite action, with a stand-in for the lab."""

import os
import pathlib
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
GATE = ROOT / ".github/actions/perflab-gate/gate"

# Says what it was asked, leaves a record where it is asked to, and exits as asked.
STAND_IN = """#!/usr/bin/env bash
printf '%s\\n' "$@" > "$ASKED"
while [ $# -gt 0 ]; do
    if [ "$1" = --out ]; then out=$2; fi
    shift
done
if [ "$LEAVES" != nothing ]; then
    mkdir -p "$out/2026-11-27T1200-vm"
    if [ "$LEAVES" = markdown ]; then printf '| row | verdict |\\n' > "$out/2026-11-27T1200-vm/gate.md"; fi
fi
printf 'printed by the gate\\n'
printf '%s' "${SAYS:-}" >&2
exit "$CODE"
"""


class Action(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = pathlib.Path(self.folder.name)
        lab = self.path / "lab"
        lab.write_text(STAND_IN)
        lab.chmod(0o755)

    def run_step(self, step, **variables):
        environment = dict(
            os.environ,
            TMPDIR=self.folder.name,
            ASKED=str(self.path / "asked"),
            GITHUB_STEP_SUMMARY=str(self.path / "summary.md"),
            GITHUB_OUTPUT=str(self.path / "output"),
            PERFLAB=f"{self.path}/lab",
            AGAINST="0a1b2c",
            SUITE="",
            BUDGET="10m",
            UNMATCHED="new",
        )
        environment.update(variables)
        return subprocess.run(
            ["bash", str(GATE), step],
            env=environment,
            cwd=self.folder.name,
            capture_output=True,
            text=True,
            check=False,
        )

    def measured(self, code, leaves="markdown", **variables):
        for name in ("summary.md", "output"):
            (self.path / name).write_text("")
        ended = self.run_step("measure", CODE=str(code), LEAVES=leaves, **variables)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        output = (self.path / "output").read_text()
        return dict(line.split("=", 1) for line in output.splitlines())

    def test_every_exit_code_is_a_result_and_the_record_is_named(self):
        for code, result in ((0, "passed"), (1, "regressed"), (2, "broken"), (3, "inconclusive"), (101, "broken")):
            said = self.measured(code)
            self.assertEqual(said["result"], result)
            self.assertTrue(said["record"].endswith("/gate/2026-11-27T1200-vm"), said)
            summary = (self.path / "summary.md").read_text()
            self.assertEqual(summary, f"## Performance against 0a1b2c: {result}\n\n| row | verdict |\n")

    def test_a_gate_without_a_record_shows_what_it_printed(self):
        self.assertEqual(self.measured(2, leaves="nothing"), {"result": "broken", "record": ""})
        self.assertIn("```text\nprinted by the gate\n```", (self.path / "summary.md").read_text())
        self.measured(2, leaves="nothing", SAYS="error: dubious ownership\n")
        self.assertIn("printed by the gate\nerror: dubious", (self.path / "summary.md").read_text())

    def test_the_suite_is_handed_on_as_one_word(self):
        self.measured(0, SUITE="a suite.toml; true")
        asked = (self.path / "asked").read_text().splitlines()
        self.assertEqual(asked[:5], ["gate", "--against", "0a1b2c", "--budget", "10m"])
        self.assertEqual(asked[7:9], ["--suite", "a suite.toml; true"])

    def asked_with(self, **variables):
        self.measured(0, **variables)
        return (self.path / "asked").read_text().splitlines()

    def test_what_a_change_adds_passes_and_what_it_removes_does_not(self):
        self.assertEqual(self.asked_with()[-1], "--allow-unmatched=new")
        self.assertEqual(self.asked_with(UNMATCHED="all")[-1], "--allow-unmatched=all")
        self.assertNotIn("--allow-unmatched", " ".join(self.asked_with(UNMATCHED="none")))
        ended = self.run_step("measure", CODE="0", LEAVES="markdown", UNMATCHED="some")
        self.assertEqual(ended.returncode, 2)
        self.assertIn("unmatched is new, all or none, not some", ended.stderr)

    def test_benchmarks_of_one_side_are_an_answer_and_not_a_fault(self):
        lab = self.path / "lab"
        heading = "## perflab gate: the benchmarks of the two sides differ (--allow-unmatched where that is meant): 1"
        lab.write_text(STAND_IN.replace("| row | verdict |", heading))
        self.assertEqual(self.measured(2)["result"], "unmatched")
        self.assertEqual(self.measured(1)["result"], "regressed")
        ended = self.run_step("decide", RESULT="unmatched", INCONCLUSIVE="warn")
        self.assertEqual(ended.returncode, 1)
        self.assertIn("(unmatched: all lets them pass", ended.stdout)
        self.assertNotIn("log", ended.stdout)

    def test_the_command_is_a_program_or_words(self):
        spaced = self.path / "a lab's directory"
        spaced.mkdir()
        (self.path / "lab").rename(spaced / "lab")
        for command in (f"{spaced}/lab", f'env X=1 "{spaced}/lab"', f'"{spaced}/lab"'):
            (self.path / "asked").unlink(missing_ok=True)
            self.assertEqual(self.measured(0, PERFLAB=command)["result"], "passed", command)
            self.assertEqual((self.path / "asked").read_text().splitlines()[0], "gate", command)

    def test_what_git_refuses_is_told_in_its_words(self):
        self.git("init", "--quiet")
        self.git("commit", "--quiet", "--allow-empty", "-m", "one")
        refusing = {"AGAINST": "", "CODE": "0", "LEAVES": "markdown", "GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"}
        ended = self.run_step("measure", **refusing)
        self.assertEqual(ended.returncode, 2)
        self.assertIn("dubious ownership", ended.stderr)
        self.assertIn("%0A", ended.stderr)
        self.assertEqual(len(ended.stderr.splitlines()), 1, ended.stderr)
        self.assertNotIn("merge commit", ended.stderr)

    def git(self, *words):
        command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", *words]
        ended = subprocess.run(command, cwd=self.folder.name, capture_output=True, text=True, check=True)
        return ended.stdout.strip()

    def test_a_merge_of_a_pull_request_is_compared_with_what_it_was_merged_into(self):
        self.git("init", "--quiet", "--initial-branch", "main")
        self.git("commit", "--quiet", "--allow-empty", "-m", "old base")
        self.git("checkout", "--quiet", "-b", "change")
        self.git("commit", "--quiet", "--allow-empty", "-m", "change")
        self.git("checkout", "--quiet", "main")
        self.git("commit", "--quiet", "--allow-empty", "-m", "newer base")
        base = self.git("rev-parse", "HEAD")
        ended = self.run_step("measure", CODE="0", LEAVES="markdown", AGAINST="")
        self.assertEqual(ended.returncode, 2)
        self.assertIn("HEAD is not a merge commit", ended.stderr)
        self.git("checkout", "--quiet", "--detach")
        self.git("merge", "--quiet", "--no-ff", "-m", "merge", "change")
        self.assertEqual(self.asked_with(AGAINST="")[:3], ["gate", "--against", base])
        self.assertIn(f"## Performance against {base}: passed", (self.path / "summary.md").read_text())

    def test_a_summary_is_cut_before_github_drops_it(self):
        lab = self.path / "lab"
        lab.write_text("#!/usr/bin/env bash\nhead -c 2000000 /dev/zero | tr '\\0' x\n")
        self.measured(0, leaves="nothing")
        self.assertEqual((self.path / "summary.md").stat().st_size, 900000)

    def test_only_what_must_fail_the_job_does(self):
        cases = (
            ("passed", "warn", 0),
            ("inconclusive", "warn", 0),
            ("inconclusive", "fail", 1),
            ("regressed", "warn", 1),
            ("unmatched", "warn", 1),
            ("broken", "warn", 1),
            ("", "warn", 1),
        )
        for result, inconclusive, code in cases:
            ended = self.run_step("decide", RESULT=result, INCONCLUSIVE=inconclusive)
            self.assertEqual(ended.returncode, code, (result, inconclusive, ended.stdout))


if __name__ == "__main__":
    unittest.main()
