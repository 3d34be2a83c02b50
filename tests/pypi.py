"""Packages that cannot live beside ours, in environments of their own: made once, for all workers."""

import fcntl
import hashlib
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Final

import pytest

SKIPPED: Final = "A client from PyPI was not tested: "
_HOME: Final = Path(__file__).resolve().parents[1] / ".venv-clients"
_TOO_LONG_S: Final = 240


class NotAvailableError(Exception):
    """The packages cannot be had; the text says why."""


def python(requirements: Path) -> Path:
    """An interpreter that has what a requirements file lists, down to the last package. Skips the test otherwise."""
    found = _installed(requirements)
    if isinstance(found, NotAvailableError):
        pytest.skip(f"{SKIPPED}{found}")
    return found


@cache
def _installed(requirements: Path) -> Path | NotAvailableError:
    key = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()[:16]
    directory = _HOME / key
    _HOME.mkdir(exist_ok=True)
    with (_HOME / f"{key}.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # the first worker installs, the others wait
        if not (directory / "complete").exists():
            try:
                _install(requirements, directory)
            except NotAvailableError as problem:
                return problem
            (directory / "complete").touch()
    return directory / "bin" / "python"


def _install(requirements: Path, directory: Path) -> None:
    shutil.rmtree(directory, ignore_errors=True)
    _run(sys.executable, "-m", "venv", directory)
    quiet = ("--quiet", "--disable-pip-version-check", "--retries=1")
    _run(directory / "bin" / "python", "-m", "pip", "install", *quiet, "--no-deps", "-r", requirements)


def _run(*words: str | Path) -> None:
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=_TOO_LONG_S, check=False)
    except subprocess.TimeoutExpired:
        raise NotAvailableError(f"pip took more than {_TOO_LONG_S} s") from None
    if done.returncode != 0:
        raise NotAvailableError(f"pip failed: {done.stderr.strip()[-300:]}")
