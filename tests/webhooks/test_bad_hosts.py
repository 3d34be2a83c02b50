"""One host that hangs and one that is down among twenty: nobody else notices, and what is owed to them is not lost."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

import pytest
import requests

from parley.model.callback import Callback
from parley.webhooks.hosts import OPENS_AFTER
from tests.clock import ManualClock
from tests.receiver import Reply, receiving
from tests.server import serve
from tests.webhooks.app import Down, World

GOOD = 18
OWED = 40
"""Messages with callbacks to each bad host: enough that most wait while it is left alone."""


@contextmanager
def hanging() -> Iterator[str]:
    """A host that takes connections, and says nothing. Its callbacks' URL asks for little patience."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/status#tt=100"


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[World]:
    """A server of this test's own."""
    clock = ManualClock()
    with serve(f"sqlite:///{tmp_path}/parley.db", clock) as server, receiving() as receiver:
        yield World(server, clock, receiver, 8_000_000)


def owed(world: World, sent: list[str]) -> list[Callback]:
    return [callback for message_id in sent for callback in world.callbacks(message_id)]


def parked(world: World, sent: list[str]) -> list[Callback]:
    """All callbacks of these messages, once all wait in the record and none in memory."""

    def look() -> list[Callback] | None:
        found = owed(world, sent)
        waits = len(found) == 2 * len(sent) and all(c.state == "pending" and c.node is None for c in found)
        return found if waits else None

    return world.until(look)


def states(world: World) -> dict[str, str]:
    return {each["host"]: each["state"] for each in world.call("GET", "/admin/hosts")["hosts"]}


def test_the_good_are_served_while_the_bad_wait_in_the_record(fresh: World, down: Down) -> None:
    world, (port, refused) = fresh, down()
    with hanging() as hung, ExitStack() as stack:
        good = [stack.enter_context(receiving()) for _ in range(GOOD)]
        bad = [[world.send(StatusCallback=url) for _ in range(OWED)] for url in (hung, refused)]
        sent = {each: [world.send(StatusCallback=f"{each.url}/status") for _ in range(3)] for each in good}
        for each, messages in sent.items():
            each.wait(count=6)
            for message_id in messages:
                mine = [r.form["MessageStatus"] for r in each.requests if r.form["MessageSid"] == f"SM{message_id}"]
                assert mine == ["sent", "delivered"]

        for url, messages in zip((hung, refused), bad, strict=True):
            waiting = parked(world, messages)
            tried = [c for c in waiting if c.attempts]
            assert OPENS_AFTER <= len(tried) < OWED, "who waits for a host that is left alone makes no attempt"
            assert all(c.due_at > world.clock.now() for c in waiting)
            assert states(world)[url.removeprefix("http://").partition("/")[0]] == "open"
        assert len(states(world)) == 2
        in_trouble = states(world)

        async def held() -> list[int]:
            return [world.server.app.delivery.held_of(host) for host in in_trouble]

        world.until(lambda: not any(world.server.run(held())))
        metrics = requests.get(f"{world.server.base_url}/metrics", timeout=30).text
        assert 'parley_callback_hosts{state="open"} 2.0' in metrics

    with receiving(port) as back:
        for message_id in bad[1]:
            assert [c.state for c in world.settled(message_id)] == ["delivered"] * 2
        assert len(back.requests) == 2 * OWED
    assert refused.removeprefix("http://").partition("/")[0] not in states(world)


def break_again(world: World, url: str) -> None:
    """End the break of a host that is down still, and wait for the next."""
    name = url.removeprefix("http://").partition("/")[0]

    def until() -> int:
        (ends,) = [each["until"] for each in world.call("GET", "/admin/hosts")["hosts"] if each["host"] == name]
        return round(datetime.fromisoformat(ends).timestamp() * 1_000_000)

    before = until()
    world.clock.set(before + 1_000)  # what the page tells is rounded
    world.server.look()
    world.until(lambda: until() > before + 2_000)


@pytest.mark.parametrize("breaks", [1, 2, 3])
def test_what_waits_for_a_host_is_due_as_soon_as_it_is_well(fresh: World, breaks: int, down: Down) -> None:
    world, (port, refused) = fresh, down()
    other = [world.send(StatusCallback=down()[1]) for _ in range(OWED)]
    sent = [world.send(StatusCallback=refused) for _ in range(OWED)]
    before = {c.id: c.due_at for c in parked(world, other)}
    parked(world, sent)
    for _ in range(breaks - 1):
        break_again(world, refused)
        parked(world, sent)
    with receiving(port):

        def is_probed() -> bool:
            found = owed(world, sent)
            if not any(c.node is not None for c in found):
                world.skip_to_due([c for c in found if c.state == "pending"])
            return any(c.state == "delivered" for c in found)

        world.until(is_probed)
        soon = world.clock.now() + 1_000_000
        world.until(lambda: all(c.due_at <= soon for c in owed(world, sent)))
        world.clock.set(soon)
        world.server.look()
        world.until(lambda: all(c.state == "delivered" for c in owed(world, sent)))
    assert len([c for c in owed(world, other) if c.due_at < before[c.id]]) == 0, "another host's wait"


