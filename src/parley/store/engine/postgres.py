"""PostgreSQL over asyncpg: one writing connection that commits in groups, and a few that read."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import lru_cache, partial
from typing import Any, Final, ParamSpec, TypeVar

import asyncpg
from sqlalchemy import BigInteger, Integer, LargeBinary, SmallInteger, Table, Text, text
from sqlalchemy.dialects.postgresql import asyncpg as sqlalchemy_asyncpg

from parley.store.engine.compile import Compiler
from parley.store.engine.engine import Engine
from parley.store.engine.group import Unit
from parley.store.engine.listen import CHANNEL, NOTIFY, Listener
from parley.store.engine.news import News, of
from parley.store.engine.statements import (
    Delete,
    Execute,
    Insert,
    Lookup,
    Newest,
    Operation,
    Query,
    Row,
    Statement,
    StoreUnavailable,
    Update,
    Upsert,
)

P = ParamSpec("P")
R = TypeVar("R")

_compiled: Final = Compiler(sqlalchemy_asyncpg.dialect())  # type: ignore[no-untyped-call]
_READERS: Final = 2
_ARRAYS: Final[dict[type[Any], str]] = {
    LargeBinary: "bytea[]",
    Text: "text[]",
    BigInteger: "int8[]",
    Integer: "int4[]",
    SmallInteger: "int2[]",
}
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
        try:
            return await asyncpg.connect(self._url, server_settings=settings, statement_cache_size=512, timeout=10)
        except (ValueError, asyncpg.PostgresError) as error:  # whatever it says before we asked anything
            raise StoreUnavailable(f"cannot connect: {error}") from error

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
        news = News.NONE

        async def run(statement: Statement) -> list[Row]:
            nonlocal news
            if isinstance(statement, Insert | Upsert | Update | Delete | Execute):
                news |= of(statement)
            return await _run(connection, statement)

        try:
            await transaction.start()
            results = [await _drive(run, unit.make()) for unit in units]
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
        self._listener.tell(news)
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


async def _run(connection: "asyncpg.Connection[Any]", statement: Statement) -> list[Row]:
    match statement:
        case Query(select):
            sql, values = _compiled(select)
            return _tuples(await connection.fetch(sql, *values))
        case Execute(change):
            sql, values = _compiled(change)
            return _tuples(await connection.fetch(sql, *values))
        case Lookup(table, columns, keys, rows, lock):
            if not rows:
                return []
            return _tuples(await connection.fetch(_lookup(table, columns, keys, lock=lock), *_arrays(rows)))
        case Newest(table, column, _, matches, within, rows):
            if not rows:
                return []
            sql = _newest(table, column, (statement.keys, matches), within)
            return _tuples(await connection.fetch(sql, *_arrays(rows)))
        case _:
            if statement.rows:
                await connection.execute(_many(statement), *_arrays(statement.rows))
            return []


def _tuples(records: Sequence[Any]) -> list[Row]:
    return [tuple(record) for record in records]


def _arrays(rows: Sequence[Row]) -> list[tuple[Any, ...]]:
    return list(zip(*rows, strict=True))


def _many(statement: Insert | Upsert | Update | Delete) -> str:
    match statement:
        case Insert(table, _, columns, ignore):
            return _insert(table, columns, ignore=ignore)
        case Upsert(table):
            return _upsert(table)
        case Update(table, columns, keys):
            return _update(table, columns, keys)
        case Delete(table, keys):
            return _delete(table, keys)


def _unnest(table: Table, names: tuple[str, ...]) -> str:
    """The parameters as a set of rows named `u`."""
    types = (_array_type(table, name) for name in names)
    arrays = ", ".join(f"${n}::{kind}" for n, kind in enumerate(types, 1))
    return f"unnest({arrays}) AS u({', '.join(names)})"


def _array_type(table: Table, name: str) -> str:
    kind = table.c[name].type
    return next(array for base, array in _ARRAYS.items() if type(kind) is base)


@lru_cache
def _insert(table: Table, columns: tuple[str, ...] | None, *, ignore: bool) -> str:
    names = columns or tuple(table.c.keys())
    suffix = " ON CONFLICT DO NOTHING" if ignore else ""
    return (
        f"INSERT INTO {table.name} ({', '.join(names)}) SELECT {', '.join(names)} FROM {_unnest(table, names)}{suffix}"
    )


@lru_cache
def _upsert(table: Table) -> str:
    names = tuple(table.c.keys())
    keys = [column.name for column in table.primary_key]
    rest = ", ".join(f"{name} = excluded.{name}" for name in names if name not in keys)
    return f"{_insert(table, None, ignore=False)} ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {rest}"


@lru_cache
def _update(table: Table, columns: tuple[str, ...], keys: tuple[str, ...]) -> str:
    sets = ", ".join(f"{name} = u.new_{name}" for name in columns)
    names = (*(f"new_{name}" for name in columns), *keys)
    types = [_array_type(table, name) for name in (*columns, *keys)]
    arrays = ", ".join(f"${n}::{kind}" for n, kind in enumerate(types, 1))
    return f"UPDATE {table.name} AS t SET {sets} FROM unnest({arrays}) AS u({', '.join(names)}) WHERE {_joined(keys)}"


@lru_cache
def _delete(table: Table, keys: tuple[str, ...]) -> str:
    return f"DELETE FROM {table.name} AS t USING {_unnest(table, keys)} WHERE {_joined(keys)}"


@lru_cache
def _lookup(table: Table, columns: tuple[str, ...], keys: tuple[str, ...], *, lock: bool) -> str:
    names = ", ".join(f"t.{name}" for name in columns)
    # Rows are locked in one order everywhere, or two nodes could wait for each other.
    suffix = f" ORDER BY {', '.join(f't.{key}' for key in keys)} FOR UPDATE OF t" if lock else ""
    return f"SELECT {names} FROM {table.name} AS t JOIN {_unnest(table, keys)} ON {_joined(keys)}{suffix}"


@lru_cache
def _newest(table: Table, column: str, columns: tuple[tuple[str, ...], tuple[str, ...]], within: int) -> str:
    (*keys, order), matches = columns
    newest = (
        f"SELECT {', '.join(f't.{name}' for name in (column, *matches))} FROM {table.name} AS t"
        f" WHERE {_joined(tuple(keys))} ORDER BY t.{order} DESC LIMIT {within}"
    )
    fits = " AND ".join(f"r.{name} = u.{name}" for name in matches)
    asked = (*keys, *matches)
    names = ", ".join(f"u.{name}" for name in asked)
    first = f"SELECT r.{column} FROM ({newest}) AS r WHERE {fits} AND r.{column} IS NOT NULL LIMIT 1"
    return f"SELECT {names}, ({first}) FROM {_unnest(table, asked)}"


def _joined(keys: tuple[str, ...]) -> str:
    return " AND ".join(f"t.{key} = u.{key}" for key in keys)
