"""Hand out what waits: messages to submit and callbacks to make, each held by one node at a time.

A held row carries its node's id and is out of the index of what is due. A node's rows come free when its lease ends.
"""

from collections.abc import Sequence
from typing import Any, Final

from msgspec.structs import fields
from sqlalchemy import Table, and_, delete, func, or_, select, update

from parley.model.callback import Callback
from parley.model.message import Message, Pending
from parley.store import schema
from parley.store.engine.statements import Execute, Insert, Lookup, Operation, Query, Update
from parley.store.messages import fetch_many

_PENDING: Final = tuple(field.name for field in fields(Pending))
_CALLBACK: Final = tuple(field.name for field in fields(Callback))
_HELD: Final = ((schema.pending, "message_id"), (schema.callbacks, "id"))


def claim_messages(node: bytes, now: int, limit: int) -> Operation[list[tuple[Pending, Message]]]:
    """Take up to `limit` messages that are due and free, the longest due first."""
    table = schema.pending
    due = (
        select(table.c.message_id)
        .where(and_(table.c.node.is_(None), table.c.due_at <= now))
        .order_by(table.c.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = yield Execute(
        update(table).where(table.c.message_id.in_(due)).values(node=node).returning(*(table.c[n] for n in _PENDING))
    )
    claimed = sorted((Pending(*row) for row in rows), key=lambda waits: waits.due_at)
    messages = yield from fetch_many([(waits.account_id, waits.message_id) for waits in claimed])
    return [(waits, messages[waits.message_id]) for waits in claimed]


def claim_callbacks(node: bytes, now: int, limit: int) -> Operation[list[Callback]]:
    """Take up to `limit` callbacks that are due and free, with those that must go before them on the same message."""
    table = schema.callbacks
    due = (
        select(table.c.id)
        .where(and_(table.c.state == "pending", table.c.node.is_(None), table.c.due_at <= now))
        .order_by(table.c.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = yield Execute(
        update(table).where(table.c.id.in_(due)).values(node=node).returning(*(table.c[n] for n in _CALLBACK))
    )
    return sorted((Callback(*row) for row in rows), key=lambda callback: callback.id)


def unfinished_before(callbacks: Sequence[Callback]) -> Operation[set[bytes]]:
    """Of these callbacks, those (by id) that must wait for an earlier one of their message."""
    rows = yield Lookup(
        schema.callbacks,
        ("message_id", "id", "state"),
        ("message_id",),
        list({(callback.message_id,): None for callback in callbacks}),
    )
    first: dict[bytes, bytes] = {}
    for message_id, callback_id, state in rows:
        if state == "pending":
            first[message_id] = min(callback_id, first.get(message_id, callback_id))
    return {c.id for c in callbacks if first.get(c.message_id, c.id) < c.id}


def finish_callbacks(callbacks: Sequence[Callback]) -> Operation[None]:
    """Record what became of attempts: state, node, due_at, attempts, outcome, finished_at."""
    columns = ("state", "node", "due_at", "attempts", "outcome", "finished_at")
    yield Update(
        schema.callbacks, columns, ("id",), [(*(getattr(c, name) for name in columns), c.id) for c in callbacks]
    )


def callbacks_of(message_id: bytes) -> Operation[list[Callback]]:
    """Every callback of a message, oldest first."""
    table = schema.callbacks
    rows = yield Query(select(table).where(table.c.message_id == message_id).order_by(table.c.id))
    return [Callback(*row) for row in rows]


def release_messages(held: Sequence[tuple[bytes, int]]) -> Operation[None]:
    """Give messages back unsubmitted: (message id, due at)."""
    yield Update(schema.pending, ("node", "due_at"), ("message_id",), [(None, due, id_) for id_, due in held])


def next_due(table: Table) -> Operation[int | None]:
    """When the next free row of `pending` or `callbacks` is due; None when there is none."""
    free = table.c.node.is_(None)
    if table is schema.callbacks:
        free = and_(table.c.state == "pending", free)
    rows = yield Query(select(func.min(table.c.due_at)).where(free))
    return rows[0][0] if rows else None


def join(node: bytes, name: str, alive_until: int) -> Operation[None]:
    """Enter a node: a former life under the same name ends, and what it held comes free."""
    rows = yield Query(select(schema.nodes.c.id).where(schema.nodes.c.name == name))
    yield from _end([row[0] for row in rows])
    yield Insert(schema.nodes, [(node, name, alive_until)])


def stay(node: bytes, alive_until: int) -> Operation[bool]:
    """Renew a node's lease. False when it had ended and what the node held is others' now."""
    table = schema.nodes
    rows = yield Execute(update(table).where(table.c.id == node).values(alive_until=alive_until).returning(table.c.id))
    return bool(rows)


def leave(node: bytes) -> Operation[None]:
    """Take a node out; what it still held comes free."""
    yield from _end([node])


def rescue(now: int) -> Operation[int]:
    """Free what nodes held whose lease has ended; the number of such nodes."""
    table = schema.nodes
    rows = yield Query(select(table.c.id).where(table.c.alive_until < now))
    dead = [row[0] for row in rows]
    yield from _end(dead)
    return len(dead)


def _end(dead: Sequence[bytes]) -> Operation[None]:
    if not dead:
        return
    for table, _ in _HELD:
        yield Execute(update(table).where(table.c.node.in_(dead)).values(node=None))
    yield Execute(delete(schema.nodes).where(schema.nodes.c.id.in_(dead)))


def depth() -> Operation[dict[str, Any]]:
    """How much waits, and since when the longest-due message does."""
    pending, callbacks = schema.pending.c, schema.callbacks.c
    rows = yield Query(select(func.count(), func.min(pending.due_at)).select_from(schema.pending))
    messages, oldest = rows[0]
    rows = yield Query(select(func.count()).select_from(schema.callbacks).where(or_(callbacks.state == "pending")))
    return {"messages": messages, "oldest_due_at": oldest, "callbacks": rows[0][0]}
