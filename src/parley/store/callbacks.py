"""Find callbacks by how they went, and owe them again."""

from typing import Final, Literal

from msgspec.structs import fields, replace
from sqlalchemy import ColumnElement, and_, func, literal_column, or_, select

from parley.model.callback import Callback, CallbackState
from parley.store import paging, schema
from parley.store.engine.statements import Operation, Query, Update

_table: Final = schema.callbacks.c
_COLUMNS: Final = tuple(_table[field.name] for field in fields(Callback))
_SET: Final = ("state", "node", "due_at", "attempts", "finished_at")

# Spelled out, because SQLite uses a partial index only where it sees its very condition.
_IN: Final[dict[CallbackState, ColumnElement[bool]]] = {
    "pending": _table.state == literal_column("'pending'"),
    "delivered": _table.state == literal_column("'delivered'"),
    "gave_up": _table.state == literal_column("'gave_up'"),
}

_BY_MESSAGE: Final = (schema.callbacks, "INDEXED BY callbacks_message", "sqlite")
"""A message has few, and its account may have given up a great many."""
_BY_WAITING: Final = (schema.callbacks, "INDEXED BY callbacks_waiting", "sqlite")
"""Where all is well none waits, and every callback that there ever was would be read to see that."""
_FEW: Final = 20_000
"""Callbacks that are quickly read and sorted. Of more, as while a host is away, the newest are soon met by their id."""

Replayed = Literal["replayed", "held"]


def page(
    account_id: bytes,
    state: CallbackState | None,
    limit: int,
    after: bytes | None = None,
    message_id: bytes | None = None,
    *,
    backwards: bool = False,
    skip: int = 0,
    created_from: int | None = None,
    created_before: int | None = None,
    but_noted: bool = False,
) -> Operation[list[Callback]]:
    """At most `limit` callbacks of an account older than `after` (newer, when `backwards`), newest first. `but_noted`
    leaves out inbound webhooks that were tried: what went wrong at each attempt stands with their messages.
    """
    conditions: list[ColumnElement[bool]] = [_table.account_id == account_id]
    if state is not None:
        conditions.append(_IN[state])
    if message_id is not None:
        conditions.append(_table.message_id == message_id)
    if created_from is not None:
        conditions.append(_table.created_at >= created_from)
    if created_before is not None:
        conditions.append(_table.created_at < created_before)
    if but_noted:
        conditions.append(or_(_table.kind != "inbound", _table.attempts == 0))
    query = select(*_COLUMNS).where(and_(*conditions))
    if message_id is not None:
        query = query.with_hint(*_BY_MESSAGE)
    elif state == "pending" and (yield from _few_wait()):
        query = query.with_hint(*_BY_WAITING)
    rows = yield from paging.page(query, _table.id, limit, after, backwards=backwards, skip=skip)
    return [Callback(*row) for row in rows]


def _few_wait() -> Operation[bool]:
    some = select(_table.id).where(_IN["pending"]).limit(_FEW).with_hint(*_BY_WAITING)
    rows = yield Query(select(func.count()).select_from(some.subquery()))
    return bool(rows[0][0] < _FEW)


def fetch(account_id: bytes, callback_id: bytes) -> Operation[Callback | None]:
    """The account's callback of that id."""
    rows = yield Query(select(*_COLUMNS).where(and_(_table.account_id == account_id, _table.id == callback_id)))
    return Callback(*rows[0]) if rows else None


def replay(account_id: bytes, callback_id: bytes, now: int) -> Operation[tuple[Callback, Replayed] | None]:
    """Owe a callback again from `now`, whatever became of it; None when there is none.

    One that a node holds is being delivered at this moment, and stays as it is.
    """
    where = and_(_table.account_id == account_id, _table.id == callback_id)
    rows = yield Query(select(*_COLUMNS).where(where).with_for_update())
    if not rows:
        return None
    found = Callback(*rows[0])
    if found.state == "pending" and found.node is not None:
        return found, "held"
    again = _again(found, now)
    yield from _owe([again])
    return again, "replayed"


def replay_given_up(account_id: bytes, message_id: bytes, now: int) -> Operation[list[Callback]]:
    """Owe again from `now` what was given up of a message, oldest first."""
    where = and_(_table.account_id == account_id, _table.message_id == message_id, _IN["gave_up"])
    query = select(*_COLUMNS).where(where).with_hint(*_BY_MESSAGE)
    rows = yield Query(query.order_by(_table.id).with_for_update())
    again = [_again(Callback(*row), now) for row in rows]
    yield from _owe(again)
    return again


def _again(callback: Callback, now: int) -> Callback:
    return replace(callback, state="pending", node=None, due_at=now, attempts=0, finished_at=now)


def _owe(callbacks: list[Callback]) -> Operation[None]:
    rows = [(*(getattr(callback, name) for name in _SET), callback.id) for callback in callbacks]
    yield Update(schema.callbacks, _SET, ("id",), rows)
