"""What `parley doctor` asks of a database: its clock, the newest thing in it, and where its webhooks go."""

from typing import Final

from sqlalchemy import func, select

from parley.store import schema
from parley.store.engine.statements import Operation, Query

_RECENT: Final = 200
"""Callbacks that are looked at: those of today's apps, not of last year's."""


def clock() -> Operation[int]:
    """The database server's time in microseconds since the epoch. PostgreSQL only: SQLite has no clock of its own."""
    rows = yield Query(select(func.extract("epoch", func.clock_timestamp())))
    return int(rows[0][0] * 1_000_000)


def newest() -> Operation[bytes | None]:
    """The id, which tells its time, of the newest callback: the latest thing that is cheap to find."""
    table = schema.callbacks.c
    rows = yield Query(select(table.id).order_by(table.id.desc()).limit(1))
    return rows[0][0] if rows else None


def webhook_urls() -> Operation[list[str]]:
    """The URLs that numbers and recent callbacks name, each once."""
    numbers, callbacks = schema.numbers.c, schema.callbacks.c
    configured = yield Query(select(numbers.request_url, numbers.fallback_url, numbers.status_callback))
    recent = yield Query(select(callbacks.url, callbacks.fallback_url).order_by(callbacks.id.desc()).limit(_RECENT))
    return list(dict.fromkeys(url for row in (*configured, *recent) for url in row if url))
