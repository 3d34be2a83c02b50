"""Keep the addresses that accounts own. An address has one owner at most."""

from collections.abc import Collection
from typing import Final

from msgspec.structs import asdict, astuple, fields
from sqlalchemy import ColumnElement, and_, func, not_, or_, select

from parley.lib.numbering import Kind
from parley.lib.phone import TOLL_FREE_CODES
from parley.model.address import Address
from parley.model.number import Number
from parley.store import paging, resources, schema
from parley.store.engine.statements import Delete, Execute, Insert, Lookup, Operation, Query

APPLICATION: Final = "application"
"""What applications are among the resources."""
COLUMNS: Final = tuple(field.name for field in fields(Number))
_OF_A_NUMBER: Final = ("assignment", "channel_sender", "pool_sender", "toll_free_verification")
"""The kinds of resources that are a number in another capacity, and have its address for a name."""
_FIXED: Final = ("id", "account_id", "address", "created_at")

_table = schema.numbers.c


def own(number: Number) -> Operation[Number]:
    """Give an address to an account, unless it has an owner; the row that stands then, whoever's it is."""
    yield Insert(schema.numbers, [astuple(number)], COLUMNS, ignore=True)
    rows = yield Lookup(schema.numbers, COLUMNS, ("address",), [(number.address,)])
    return Number(*rows[0])


def fetch(account_id: bytes, number_id: bytes) -> Operation[Number | None]:
    """The account's number of that id."""
    rows = yield Lookup(schema.numbers, COLUMNS, ("id", "account_id"), [(number_id, account_id)])
    return Number(*rows[0]) if rows else None


def by_address(address: str) -> Operation[Number | None]:
    """Who owns an address, and what happens there."""
    rows = yield Lookup(schema.numbers, COLUMNS, ("address",), [(address,)])
    return Number(*rows[0]) if rows else None


def owned(addresses: Collection[str]) -> Operation[set[str]]:
    """Which of these addresses have an owner, whoever it is."""
    rows = yield Lookup(schema.numbers, ("address",), ("address",), [(address,) for address in addresses])
    return {row[0] for row in rows}


def capabilities(account_id: bytes, addresses: Collection[str]) -> Operation[dict[str, tuple[bool, bool]]]:
    """Whether each of these addresses that the account owns can send SMS, and MMS."""
    columns = ("address", "account_id", "can_sms", "can_mms")
    rows = yield Lookup(schema.numbers, columns, ("address",), [(address,) for address in addresses])
    return {row[0]: (bool(row[2]), bool(row[3])) for row in rows if row[1] == account_id}


def page(
    account_id: bytes,
    limit: int,
    after: bytes | None = None,
    *,
    backwards: bool = False,
    skip: int = 0,
    address: str | None = None,
    contains: str | None = None,
    name: str | None = None,
    name_contains: str | None = None,
    is_short: bool | None = None,
    may_be: Kind | None = None,
) -> Operation[list[Number]]:
    """At most `limit` numbers older than `after` (newer, when `backwards`), newest first.

    `address` and `name` are whole and exact; `contains` is a part of the address, `name_contains` one of the name in
    either case. `is_short` takes short codes alone, or all but them; `may_be` leaves out numbers of North America that
    are of another kind, and others' kind is theirs to tell who asks.
    """
    conditions = _conditions(account_id, address, contains, name)
    if name_contains is not None:
        conditions.append(_table.name.icontains(name_contains, autoescape=True))
    if is_short is not None:
        is_long = _table.address.startswith("+")
        conditions.append(not_(is_long) if is_short else is_long)
    if may_be is not None:
        conditions.append(_may_be(may_be))
    query = select(*(_table[name] for name in COLUMNS)).where(and_(*conditions))
    rows = yield from paging.page(query, _table.id, limit, after, backwards=backwards, skip=skip)
    return [Number(*row) for row in rows]


def count(
    account_id: bytes, *, address: str | None = None, contains: str | None = None, name: str | None = None
) -> Operation[int]:
    """How many numbers `page` would list in all."""
    conditions = _conditions(account_id, address, contains, name)
    rows = yield Query(select(func.count()).select_from(schema.numbers).where(and_(*conditions)))
    return int(rows[0][0])


def change(before: Number, after: Number) -> Operation[Number | None]:
    """Store what is new in the configuration of the account's number. What others changed beside it since `before` was
    read stays. The number as it is then; None when it was released.
    """
    values = {
        column: value
        for column, value in asdict(after).items()
        if column not in _FIXED and value != getattr(before, column)
    }
    where = and_(_table.id == before.id, _table.account_id == before.account_id)
    changed = schema.numbers.update().where(where).values({**values, "updated_at": after.updated_at})
    rows = yield Execute(changed.returning(*(_table[name] for name in COLUMNS)))
    return Number(*rows[0]) if rows else None


def drop(account_id: bytes, number_id: bytes) -> Operation[bool]:
    """Release a number, and end all that it was made: a channel's sender, a member of a service or a campaign, a
    verified toll-free number. False when the account has none of that id.
    """
    rows = yield Lookup(schema.numbers, ("address",), ("id", "account_id"), [(number_id, account_id)], lock=True)
    yield Delete(schema.numbers, ("id", "account_id"), [(number_id, account_id)])
    names = [name for (address,) in rows for name in (address, Address("whatsapp", "e164", address).text)]
    keys = [(account_id, kind, name) for kind in _OF_A_NUMBER for name in names]
    found = yield Lookup(schema.resources, ("id", "parent_id"), ("account_id", "kind", "name"), keys)
    # What they belong to is locked first, as by who drops that, or the two could wait for each other.
    parents = {(parent_id,) for _, parent_id in found if parent_id is not None}
    yield Lookup(schema.resources, ("id",), ("id",), sorted(parents), lock=True)
    yield Delete(schema.resources, ("id",), [(id_,) for id_, _ in found])
    return bool(rows)


def drop_application(account_id: bytes, application_id: bytes) -> Operation[bool]:
    """Remove an application, and its id from the numbers that name it, which have their own webhooks again. False when
    the account has none of that id.
    """
    found = yield from resources.fetch(account_id, APPLICATION, application_id)
    if found is None:
        return False
    led = and_(_table.account_id == account_id, _table.application_id == application_id)
    yield Execute(schema.numbers.update().where(led).values(application_id=None))
    return (yield from resources.drop(account_id, APPLICATION, application_id))


def _may_be(kind: Kind) -> ColumnElement[bool]:
    is_free = or_(*(_table.address.startswith(f"+1{code}") for code in TOLL_FREE_CODES))
    is_abroad = not_(_table.address.startswith("+1"))
    return {"local": not_(is_free), "mobile": is_abroad, "toll_free": or_(is_free, is_abroad)}[kind]


def _conditions(
    account_id: bytes, address: str | None, contains: str | None, name: str | None
) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [_table.account_id == account_id]
    if address is not None:
        conditions.append(_table.address == address)
    if contains is not None:
        conditions.append(_table.address.contains(contains, autoescape=True))
    if name is not None:
        conditions.append(_table.name == name)
    return conditions
