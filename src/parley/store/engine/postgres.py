"""PostgreSQL over asyncpg: one writing connection that commits in groups, and a few that read."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from typing import Any, Final, ParamSpec, TypeVar

import asyncpg
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import asyncpg as sqlalchemy_asyncpg

from parley.store.engine.compile import Compiler
from parley.store.engine.engine import Engine
from parley.store.engine.group import Unit
from parley.store.engine.listen import CHANNEL, NOTIFY, Listener
from parley.store.engine.news import News, of
from parley.store.engine.postgres_sql import lookup, newest, together
from parley.store.engine.statements import (
    Execute,
    Lookup,
    Newest,
    Operation,
    Query,
    Row,
    Statement,
    StoreUnavailable,
    Write,
)

P = ParamSpec("P")
R = TypeVar("R")

_compiled: Final = Compiler(sqlalchemy_asyncpg.dialect())  # type: ignore[no-untyped-call]
_READERS: Final = 2
_WRITER_SETTINGS: Final = {
    "application_name": "parley",
    # A plan made while the table was small costs several times as much once it has grown.
    "plan_cache_mode": "force_custom_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "jit": "off",
}
_READER_SETTINGS: Final = {"application_name": "parley", "jit": "off", "default_transaction_read_only": "on"}
_LISTENER_SETTINGS: Final = {"application_name": "parley"}
_WRITING_EVENTS: Final = """
SELECT virtualtransaction FROM pg_locks
 WHERE locktype = 'relation' AND relation = 'events'::regclass AND mode = 'RowExclusiveLock' AND granted
   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_SETTLE_S: Final = 0.002
_LONGEST_SETTLE_S: Final = 10.0
_LOST: Final = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InternalClientError,  # asked in the instant between its end and our hearing of that
    asyncpg.ReadOnlySQLTransactionError,  # what was the primary is a standby now
)
"""The connection is of no more use; another may be."""
_GONE: Final = (
    *_LOST,
    asyncpg.InterfaceError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
)
_COLLISIONS: Final = (asyncpg.TransactionRollbackError, asyncpg.UniqueViolationError)
_RETRIES: Final = 2


class _ConnectionLost(StoreUnavailable):
    """Before the commit: nothing was changed, and all of it may be done again."""


