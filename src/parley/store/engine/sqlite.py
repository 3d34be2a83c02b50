"""SQLite: one writer thread that commits in groups with synchronous=FULL, and readers apart."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from itertools import chain
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final, ParamSpec, TypeVar

from sqlalchemy import Table
from sqlalchemy.dialects import sqlite as sqlalchemy_sqlite
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler

from parley.store.engine.compile import Compiler
from parley.store.engine.engine import Engine
from parley.store.engine.group import Unit
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


class _WithHints(SQLiteCompiler):
    """Lets a query say which index it means: SQLite, without statistics, takes any account to have few messages."""

    def get_from_hint_text(self, table: Any, text: str | None) -> str | None:
        """Put the hint (`INDEXED BY name`) behind the table as it stands."""
        return text


_DIALECT: Final = sqlalchemy_sqlite.dialect(paramstyle="qmark")
_DIALECT.statement_compiler = _WithHints
_compiled: Final = Compiler(_DIALECT)
_READERS: Final = 2
_SIZES: Final = (1, 8, 32, 128)
"""How many rows a statement finds, changes or removes; few sizes, so that each is prepared once."""
_ADDED: Final = (64, 16, 4, 1)
"""How many rows a statement adds: as many as there still are."""
_PRAGMAS: Final = (
    "PRAGMA journal_mode = WAL",
    # NORMAL gains little and may lose the last commits when the power fails; a 201 must mean durable.
    "PRAGMA synchronous = FULL",
    "PRAGMA busy_timeout = 5000",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cache_size = -16384",
)
_STEP_MS: Final = 250
_STEPS: Final = 20
"""Another process that writes is waited for in so many steps."""
_READER_PRAGMAS: Final = (*_PRAGMAS, "PRAGMA query_only = ON")

# Python asks each octet string and each None how it wants to be stored, and raises and catches an AttributeError inside
# when it has no answer: half of what a row costs. These answer with themselves.
sqlite3.register_adapter(bytes, bytes.__bytes__)
sqlite3.register_adapter(type(None), lambda _: None)


class SqliteEngine(Engine):
    """A database file. `path` is created with its directory when absent."""

    name = "sqlite"

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self._writing: sqlite3.Connection | None = None
        self._inode = (0, 0)
        self._writer_thread = ThreadPoolExecutor(1, "sqlite-writer")
        self._reader_threads = ThreadPoolExecutor(_READERS, "sqlite-reader")
        self._readers: SimpleQueue[sqlite3.Connection] = SimpleQueue()

    async def _connect(self) -> None:
        def connect() -> None:
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._writing = _open(self.path, (*_PRAGMAS, f"PRAGMA busy_timeout = {_STEP_MS}"))
                self._inode = _inode(self.path)
                for _ in range(_READERS):
                    self._readers.put(_open(self.path, _READER_PRAGMAS))
            except (OSError, sqlite3.Error) as error:
                raise StoreUnavailable(f"cannot open {self.path}: {error}") from error

        await asyncio.get_running_loop().run_in_executor(self._writer_thread, connect)

    async def settle(self) -> None:
        """Return at once: one writes at a time."""

    async def _disconnect(self) -> None:
        self._reader_threads.shutdown()
        self._writer_thread.shutdown()
        while not self._readers.empty():
            self._readers.get().close()
        if self._writing is not None:
            self._writing.close()

    async def _transact(self, units: Sequence[Unit]) -> list[Any]:
        return await asyncio.get_running_loop().run_in_executor(self._writer_thread, self._transact_now, units)

    def _transact_now(self, units: Sequence[Unit]) -> list[Any]:
        connection = self._writing
        assert connection is not None, "the engine is open"
        self._check_file()
        with _unavailable():
            self._begin(connection)
            try:
                results = [drive(connection, unit.make()) for unit in units]
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        self._check_file()
        return results

    def _begin(self, connection: sqlite3.Connection) -> None:
        """Take the file's lock. Who holds it is waited for in steps, or a process that is to end would wait for all."""
        for left in reversed(range(_STEPS)):
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or not left or self._has_given_up:
                    raise
            else:
                return

    def _check_file(self) -> None:
        """Raise StoreUnavailable when the file is gone, or another stands there.

        SQLite would go on committing to the one that it has open, which nobody will ever find again.
        """
        try:
            found = _inode(self.path)
        except OSError as error:
            raise StoreUnavailable(f"the database file is gone: {error}") from error
        if found != self._inode:
            raise StoreUnavailable("another file stands in the database's place; start again to use it")

    async def read(self, operation: Callable[P, Operation[R]], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run an operation that changes nothing on a reader's thread, in one snapshot."""

        def run() -> R:
            connection = self._readers.get()
            try:
                with _unavailable():
                    connection.execute("BEGIN")  # one snapshot for all of its statements
                    try:
                        return drive(connection, operation(*args, **kwargs))
                    finally:
                        connection.execute("COMMIT")
            finally:
                self._readers.put(connection)

        return await asyncio.get_running_loop().run_in_executor(self._reader_threads, run)


def _open(path: Path, pragmas: Sequence[str]) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=512)
    for pragma in pragmas:
        connection.execute(pragma)
    return connection


