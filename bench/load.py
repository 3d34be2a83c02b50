"""The load: prebuilt requests over keep-alive connections, one at a time on each, with as little parsing as will do.

Its own protocol on uvloop, because an HTTP client costs more than the server under test, and would be what is measured.
"""

import asyncio
import time
from array import array
from collections.abc import Sequence
from typing import cast

import msgspec

ANSWER_WITHIN_S = 60.0


class LoadError(Exception):
    """A request was not answered by 201, or a connection broke."""


class Load(msgspec.Struct, frozen=True):
    """What one run of requests took. Times in seconds; `cpu_share` is the part of the time that the load itself ran."""

    requests: int
    seconds: float
    p50: float
    p99: float
    slowest: float
    cpu_share: float

    @property
    def rate(self) -> float:
        return self.requests / self.seconds


class _Run:
    """The requests still to send, shared by all connections, and what became of those sent."""

    def __init__(self, requests: Sequence[bytes]) -> None:
        self.waiting = iter(requests)
        self.left = len(requests)
        self.latencies = array("d")
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def fail(self, reason: str) -> None:
        if not self.done.done():
            self.done.set_exception(LoadError(reason))


class _Connection(asyncio.Protocol):
    """One keep-alive connection: the next request goes out when the last one's answer is complete."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport
        self._run: _Run | None = None
        self._buffer = b""
        self._started = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def begin(self, run: _Run) -> None:
        self._run = run
        self._next(run)

    def _next(self, run: _Run) -> None:
        request = next(run.waiting, None)
        if request is None:
            self._run = None
            return
        self._started = time.perf_counter()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        run = self._run
        if run is None:
            return
        if self._buffer:
            data = self._buffer + data
        end = data.find(b"\r\n\r\n")
        if end < 0 or len(data) < end + 4 + _length(data, end):
            self._buffer = data
            return
        self._buffer = b""
        if data[9:12] != b"201":
            run.fail(data[:600].decode("utf-8", "replace"))
            return
        run.latencies.append(time.perf_counter() - self._started)
        run.left -= 1
        if not run.left and not run.done.done():
            run.done.set_result(None)
        self._next(run)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._run is not None:
            self._run.fail(f"a connection was lost: {exc!r}")


def _length(data: bytes, end: int) -> int:
    at = data.find(b"content-length: ", 0, end)
    if at < 0:
        at = data.lower().find(b"content-length: ", 0, end)
    if at < 0:
        return 0
    return int(data[at + 16 : data.index(b"\r\n", at)])


class Loader:
    """A set of open connections to one server, for one or more runs."""

    def __init__(self, connections: Sequence[_Connection]) -> None:
        self._connections = connections

    @classmethod
    async def connect(cls, port: int, connections: int) -> "Loader":
        """Open `connections` connections to a port of this machine."""
        loop = asyncio.get_running_loop()
        made = [await loop.create_connection(_Connection, "127.0.0.1", port) for _ in range(connections)]
        return cls([protocol for _, protocol in made])

    async def run(self, requests: Sequence[bytes]) -> Load:
        """Send every request once, and wait for the last answer. Raises LoadError."""
        run = _Run(requests)
        started, cpu = time.perf_counter(), time.process_time()
        for connection in self._connections:
            connection.begin(run)
        async with asyncio.timeout(ANSWER_WITHIN_S + len(requests) / 100):
            await run.done
        seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
        latencies = sorted(run.latencies)
        return Load(
            len(requests),
            seconds,
            latencies[len(latencies) // 2],
            latencies[min(len(latencies) - 1, len(latencies) * 99 // 100)],
            latencies[-1],
            cpu / seconds,
        )

    def close(self) -> None:
        """Close every connection."""
        for connection in self._connections:
            connection.transport.close()
