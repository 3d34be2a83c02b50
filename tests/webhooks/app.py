"""A server whose clock is the test's, and an account's app on the other end of its webhooks."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

import requests

from parley.lib import ids
from parley.model.callback import Callback
from parley.store import queue
from tests.clock import ManualClock
from tests.receiver import Received, Receiver, Reply
from tests.server import Server

T = TypeVar("T")

Down = Callable[[], tuple[int, str]]
"""Gives a port of this machine that refuses connections until somebody listens there, and a URL of it."""

PATIENCE: Final = 2000
"""Looks, each after a commit or a fraction of a second."""


class World:
    """What a test of webhooks acts on."""

    def __init__(self, server: Server, clock: ManualClock, receiver: Receiver, first: int) -> None:
        self.server, self.clock, self.receiver = server, clock, receiver
        self._next = first
        self._http = requests.Session()
        self._http.auth = server.auth

    def number(self) -> str:
        """An address that no other test uses."""
        self._next += 1
        return f"+1555{self._next:07}"

    def call(self, method: str, path: str, **options: Any) -> Any:
        """Make a request that succeeds."""
        answer = self._http.request(method, self.server.base_url + path, timeout=30, **options)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def send(self, to: str | None = None, **given: str) -> str:
        """Send through Twilio's API; the message's id in hex."""
        data = {"To": to or self.number(), "From": self.number(), "Body": "Hello", **given}
        path = f"/2010-04-01/Accounts/{self.server.account_sid}/Messages.json"
        sid: str = self.call("POST", path, data=data)["sid"]
        return sid[2:]

    def own(self, url: str, **given: str) -> str:
        """Own a number whose inbound webhook is at `url`."""
        number = self.number()
        data = {"PhoneNumber": number, "SmsUrl": url, **given}
        self.call("POST", f"/2010-04-01/Accounts/{self.server.account_sid}/IncomingPhoneNumbers.json", data=data)
        return number

    def text(self, to: str, body: str = "Hi", phone: str | None = None) -> tuple[str, str]:
        """A phone writes to a number; the message's id in hex, and the phone."""
        phone = phone or self.number()
        answer = self.call("POST", f"/simulator/phones/{phone}/messages", json={"to": to, "body": body})
        return answer["message_id"].replace("-", ""), phone

    def inbox(self, phone: str, count: int = 1) -> list[dict[str, Any]]:
        """What arrived at a phone, oldest first, once it is so many."""

        def arrived() -> list[dict[str, Any]] | None:
            found: list[dict[str, Any]] = self.call("GET", f"/simulator/phones/{phone}/messages")["messages"]
            return found[::-1] if len(found) >= count else None

        return self.until(arrived)

    def record(self, message_id: str) -> dict[str, Any]:
        """Everything that is known of a message."""
        found: dict[str, Any] = self.call("GET", f"/admin/messages/SM{message_id}")
        return found

    def callbacks(self, message_id: str) -> list[Callback]:
        """The callbacks of a message."""
        return self.server.run(self.server.app.engine.read(queue.callbacks_of, bytes.fromhex(message_id)))

    def replies_to(self, phone: str) -> list[dict[str, Any]]:
        """Every message to a phone, oldest first."""
        path = f"/2010-04-01/Accounts/{self.server.account_sid}/Messages.json"
        found: list[dict[str, Any]] = self.call("GET", path, params={"To": phone})["messages"]
        return found[::-1]

    def until(self, look: Callable[[], T | None]) -> T:
        """What `look` finds, as soon as it finds anything."""
        for _ in range(PATIENCE):
            if found := look():
                return found
            self.server.run(self.server.app.engine.wait_for_change(0.02))
        raise AssertionError("it did not happen")

    def settled(self, message_id: str) -> list[Callback]:
        """Turn the clock until every callback of a message is delivered or given up; the callbacks."""

        def look() -> list[Callback] | None:
            callbacks = self.callbacks(message_id)
            waiting = [c for c in callbacks if c.state == "pending"]
            if callbacks and not waiting:
                return callbacks
            self.skip_to_due(waiting)
            return None

        return self.until(look)

    def skip_to_due(self, waiting: list[Callback]) -> None:
        """Turn the clock to when the first of these is due that nobody holds."""
        if due := [c.due_at for c in waiting if c.node is None]:
            self.clock.set(max(self.clock.now(), min(due)))
        self.server.look()

    def delivered(self, message_id: str) -> list[Callback]:
        """Wait, without turning the clock, until every callback of a message is delivered or given up."""

        def look() -> list[Callback] | None:
            callbacks = self.callbacks(message_id)
            return callbacks if callbacks and all(c.state != "pending" for c in callbacks) else None

        return self.until(look)


def at(path: str) -> Callable[[Received], bool]:
    """Requests for a path."""
    return lambda received: received.path == path


def twiml(inner: str) -> Reply:
    """A TwiML document."""
    return Reply(200, f"<Response>{inner}</Response>".encode(), (("Content-Type", "text/xml"),))


def text(body: str) -> Reply:
    """A plain text."""
    return Reply(200, body.encode(), (("Content-Type", "text/plain"),))


def uuid(message_id: str) -> str:
    """An id as SignalWire spells it."""
    return ids.to_uuid(bytes.fromhex(message_id))