def _inode(path: Path) -> tuple[int, int]:
    """What tells a file from another of its name."""
    found = path.stat()
    return found.st_dev, found.st_ino


@contextlib.contextmanager
def _unavailable() -> Iterator[None]:
    """Turn what is the database's state, not the statement's fault, into StoreUnavailable."""
    try:
        yield
    except (sqlite3.OperationalError, sqlite3.DatabaseError) as error:
        if isinstance(error, (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.DataError)):
            raise
        raise StoreUnavailable(str(error)) from error


def drive(connection: sqlite3.Connection, operation: Operation[R]) -> R:
    """Run an operation on a connection, inside whatever transaction it has begun."""
    try:
        statement = next(operation)
        while True:
            statement = operation.send(_run(connection, statement))
    except StopIteration as end:
        result: R = end.value
        return result


def _run(connection: sqlite3.Connection, statement: Statement) -> list[Row]:
    match statement:
        case Lookup(table, columns, keys, rows):
            return _in_sizes(connection, partial(_lookup, table, columns, keys), rows)
        case Newest(table, column, index, matches, within, rows):
            make = partial(_newest, table, column, index, (statement.keys, matches), within)
            return _in_sizes(connection, make, rows)
        case Query(select):
            return connection.execute(*_compiled(select)).fetchall()
        case Execute(change):
            return connection.execute(*_compiled(change)).fetchall()
        case Insert(table, rows, columns, ignore):
            _add(connection, partial(_insert, table, columns, ignore=ignore), rows)
            return []
        case Upsert(table, rows):
            _add(connection, partial(_upsert, table), rows)
            return []
        case Update(table, columns, keys, rows):
            return _in_sizes(connection, partial(_update, table, columns, keys), rows)
        case Delete(table, keys, rows):
            return _in_sizes(connection, partial(_delete, table, keys), rows)


def _in_sizes(connection: sqlite3.Connection, make: Callable[[int], str], rows: Sequence[Row]) -> list[Row]:
    """Many rows at a time: each statement's own cost is several times that of a row, and between two steps the event
    loop takes the GIL, and has to give it back.
    """
    found: list[Row] = []
    at = 0
    while (left := len(rows) - at) > 0:
        size = next((size for size in _SIZES if size >= left), _SIZES[-1])
        parameters = list(chain.from_iterable(rows[at : at + size]))
        parameters += [None] * (size * len(rows[0]) - len(parameters))  # equal to nothing
        found += connection.execute(make(size), parameters)
        at += size
    return found


