"""docs/signalwire.md, carried out: what it has for each language, in one directory, against one fresh server."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests import npm
from tests.cli.process import environment, serving
from tests.docs.snippets import snippets

ROOT: Final = Path(__file__).resolve().parents[2]
SNIPPETS: Final = snippets(ROOT / "docs" / "signalwire.md")
PREPARED: Final = next(each.code for each in SNIPPETS if each.language == "sh")


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A directory in which a server runs."""
    clone = tmp_path_factory.mktemp("clone")
    with serving(clone):
        yield clone


def run(directory: Path, program: str, flag: str, code: str, env: dict[str, str]) -> str:
    """Hand code to a program in a shell that is prepared as the page says; what it printed."""
    words = ["sh", "-euc", f'{PREPARED}\nexec "$0" "$1" "$2"', program, flag, code]
    done = subprocess.run(words, cwd=directory, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_python(directory: Path) -> None:
    by_rest, by_relay = (each.code for each in SNIPPETS if each.language == "python")
    assert run(directory, sys.executable, "-c", by_rest, environment()) == "201 queued\n"
    assert run(directory, sys.executable, "-c", by_relay, environment()).startswith("Delivered: ")


def test_node(directory: Path) -> None:
    (code,) = (each.code for each in SNIPPETS if each.language == "js")
    env = environment(npm.environment(ROOT / "tests" / "clients" / "node"))
    assert run(directory, "node", "-e", code, env).startswith("Delivered: ")
