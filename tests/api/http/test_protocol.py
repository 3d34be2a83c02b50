"""Connections are bounded in what they may hold and for how long, as a client on a bare socket sees it."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from parley.api.http.protocol import MAX_HEAD, BoundedProtocol

GET = b"GET / HTTP/1.1\r\nHost: x\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\n"


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the body's length, once all of it is there."""
    length, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        length, more = length + len(message["body"]), message["more_body"]
    body = str(length).encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class Hurried(BoundedProtocol):
    arrives_s = 0.05


async def listening(protocol: type[BoundedProtocol]) -> AsyncIterator[int]:
    config = uvicorn.Config(echo, log_config=None, access_log=False, ws="none", http=protocol)
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: protocol(config, state, {}), "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    for connection in list(state.connections):
        connection.transport.close()
    await server.wait_closed()


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async for number in listening(BoundedProtocol):
        yield number


@pytest.fixture
async def hurried_port() -> AsyncIterator[int]:
    async for number in listening(Hurried):
        yield number


async def told(port: int, *pieces: bytes) -> bytes:
    """Send pieces, each by itself, and return everything that comes until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        return await reader.read()
    except ConnectionError:
        return b""  # the server closed with input unread, and the reset overtook its answer
    finally:
        writer.close()


async def status_of(port: int, *pieces: bytes) -> bytes:
    """Send pieces until the server answers, and return the status."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(0)
        return (await reader.readline())[9:12]
    finally:
        writer.close()


async def test_a_request_is_answered(port: int) -> None:
    assert await status_of(port, GET + b"\r\n") == b"200"


async def test_a_head_may_come_in_pieces(port: int) -> None:
    head = GET + b"X-Long: " + b"a" * 20_000 + b"\r\n\r\n"
    assert await status_of(port, *(head[i : i + 1000] for i in range(0, len(head), 1000))) == b"200"


@pytest.mark.parametrize(
    "endless",
    [
        b"GET /" + b"a" * (MAX_HEAD + 1),
        GET + b"X: " + b"a" * MAX_HEAD,
        GET + b"a" * MAX_HEAD,
        GET + b"X: y\r\n" * (MAX_HEAD // 6 + 1),
    ],
    ids=["target", "value", "name", "many"],
)
async def test_an_endless_head_is_refused(port: int, endless: bytes) -> None:
    assert (await told(port, endless)).startswith(b"HTTP/1.1 431 ")


async def test_an_endless_head_is_refused_on_a_kept_connection_as_well(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(GET + b"\r\n")
    assert (await reader.readuntil(b"\r\n\r\n0")).startswith(b"HTTP/1.1 200 ")
    writer.write(GET + b"X: " + b"a" * MAX_HEAD)
    assert (await reader.read()).startswith(b"HTTP/1.1 431 ")
    writer.close()


@pytest.mark.parametrize("endless", [b"5;x=", b"0\r\nX: "], ids=["size", "trailer"])
async def test_endless_framing_of_a_body_closes_the_connection(port: int, endless: bytes) -> None:
    head = POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n"
    # Much, because what the server reads together with the end of a chunk does not count.
    assert await told(port, head, endless, b"a" * (16 * MAX_HEAD)) == b""


async def test_bodies_are_not_the_connections_business(port: int) -> None:
    body = b"a" * (4 * MAX_HEAD)
    head = POST + f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
    assert (await told(port, head, body)).endswith(f"\r\n\r\n{len(body)}".encode())
    chunks = b"".join(b"1\r\na\r\n" for _ in range(MAX_HEAD)) + b"0\r\n\r\n"
    head = POST + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    assert (await told(port, head, chunks)).endswith(f"\r\n\r\n{MAX_HEAD}".encode())


@pytest.mark.parametrize("slow", [b"", b"GET / HT", GET], ids=["silence", "target", "head"])
async def test_what_never_arrives_is_not_waited_for(hurried_port: int, slow: bytes) -> None:
    assert (await told(hurried_port, slow)).startswith(b"HTTP/1.1 408 ")


async def test_a_body_that_never_arrives_is_not_waited_for(hurried_port: int) -> None:
    assert await told(hurried_port, POST + b"Content-Length: 10\r\n\r\n", b"abc") == b""


async def test_an_answered_request_is_not_timed(hurried_port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", hurried_port)
    writer.write(GET + b"\r\n")
    assert (await reader.readuntil(b"\r\n\r\n0")).startswith(b"HTTP/1.1 200 ")
    # A connection that came later is given up; this one, which the keep-alive time governs, is still there.
    assert (await told(hurried_port, b"")).startswith(b"HTTP/1.1 408 ")
    writer.write(GET + b"\r\n")
    assert (await reader.readuntil(b"\r\n\r\n0")).startswith(b"HTTP/1.1 200 ")
    writer.close()


async def test_asking_for_an_upgrade_changes_nothing(port: int) -> None:
    assert await status_of(port, GET + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n") == b"200"


async def test_an_answer_is_one_write(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(GET + b"\r\n")
    first = await reader.read(MAX_HEAD)
    writer.close()
    head, _, body = first.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert body == b"0"


async def test_an_answer_that_ends_its_connection_is_sent_whole(port: int) -> None:
    answered = await told(port, GET + b"Connection: close\r\n\r\n")
    assert answered.startswith(b"HTTP/1.1 200")
    assert answered.endswith(b"\r\n\r\n0")
