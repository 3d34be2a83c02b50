"""Hand out what waits: messages to submit and callbacks to make, each held by one node at a time.

A held row carries its node's id and is out of the index of what is due. A node's rows come free when its lease ends.
"""

from collections.abc import Collection, Sequence
from typing import Any, Final

from msgspec.structs import fields, replace
from sqlalchemy import and_, delete, func, or_, select, update

from parley.model.callback import Callback
from parley.model.message import Message, Pending
from parley.store import relay, schema
from parley.store.engine.statements import Execute, Insert, Lookup, Operation, Query, Row, Update
from parley.store.leases import lead
from parley.store.messages import fetch_many

LOST: Final = "lost"
"""What a place in the queue waits for whose message is not in the record."""
_LOST_US: Final = 3_600_000_000
"""How long such a place is left alone: a message that was restored from a backup meanwhile is sent then."""

_PENDING: Final = tuple(field.name for field in fields(Pending))
_CALLBACK: Final = tuple(field.name for field in fields(Callback))

# What every node asks all the time, and which never differs, is made once: that takes longer than to answer it.
_pending, _callbacks, _entered = schema.pending.c, schema.callbacks.c, select(schema.nodes.c.id)
_is_owed: Final = _callbacks.state == "pending"
_NEXT_MESSAGE: Final = select(_pending.due_at).where(_pending.node.is_(None)).order_by(_pending.due_at).limit(1)
_NEXT_CALLBACK: Final = (
    select(_callbacks.due_at)
    .where(and_(_is_owed, _callbacks.node.is_(None)))
    .order_by(_callbacks.node, _callbacks.due_at)
    .limit(1)
)
_FREE_STRAYS: Final = (
    update(schema.pending).where(and_(_pending.node.is_not(None), _pending.node.not_in(_entered))).values(node=None),
    update(schema.callbacks)
    .where(and_(_is_owed, _callbacks.node.is_not(None), _callbacks.node.not_in(_entered)))
    .values(node=None),
)
_REASONS: Final = select(_pending.waiting_for).distinct()
_DEPTH: Final = select(func.count(), func.min(_pending.due_at))
_OWED: Final = select(func.count()).select_from(schema.callbacks).where(_is_owed)
_NODES: Final = select(func.count()).select_from(schema.nodes)


