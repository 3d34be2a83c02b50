"""Relay across nodes, restarts and clients that do not read: nothing is lost, and nobody waits for anybody else."""

import asyncio
import json
from collections.abc import MutableMapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from parley.api.http.websocket import ABORT
from parley.api.signalwire.relay.outbox import MOST_FRAMES
from parley.core.send import Draft
from parley.model.message import Message
from parley.store import Engine, queue
from parley.store import relay as store_relay
from tests.api.signalwire.client import Client
from tests.api.signalwire.relay.client import PATIENCE_S, RelayClient, signalwire
from tests.node import AUTH_TOKEN, Node
from tests.server import Server, serve

PHONE = "+15559330000"
NUMBER = "+15551234567"
PROJECT = "01234567-89ab-cdef-0123-456789abcdef"


def receives(client: Client, number: str, context: str) -> None:
    """Have the messages to a number told to the clients of a context."""
    (found,) = client.ask("GET", "/api/relay/rest/phone_numbers", 200, params={"filter_number": number})["data"]
    path = f"/api/relay/rest/phone_numbers/{found['id']}"
    client.ask("PUT", path, 200, json={"message_relay_context": context})


def connected(server: Server, *contexts: str, **more: Any) -> RelayClient:
    return signalwire(server.base_url, server.project_id, server.auth_token, contexts=list(contexts), **more)[0]


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_subscriptions_outlive_the_server(tmp_path: Path, how: str) -> None:
    node = Node(f"sqlite:///{tmp_path}/parley.db", tmp_path)
    with node:
        relay, welcome = signalwire(node.base_url, PROJECT, AUTH_TOKEN)
        relay.result("signalwire.receive", {"contexts": ["office"]})
        params = {"from_number": NUMBER, "to_number": PHONE, "body": "Before", "context": "office"}
        assert relay.result("messaging.send", params)["code"] == "200"
        relay.event("messaging.state", "delivered")
        getattr(node, how)()
        closed = relay.closed()
        relay.close()
        if how == "stop":
            [goodbye] = [frame for frame in relay.frames if frame.get("method") == "signalwire.disconnect"]
            assert goodbye["params"] == {"restart": False}
            assert closed.rcvd is not None
            assert closed.rcvd.code == 1012
        node.start()
        node.wait_ready()
        again, known = signalwire(node.base_url, PROJECT, AUTH_TOKEN, protocol=welcome["protocol"])
        with again:
            assert (known["protocol"], known["session_restored"]) == (welcome["protocol"], True)
            assert again.result("messaging.send", {**params, "body": "After"})["code"] == "200"
            # What was told just before a kill may be told again.
            assert again.event("messaging.state", "delivered", "After")["context"] == "office"


def test_an_event_of_one_node_reaches_a_client_of_another_once(postgres_store_url: str) -> None:
    with (
        serve(postgres_store_url, node_name="a") as a,
        serve(postgres_store_url, node_name="b") as b,
        connected(a, "office") as first,
        connected(b, "office") as second,
        connected(b, "elsewhere") as third,
    ):
        client = Client(a)
        receives(client, NUMBER, "elsewhere")
        client.phone_sends(PHONE, NUMBER, "Across")
        assert third.event("messaging.receive")["params"]["body"] == "Across"
        receives(client, NUMBER, "office")
        sent = [client.phone_sends(PHONE, NUMBER, f"{n}") for n in range(6)]
        told: list[str] = []
        while not set(sent) <= set(told):
            told = heard(first) + heard(second)
        assert sorted(told) == sorted(sent)
        params = {"from_number": NUMBER, "to_number": "+15559330001", "body": "Mine", "context": "office"}
        assert second.result("messaging.send", params)["code"] == "200"
        assert second.event("messaging.state", "delivered")["params"]["body"] == "Mine"
        assert sorted(heard(first) + heard(second)) == sorted(sent)


def heard(relay: RelayClient) -> list[str]:
    """The ids of the messages that a client was told of up to now."""
    relay.result("signalwire.ping")
    told = (frame["params"] for frame in relay.frames if frame.get("method") == "signalwire.event")
    return [each["params"]["message_id"] for each in told if each["event_type"] == "messaging.receive"]


@pytest.mark.parametrize("acks", [True, False])
def test_a_session_goes_to_another_node_while_its_old_connection_lives(postgres_store_url: str, *, acks: bool) -> None:
    with (
        serve(postgres_store_url, node_name="a") as a,
        serve(postgres_store_url, node_name="b") as b,
        ThreadPoolExecutor() as pool,
    ):
        receives(Client(a), NUMBER, "office")
        authentication = (a.project_id, a.auth_token)
        old, welcome = signalwire(a.base_url, *authentication, contexts=["office"], acks=acks)
        old.acks = False  # it takes nothing any more
        with old:
            ending = pool.submit(old.closed)
            new, known = signalwire(b.base_url, *authentication, protocol=welcome["protocol"], acks=acks)
            with new:
                assert known["session_restored"] is True
                sent = {Client(a).phone_sends(PHONE, NUMBER, f"{n}") for n in range(3)}
                assert {new.event("messaging.receive")["params"]["message_id"] for _ in sent} == sent
                closed = ending.result(PATIENCE_S)
                assert closed.rcvd is not None
                assert closed.rcvd.reason == "taken_over"


