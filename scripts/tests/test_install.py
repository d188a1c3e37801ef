"""What is packed for PyPI, npm, bundles and the registry: manifests, versions in step, and the launcher of npm."""

import contextlib
import importlib.machinery
import importlib.util
import io
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import unittest
from unittest import mock

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "packaging"))
import registry  # noqa: E402
import release  # noqa: E402

NODE = shutil.which("node")


def script(name):
    loader = importlib.machinery.SourceFileLoader(name, str(ROOT / "scripts" / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


npm_packages = script("npm_packages")
bundles = script("bundles")


def read(path):
    return (ROOT / path).read_text(encoding="utf-8")


class OneSource(unittest.TestCase):
    """Programs and versions stand in one place each, and everything agrees with it."""

    def test_each_program_is_built_by_the_package_that_lies_there(self):
        for name, program in release.PROGRAMS.items():
            manifest = read(f"{program['directory']}/Cargo.toml")
            self.assertRegex(manifest, rf'\[\[bin\]\]\nname = "{name}"\n')
            self.assertIn("version.workspace = true", manifest)
            self.assertIn("repository.workspace = true", manifest)
            self.assertTrue((ROOT / "docs/src" / program["chapter"]).is_file(), program["chapter"])
            for licence in ("LICENSE-APACHE", "LICENSE-MIT"):
                self.assertTrue((ROOT / program["directory"] / licence).is_file(), name)

    def test_no_manifest_of_python_names_a_version(self):
        for file in [*ROOT.glob("servers/**/pyproject.toml"), *ROOT.glob("core/*/pyproject.toml"), ROOT / "harness/pyproject.toml"]:
            if "node_modules" not in file.parts:
                self.assertRegex(file.read_text(encoding="utf-8"), r'(?m)^dynamic = \["version"', f"{file}")

    def test_the_workspace_names_its_own_packages_in_that_version(self):
        own = re.findall(r'^[\w-]+ = \{ path = "[^"]+", version = "([^"]+)"', read("Cargo.toml"), re.M)
        self.assertGreater(len(own), 3)
        self.assertEqual(set(own), {release.VERSION})

    def test_nothing_of_what_packs_repeats_the_version(self):
        files = [*(ROOT / "packaging").rglob("*"), *(ROOT / "scripts").glob("*")]
        for file in files:
            if file.is_file() and file.suffix in ("", ".py", ".js", ".json"):
                text = re.sub(r"VERSION=\S+|==\S+", "", file.read_text(encoding="utf-8"))
                if file.name != "Dockerfile":
                    self.assertNotRegex(text, rf"\b{re.escape(release.VERSION)}\b(?!\.)", f"{file}")

    def test_a_name_on_pypi_is_that_of_one_distribution(self):
        """The program has the plain name, its module for use in process a second one."""
        names = []
        for file in [ROOT / "harness/pyproject.toml", *ROOT.glob("servers/*/pyproject.toml"), *ROOT.glob("servers/*/python/pyproject.toml")]:
            names.append(re.search(r'^name = "(.*)"$', file.read_text(encoding="utf-8"), re.M).group(1))
        servers = [name for name, program in release.PROGRAMS.items() if "server" in program]
        self.assertEqual(sorted(names), sorted([*release.PROGRAMS, *(f"{name}-python" for name in servers)]))

    def test_the_lists_of_programs_are_the_same(self):
        programs = set(release.PROGRAMS)
        archive = re.search(r"set -- (.*)$", read("scripts/archive"), re.M).group(1)
        self.assertEqual(set(archive.split()), programs)
        artifacts = re.search(r"\|\| set -- (.*)$", read("scripts/release_artifacts"), re.M).group(1)
        self.assertEqual(set(artifacts.split()), programs)
        built = re.findall(r"--bin ([\w-]+)", read(".github/workflows/release.yml"))
        # The second name of the lab, for Cargo, lies in its archive.
        self.assertEqual(set(built), programs | {"cargo-perflab"})


class Manifests(unittest.TestCase):
    def test_npm_installs_the_program_of_the_platform_in_the_same_version(self):
        with mock.patch.dict(os.environ, {"TARGET": "x86_64-unknown-linux-gnu"}):
            for name, program in release.PROGRAMS.items():
                launcher, holder = npm_packages.manifests(name, program, (2, 28))
                self.assertEqual(launcher["optionalDependencies"], {holder["name"]: holder["version"]})
                self.assertEqual((launcher["name"], launcher["version"], holder["version"]), (name, *[release.VERSION] * 2))
                self.assertEqual((holder["os"], holder["cpu"], holder["libc"]), (["linux"], ["x64"], ["glibc"]))
                here = launcher["launcher"]["platforms"]["linux-x64"]
                self.assertEqual(here, {"package": holder["name"], "glibc": "2.28"})
                # The registry of MCP servers looks for its name in the package.
                self.assertEqual(launcher.get("mcpName"), f"io.github.{release.OWNER}/{name}" if "server" in program else None)

    def test_a_platform_that_nothing_is_packed_for_is_refused(self):
        with mock.patch.dict(os.environ, {"TARGET": "riscv64gc-unknown-linux-musl"}):
            with self.assertRaisesRegex(release.Refused, "expected one of x86_64-unknown-linux-gnu"):
                release.target()

    def test_the_entry_of_the_registry_is_within_its_bounds(self):
        """What the schema and the registry ask for; the schema itself is not part of this repository."""
        with tempfile.TemporaryDirectory() as scratch:
            bundle = pathlib.Path(scratch, "a.mcpb")
            bundle.write_bytes(b"bundle")
            for name, program in release.PROGRAMS.items():
                if "server" not in program:
                    continue
                entry = bundles.server_json(name, program, bundle)
                self.assertRegex(entry["name"], r"^[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+$")
                self.assertLessEqual(len(entry["description"]), 100, name)
                self.assertLessEqual(len(entry["title"]), 100)
                self.assertEqual(entry["version"], release.VERSION)
                by_type = {package["registryType"]: package for package in entry["packages"]}
                self.assertEqual(by_type["npm"]["identifier"], name)
                self.assertEqual(by_type["pypi"]["identifier"], name)
                self.assertEqual({by_type[kind]["version"] for kind in ("npm", "pypi")}, {release.VERSION})
                self.assertEqual(by_type["mcpb"]["fileSha256"], release.sha256(bundle))
                self.assertTrue(by_type["mcpb"]["identifier"].endswith(f"/v{release.VERSION}/a.mcpb"))
                # PyPI shows this page; the registry looks for its name in it.
                self.assertIn(f"mcp-name: {entry['name']} ", read(f"{program['directory']}/README.md"))

    def test_a_bundle_starts_its_program_in_the_chosen_directory(self):
        with mock.patch.dict(os.environ, {"TARGET": "x86_64-unknown-linux-gnu"}):
            program = release.PROGRAMS["devops-mcp"]
            tools = [{"name": "a", "description": "b", "inputSchema": {}}]
            manifest = bundles.manifest("devops-mcp", program, tools)
        self.assertEqual((manifest["name"], manifest["version"]), ("devops-mcp", release.VERSION))
        started = manifest["server"]["mcp_config"]
        self.assertEqual(started["command"], "${__dirname}/" + manifest["server"]["entry_point"])
        for setting in re.findall(r"\$\{user_config\.(\w+)\}", " ".join(started["args"])):
            self.assertTrue(manifest["user_config"][setting]["required"])
        self.assertEqual(manifest["tools"], [{"name": "a", "description": "b"}])
        self.assertEqual(manifest["compatibility"], {"platforms": ["linux"]})


class Programs(unittest.TestCase):
    def test_what_a_program_needs_of_glibc_is_read_from_its_symbols(self):
        with tempfile.TemporaryDirectory() as scratch:
            fake = pathlib.Path(scratch, "readelf")
            fake.write_text("#!/bin/sh\nfor v in 2.4 2.29 2.17; do echo \"  0x0: Name: GLIBC_$v  Flags: none\"; done\n")
            fake.chmod(0o755)
            with mock.patch.dict(os.environ, {"PATH": f"{scratch}:{os.environ['PATH']}"}):
                self.assertEqual(release.glibc_needed("any"), (2, 29))
                fake.write_text("#!/bin/sh\necho nothing\n")
                with self.assertRaisesRegex(release.Refused, "another C library, or statically"):
                    release.glibc_needed("any")

    def test_what_is_absent_or_of_another_version_is_refused(self):
        with tempfile.TemporaryDirectory() as scratch:
            with self.assertRaisesRegex(release.Refused, "has no perflab: build it first"):
                release.built(scratch, "perflab")
            program = pathlib.Path(scratch, "perflab")
            program.write_text('#!/bin/sh\necho "perflab 9.9.9 (abc, x86-64, ship)"\n')
            program.chmod(0o755)
            with self.assertRaisesRegex(release.Refused, f"expected “perflab {release.VERSION} "):
                release.built(scratch, "perflab")
            program.write_text(f'#!/bin/sh\necho "perflab {release.VERSION} (abc, x86-64, ship)"\n')
            self.assertEqual(release.built(scratch, "perflab"), program.resolve())

    def test_scripts_say_how_they_are_called(self):
        for name in ("npm_packages", "program_wheels", "bundles", "release_artifacts", "release_dry_run"):
            for arguments, code in ((["--help"], 0), ([], 2), (["none", "/dev/null/x", "no-such-program"], 2)):
                if name == "release_artifacts" and len(arguments) == 3:
                    continue
                done = subprocess.run([ROOT / "scripts" / name, *arguments], capture_output=True, text=True)
                self.assertEqual(done.returncode, code, f"{name} {arguments}: {done.stderr}")
                self.assertIn(f"usage: scripts/{name}", done.stdout + done.stderr)


class LoopbackRegistry(unittest.TestCase):
    def test_it_has_what_lies_there_and_nothing_else(self):
        with tempfile.TemporaryDirectory() as scratch:
            with tarfile.open(pathlib.Path(scratch, "a-1.0.0.tgz"), "w:gz") as archive:
                data = json.dumps({"name": "a", "version": "1.0.0"}).encode()
                member = tarfile.TarInfo("package/package.json")
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
            with registry.Registry(scratch) as served:
                document = json.loads(served.answer("a"))
                self.assertEqual(document["dist-tags"], {"latest": "1.0.0"})
                self.assertEqual(document["versions"]["1.0.0"]["dist"]["tarball"], f"{served.url}a-1.0.0.tgz")
                self.assertIsNone(served.answer("b"))
                self.assertIsNone(served.answer("../a"))


@unittest.skipUnless(NODE, "Node is not installed")
class Launcher(unittest.TestCase):
    """The launcher, with a shell script in the place of the program."""

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.place = pathlib.Path(scratch.name)
        with mock.patch.dict(os.environ, {"TARGET": "x86_64-unknown-linux-gnu"}):
            self.manifest, self.holder = npm_packages.manifests("devops-mcp", release.PROGRAMS["devops-mcp"], (2, 1))
        self.here = subprocess.run(
            [NODE, "-p", "process.platform + '-' + process.arch"], capture_output=True, text=True, check=True
        ).stdout.strip()
        # Whatever machine this is, its platform is the one that there is a program for.
        (self.platform,) = self.manifest["launcher"]["platforms"].values()
        self.manifest["launcher"]["platforms"] = {self.here: self.platform}
        self.program = self.place / "node_modules" / self.holder["name"] / "bin/devops-mcp"
        release.write_json(self.program.parent.parent / "package.json", self.holder)
        self.program.parent.mkdir()
        shutil.copy(ROOT / "packaging/npm/launch.js", self.place)

    def command(self, source=None):
        if source is not None:
            self.program.write_text(f"#!/bin/sh\n{source}\n")
            self.program.chmod(0o755)
        release.write_json(self.place / "package.json", self.manifest)
        return [NODE, str(self.place / "launch.js")]

    def launch(self, source, *arguments, **more):
        more.setdefault("input", "")
        return subprocess.run([*self.command(source), *arguments], capture_output=True, text=True, timeout=60, **more)

    def refused(self, source, *sentences, **more):
        done = self.launch(source, **more)
        self.assertEqual((done.returncode, done.stdout), (127, ""), done.stderr)
        for sentence in sentences:
            self.assertIn(sentence, done.stderr)
        self.assertTrue(done.stderr.splitlines()[-1].startswith("devops-mcp: "), done.stderr)

    def test_streams_arguments_and_the_code_are_passed_through(self):
        done = self.launch('cat; printf "%s|" "$@"; echo complaint >&2; exit 37', "a b", "--c", input="line\n")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (37, "line\na b|--c|", "complaint\n"))
        self.assertEqual(self.launch("exit 1").stderr, "")
        self.assertEqual(self.launch("exit 0").returncode, 0)

    def test_signals_are_passed_on_and_said(self):
        for name in ("SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"):
            waits = "for i in $(seq 500); do sleep 0.02; done"
            trapped = self.command(f"trap 'echo heard; exit 5' {name[3:]}; echo ready; {waits}")
            with self.started(trapped) as process:
                process.send_signal(getattr(signal, name))
                said, _ = process.communicate(timeout=60)
                self.assertEqual((said, process.returncode), ("heard\n", 5), name)
        with self.started(self.command("echo ready; exec sleep 60")) as process:
            process.terminate()
            self.assertEqual(process.wait(60), -signal.SIGTERM)
        with self.started(self.command("echo ready; kill -KILL $$")) as process:
            self.assertEqual(process.wait(60), -signal.SIGKILL)

    @contextlib.contextmanager
    def started(self, command):
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as process:
            self.assertEqual(process.stdout.readline(), "ready\n")
            yield process

    def test_a_platform_without_a_program_says_which_there_are(self):
        self.manifest["launcher"]["platforms"] = {"plan9-mips": self.platform}
        self.refused("exit 0", f"there is no program for {self.here}", "plan9-mips (glibc 2.1 or newer)", "guide/install.md")

    def test_a_package_that_npm_left_out_is_named(self):
        shutil.rmtree(self.program.parent.parent)
        self.refused(None, f"the package {self.holder['name']} is not installed", "--omit=optional")

    def test_an_old_glibc_is_explained(self):
        self.platform["glibc"] = "99.1"
        # The loader says what it lacks, and ends with 1.
        self.refused("echo \"version 'GLIBC_99.1' not found\" >&2; exit 1", "needs glibc 99.1 or newer, and this system has")

    def test_another_c_library_is_explained(self):
        preload = self.place / "musl.js"
        preload.write_text("process.report.getReport = () => ({ header: {} });\n")
        environment = {**os.environ, "NODE_OPTIONS": f"--require {preload}"}
        self.program.write_text("#!/no/such/loader\n")
        self.program.chmod(0o755)
        self.refused(None, "another C library (musl", "debian:bookworm-slim", env=environment)
        # npm leaves out a package for another C library.
        shutil.rmtree(self.program.parent.parent)
        self.refused(None, "another C library (musl", env=environment)

    def test_what_cannot_be_started_is_explained(self):
        self.program.write_text("#!/no/such/loader\n")
        self.program.chmod(0o755)
        self.refused(None, "it cannot be started")


if __name__ == "__main__":
    unittest.main()
