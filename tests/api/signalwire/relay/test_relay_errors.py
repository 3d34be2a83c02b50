"""What goes wrong over Relay, by its code: clients give up for good at -32002 alone, and try again at any other."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

from parley.core.limits import Busy
from parley.model.relay import MOST_CONTEXTS
from parley.store import StoreUnavailable
from tests.api.signalwire.client import Client
from tests.api.signalwire.relay.client import Frame, RelayClient, signalwire
from tests.server import Server

NUMBER, PHONE = "+15551234567", "+15559330009"
SEND: Final = {"from_number": NUMBER, "to_number": PHONE, "body": "Hello", "context": "office"}
GENERATIONS: Final = ("signalwire.connect", "blade.connect")


@pytest.fixture
def relay(server: Server) -> Iterator[RelayClient]:
    with signalwire(server.base_url, server.project_id, server.auth_token)[0] as relay:
        yield relay


def blade(server: Server) -> tuple[RelayClient, str]:
    """A client of the older generation, set up, and its protocol."""
    relay = RelayClient(server.base_url)
    authentication = {"project": server.project_id, "token": server.auth_token}
    relay.result("blade.connect", {"authentication": authentication})
    answer = relay.result("blade.execute", {"protocol": "signalwire", "method": "setup", "params": {}})
    return relay, answer["result"]["protocol"]


def refused(server: Server, method: str, authentication: Any, **more: Any) -> Frame:
    """The error that a connection begins with."""
    with RelayClient(server.base_url) as stranger:
        error: Frame = stranger.ask(method, {"authentication": authentication, **more})["error"]
        return error


@pytest.mark.parametrize("method", GENERATIONS)
def test_32002_says_that_the_credentials_are_wrong(server: Server, client: Client, method: str) -> None:
    project = server.project_id
    wrong: tuple[Any, ...] = (
        {"project": project, "token": "x"},
        {"project": project},
        {"jwt_token": "x"},
        {},
        None,
        "x",
    )
    for authentication in wrong:
        error = refused(server, method, authentication)
        assert error["code"] == -32002
        assert error["message"] == "Authentication service failed with status ProtocolError, 401 Unauthorized: {}"
    given = {"name": "numbers", "permissions": ["numbers"]}
    token = client.ask("POST", "/api/project/tokens", 200, json=given)["token"]
    error = refused(server, method, {"project": project, "token": token})
    assert (error["code"], "403 Forbidden" in error["message"]) == (-32002, True)


@pytest.mark.parametrize("method", GENERATIONS)
def test_32603_says_that_it_is_worth_another_try(server: Server, monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    authentication = {"project": server.project_id, "token": server.auth_token}

    async def away(*_: Any, **__: Any) -> Any:
        raise StoreUnavailable("the database is away")

    with monkeypatch.context() as patched:
        patched.setattr(server.app.engine, "write", lambda *given, **more: asyncio.ensure_future(away()))
        assert refused(server, method, authentication)["code"] == -32603
    with monkeypatch.context() as patched:
        patched.setattr(server.app.limits, "arrive", _busy)
        assert refused(server, method, authentication)["code"] == -32603


def _busy(**_: Any) -> None:
    raise Busy("Too many requests are under way; try again shortly")


@pytest.mark.parametrize("method", GENERATIONS)
def test_32602_says_that_a_parameter_is_wrong(server: Server, relay: RelayClient, method: str) -> None:
    authentication = {"project": server.project_id, "token": server.auth_token}
    for contexts in ("office", [5], [""], ["x" * 256], [str(n) for n in range(MOST_CONTEXTS + 1)]):
        assert refused(server, method, authentication, contexts=contexts)["code"] == -32602
        assert relay.ask("signalwire.receive", {"contexts": contexts})["error"]["code"] == -32602


@pytest.mark.parametrize("params", ["x", [1], 5, None])
def test_32602_says_that_params_are_no_object(relay: RelayClient, params: Any) -> None:
    relay.put({"id": "mine", "method": "signalwire.receive", "params": params})
    assert relay.until(lambda frame: frame.get("id") == "mine")["error"]["code"] == -32602


@pytest.mark.parametrize("method", ["messaging.send", "signalwire.receive", "signalwire.connect"])
def test_32602_says_that_no_text_may_hold_a_nul(server: Server, relay: RelayClient, method: str) -> None:
    """PostgreSQL takes none, and the context that one stood in would be asked for again and again."""
    for params in ({"contexts": ["of\0fice"]}, {**SEND, "body": "a\0b"}, {**SEND, "a\0b": 1}, {"protocol": "\0"}):
        with RelayClient(server.base_url) as stranger:
            asking = stranger if method == "signalwire.connect" else relay
            assert asking.ask(method, params)["error"]["code"] == -32602
    assert relay.result("messaging.send", {**SEND, "body": "a\\u0000b"})["code"] == "200", "six characters, no NUL"


def test_32601_says_that_there_is_no_such_method(server: Server, relay: RelayClient) -> None:
    of_the_other = ("setup", "blade.ping", "blade.subscription", "blade.execute")
    for method in ("calling.begin", "signalwire.nonsense", "blade.nonsense", "signalwire.connect", *of_the_other):
        assert relay.ask(method)["error"]["code"] == -32601
    older, protocol = blade(server)
    with older:
        asked = {"protocol": protocol, "method": "calling.begin", "params": {}}
        assert older.ask("blade.execute", asked)["error"]["code"] == -32601
        for method in ("blade.nonsense", "signalwire.ping", "signalwire.receive", "messaging.send"):
            assert older.ask(method)["error"]["code"] == -32601


def test_32600_says_that_it_is_no_request(server: Server, relay: RelayClient) -> None:
    with RelayClient(server.base_url) as stranger:
        assert stranger.ask("signalwire.ping")["error"]["code"] == -32600
    relay.socket.send("{")
    assert relay.until(lambda frame: frame.get("id") is None)["error"]["code"] == -32600
    older, _ = blade(server)
    with older:
        for asked in ({"protocol": "another", "method": "messaging.send", "params": SEND}, {}, {"method": 5}):
            assert older.ask("blade.execute", asked)["error"]["code"] == -32600


def test_a_result_has_its_code_as_a_text(relay: RelayClient) -> None:
    """200, or what is wrong in the codes of the REST API."""
    for method in ("signalwire.receive", "signalwire.unreceive"):
        assert relay.result(method, {"contexts": ["office"]})["code"] == "200"
    assert relay.result("signalwire.receive", {"contexts": []})["code"] == "422"
    assert relay.result("messaging.send", SEND)["code"] == "200"
    wrong = relay.result("messaging.send", {**SEND, "body": "", "to_number": "x"})
    assert (wrong["code"], "message_id" in wrong) == ("422", False)
    assert [(error["code"], error["attribute"]) for error in wrong["errors"]] == [
        ("invalid_to_number", "to_number"),
        ("body_or_media_required", "body"),
    ]


@pytest.fixture(params=GENERATIONS)
def send(server: Server, request: pytest.FixtureRequest) -> Iterator[Callable[[], Frame]]:
    """Return what sends in a generation, and gives the result."""
    if request.param == "signalwire.connect":
        relay, _ = signalwire(server.base_url, server.project_id, server.auth_token)
        with relay:
            yield lambda: relay.result("messaging.send", SEND)
    else:
        older, protocol = blade(server)
        asked = {"protocol": protocol, "method": "messaging.send", "params": SEND}
        with older:
            yield lambda: older.result("blade.execute", asked)["result"]


def test_a_send_that_is_not_taken_says_why(
    server: Server, monkeypatch: pytest.MonkeyPatch, send: Callable[[], Frame]
) -> None:
    assert send()["code"] == "200"
    with monkeypatch.context() as patched:
        patched.setattr(server.app.limits, "arrive", _busy)
        assert send()["code"] == "429"

    async def away(_: Any) -> Any:
        raise StoreUnavailable("the database is away")

    with monkeypatch.context() as patched:
        patched.setattr(server.app.sending, "send", away)
        assert send()["code"] == "503"

    async def broken(_: Any) -> Any:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(server.app.sending, "send", broken)
        assert send()["code"] == "500"
    assert send()["code"] == "200", "the connection goes on"
