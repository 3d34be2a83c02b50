"""A server that is restarted in its place, and the clients' programs as processes: what they print is what they did."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from typing import Any, Final

import msgspec
import requests

from tests import npm, pypi
from tests.cli.process import Serving, environment
from tests.node import free_port

HERE: Final = Path(__file__).parent
EXAMPLES: Final = HERE.parents[1] / "examples" / "clients"
NODE: Final = HERE / "node"
LOG: Final = re.compile(r"^(?:Ready|Received: .*|Sent: .*|Not sent: .*|Joined: .*|Refused: .*|[0-9a-f-]{36}: \w+)$")
"""What the programs print themselves; all else is their clients' own log."""
_PATIENCE_S: Final = 90
"""A program that lives for so long hangs, and is ended, so that its test says what it printed."""


class Kind(msgspec.Struct, frozen=True):
    """One client and its program."""

    program: Path
    trust: str
    """The environment variable that names whose certificates it trusts."""
    refusal: str
    """How it says that the token is wrong."""
    requirements: str | None = None
    """What its Python has, of its own; None: what ours has."""
    needs_tls: bool = False
    receipt_s: float = 0.0
    """How long its messages' receipts are held back: it loses a state that it reads together with the answer to its
    send, and must not be slower than that.
    """
    is_aliased: bool = False
    """Installed beside a later version of the same name."""

    def words(self) -> list[str]:
        """How it is started. Skips the test where it cannot be had."""
        if self.program.suffix == ".js":
            npm.environment(NODE)
            return ["node", str(self.program)]
        if self.requirements is None:
            return [sys.executable, str(self.program)]
        return [str(pypi.python(HERE / self.requirements)), str(self.program)]

    def environment(self, directory: Path) -> dict[str, str]:
        """What it finds its packages by."""
        if self.program.suffix != ".js":
            return environment()
        env = npm.environment(NODE)
        if self.is_aliased:
            alias = directory / "realtime-api-3" / "@signalwire"
            alias.mkdir(parents=True, exist_ok=True)
            if not (alias / "realtime-api").exists():
                (alias / "realtime-api").symlink_to(Path(env["NODE_PATH"]) / "realtime-api-3")
            env["NODE_PATH"] = f"{alias.parent}:{env['NODE_PATH']}"
        return env


class App:
    """A client's process."""

    def __init__(self, words: list[str], env: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            words, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self._watchdog = Timer(_PATIENCE_S, self._process.kill)
        self._watchdog.start()
        self._said: list[str] = []

    @property
    def printed(self) -> list[str]:
        """What its program has printed so far, of what was read."""
        return [line for line in self._said if LOG.match(line)]

    def says(self, pattern: str) -> str:
        """Read up to a line that holds what the pattern looks for, and return that."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._said.append(line.rstrip("\n"))
            if found := re.search(pattern, line):
                return found[0]
        raise AssertionError(f"it ended before it said {pattern!r}: {self._said[-30:]}")

    def hears(self, count: int) -> set[str]:
        """The texts of the next messages that it receives."""
        return {self.says("(?<=^Received: ).*") for _ in range(count)}

    def answers(self, body: str) -> None:
        """Read up to where its answer to a text is delivered, which it may tell before it tells of the sending."""
        self.says(f"^Received: {body}$")
        since = len(self._said)
        told: set[str] = set()
        while not any(line.startswith("Sent: ") and f"{line[6:]}: delivered" in told for line in told):
            self.says("^Sent: |: delivered$")
            told = set(self._said[since:])

    def pause(self) -> None:
        """Have it read and acknowledge nothing, while its connection stays."""
        self._process.send_signal(signal.SIGSTOP)

    def end(self) -> None:
        self._watchdog.cancel()
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


class World:
    """A server, and apps."""

    def __init__(self, directory: Path, *flags: str, env: Mapping[str, str] | None = None) -> None:
        self._directory = directory
        self._flags = ("--port", str(free_port()), *flags)
        self._env = env
        self._serving = Serving(directory, *self._flags, env=env).wait_for("Credentials")
        self._http = requests.Session()
        self._http.auth = self._serving.auth
        self._authority = self._serving.said.get("Authority")
        self._apps: list[App] = []

    def restart(self, how: signal.Signals) -> None:
        self._serving.stop(how)
        self._serving = Serving(self._directory, *self._flags, env=self._env).wait_for("Credentials")

    def start(self, kind: Kind, *arguments: str, **more: str) -> App:
        """Start a client's program as docs/signalwire.md does."""
        env = kind.environment(self._directory) | {
            "SIGNALWIRE_SPACE_URL": self._serving.url,
            "SIGNALWIRE_PROJECT_ID": self._serving.said["Project ID"],
            "SIGNALWIRE_API_TOKEN": self._serving.said["Auth token"],
        }
        if self._authority is not None:
            env[kind.trust] = self._authority
        app = App([*kind.words(), *arguments], env | more)
        self._apps.append(app)
        return app

    def ask(self, method: str, path: str, **options: Any) -> Any:
        verify = self._authority or True
        answer = self._http.request(method, self._serving.url + path, timeout=60, verify=verify, **options)
        assert answer.ok, answer.text
        return answer.json()

    def own(self, number: str, context: str) -> None:
        """Have a number, whose messages go to a context."""
        mine = self.ask("POST", "/api/relay/rest/phone_numbers", json={"number": number})
        handler = {"message_handler": "relay_context", "message_relay_context": context}
        self.ask("PUT", f"/api/relay/rest/phone_numbers/{mine['id']}", json=handler)

    def hold_receipts(self, phone: str, delay_s: float) -> None:
        """Have a phone confirm what it got only so much later."""
        self.ask("PUT", f"/simulator/phones/{phone}", json={"delay_s": delay_s})

    def say(self, phone: str, number: str, body: str, *media: dict[str, str]) -> None:
        """Write from a phone."""
        given = {"to": number, "body": body, "media": media}
        self.ask("POST", f"/simulator/phones/{phone}/messages", json=given)

    def arrived(self, phone: str, body: str) -> list[dict[str, Any]]:
        """What a phone has got that holds a text, once there is any."""
        query = {"wait": "30", "contains": body}
        found: list[dict[str, Any]] = self.ask("GET", f"/simulator/phones/{phone}/messages", params=query)["messages"]
        assert found, f"{phone} got nothing with {body!r}"
        return found

    def close(self) -> None:
        for app in self._apps:
            app.end()
        self._http.close()
        self._serving.stop(signal.SIGKILL)


@contextmanager
def world(directory: Path, *flags: str, env: Mapping[str, str] | None = None) -> Iterator[World]:
    there = World(directory, *flags, env=env)
    try:
        yield there
    finally:
        there.close()
