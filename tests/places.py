"""Where the tests keep what is written: in memory where there is room, with tables that are made once a worker."""

import asyncio
import os
import tempfile
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any, Final

import asyncpg

from parley.store import schema
from parley.store.migrate import migrate
from tests.postgres import run

_MEMORY: Final = Path("/dev/shm")
_ROOM: Final = 2 << 30


def root() -> Path | None:
    """A directory in memory, or None where there is little of it: then the machine's own for such things has to do.

    On a disk, half of a run is spent waiting for fsync; and the tests kill Parley, never the machine.
    """
    try:
        room = os.statvfs(_MEMORY)
    except OSError:
        return None
    return _MEMORY if os.access(_MEMORY, os.W_OK) and room.f_bavail * room.f_frsize >= _ROOM else None


def lay(path: Path) -> None:
    """Put a SQLite database with today's tables and no record to where none is yet."""
    if not path.exists() and path.parent.is_dir():
        path.write_bytes(_image())


@cache
def _image() -> bytes:
    with tempfile.TemporaryDirectory(dir=root()) as directory:
        path = Path(directory) / "parley.db"
        run(_migrated(f"sqlite:///{path}"))
        return path.read_bytes()


async def _migrated(url: str) -> None:
    await migrate(url)


class Tables:
    """A PostgreSQL database with today's tables, emptied over a connection that stays: a new one has to learn of every
    table first.
    """

    def __init__(self, url: str) -> None:
        """Migrate the empty database at `url`."""
        self.url = url
        self._thread = ThreadPoolExecutor(1, "tables")
        self._runner = asyncio.Runner()
        self._connection: asyncpg.Connection | None = None
        self._run(_migrated(url))

    def empty(self) -> None:
        """Take out every record, and cut off whoever is still connected."""
        try:
            self._run(self._empty())
        except (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError):
            self._connection = None  # a test cut off everybody
            self._run(self._empty())

    def close(self) -> None:
        """Be connected no more."""
        self._run(self._close())
        self._thread.submit(self._runner.close).result()
        self._thread.shutdown()

    def _run(self, coroutine: Coroutine[Any, Any, None]) -> None:
        self._thread.submit(self._runner.run, coroutine).result()

    async def _empty(self) -> None:
        if self._connection is None:
            self._connection = await asyncpg.connect(self.url, timeout=5)
        await self._connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        await self._connection.execute(_emptying())

    async def _close(self) -> None:
        if self._connection is not None:
            self._connection.terminate()


@cache
def _emptying() -> str:
    tables = schema.metadata.sorted_tables
    statements = [f"DELETE FROM {table.name}" for table in tables]
    statements += [f"ALTER SEQUENCE {table.name}_seq_seq RESTART" for table in tables if "seq" in table.c]
    return "; ".join(statements)
