"""The examples for SignalWire's API, each against a server with simulated phones."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from tests.examples.conftest import Phones, load
from tests.receiver import Receiver, Reply
from tests.server import Server

NUMBER = "+15558880001"
PICTURE = {"content_type": "image/gif", "data": "R0lGODlhAQABAAAAACw="}
Inbox = Callable[[Mapping[str, Any]], str]


@pytest.fixture(autouse=True)
def _space(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGNALWIRE_SPACE_URL", server.base_url)
    monkeypatch.setenv("SIGNALWIRE_PROJECT_ID", server.project_id)
    monkeypatch.setenv("SIGNALWIRE_API_TOKEN", server.auth_token)
    monkeypatch.delenv("SIGNALWIRE_SPACE", raising=False)


@pytest.fixture
def space() -> Any:
    return load("signalwire/bulk.py").Space(sleep=lambda _: None)


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    """Serves handlers until the test ends; returns the origin."""
    with ExitStack() as stack:

        def start(handlers: Mapping[str, Any]) -> str:
            app = load("signalwire/inbox.py").server(handlers, 0)
            thread = threading.Thread(target=app.serve_forever, args=(0.02,), daemon=True)
            thread.start()
            stack.callback(thread.join)
            stack.callback(app.server_close)
            stack.callback(app.shutdown)
            return f"http://127.0.0.1:{app.server_address[1]}"

        yield start


def own(server: Server, space: Any, number: str, **handler: str) -> None:
    """Have a number, whose messages go where the handler says."""
    space.send(number, "+15558889999", "Mine")
    auth = (server.project_id, server.auth_token)
    url = f"{server.base_url}/api/relay/rest/phone_numbers"
    (found,) = requests.get(url, params={"filter_number": number}, auth=auth, timeout=30).json()["data"]
    done = requests.put(f"{url}/{found['id']}", json=handler, auth=auth, timeout=30)
    assert done.status_code == 200, done.text


def test_two_factor(space: Any, phones: Phones) -> None:
    now = [0.0]
    codes = load("signalwire/two_factor.py").Codes(space, NUMBER, lambda: now[0])
    phone = "+15558880101"
    codes.send(phone)
    code = phones.arrived(phone, "Your code")["code"]
    wrong = "000000" if code != "000000" else "111111"
    assert [codes.check(phone, guess) for guess in (wrong, code, code)] == [False, True, False]
    codes.send(phone)
    now[0] = 301.0
    assert not codes.check(phone, phones.arrived(phone, "Your code")["code"])


def test_reminders(space: Any, phones: Phones) -> None:
    reminders = load("signalwire/reminders.py")
    at = datetime(2026, 11, 23, 19, 30, tzinfo=UTC)
    east = reminders.Appointment("Ada", "+15558880102", at, "America/New_York")
    west = reminders.Appointment("Bob", "+15558880103", at, "America/Los_Angeles")
    now = datetime(2026, 11, 21, 14, 0, tzinfo=UTC)
    assert reminders.remind(space, NUMBER, [east, west], now) == [west]
    assert phones.arrived(east.phone)["body"].startswith("Hi Ada, see you on Monday at 14:30.")


def test_bulk(space: Any, phones: Phones) -> None:
    bulk = load("signalwire/bulk.py")
    now, slept = [0.0], []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    limit = bulk.RateLimit(2, lambda: now[0], sleep)
    wanted = ["+15558880104", "no number", "+15558880105", "+15558880104"]
    outcomes = bulk.send_all(space, NUMBER, "We are closed today", wanted, limit)
    assert [(each.phone, each.error) for each in outcomes if each.id is None] == [("no number", "invalid_to_number")]
    assert len(outcomes) == 3
    assert slept == [1.0]
    assert phones.arrived("+15558880105")["body"] == "We are closed today"


def test_opt_out_and_chatbot(server: Server, space: Any, inbox: Inbox, phones: Phones) -> None:
    outs = load("signalwire/opt_out.py").OptOuts()
    url = inbox({"/sms": outs.receive}) + "/sms"
    number, phone = "+15558880002", "+15558880106"
    own(server, space, number, message_handler="json_webhook", message_request_url=url)
    assert phones.talk(phone, number, " hours ", "9 to 17")["from"] == number
    phones.talk(phone, number, "Stop", "no more")
    assert outs.phones == {phone}
    phones.talk(phone, number, "START", "Welcome back")
    phones.talk(phone, number, "what?", "Ask for HOURS, WHERE.")
    assert outs.receive({"from": phone, "body": "quit"}) is not None
    assert outs.receive({"from": phone, "body": "where"}) is None


def test_delivery(space: Any, inbox: Inbox, phones: Phones) -> None:
    heard, arrived = threading.Condition(), set[str]()

    def hear(event: dict[str, Any]) -> None:
        with heard:
            tracker.hear(event)
            arrived.update(state for states in tracker.told.values() for state in states)
            heard.notify_all()

    tracker = load("signalwire/delivery.py").Tracker(space, inbox({"/status": hear}) + "/status")
    phone = "+15558880107"
    phones.behaves(phone, outcome="undelivered")
    with heard:
        first = tracker.send(NUMBER, phone, "Are you there?")
        assert heard.wait_for(lambda: len(tracker.told) == 2 and tracker.again, 30)
        second = tracker.again[first]
        assert heard.wait_for(lambda: tracker.told.get(second, [""])[-1] == "undelivered", 30)
    assert list(tracker.again) == [first]


def test_pictures(server: Server, space: Any, inbox: Inbox, phones: Phones, receiver: Receiver) -> None:
    album = load("signalwire/pictures.py").Album()
    number, phone = "+15558880003", "+15558880108"
    url = inbox({"/sms": album.receive}) + "/sms"
    own(server, space, number, message_handler="json_webhook", message_request_url=url)
    phones.says(phone, number, "Look", PICTURE)
    assert phones.arrived(phone, "so far")["body"] == "1 pictures so far."
    assert album.pictures[0][0] == "image/gif"
    receiver.answer = lambda _: Reply(200, album.pictures[0][1], (("Content-Type", "image/gif"),))
    space.send(number, phone, "Yours", media=[f"{receiver.url}/a.gif"])
    assert len(phones.arrived(phone, "Yours")["media"]) == 1


def test_trying_again(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGNALWIRE_SPACE_URL", receiver.url)
    space = load("signalwire/space.py")
    slept: list[float] = []
    answers = iter([503, 429, 201])
    receiver.answer = lambda _: Reply(next(answers), b'{"id": "m"}')
    assert space.Space(sleep=slept.append).send(NUMBER, "+15558880109", "Hello") == "m"
    assert slept == [1.0, 2.0]
    receiver.answer = lambda _: Reply(422, b'{"errors": [{"code": "invalid_to_number", "message": "No"}]}')
    with pytest.raises(space.RefusedError, match="invalid_to_number"):
        space.Space(sleep=slept.append).send(NUMBER, "nobody", "Hello")
    assert len(slept) == 2


async def test_routing(server: Server, space: Any, phones: Phones) -> None:
    numbers = {"support": "+15558880004", "sales": "+15558880005"}
    for context, number in numbers.items():
        await asyncio.to_thread(
            own, server, space, number, message_handler="relay_context", message_relay_context=context
        )
    async with load("signalwire/routing.py").client() as ours:
        connected = asyncio.create_task(ours.connect())
        await asyncio.to_thread(phones.talk, "+15558880110", numbers["support"], "Help", "technicians")
        await asyncio.to_thread(phones.talk, "+15558880110", numbers["sales"], "Buy", "catalogue")
    await connected
