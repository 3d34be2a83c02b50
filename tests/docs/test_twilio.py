"""docs/twilio.md, carried out: what it has for Python and Node, in one directory, against one fresh server."""

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
SNIPPETS: Final = snippets(ROOT / "docs" / "twilio.md")
PREPARED: Final = next(each.code for each in SNIPPETS if each.language == "sh")


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A clone in which a server runs."""
    clone = tmp_path_factory.mktemp("clone")
    (clone / "examples").symlink_to(ROOT / "examples")
    with serving(clone):
        yield clone


def run(directory: Path, program: str, code: str, env: dict[str, str]) -> list[str]:
    """Hand code to a program in a shell that is prepared as the page says; the lines that it printed."""
    words = [
        "sh",
        "-euc",
        f'{PREPARED}\nexec "$0" "$1" "$2"',
        program,
        "-c" if program == sys.executable else "-e",
        code,
    ]
    done = subprocess.run(words, cwd=directory, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_python(directory: Path) -> None:
    by_client, by_base_url = (each.code for each in SNIPPETS if each.language == "python")
    message, service = run(directory, sys.executable, by_client, environment())
    assert message.startswith("SM")
    assert service.startswith("MG")
    (counted,) = run(directory, sys.executable, by_base_url, environment())
    assert counted.endswith(" 1")


def test_node(directory: Path) -> None:
    (code,) = (each.code for each in SNIPPETS if each.language == "js")
    env = environment(npm.environment(ROOT / "tests" / "api" / "twilio" / "node"))
    (message,) = run(directory, "node", code, env)
    assert message.endswith(" queued")
