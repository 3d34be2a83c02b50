"""What a stranger's server may send that no record takes: it is refused in words, and loses nothing of ours."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from parley.core.media import Fetched, MediaUnavailable
from parley.webhooks.client import Client
from parley.webhooks.guard import Guard
from parley.webhooks.media import MediaFetcher

OK = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n"


class Host:
    """A server that answers by its bytes."""

    def __init__(self) -> None:
        self.head = self.get = OK + b"Content-Type: image/png\r\n\r\n"
        self.url = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await reader.readuntil(b"\r\n\r\n")
        writer.write(self.head if asked.startswith(b"HEAD") else self.get + b"hi")
        await writer.drain()
        writer.close()


@pytest.fixture
async def host() -> AsyncIterator[Host]:
    host = Host()
    server = await asyncio.start_server(host.answer, "127.0.0.1", 0)
    async with server:
        host.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/picture"
        yield host


@pytest.fixture
async def fetch() -> AsyncIterator[MediaFetcher]:
    client = Client(Guard(allow_loopback=True), user_agent="tests")
    yield MediaFetcher(client)
    await client.aclose()


@pytest.mark.parametrize("kind", [b"\xffbad", b"image/\xe9", b"image/png\xff"])
async def test_a_content_type_that_is_no_text_is_refused_in_text(host: Host, fetch: MediaFetcher, kind: bytes) -> None:
    """Its octets come as lone surrogates, which neither JSON nor a database can hold."""
    host.head = host.get = OK + b"Content-Type: " + kind + b"\r\n\r\n"
    with pytest.raises(MediaUnavailable) as raised:
        await fetch(host.url)
    assert (raised.value.code, raised.value.is_final) == (12300, True)
    assert raised.value.reason == "media of type unknown cannot be sent"


@pytest.mark.parametrize("head", [b"", b"nonsense\r\n\r\n", OK + b"Content-Type: image/png\r\n\r\nhi"])
async def test_a_host_that_breaks_off_at_head_is_asked_by_get(host: Host, fetch: MediaFetcher, head: bytes) -> None:
    host.head = head
    assert await fetch(host.url) == Fetched("image/png", b"hi")


async def test_a_host_that_says_one_type_and_sends_another(host: Host, fetch: MediaFetcher) -> None:
    host.get = OK + b"Content-Type: text/csv\r\n\r\n"
    with pytest.raises(MediaUnavailable) as raised:
        await fetch(host.url)
    assert (raised.value.code, raised.value.is_final) == (12300, True)
    assert raised.value.reason == "announced as image/png, and sent as text/csv"
