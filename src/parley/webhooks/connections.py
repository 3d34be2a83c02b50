"""Connections to hosts: kept for a while after an exchange, made anew when none is there."""

import asyncio
import socket
import ssl
from collections import deque
from ipaddress import ip_address
from typing import Final

import aiohappyeyeballs
from yarl import URL

from parley.webhooks.exchange import Connection
from parley.webhooks.guard import GuardedResolver

KEEP_ALIVE_S: Final = 4.0
"""Below the 5 s after which uvicorn and Node close an idle connection, so that we close first."""
_RESOLVED_S: Final = 10.0
_MOST_RESOLVED: Final = 10_000
_HEAD_START_S: Final = 0.25
"""How long one address is tried before the next is tried beside it (RFC 8305)."""

Origin = tuple[str, str, int]
"""Scheme, host and port."""


class NoSuchName(Exception):
    """The host's name does not resolve."""


class NotConnected(Exception):
    """No connection could be made; the text says why. `is_late` when it took too long."""

    def __init__(self, reason: str, *, is_late: bool = False) -> None:
        super().__init__(reason)
        self.is_late = is_late


class Connections:
    """The connections of one client. Names are resolved by `resolver`, whose guard judges where they lead; who asks for
    an address has it judged before.
    """

    def __init__(self, resolver: GuardedResolver, tls: ssl.SSLContext | None) -> None:
        self._resolver = resolver
        self._tls = tls
        self._idle: dict[Origin, deque[Connection]] = {}
        self._sweeping: asyncio.TimerHandle | None = None
        self._resolved: dict[tuple[str, int], tuple[float, list[tuple[socket.AddressFamily, str]]]] = {}
        self._is_closed = False

    def kept(self, origin: Origin) -> Connection | None:
        """A connection that is open since an exchange a moment ago."""
        idle = self._idle.get(origin)
        since = asyncio.get_running_loop().time() - KEEP_ALIVE_S
        while idle:
            connection = idle.pop()
            if connection.is_reusable and connection.idle_since > since:
                return connection
            connection.close()
        return None

    def keep(self, origin: Origin, connection: Connection) -> None:
        """Take a connection back after an exchange."""
        if not connection.is_reusable or self._is_closed:
            connection.close()
            return
        self._idle.setdefault(origin, deque()).append(connection)
        if self._sweeping is None:
            self._sweeping = asyncio.get_running_loop().call_later(KEEP_ALIVE_S, self._sweep)

    async def make(self, url: URL, within_s: float) -> Connection:
        """Connect. Raises NoSuchName, NotConnected, RefusedUrl and ssl.SSLError."""
        if self._is_closed:
            raise ConnectionError("the client is closed")
        try:
            async with asyncio.timeout(within_s):
                return await self._connect(url)
        except TimeoutError:
            raise NotConnected("no connection in time", is_late=True) from None

    def close(self) -> None:
        """Hang up everywhere."""
        self._is_closed = True
        if self._sweeping is not None:
            self._sweeping.cancel()
        for idle in self._idle.values():
            for connection in idle:
                connection.close()
        self._idle.clear()

    async def _connect(self, url: URL) -> Connection:
        host, port = url.raw_host or "", url.port or 0
        addresses = [
            (family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port))
            for family, address in await self._addresses(host, port)
        ]
        loop = asyncio.get_running_loop()
        try:
            connected = await aiohappyeyeballs.start_connection(
                addresses, happy_eyeballs_delay=_HEAD_START_S, loop=loop
            )
        except OSError as error:
            raise NotConnected(error.strerror or str(error)) from None
        tls = None if url.scheme == "http" else self._context()
        try:
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            name = host.rstrip(".") if tls else None
            _, connection = await loop.create_connection(Connection, sock=connected, ssl=tls, server_hostname=name)
        except ssl.SSLError:
            connected.close()
            raise
        except OSError as error:
            connected.close()
            raise NotConnected(error.strerror or str(error)) from None
        except BaseException:
            connected.close()
            raise
        return connection

    async def _addresses(self, host: str, port: int) -> list[tuple[socket.AddressFamily, str]]:
        try:
            address = ip_address(host)
        except ValueError:
            pass
        else:
            return [(socket.AF_INET if address.version == 4 else socket.AF_INET6, host)]
        now = asyncio.get_running_loop().time()
        known = self._resolved.get((host, port))
        if known is None or known[0] < now:
            try:
                found = await self._resolver.resolve(host, port)
            except OSError:
                raise NoSuchName(host) from None
            if len(self._resolved) >= _MOST_RESOLVED:  # hosts come from clients' URLs
                self._resolved.clear()
            known = (now + _RESOLVED_S, [(socket.AddressFamily(each["family"]), each["host"]) for each in found])
            self._resolved[host, port] = known
        return known[1]

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:  # reading the system's authorities takes a while, and many nodes call no https
            self._tls = ssl.create_default_context()
            self._tls.set_alpn_protocols(["http/1.1"])
        return self._tls

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        since = loop.time() - KEEP_ALIVE_S
        for origin, idle in list(self._idle.items()):
            while idle and (idle[0].idle_since <= since or not idle[0].is_reusable):
                idle.popleft().close()
            if not idle:
                del self._idle[origin]
        self._sweeping = loop.call_later(KEEP_ALIVE_S / 4, self._sweep) if self._idle else None
