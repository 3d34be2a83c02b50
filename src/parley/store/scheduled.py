"""Keep what waits for its time, and let it go when that has come."""

from collections.abc import Sequence
from typing import Any, Final

from msgspec.structs import astuple
from sqlalchemy import and_, func, literal_column, select, tuple_

from parley.model.message import Message
from parley.store import relay_owed, schema
from parley.store.accept import EVENT_COLUMNS, Decision, Intake, Verdict, decide
from parley.store.engine.statements import Delete, Insert, Lookup, Operation, Query, Row, Update

PUT_OFF: Final = frozenset({"schedule", "quiet_hours"})
"""What a message waits for of which everything is decided only when its time has come."""
_SCHEDULED: Final = schema.pending.c.waiting_for == literal_column("'schedule'")
"""As the index of such rows has it."""
_MESSAGE: Final = ("status", "sender", "updated_at", "error_code")
_PENDING: Final = ("sender", "node", "due_at", "waiting_for")


def count(account_id: bytes) -> Operation[int]:
    """How many messages an account has scheduled."""
    where = and_(_SCHEDULED, schema.pending.c.account_id == account_id)
    rows = yield Query(select(func.count()).select_from(schema.pending).where(where))
    return int(rows[0][0])


def held_by_hours(account_id: bytes, after: tuple[int, bytes], limit: int) -> Operation[list[tuple[int, bytes]]]:
    """When free messages of an account, put off for quiet hours, fall due, and their ids: at most `limit` in that
    order, from behind `after`. Reads all that is due in between.
    """
    table = schema.pending.c
    is_held = and_(table.node.is_(None), table.account_id == account_id, table.waiting_for == "quiet_hours")
    rows = yield Query(
        select(table.due_at, table.message_id)
        .where(and_(is_held, tuple_(table.due_at, table.message_id) > after))
        .order_by(table.due_at, table.message_id)
        .limit(limit)
    )
    return [(row[0], row[1]) for row in rows]


def hasten(held: Sequence[bytes], at: int) -> Operation[None]:
    """Have those of these messages that are still put off for quiet hours fall due at a time."""
    table = schema.pending.c
    is_held = and_(table.node.is_(None), table.waiting_for == "quiet_hours", table.due_at > at)
    rows = yield Query(
        select(table.message_id)
        .where(and_(table.message_id.in_(tuple(held)), is_held))
        .order_by(table.message_id)
        .with_for_update(skip_locked=True)
    )
    yield Update(schema.pending, ("due_at",), ("message_id",), [(at, row[0]) for row in rows])


def release(node: bytes, intakes: Sequence[tuple[Message, Intake]]) -> Operation[list[Decision]]:
    """Decide of messages that wait whatever acceptance decides of others: sender, consent, slot or end.

    Each comes as it was, with what it is to be. Those are passed over that this node holds no more, or has released by
    a commit whose answer was lost.
    """
    ids = [(before.id,) for before, _ in intakes]
    rows = yield Lookup(schema.pending, ("message_id", "node", "waiting_for"), ("message_id",), ids, lock=True)
    held = {message_id for message_id, holder, waiting_for in rows if holder == node and waiting_for in PUT_OFF}
    going = [(before, intake) for before, intake in intakes if before.id in held]
    verdicts: list[Verdict | None] = [None] * len(going)
    decided = yield from decide([intake for _, intake in going], verdicts)
    decisions = [decided[n] for n in range(len(going))]

    events: list[Row] = []
    relayed: list[Row] = []
    for (before, _), decision in zip(going, decisions, strict=True):
        # One that was queued already, and only left alone for a time, does not become it again.
        new = [event for event in decision.events if event[2] != before.status]
        events += new
        relayed += relay_owed.of_taken(decision.message, new)
    yield Update(
        schema.messages,
        _MESSAGE,
        ("account_id", "id"),
        [_columns(decision.message, (*_MESSAGE, "account_id", "id")) for decision in decisions],
    )
    yield Insert(schema.events, events, EVENT_COLUMNS)
    yield Update(
        schema.pending,
        _PENDING,
        ("message_id",),
        [_columns(decision.pending, (*_PENDING, "message_id")) for decision in decisions if decision.pending],
    )
    yield Delete(schema.pending, ("message_id",), [(d.message.id,) for d in decisions if d.pending is None])
    yield Insert(schema.callbacks, [astuple(callback) for d in decisions for callback in d.callbacks])
    yield Insert(schema.relay_events, relayed, relay_owed.COLUMNS)
    return decisions


def _columns(record: Any, names: Sequence[str]) -> Row:
    return tuple(getattr(record, name) for name in names)
