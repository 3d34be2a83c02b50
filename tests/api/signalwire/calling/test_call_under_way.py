"""A call that takes its time: there from its beginning, readable on its way, and told to its end whatever happens."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from parley.api.signalwire.calling.calls import Calls
from parley.core.backoff import Backoff
from parley.core.send import Draft
from parley.model.call import Dial, Placed
from parley.model.message import Message
from parley.store import StoreUnavailable
from parley.store import calls as store_calls
from parley.webhooks.client import Answer, FetchFailed
from parley.webhooks.render import Fetch
from tests.api.signalwire.client import Client
from tests.node import ACCOUNT_SID, AUTH_TOKEN, Node
from tests.receiver import Received, Receiver, Reply
from tests.server import Server, serve

NUMBER, PHONE = "+15557410001", "+15557490101"
AUTH = (ACCOUNT_SID, AUTH_TOKEN)


def dialled(url: str, phone: str = PHONE) -> dict[str, Any]:
    """A call that sends a text, asks an app, and sends another."""
    steps = [
        {"play": "say:Hello"},
        {"send_sms": {"to_number": phone, "body": "First"}},
        {"request": {"url": url, "timeout": 5}},
        {"send_sms": {"to_number": phone, "body": "Second"}},
    ]
    swml = json.dumps({"sections": {"main": steps}})
    return {"command": "dial", "params": {"from": NUMBER, "to": phone, "swml": swml}}


class Gate:
    """An app that answers once it is let."""

    def __init__(self, receiver: Receiver) -> None:
        self.asked, self.let = threading.Event(), threading.Event()
        receiver.answer = self._answer

    def _answer(self, _: Received) -> Reply:
        self.asked.set()
        self.let.wait(30)
        return Reply()


@pytest.fixture
def gate(receiver: Receiver) -> Iterator[Gate]:
    gate = Gate(receiver)
    try:
        yield gate
    finally:
        gate.let.set()


def methods(call: dict[str, Any]) -> list[str]:
    return [entry["method"] for entry in call["transcript"]]


def test_a_call_is_read_on_its_way(client: Client, receiver: Receiver, gate: Gate) -> None:
    begun = client.ask("POST", "/api/calling/calls", 200, json=dialled(receiver.url))
    assert gate.asked.wait(30)
    path = f"/simulator/calls/{begun['id']}"
    call = client.raw("GET", path).json()
    assert (begun["status"], call["status"], call["ended_at"]) == ("queued", "in-progress", None)
    assert methods(call) == ["play", "send_sms"]
    assert call["transcript"][1]["body"] == "First"
    gate.let.set()
    call = client.raw("GET", path, params={"wait": "60"}).json()
    assert (call["status"], methods(call)) == ("completed", ["play", "send_sms", "request", "send_sms"])


def test_a_phone_that_calls_waits_as_long_as_it_is_told(client: Client, receiver: Receiver, gate: Gate) -> None:
    path, given = f"/simulator/phones/{PHONE}/calls", {"to": NUMBER, "url": receiver.url}
    answer = client.raw("POST", path, params={"wait": "0"}, json=given)
    assert (answer.status_code, answer.json()["status"]) == (201, "in-progress")
    assert client.raw("POST", path, params={"wait": "long"}, json=given).status_code == 400
    gate.let.set()
    receiver.answer = lambda _: Reply(200, b"sections: {main: [answer: {}]}")
    assert client.raw("POST", path, json=given).json()["status"] == "completed"


def test_a_request_with_a_key_places_one_call(client: Client) -> None:
    def place(steps: list[Any], key: str, expect: int) -> Any:
        params = {"from": NUMBER, "to": PHONE, "swml": json.dumps({"sections": {"main": steps}})}
        headers = {"Idempotency-Key": key}
        return client.ask(
            "POST", "/api/calling/calls", expect, json={"command": "dial", "params": params}, headers=headers
        )

    steps = [{"send_sms": {"to_number": "+15557490102", "body": "Once"}}]
    assert place(steps, "a", 200)["id"] == place(steps, "a", 200)["id"]
    assert place([], "a", 422)["errors"][0]["attribute"] == "Idempotency-Key"
    other = place(steps, "b", 200)["id"]
    client.raw("GET", f"/simulator/calls/{other}", params={"wait": "60"})
    assert len(client.inbox("+15557490102", contains="Once")) == 2


def test_what_is_redacted_and_what_is_forgotten(client: Client, receiver: Receiver) -> None:
    steps = [{"send_sms": {"to_number": PHONE, "body": "Secret", "status_callback": receiver.url}}]
    given = {"to": NUMBER, "swml": {"sections": {"main": steps}}}
    call = client.raw("POST", f"/simulator/phones/{PHONE}/calls", json=given).json()
    (entry,) = call["transcript"]
    receiver.wait(lambda request: request.json["status"] == "delivered")
    client.ask("PATCH", f"/api/messaging/messages/{entry['message_id']}", 200, json={"body": ""})
    path = f"/simulator/calls/{call['call_id']}"
    assert client.raw("GET", path).json()["transcript"] == [{**entry, "body": ""}]
    client.raw("DELETE", "/simulator")
    assert client.raw("GET", path).status_code == 404


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_a_call_that_a_crash_cut_off_says_so(tmp_path: Path, receiver: Receiver, gate: Gate, how: str) -> None:
    with Node(f"sqlite:///{tmp_path}/parley.db", tmp_path, settings={"drain_s": "0.1"}) as node:
        begun = requests.post(f"{node.base_url}/api/calling/calls", json=dialled(receiver.url), auth=AUTH, timeout=30)
        assert gate.asked.wait(30)
        getattr(node, how)()
        node.start()
        node.wait_ready()
        path = f"{node.base_url}/simulator/calls/{begun.json()['id']}"
        call = requests.get(path, params={"wait": "60"}, auth=AUTH, timeout=90).json()
        assert (call["status"], methods(call)) == ("failed", ["play", "send_sms", "error"])
        assert call["ended_at"] is not None
        assert call["transcript"][2]["code"] == "call_cut_off"
        inbox = f"{node.base_url}/simulator/phones/{PHONE}/messages"
        found = requests.get(inbox, params={"wait": "30"}, auth=AUTH, timeout=60).json()["messages"]
        assert [each["body"] for each in found] == ["First"]


def test_a_text_whose_commit_was_not_answered_goes_once(tmp_path: Path) -> None:
    with serve(f"sqlite:///{tmp_path}/parley.db") as server:
        app, lost = server.app, iter([True])

        async def losing(draft: Draft) -> Message:
            sent = await app.sending.send(draft)
            if next(lost, False):
                raise StoreUnavailable
            return sent

        async def fetch(_: Fetch) -> Answer | FetchFailed:
            raise AssertionError("its document asks nobody")

        backoff = Backoff(app.randomness, 0.01)
        calls = Calls(app.engine, app.record.node, app.numbers, losing, fetch, app.clock, app.ids, backoff)
        steps = [{"send_sms": {"to_number": PHONE, "body": "Once"}}]
        dial = Dial(direction="inbound", sender=PHONE, recipient=NUMBER, swml={"sections": {"main": steps}})
        client = Client(server)
        placed = server.run(_over(calls, server, dial))
        (arrived,) = client.inbox(PHONE)
        assert [entry["message_id"] for entry in placed.call.transcript] == [arrived["message_id"]]


async def _over(calls: Calls, server: Server, dial: Dial) -> Placed:
    """A call, once it is over."""
    [account] = await server.app.accounts.everyone()
    placed = await calls.ring(account, dial)
    await calls.ended()
    over = await calls.find(account.id, placed.id)
    assert over is not None
    return over


def test_a_call_whose_beginning_was_not_answered_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(f"sqlite:///{tmp_path}/parley.db") as server:
        engine, write, client = server.app.engine, server.app.engine.write, Client(server)

        async def lose(operation: Callable[..., Any], *given: Any, **more: Any) -> Any:
            done = await write(operation, *given, **more)
            if operation is store_calls.begin:
                raise StoreUnavailable
            return done

        with monkeypatch.context() as patched:
            patched.setattr(engine, "write", lambda *given, **more: asyncio.ensure_future(lose(*given, **more)))
            answer = requests.post(
                f"{server.base_url}/api/calling/calls",
                json=dialled("http://127.0.0.1:9/"),
                auth=server.auth,
                timeout=30,
            )
            assert answer.status_code == 503
        for _ in range(2):
            server.run(server.app.calls.turn())
        [call] = client.raw("GET", f"/simulator/phones/{PHONE}/calls").json()["calls"]
        assert (call["status"], call["transcript"][-1]["code"]) == ("failed", "call_cut_off")


def test_a_call_that_a_fault_of_ours_ends_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(f"sqlite:///{tmp_path}/parley.db") as server:
        engine, write, faults = server.app.engine, server.app.engine.write, iter([ZeroDivisionError])

        async def fail(operation: Callable[..., Any], *given: Any, **more: Any) -> Any:
            if operation is store_calls.tell and (fault := next(faults, None)) is not None:
                raise fault
            return await write(operation, *given, **more)

        monkeypatch.setattr(engine, "write", lambda *given, **more: asyncio.ensure_future(fail(*given, **more)))
        steps = [{"play": "say:Hello"}, {"send_sms": {"to_number": PHONE, "body": "Never"}}]
        given = {"to": NUMBER, "swml": {"sections": {"main": steps}}}
        call = Client(server).raw("POST", f"/simulator/phones/{PHONE}/calls", json=given).json()
        assert (call["status"], methods(call)) == ("failed", ["play", "error"])
        assert call["transcript"][-1]["code"] == "internal_error_occurred"
