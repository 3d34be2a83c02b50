"""A way to PostgreSQL that can break at the worst moment: when a commit has happened and its answer is on its way."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

_COMMIT = b"COMMIT;\0"
_READ_ONLY = b"default_transaction_read_only"
"""Stands in the greeting of a connection that commits nothing."""


class Proxy:
    """Passes everything on, until it is told to swallow the answer of a commit."""

    def __init__(self, url: str) -> None:
        self._parts = urlsplit(url)
        self.swallows = 0
        """Answers of commits to swallow from now on; with each the connection ends."""
        self.swallowed = 0
        self.is_silent = False
        """Whether nothing gets through any more, and no connection ends: as when a cable is pulled."""
        self._pipes: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """Where the database is through this proxy."""
        host, port = self._server.sockets[0].getsockname()
        user = f"{self._parts.username}@" if self._parts.username else ""
        return self._parts._replace(netloc=f"{user}{host}:{port}").geturl() + "?sslmode=disable"

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)

    async def stop(self) -> None:
        self._server.close()
        for pipe in self._pipes:
            pipe.cancel()
        await asyncio.gather(*self._pipes, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert self._parts.hostname is not None
        back_reader, back_writer = await asyncio.open_connection(self._parts.hostname, self._parts.port or 5432)
        ends = (writer, back_writer)
        doomed = asyncio.Event()
        for pipe in (
            asyncio.create_task(self._ask(reader, back_writer, doomed, ends)),
            asyncio.create_task(self._answer(back_reader, writer, doomed, ends)),
        ):
            self._pipes.add(pipe)
            pipe.add_done_callback(self._pipes.discard)

    async def _ask(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        doomed: asyncio.Event,
        ends: tuple[asyncio.StreamWriter, ...],
    ) -> None:
        reads_only = False
        try:
            while data := await reader.read(65536):
                if self.is_silent:
                    continue
                reads_only = reads_only or _READ_ONLY in data
                if self.swallows and not reads_only and data.endswith(_COMMIT):
                    self.swallows -= 1
                    doomed.set()
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            for end in ends:
                end.close()

    async def _answer(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        doomed: asyncio.Event,
        ends: tuple[asyncio.StreamWriter, ...],
    ) -> None:
        try:
            while data := await reader.read(65536):
                if self.is_silent:
                    continue
                if doomed.is_set():  # it has committed: this is the answer
                    self.swallowed += 1
                    break
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            for end in ends:
                end.close()


@asynccontextmanager
async def proxied(url: str) -> AsyncIterator[Proxy]:
    """Stand between for the time of a with block."""
    proxy = Proxy(url)
    await proxy.start()
    try:
        yield proxy
    finally:
        await proxy.stop()
