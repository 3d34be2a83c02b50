"""Read, redact and delete messages."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import json
from msgspec.structs import fields
from sqlalchemy import ColumnElement, and_, case, func, select, update

from parley.lib import ids
from parley.model import laml, relay, retention
from parley.model.event import Event
from parley.model.message import Message, Pending
from parley.store import media, paging, phones, schema
from parley.store.accept import EVENT_COLUMNS
from parley.store.engine.engine import Engine
from parley.store.engine.statements import Execute, Insert, Lookup, Operation, Query

COLUMNS: Final = tuple(field.name for field in fields(Message))
_LONGEST_WAIT_US: Final = 40 * 86_400_000_000
"""A message is sent at most this long after it was made: 35 days ahead, and its quiet hours and retries behind that."""
_FEW: Final = 1_000
"""Messages that are quickly read, whatever else they have to match."""

_STANDING: Final = frozenset({retention.KEY, laml.KEY, relay.KEY})
"""What stands of a deleted message's extras: what is to be forgotten yet, and how states that it enters are told."""

_table = schema.messages.c


class Filter(msgspec.Struct, frozen=True):
    """Which messages of an account, newest first. Times are half-open ranges in microseconds."""

    recipient: str | None = None
    sender: str | None = None
    sent_from: int | None = None
    sent_before: int | None = None
    created_from: int | None = None
    created_before: int | None = None
    include_deleted: bool = False


def fetch(account_id: bytes, message_id: bytes) -> Operation[Message | None]:
    """The account's message as it may be shown, or None when there is none or it was deleted."""
    rows = yield Lookup(schema.messages, COLUMNS, ("account_id", "id"), [(account_id, message_id)])
    found = Message(*rows[0]) if rows else None
    return retention.shown(found) if found is not None and found.deleted_at is None else None


def fetch_many(keys: Sequence[tuple[bytes, bytes]]) -> Operation[dict[bytes, Message]]:
    """Messages by (account id, id) as they are, also deleted ones, under their id."""
    rows = yield Lookup(schema.messages, COLUMNS, ("account_id", "id"), list(set(keys)))
    return {row[1]: Message(*row) for row in rows}


def page(
    account_id: bytes, wanted: Filter, limit: int, after: bytes | None = None, *, backwards: bool = False, skip: int = 0
) -> Operation[list[Message]]:
    """At most `limit` messages older than `after` (newer, when `backwards`), newest first, as they may be shown."""
    conditions: list[ColumnElement[bool]] = [_table.account_id == account_id]
    if not wanted.include_deleted:
        conditions.append(_table.deleted_at.is_(None))
    if wanted.recipient is not None:
        conditions.append(_table.recipient == wanted.recipient)
    if wanted.sender is not None:
        conditions.append(_table.sender == wanted.sender)
    conditions += _time_conditions(wanted)
    query = select(*(_table[name] for name in COLUMNS)).where(and_(*conditions))
    index = yield from _index(account_id, wanted)
    if index is not None:
        query = query.with_hint(schema.messages, f"INDEXED BY {index}", "sqlite")
    rows = yield from paging.page(query, _table.id, limit, after, backwards=backwards, skip=skip)
    return [retention.shown(Message(*row)) for row in rows]


def has_written(account_id: bytes, phone: str, to: Collection[str], since: int) -> Operation[bool]:
    """Whether an address has written to one of these of an account's from a time on. What was deleted counts."""
    query = (
        select(_table.id)
        .where(and_(_table.account_id == account_id, _table.sender == phone, _table.id >= ids.floor(since)))
        .where(and_(_table.recipient.in_(tuple(to)), _table.direction == "inbound"))
        .limit(1)
    )
    rows = yield Query(query.with_hint(schema.messages, "INDEXED BY messages_sender", "sqlite"))
    return bool(rows)


def ended_by(account_id: bytes, code: int, begins: int, ends: int) -> Operation[list[str]]:
    """The recipients, each once, of an account's messages that were made in a time and have an error code. Reads all
    messages of that time.
    """
    is_then = and_(_table.account_id == account_id, _table.id >= ids.floor(begins), _table.id < ids.floor(ends))
    rows = yield Query(select(_table.recipient).distinct().where(and_(is_then, _table.error_code == code)))
    return [row[0] for row in rows]


def _index(account_id: bytes, wanted: Filter) -> Operation[str | None]:
    """The index to read by; None for the primary key. Of two addresses the one that fewer messages have, as far as a
    short look tells: one of them may be the account's own number, which all have.
    """
    if wanted.recipient is None:
        return None if wanted.sender is None else "messages_sender"
    if wanted.sender is None:
        return "messages_recipient"
    for column, address, index in (
        (_table.recipient, wanted.recipient, "messages_recipient"),
        (_table.sender, wanted.sender, "messages_sender"),
    ):
        some = select(_table.id).where(and_(_table.account_id == account_id, column == address)).limit(_FEW)
        some = some.with_hint(schema.messages, f"INDEXED BY {index}", "sqlite")
        rows = yield Query(select(func.count()).select_from(some.subquery()))
        if rows[0][0] < _FEW:
            return index
    return "messages_recipient"


