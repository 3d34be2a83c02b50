"""Count what registered senders have sent."""

from collections.abc import Collection

from sqlalchemy import and_, func, or_, select

from parley.lib import ids
from parley.store import schema
from parley.store.engine.statements import Operation, Query

_table = schema.messages.c


def segments_since(account_id: bytes, senders: Collection[str], since: int, without: Collection[int]) -> Operation[int]:
    """Segments of messages to North America that an account's senders took in from a time on, but for those that never
    went out and those that ended with an error code that is among `without`.
    """
    rows = yield Query(
        select(func.coalesce(func.sum(_table.segments), 0)).where(
            and_(
                _table.account_id == account_id,
                _table.sender.in_(sorted(senders)),
                _table.id >= ids.floor(since),
                _table.direction != "inbound",
                _table.recipient.like("+1%"),
                _table.status.not_in(("failed", "canceled")),
                or_(_table.error_code.is_(None), _table.error_code.not_in(sorted(without))),
            )
        )
    )
    return int(rows[0][0])
