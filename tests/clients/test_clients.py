"""Unmodified clients as their makers publish them, each in a process of its own, against a server that is restarted."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
import requests

from tests import npm, pypi
from tests.cli.process import Serving, environment, serving
from tests.node import free_port

HERE: Final = Path(__file__).parent
NUMBER: Final = "+15556660001"
PHONE: Final = "+15556660002"
CONTEXT: Final = "office"


class Kind(msgspec.Struct, frozen=True):
    """One client: how it is started, and whether it speaks TLS alone."""

    program: str
    needs_tls: bool = False
    refusal: str | None = '{"refused": '
    """How it says that the token is wrong. None: not at all, it tries for ever."""

    def words(self) -> list[str]:
        file = HERE / self.program
        if file.suffix == ".js":
            return ["node", str(file)]
        if file.parent.name == "realtime":
            return [sys.executable, str(file)]
        return [str(pypi.python(file.parent / "requirements.txt")), str(file)]

    def environment(self) -> dict[str, str]:
        return npm.environment(HERE / "node") if self.program.endswith(".js") else environment()


KINDS: Final = {
    "realtime-api-4": Kind("node/realtime4.js", refusal='{"refused":"'),
    "realtime-api-3": Kind("node/realtime3.js", refusal="Wrong credentials"),
    "signalwire-sdk": Kind("signalwire_sdk/app.py", needs_tls=True),
    "signalwire-2": Kind("signalwire_2/app.py", refusal=None),
    "parley.realtime": Kind("realtime/app.py"),
}


class App:
    """A client's process, and what it tells: one JSON object a line."""

    def __init__(self, words: list[str], env: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            words, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.told: list[dict[str, Any]] = []
        self._said: list[str] = []

    def says(self, text: str) -> None:
        """Read up to a line that has a text."""
        assert any(text in line for line in self._lines()), self._ended()

    def until(self, **wanted: Any) -> dict[str, Any]:
        """Read what it tells, up to what is wanted."""
        for line in self._lines():
            if not line.startswith('{"'):
                continue  # a client's own log
            told: dict[str, Any] = json.loads(line)
            self.told.append(told)
            if all(name in told and value in (told[name], ...) for name, value in wanted.items()):
                return told
        raise AssertionError(self._ended())

    def _lines(self) -> Iterator[str]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._said.append(line)
            yield line

    def _ended(self) -> str:
        return f"it ended, having said {''.join(self._said)[-2000:]}"

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


class World:
    """A server that may be restarted in its place, and apps."""

    def __init__(self, directory: Path, *, tls: bool) -> None:
        self._directory = directory
        self._flags = ("--port", str(free_port()), *(("--tls",) if tls else ()))
        self._serving = Serving(directory, *self._flags).wait_for("Credentials")
        self._http = requests.Session()
        self._http.auth = self._serving.auth
        self._authority: str | bool = self._serving.said.get("Authority", True)
        self._apps: list[App] = []

    def restart(self, how: signal.Signals) -> None:
        self._serving.stop(how)
        self._serving = Serving(self._directory, *self._flags).wait_for("Credentials")

    def start(self, kind: Kind, **more: str) -> App:
        url = self._serving.url
        ws = url.replace("http", "ws", 1)
        authority = self._serving.said.get("Authority", "")
        env = kind.environment() | {
            "HOST": url.partition("://")[2] if kind.needs_tls else ws,
            "PROJECT": self._serving.said["Project ID"],
            "TOKEN": self._serving.said["Auth token"],
            "CONTEXT": CONTEXT,
            "NODE_EXTRA_CA_CERTS": authority,
            "SIGNALWIRE_RELAY_CA_FILE": authority,
        }
        app = App(kind.words(), {**env, **more})
        self._apps.append(app)
        return app

    def ask(self, method: str, path: str, **options: Any) -> Any:
        answer = self._http.request(method, self._serving.url + path, timeout=60, verify=self._authority, **options)
        assert answer.ok, answer.text
        return answer.json()

    def say(self, body: str, *media: dict[str, str]) -> None:
        given = {"to": NUMBER, "body": body, "media": media}
        self.ask("POST", f"/simulator/phones/{PHONE}/messages", json=given)

    def heard(self, body: str) -> dict[str, Any]:
        query = {"wait": "30", "contains": body}
        (message,) = self.ask("GET", f"/simulator/phones/{PHONE}/messages", params=query)["messages"]
        found: dict[str, Any] = message
        return found

    def close(self) -> None:
        for app in self._apps:
            app.end()
        self._http.close()
        self._serving.stop(signal.SIGKILL)


@contextmanager
def world(directory: Path, *, tls: bool) -> Iterator[World]:
    there = World(directory, tls=tls)
    try:
        yield there
    finally:
        there.close()


def own(there: World) -> None:
    """Have a number, whose messages go to a context."""
    there.ask("POST", "/api/messaging/messages", json={"from": NUMBER, "to": "+15556660009", "body": "Mine"})
    (number,) = there.ask("GET", "/api/relay/rest/phone_numbers", params={"filter_number": NUMBER})["data"]
    handler = {"message_handler": "relay_context", "message_relay_context": CONTEXT}
    there.ask("PUT", f"/api/relay/rest/phone_numbers/{number['id']}", json=handler)


@pytest.mark.parametrize("name", KINDS)
def test_a_client_answers_before_and_after_a_restart(name: str, tmp_path: Path) -> None:
    kind = KINDS[name]
    words = kind.words()  # skips first where it cannot be had
    assert words
    with world(tmp_path, tls=kind.needs_tls) as there:
        own(there)
        app = there.start(kind)
        there.say("Hi", {"content_type": "text/plain", "data": "SGVsbG8="})
        assert len(there.heard("You said: Hi")["media"]) == 1
        app.until(sent=...)
        app.until(state="delivered")
        there.restart(signal.SIGTERM)
        there.say("Again")
        there.heard("You said: Again")
        there.restart(signal.SIGKILL)
        there.say("And again")
        there.heard("You said: And again")
        app.until(state="delivered")
        ids = [told["sent"] for told in app.told if "sent" in told]
        assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if kind.refusal is not None])
def test_a_wrong_token_is_said(name: str, tmp_path: Path) -> None:
    kind = KINDS[name]
    assert kind.words()
    with world(tmp_path, tls=kind.needs_tls) as there:
        assert kind.refusal is not None
        there.start(kind, TOKEN="wrong").says(kind.refusal)


def test_the_compatibility_api(tmp_path: Path) -> None:
    with serving(tmp_path, "--tls") as server:
        env = npm.environment(
            HERE / "node",
            HOST=server.url.removeprefix("https://"),
            PROJECT=server.said["Project ID"],
            TOKEN=server.said["Auth token"],
            NODE_EXTRA_CA_CERTS=server.said["Authority"],
            FROM="+15551234567",
            TO=PHONE,
        )
        sent, listed = (json.loads(line) for line in npm.run(env, HERE / "node" / "compatibility.js").splitlines())
        assert sent["account"] == server.said["Project ID"] or sent["account"].startswith("AC")
        assert listed == {"listed": 1}
        (refused,) = npm.run(env | {"TOKEN": "wrong"}, HERE / "node" / "compatibility.js").splitlines()
        assert "refused" in json.loads(refused)
