"""docs/signalwire.md, held to the files that it shows, and carried out where tests/clients does not do so."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.cli.process import environment, serving
from tests.clients.kinds import RELAY, REST
from tests.clients.world import EXAMPLES, HERE, NODE
from tests.docs.snippets import snippets

ROOT: Final = Path(__file__).resolve().parents[2]
SNIPPETS: Final = snippets(ROOT / "docs" / "signalwire.md")
NAMED: Final = {each.name: each for each in SNIPPETS if each.name is not None and "/" in each.name}
COMMANDS: Final = {each.name: each.code for each in SNIPPETS if each.language == "sh" and each.name not in NAMED}
PREPARED, NUMBER, PHONE, CURL = (each.code for each in SNIPPETS if each.language == "sh" and each.name is None)
UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A clone in which a server runs."""
    clone = tmp_path_factory.mktemp("clone")
    (clone / "examples").symlink_to(ROOT / "examples")
    with serving(clone, "--tls"):
        yield clone


def run(directory: Path, command: str, *words: str) -> str:
    """Run a command in a shell that is prepared as the page says; what it printed."""
    shell = ["sh", "-euc", f"{PREPARED}\n{command}", "sh", *words]
    done = subprocess.run(
        shell, cwd=directory, env=environment(), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_page_shows_the_files_that_are_tested() -> None:
    files = [path for path in EXAMPLES.glob("*/*") if path.is_file() and path.suffix != ".pyc"]
    assert NAMED.keys() == {str(path.relative_to(EXAMPLES)) for path in files}
    for path in files:
        assert NAMED[str(path.relative_to(EXAMPLES))].code == path.read_text("utf-8"), path
    tested = {kind.program for kind in (*RELAY.values(), *REST.values())}
    assert tested == {path for path in files if path.suffix != ".sh"}


@pytest.mark.parametrize("name", [*RELAY, *REST])
def test_the_versions_and_variables_are_those_that_are_tested(name: str) -> None:
    kind = (RELAY | REST)[name]
    *install, start = COMMANDS[name].splitlines()
    where = kind.program.name if kind.program.suffix == ".js" else kind.program.relative_to(ROOT)
    assert re.fullmatch(rf'{kind.trust}="\$ca_file" \S+ {where}', start)
    if kind.program.suffix == ".js":
        given = json.loads((NODE / "package.json").read_text())["dependencies"]
        tested = {value if value.startswith("npm:") else f"npm:{key}@{value}" for key, value in given.items()}
        assert f"npm:{install[0].removeprefix('npm install ')}" in tested
    elif kind.requirements is not None and name in RELAY:
        assert install[0].rpartition(" ")[2] in (HERE / kind.requirements).read_text().splitlines()
    else:
        assert not install


def test_a_number_and_a_phone(directory: Path) -> None:
    assert run(directory, NUMBER) == "+15551234567: office\n"
    assert run(directory, PHONE).startswith('{"message_id":')


def test_curl(directory: Path) -> None:
    (shown,) = [each.code for each in SNIPPETS if each.name == "curl"]
    printed = run(directory, CURL)
    assert UUID.sub("", printed) == UUID.sub("", shown)


def test_python(directory: Path) -> None:
    by_rest, by_relay = (each.code for each in SNIPPETS if each.language == "python" and each.name is None)
    start = 'export REQUESTS_CA_BUNDLE="$ca_file" SSL_CERT_FILE="$ca_file"; exec "$1" -c "$2"'
    assert run(directory, start, sys.executable, by_rest) == "201 queued\n"
    assert run(directory, start, sys.executable, by_relay).startswith("Delivered: ")
