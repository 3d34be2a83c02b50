"""The SQL of many rows at once on PostgreSQL: each column of theirs is one parameter, an array."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import BigInteger, Integer, LargeBinary, SmallInteger, Table, Text

from parley.store.engine.statements import Delete, Insert, Update, Upsert, Write

_ARRAYS: Final[dict[type[Any], str]] = {
    LargeBinary: "bytea[]",
    Text: "text[]",
    BigInteger: "int8[]",
    Integer: "int4[]",
    SmallInteger: "int2[]",
}


def together(writes: Sequence[Write]) -> tuple[str, list[tuple[Any, ...]]]:
    """One statement for writes to different tables, and its parameters: an array for each column."""
    arrays = [array for write in writes for array in zip(*write.rows, strict=True)]
    return _together(tuple(map(_shape, writes))), arrays


_Shape = tuple[type[Write], Table, tuple[str, ...] | None, tuple[str, ...], bool]


def _shape(write: Write) -> _Shape:
    """What tells a write's SQL from another's."""
    match write:
        case Insert(table, _, columns, ignore):
            return Insert, table, columns, (), ignore
        case Upsert(table):
            return Upsert, table, None, (), False
        case Update(table, columns, keys):
            return Update, table, columns, keys, False
        case Delete(table, keys):
            return Delete, table, None, keys, False


@lru_cache(1024)
def _together(shapes: tuple[_Shape, ...]) -> str:
    parts: list[str] = []
    first = 1
    for kind, table, columns, keys, ignore in shapes:
        if kind is Update:
            assert columns is not None, "an update says which"
            sql, count = _update(table, columns, keys, first), len(columns) + len(keys)
        elif kind is Delete:
            sql, count = _delete(table, keys, first), len(keys)
        else:
            names = columns or tuple(table.c.keys())
            sql, count = _insert(table, names, first), len(names)
            sql += _overwrites(table) if kind is Upsert else " ON CONFLICT DO NOTHING" if ignore else ""
        parts.append(sql)
        first += count
    *others, last = parts
    if not others:
        return last
    return f"WITH {', '.join(f'w{n} AS ({sql})' for n, sql in enumerate(others))} {last}"


def _unnest(table: Table, names: Sequence[str], first: int = 1) -> str:
    """The parameters from the `first` on as a set of rows named `u`."""
    return f"unnest({_parameters(table, names, first)}) AS u({', '.join(names)})"


def _parameters(table: Table, names: Sequence[str], first: int) -> str:
    return ", ".join(f"${n}::{_array_type(table, name)}" for n, name in enumerate(names, first))


def _array_type(table: Table, name: str) -> str:
    kind = table.c[name].type
    return next(array for base, array in _ARRAYS.items() if type(kind) is base)


def _insert(table: Table, names: tuple[str, ...], first: int) -> str:
    listed = ", ".join(names)
    return f"INSERT INTO {table.name} ({listed}) SELECT {listed} FROM {_unnest(table, names, first)}"


def _overwrites(table: Table) -> str:
    keys = [column.name for column in table.primary_key]
    rest = ", ".join(f"{column.name} = excluded.{column.name}" for column in table.c if column.name not in keys)
    return f" ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {rest}"


def _update(table: Table, columns: tuple[str, ...], keys: tuple[str, ...], first: int) -> str:
    sets = ", ".join(f"{name} = u.new_{name}" for name in columns)
    names = ", ".join((*(f"new_{name}" for name in columns), *keys))
    arrays = _parameters(table, (*columns, *keys), first)
    return f"UPDATE {table.name} AS t SET {sets} FROM unnest({arrays}) AS u({names}) WHERE {_joined(keys)}"


def _delete(table: Table, keys: tuple[str, ...], first: int) -> str:
    return f"DELETE FROM {table.name} AS t USING {_unnest(table, keys, first)} WHERE {_joined(keys)}"


@lru_cache
def lookup(table: Table, columns: tuple[str, ...], keys: tuple[str, ...], *, lock: bool) -> str:
    """The SQL of a Lookup."""
    names = ", ".join(f"t.{name}" for name in columns)
    # Rows are locked in one order everywhere, or two nodes could wait for each other.
    suffix = f" ORDER BY {', '.join(f't.{key}' for key in keys)} FOR UPDATE OF t" if lock else ""
    return f"SELECT {names} FROM {table.name} AS t JOIN {_unnest(table, keys)} ON {_joined(keys)}{suffix}"


@lru_cache
def newest(table: Table, column: str, columns: tuple[tuple[str, ...], tuple[str, ...]], within: int) -> str:
    """The SQL of a Newest; `columns` are its keys, and its matches."""
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
