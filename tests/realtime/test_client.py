"""Our client against a service that a test leads by the hand: what it says, hears, and makes of what goes wrong."""

import asyncio
import logging
from collections.abc import AsyncIterator
from importlib.metadata import version
from typing import Any

import pytest

from parley.realtime import Client, Dropped, Message, Refused, Unauthorized, Unreachable, session
from tests.realtime.stub import Frame, Stub, accept, client, stub

TEXT: dict[str, Any] = {"from_number": "+15551234567", "to_number": "+15550001111", "body": "Hello"}
INBOUND = {
    "message_id": "m-2",
    "context": "office",
    "direction": "inbound",
    "tags": ["message", "inbound"],
    "from_number": "+15550001111",
    "to_number": "+15551234567",
    "body": "Hi",
    "media": [],
    "segments": 1,
    "message_state": "received",
}


@pytest.fixture
async def service() -> AsyncIterator[Stub]:
    async with stub() as running:
        yield running


async def test_the_log_warns_of_no_contexts(service: Stub, caplog: pytest.LogCaptureFixture) -> None:
    for contexts in (["office"], []):
        async with client(service, contexts=contexts) as ours:
            await ours.messaging.send(**TEXT)
        warned = [each for each in caplog.records if "no contexts" in each.message]
        assert len(warned) == (not contexts)


async def test_sending_connects_first(service: Stub) -> None:
    async with client(service, contexts=["office", "home"]) as ours:
        sent = await ours.messaging.send(
            **TEXT, media=["https://a.test/b.gif"], tags=["x"], region="us", status_callback="https://a.test/s"
        )
        await ours.messaging.send(**TEXT, context="office")
    assert sent.message_id == "m-1"
    (connect,) = await service.wait("signalwire.connect")
    assert connect["params"] == {
        "version": {"major": 2, "minor": 0, "revision": 0},
        "event_acks": True,
        "agent": f"parley-realtime/{version('parley')}",
        "authentication": {"project": "a-project", "token": "a-token"},
        "contexts": ["office", "home"],
    }
    first, second = await service.wait("messaging.send", 2)
    assert first["params"] == {
        **TEXT,
        "media": ["https://a.test/b.gif"],
        "tags": ["x"],
        "region": "us",
        "status_callback": "https://a.test/s",
        "context": "signalwire_sig_1_2",
    }
    assert second["params"] == {**TEXT, "context": "office"}


async def test_what_comes_is_acknowledged_and_answered(service: Stub) -> None:
    async with client(service) as ours:

        @ours.messaging.on("message.received")
        async def echo(message: Message) -> None:
            body = f"You said: {message.body}"
            await ours.messaging.send(from_number=message.to_number, to_number=message.from_number, body=body)

        connected = asyncio.create_task(ours.connect())
        await service.wait("signalwire.connect")
        await service.tell("messaging.receive", **INBOUND)
        (sent,) = await service.wait("messaging.send")
        assert (sent["params"]["to_number"], sent["params"]["body"]) == ("+15550001111", "You said: Hi")
        await service.wait(id="event", result={})
        assert not connected.done()
    await connected


async def test_a_message_is_whole_whatever_is_left_out(service: Stub) -> None:
    heard: asyncio.Queue[Message] = asyncio.Queue()
    async with client(service) as ours:
        ours.messaging.on("message.updated")(heard.put_nowait)
        await ours.messaging.send(**TEXT)
        await service.tell("messaging.state", message_id="m-1", body=None, media=None, message_state="queued")
        await service.tell("calling.call.state", call_id="c")
        await service.tell("messaging.state", segments="many", media=7)
        await service.tell("messaging.state", **INBOUND | {"message_state": "failed", "reason": "no"})
        first, second = await heard.get(), await heard.get()
    assert (first.body, first.media, first.tags, first.state, first.reason) == ("", [], [], "queued", None)
    assert (second.message_id, second.context, second.segments, second.reason) == ("m-2", "office", 1, "no")


async def test_a_handler_that_fails_is_logged_and_disturbs_nobody(
    service: Stub, caplog: pytest.LogCaptureFixture
) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()
    async with client(service) as ours:

        @ours.messaging.on("message.received")
        def fail(message: Message) -> None:
            heard.put_nowait(message.body)
            raise RuntimeError(message.body)

        await ours.messaging.send(**TEXT)
        for body in ("one", "two"):
            await service.tell("messaging.receive", **INBOUND | {"body": body})
            assert await heard.get() == body
    failures = [each for each in caplog.records if each.levelno == logging.ERROR]
    assert [each.getMessage() for each in failures] == ["the handler of message.received failed"] * 2


