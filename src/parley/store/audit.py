"""The audit: read the whole record once, in order and a page at a time, and hear of each message if all of it is there.

What was accepted is counted by the events of acceptance, and what became of it by the messages' own states: two
accounts of one thing, which damage to either brings apart.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Table, and_, distinct, func, select, tuple_

from parley.model.message import Dialect, Status
from parley.model.number import RELAY_HANDLERS
from parley.store import schema
from parley.store.books import EXAMPLES, Audit, Auditor, Belongings, Entry, Owed, Waits
from parley.store.changes import is_untold
from parley.store.engine.statements import Lookup, Operation, Query, Row

PAGE: Final = 500
"""Messages in memory at once, with what belongs to them."""
_STARTS: Final = ("accepted", "scheduled", "queued")
"""What outbound messages begin as."""


def audit(states: Mapping[Dialect, Collection[Status]], now: int, page: int = PAGE) -> Operation[Audit]:
    """Audit everything, in one snapshot. `states` says which changes of state each dialect's callbacks tell of, but
    for those whose event says that nobody was told; `now` is what the future is seen from.
    """
    auditor = Auditor(states, now)
    table = schema.messages.c
    columns = [table[name] for name in Entry.__struct_fields__]
    after = (b"", b"")
    while True:
        rows = yield Query(
            select(*columns)
            .where(tuple_(table.account_id, table.id) > after)
            .order_by(table.account_id, table.id)
            .limit(page)
        )
        if not rows:
            break
        yield from _page(auditor, [Entry(*row) for row in rows])
        after = (rows[-1][0], rows[-1][1])
    for stray in (schema.events, schema.pending, schema.callbacks, schema.refs, schema.media):
        of_messages = schema.callbacks.c.kind != "notice" if stray is schema.callbacks else None
        for _, message_id, count in (yield from _without_message(stray, of_messages)):
            auditor.fault(f"stray {stray.name}", message_id, "they belong to no message", count)
    for account_id, message_id, count in (
        yield from _without_message(schema.events, schema.events.c.kind.in_(_STARTS))
    ):
        auditor.books(account_id).accepted += count
        auditor.fault("lost", message_id, "it was accepted, and is not there", count)
    yield from _without_account(auditor)
    auditor.result.refs = yield from _count(schema.refs)
    auditor.result.orphans = yield from _count(schema.orphans)
    return auditor.finish()


def _without_account(auditor: Auditor) -> Operation[None]:
    """The accounts that are gone while what is theirs stays, each named by its first message."""
    message = schema.messages.c
    accounts = [bytes.fromhex(account_id) for account_id in auditor.result.accounts]
    there = {row[0] for row in (yield Lookup(schema.accounts, ("id",), ("id",), [(each,) for each in accounts]))}
    for account_id in accounts:
        if account_id not in there:
            its = message.account_id == account_id
            first = yield Query(select(message.id).where(its).order_by(message.id).limit(1))
            said = f"its account AC{account_id.hex()} is not there"
            auditor.fault("no account", first[0][0] if first else None, said)


def _page(auditor: Auditor, messages: Sequence[Entry]) -> Operation[None]:
    keys = [(message.id,) for message in messages]
    columns = ("message_id", *Waits.__struct_fields__)
    queue = {row[0]: Waits(*row[1:]) for row in (yield Lookup(schema.pending, columns, ("message_id",), keys))}
    events = yield Lookup(schema.events, ("message_id", "seq", "kind", "data"), ("message_id",), keys)
    kinds = _by_first(sorted(events, key=lambda event: event[1]))
    callbacks = _by_first(
        (yield Lookup(schema.callbacks, ("message_id", *Owed.__struct_fields__), ("message_id",), keys))
    )
    rows = yield Lookup(schema.media, ("message_id", "content_hash", "deleted_at"), ("message_id",), keys)
    media = _by_first(rows)
    hashes = list({(row[1],): None for row in rows if row[1] is not None})
    stored = {row[0] for row in (yield Lookup(schema.media_content, ("hash",), ("hash",), hashes))}
    webhooks = yield from _webhooks([message for message in messages if message.direction == "inbound"])
    for message in messages:
        has = Belongings(
            [row[2] for row in kinds.get(message.id, ())],
            [row[2] for row in kinds.get(message.id, ()) if is_untold(row[3])],
            queue.get(message.id),
            [Owed(*row[1:]) for row in callbacks.get(message.id, ())],
            [(row[1], row[2], row[1] in stored) for row in media.get(message.id, ())],
            webhooks.get(message.id),
        )
        auditor.turn(message, has)


def _webhooks(inbound: Sequence[Entry]) -> Operation[dict[bytes, int]]:
    """Since when the number of each message has been as it is, for those whose number itself says which URL is told of
    it. What an application or another resource says in its place may have changed at any time.
    """
    addresses = {message.id: message.recipient.rpartition(":")[2] for message in inbound}
    columns = ("account_id", "address", "updated_at", "request_url", "handler", "application_id")
    rows = yield Lookup(schema.numbers, columns, ("address",), list({(a,): None for a in addresses.values()}))
    since = {
        (account_id, address): updated_at
        for account_id, address, updated_at, url, handler, application_id in rows
        if url is not None and handler not in RELAY_HANDLERS and application_id is None
    }
    found = ((message.id, since.get((message.account_id, addresses[message.id]))) for message in inbound)
    return {message_id: at for message_id, at in found if at is not None}


def _by_first(rows: Sequence[Row]) -> dict[bytes, list[Row]]:
    found: dict[bytes, list[Row]] = {}
    for row in rows:
        found.setdefault(row[0], []).append(row)
    return found


def _count(table: Table) -> Operation[int]:
    rows = yield Query(select(func.count()).select_from(table))
    return int(rows[0][0])


def _without_message(
    table: Table, condition: ColumnElement[bool] | None = None
) -> Operation[list[tuple[bytes, bytes | None, int]]]:
    """The messages that a table's rows name and that are not there: some by id, and by account how many more."""
    message, mine = schema.messages.c, table.c
    there = and_(message.account_id == mine.account_id, message.id == mine.message_id)
    joined = table.outerjoin(schema.messages, there)
    missing = message.id.is_(None) if condition is None else and_(message.id.is_(None), condition)
    counted = yield Query(
        select(mine.account_id, func.count(distinct(mine.message_id)))
        .select_from(joined)
        .where(missing)
        .group_by(mine.account_id)
    )
    found: list[tuple[bytes, bytes | None, int]] = []
    for account_id, count in counted:
        these: Any = select(mine.message_id).distinct().select_from(joined)
        rows = yield Query(these.where(and_(missing, mine.account_id == account_id)).limit(EXAMPLES))
        found += [(account_id, row[0], 1) for row in rows]
        if count > len(rows):
            found.append((account_id, None, count - len(rows)))
    return found
