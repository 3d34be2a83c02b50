"""Find what went wrong with the webhooks of inbound messages: the notes of it among their events."""

from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, and_, literal_column, not_, or_, select

from parley.lib import ids
from parley.store import schema
from parley.store.engine.statements import Operation, Query, Row

KIND: Final = "webhook"
"""What such notes are among the events."""
WARNING: Final = 12200
"""The one code that is a warning: what it is said of was passed over, and all else carried out."""
_table: Final = schema.events.c
_COLUMNS: Final = (_table.seq, _table.account_id, _table.message_id, _table.at, _table.data)
# Spelled out, because SQLite uses a partial index only where it sees its very condition.
_NOTED: Final = _table.kind == literal_column("'webhook'")
_VARIANT: Final = 0x80
_MOST_SEQ: Final = 2**63 - 1


class WebhookFault(msgspec.Struct, frozen=True):
    """What went wrong at one URL. `at` in microseconds; `code` is Twilio's number of it."""

    seq: int
    account_id: bytes
    message_id: bytes
    at: int
    code: int
    reason: str
    url: str
    method: str

    @property
    def id(self) -> bytes:
        """16 bytes that sort by time, also among ids of `lib.ids`, and are none of those: they lack the variant."""
        return ids.floor(self.at)[:8] + self.seq.to_bytes(8)


def page(
    account_id: bytes,
    limit: int,
    after: bytes | None = None,
    *,
    backwards: bool = False,
    created_from: int | None = None,
    created_before: int | None = None,
    warnings: bool | None = None,
) -> Operation[list[WebhookFault]]:
    """At most `limit` of an account's older than the id `after` (newer, when `backwards`), newest first. `warnings`
    takes those alone, or all but them.
    """
    conditions: list[ColumnElement[bool]] = [_table.account_id == account_id, _NOTED]
    if warnings is not None:
        is_warning = _table.data.startswith(f'{{"code":{WARNING},')  # as it is written, the code first
        conditions.append(is_warning if warnings else not_(is_warning))
    if created_from is not None:
        conditions.append(_table.at >= created_from)
    if created_before is not None:
        conditions.append(_table.at < created_before)
    if after is not None:
        at = ids.made_at(after)
        # Of one time, what has no variant sorts before all that has.
        seq = min(int.from_bytes(after[8:]), _MOST_SEQ)
        same = _table.at == at
        if backwards:
            conditions.append(or_(_table.at > at, and_(same, _table.seq > seq)))
        else:
            conditions.append(or_(_table.at < at, and_(same, _table.seq < seq)))
    order = (_table.at.asc(), _table.seq.asc()) if backwards else (_table.at.desc(), _table.seq.desc())
    rows = yield Query(select(*_COLUMNS).where(and_(*conditions)).order_by(*order).limit(limit))
    found = list(map(_fault, rows))
    return found[::-1] if backwards else found


def fetch(account_id: bytes, fault_id: bytes) -> Operation[WebhookFault | None]:
    """The account's one of that id."""
    if fault_id[8] >= _VARIANT:
        return None
    named = and_(_table.seq == int.from_bytes(fault_id[8:]), _table.account_id == account_id, _NOTED)
    rows = yield Query(select(*_COLUMNS).where(named))
    found = _fault(rows[0]) if rows else None
    return found if found is not None and found.id == fault_id else None


def _fault(row: Row) -> WebhookFault:
    told: dict[str, Any] = msgspec.json.decode(row[4])
    return WebhookFault(
        row[0], row[1], row[2], row[3], told["code"], told["reason"], told["url"], told.get("method", "POST")
    )
