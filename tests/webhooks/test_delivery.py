"""Status callbacks as an app sees them: in order, again after a failure, each on its own."""

import threading
from collections.abc import Iterator, Sequence
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
import requests
from msgspec.structs import replace
from twilio.request_validator import RequestValidator

from parley.model.callback import Callback
from parley.store import Operation, queue, schema
from parley.store.engine.statements import Update
from parley.webhooks.retries import GIVE_UP_S, Retries
from tests.clock import ManualClock
from tests.receiver import Received, Reply, receiving
from tests.server import serve
from tests.webhooks.app import Down, World, at, uuid

TOKEN = "i-twilio-idempotency-token"


def statuses(received: list[Received]) -> list[str]:
    return [each.form["MessageStatus"] for each in received]


def answering(*replies: Reply | int) -> Iterator[Reply]:
    """Each of these once, and the last for ever."""
    for reply in replies:
        yield reply if isinstance(reply, Reply) else Reply(reply)
    while True:
        yield reply if isinstance(reply, Reply) else Reply(reply)


def test_callbacks_of_a_message_come_in_order(world: World) -> None:
    url = f"{world.receiver.url}/status"
    sent = [world.send(StatusCallback=url) for _ in range(5)]
    world.receiver.wait(at("/status"), 10)
    for message_id in sent:
        mine = [r for r in world.receiver.requests if r.form["MessageSid"] == f"SM{message_id}"]
        assert statuses(mine) == ["sent", "delivered"]
        assert len({r.headers[TOKEN] for r in mine}) == 2
        assert [c.state for c in world.delivered(message_id)] == ["delivered"] * 2


def test_a_server_error_is_tried_again_with_the_same_token_before_what_follows(world: World) -> None:
    replies = answering(500, 200)
    world.receiver.answer = lambda _: next(replies)
    message_id = world.send(StatusCallback=f"{world.receiver.url}/status")
    first, second = world.settled(message_id)
    assert (first.state, first.attempts, first.outcome) == ("delivered", 2, "HTTP 200")
    assert (second.state, second.attempts) == ("delivered", 1)
    received = world.receiver.wait(at("/status"), 3)
    assert statuses(received) == ["sent", "sent", "delivered"]
    tokens = [r.headers[TOKEN] for r in received]
    assert tokens[0] == tokens[1] != tokens[2]
    assert received[0].headers["x-twilio-signature"] == received[1].headers["x-twilio-signature"]


def test_a_handler_that_always_fails_does_not_stop_what_follows(world: World) -> None:
    world.receiver.answer = lambda r: Reply(500 if r.form["MessageStatus"] == "sent" else 200)
    message_id = world.send(StatusCallback=f"{world.receiver.url}/status")
    first, second = world.settled(message_id)
    assert (first.state, first.attempts, first.outcome) == ("gave_up", 3, "HTTP 500")
    assert (second.state, second.attempts) == ("delivered", 1)
    assert statuses(world.receiver.requests) == ["sent"] * 3 + ["delivered"]
    told = world.record(message_id)["callbacks"]
    assert [(c["state"], c["attempts"], c["outcome"]) for c in told] == [
        ("gave_up", 3, "HTTP 500"),
        ("delivered", 1, "HTTP 200"),
    ]


@pytest.mark.parametrize("status", [400, 401, 404, 410])
def test_a_client_error_is_final(world: World, status: int) -> None:
    world.receiver.answer = lambda _: Reply(status)
    message_id = world.send(StatusCallback=f"{world.receiver.url}/status")
    callbacks = world.delivered(message_id)
    assert [(c.state, c.attempts, c.outcome) for c in callbacks] == [("gave_up", 1, f"HTTP {status}")] * 2


@pytest.mark.parametrize("status", [408, 429])
def test_a_passing_client_error_is_not(world: World, status: int) -> None:
    replies = answering(status, 200)
    world.receiver.answer = lambda _: next(replies)
    message_id = world.send(StatusCallback=f"{world.receiver.url}/status")
    assert [(c.state, c.attempts) for c in world.settled(message_id)] == [("delivered", 2), ("delivered", 1)]


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_an_app_that_is_away_behind_its_proxy_is_waited_for(world: World, status: int) -> None:
    replies = answering(*[status] * 20, 200)
    world.receiver.answer = lambda _: next(replies)
    message_id = world.send(StatusCallback=f"{world.receiver.url}/status")
    assert [(c.state, c.attempts) for c in world.settled(message_id)] == [("delivered", 21), ("delivered", 1)]


def test_an_app_that_stays_away_behind_its_proxy_is_given_up(world: World) -> None:
    world.receiver.answer = lambda _: Reply(503)
    message_id = world.send(StatusCallback=f"{world.receiver.url}/status")
    first, _ = world.settled(message_id)
    assert (first.state, first.outcome) == ("gave_up", "HTTP 503")
    assert first.due_at - first.created_at == GIVE_UP_S * 1_000_000