def test_a_client_stays_whose_session_was_taken_for_lost(tmp_path: Path) -> None:
    """As it is while the lease of its node has ended for a moment."""
    with serve(f"sqlite:///{tmp_path}/parley.db", relay_delivery="all") as server, connected(server, "office") as relay:
        engine, node, now = server.app.engine, server.app.record.node, server.app.clock.now()
        server.run(_lost(engine, node, now))
        assert server.run(engine.read(store_relay.connected, node)) == set()
        for _ in range(3):
            server.run(server.app.relay.sweep())
        client = Client(server)
        receives(client, NUMBER, "office")
        client.phone_sends(PHONE, NUMBER, "Still there")
        assert relay.event("messaging.receive")["params"]["body"] == "Still there"


async def _lost(engine: Engine, node: bytes, now: int) -> None:
    await engine.write(queue.leave, node)
    await engine.write(store_relay.sweep, now, 0, 0, 100, to_all=True)
    await engine.write(queue.rejoin, node, "again", now + 60_000_000)


def test_all_clients_of_a_context_on_both_nodes(postgres_store_url: str) -> None:
    with (
        serve(postgres_store_url, node_name="a", relay_delivery="all") as a,
        serve(postgres_store_url, node_name="b", relay_delivery="all") as b,
        connected(a, "office") as first,
        connected(b, "office") as second,
        connected(b, "office") as third,
    ):
        here = Client(a)
        receives(here, NUMBER, "office")
        here.phone_sends(PHONE, NUMBER, "To all")
        for relay in (first, second, third):
            assert relay.event("messaging.receive")["params"]["body"] == "To all"
        params = {"from_number": NUMBER, "to_number": PHONE, "body": "Mine"}
        assert second.result("messaging.send", params)["code"] == "200"
        assert second.event("messaging.state", "delivered")["params"]["body"] == "Mine"
        params["context"] = "office"
        assert first.result("messaging.send", params)["code"] == "200"
        for relay in (first, second, third):
            assert relay.event("messaging.state", "delivered")["context"] == "office"


def test_who_acknowledges_nothing_is_dropped_and_holds_up_nobody(tmp_path: Path) -> None:
    with serve(f"sqlite:///{tmp_path}/parley.db", relay_ping_s=0.5) as server, ThreadPoolExecutor() as pool:
        client = Client(server)
        receives(client, NUMBER, "busy")
        receives(client, "+15557654321", "calm")
        with connected(server, "busy") as slow, connected(server, "calm") as quick:
            slow.acks = False
            unread = client.phone_sends(PHONE, NUMBER, "Unread")
            assert slow.event("messaging.receive")["params"]["message_id"] == unread
            ending = pool.submit(slow.closed)
            client.phone_sends(PHONE, "+15557654321", "Read")
            assert quick.event("messaging.receive")["params"]["body"] == "Read"
            assert quick.result("signalwire.receive", {"contexts": ["busy"]})["code"] == "200"
            assert quick.event("messaging.receive", body="Unread")["params"]["message_id"] == unread
            closed = ending.result(PATIENCE_S)
            assert closed.rcvd is not None
            assert closed.rcvd.code == 1008
        metrics = client.raw("GET", "/metrics").text
        assert f'parley_relay_dropped_total{{reason="{closed.rcvd.reason}"}} 1.0' in metrics


class Pipe:
    """A connection below the server's WebSocket, whose client connects, and takes no frame with `stuck` in it."""

    def __init__(self, server: Server, stuck: str) -> None:
        self._server = server
        self._stuck = stuck
        self._incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._cut = asyncio.Event()
        self.sent: list[MutableMapping[str, Any]] = []
        self._incoming.put_nowait({"type": "websocket.connect"})
        authentication = {"project": server.project_id, "token": server.auth_token}
        self.ask("signalwire.connect", {"authentication": authentication, "event_acks": True})

    def ask(self, method: str, params: dict[str, Any]) -> None:
        self.put({"type": "websocket.receive", "text": json.dumps({"id": "1", "method": method, "params": params})})

    def put(self, message: dict[str, Any]) -> None:
        self._incoming.put_nowait(message)

    @property
    def is_cut(self) -> bool:
        return self._cut.is_set()

    async def run(self) -> None:
        """Serve it to its end."""
        scope = {"type": "websocket", "path": "/", ABORT: self._abort}
        await self._server.app.relay_server(scope, self._incoming.get, self._send)

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        if self._stuck in message.get("text", ""):
            await self._cut.wait()
            raise OSError
        self.sent.append(message)
        if message["type"] == "websocket.close":
            self.put({"type": "websocket.disconnect"})

    def _abort(self) -> None:
        self._cut.set()
        self.put({"type": "websocket.disconnect"})


