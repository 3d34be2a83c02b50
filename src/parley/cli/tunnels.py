"""A proxy by HTTP's CONNECT: connections to Twilio's hosts end here and go on to Parley, byte for byte, so that Parley
sees the Host header that the client sent. Source: RFC 9110, 9.3.6.
"""

import asyncio
import re
import ssl
from collections.abc import Callable
from contextlib import suppress
from socket import socket
from typing import Final
from urllib.parse import SplitResult

import msgspec

from parley.cli.authority import Authority

DOMAIN: Final = "twilio.com"
MOST: Final = 256
"""Connections at a time."""
_HEAD_BYTES: Final = 16 * 1024
_HEAD_S: Final = 10.0
_CONNECT_S: Final = 10.0
_GOODBYE_S: Final = 2.0
"""For what is under way to a client that has been answered; many never say goodbye themselves."""
_PIECE: Final = 64 * 1024
_CONNECT = re.compile(
    rb"CONNECT (?P<host>[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]):(?P<port>\d{1,5}) HTTP/1\.[01]\r\n"
)

_Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class _No(Exception):
    """A request that is not met, with the status that says so."""

    def __init__(self, status: str, why: str) -> None:
        super().__init__(why)
        self.status = status


class _Target(msgspec.Struct, frozen=True):
    host: str
    port: int

    @property
    def is_twilio(self) -> bool:
        return self.host.endswith(f".{DOMAIN}")


class Tunnels:
    """Serves clients that take this process for their proxy."""

    def __init__(
        self,
        authority: Authority,
        server: SplitResult,
        tls: ssl.SSLContext | None,
        on_refusal: Callable[[str], None],
        *,
        others: bool,
    ) -> None:
        """Lead Twilio's hosts to `server`, by `tls` if any. `others`: let other hosts pass, else refuse them."""
        self._authority = authority
        self._server = server
        self._tls = tls
        self._on_refusal = on_refusal
        self._others = others
        self._clients: set[asyncio.Task[None]] = set()

    async def serve(self, listener: socket, stop: asyncio.Event) -> None:
        """Serve until told to stop; connections that are open then are closed."""
        server = await asyncio.start_server(self._begin, sock=listener, limit=_HEAD_BYTES)
        try:
            await stop.wait()
        finally:
            server.close()
            for client in self._clients:
                client.cancel()
            await asyncio.gather(*self._clients, return_exceptions=True)

    def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._clients.add(client)
        client.add_done_callback(self._clients.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            try:
                await self._lead(reader, writer)
            except _No as no:
                self._on_refusal(str(no))
                text = f"{no}\n".encode()
                head = f"HTTP/1.1 {no.status}\r\nContent-Type: text/plain\r\nContent-Length: {len(text)}\r\n"
                writer.write(head.encode() + b"Connection: close\r\n\r\n" + text)
            except (OSError, EOFError, TimeoutError):  # the client went away, or does not take our certificate
                pass
            await _close(writer)
        finally:
            writer.transport.abort()

    async def _lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._clients) > MOST:
            raise _No("503 Service Unavailable", f"More than {MOST} connections are open")
        target = await _target(reader)
        if target.is_twilio and target.port != 443:
            raise _No("403 Forbidden", f"{target.host} is served on port 443 only")
        if not target.is_twilio and not self._others:
            raise _No("403 Forbidden", f"{target.host} is not below {DOMAIN}; --tunnel-others lets such pass")
        there = await self._connect(target)
        try:
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await writer.drain()
            if target.is_twilio:
                context = self._authority.server_context(target.host)
                await writer.start_tls(context, ssl_handshake_timeout=_HEAD_S)
            await _join((reader, writer), there)
        finally:
            there[1].close()

    async def _connect(self, target: _Target) -> _Streams:
        host, port, tls = target.host.strip("[]"), target.port, None
        if target.is_twilio:
            tls = self._tls
            host, port = self._server.hostname or "", self._server.port or (443 if tls else 80)
        try:
            async with asyncio.timeout(_CONNECT_S):
                return await asyncio.open_connection(host, port, ssl=tls)
        except (OSError, TimeoutError) as problem:
            why = str(problem) or type(problem).__name__
            raise _No("502 Bad Gateway", f"Nothing answers at {host}, port {port}: {why}") from None


async def _target(reader: asyncio.StreamReader) -> _Target:
    try:
        async with asyncio.timeout(_HEAD_S):
            head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError:
        raise _No("431 Request Header Fields Too Large", "The request's head is too long") from None
    except TimeoutError:
        raise _No("408 Request Timeout", "The request did not come") from None
    asked = _CONNECT.match(head)
    if asked is None or not 0 < int(asked["port"]) < 65536:
        raise _No("405 Method Not Allowed", "This proxy takes CONNECT only, for https URLs")
    return _Target(asked["host"].decode().lower(), int(asked["port"]))


async def _join(one: _Streams, other: _Streams) -> None:
    """Carry bytes both ways until either side has said all."""
    ways = [asyncio.ensure_future(_copy(one[0], other[1])), asyncio.ensure_future(_copy(other[0], one[1]))]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(_PIECE):
        writer.write(piece)
        await writer.drain()


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(_GOODBYE_S):
            await writer.wait_closed()