async def test_a_wrong_token_ends_it_and_everybody_who_waits_hears(service: Stub) -> None:
    ours = client(service, token="wrong")
    done = await asyncio.gather(ours.connect(), ours.messaging.send(**TEXT), return_exceptions=True)
    assert [type(each) for each in done] == [Unauthorized, Unauthorized]
    assert len(await service.wait("signalwire.connect")) == 1
    with pytest.raises(Unauthorized, match="Authentication failed"):
        await ours.messaging.send(**TEXT)


@pytest.mark.parametrize(
    ("answer", "code", "errors"),
    [
        ({"result": {"code": "422", "message": "No", "errors": [{"code": "x"}]}}, "422", [{"code": "x"}]),
        ({"result": {"code": "402", "message": "No"}}, "402", []),
        ({"error": {"code": -32601, "message": "No"}}, "-32601", []),
    ],
)
async def test_a_refusal_says_why(service: Stub, answer: Frame, code: str, errors: list[Any]) -> None:
    service.answer = lambda asked: answer if asked["method"] == "messaging.send" else accept(asked)
    async with client(service) as ours:
        with pytest.raises(Refused) as refused:
            await ours.messaging.send(**TEXT)
    assert (refused.value.code, refused.value.message, list(refused.value.errors)) == (code, "No", errors)


async def test_a_dropped_connection_is_told_and_made_again(service: Stub) -> None:
    changes: asyncio.Queue[Any] = asyncio.Queue()
    service.answer = lambda asked: None if asked["method"] == "messaging.send" else accept(asked)
    async with client(service, contexts=["office"]) as ours:
        ours.on("connected")(lambda: changes.put_nowait("connected"))
        ours.on("disconnected")(changes.put_nowait)
        sending = asyncio.create_task(ours.messaging.send(**TEXT))
        await service.wait("messaging.send")
        await service.tell("signalwire.authorization.state", authorization_state="opaque")
        await service.wait(id="event", result={})
        await service.hang_up()
        with pytest.raises(Dropped):
            await sending
        service.answer = accept
        assert (await ours.messaging.send(**TEXT)).message_id == "m-1"
        seen = [await changes.get() for _ in range(3)]
    assert (seen[0], str(seen[1]), seen[2]) == ("connected", "The connection was lost", "connected")
    again = (await service.wait("signalwire.connect", 2))[1]["params"]
    assert [again[name] for name in ("protocol", "authorization_state", "contexts")] == [
        "signalwire_sig_1_2",
        "opaque",
        ["office"],
    ]


async def test_a_service_that_does_not_close_as_it_said_is_left(service: Stub) -> None:
    async with client(service, timeout_s=0.2) as ours:
        await ours.messaging.send(**TEXT)
        await service.say({"id": "d", "method": "signalwire.disconnect", "params": {"restart": False}})
        await service.wait("signalwire.connect", 2)
        assert (await ours.messaging.send(**TEXT)).message_id == "m-1"


async def test_a_restart_is_waited_for(service: Stub) -> None:
    async with client(service) as ours:
        await ours.messaging.send(**TEXT)
        await service.tell("signalwire.authorization.state", authorization_state="opaque")
        await service.say({"id": "d", "method": "signalwire.disconnect", "params": {"restart": True}})
        await service.wait(id="d", result={})
        await service.close()
        sending = asyncio.create_task(ours.messaging.send(**TEXT))
        await service.listen()
        await sending
    again = (await service.wait("signalwire.connect", 2))[1]["params"]
    assert again["protocol"] == "signalwire_sig_1_2"
    assert "authorization_state" not in again


async def test_what_the_service_asks_is_answered(service: Stub) -> None:
    async with client(service) as ours:
        await ours.messaging.send(**TEXT)
        await service.say({"id": "p", "method": "signalwire.ping", "params": {"timestamp": 1.5}})
        await service.say({"id": "u", "method": "signalwire.unknown", "params": {}})
        await service.say({"id": "n", "method": "signalwire.ping"})
        await service.wait(id="p", result={"timestamp": 1.5})
        await service.wait(id="n", result={"timestamp": None})
        (unknown,) = await service.wait(id="u")
    assert unknown["error"]["code"] == -32601


async def test_it_asks_whether_the_service_is_still_there(service: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "PING_EVERY_S", 0.01)
    service.answer = lambda asked: None if asked["method"] == "signalwire.ping" else accept(asked)
    async with client(service, timeout_s=0.2) as ours:
        connected = asyncio.create_task(ours.connect())
        await service.wait("signalwire.connect", 2)
    await connected
    assert await service.wait("signalwire.ping")


