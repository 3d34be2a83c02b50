"""Unmodified clients as their makers publish them, each in a process of its own, against a server that is restarted.

They wait for seconds before they connect again, so that all of them do so at the same time.
"""

import re
import signal
from pathlib import Path
from typing import Final

import pytest

from tests.clients.kinds import JOINING, RELAY, REST, at_hand, at_once
from tests.clients.world import Kind, World, world
from tests.docs.snippets import snippets

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "signalwire.md"
SHOWN: Final = {each.name: each.code.splitlines() for each in snippets(PAGE) if each.language == "text"}
"""What docs/signalwire.md says that each prints."""
ID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
HELLO: Final = {"content_type": "text/plain", "data": "SGVsbG8="}


class Line:
    """A client, whose number and phone are its own."""

    def __init__(self, there: World, name: str, kind: Kind, index: int) -> None:
        self._there = there
        self._name = name
        self._is_joining = name in JOINING
        self._contexts = [f"{name} 1", f"{name} 2"] if self._is_joining else [name]
        self.number, self.phone = f"+1555666{index:04}", f"+1555667{index:04}"
        there.own(self.number, self._contexts[0])
        there.hold_receipts(self.phone, kind.receipt_s)
        self.app = there.start(kind, *self._contexts)

    def is_answered(self) -> None:
        """With a picture, and told of the answer's states."""
        if self._is_joining:
            self.says("Join")
            self.app.says("^Joined: ")
            self._there.own(self.number, self._contexts[1])
            self.says("Hi")
        else:
            self.says("Hi", HELLO)
            (arrived,) = self._there.arrived(self.phone, "You said: Hi")
            assert len(arrived["media"]) == 1
        self.app.answers("Hi")
        if not self._is_joining:
            assert without_ids(self.app.printed) == without_ids(SHOWN[self._name])

    def is_answered_again(self) -> None:
        self.says("Again")
        self._there.arrived(self.phone, "You said: Again")

    def is_answered_at_last(self) -> None:
        self.says("At last")
        self.app.answers("At last")

    def says(self, body: str, *media: dict[str, str]) -> None:
        self._there.say(self.phone, self.number, body, *media)


def without_ids(lines: list[str]) -> list[str]:
    """In no order: what comes at once is told as it comes."""
    return sorted(ID.sub("", line) for line in lines)


def test_each_client_answers_before_and_after_restarts(tmp_path: Path) -> None:
    kinds, missing = at_hand(RELAY | JOINING)
    with world(tmp_path, "--tls") as there:
        lines = [Line(there, name, kind, index) for index, (name, kind) in enumerate(kinds.items())]
        at_once(Line.is_answered, lines)
        there.restart(signal.SIGTERM)
        at_once(Line.is_answered_again, lines)
        there.restart(signal.SIGKILL)
        at_once(Line.is_answered_at_last, lines)
        for line in lines:
            sent = [each for each in line.app.printed if each.startswith("Sent: ")]
            assert len(sent) == len(set(sent)) >= 3
    if missing:
        pytest.skip("; ".join(missing))


def test_a_wrong_token_is_said(tmp_path: Path) -> None:
    kinds, missing = at_hand(RELAY | REST)
    with world(tmp_path, "--tls") as there:
        at_once(lambda kind: there.start(kind, SIGNALWIRE_API_TOKEN="wrong").says(kind.refusal), kinds.values())
    if missing:
        pytest.skip("; ".join(missing))


def test_the_clients_of_rest(tmp_path: Path) -> None:
    kinds, missing = at_hand(REST)
    with world(tmp_path, "--tls") as there:

        def send(name: str) -> None:
            phone = f"+1555665{list(REST).index(name):04}"
            app = there.start(kinds[name], "+15551234567", phone)
            app.says("^Sent: ")
            there.arrived(phone, "Hello from")
            if name == "compatibility-api":
                app.says("^Ready$")
                there.say(phone, "+15551234567", "Hi")
                app.says("^Received: Hi$")
                there.arrived(phone, "You said: Hi")
            assert without_ids(app.printed) == without_ids(SHOWN[name])

        at_once(send, kinds)
    if missing:
        pytest.skip("; ".join(missing))
