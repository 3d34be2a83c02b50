"""Relay's newer generation (`signalwire.*`), frame by frame: connect, receive, send, events, and what goes wrong."""

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from parley.lib.ids import to_uuid
from parley.store import StoreUnavailable
from parley.store import relay as store_relay
from tests.api.signalwire.client import Client
from tests.api.signalwire.relay.client import Frame, RelayClient, signalwire
from tests.server import Server

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
PHONE = "+15559310000"
Connect = Callable[..., tuple[RelayClient, Frame]]


@pytest.fixture
def connect(server: Server) -> Iterator[Connect]:
    """Return what makes connected clients, which are closed afterwards."""
    with ExitStack() as open_clients:

        def connected(**more: Any) -> tuple[RelayClient, Frame]:
            client, welcome = signalwire(server.base_url, server.project_id, server.auth_token, **more)
            return open_clients.enter_context(client), welcome

        yield connected


def own(client: Client, number: str, **handler: str) -> None:
    """Have a number, whose messages go where the handler says."""
    client.send(**{"from": number, "to": "+15559300000"})
    (found,) = client.ask("GET", "/api/relay/rest/phone_numbers", 200, params={"filter_number": number})["data"]
    client.ask("PUT", f"/api/relay/rest/phone_numbers/{found['id']}", 200, json=handler)


def sent(relay: RelayClient, **more: Any) -> str:
    """Send a message by Relay, and return its id."""
    given = {"from_number": "+15551234567", "to_number": PHONE, "body": "Hello", **more}
    result = relay.result("messaging.send", given)
    assert (result["code"], result["message"]) == ("200", "Message accepted"), result
    message_id: str = result["message_id"]
    return message_id


def test_connect(server: Server, connect: Connect) -> None:
    relay, welcome = connect(contexts=["office"])
    authorization = welcome["authorization"]
    assert authorization["project"] == server.project_id
    assert "expires_at" not in authorization, "they hold until they are revoked"
    kind, signature, *rest = welcome["protocol"].split("_")
    assert (kind, signature) == ("signalwire", authorization["signature"]), "or realtime-api does not come back to it"
    assert rest
    assert re.fullmatch(f"{UUID.pattern}@.+", welcome["identity"])
    assert welcome["session_restored"] is False
    assert welcome["ice_servers"] == []
    state = relay.event("signalwire.authorization.state")["params"]["authorization_state"]
    assert ":" in state


@pytest.mark.parametrize("path", ["/", "/api/relay/wss"])
def test_both_paths_are_served(server: Server, path: str) -> None:
    with signalwire(server.base_url, server.project_id, server.auth_token, path=path)[0] as relay:
        assert relay.result("signalwire.ping", {"timestamp": 1.5}) == {"timestamp": 1.5}


def test_elsewhere_there_is_no_websocket(server: Server) -> None:
    with pytest.raises(InvalidStatus) as refused:
        RelayClient(server.base_url, "/2010-04-01")
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize(
    "authentication",
    [
        {"project": "01234567-89ab-cdef-0123-456789abcdef", "token": "wrong"},
        {"project": "01234567-89ab-cdef-0123-456789abcde0", "token": "wrong"},
        {"project": "nonsense", "token": "x"},
        {"project": 5, "token": []},
        {"jwt_token": "x"},
        {},
        None,
    ],
)
def test_wrong_credentials_have_the_code_that_clients_know(server: Server, authentication: Any) -> None:
    with RelayClient(server.base_url) as relay:
        answer = relay.ask("signalwire.connect", {"authentication": authentication})
        assert answer["error"]["code"] == -32002
        assert "401 Unauthorized" in answer["error"]["message"]