@pytest.mark.parametrize("frame", ["no JSON", "[1]", "[" * 5000])
async def test_a_service_that_speaks_something_else_is_left(service: Stub, frame: str) -> None:
    async with client(service) as ours:
        await ours.messaging.send(**TEXT)
        await service.say(frame)
        await service.wait("signalwire.connect", 2)
        await ours.messaging.send(**TEXT)


async def test_nobody_there_is_said_and_tried_again(service: Stub) -> None:
    await service.close()
    async with client(service, timeout_s=0.1) as ours:
        with pytest.raises(
            Unreachable, match=rf"ws://127\.0\.0\.1:{service.port}/ within 0\.1 s: .*refused|Connect call"
        ):
            await ours.messaging.send(**TEXT)
    async with client(service) as ours:
        sending = asyncio.create_task(ours.messaging.send(**TEXT))
        await service.listen()
        assert (await sending).message_id == "m-1"


async def test_closing_ends_what_is_under_way(service: Stub) -> None:
    service.answer = lambda asked: None if asked["method"] == "messaging.send" else accept(asked)
    ours = client(service)
    sending = asyncio.create_task(ours.messaging.send(**TEXT))
    connected = asyncio.create_task(ours.connect())
    await service.wait("messaging.send")
    await ours.close()
    with pytest.raises(Dropped):
        await sending
    await connected


async def test_a_closed_client_connects_again_when_it_is_told_to_alone(service: Stub) -> None:
    ours = client(service)
    await ours.messaging.send(**TEXT)
    await ours.close()
    with pytest.raises(Dropped, match="was closed"):  # as a handler may, that was still at work
        await ours.messaging.send(**TEXT)
    assert len(await service.wait("signalwire.connect")) == 1
    connected = asyncio.create_task(ours.connect())
    await service.wait("signalwire.connect", 2)
    assert (await ours.messaging.send(**TEXT)).message_id == "m-1"
    await ours.close()
    await connected


async def test_whoever_cancels_connect_closes_the_client(service: Stub) -> None:
    ours = client(service)
    connected = asyncio.create_task(ours.connect())
    await service.wait("signalwire.connect")
    connected.cancel()
    with pytest.raises(asyncio.CancelledError):
        await connected
    assert [task for task in asyncio.all_tasks() if task.get_name() == "parley.realtime"] == []


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("a.signalwire.com", "wss://a.signalwire.com/"),
        ("localhost:8080", "wss://localhost:8080/"),
        ("https://a.signalwire.com/", "wss://a.signalwire.com/"),
        ("http://127.0.0.1:8080", "ws://127.0.0.1:8080/"),
        ("ws://[::1]:8080", "ws://[::1]:8080/"),
        (None, "wss://relay.signalwire.com/"),
    ],
)
async def test_hosts(host: str | None, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    dialled: list[str] = []

    def dial(url: str, **_: Any) -> Any:
        dialled.append(url)
        raise OSError("not in a test")

    for name in ("SIGNALWIRE_SPACE", "SIGNALWIRE_SPACE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("parley.realtime.connection.connect", dial)
    async with Client(project="p", token="t", host=host, timeout_s=0.01) as ours:
        with pytest.raises(Unreachable, match="not in a test"):
            await ours.messaging.send(**TEXT)
    assert dialled[0] == url


async def test_the_environment_says_where(service: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SIGNALWIRE_SPACE", raising=False)
    monkeypatch.setenv("SIGNALWIRE_SPACE_URL", f"http://127.0.0.1:{service.port}")
    async with client(service, host=None) as ours:
        assert (await ours.messaging.send(**TEXT)).message_id == "m-1"


@pytest.mark.parametrize(
    "host", ["ftp://a.test", "a.test/path", "user@a.test", ":x@a.test", "a.test:port", "a.test#x", "https://"]
)
def test_hosts_that_are_none(host: str) -> None:
    with pytest.raises(ValueError, match="neither a host nor the URL"):
        Client(project="p", token="t", host=host)


def test_mistakes_are_said_at_once() -> None:
    with pytest.raises(ValueError, match="needs a project"):
        Client(project="p", token="")
    with pytest.raises(TypeError, match="list of names"):
        Client(project="p", token="t", contexts="office")
    wrong: Any = "message.recieved"
    with pytest.raises(ValueError, match=r"there are message\.received, message\.updated"):
        Client(project="p", token="t").messaging.on(wrong)
    assert "t0ken" not in repr(vars(Client(project="p", token="t0ken")))
