"""Relay's older generation (`blade.*` 2.3), as PyPI's signalwire 2.1.1 speaks it."""

from collections.abc import Iterator

import pytest

from tests.api.signalwire.client import Client
from tests.api.signalwire.relay.client import Frame, RelayClient
from tests.server import Server

PHONE = "+15559320000"
CONNECT = {"version": {"major": 2, "minor": 3, "revision": 0}, "agent": "Python SDK/2.1.1"}


@pytest.fixture
def blade(server: Server) -> Iterator[RelayClient]:
    """Return a client that is connected."""
    with RelayClient(server.base_url) as relay:
        authentication = {"project": server.project_id, "token": server.auth_token}
        welcome = relay.result("blade.connect", {**CONNECT, "authentication": authentication})
        assert welcome["sessionid"]
        assert welcome["authorization"]["signature"]
        yield relay


def execute(relay: RelayClient, protocol: str, method: str, params: Frame) -> Frame:
    """Execute a method of a protocol, and return its own result."""
    result = relay.result("blade.execute", {"protocol": protocol, "method": method, "params": params})
    assert result["requester_nodeid"]
    assert result["responder_nodeid"]
    inner: Frame = result["result"]
    return inner


def set_up(relay: RelayClient) -> str:
    protocol: str = execute(relay, "signalwire", "setup", {})["protocol"]
    assert protocol.startswith("signalwire_")
    command = {"command": "add", "protocol": protocol, "channels": ["notifications"]}
    assert relay.result("blade.subscription", command) == {
        "protocol": protocol,
        "command": "add",
        "subscribe_channels": ["notifications"],
    }
    return protocol


def test_wrong_credentials_are_an_error(server: Server) -> None:
    with RelayClient(server.base_url) as relay:
        authentication = {"project": server.project_id, "token": "wrong"}
        assert "error" in relay.ask("blade.connect", {**CONNECT, "authentication": authentication})


def test_send_and_its_states(blade: RelayClient) -> None:
    protocol = set_up(blade)
    assert execute(blade, protocol, "signalwire.receive", {"contexts": ["office"]})["code"] == "200"
    params = {"from_number": "+15551234567", "to_number": PHONE, "context": "office", "body": "Hi", "media": []}
    result = execute(blade, protocol, "messaging.send", {**params, "tags": []})
    assert (result["code"], result["message"]) == ("200", "Message accepted")
    told = [blade.event("messaging.state") for _ in range(4)]
    assert [each["params"]["params"]["message_state"] for each in told] == ["queued", "initiated", "sent", "delivered"]
    broadcast = told[-1]
    assert (broadcast["protocol"], broadcast["channel"], broadcast["event"]) == (
        protocol,
        "notifications",
        "queuing.relay.messaging",
    )
    assert broadcast["params"]["params"]["message_id"] == result["message_id"]
    refused = execute(blade, protocol, "messaging.send", {**params, "body": ""})
    assert (refused["code"], refused["errors"][0]["code"]) == ("422", "body_or_media_required")


def test_inbound(blade: RelayClient, client: Client) -> None:
    number = "+15559302001"
    client.send(**{"from": number, "to": "+15559300000"})
    (found,) = client.ask("GET", "/api/relay/rest/phone_numbers", 200, params={"filter_number": number})["data"]
    handler = {"message_handler": "relay_application", "message_relay_application": "old-app"}
    client.ask("PUT", f"/api/relay/rest/phone_numbers/{found['id']}", 200, json=handler)
    execute(blade, set_up(blade), "signalwire.receive", {"contexts": ["old-app"]})
    message_id = client.phone_sends(PHONE, number, "To the old app")
    told = blade.event("messaging.receive")["params"]
    assert told["context"] == "old-app"
    assert (told["params"]["message_id"], told["params"]["message_state"]) == (message_id, "received")


def test_requests_that_it_does_not_know(blade: RelayClient) -> None:
    protocol = set_up(blade)
    assert blade.result("blade.ping")["timestamp"] > 0
    for params, code in (
        ({"protocol": protocol, "method": "calling.begin", "params": {}}, -32601),
        ({"protocol": "another", "method": "messaging.send", "params": {}}, -32600),
        ({"protocol": protocol}, -32600),
    ):
        assert blade.ask("blade.execute", params)["error"]["code"] == code
    assert blade.ask("blade.nonsense")["error"]["code"] == -32601