def test_what_is_no_request_is_answered_and_changes_nothing(connect: Connect, server: Server) -> None:
    with RelayClient(server.base_url) as stranger:
        assert stranger.ask("messaging.send", {"to_number": PHONE})["error"]["code"] == -32600
    relay, _ = connect()
    long = '{"id":"' + "x" * 256 + '","method":"x"}'
    for text in (
        long,
        "{",
        "[]",
        "5",
        '{"method":5}',
        '{"id":{},"method":"x"}',
        "[" * 5000,
    ):
        relay.socket.send(text)
        assert relay.until(lambda frame: frame.get("id") is None)["error"]["code"] == -32600
    assert relay.ask("signalwire.nonsense")["error"]["code"] == -32601
    assert relay.ask("signalwire.receive", {"contexts": "office"})["error"]["code"] == -32602
    assert relay.result("signalwire.receive", {})["code"] == "422"
    assert relay.result("signalwire.ping")["timestamp"] > 0


def test_who_asks_and_does_not_read_is_ended_before_much_is_kept(connect: Connect) -> None:
    relay, _ = connect()
    request = {"id": 1, "method": "signalwire.ping", "params": {"timestamp": "x" * 60_000}}

    def ask() -> None:
        for _ in range(1000):  # their answers together are some 60 MB
            relay.put(request)

    with pytest.raises(ConnectionClosed):
        ask()


def test_a_token_that_is_no_more_ends_its_sessions(client: Client, server: Server) -> None:
    given = {"name": "relay", "permissions": ["messaging"]}
    token = client.ask("POST", "/api/project/tokens", 200, json=given)
    relay, _ = signalwire(server.base_url, server.project_id, token["token"], contexts=["office"])
    with relay:
        sent(relay)
        client.raw("DELETE", f"/api/project/tokens/{token['id']}")
        refused = relay.result("messaging.send", {"from_number": "+15551234567", "to_number": PHONE, "body": "x"})
        assert refused["code"] == "401"
        closed = relay.closed().rcvd
        assert closed is not None
        assert closed.reason == "unauthorized"


def test_a_session_goes_on_with_other_credentials_of_its_account(client: Client, server: Server) -> None:
    tokens = [
        client.ask("POST", "/api/project/tokens", 200, json={"name": name, "permissions": ["messaging"]})
        for name in ("first", "second")
    ]
    relay, _ = signalwire(server.base_url, server.project_id, tokens[0]["token"])
    with relay:
        for wrong in ({"project": server.project_id, "token": "x"}, {}, None):
            answer = relay.ask("signalwire.reauthenticate", {"authentication": wrong})
            assert answer["error"]["code"] == -32002
        other = server.run(server.app.accounts.add("Another"))
        theirs = {"project": to_uuid(other.id), "token": other.auth_token.reveal()}
        assert relay.ask("signalwire.reauthenticate", {"authentication": theirs})["error"]["code"] == -32002
        sent(relay)
        given = {"project": server.project_id, "token": tokens[1]["token"]}
        found = relay.result("signalwire.reauthenticate", {"authentication": given})
        assert found["authorization"]["project"] == server.project_id
        client.raw("DELETE", f"/api/project/tokens/{tokens[0]['id']}")
        sent(relay)


def test_a_binary_message_ends_the_connection(connect: Connect) -> None:
    relay, _ = connect()
    relay.socket.send(b"\x00")
    assert relay.closed().rcvd is not None


def test_send_and_its_states(connect: Connect, server: Server) -> None:
    relay, welcome = connect(contexts=["office"])
    message_id = sent(relay, context="office", tags=["greeting"])
    assert not any("messaging.state" in json.dumps(frame) for frame in relay.frames), "the answer comes first"
    told = [relay.event("messaging.state") for _ in range(4)]
    assert [each["params"]["message_state"] for each in told] == ["queued", "initiated", "sent", "delivered"]
    last = told[-1]
    assert {key: last[key] for key in ("event_channel", "context", "project_id", "space_id")} == {
        "event_channel": welcome["protocol"],
        "context": "office",
        "project_id": server.project_id,
        "space_id": server.project_id,
    }
    inner = last["params"]
    assert {"greeting", "office", "SMS", "outbound"} <= set(inner.pop("tags"))
    assert inner == {
        "message_id": message_id,
        "context": "office",
        "direction": "outbound",
        "tag": None,
        "from_number": "+15551234567",
        "to_number": PHONE,
        "body": "Hello",
        "media": [],
        "segments": 1,
        "message_state": "delivered",
    }
    times = [each["timestamp"] for each in told]
    assert times == sorted(times)


