"""Count what was sent and received, each message once: the events up to a watermark are in the table of usage."""

from collections.abc import Collection, Mapping
from typing import Final

from sqlalchemy import and_, case, func, or_, select

from parley.model.usage import DAY_US, Amount, Used, leaf
from parley.store import schema
from parley.store.engine.statements import Lookup, Operation, Query, Upsert
from parley.store.locking import lock

Key = tuple[bytes, int, str]
_KEY: Final = ("account_id", "day", "category")
_COLUMNS: Final = (*_KEY, "count", "units", "price")
_WATERMARK: Final[Key] = (b"", 0, "events")
"""The row of nobody whose count is the position of the last event that is counted in."""

_table = schema.usage.c


def watermark() -> Operation[int]:
    """The position of the last event that is counted in."""
    rows = yield Lookup(schema.usage, ("count",), _KEY, [_WATERMARK])
    return int(rows[0][0]) if rows else 0


def tally(after: int, until: int) -> Operation[dict[Key, Amount]]:
    """What the events of a range count, by account, day and leaf. Each message enters `sent` or `received` once."""
    event, message = schema.events.c, schema.messages.c
    is_inbound = case((message.direction == "inbound", 1), else_=0)
    own = case((message.direction == "inbound", message.recipient), else_=message.sender)
    happened = (
        select(
            event.account_id,
            (event.at - event.at % DAY_US).label("day_at"),
            message.kind,
            is_inbound.label("is_inbound"),
            own.label("own"),
            message.segments,
            message.price,
        )
        .join_from(
            schema.events,
            schema.messages,
            and_(message.account_id == event.account_id, message.id == event.message_id),
        )
        # Not by IN, whose text follows its values: that would be compiled anew each time.
        .where(and_(event.seq > after, event.seq <= until, or_(event.kind == "sent", event.kind == "received")))
        .subquery()
    )
    of = happened.c
    keys = (of.account_id, of.day_at, of.kind, of.is_inbound, of.own)
    rows = yield Query(
        select(*keys, func.count(), func.sum(of.segments), func.sum(func.coalesce(of.price, 0))).group_by(*keys)
    )
    found: dict[Key, Amount] = {}
    for account_id, day_at, kind, inbound, own_address, count, units, price in rows:
        key = (account_id, day_at // DAY_US, leaf(kind, own_address or "", is_inbound=bool(inbound)))
        amount = Amount(count, count if kind != "sms" else int(units), int(price))
        found[key] = found.get(key, Amount()) + amount
    return found


def add(after: int, until: int, amounts: Mapping[Key, Amount]) -> Operation[bool]:
    """Count in what `tally` found in a range. False when the watermark is not at `after` any more: nothing changed."""
    (position,) = yield from lock(schema.usage, ("count",), _KEY, (*_WATERMARK, 0, 0, 0))
    if position != after:
        return False
    before = yield Lookup(schema.usage, _COLUMNS, _KEY, list(amounts))
    sums = dict(amounts)
    for account_id, day, category, count, units, price in before:
        sums[account_id, day, category] += Amount(count, units, price)
    yield Upsert(
        schema.usage,
        [(*_WATERMARK, until, 0, 0), *((*key, sum_.count, sum_.units, sum_.price) for key, sum_ in sums.items())],
    )
    return True


def used(accounts: Collection[bytes], first_day: int, last_day: int) -> Operation[list[Used]]:
    """What accounts together used in a range of days, both ends included, as far as it is counted in; oldest first."""
    rows = yield Query(
        select(_table.day, _table.category, *(func.sum(_table[name]) for name in ("count", "units", "price")))
        .where(and_(_table.account_id.in_(sorted(accounts)), _table.day >= first_day, _table.day <= last_day))
        .group_by(_table.day, _table.category)
        .order_by(_table.day)
    )
    return [Used(day, category, Amount(*map(int, amount))) for day, category, *amount in rows]


def spent(accounts: Collection[bytes]) -> Operation[int]:
    """What accounts' usage cost since they were made, in millionths of a US dollar, as far as it is counted in."""
    rows = yield Query(select(func.sum(_table.price)).where(_table.account_id.in_(sorted(accounts))))
    return int(rows[0][0] or 0)