def claim_messages(node: bytes, now: int, limit: int) -> Operation[list[tuple[Pending, Message]]]:
    """Take up to `limit` messages that are due and free, the longest due first, and of those the oldest.

    A place whose message is not there, as in a record that was damaged, is put off for an hour and waits for `LOST`.
    """
    table = schema.pending.c
    # Two statements rather than one: the limit of a subquery is not kept by every plan of an UPDATE.
    rows = yield Query(
        select(*(table[name] for name in _PENDING))
        .where(and_(table.node.is_(None), table.due_at <= now))
        .order_by(table.due_at, table.message_id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return (yield from _take_messages(node, now, rows))


def _take_messages(node: bytes, now: int, rows: Sequence[Row]) -> Operation[list[tuple[Pending, Message]]]:
    waiting = [replace(Pending(*row), node=node) for row in rows]
    messages = yield from fetch_many([(waits.account_id, waits.message_id) for waits in waiting])
    claimed = [(waits, messages[waits.message_id]) for waits in waiting if waits.message_id in messages]
    lost = [(now + _LOST_US, LOST, waits.message_id) for waits in waiting if waits.message_id not in messages]
    yield Update(schema.pending, ("node",), ("message_id",), [(node, waits.message_id) for waits, _ in claimed])
    yield Update(schema.pending, ("due_at", "waiting_for"), ("message_id",), lost)
    return claimed


def due_messages(now: int, limit: int, since: int, without: Collection[str]) -> Operation[list[tuple[int, bytes]]]:
    """When the first free messages fell due, from `since` to `now`, and their ids; not those of some senders."""
    table = schema.pending.c
    is_due = and_(table.node.is_(None), table.due_at >= since, table.due_at <= now)
    rows = yield Query(
        select(table.due_at, table.message_id)
        .where(and_(is_due, table.sender.not_in(tuple(without))))
        .order_by(table.due_at, table.message_id)
        .limit(limit)
    )
    return [(row[0], row[1]) for row in rows]


def ended_messages(now: int, limit: int, ends: str) -> Operation[list[bytes]]:
    """At most `limit` free messages that are due, and over: expired, or waiting for `ends`. Reads all that is due."""
    table = schema.pending.c
    is_over = or_(table.expires_at <= now, table.waiting_for == ends)
    rows = yield Query(
        select(table.message_id).where(and_(table.node.is_(None), table.due_at <= now, is_over)).limit(limit)
    )
    return [row[0] for row in rows]


def claim_named(node: bytes, now: int, messages: Sequence[bytes]) -> Operation[list[tuple[Pending, Message]]]:
    """Take those of these messages that are free, the longest due first, and of those the oldest; as `claim_messages`
    does.
    """
    table = schema.pending.c
    rows = yield Query(
        select(*(table[name] for name in _PENDING))
        .where(and_(table.message_id.in_(tuple(messages)), table.node.is_(None)))
        .order_by(table.due_at, table.message_id)
        .with_for_update(skip_locked=True)
    )
    return (yield from _take_messages(node, now, rows))


def claim_callbacks(node: bytes, now: int, limit: int) -> Operation[list[Callback]]:
    """Take up to `limit` callbacks that are due and free, those longest due; in the order of their ids.

    Whether one has to wait for an earlier callback of its message, `prepare` says.
    """
    table = schema.callbacks.c
    rows = yield Query(
        select(*(table[name] for name in _CALLBACK))
        .where(and_(table.state == "pending", table.node.is_(None), table.due_at <= now))
        .order_by(table.node, table.due_at)  # the order of the index: PostgreSQL does not see that node is the same
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    claimed = [replace(Callback(*row), node=node) for row in rows]
    yield Update(schema.callbacks, ("node",), ("id",), [(node, callback.id) for callback in claimed])
    return sorted(claimed, key=lambda callback: callback.id)


def prepare(
    callbacks: Sequence[Callback],
) -> Operation[tuple[dict[bytes, Message], dict[bytes, list[tuple[bytes, int]]]]]:
    """What delivering these needs: their messages by id, and each message's pending callbacks in order, with times."""
    messages = yield from fetch_many([(callback.account_id, callback.message_id) for callback in callbacks])
    rows = yield Lookup(
        schema.callbacks,
        ("message_id", "id", "state", "due_at"),
        ("message_id",),
        list({(callback.message_id,): None for callback in callbacks}),
    )
    pending: dict[bytes, list[tuple[bytes, int]]] = {}
    for message_id, callback_id, state, due_at in rows:
        if state == "pending":
            pending.setdefault(message_id, []).append((callback_id, due_at))
    for waits in pending.values():
        waits.sort()
    return messages, pending


def parked_callbacks(since: int, limit: int, after: bytes = b"") -> Operation[list[tuple[int, bytes, str]]]:
    """When the first free callbacks from `since` on fall due, their ids, and their URLs; of those due at `since` itself
    the ones behind the id `after`.
    """
    table = schema.callbacks.c
    is_behind = or_(table.due_at > since, table.id > after)
    rows = yield Query(
        select(table.due_at, table.id, table.url)
        .where(and_(table.state == "pending", table.node.is_(None), table.due_at >= since, is_behind))
        .order_by(table.node, table.due_at, table.id)
        .limit(limit)
    )
    return [(row[0], row[1], row[2]) for row in rows]


def hasten(callbacks: Sequence[bytes], at: int, step_us: int) -> Operation[None]:
    """Have those of these callbacks that are still free fall due from `at` on, each so much after the one before. None
    is put off by that.
    """
    turns = {id_: at + turn * step_us for turn, id_ in enumerate(callbacks)}
    table = schema.callbacks.c
    rows = yield Query(
        select(table.due_at, table.id)
        .where(and_(table.id.in_(tuple(turns)), table.state == "pending", table.node.is_(None)))
        .with_for_update(skip_locked=True)
    )
    yield Update(schema.callbacks, ("due_at",), ("id",), [(min(due_at, turns[id_]), id_) for due_at, id_ in rows])


def finish_each(finished: Sequence[tuple[Callback, bytes]]) -> Operation[list[None]]:
    """Record what became of attempts: state, node, due_at, attempts, outcome, finished_at. For a lane.

    Each comes with the node that made the attempt: what another node holds by now is that node's to finish.
    """
    columns = ("state", "node", "due_at", "attempts", "outcome", "finished_at")
    rows = [(*(getattr(callback, name) for name in columns), callback.id, node) for callback, node in finished]
    yield Update(schema.callbacks, columns, ("id", "node"), rows)
    return [None] * len(finished)


def callbacks_of(message_id: bytes) -> Operation[list[Callback]]:
    """Every callback of a message, oldest first."""
    table = schema.callbacks
    rows = yield Query(select(table).where(table.c.message_id == message_id).order_by(table.c.id))
    return [Callback(*row) for row in rows]


def held_messages(node: bytes) -> Operation[set[bytes]]:
    """The messages that a node holds."""
    table = schema.pending.c
    rows = yield Query(select(table.message_id).where(table.node == node))
    return {row[0] for row in rows}


def held_callbacks(node: bytes) -> Operation[set[bytes]]:
    """The callbacks that a node holds."""
    table = schema.callbacks.c
    rows = yield Query(select(table.id).where(and_(table.state == "pending", table.node == node)))
    return {row[0] for row in rows}


def let_go(node: bytes, messages: Collection[bytes], callbacks: Collection[bytes]) -> Operation[None]:
    """Make nobody's what a node holds of these."""
    yield Update(schema.pending, ("node",), ("message_id", "node"), [(None, id_, node) for id_ in messages])
    yield Update(schema.callbacks, ("node",), ("id", "node"), [(None, id_, node) for id_ in callbacks])


def free_strays() -> Operation[None]:
    """Make nobody's what nodes hold that are not entered: a node that was taken for dead may have accepted on."""
    for change in _FREE_STRAYS:
        yield Execute(change)
    yield from relay.free_strays()


def next_due_message(after: int = 0) -> Operation[int | None]:
    """When the next free message is due, later than `after`; None when none waits."""
    rows = yield Query(_NEXT_MESSAGE.where(_pending.due_at > after) if after else _NEXT_MESSAGE)
    return rows[0][0] if rows else None


def next_due_callback() -> Operation[int | None]:
    """When the next free callback is due; None when none waits."""
    rows = yield Query(_NEXT_CALLBACK)
    return rows[0][0] if rows else None


def lease_of(name: str) -> Operation[int | None]:
    """Until when a node of this name is alive; None when there is none."""
    rows = yield Query(select(func.max(schema.nodes.c.alive_until)).where(schema.nodes.c.name == name))
    until: int | None = rows[0][0]
    return until


def join(node: bytes, name: str, alive_until: int, former: int | None = None) -> Operation[bool]:
    """Enter a node: its former life, whose lease was seen to end at `former`, is over, and what it held comes free.

    False when another node of this name is there, or renewed its lease since; nothing is changed then.
    """
    yield from lead("join", node, 0, 0)  # one at a time: what is not there yet cannot be locked
    nodes = schema.nodes.c
    rows = yield Query(select(nodes.id, nodes.alive_until).where(and_(nodes.name == name, nodes.id != node)))
    if any(until > (former or 0) for _, until in rows):
        return False
    yield from _end([row[0] for row in rows])
    yield from rejoin(node, name, alive_until)
    yield from free_strays()
    return True


def rejoin(node: bytes, name: str, alive_until: int) -> Operation[None]:
    """Enter a node again that was taken for dead, beside whoever has its name now."""
    yield Insert(schema.nodes, [(node, name, alive_until)], ignore=True)


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
    table = schema.nodes.c
    # Locked, so that a node which renews its lease at this moment is either seen or too late.
    rows = yield Query(select(table.id).where(table.alive_until < now).with_for_update(skip_locked=True))
    dead = [row[0] for row in rows]
    yield from _end(dead)
    return len(dead)


def _end(dead: Sequence[bytes]) -> Operation[None]:
    if not dead:
        return
    pending, callbacks = schema.pending, schema.callbacks
    yield Execute(update(pending).where(pending.c.node.in_(dead)).values(node=None))
    held = and_(callbacks.c.state == "pending", callbacks.c.node.in_(dead))
    yield Execute(update(callbacks).where(held).values(node=None))
    yield from relay.free(dead)
    yield Execute(delete(schema.nodes).where(schema.nodes.c.id.in_(dead)))


def depth() -> Operation[dict[str, Any]]:
    """How much waits and for what, since when the longest-due message does, and how many may have been sent. Reads all
    that waits.
    """
    reasons: dict[str | None, int] = {}
    oldest: int | None = None
    # One reason after the other: SQLite groups by sorting, and a million rows are 100 MB then.
    for (reason,) in (yield Query(_REASONS)):
        [(count, due_at)] = yield Query(_DEPTH.where(_pending.waiting_for.is_not_distinct_from(reason)))
        if count:
            reasons[reason] = count
            oldest = due_at if oldest is None else min(oldest, due_at)
    rows = yield Query(_OWED)
    return {
        "messages": sum(reasons.values()),
        "reasons": reasons,
        "oldest_due_at": oldest,
        "uncertain": reasons.get("receipt", 0) + reasons.get("resend", 0),
        "callbacks": rows[0][0],
    }


def nodes() -> Operation[int]:
    """How many nodes are entered."""
    rows = yield Query(_NODES)
    return int(rows[0][0])
