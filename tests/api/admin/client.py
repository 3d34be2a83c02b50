"""Parley's own API, and enough of Twilio's to have something to look at, as a test's script uses them."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any, Final, TypeVar

import requests

from tests.server import Server

T = TypeVar("T")

OURS: Final = "+15551234567"
_numbers = count(1)


def phone() -> str:
    """A phone that no other test uses."""
    return f"+1555900{next(_numbers):04}"


class Client:
    """One account's view of a server."""

    def __init__(self, server: Server, auth: tuple[str, str] | None = None) -> None:
        self.server = server
        self.http = requests.Session()
        self.http.auth = auth or server.auth

    def call(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        return self.http.request(method, self.server.base_url + path, timeout=30, **kwargs)

    def get(self, path: str, **query: Any) -> Any:
        answer = self.call("GET", path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def put(self, path: str, value: Any) -> Any:
        answer = self.call("PUT", path, json=value)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def send(self, to: str, body: str = "Hello", sender: str = OURS, **more: Any) -> str:
        """Send through Twilio's API; the message's UUID."""
        path = f"/2010-04-01/Accounts/{self.server.account_sid}/Messages.json"
        answer = self.call("POST", path, data={"To": to, "From": sender, "Body": body, **more})
        assert answer.status_code == 201, answer.text
        digits: str = answer.json()["sid"][2:]
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"

    def at(self, phone: str, **query: Any) -> list[dict[str, Any]]:
        """What arrived at a phone."""
        found: list[dict[str, Any]] = self.get(f"/simulator/phones/{phone}/messages", **query)["messages"]
        return found

    def whole(self, message_id: str) -> dict[str, Any]:
        """The whole record of a message."""
        record: dict[str, Any] = self.get(f"/admin/messages/{message_id}")
        return record

    def once(self, message_id: str, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The record of a message once something holds of it; each change of it is an event, which wakes us."""
        after = 0
        while not holds(record := self.whole(message_id)):
            told = self.get("/admin/events", after=after, wait=20, limit=1000)
            assert told["events"], f"nothing happens any more, and the record is {record}"
            after = told["next"]
        return record

    def in_state(self, message_id: str, status: str) -> dict[str, Any]:
        """The record of a message once it is in a state."""
        return self.once(message_id, lambda record: record["status"] == status)


@contextmanager
def meanwhile(ask: Callable[[], T]) -> Iterator[Callable[[], T]]:
    """Ask in a thread of its own during the block; then the answer can be had."""
    answers: list[T] = []
    thread = threading.Thread(target=lambda: answers.append(ask()))
    thread.start()

    def answer() -> T:
        thread.join(60)
        return answers[0]

    yield answer
    thread.join(60)