@pytest.mark.parametrize("is_date", [False, True])
def test_retry_after_is_obeyed(world: World, is_date: bool) -> None:
    ends = world.clock.now() // 1_000_000 + 300
    after = formatdate(ends, usegmt=True) if is_date else "300"
    replies = answering(Reply(429, headers=(("Retry-After", after),)), 200)
    world.receiver.answer = lambda _: next(replies)
    message_id = world.send(StatusCallback=f"{world.receiver.url}/status")
    world.until(lambda: [c for c in world.callbacks(message_id) if c.attempts and c.node is None])
    first = world.callbacks(message_id)[0]
    assert 299 <= (first.due_at - first.created_at) / 1_000_000 <= 301
    assert [(c.state, c.attempts) for c in world.settled(message_id)] == [("delivered", 2), ("delivered", 1)]


def test_redirects_are_followed_with_the_signature(world: World) -> None:
    moved = Reply(307, headers=(("Location", "/there"),))
    world.receiver.answer = lambda r: moved if r.path == "/status" else Reply()
    message_id = world.send(StatusCallback=f"{world.receiver.url}/status")
    world.delivered(message_id)
    first, second = world.receiver.wait(at("/status"))[0], world.receiver.wait(at("/there"))[0]
    assert second.headers["x-twilio-signature"] == first.headers["x-twilio-signature"]
    assert (second.method, second.body) == ("POST", first.body)


@pytest.mark.parametrize("end", ["", "?x=1", "/status/?"])
def test_the_signature_is_of_the_url_that_the_app_sees(world: World, end: str) -> None:
    message_id = world.send(StatusCallback=world.receiver.url + end)
    for told in world.receiver.wait(lambda r: r.form.get("MessageSid") == f"SM{message_id}", count=2):
        validator = RequestValidator(world.server.auth[1])
        assert validator.validate(told.url, told.form, told.headers["x-twilio-signature"])


def test_overrides_in_the_fragment_are_obeyed_and_not_sent(world: World) -> None:
    replies = answering(503, 503, 200)
    world.receiver.answer = lambda _: next(replies)
    message_id = world.send(StatusCallback=f"{world.receiver.url}/status#rc=2&rp=5xx&rt=5000")
    callbacks = world.delivered(message_id)
    assert [(c.state, c.attempts) for c in callbacks] == [("delivered", 1)] * 2
    received = world.receiver.wait(at("/status"), 4)
    assert statuses(received) == ["sent"] * 3 + ["delivered"]
    assert all("#" not in r.url for r in received)


