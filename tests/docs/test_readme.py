"""The README, carried out: each of its snippets, in its order, in one directory, against one fresh server."""

import json
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.cli.process import environment, serving
from tests.docs.snippets import Snippet, snippets
from tests.node import free_port

ROOT: Final = Path(__file__).resolve().parents[2]
README: Final = ROOT / "README.md"
_PORT: Final = "5005"


class Reader:
    """Somebody who does what the README says, in a directory with a server's data."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._port = str(free_port())
        self._shell = ""

    def run(self, snippet: Snippet) -> str:
        """Carry a snippet out, and return what it printed. What it does to the shell lasts, as in a terminal."""
        code = self._adapted(snippet.code)
        if snippet.language == "sh":
            words = ["sh", "-euc", self._shell + code]
            if "curl" not in code:
                self._shell += code
        else:
            words = [sys.executable, "-c", code]
        done = subprocess.run(
            words, cwd=self._directory, env=environment(), capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    @contextmanager
    def running(self, snippet: Snippet) -> Iterator["subprocess.Popen[str]"]:
        """Save a snippet, and run it for the time of a with block."""
        assert snippet.name is not None
        (self._directory / snippet.name).write_text(self._adapted(snippet.code))
        words = [sys.executable, snippet.name]
        app = subprocess.Popen(words, cwd=self._directory, env=environment(), stdout=subprocess.PIPE, text=True)
        try:
            self._wait_until_it_listens(app)
            yield app
        finally:
            app.kill()
            app.wait()
            assert app.stdout is not None
            app.stdout.close()

    def _wait_until_it_listens(self, app: "subprocess.Popen[str]") -> None:
        while app.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", int(self._port))) == 0:
                    return
        raise AssertionError("the app ended")

    def _adapted(self, code: str) -> str:
        """Many suites may run on one machine: the app gets a port of its own."""
        return code.replace(_PORT, self._port)


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    if shutil.which("curl") is None:
        pytest.skip("The README was not carried out: there is no curl")
    with serving(tmp_path):
        yield Reader(tmp_path)


def test_the_first_block_has_the_two_commands_and_make_knows_them() -> None:
    targets = re.findall(r"^make (\w+)", snippets(README)[0].code, re.MULTILINE)
    assert targets == ["serve", "test"]
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in targets)


def test_the_readme_does_what_it_says(reader: Reader) -> None:
    _, shell, with_curl, with_twilio, with_requests, see, app, send, answer = snippets(README)
    reader.run(shell)
    assert json.loads(reader.run(with_curl))["body"] == "Hello from curl"
    assert reader.run(with_twilio).startswith("SM")
    assert reader.run(with_requests).startswith("Message sent: ")
    assert {message["from"] for message in json.loads(reader.run(see))["messages"]} == {"+15551234567"}
    with reader.running(app) as running:
        assert running.stdout is not None
        sent = json.loads(reader.run(send).partition("\n")[2])
        told = [next(running.stdout).split() for _ in range(2)]
        assert told == [["sent", sent["sid"]], ["delivered", sent["sid"]]]
        got = [json.loads(line) for line in reader.run(answer).replace("}{", "}\n{").splitlines()]
        assert next(running.stdout).endswith(" Very good\n")
        assert [message["body"] for message in got[1]["messages"]] == ["Thank you!"]
    everything = see.code.replace("&contains=Hello", "")
    bodies = {m["body"] for m in json.loads(reader.run(Snippet("sh", None, everything)))["messages"]}
    assert bodies >= {"Hello from curl", "Hello from the twilio package", "Hello from requests", "How was it?"}


def test_every_link_leads_somewhere() -> None:
    for document in (README, *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\(([^)#]+)\)", document.read_text("utf-8")):
            assert target.startswith("https://") or (document.parent / target).exists(), f"{document.name}: {target}"