def test_without_a_context_the_states_come_to_the_session(connect: Connect) -> None:
    other, _ = connect(contexts=["office"])
    relay, welcome = connect()
    message_id = sent(relay)
    done = relay.event("messaging.state", "delivered")
    assert (done["params"]["message_id"], done["context"]) == (message_id, welcome["protocol"])
    assert other.result("signalwire.ping") is not None
    assert not [frame for frame in other.frames if "messaging.state" in json.dumps(frame)]


def test_states_go_to_who_receives_the_context(connect: Connect) -> None:
    watcher, _ = connect(contexts=["watched"])
    relay, _ = connect()
    message_id = sent(relay, context="watched")
    assert watcher.event("messaging.state", "delivered")["params"]["message_id"] == message_id


def test_a_failure_says_why(connect: Connect, client: Client) -> None:
    client.raw("PUT", "/simulator/phones/+15559310009", json={"outcome": "undelivered", "error_code": 30003})
    relay, _ = connect(contexts=["office"])
    sent(relay, to_number="+15559310009", context="office")
    inner = relay.event("messaging.state", "undelivered")["params"]
    assert inner["reason"]


@pytest.mark.parametrize(
    ("given", "code", "attribute"),
    [
        ({"to_number": ""}, "missing_required_parameter", "to_number"),
        ({"to_number": "x"}, "invalid_to_number", "to_number"),
        ({"from_number": None}, "missing_required_parameter", "from_number"),
        ({"from_number": "hello"}, "invalid_from_number", "from_number"),
        ({"body": ""}, "body_or_media_required", "body"),
        ({"body": "x" * 1601}, "character_limit_exceeded", "body"),
        ({"media": ["ftp://x"]}, "invalid_media_url", "media"),
        ({"context": 5}, "not_a_string", "context"),
        ({"tags": "x"}, "not_an_array_of_strings", "tags"),
        ({"tags": ["x"] * 11}, "invalid_parameter", "tags"),
        ({"region": 5}, "not_a_string", "region"),
        ({"nonsense": 1}, "invalid_parameter", "nonsense"),
        ({"status_callback": "http://10.0.0.1/"}, "url_is_unsafe", "status_callback"),
    ],
)
def test_a_refused_send_says_why(connect: Connect, given: Frame, code: str, attribute: str) -> None:
    relay, _ = connect()
    params = {"from_number": "+15551234567", "to_number": PHONE, "body": "Hello", **given}
    result = relay.result("messaging.send", params)
    assert result["code"] == "422"
    assert result["message"] == result["errors"][0]["message"]
    assert (code, attribute) in [(error["code"], error["attribute"]) for error in result["errors"]]
    assert "message_id" not in result


def test_inbound_goes_to_the_context_of_its_number(connect: Connect, client: Client, server: Server) -> None:
    own(client, "+15559301001", message_relay_context="inbound")
    relay, _ = connect()
    assert relay.result("signalwire.receive", {"contexts": ["inbound", "more"]})["code"] == "200"
    message_id = client.phone_sends("+15559310001", "+15559301001", "Hi there")
    told = relay.event("messaging.receive")
    inner = told["params"]
    assert told["context"] == inner["context"] == "inbound"
    assert inner.pop("tags")
    assert inner == {
        "message_id": message_id,
        "context": "inbound",
        "direction": "inbound",
        "tag": None,
        "from_number": "+15559310001",
        "to_number": "+15559301001",
        "body": "Hi there",
        "media": [],
        "segments": 1,
        "message_state": "received",
    }
    record = client.ask("GET", f"/api/messaging/logs/{message_id}", 200)
    assert (record["status"], record["error_code"]) == ("received", None)


