"""Forget what of a message is not to be kept, once it is over and everybody was told of it."""

from collections.abc import Sequence
from typing import Final

from msgspec import json
from sqlalchemy import delete, select

from parley.model import retention
from parley.model.message import FINAL, Message
from parley.store import media, phones, schema
from parley.store.accept import EVENT_COLUMNS
from parley.store.engine.statements import Execute, Insert, Lookup, Operation, Query, Row, Update
from parley.store.messages import fetch_many

_MOST_WAIT_US: Final = 86_400_000_000
"""How long after its last change of state a message is done with, whatever may still be heard or told of it."""
_LOOKS_US: Final = (30_000_000, 3_600_000_000)
"""A message that is not over is looked at again after an eighth of its age, within these."""


def forget_due(now: int, limit: int) -> Operation[int]:
    """Look at up to `limit` messages whose turn it is: forget, or look again later. How many there were."""
    table = schema.forgetting.c
    rows = yield Query(
        select(table.account_id, table.message_id)
        .where(table.due_at <= now)
        .order_by(table.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    found = yield from fetch_many([(row[0], row[1]) for row in rows])
    kept = [message for message in found.values() if _has_left(message)]
    busy = yield from _busy(kept)
    over = [message for message in kept if _is_over(message, busy, now)]
    yield from _forget(over, now)
    waiting = {message.id: message for message in kept} if len(over) < len(kept) else {}
    for message in over:
        waiting.pop(message.id, None)
    yield Update(
        schema.forgetting,
        ("due_at",),
        ("message_id",),
        [(now + _until_next(message, now), message.id) for message in waiting.values()],
    )
    done = [row[1] for row in rows if row[1] not in waiting]
    yield Execute(delete(schema.forgetting).where(table.message_id.in_(done)))
    return len(rows)


def _has_left(message: Message) -> bool:
    """Whether anything of it is there that is not to be kept: what is deleted has its addresses left."""
    return message.deleted_at is None or "address" in retention.forgotten(message)


def _busy(messages: Sequence[Message]) -> Operation[tuple[set[bytes], set[bytes]]]:
    """Those that wait in the queue, and those of which somebody is still to be told."""
    keys = [(message.id,) for message in messages]
    queued = yield Lookup(schema.pending, ("message_id",), ("message_id",), keys)
    owed = yield Lookup(schema.callbacks, ("message_id", "state"), ("message_id",), keys)
    return {row[0] for row in queued}, {row[0] for row in owed if row[1] == "pending"}


def _is_over(message: Message, busy: tuple[set[bytes], set[bytes]], now: int) -> bool:
    queued, owed = busy
    if message.id in queued:
        return False
    return (message.status in FINAL and message.id not in owed) or now - message.updated_at >= _MOST_WAIT_US


def _forget(messages: Sequence[Message], now: int) -> Operation[None]:
    bodies: list[Row] = []
    recipients: list[Row] = []
    events: list[Row] = []
    for message in messages:
        parts = retention.forgotten(message)
        left = retention.without(message, parts)
        changed = (max(now, message.updated_at), message.account_id, message.id)  # another node's clock may be ahead
        if "content" in parts:
            bodies.append((left.body, *changed))
            yield from media.forget_all_of(message.id, now)
            yield from phones.redact(message.id)
        if "address" in parts:
            recipients.append((left.recipient, *changed))
        told = json.encode({"forgotten": parts}).decode()
        events.append((message.account_id, message.id, "redacted", now, told))
    # Each without the other: a text that was redacted since it was read here must not come back.
    yield Update(schema.messages, ("body", "updated_at"), ("account_id", "id"), bodies)
    yield Update(schema.messages, ("recipient", "updated_at"), ("account_id", "id"), recipients)
    yield Insert(schema.events, events, EVENT_COLUMNS)


def _until_next(message: Message, now: int) -> int:
    least, most = _LOOKS_US
    return min(max((now - message.created_at) // 8, least), most)
