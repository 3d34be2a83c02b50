"""Keep the simulator's phones: how they behave, what arrived at them, and the receipts that they owe."""

from collections.abc import Sequence
from typing import Final

from msgspec.structs import astuple, fields, replace
from sqlalchemy import ColumnElement, Select, and_, case, delete, func, select, union_all

from parley.model.phone import CARRIER, Arrival, DueReceipt, Phone
from parley.store import numbers, schema
from parley.store.engine.statements import Delete, Execute, Insert, Operation, Query, Row, Upsert

_ARRIVAL: Final = tuple(field.name for field in fields(Arrival))
_RECEIPT: Final = tuple(field.name for field in fields(DueReceipt))
_RECEIPT_KEYS: Final = ("due_at", "message_id", "status")
_LOOK_BACK: Final = 20_000
"""Of an account's newest messages, how many tell which phones it talked with."""
_LOOKS_BACK: Final = 10_000
"""Of an account's newest messages to a phone, how many are at least looked at for its inbox."""


def behaviours() -> Operation[dict[str, str]]:
    """Every phone that was told how to behave, and the JSON of it."""
    table = schema.phones.c
    rows = yield Query(select(table.address, table.behaviour))
    return {row[0]: row[1] for row in rows}


def put_behaviour(address: str, behaviour: str) -> Operation[None]:
    """Tell a phone how to behave, in JSON."""
    yield Upsert(schema.phones, [(address, behaviour)])


def record(arrivals: Sequence[Arrival], due_receipts: Sequence[DueReceipt] = ()) -> Operation[set[str]]:
    """Put messages on phones, unless they arrived before, and note the receipts that are owed for them.

    Returns those of the phones that are numbers of this server. Nothing is owed yet for what arrived there.
    """
    ours = (yield from numbers.owned({arrival.phone for arrival in arrivals})) if arrivals else set()
    comes_in = {arrival.message_id for arrival in arrivals if arrival.phone in ours} if ours else ()
    yield Insert(schema.arrivals, list(map(astuple, arrivals)), _ARRIVAL, ignore=True)
    yield from owe([each for each in due_receipts if each.message_id not in comes_in] if comes_in else due_receipts)
    return ours


def owe(due_receipts: Sequence[DueReceipt]) -> Operation[None]:
    """Note receipts that are owed."""
    yield Insert(schema.due_receipts, list(map(astuple, due_receipts)), _RECEIPT, ignore=True)


def take_due(now: int, limit: int, again_at: int) -> Operation[list[DueReceipt]]:
    """Take at most `limit` receipts that are due, the longest due first; they are owed again from `again_at` on.

    So each is one node's to report, until it has had its time.
    """
    table = schema.due_receipts.c
    columns = (table[name] for name in _RECEIPT)
    rows = yield Query(
        select(*columns)
        .where(table.due_at <= now)
        .order_by(table.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    found = [DueReceipt(*row) for row in rows]
    taken = [replace(receipt, due_at=again_at + n) for n, receipt in enumerate(found)]  # in this order, if need be
    yield from settle(found)
    yield Insert(schema.due_receipts, list(map(astuple, taken)), _RECEIPT)
    return taken


def next_due() -> Operation[int | None]:
    """When the next receipt is due; None when none is owed."""
    rows = yield Query(select(func.min(schema.due_receipts.c.due_at)))
    first: int | None = rows[0][0]
    return first


def settle(receipts: Sequence[DueReceipt]) -> Operation[None]:
    """Take receipts off that were reported."""
    rows: list[Row] = [(receipt.due_at, receipt.message_id, receipt.status) for receipt in receipts]
    yield Delete(schema.due_receipts, _RECEIPT_KEYS, rows)


def inbox(
    phone: str, account_id: bytes, limit: int, since: int | None = None, contains: str | None = None
) -> Operation[list[Arrival]]:
    """What an account sent to a phone, newest first: received at `since` or later, with `contains` in the body.

    Found by the messages to it, of which the newest are looked at: an index of the phone's own would cost each message
    a page in a random place, as the index of recipients does already.
    """
    table = schema.arrivals.c
    most = max(limit, _LOOKS_BACK)
    sent = union_all(*(_newest_to(account_id, recipient, most) for recipient in (phone, f"whatsapp:{phone}")))
    conditions: list[ColumnElement[bool]] = [table.message_id.in_(sent)]
    if since is not None:
        conditions.append(table.received_at >= since)
    if contains:
        # LIKE folds case in one engine and not in the other; a body without it is another body in both.
        conditions.append(func.replace(table.body, contains, "") != table.body)
    rows = yield Query(
        select(*(table[name] for name in _ARRIVAL))
        .where(and_(*conditions))
        .order_by(table.received_at.desc(), table.message_id.desc())
        .limit(limit)
    )
    return [Arrival(*row) for row in rows]


def _newest_to(account_id: bytes, recipient: str, most: int) -> Select[tuple[bytes]]:
    message = schema.messages.c
    newest = (
        select(message.id)
        .where(and_(message.account_id == account_id, message.recipient == recipient))
        .order_by(message.id.desc())
        .limit(most)
        .with_hint(schema.messages, "INDEXED BY messages_recipient", "sqlite")
        .subquery()
    )
    return select(newest.c.id)


def list_phones(account_id: bytes, limit: int, after: int = 0) -> Operation[list[Phone]]:
    """The phones that an account's newest messages by their carrier went to or came from, the last active first: those
    active after a time.
    """
    message = schema.messages.c
    is_inbound = message.direction == "inbound"
    newest = (
        select(
            case((is_inbound, message.sender), else_=message.recipient).label("address"),
            message.updated_at,
            message.carrier,
        )
        .where(message.account_id == account_id)
        .order_by(message.id.desc())
        .limit(_LOOK_BACK)
        .subquery()
    )
    active_at = func.max(newest.c.updated_at)
    rows = yield Query(
        select(newest.c.address, active_at)
        .where(and_(newest.c.carrier == CARRIER, newest.c.address.is_not(None)))
        .group_by(newest.c.address)
        .having(active_at > after)
        .order_by(active_at.desc(), newest.c.address)
        .limit(limit)
    )
    return [Phone(*row) for row in rows]


def forget_all() -> Operation[None]:
    """Forget every phone: behaviour, messages, receipts owed, calls."""
    for table in (schema.phones, schema.arrivals, schema.due_receipts, schema.calls):
        yield Execute(delete(table))


def redact(message_id: bytes) -> Operation[None]:
    """Empty a message where a phone shows it, of its text and its media."""
    table = schema.arrivals
    yield Execute(table.update().where(table.c.message_id == message_id).values(body="", media=None))
