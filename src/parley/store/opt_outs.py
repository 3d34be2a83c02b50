"""Keep who wants nothing more from whom."""

from typing import Final

from msgspec.structs import astuple, fields

from parley.model.consent import OptOut
from parley.store import schema
from parley.store.engine.statements import Delete, Lookup, Operation, Upsert

_COLUMNS: Final = tuple(field.name for field in fields(OptOut))
_KEYS: Final = ("account_id", "sender", "recipient")


def put(opt_out: OptOut) -> Operation[None]:
    """Note that a recipient opted out; the latest word stands."""
    yield Upsert(schema.opt_outs, [astuple(opt_out)])


def lift(account_id: bytes, sender: str, recipient: str) -> Operation[bool]:
    """Note that a recipient is back. False when they had not opted out."""
    rows = yield Lookup(schema.opt_outs, _KEYS, _KEYS, [(account_id, sender, recipient)], lock=True)
    yield Delete(schema.opt_outs, _KEYS, rows)
    return bool(rows)


def is_out(account_id: bytes, sender: str, recipient: str) -> Operation[OptOut | None]:
    """The opt-out that stands between a sender and a recipient, if any."""
    rows = yield Lookup(schema.opt_outs, _COLUMNS, _KEYS, [(account_id, sender, recipient)])
    return OptOut(*rows[0]) if rows else None
