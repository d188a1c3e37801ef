"""Each way to install a program, from what is packed, in an environment that has nothing of ours and no Rust."""

import json
import pathlib
import shutil
import signal
import subprocess
import tarfile
import tempfile
import time
import zipfile

import registry
import release

# What a way to install may use. Everything else comes from the system's directories.
TOOLS = ("python3", "node", "npm", "npx", "uv", "uvx", "pipx")


class Empty:
    """A scratch home, with a PATH without Cargo and without anything that was installed before."""

    def __init__(self, directory):
        self.home = pathlib.Path(directory)
        programs = self.home / "programs"
        programs.mkdir()
        for tool in TOOLS:
            found = shutil.which(tool)
            if found:
                (programs / tool).symlink_to(found)
        # Nothing is asked of a network: what is not in `out` is not there.
        self.variables = {
            "HOME": str(self.home),
            "PATH": f"{programs}:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "PIP_NO_INDEX": "1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "UV_OFFLINE": "1",
            "UV_PYTHON_DOWNLOADS": "never",
            "npm_config_update_notifier": "false",
            "npm_config_fund": "false",
            "npm_config_audit": "false",
        }
        for forbidden in ("cargo", "rustc", *release.PROGRAMS):
            if shutil.which(forbidden, path=self.variables["PATH"]):
                raise release.Refused(f"{forbidden} is in /usr/bin or /bin: the environment is not empty")

    def has(self, tool):
        return (self.home / "programs" / tool).exists()

    def run(self, *command, **more):
        more.setdefault("cwd", self.home)
        return release.run(*command, env={**self.variables, **more.pop("env", {})}, timeout=300, **more)


def expect(program, command, empty, version):
    """The command is the program: it says so, its streams and exit codes are passed on, and a server serves."""
    said = empty.run(*command, "--version").strip()
    if said != version:
        raise release.Refused(f"{' '.join(map(str, command))} says “{said}”; expected “{version}”")
    refused = subprocess.run(
        [*map(str, command), "--no-such-option"], env=empty.variables, cwd=empty.home, capture_output=True, text=True
    )
    if refused.returncode != 2 or "--no-such-option" not in refused.stderr:
        raise release.Refused(f"{command[0]} ends with {refused.returncode} for a bad option; expected 2: {refused.stderr}")
    if "server" in release.PROGRAMS[program]:
        release.session([*map(str, command), "--root", ".", "--state", "none"], env=empty.variables, cwd=empty.home)


def archive(program, out, empty, version):
    """tar, as a person without a package manager does it."""
    name = f"{program}-v{release.VERSION}-{release.target()}"
    empty.run("sha256sum", "--check", "--quiet", f"{name}.tar.gz.sha256", cwd=out)
    with tarfile.open(out / f"{name}.tar.gz") as packed:
        packed.extractall(empty.home, filter="data") if hasattr(tarfile, "data_filter") else packed.extractall(empty.home)
    place = empty.home / name
    expect(program, [place / program], empty, version)
    empty.run("bash", "-n", place / f"completions/{program}.bash")
    page = (place / f"man/{program}.1").read_text(encoding="utf-8")
    if ".TH" not in page or "SYNOPSIS" not in page:
        raise release.Refused(f"{place}/man/{program}.1 is not a manual page")
    return f"{sum(1 for _ in (place / 'man').iterdir())} manual pages, completions"


def pip(program, out, empty, version):
    """A virtual environment, and pip without an index."""
    empty.run("python3", "-m", "venv", "venv")
    empty.run("venv/bin/python", "-m", "pip", "install", "--quiet", "--find-links", out, program)
    expect(program, [empty.home / "venv/bin" / program], empty, version)


def uvx(program, out, empty, version):
    """uvx, with the directory in the place of PyPI."""
    expect(program, ["uvx", "--no-index", "--find-links", out, program], empty, version)


def pipx(program, out, empty, version):
    """pipx run, which makes an environment of its own."""
    # It installs with uv where there is one, and with pip otherwise.
    empty.variables |= {"PIP_FIND_LINKS": str(out), "UV_FIND_LINKS": str(out), "UV_NO_INDEX": "1"}
    expect(program, ["pipx", "run", program], empty, version)


def tarballs(program, out, empty, version):
    """npm install from the packed files alone, and npx in that directory."""
    packed = [file for file in sorted(out.glob("*.tgz")) if registry.manifest(file)["name"].startswith(program)]
    empty.run("npm", "install", "--offline", "--silent", *packed)
    expect(program, ["npx", "--offline", program], empty, version)
    passes_signals(program, empty)


def passes_signals(program, empty):
    """A signal to the launcher ends the program, and the launcher says by which signal."""
    if "server" not in release.PROGRAMS[program]:
        return
    launcher = ["node", f"node_modules/{program}/launch.js", "--root", ".", "--state", "none"]
    with subprocess.Popen(launcher, cwd=empty.home, env=empty.variables, stdin=subprocess.PIPE) as started:
        children = pathlib.Path(f"/proc/{started.pid}/task/{started.pid}/children")
        child, until = "", time.monotonic() + 30
        while not child and time.monotonic() < until:
            time.sleep(0.02)
            child = children.read_text().strip()
        started.send_signal(signal.SIGTERM)
        code = started.wait(timeout=30)
    if code != -signal.SIGTERM or not child or pathlib.Path(f"/proc/{child}").exists():
        raise release.Refused(f"the launcher of {program} ends with {code} at SIGTERM; expected the signal, and no program")


def npx(program, out, empty, version):
    """npx NAME as it is typed, against a registry on this machine."""
    with registry.Registry(out) as served:
        empty.variables["npm_config_registry"] = served.url
        expect(program, ["npx", "--yes", program], empty, version)


def bundle(program, out, empty, version):
    """What a desktop application does with a bundle: unpack, fill in, start, and list the tools."""
    if "server" not in release.PROGRAMS[program]:
        return None
    place = empty.home / "bundle"
    with zipfile.ZipFile(out / f"{program}-v{release.VERSION}-{release.target()}.mcpb") as packed:
        for entry in packed.infolist():
            file = pathlib.Path(packed.extract(entry, place))
            # The mode is where Unix has it in a zip file.
            if entry.external_attr >> 16 & 0o111:
                file.chmod(0o755)
    manifest = json.loads((place / "manifest.json").read_text(encoding="utf-8"))
    started = manifest["server"]["mcp_config"]
    words = {"${__dirname}": str(place), "${user_config.root}": str(empty.home)}

    def filled(text):
        for word, value in words.items():
            text = text.replace(word, value)
        return text

    command = [filled(started["command"]), *map(filled, started["args"])]
    tools = release.session(command, env=empty.variables, cwd=empty.home)
    if [tool["name"] for tool in tools] != [tool["name"] for tool in manifest["tools"]]:
        raise release.Refused(f"the bundle of {program} names other tools than its server")
    expect(program, command[:1], empty, version)
    return f"{len(tools)} tools"


# By name; a way needs the tool that stands beside it.
WAYS = {
    "tar": (archive, None),
    "pip": (pip, "python3"),
    "uvx": (uvx, "uvx"),
    "pipx": (pipx, "pipx"),
    "npm": (tarballs, "npm"),
    "npx": (npx, "npx"),
    "mcpb": (bundle, None),
}


def install(program, way, out, version):
    """Installs a program in one way; what is to be said of it, or None where the way is not for it."""
    work, tool = WAYS[way]
    with tempfile.TemporaryDirectory() as scratch:
        empty = Empty(scratch)
        if tool and not empty.has(tool):
            raise release.Refused(f"{tool} is not installed")
        return work(program, out, empty, version)
