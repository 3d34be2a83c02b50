"""Read a list by pages, each from an id on and not from a number of rows on: page 100 costs what the first does."""

from typing import Any

from sqlalchemy import ColumnElement, Select

from parley.store.engine.statements import Operation, Query, Row


def page(
    query: Select[Any],
    id: ColumnElement[bytes],
    limit: int,
    after: bytes | None = None,
    *,
    backwards: bool = False,
    skip: int = 0,
    oldest_first: bool = False,
) -> Operation[list[Row]]:
    """At most `limit` of the rows of `query`, which `id` tells apart and in which newer ones have higher ids: newest
    first, unless `oldest_first`. They stand right behind `after`, or right before it when `backwards`, but for `skip`.
    """
    falls = backwards is oldest_first
    if after is not None:
        query = query.where(id < after if falls else id > after)
    rows = yield Query(query.order_by(id.desc() if falls else id.asc()).limit(limit).offset(skip))
    return rows[::-1] if backwards else rows
