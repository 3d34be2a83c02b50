"""The machine's Node, and packages for it: put beside the repository's other environments, once, for all workers."""

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Final

import pytest

SKIPPED: Final = "Node was not tested: "
_HOME: Final = Path(__file__).resolve().parents[1] / ".venv-node"
_TOO_LONG_S: Final = 120


class NotAvailableError(Exception):
    """There is no Node, or no way to its packages; the text says which."""


def environment(manifest: Path, **extra: str) -> dict[str, str]:
    """The environment in which Node finds the packages of `manifest`, which has a package.json and a package-lock.json,
    and nobody's settings. Skips the test where they cannot be had.
    """
    packages = _installed(manifest)
    if isinstance(packages, NotAvailableError):
        pytest.skip(f"{SKIPPED}{packages}")
    theirs = re.compile("twilio|_proxy$", re.IGNORECASE)
    clean = {name: value for name, value in os.environ.items() if not theirs.search(name)}
    return clean | {"NODE_PATH": str(packages)} | extra


@cache
def _installed(manifest: Path) -> Path | NotAvailableError:
    """What became of the installation: tried once, since the network is not going to be there for the next test."""
    try:
        return install(manifest)
    except NotAvailableError as problem:
        return problem


def install(manifest: Path) -> Path:
    """Install packages unless they are there already, and return where they are. Raises NotAvailableError."""
    _check_node(json.loads((manifest / "package.json").read_text())["engines"]["node"])
    lock = (manifest / "package-lock.json").read_bytes()
    directory = _HOME / hashlib.sha256(lock).hexdigest()[:16]
    _HOME.mkdir(exist_ok=True)
    with (_HOME / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # the first worker installs, the others wait
        if not (directory / "complete").exists():
            _install(manifest, directory)
            (directory / "complete").touch()
    return directory / "node_modules"


def run(environment: dict[str, str], *words: str | Path) -> str:
    """Run a program to its good end, and return what it printed."""
    done = subprocess.run(["node", *words], env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _check_node(wanted: str) -> None:
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            raise NotAvailableError(f"there is no {program} on this machine")
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.removeprefix("v").partition(".")[0]) < int(wanted.removeprefix(">=")):
        raise NotAvailableError(f"node is {version}, and has to be {wanted}")


def _install(manifest: Path, directory: Path) -> None:
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(manifest / name, directory)
    words = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--fetch-retries=0"]
    try:
        done = subprocess.run(words, cwd=directory, capture_output=True, text=True, timeout=_TOO_LONG_S, check=False)
    except subprocess.TimeoutExpired:
        raise NotAvailableError(f"npm took more than {_TOO_LONG_S} s") from None
    if done.returncode != 0:
        errors = [line for line in done.stderr.splitlines() if line.startswith("npm error")]
        raise NotAvailableError("; ".join(errors[:3]) or "npm failed")
