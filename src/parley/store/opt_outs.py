"""Keep who wants nothing more from whom, and each word that was ever said of it."""

from collections.abc import Sequence
from typing import Final

from msgspec.structs import astuple, fields
from sqlalchemy import ColumnElement, and_, select, tuple_

from parley.model.consent import ConsentChange, OptOut
from parley.store import schema
from parley.store.engine.statements import Delete, Insert, Lookup, Operation, Query, Upsert

_COLUMNS: Final = tuple(field.name for field in fields(OptOut))
_CHANGE_COLUMNS: Final = tuple(field.name for field in fields(ConsentChange))
_KEYS: Final = ("account_id", "sender", "recipient")

_table = schema.opt_outs.c
_changes = schema.consent_changes.c


def apply(changes: Sequence[ConsentChange]) -> Operation[None]:
    """Note what was said, in order: all of it is kept, and of each pair the last word stands."""
    if not changes:
        return
    last = {change.pair: change for change in changes}
    outs = [
        (*pair, said.keyword, said.at, said.source) for pair, said in sorted(last.items()) if said.kind == "opt_out"
    ]
    yield Upsert(schema.opt_outs, outs)
    yield Delete(schema.opt_outs, _KEYS, [pair for pair, said in sorted(last.items()) if said.kind == "opt_in"])
    yield Insert(schema.consent_changes, [astuple(change) for change in changes], _CHANGE_COLUMNS)


def lift(change: ConsentChange) -> Operation[bool]:
    """Note that a recipient is back. False when they had not opted out: then nothing is noted."""
    rows = yield Lookup(schema.opt_outs, _KEYS, _KEYS, [change.pair], lock=True)
    if rows:
        yield from apply([change])
    return bool(rows)


def is_out(account_id: bytes, sender: str, recipient: str) -> Operation[OptOut | None]:
    """The opt-out that stands between a sender and a recipient, if any."""
    rows = yield Lookup(schema.opt_outs, _COLUMNS, _KEYS, [(account_id, sender, recipient)])
    return OptOut(*rows[0]) if rows else None


def page(
    account_id: bytes,
    limit: int,
    after: tuple[str, str] | None = None,
    *,
    sender: str | None = None,
    recipient: str | None = None,
) -> Operation[list[OptOut]]:
    """At most `limit` opt-outs after a sender and recipient, in their order; of one sender or recipient when given."""
    conditions: list[ColumnElement[bool]] = [_table.account_id == account_id]
    if sender is not None:
        conditions.append(_table.sender == sender)
    if recipient is not None:
        conditions.append(_table.recipient == recipient)
    if after is not None:
        conditions.append(tuple_(_table.sender, _table.recipient) > after)
    query = select(*(_table[name] for name in _COLUMNS)).where(and_(*conditions))
    if sender is None and recipient is not None:
        query = query.with_hint(schema.opt_outs, "INDEXED BY opt_outs_recipient", "sqlite")
    rows = yield Query(query.order_by(_table.sender, _table.recipient).limit(limit))
    return [OptOut(*row) for row in rows]


def history(account_id: bytes, sender: str, recipient: str, limit: int) -> Operation[list[ConsentChange]]:
    """The last `limit` words that were said between a sender and a recipient, newest first."""
    of_pair = and_(_changes.account_id == account_id, _changes.sender == sender, _changes.recipient == recipient)
    rows = yield Query(
        select(*(_changes[name] for name in _CHANGE_COLUMNS)).where(of_pair).order_by(_changes.seq.desc()).limit(limit)
    )
    return [ConsentChange(*row) for row in rows]