def test_a_handler_that_breaks_off_keeps_the_others_waiting_for_one_break_at_most(fresh: World) -> None:
    world = fresh
    with receiving() as app:
        app.answer = lambda received: None if received.path == "/broken" else Reply()
        broken = [world.send(StatusCallback=f"{app.url}/broken") for _ in range(OWED)]
        parked(world, broken)
        sent = [world.send(StatusCallback=f"{app.url}/well") for _ in range(OWED)]
        world.skip_to_due(parked(world, sent))
        soon = world.clock.now() + 1_000_000
        world.until(lambda: all(c.state == "delivered" or c.due_at <= soon for c in owed(world, sent)))
        world.clock.set(soon)
        world.server.look()
        world.until(lambda: all(c.state == "delivered" for c in owed(world, sent)))
        assert {c.state for c in owed(world, broken)} == {"pending"}
        assert set(states(world).values()) == {"troubled"}
        app.answer = lambda _: Reply()
        for message_id in broken:
            assert [c.state for c in world.settled(message_id)] == ["delivered"] * 2
    assert states(world) == {}


def test_a_restart_keeps_what_waits_for_a_host(tmp_path: Path, down: Down) -> None:
    url, clock, (port, refused) = f"sqlite:///{tmp_path}/parley.db", ManualClock(), down()
    with serve(url, clock) as server, receiving() as unused:
        world = World(server, clock, unused, 8_100_000)
        sent = [world.send(StatusCallback=refused) for _ in range(OWED)]
        before = parked(world, sent)
    with serve(url, clock) as server, receiving(port) as back:
        world = World(server, clock, back, 8_200_000)
        assert [c.id for c in owed(world, sent)] == [c.id for c in before]
        for message_id in sent:
            assert [c.state for c in world.settled(message_id)] == ["delivered"] * 2


def test_a_host_that_stays_away_is_given_up_and_its_callbacks_replayed(fresh: World, down: Down) -> None:
    world, (port, refused) = fresh, down()
    sent = [world.send(StatusCallback=refused) for _ in range(OWED)]
    parked(world, sent)
    world.clock.set(world.clock.now() + 1801 * 1_000_000)
    world.server.look()
    world.until(lambda: all(c.state == "gave_up" for c in owed(world, sent)))
    lost = owed(world, sent)
    assert all(c.outcome and "could not connect" in c.outcome for c in lost)
    assert any((c.outcome or "").startswith("its host was not reached in 1800 s") for c in lost)

    listed: list[str] = []
    page: dict[str, str] = {"state": "gave_up", "limit": "30"}
    while True:
        answer = world.call("GET", "/admin/callbacks", params=page)
        listed += [each["callback_id"] for each in answer["callbacks"]]
        if answer["next_page_token"] is None:
            break
        page["page_token"] = answer["next_page_token"]
    assert len(listed) == len(set(listed)) == 2 * OWED
    assert listed == sorted(listed, reverse=True)

    with receiving(port) as back:
        (first, second) = world.callbacks(sent[0])
        world.call("POST", f"/admin/messages/SM{sent[0]}/callbacks/replay")
        assert [c.state for c in world.settled(sent[0])] == ["delivered"] * 2
        assert [r.form["MessageStatus"] for r in back.requests] == ["sent", "delivered"]
        for callback_id in listed[:2]:
            told = world.call("POST", f"/admin/callbacks/{callback_id}/replay")
            assert (told["state"], told["attempts"], told["finished_at"]) == ("pending", 0, None)
        assert [c.state for c in world.settled(sent[-1])] == ["delivered"] * 2
        assert (first.state, second.state) == ("gave_up", "gave_up")
    assert len(world.call("GET", "/admin/callbacks", params={"state": "gave_up"})["callbacks"]) == 2 * OWED - 4


def test_attempts_are_as_many_as_the_settings_say(tmp_path: Path) -> None:
    clock = ManualClock()
    with serve(f"sqlite:///{tmp_path}/parley.db", clock, callback_attempts=5) as server, receiving() as failing:
        failing.answer = lambda _: Reply(500)
        world = World(server, clock, failing, 8_300_000)
        message_id = world.send(StatusCallback=f"{failing.url}/status")
        assert [(c.state, c.attempts) for c in world.settled(message_id)] == [("gave_up", 5)] * 2


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/admin/callbacks/nonsense/replay", 404),
        ("POST", "/admin/callbacks/01900000-0000-7000-8000-000000000000/replay", 404),
        ("POST", "/admin/messages/SM00000000000000000000000000000000/callbacks/replay", 404),
        ("GET", "/admin/callbacks?state=lost", 400),
        ("GET", "/admin/callbacks?page_token=PAnonsense", 400),
        ("GET", "/admin/callbacks?limit=0", 400),
    ],
)
def test_what_cannot_be_replayed_or_listed_is_refused(world: World, method: str, path: str, status: int) -> None:
    answer = requests.request(method, world.server.base_url + path, auth=world.server.auth, timeout=30)
    assert (answer.status_code, answer.json()["status"]) == (status, status)
    if "?" in path:
        assert answer.json()["message"].startswith(path.partition("?")[2].partition("=")[0])


def test_an_inbound_webhook_goes_to_its_fallback_while_its_host_is_left_alone(fresh: World, down: Down) -> None:
    world, (_, refused) = fresh, down()
    sent = [world.send(StatusCallback=refused) for _ in range(OWED)]
    parked(world, sent)
    number = world.own(refused, SmsFallbackUrl=f"{world.receiver.url}/fallback")
    message_id, _ = world.text(number)
    (told,) = world.receiver.wait()
    assert told.path == "/fallback"
    assert "ErrorCode" in told.form
    assert [c.state for c in world.delivered(message_id)] == ["delivered"]
