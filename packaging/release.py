"""What the scripts of a release share: the programs, the version, what a program needs of the C library."""

import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LICENCES = ("LICENSE", "LICENSE-APACHE", "LICENSE-MIT")
REGISTRY_SCHEMA = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"


class Refused(Exception):
    """What is wrong, in a sentence for whoever called the script."""


def workspace(key, manifest=None):
    """A value of `[workspace.package]`, where everything that is released takes its version from."""
    text = (manifest or ROOT / "Cargo.toml").read_text(encoding="utf-8")
    section = text.split("[workspace.package]", 1)[1].split("\n[", 1)[0]
    return re.search(rf'^{key} = "(.*)"$', section, re.M).group(1)


VERSION = workspace("version")
# A fork or the place that a release is made from says where its repository is.
REPOSITORY = os.environ.get("REPOSITORY") or workspace("repository")
OWNER, NAME = REPOSITORY.rsplit("/", 2)[1:]
LICENCE = workspace("license")

_DATA = json.loads((ROOT / "packaging/programs.json").read_text(encoding="utf-8"))
TARGETS = _DATA["targets"]
PROGRAMS = _DATA["programs"]


def target():
    """The platform of the programs: TARGET, or the one of this machine."""
    named = os.environ.get("TARGET")
    if not named:
        machine = os.uname()
        named = {("Linux", "x86_64"): "x86_64-unknown-linux-gnu"}.get((machine.sysname, machine.machine), "")
    if named not in TARGETS:
        raise Refused(f"there is no platform “{named}” in packaging/programs.json; expected one of {', '.join(TARGETS)}")
    return named


def page(chapter):
    """Where a chapter of the book can be read."""
    return f"{REPOSITORY}/blob/v{VERSION}/docs/src/{chapter}"


def download(file):
    """Where a file of the release can be fetched."""
    return f"{REPOSITORY}/releases/download/v{VERSION}/{file}"


def built(directory, program):
    """The program in a directory of programs, which has to be there and to be of this version."""
    file = pathlib.Path(directory).resolve() / program
    if not os.access(file, os.X_OK):
        raise Refused(f"{directory} has no {program}: build it first")
    said = subprocess.run([file, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    # The second name of a program says the first.
    for first, facts in PROGRAMS.items():
        program = first if program in facts.get("also", []) else program
    if not said.startswith(f"{program} {VERSION} ("):
        raise Refused(f"{file} says that it is “{said}”; expected “{program} {VERSION} (…)”")
    return file


def glibc_needed(*files):
    """The oldest glibc that a program starts with, such as (2, 34): the newest version that its symbols name."""
    needed = (0, 0)
    for file in files:
        listed = subprocess.run(
            ["readelf", "--version-info", "--wide", file], capture_output=True, text=True, check=True
        ).stdout
        found = re.findall(r"\bName: GLIBC_(\d+)\.(\d+)", listed)
        if not found:
            raise Refused(f"{file} names no version of glibc: it is linked with another C library, or statically")
        needed = max(needed, *((int(major), int(minor)) for major, minor in found))
    return needed


def write_json(file, value):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def sha256(file):
    return hashlib.sha256(pathlib.Path(file).read_bytes()).hexdigest()


def run(*command, **more):
    """Runs a tool; what it says is shown only when it fails."""
    try:
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, **more)
    except FileNotFoundError as error:
        raise Refused(f"{command[0]} cannot be started ({error.strerror}): scripts/tools installs what is packed with") from error
    if done.returncode != 0:
        said = (done.stdout + done.stderr).strip()
        raise Refused(f"{pathlib.Path(str(command[0])).name} failed with {done.returncode}:\n{said}")
    return done.stdout


def main(usage, work):
    """Takes BUILT and OUT from the command line, and the names of programs behind them (default: all)."""
    arguments = sys.argv[1:]
    if arguments and arguments[0] in ("-h", "--help"):
        sys.stdout.write(usage)
        return 0
    unknown = [name for name in arguments[2:] if name not in PROGRAMS]
    if len(arguments) < 2 or unknown:
        sys.stderr.write(usage)
        return 2
    out = pathlib.Path(arguments[1]).resolve()
    out.mkdir(parents=True, exist_ok=True)
    try:
        for name in arguments[2:] or PROGRAMS:
            work(name, PROGRAMS[name], built(arguments[0], name), out)
    except Refused as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def session(command, **more):
    """The tools that a server offers over stdio, as a client of 2025-11-25 asks for them."""
    about = {"name": "release", "version": VERSION}
    opening = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": about}
    messages = [
        {"id": 1, "method": "initialize", "params": opening},
        {"method": "notifications/initialized"},
        {"id": 2, "method": "tools/list"},
    ]
    sent = "".join(json.dumps({"jsonrpc": "2.0", **message}) + "\n" for message in messages)
    answers = {}
    for line in run(*command, input=sent, timeout=60, **more).splitlines():
        answer = json.loads(line)
        answers[answer.get("id")] = answer.get("result")
    if answers.get(1, {}).get("serverInfo", {}).get("version") != VERSION or not answers.get(2):
        raise Refused(f"{command[0]} answers {answers}; expected a server of version {VERSION} with tools")
    return answers[2]["tools"]