def test_what_came_while_nobody_listened_waits(connect: Connect, client: Client) -> None:
    own(client, "+15559301002", message_handler="relay_topic", message_relay_topic="later")
    wanted = [client.phone_sends("+15559310002", "+15559301002", f"{n}") for n in range(3)]
    relay, _ = connect(contexts=["later"])
    assert [relay.event("messaging.receive")["params"]["message_id"] for _ in range(3)] == wanted


def test_what_was_claimed_by_a_commit_whose_answer_was_lost_is_told(
    connect: Connect, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, write = server.app.engine, server.app.engine.write
    lost: list[list[int]] = []

    async def lose(operation: Callable[..., Any], *given: Any, **more: Any) -> Any:
        done = await write(operation, *given, **more)
        if operation is store_relay.turn and done[0] and not lost:
            lost.append([event.seq for event, _, _ in done[0]])
            raise StoreUnavailable("the connection broke at the commit")
        return done

    monkeypatch.setattr(engine, "write", lambda *given, **more: asyncio.ensure_future(lose(*given, **more)))
    relay, _ = connect(contexts=["lost"])
    message_id = sent(relay, context="lost")
    for state in ("queued", "initiated", "sent", "delivered"):  # in whatever order: the lost one comes later
        assert relay.event("messaging.state", state)["params"]["message_id"] == message_id
    assert len(lost) == 1


def test_a_session_whose_commit_was_not_answered_is_let_go_of(
    server: Server, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, write, relay = server.app.engine, server.app.engine.write, server.app.relay
    node = server.app.record.node
    before = server.run(engine.read(store_relay.connected, node))

    async def lose(operation: Callable[..., Any], *given: Any, **more: Any) -> Any:
        done = await write(operation, *given, **more)
        if operation is store_relay.enter:
            raise StoreUnavailable("the connection broke at the commit")
        return done

    monkeypatch.setattr(engine, "write", lambda *given, **more: asyncio.ensure_future(lose(*given, **more)))
    with RelayClient(server.base_url) as stranger:
        given = {"authentication": {"project": server.project_id, "token": server.auth_token}, "contexts": ["ghost"]}
        assert stranger.ask("signalwire.connect", given)["error"]["code"] == -32603
    ghosts = server.run(engine.read(store_relay.connected, node)) - before
    assert len(ghosts) == 1

    for _ in range(3):
        server.run(relay.sweep())
        server.run(relay.turn())
    assert not ghosts & server.run(engine.read(store_relay.connected, node))


def test_several_clients_take_turns(connect: Connect, client: Client) -> None:
    own(client, "+15559301003", message_relay_context="shared")
    clients = [connect(contexts=["shared"])[0] for _ in range(2)]
    for n in range(4):
        client.phone_sends("+15559310003", "+15559301003", f"{n}")
    heard = [[relay.event("messaging.receive")["params"]["body"] for _ in range(2)] for relay in clients]
    assert sorted(body for bodies in heard for body in bodies) == ["0", "1", "2", "3"]


def test_who_stopped_listening_hears_nothing(connect: Connect, client: Client) -> None:
    own(client, "+15559301004", message_relay_context="dropped")
    first, _ = connect(contexts=["dropped"])
    second, _ = connect(contexts=["dropped"])
    assert first.result("signalwire.unreceive", {"contexts": ["dropped"]})["code"] == "200"
    for n in range(2):
        client.phone_sends("+15559310004", "+15559301004", f"{n}")
    assert {second.event("messaging.receive")["params"]["body"] for _ in range(2)} == {"0", "1"}
    assert first.result("signalwire.ping") is not None
    assert not [frame for frame in first.frames if "messaging.receive" in json.dumps(frame)]


def test_what_was_not_acknowledged_goes_to_another(connect: Connect, client: Client) -> None:
    own(client, "+15559301005", message_relay_context="handed")
    first, _ = connect(contexts=["handed"])
    first.acks = False
    client.phone_sends("+15559310005", "+15559301005", "Once")
    assert first.event("messaging.receive")["params"]["body"] == "Once"
    second, _ = connect(contexts=["handed"])
    first.close()
    assert second.event("messaging.receive")["params"]["body"] == "Once"


def test_a_client_that_acknowledges_nothing_is_told_once(connect: Connect, client: Client) -> None:
    own(client, "+15559301006", message_relay_context="old")
    old, _ = connect(contexts=["old"], acks=False)
    client.phone_sends("+15559310006", "+15559301006", "First")
    assert old.event("messaging.receive")["params"]["body"] == "First"
    old.close()
    client.phone_sends("+15559310006", "+15559301006", "Second")
    new, _ = connect(contexts=["old"])
    assert new.event("messaging.receive")["params"]["body"] == "Second"


def test_media_go_both_ways(connect: Connect, client: Client) -> None:
    own(client, "+15559301007", message_relay_context="pictures")
    relay, _ = connect(contexts=["pictures"])
    picture = {"content_type": "image/gif", "data": "R0lGODlhAQABAAAAACwAAAAAAQABAAA="}
    client.phone_sends("+15559310007", "+15559301007", "Look", media=[picture])
    (url,) = relay.event("messaging.receive")["params"]["media"]
    assert client.raw("GET", url.removeprefix(client.space_url), auth=None).content.startswith(b"GIF89a")


def test_a_session_is_restored_by_its_name(connect: Connect, client: Client) -> None:
    own(client, "+15559301008", message_relay_context="restored")
    relay, welcome = connect(contexts=["other"])
    relay.result("signalwire.receive", {"contexts": ["restored"]})
    relay.close()
    client.phone_sends("+15559310008", "+15559301008", "Away")
    again, known = connect(protocol=welcome["protocol"])
    assert (known["protocol"], known["session_restored"]) == (welcome["protocol"], True)
    assert again.event("messaging.receive")["params"]["body"] == "Away"
    third, taken_over = connect(protocol=welcome["protocol"])
    assert taken_over["session_restored"] is True
    assert again.closed().rcvd is not None, "one connection has a session"
    client.phone_sends("+15559310008", "+15559301008", "Again")
    assert third.event("messaging.receive")["params"]["body"] == "Again"


@pytest.mark.parametrize("protocol", ["signalwire_x_y_z", "", 5])
def test_a_session_that_is_not_known_begins_anew(connect: Connect, protocol: Any) -> None:
    _, welcome = connect(protocol=protocol)
    assert welcome["session_restored"] is False
    assert welcome["protocol"] != protocol


def test_another_accounts_session_is_not_restored(connect: Connect, server: Server) -> None:
    _, mine = connect(contexts=["office"])
    other = server.run(server.app.accounts.add("Another"))
    token = other.auth_token.reveal()
    project = to_uuid(other.id)
    with signalwire(server.base_url, project, token, protocol=mine["protocol"])[0] as relay:
        answer = relay.result("messaging.send", {"from_number": "+15551234567", "to_number": PHONE, "body": "x"})
        assert answer["errors"][0]["code"] == "invalid_from_number"


def test_many_sends_at_once_are_each_answered_before_their_states(connect: Connect) -> None:
    relay, _ = connect(contexts=["burst"])
    params = {"from_number": "+15551234567", "to_number": PHONE, "body": "Hello", "context": "burst"}
    for n in range(100):
        relay.put({"id": f"s{n}", "method": "messaging.send", "params": params})
    answered: set[str] = set()
    delivered: set[str] = set()
    while len(delivered) < 100:
        frame = relay.until(lambda _: True)
        if str(frame.get("id")).startswith("s"):
            answered.add(frame["result"]["message_id"])
        elif frame.get("params", {}).get("event_type") == "messaging.state":
            inner = frame["params"]["params"]
            assert inner["message_id"] in answered
            if inner["message_state"] == "delivered":
                delivered.add(inner["message_id"])
    assert delivered == answered
