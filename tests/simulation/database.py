"""One database in memory that all nodes share, without threads, and which fails before a commit, or after it."""

import asyncio
import random
import sqlite3
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from parley.store import Operation, StoreUnavailable
from parley.store.engine.group import Unit
from parley.store.engine.sqlite import SqliteEngine, drive
from tests.store.tables import definition

P = ParamSpec("P")
R = TypeVar("R")


@cache
def _empty() -> bytes:
    connection = sqlite3.connect(":memory:")
    connection.executescript(definition("sqlite"))
    return connection.serialize()


class Database:
    """The tables, and how likely it is that the next transaction fails."""

    def __init__(self, chance: random.Random) -> None:
        self.connection = sqlite3.connect(":memory:", isolation_level=None, cached_statements=512)
        self.connection.deserialize(_empty())
        self.chance = chance
        self.faults = 0.0
        self.is_away = False
        self.commits: list[int] = []
        """The last event's number after each commit: which events are one transaction's."""

    def committed(self) -> None:
        """Note where a transaction ended."""
        (last,) = self.connection.execute("SELECT max(seq) FROM events").fetchone()
        self.commits.append(last or 0)

    def waiting(self) -> list[tuple[bytes | None, int]]:
        """Each message and callback that waits: who holds it, and when it is due."""
        return self.connection.execute(
            "SELECT node, due_at FROM pending UNION ALL SELECT node, due_at FROM callbacks WHERE state = 'pending'"
        ).fetchall()

    def owing(self) -> list[bytes]:
        """The messages of which somebody has still to be told."""
        rows = self.connection.execute("SELECT DISTINCT message_id FROM callbacks WHERE state = 'pending'")
        return [row[0] for row in rows]

    def telling(self) -> int:
        """How many events Relay's clients are owed."""
        (count,) = self.connection.execute("SELECT count(*) FROM relay_events").fetchone()
        return int(count)

    def fails(self) -> bool:
        """Draw."""
        return self.is_away or self.chance.random() < self.faults


class SimulatedEngine(SqliteEngine):
    """One node's way to the database. Once `is_dead`, nothing of it arrives."""

    def __init__(self, database: Database) -> None:
        super().__init__(Path("/nowhere"))
        self._database = database
        self.is_dead = False

    async def _connect(self) -> None:
        self._writing = self._database.connection

    async def _disconnect(self) -> None:
        pass

    def _check_file(self) -> None:
        """Look for no file: the nodes' database is in memory."""

    async def _transact(self, units: Sequence[Unit]) -> list[Any]:
        database = self._database
        await asyncio.sleep(database.chance.random() * 0.01)
        if self.is_dead or database.fails():
            raise StoreUnavailable("it is gone, and nothing was changed")
        results = self._transact_now(units)
        database.committed()
        await asyncio.sleep(database.chance.random() * 0.01)  # a node that dies here never hears of its commit
        if database.chance.random() < database.faults:
            self._is_in_doubt()
            raise StoreUnavailable("the answer to the commit was lost")
        return results

    async def read(self, operation: Callable[P, Operation[R]], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run an operation in one snapshot: nothing else runs meanwhile."""
        await asyncio.sleep(0)
        if self.is_dead or self._database.fails():
            raise StoreUnavailable("it is gone")
        return drive(self._database.connection, operation(*args, **kwargs))
