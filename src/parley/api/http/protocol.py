"""HTTP/1.1 connections with bounds that uvicorn's own protocol lacks: on what it keeps in memory of a request's head,
and on how long a request may take to arrive. And with answers in one piece.
"""

import asyncio
from typing import Any, Final, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

MAX_HEAD: Final = 64 * 1024
"""Octets that a client may send without finishing anything: a head, a chunk's size, a trailer."""
ARRIVES_S: Final = 60.0
"""A request, body and all, arrives within this; so does the first one of a connection."""


class _Gathering:
    """A connection's transport that sends what is written within one turn of the event loop in one piece: an answer's
    head and body, which uvicorn writes apart, are one system call here and one wake-up at the client.
    """

    __slots__ = ("_loop", "_transport", "_written")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._written: list[bytes] = []

    def write(self, data: bytes) -> None:
        if not self._written:
            self._loop.call_soon(self._flush)
        self._written.append(data)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def _flush(self) -> None:
        if self._written:
            written = b"".join(self._written)
            self._written.clear()
            self._transport.write(written)


class BoundedProtocol(HttpToolsProtocol):
    """Closes connections whose requests are endless or never come: with 431 or 408 where an answer is still due."""

    arrives_s: float = ARRIVES_S

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._unfinished = 0
        """Octets since the parser last finished something."""
        self._is_arriving = False
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for the first request."""
        gathering = _Gathering(cast("asyncio.Transport", transport), self.loop)
        super().connection_made(cast("asyncio.Transport", gathering))
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timer, which would keep this connection in memory."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse, and see whether the client is still within bounds."""
        self._unfinished += len(data)
        super().data_received(data)
        if self._unfinished > MAX_HEAD:
            self._refuse(431)
        elif not self._is_arriving:
            self._stop_waiting()
        elif self._timer is None:
            self._wait()

    def on_message_begin(self) -> None:
        """A request begins to arrive."""
        self._is_arriving = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Its head is there."""
        self._unfinished = 0
        super().on_headers_complete()

    def on_chunk_header(self) -> None:
        """A chunk's size is there."""
        self._unfinished = 0

    def on_body(self, body: bytes) -> None:
        """Some of its body is there."""
        self._unfinished = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """All of it is there."""
        self._unfinished = 0
        self._is_arriving = False
        super().on_message_complete()

    def _unsupported_upgrade_warning(self) -> None:
        """Say nothing: any client can ask for an upgrade, and is answered as if it had not."""

    def _wait(self) -> None:
        self._timer = self.loop.call_later(self.arrives_s, self._refuse, 408)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _refuse(self, status: int) -> None:
        self._stop_waiting()
        if self.transport.is_closing():
            return
        # An answer that the application has begun, or will begin, must not find another one before it.
        if self.cycle is None or self.cycle.response_complete:  # type: ignore[redundant-expr]  # None until the first
            self.transport.write(STATUS_LINE[status] + b"content-length: 0\r\nconnection: close\r\n\r\n")
        self.transport.close()
