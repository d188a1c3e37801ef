"""What a release is made of: archives of the programs, and the changelog's section as its text."""

import hashlib
import os
import pathlib
import re
import subprocess
import tarfile
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
VERSION = re.search(r'^\[workspace\.package\]\nversion = "(.*)"$', (ROOT / "Cargo.toml").read_text(), re.M).group(1)
PROGRAMS = ("perflab", "bash-god-mcp", "development-mcp", "devops-mcp", "quality-mcp")


class Archives(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.built = pathlib.Path(scratch.name, "built")
        self.out = pathlib.Path(scratch.name, "out")
        self.built.mkdir()
        for program in PROGRAMS:
            self.program(program, VERSION)
        self.program("cargo-perflab", VERSION)

    def program(self, name, version):
        """A program that says its name and version."""
        file = self.built / name
        pages = f'mkdir "$2/man" "$2/completions" && touch "$2/man/{name}.1" "$2/completions/{name}.bash"'
        about = f'echo "{name} {version} (abc, x86-64, ship)"'
        file.write_text(f'#!/bin/sh\nif [ "$1" = __pages ]; then {pages}; else {about}; fi\n')
        file.chmod(0o755)

    def archive(self, *arguments):
        environment = {**os.environ, "TARGET": "here-unknown-linux", "SOURCE_DATE_EPOCH": "86400"}
        command = [ROOT / "scripts/archive", *arguments]
        return subprocess.run(command, capture_output=True, text=True, env=environment)

    def test_each_program_has_an_archive_with_a_checksum(self):
        done = self.archive(self.built, self.out)
        self.assertEqual(done.returncode, 0, done.stderr)
        for program in PROGRAMS:
            name = f"{program}-v{VERSION}-here-unknown-linux"
            packed = (self.out / f"{name}.tar.gz").read_bytes()
            line = (self.out / f"{name}.tar.gz.sha256").read_text()
            self.assertEqual(line, f"{hashlib.sha256(packed).hexdigest()}  {name}.tar.gz\n")
            with tarfile.open(self.out / f"{name}.tar.gz") as archive:
                members = {member.name: member for member in archive.getmembers()}
            # The lab has two names.
            names = (program, "cargo-perflab") if program == "perflab" else (program,)
            made = ("man", f"man/{program}.1", "completions", f"completions/{program}.bash")
            inside = (*names, *made, "README.md", "CHANGELOG.md", "LICENSE", "LICENSE-APACHE", "LICENSE-MIT")
            self.assertEqual(sorted(members), sorted([name, *(f"{name}/{file}" for file in inside)]))
            self.assertEqual(members[f"{name}/{program}"].mode, 0o755)
            self.assertEqual({(member.uid, member.mtime) for member in members.values()}, {(0, 86400)})

    def test_binstall_looks_for_what_is_made(self):
        """The archive's name, and the program in it, as each manifest has them for `cargo binstall`."""
        self.archive(self.built, self.out)
        manifests = [ROOT / "harness/Cargo.toml", *sorted(ROOT.glob("servers/*/Cargo.toml"))]
        self.assertEqual(len(manifests), len(PROGRAMS))
        for manifest in manifests:
            text = manifest.read_text()

            def found(pattern):
                return re.search(pattern, text, re.M).group(1)

            words = {"version": VERSION, "target": "here-unknown-linux", "binary-ext": ""}
            words |= {"name": found(r'^name = "(.*)"$'), "bin": found(r'^\[\[bin\]\]\nname = "(.*)"$')}

            def rendered(key):
                fill = lambda match: words.get(match.group(1), match.group(0))  # noqa: E731
                return re.sub(r"\{ ([\w-]+) \}", fill, found(rf'^{key} = "(.*)"$'))

            # binstall takes `repo` from here.
            self.assertIn("repository.workspace = true", text)
            url = rendered("pkg-url")
            self.assertTrue(url.startswith(f"{{ repo }}/releases/download/v{VERSION}/"), url)
            with tarfile.open(self.out / url.rsplit("/", 1)[1]) as archive:
                self.assertIn(rendered("bin-dir"), archive.getnames())

    def test_only_what_is_named_is_packed(self):
        self.assertEqual(self.archive(self.built, self.out, "devops-mcp").returncode, 0)
        self.assertEqual({file.name.split("-v")[0] for file in self.out.iterdir()}, {"devops-mcp"})
        self.assertEqual(self.archive(self.built, self.out, "no-such-program").returncode, 2)

    def test_equal_programs_make_equal_archives(self):
        self.archive(self.built, self.out)
        first = {file.name: file.read_bytes() for file in self.out.iterdir()}
        self.program("perflab", VERSION)
        self.archive(self.built, self.out)
        self.assertEqual({file.name: file.read_bytes() for file in self.out.iterdir()}, first)

    def test_a_program_of_another_version_is_refused(self):
        self.program("bash-god-mcp", "9.9.9")
        done = self.archive(self.built, self.out)
        self.assertEqual(done.returncode, 1)
        self.assertIn("bash-god-mcp 9.9.9 (", done.stderr)

    def test_what_is_not_built_is_named(self):
        (self.built / "perflab").unlink()
        done = self.archive(self.built, self.out)
        self.assertEqual((done.returncode, done.stderr), (1, f"{self.built} has no perflab: build it first\n"))
        self.assertEqual(self.archive(self.built).returncode, 2)


class Notes(unittest.TestCase):
    def notes(self, tag, heading, *more):
        with tempfile.TemporaryDirectory() as scratch:
            changelog = pathlib.Path(scratch, "CHANGELOG.md")
            changelog.write_text(
                f"# Changelog\n\n{heading}\n\n### Added\n\n- This.\n\n## [0.0.1] - 2020-01-01\n\n- That.\n\n[0.0.1]: x\n"
            )
            environment = {**os.environ, "CHANGELOG": str(changelog)}
            command = [ROOT / "scripts/release_notes", tag, *more]
            return subprocess.run(command, capture_output=True, text=True, env=environment)

    def test_the_section_of_the_version_is_printed(self):
        done = self.notes(f"v{VERSION}", f"## [{VERSION}] - 2026-12-01")
        self.assertEqual((done.returncode, done.stdout), (0, "### Added\n\n- This.\n\n"), done.stderr)

    def test_a_tag_of_another_version_is_refused(self):
        done = self.notes("v99.0.0", f"## [{VERSION}] - 2026-12-01")
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"the tag is v99.0.0; expected v{VERSION}", done.stderr)

    def test_a_repository_that_the_manifest_does_not_name_is_refused(self):
        heading = f"## [{VERSION}] - 2026-12-01"
        named = re.search(r'^repository = "https://github.com/(.*)"$', (ROOT / "Cargo.toml").read_text(), re.M).group(1)
        self.assertEqual(self.notes(f"v{VERSION}", heading, named).returncode, 0)
        done = self.notes(f"v{VERSION}", heading, "someone/else")
        self.assertEqual(done.returncode, 1)
        self.assertIn("expected https://github.com/someone/else", done.stderr)

    def test_a_section_without_a_date_is_refused(self):
        self.assertEqual(self.notes(f"v{VERSION}", f"## [{VERSION}] - unreleased").returncode, 1)
        self.assertEqual(self.notes(f"v{VERSION}", "## [0.0.0] - 2026-12-01").returncode, 1)


if __name__ == "__main__":
    unittest.main()