def test_a_connection_that_takes_nothing_any_more_is_cut(tmp_path: Path) -> None:
    with serve(f"sqlite:///{tmp_path}/parley.db", relay_ping_s=0.1) as server:
        assert server.run(_stuck(server)), "it would wait for its client for ever"


async def _stuck(server: Server) -> bool:
    """Let a client take the welcome, and nothing after it; whether it was cut, and counted."""
    pipe = Pipe(server, "signalwire.ping")
    await pipe.run()
    counted = server.app.metrics.registry.get_sample_value("parley_relay_dropped_total", {"reason": "silent"})
    return pipe.is_cut and counted == 1.0


def test_a_connection_is_cut_for_which_too_much_waits(tmp_path: Path) -> None:
    with serve(f"sqlite:///{tmp_path}/parley.db") as server:
        assert server.run(_overflowing(server)), "it would grow without bound"


async def _overflowing(server: Server) -> bool:
    """Let a client ask for ever, and read nothing; whether it was cut, and counted."""
    pipe = Pipe(server, "nobody reads this")
    for _ in range(MOST_FRAMES + 2):  # one is being written
        pipe.ask("signalwire.ping", {"timestamp": "nobody reads this"})
    async with asyncio.timeout(PATIENCE_S):
        await pipe.run()
    counted = server.app.metrics.registry.get_sample_value("parley_relay_dropped_total", {"reason": "slow"})
    return pipe.is_cut and counted == 1.0


def test_a_connection_is_cut_that_does_not_take_its_last_frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(f"sqlite:///{tmp_path}/parley.db", relay_ping_s=0.1) as server:
        assert server.run(_stuck_at_the_end(server, monkeypatch)), "it would wait for its client for ever"


async def _stuck_at_the_end(server: Server, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Revoke a client's credentials as it sends, and let it not take the answer that says so."""
    pipe = Pipe(server, '"401"')
    authenticate, known = server.app.accounts.authenticate, iter([True])

    async def once(project: str, token: str) -> Any:
        return await authenticate(project, token) if next(known, False) else None

    monkeypatch.setattr(server.app.accounts, "authenticate", once)
    pipe.ask("messaging.send", {"from_number": NUMBER, "to_number": PHONE, "body": "Hi"})
    async with asyncio.timeout(PATIENCE_S):
        await pipe.run()
    return pipe.is_cut


def test_nothing_follows_the_frame_that_closes_a_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(f"sqlite:///{tmp_path}/parley.db") as server:
        types = server.run(_closed_as_it_sends(server, monkeypatch))
    assert types[-1] == "websocket.close"
    assert types.count("websocket.send") == 2, "the welcome and its state"


async def _closed_as_it_sends(server: Server, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is told to a client whose connection is ended while a message of its is being taken."""
    pipe, send = Pipe(server, "nothing is stuck"), server.app.sending.send
    taking: asyncio.Queue[asyncio.Task[Any]] = asyncio.Queue()
    ended = asyncio.Event()

    async def slow(draft: Draft) -> Message:
        if (task := asyncio.current_task()) is not None:
            taking.put_nowait(task)
        await ended.wait()
        return await send(draft)

    monkeypatch.setattr(server.app.sending, "send", slow)
    pipe.ask("messaging.send", {"from_number": NUMBER, "to_number": PHONE, "body": "Hi"})
    running = asyncio.create_task(pipe.run())
    task = await taking.get()
    pipe.put({"type": "websocket.receive", "bytes": b"no text"})
    await running
    ended.set()
    await asyncio.wait([task])
    await asyncio.sleep(0)  # whoever would write is a task by now, and writes as it begins
    return [message["type"] for message in pipe.sent]


def test_who_answers_no_ping_is_dropped(tmp_path: Path) -> None:
    with (
        serve(f"sqlite:///{tmp_path}/parley.db", relay_ping_s=0.5, relay_default_context="office") as server,
        connected(server, acks=False) as relay,
    ):
        client = Client(server)
        receives(client, NUMBER, "office")
        client.phone_sends(PHONE, NUMBER, "By default")
        assert relay.event("messaging.receive")["context"] == "office"
        while relay.pings < 2:
            relay.until(lambda frame: frame.get("method") == "signalwire.ping")
        relay.answers_pings = False
        closed = relay.closed()
        assert closed.rcvd is not None
        assert (closed.rcvd.code, closed.rcvd.reason) == (1008, "silent")


def test_what_nobody_takes_is_given_up_and_the_record_says_so(tmp_path: Path) -> None:
    with serve(f"sqlite:///{tmp_path}/parley.db", callback_give_up_s=0) as server:
        client = Client(server)
        receives(client, NUMBER, "nobody")
        message_id = client.phone_sends(PHONE, NUMBER, "Hello?")
        server.run(server.app.relay.sweep())
        events = client.raw("GET", f"/admin/messages/{message_id}").json()["events"]
        [given_up] = [event for event in events if event["kind"] == "relay"]
        assert "no Relay client of context nobody" in given_up["data"]["reason"]
