"""One connection to a host, and the exchanges over it, one at a time: HTTP/1.1 as far as a webhook needs it.

On every callback's path, where a general client's request and response objects cost several times the exchange itself.
"""

import asyncio
import zlib
from typing import Final, NamedTuple, cast

import httptools

MAX_HEAD: Final = 32 * 1024
"""Octets of an answer's head."""
MAX_FIELD: Final = 8 * 1024
"""Octets of one header."""
_INFLATES: Final = frozenset({"gzip", "x-gzip", "deflate"})
_EITHER: Final = 47  # zlib's window bits for: a gzip or zlib header, whichever is there


class Malformed(Exception):
    """The answer is not HTTP."""


class BrokenOff(Exception):
    """The connection ended before the answer did."""


class Received(NamedTuple):
    """An answer. Header names are in lower case; `body` has at most one octet more than was asked for."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Connection(asyncio.Protocol):
    """Made by `create_connection`. Whoever asks waits for the answer before asking again."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[Received] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._is_head = False
        self._most = 0
        self._read_s = 0.0
        self._deadline = 0.0
        self._heard_at = 0.0
        self.idle_since = 0.0
        """In the event loop's time: when the last answer was complete."""
        self.is_reusable = True
        """Whether another request may follow once this one is answered."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Be ready for a request."""
        self._transport = cast("asyncio.Transport", transport)

    async def ask(self, request: bytes, *, is_head: bool, most: int, read_s: float, deadline: float) -> Received:
        """Send a request, and wait for its answer: `read_s` at most for each part, and till `deadline` for all of it.

        Of the body `most` + 1 octets are read. Raises Malformed, BrokenOff, OSError, zlib.error and TimeoutError.
        """
        transport = self._transport
        if transport is None or transport.is_closing():
            raise BrokenOff
        self._is_head, self._most, self._read_s, self._deadline = is_head, most, read_s, deadline
        self._start()
        self._head_size = 0
        self._answer = self._loop.create_future()
        self._heard_at = now = self._loop.time()
        self._timer = self._loop.call_at(min(now + read_s, deadline), self._look)
        transport.write(request)
        try:
            received = await self._answer
        except BaseException:
            self.close()
            raise
        finally:
            self._timer.cancel()
        return _inflated(received, most)

    def close(self) -> None:
        """Hang up."""
        self.is_reusable = False
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Read on."""
        if self._is_complete:  # nobody asked
            self.close()
            return
        self._heard_at = self._loop.time()
        if not self._is_headed:
            self._head_size += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._fail(Malformed("it changes the protocol"))
        except httptools.HttpParserError as error:
            self._fail(error.__context__ if isinstance(error.__context__, Malformed) else Malformed(str(error)))
        else:
            if not self._is_headed and self._head_size > MAX_HEAD:
                self._fail(Malformed("its head is too large"))

    def connection_lost(self, exc: Exception | None) -> None:
        """The end: of the answer too, when that says no length."""
        self.is_reusable = False
        self._transport = None
        if self._is_complete:
            return
        if exc is None and self._is_headed and self._ends_with_connection:
            self._complete()
        else:
            self._fail(exc if isinstance(exc, OSError) else BrokenOff())

    def _start(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._headers: list[tuple[str, str]] = []
        self._body: list[bytes] = []
        self._room = self._most + 1
        self._is_headed = False
        self._ends_with_connection = True

    def on_message_begin(self) -> None:
        """An answer begins, or a second one that nobody asked for."""
        if self._is_complete:
            self.is_reusable = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header is there."""
        if self._is_complete:
            return
        if len(name) + len(value) > MAX_FIELD:
            raise Malformed("a header is too large")
        key = name.decode("latin-1").lower()
        if key in ("content-length", "transfer-encoding"):
            self._ends_with_connection = False
        self._headers.append((key, value.decode("utf-8", "surrogateescape")))

    def on_headers_complete(self) -> None:
        """The head is there."""
        status = self._parser.get_status_code()
        if status < 200:
            return
        self._is_headed = True
        if self._is_head:
            self.is_reusable = False  # the parser would take the next answer for this one's body
            self._complete()

    def on_body(self, body: bytes) -> None:
        """Some of the body is there."""
        if self._room <= 0:
            return
        self._body.append(body[: self._room])
        self._room -= len(body)
        if self._room <= 0:
            self.is_reusable = False  # what is not read would be taken for the next answer's beginning
            self._complete()

    def on_message_complete(self) -> None:
        """All of an answer is there."""
        if not self._is_headed:  # an interim answer; the one that counts follows
            self._headers.clear()
            self._ends_with_connection = True
            return
        if not self._parser.should_keep_alive():
            self.is_reusable = False
        self._complete()

    @property
    def _is_complete(self) -> bool:
        return self._answer is None or self._answer.done()

    def _complete(self) -> None:
        if self._answer is not None and not self._answer.done():
            self.idle_since = self._loop.time()
            received = Received(self._parser.get_status_code(), self._headers, b"".join(self._body))
            self._answer.set_result(received)

    def _fail(self, error: Exception) -> None:
        self.is_reusable = False
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)

    def _look(self) -> None:
        until = min(self._heard_at + self._read_s, self._deadline)
        if self._loop.time() < until:
            self._timer = self._loop.call_at(until, self._look)
        else:
            self._fail(TimeoutError())


def _inflated(received: Received, most: int) -> Received:
    """The answer with its body as it was before it was compressed, which nobody asked for. Raises zlib.error."""
    encoding = next((value.strip().lower() for name, value in received.headers if name == "content-encoding"), "")
    if encoding not in _INFLATES or not received.body:
        return received
    try:
        body = zlib.decompressobj(_EITHER).decompress(received.body, most + 1)
    except zlib.error:
        if encoding != "deflate":
            raise
        body = zlib.decompressobj(-zlib.MAX_WBITS).decompress(received.body, most + 1)  # as some understand the word
    return received._replace(body=body)
