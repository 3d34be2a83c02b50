"""List the receipts that matched no message."""

from sqlalchemy import select

from parley.model.receipt import Orphan
from parley.store import schema
from parley.store.engine.statements import Operation, Query


def newest(limit: int) -> Operation[list[Orphan]]:
    """At most `limit` of them, the last come first."""
    table = schema.orphans.c
    rows = yield Query(
        select(table.carrier, table.ref, table.status, table.at, table.error_code)
        .order_by(table.seq.desc())
        .limit(limit)
    )
    return [Orphan(*row) for row in rows]
