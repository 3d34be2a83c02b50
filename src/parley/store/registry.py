"""Count what registered senders have sent."""

from collections.abc import Collection

from sqlalchemy import and_, func, or_, select

from parley.lib import ids
from parley.lib.phone import region
from parley.store import schema
from parley.store.engine.statements import Operation, Query

_table = schema.messages.c


def segments_since(account_id: bytes, senders: Collection[str], since: int, without: Collection[int]) -> Operation[int]:
    """Segments of messages to the US that an account's senders took in from a time on, but for those that never went
    out and those that ended with an error code that is among `without`.
    """
    total = 0
    for sender in sorted(senders):
        counted = (
            select(func.substr(_table.recipient, 3, 3).label("area"), _table.segments)
            .where(
                and_(
                    _table.account_id == account_id,
                    _table.sender == sender,
                    _table.id >= ids.floor(since),
                    _table.direction != "inbound",
                    _table.recipient.like("+1%"),
                    _table.status.not_in(("failed", "canceled")),
                    or_(_table.error_code.is_(None), _table.error_code.not_in(sorted(without))),
                )
            )
            # Of several senders together, or without an order, SQLite would read all that the account did since.
            .order_by(_table.id)
            .subquery()
        )
        rows = yield Query(select(counted.c.area, func.sum(counted.c.segments)).group_by(counted.c.area))
        total += sum(int(segments) for area, segments in rows if region(f"+1{area}2345678") == "US")
    return total