def _time_conditions(wanted: Filter) -> list[ColumnElement[bool]]:
    """Times as ranges of the key: ids are ordered by creation, and a message is sent within days of that."""
    conditions: list[ColumnElement[bool]] = []
    if wanted.created_from is not None:
        conditions.append(_table.id >= ids.floor(wanted.created_from))
    if wanted.created_before is not None:
        conditions.append(_table.id < ids.floor(wanted.created_before))
    if wanted.sent_from is not None:
        conditions += [_table.sent_at >= wanted.sent_from, _table.id >= ids.floor(wanted.sent_from - _LONGEST_WAIT_US)]
    if wanted.sent_before is not None:
        conditions += [_table.sent_at < wanted.sent_before, _table.id < ids.floor(wanted.sent_before)]
    return conditions


def redact(account_id: bytes, message_id: bytes, at: int) -> Operation[None]:
    """Empty the body, in the record and where a simulated phone shows it."""
    where = and_(_table.account_id == account_id, _table.id == message_id)
    yield Execute(update(schema.messages).where(where).values(body="", updated_at=_later(at)))
    yield from phones.redact(message_id)
    yield Insert(schema.events, [(account_id, message_id, "redacted", at, None)], EVENT_COLUMNS)


def forget(account_id: bytes, message_id: bytes, at: int) -> Operation[None]:
    """Delete a message: its text and media go, its row stays for the books and shows only where deleted ones do. One
    that was deleted before stays as it is.
    """
    columns, keys = ("extras", "deleted_at"), ("account_id", "id")
    rows = yield Lookup(schema.messages, columns, keys, [(account_id, message_id)], lock=True)
    if not rows or rows[0][1] is not None:
        return
    values = {"body": "", "extras": _standing(rows[0][0]), "updated_at": _later(at), "deleted_at": at}
    where = and_(_table.account_id == account_id, _table.id == message_id)
    yield Execute(update(schema.messages).where(where).values(values))
    yield from media.forget_all_of(message_id, at)
    yield from phones.redact(message_id)
    yield Insert(schema.events, [(account_id, message_id, "deleted", at, None)], EVENT_COLUMNS)


def _standing(extras: str | None) -> str | None:
    kept = {key: value for key, value in json.decode(extras).items() if key in _STANDING} if extras else {}
    return json.encode(kept).decode() if kept else None


def annotate(account_id: bytes, message_id: bytes, notes: Mapping[str, Any], at: int) -> Operation[str | None]:
    """Add to the JSON object of what the core does not act on; all of it then. None when the message is deleted."""
    columns, keys = ("extras", "deleted_at"), ("account_id", "id")
    rows = yield Lookup(schema.messages, columns, keys, [(account_id, message_id)], lock=True)
    if not rows or rows[0][1] is not None:
        return None
    before = rows[0][0]
    extras = json.encode({**(json.decode(before) if before else {}), **notes}).decode()
    where = and_(_table.account_id == account_id, _table.id == message_id)
    yield Execute(update(schema.messages).where(where).values(extras=extras, updated_at=_later(at)))
    return extras


def _later(at: int) -> ColumnElement[int]:
    """A time, unless a message changed later by another node's clock: its callbacks are ordered by what follows."""
    return case((_table.updated_at < at, at), else_=_table.updated_at)


def history(message_id: bytes) -> Operation[list[Event]]:
    """Every event of a message, oldest first."""
    table = schema.events
    rows = yield Query(select(table).where(table.c.message_id == message_id).order_by(table.c.seq))
    return [Event(*row) for row in rows]


async def follow(engine: Engine, account_id: bytes, after: int, limit: int) -> list[Event]:
    """An account's events after a position, oldest first, so that none comes in below the last of them later.

    Raises StoreUnavailable.
    """
    found = await engine.read(feed, account_id, after, limit)
    if not found or found[-1].seq - after == len(found):
        return found
    # A number is missing: another account's, one that never was used, or one whose transaction has not ended.
    await engine.settle()
    last = found[-1].seq
    return [event for event in await engine.read(feed, account_id, after, limit) if event.seq <= last]


def feed(account_id: bytes, after: int, limit: int) -> Operation[list[Event]]:
    """An account's events after a position, oldest first, as far as they are committed: see `follow`."""
    table = schema.events
    rows = yield Query(
        select(table)
        .where(and_(table.c.seq > after, table.c.account_id == account_id))
        .order_by(table.c.seq)
        .limit(limit)
    )
    return [Event(*row) for row in rows]


def feed_end() -> Operation[int]:
    """The position of the newest event; 0 when there is none."""
    table = schema.events
    rows = yield Query(select(table.c.seq).order_by(table.c.seq.desc()).limit(1))
    return int(rows[0][0]) if rows else 0


def waiting(message_id: bytes) -> Operation[Pending | None]:
    """What a message waits for; None once it is off the queue."""
    names = tuple(field.name for field in fields(Pending))
    rows = yield Lookup(schema.pending, names, ("message_id",), [(message_id,)])
    return Pending(*rows[0]) if rows else None