def _add(connection: sqlite3.Connection, make: Callable[[int], str], rows: Sequence[Row]) -> None:
    at = 0
    for size in _ADDED:
        while len(rows) - at >= size:
            connection.execute(make(size), list(chain.from_iterable(rows[at : at + size])))
            at += size


@cache
def _insert(table: Table, columns: tuple[str, ...] | None, size: int, *, ignore: bool) -> str:
    names = columns or tuple(table.c.keys())
    conflict = " ON CONFLICT DO NOTHING" if ignore else ""  # OR IGNORE would pass over rows that lack something as well
    return f"INSERT INTO {table.name} ({', '.join(names)}) VALUES {_rows(len(names), size)}{conflict}"


@cache
def _upsert(table: Table, size: int) -> str:
    names = tuple(table.c.keys())
    keys = [column.name for column in table.primary_key]
    rest = ", ".join(f"{name} = excluded.{name}" for name in names if name not in keys)
    return f"{_insert(table, None, size, ignore=False)} ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {rest}"


@cache
def _update(table: Table, columns: tuple[str, ...], keys: tuple[str, ...], size: int) -> str:
    if size == 1:
        return f"UPDATE {table.name} SET {', '.join(f'{c} = ?' for c in columns)} WHERE {_equal(keys)}"
    sets = ", ".join(f"{column} = u.column{n}" for n, column in enumerate(columns, 1))
    joined = " AND ".join(f"{table.name}.{key} = u.column{n}" for n, key in enumerate(keys, len(columns) + 1))
    return f"UPDATE {table.name} SET {sets} FROM (VALUES {_rows(len(columns) + len(keys), size)}) AS u WHERE {joined}"


@cache
def _delete(table: Table, keys: tuple[str, ...], size: int) -> str:
    if len(keys) == 1 < size:
        return f"DELETE FROM {table.name} WHERE {keys[0]} IN (VALUES {_rows(1, size)})"
    # Several columns at once it would not look up among values, but read the whole table.
    return f"DELETE FROM {table.name} WHERE {' OR '.join([_equal(keys)] * size)}"


@cache
def _lookup(table: Table, columns: tuple[str, ...], keys: tuple[str, ...], size: int) -> str:
    if size == 1:
        return f"SELECT {', '.join(columns)} FROM {table.name} WHERE {_equal(keys)}"
    names = ", ".join(f"t.{name}" for name in columns)
    joined = " AND ".join(f"t.{key} = u.column{n}" for n, key in enumerate(keys, 1))
    # CROSS JOIN keeps this order of the two: SQLite, without statistics, might read all of the table instead.
    return f"SELECT {names} FROM (VALUES {_rows(len(keys), size)}) AS u CROSS JOIN {table.name} AS t WHERE {joined}"


@cache
def _newest(
    table: Table, column: str, index: str, columns: tuple[tuple[str, ...], tuple[str, ...]], within: int, size: int
) -> str:
    (*keys, order), matches = columns
    equal = " AND ".join(f"t.{key} = u.column{n}" for n, key in enumerate(keys, 1))
    fits = " AND ".join(f"r.{name} = u.column{n}" for n, name in enumerate(matches, len(keys) + 1))
    newest = (
        f"SELECT {', '.join(f't.{name}' for name in (column, *matches))} FROM {table.name} AS t INDEXED BY {index}"
        f" WHERE {equal} ORDER BY t.{order} DESC LIMIT {within}"
    )
    first = f"SELECT r.{column} FROM ({newest}) AS r WHERE {fits} AND r.{column} IS NOT NULL LIMIT 1"
    asked = ", ".join(f"u.column{n}" for n in range(1, len(keys) + len(matches) + 1))
    return f"SELECT {asked}, ({first}) FROM (VALUES {_rows(len(keys) + len(matches), size)}) AS u"


def _rows(columns: int, size: int) -> str:
    return ", ".join([f"({', '.join('?' * columns)})"] * size)


def _equal(keys: tuple[str, ...]) -> str:
    return " AND ".join(f"{key} = ?" for key in keys)