class PostgresEngine(Engine):
    """A database by URL (`postgresql://user@host:port/name`)."""

    name = "postgresql"

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self._writing: asyncpg.Connection[Any] | None = None
        self._open: list[asyncpg.Connection[Any]] = []
        """Every connection that was made and may be open still, whoever holds it now."""
        self._readers: asyncio.Queue[asyncpg.Connection[Any] | None] = asyncio.Queue()
        self._listener = Listener(lambda: self._dial(_LISTENER_SETTINGS), self._heard)
        self._listening: asyncio.Task[None] | None = None

    @property
    def listens(self) -> bool:
        """Whether other nodes are heard now."""
        return self._listener.is_up

    async def _connect(self) -> None:
        with _unavailable():
            self._writing = await self._dial(_WRITER_SETTINGS)
        for _ in range(_READERS):
            self._readers.put_nowait(None)  # dialled when first needed
        self._listening = asyncio.create_task(self._listener.run(), name="store-listener")

    async def _dial(self, settings: dict[str, str]) -> "asyncpg.Connection[Any]":
        if self._has_given_up:
            raise StoreUnavailable("the store is closed")
        try:
            dialled = await asyncpg.connect(self._url, server_settings=settings, statement_cache_size=512, timeout=10)
        except (ValueError, asyncpg.PostgresError) as error:  # whatever it says before we asked anything
            raise StoreUnavailable(f"cannot connect: {error}") from error
        self._open = [*(each for each in self._open if not each.is_closed()), dialled]
        return dialled

    def give_up(self) -> None:
        """Take nothing more, and hang up."""
        super().give_up()
        self._hang_up()

    def _hang_up(self) -> None:
        """End every connection without a farewell. Who is cancelled while a silent server owes an answer would wait for
        that to a ROLLBACK as well, and the process with them.
        """
        for connection in self._open:
            connection.terminate()

    async def _disconnect(self) -> None:
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
        if self._listener.untold and self._writing is not None and not self._writing.is_closed():
            with contextlib.suppress(*_GONE):
                await self._writing.execute(NOTIFY, CHANNEL, str(self._listener.untold.value), timeout=5)
        connections = [self._writing]
        while not self._readers.empty():
            connections.append(self._readers.get_nowait())
        for connection in connections:
            if connection is not None and not connection.is_closed():
                with contextlib.suppress(*_GONE):
                    await connection.close(timeout=5)
        self._hang_up()  # on readers that somebody still waits with

    async def _transact(self, units: Sequence[Unit]) -> list[Any]:
        with _unavailable():
            for _ in range(_RETRIES):
                try:
                    return await self._try(units)
                except _ConnectionLost:
                    pass
                except _COLLISIONS:
                    pass  # with another node, whose commit will be seen the next time
            return await self._try(units)

    async def _try(self, units: Sequence[Unit]) -> list[Any]:
        connection = self._writing
        if connection is None or connection.is_closed():
            connection = self._writing = await self._dial(_WRITER_SETTINGS)
        transaction = connection.transaction()
        writes = _Writes(connection)

        try:
            await transaction.start()
            results = [await _drive(writes.run, unit.make()) for unit in units]
            await writes.flush()
        except BaseException as error:
            if _is_lost(connection, error):
                raise _ConnectionLost(str(error)) from error
            await transaction.rollback()
            raise
        try:
            await transaction.commit()
        except BaseException as error:
            if _is_lost(connection, error):
                self._is_in_doubt()
            raise
        self._listener.tell(writes.news)
        return results

    async def settle(self) -> None:
        """Return once every transaction has ended, on any node, that was writing events at the call.

        Each holds a lock on the table from before it takes its first number until its rows are visible.
        """
        before = await self.read(_writing_events)
        try:
            async with asyncio.timeout(_LONGEST_SETTLE_S):
                while before:
                    await asyncio.sleep(_SETTLE_S)
                    before &= await self.read(_writing_events)
        except TimeoutError:
            raise StoreUnavailable("a transaction that writes events does not end") from None

    async def read(self, operation: Callable[P, Operation[R]], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run an operation that changes nothing on a reading connection, in one snapshot."""
        connection = await self._readers.get()
        try:
            with _unavailable():
                for _ in range(_RETRIES):
                    if connection is None or connection.is_closed():
                        connection = await self._dial(_READER_SETTINGS)
                    try:
                        async with connection.transaction(isolation="repeatable_read", readonly=True):
                            return await _drive(partial(_run, connection), operation(*args, **kwargs))
                    except Exception as error:
                        if not _is_lost(connection, error):
                            raise
                raise StoreUnavailable("the connection to the database is lost again and again")
        finally:
            self._readers.put_nowait(connection)


def _is_lost(connection: "asyncpg.Connection[Any]", error: BaseException) -> bool:
    """Whether an error means that the connection is of no more use, which ends it here too."""
    if not isinstance(error, _LOST) and not connection.is_closed():
        return False
    connection.terminate()
    return True


@contextlib.contextmanager
def _unavailable() -> Iterator[None]:
    """Turn what is the database's state, not the statement's fault, into StoreUnavailable."""
    try:
        yield
    except _GONE as error:
        if isinstance(error, ValueError):  # the driver's word for a value that does not fit its column
            raise
        raise StoreUnavailable(f"{type(error).__name__}: {error}") from error


def _writing_events() -> Operation[set[str]]:
    rows = yield Execute(text(_WRITING_EVENTS))
    return {row[0] for row in rows}


async def _drive(run: Callable[[Statement], Awaitable[list[Row]]], operation: Operation[R]) -> R:
    try:
        statement = next(operation)
        while True:
            statement = operation.send(await run(statement))
    except StopIteration as end:
        result: R = end.value
        return result


class _Writes:
    """The statements of one transaction. What is written goes to the server together: each journey there costs more
    than a few rows. It goes before anything is read of the same tables, and before statements that tell not which.
    """

    def __init__(self, connection: "asyncpg.Connection[Any]") -> None:
        self._connection = connection
        self._later: dict[str, Write] = {}
        self.news = News.NONE
        """What the commit will be news of."""

    async def run(self, statement: Statement) -> list[Row]:
        """Run a statement, or keep it for later where nobody waits for its result."""
        if isinstance(statement, Write):
            self.news |= of(statement)
            if statement.rows:
                if statement.table.name in self._later:
                    await self.flush()
                self._later[statement.table.name] = statement
            return []
        if isinstance(statement, Execute):
            self.news |= of(statement)
        if not isinstance(statement, Lookup | Newest) or statement.table.name in self._later:
            await self.flush()
        return await _run(self._connection, statement)

    async def flush(self) -> None:
        """Write what was kept."""
        if self._later:
            sql, parameters = together(list(self._later.values()))
            self._later = {}
            await self._connection.execute(sql, *parameters)


async def _run(connection: "asyncpg.Connection[Any]", statement: Statement) -> list[Row]:
    match statement:
        case Query(select):
            sql, values = _compiled(select)
            return _tuples(await connection.fetch(sql, *values))
        case Execute(change):
            sql, values = _compiled(change)
            return _tuples(await connection.fetch(sql, *values))
        case Lookup(table, columns, keys, rows, lock):
            sql, parameters = lookup(table, columns, keys, lock=lock), list(zip(*rows, strict=True))
        case Newest(table, column, _, matches, within, rows):
            sql, parameters = newest(table, column, (statement.keys, matches), within), list(zip(*rows, strict=True))
        case _:
            sql, parameters = together([statement])
    return _tuples(await connection.fetch(sql, *parameters)) if statement.rows else []


def _tuples(records: Sequence[Any]) -> list[Row]:
    return [tuple(record) for record in records]
