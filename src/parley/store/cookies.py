"""Keep the cookies that a webhook set for one conversation: an account's number and a phone."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import and_, delete

from parley.store import schema
from parley.store.engine.statements import Execute, Insert, Lookup, Operation

IDLE_US: Final = 4 * 3600 * 1_000_000
"""A conversation's cookies expire after four hours without a message."""

_PAIR: Final = ("account_id", "number", "phone")

_table = schema.cookies.c


def of_pair(account_id: bytes, number: str, phone: str, not_before: int) -> Operation[dict[str, str]]:
    """The cookies of a conversation that were put at `not_before` or later, by name."""
    # A lookup rather than a query, which would be compiled anew for each webhook.
    rows = yield Lookup(schema.cookies, ("name", "value", "used_at"), _PAIR, [(account_id, number, phone)])
    return {name: value for name, value, used_at in sorted(rows) if used_at >= not_before}


def put(account_id: bytes, number: str, phone: str, cookies: Mapping[str, str], at: int) -> Operation[None]:
    """Replace a conversation's cookies as a whole. Putting the same again keeps them from expiring."""
    where = and_(_table.account_id == account_id, _table.number == number, _table.phone == phone)
    yield Execute(delete(schema.cookies).where(where))
    rows = [(account_id, number, phone, name, value, at) for name, value in cookies.items()]
    # Of two webhooks that set the same cookie at once on two nodes, the first to commit wins.
    yield Insert(schema.cookies, rows, ignore=True)


def purge(before: int) -> Operation[None]:
    """Drop what was last put before a time."""
    yield Execute(delete(schema.cookies).where(_table.used_at < before))
