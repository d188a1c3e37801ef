"""Every step of scripts/check is run on GitHub, with the tools it needs, and one job stands for all."""

import pathlib
import re
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
WORKFLOW = (ROOT / ".github/workflows/check.yml").read_text(encoding="utf-8")


def lines(*command):
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()


def jobs():
    """The text of each job by its name."""
    parts = re.split(r"^  ([\w-]+):$", WORKFLOW.split("\njobs:\n", 1)[1], flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


class Jobs(unittest.TestCase):
    def test_every_step_is_run_by_one_job(self):
        steps = re.findall(r"run: scripts/check --keep-going ([\w ]+)$", WORKFLOW, re.M)
        self.assertEqual(sorted(" ".join(steps).split()), sorted(lines("scripts/check", "--list")))

    def test_the_last_job_waits_for_all_others(self):
        every = jobs()
        needs = re.search(r"needs: \[(.*)\]", every.pop("check")).group(1)
        self.assertEqual(sorted(needs.split(", ")), sorted(every))

    def test_every_tool_is_installed_by_a_job(self):
        installed = " ".join(re.findall(r"^ +tools: (.*)$", WORKFLOW, re.M)).split()
        self.assertEqual(sorted(installed), sorted(lines("scripts/tools", "--list")))


class Commands(unittest.TestCase):
    def test_cargo_never_changes_the_lock_file(self):
        """A check that resolves anew would pass with a Cargo.lock that is out of date."""
        verbs = r"\bcargo (?:build|run|test|bench|check|clippy|doc|metadata|tree|package|nextest run|deny) .*"
        for name in [".ci/run", "scripts/check", "scripts/conformance", "scripts/python_tests", "scripts/wheels"]:
            text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
            code = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
            for command in re.findall(verbs, code):
                if "'" not in command.split("--locked")[0]:
                    self.assertIn("--locked", command, f"{name}: {command}")


if __name__ == "__main__":
    unittest.main()