def test_a_fault_between_taking_and_placing_leaves_nothing_in_the_nodes_hands(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare = queue.prepare
    failures = iter([RuntimeError("a fault of ours")])

    def faulty(callbacks: Sequence[Callback]) -> Any:
        for failure in failures:
            raise failure
        return prepare(callbacks)

    monkeypatch.setattr(queue, "prepare", faulty)
    message_id = world.send(StatusCallback=f"{world.receiver.url}/status")
    assert [(c.state, c.attempts) for c in world.settled(message_id)] == [("delivered", 1)] * 2
    assert next(failures, None) is None
    assert statuses(world.receiver.wait(at("/status"), 2)) == ["sent", "delivered"]


def test_a_fault_in_a_callback_s_turn_leaves_nothing_in_the_nodes_hands(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = Retries.ended
    failures = iter([RuntimeError("a fault of ours")])

    def faulty(retries: Retries, callback: Callback, *args: Any) -> Callback:
        if callback.url.startswith(world.receiver.url):
            for failure in failures:
                raise failure
        return ended(retries, callback, *args)

    monkeypatch.setattr(Retries, "ended", faulty)
    message_id = world.send(StatusCallback=f"{world.receiver.url}/status")
    assert [(c.state, c.attempts) for c in world.settled(message_id)] == [("delivered", 1)] * 2
    assert next(failures, None) is None
    assert statuses(world.receiver.wait(at("/status"), 3)) == ["sent", "sent", "delivered"]


def test_a_clock_that_is_set_back_keeps_no_callback_in_memory(world: World) -> None:
    world.receiver.answer = lambda _: Reply(503)
    message_id = world.send(StatusCallback=f"{world.receiver.url}/status")
    world.until(lambda: [c for c in world.callbacks(message_id) if c.attempts and c.node is None])
    world.receiver.answer = lambda _: Reply()
    first = world.callbacks(message_id)[0]

    async def hand_over() -> None:
        """As one that was claimed, and whose turn had not come, when the clock was set back by an hour."""
        app = world.server.app
        held = replace(first, node=app.record.node, due_at=world.clock.now() + 3_600_000_000)
        await app.engine.write(_held, [held])
        app.owed.put([held])

    world.server.run(hand_over())
    world.until(lambda: world.callbacks(message_id)[0].node is None)
    assert [c.state for c in world.settled(message_id)] == ["delivered"] * 2


def test_a_host_that_hangs_delays_no_other(world: World) -> None:
    hang = threading.Event()

    def stuck(_: Received) -> Reply:
        hang.wait(30)
        return Reply()

    try:
        with receiving() as dead:
            dead.answer = stuck
            for _ in range(40):
                world.send(StatusCallback=f"{dead.url}/status")
            quick = [world.send(StatusCallback=f"{world.receiver.url}/status") for _ in range(3)]
            world.receiver.wait(at("/status"), 6)
            for message_id in quick:
                assert [c.state for c in world.delivered(message_id)] == ["delivered"] * 2
            hang.set()
    finally:
        hang.set()


def test_callbacks_of_a_deleted_message_are_given_up(world: World) -> None:
    world.receiver.answer = lambda _: Reply(500)
    message_id = world.send(StatusCallback=f"{world.receiver.url}/status")
    world.receiver.wait(at("/status"))
    world.until(lambda: all(c.node is None for c in world.callbacks(message_id)))
    path = f"/2010-04-01/Accounts/{world.server.account_sid}/Messages/SM{message_id}"
    world.call("DELETE", f"{path}.json")
    callbacks = world.settled(message_id)
    assert [(c.state, c.outcome) for c in callbacks] == [("gave_up", "the message was deleted")] * 2
    assert len(world.receiver.requests) == 1


def test_a_host_that_is_down_is_waited_for_over_a_restart(tmp_path: Path, down: Down) -> None:
    port, refused = down()
    url, clock = f"sqlite:///{tmp_path}/parley.db", ManualClock()
    with serve(url, clock) as server, receiving() as unused:
        world = World(server, clock, unused, 9_000_000)
        message_id = world.send(StatusCallback=refused)

        def tried() -> bool:
            first = world.callbacks(message_id)[:1]
            world.skip_to_due(first)
            return bool(first) and first[0].attempts >= 4

        world.until(tried)
        first = world.callbacks(message_id)[0]
        assert first.state == "pending"
        assert (first.outcome or "").startswith("11205: could not connect")
    with serve(url, clock) as server, receiving(port) as back:
        world = World(server, clock, back, 9_100_000)
        assert [c.state for c in world.settled(message_id)] == ["delivered"] * 2
        assert statuses(back.requests) == ["sent", "delivered"]


def test_a_message_without_a_callback_owes_none(world: World) -> None:
    message_id = world.send()
    world.until(lambda: world.record(message_id)["status"] == "delivered")
    assert world.callbacks(message_id) == []
    assert requests.get(world.server.base_url + "/healthz", timeout=30).ok


def test_what_follows_a_failure_waits_for_its_next_attempt(world: World) -> None:
    world.receiver.answer = lambda _: Reply(500)
    phone = world.number()
    world.call("PUT", f"/simulator/phones/{phone}", json={"outcome": "none"})
    message_id = world.send(phone, StatusCallback=f"{world.receiver.url}/status")
    world.until(lambda: [c for c in world.callbacks(message_id) if c.attempts and c.node is None])
    later = {"message_id": uuid(message_id), "status": "delivered"}
    world.call("POST", f"/simulator/phones/{phone}/receipts", json=later)
    waiting = world.until(
        lambda: cs if len(cs := world.callbacks(message_id)) == 2 and all(c.node is None for c in cs) else None
    )
    assert waiting[1].due_at > waiting[0].due_at > world.clock.now()
    assert (waiting[1].attempts, waiting[1].outcome) == (0, None)
    assert len(world.receiver.requests) == 1
    world.receiver.answer = lambda _: Reply()
    world.settled(message_id)
    assert statuses(world.receiver.requests) == ["sent", "sent", "delivered"]


def test_one_that_joins_in_front_takes_along_nobody_that_others_are_before(world: World) -> None:
    """The first and the last come into this node's hands, in that order wrong, while the second waits in the record."""
    world.receiver.answer = lambda _: Reply(500)
    phone = world.number()
    world.call("PUT", f"/simulator/phones/{phone}", json={"outcome": "none"})
    message_id = world.send(phone, StatusCallback=f"{world.receiver.url}/status")
    world.until(lambda: [c for c in world.callbacks(message_id) if c.attempts and c.node is None])
    for status in ("delivered", "read"):
        later = {"message_id": uuid(message_id), "status": status}
        world.call("POST", f"/simulator/phones/{phone}/receipts", json=later)
    first, _, last = world.until(
        lambda: cs if len(cs := world.callbacks(message_id)) == 3 and all(c.node is None for c in cs) else None
    )
    world.receiver.answer = lambda _: Reply()

    async def hand_over() -> None:
        app = world.server.app
        node, now = app.record.node, world.clock.now()
        held = [replace(callback, node=node, due_at=now) for callback in (last, first)]
        await app.engine.write(_held, held)
        app.owed.put(held)

    world.server.run(hand_over())
    world.settled(message_id)
    assert statuses(world.receiver.requests) == ["sent", "sent", "delivered", "read"]


def _held(callbacks: Sequence[Callback]) -> Operation[None]:
    rows = [(callback.node, callback.due_at, callback.id) for callback in callbacks]
    yield Update(schema.callbacks, ("node", "due_at"), ("id",), rows)
