"""Fill a database with as many messages as years of use would leave, by the engines' own means for that.

The rows are those of a shop's year: one busy sender and many others, recipients all over the number plan, and a few
senders and recipients of a known number of messages, to ask for. Ids follow the time, so both trees of senders and
recipients are filled in random places, as they are in use.
"""

import asyncio
import random
import sqlite3
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final

import asyncpg
import msgspec

from bench.creates import BODY, SENDER, recipient
from bench.stores import SQLITE
from parley.lib import ids
from parley.model.message import Message
from parley.model.phone import Arrival
from tests.node import ACCOUNT_SID

ACCOUNT: Final = bytes.fromhex(ACCOUNT_SID[2:])
DAY_US: Final = 86_400_000_000
QUIET_DAY: Final = 10
"""This many days before the newest message, nothing was sent."""
KNOWN: Final = 20
"""Recipients, and senders, whose number of messages is the same in every database."""
OF_EACH: Final = 60
_OTHERS: Final = 1000
_BATCH: Final = 50_000
_MESSAGE: Final = Message.__struct_fields__
_ARRIVAL: Final = Arrival.__struct_fields__
_ARRIVES: Final = 10
"""Of so many messages, one still stands on a simulated phone."""


class Span(msgspec.Struct, frozen=True):
    """What a database is filled with: so many messages over so many days before `end` (microseconds)."""

    rows: int
    days: int
    end: int


def known_recipient(n: int) -> str:
    """Name a recipient of exactly `OF_EACH` messages, spread over the whole time."""
    return f"+1212555{n:04d}"


def known_sender(n: int) -> str:
    """Name a sender of exactly `OF_EACH` messages, spread over the whole time."""
    return f"+1303555{n:04d}"


def fill(engine: str, url: str, span: Span) -> None:
    """Put the rows into a database whose tables are there, while nobody else uses it."""
    if engine == SQLITE:
        _fill_sqlite(Path(url.removeprefix("sqlite:///")), span)
    else:
        asyncio.run(_fill_postgresql(url, span))


def _rows(span: Span) -> Iterator[tuple[Any, ...]]:
    """Messages as rows, the oldest first."""
    chance = random.Random(span.rows)
    step = span.days * DAY_US // span.rows
    quiet_from = span.end // DAY_US * DAY_US - QUIET_DAY * DAY_US
    began = span.end - (span.days + 1) * DAY_US
    known_every = span.rows // (KNOWN * OF_EACH)
    others = [f"+1415555{n:04d}" for n in range(_OTHERS)]
    for n in range(span.rows):
        at = began + n * step
        if at >= quiet_from:
            at += DAY_US
        sender = SENDER if n % 2 else others[chance.randrange(_OTHERS)]
        to = None
        nth, place = divmod(n, known_every)
        if nth < KNOWN * OF_EACH:
            if place == 0:
                to = known_recipient(nth % KNOWN)
            elif place == 1:
                sender = known_sender(nth % KNOWN)
        yield (
            ACCOUNT,
            ids.floor(at),
            "outbound-api",
            "twilio",
            "sms",
            "delivered",
            sender,
            to or recipient(chance),
            BODY,
            1,
            0,
            None,
            None,
            at,
            at + 90_000,
            at + 40_000,
            at + 36_000_000_000,
            "simulator",
            None,
            None,
            0,
            None,
            None,
            7_500,
        )


def _arrivals(messages: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Of some messages, what the simulated phone shows."""
    return [
        (row[1], ACCOUNT, row[7], row[6], row[8], None, row[14])
        for n, row in enumerate(messages)
        if n % _ARRIVES == 0 or row[7].startswith("+1212555")
    ]


def _batches(span: Span) -> Iterator[list[tuple[Any, ...]]]:
    rows = _rows(span)
    while batch := list(islice(rows, _BATCH)):
        yield batch


def _fill_sqlite(path: Path, span: Span) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        for pragma in ("journal_mode = DELETE", "journal_mode = OFF", "synchronous = OFF", "cache_size = -6000000"):
            connection.execute(f"PRAGMA {pragma}")
        for batch in _batches(span):
            connection.execute("BEGIN")
            for table, names, rows in (("messages", _MESSAGE, batch), ("arrivals", _ARRIVAL, _arrivals(batch))):
                places = ", ".join("?" * len(names))
                connection.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({places})", rows)
            connection.execute("COMMIT")
    finally:
        connection.close()


async def _fill_postgresql(url: str, span: Span) -> None:
    connection = await asyncpg.connect(url, timeout=10)
    try:
        await connection.execute("SET synchronous_commit = off")
        for batch in _batches(span):
            await connection.copy_records_to_table("messages", records=batch, columns=_MESSAGE, timeout=600)
            await connection.copy_records_to_table("arrivals", records=_arrivals(batch), columns=_ARRIVAL, timeout=600)
        # What autovacuum does to a table that grows by degrees.
        for table in ("messages", "arrivals"):
            await connection.execute(f"VACUUM (ANALYZE) {table}", timeout=3600)
        await connection.execute("CHECKPOINT", timeout=600)
    finally:
        await connection.close()
