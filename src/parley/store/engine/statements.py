"""The statements that operations are made of, and how one operation runs on either engine.

An operation is a generator: it yields statements, is sent each one's result, and returns its own. It does no I/O and
knows no engine; SQLite drives it in the writer's thread, PostgreSQL over asyncpg.
"""

from collections.abc import Generator, Sequence
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Table
from sqlalchemy.sql.expression import Delete as DeleteStatement
from sqlalchemy.sql.expression import Select
from sqlalchemy.sql.expression import Update as UpdateStatement

Row = tuple[Any, ...]


class Insert(msgspec.Struct, frozen=True):
    """Add rows (full rows in column order, or of `columns`). With `ignore`, those whose key exists stay as they are."""

    table: Table
    rows: Sequence[Row]
    columns: tuple[str, ...] | None = None
    ignore: bool = False


class Upsert(msgspec.Struct, frozen=True):
    """Add full rows, or overwrite those whose primary key exists."""

    table: Table
    rows: Sequence[Row]


class Update(msgspec.Struct, frozen=True):
    """Set `columns` of the row with `keys`; each row holds the columns' values, then the keys'. No keys come twice."""

    table: Table
    columns: tuple[str, ...]
    keys: tuple[str, ...]
    rows: Sequence[Row]


class Delete(msgspec.Struct, frozen=True):
    """Remove the rows with these `keys`."""

    table: Table
    keys: tuple[str, ...]
    rows: Sequence[Row]


class Lookup(msgspec.Struct, frozen=True):
    """The rows whose `keys` equal one of `rows`, as `columns`, in no order. `lock` holds them until the commit."""

    table: Table
    columns: tuple[str, ...]
    keys: tuple[str, ...]
    rows: Sequence[Row]
    lock: bool = False


class Newest(msgspec.Struct, frozen=True):
    """Each of `rows`, and `column` of the newest row that equals it and has one, or null; in no order.

    A row holds values of the columns of `index` but its last, which tells what is newer, and then of `matches`. Only
    the newest `within` of those that the index finds are asked whether they match. Rows of nulls may come besides.
    """

    table: Table
    column: str
    index: str
    matches: tuple[str, ...]
    within: int
    rows: Sequence[Row]

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns of the index."""
        return next(tuple(each.columns.keys()) for each in self.table.indexes if each.name == self.index)


class Query(msgspec.Struct, frozen=True):
    """A SELECT of SQLAlchemy Core; results are plain tuples."""

    select: Select[*tuple[Any, ...]]


class Execute(msgspec.Struct, frozen=True):
    """An UPDATE or DELETE of SQLAlchemy Core, with RETURNING where rows are wanted."""

    change: UpdateStatement | DeleteStatement | Any


Write = Insert | Upsert | Update | Delete
Statement = Write | Lookup | Newest | Query | Execute

R = TypeVar("R")
Operation = Generator[Statement, list[Row], R]
"""What an operation function returns; the list is the last statement's rows, empty when it has none."""


class StoreUnavailable(Exception):
    """The database cannot take or give anything now (gone, full, locked); try again later.

    Nothing was changed, unless the connection broke at the very commit: then it is not known.
    """
