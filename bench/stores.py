"""Fresh databases to measure on: a SQLite file or a PostgreSQL database for each run, gone after it."""

import contextlib
import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg

from tests.postgres import NotAvailableError, Server, find_server, new_shared_directory, run, stop_server

SQLITE = "sqlite"
POSTGRESQL = "postgresql"


class Stores:
    """Where the runs get their databases. `absent` says why there is no PostgreSQL, if there is none."""

    def __init__(self) -> None:
        self._shared = new_shared_directory()
        self._server: Server | None = None
        self.absent: str | None = None
        self.settings: dict[str, str] = {}
        """Of the PostgreSQL server, those that its figures depend on."""

    def look_for_postgresql(self) -> None:
        """Find a PostgreSQL server as the tests do, or note why there is none."""
        try:
            self._server = find_server(self._shared)
        except NotAvailableError as problem:
            self.absent = str(problem)
            return
        names = ("server_version", "fsync", "synchronous_commit", "shared_buffers")
        self.settings = run(_settings(self._server.database_url("postgres"), names))

    def close(self) -> None:
        """Stop the server, if it was started for this bench."""
        stop_server(self._shared)

    @contextlib.contextmanager
    def fresh(self, engine: str) -> Iterator[tuple[str, str, Path]]:
        """Make an empty database. Yields its URL, its name, and a directory for its server's files."""
        name = f"parley_bench_{secrets.token_hex(4)}"
        with tempfile.TemporaryDirectory(prefix="parley-bench-") as directory:
            if engine == SQLITE:
                yield f"sqlite:///{directory}/parley.db", name, Path(directory)
                return
            assert self._server is not None
            url = self._server.create(name)
            try:
                yield url, name, Path(directory)
            finally:
                self._server.drop(name)


async def _settings(url: str, names: tuple[str, ...]) -> dict[str, str]:
    connection = await asyncpg.connect(url, timeout=5)
    try:
        return {name: await connection.fetchval(f"SHOW {name}") for name in names}
    finally:
        await connection.close()
