"""Keep what accounts configure: one table for every kind of resource, whose values are JSON. See docs/adr/007."""

from collections.abc import Callable, Collection, Sequence
from typing import Any, Final, Literal

from msgspec.structs import astuple, fields, replace
from sqlalchemy import ColumnElement, and_, func, select, tuple_

from parley.model.callback import Callback
from parley.model.resource import Row
from parley.store import paging, schema
from parley.store.engine.declined import decided
from parley.store.engine.statements import Delete, Execute, Insert, Lookup, Operation, Query

COLUMNS: Final = tuple(field.name for field in fields(Row))
_CHANGING: Final = ("name", "due_at", "data", "updated_at")

_table = schema.resources.c

Added = Literal["added", "full", "name_taken", "number_gone", "parent_gone"]
"""What becomes of a resource that is added: all but the first say why nothing happened.
- full: its parent has as many of the kind as it may
- name_taken: another of its account and kind has the name, or any has the id
- number_gone: it is a number in another capacity, which the account does not own
- parent_gone: what it belongs to is not there
"""


def add(
    row: Row, owes: Sequence[Callback] = (), *, number: str | None = None, most: int | None = None
) -> Operation[Added]:
    """Add a resource, and owe callbacks for it. `number` is the address that its account has to own, `most` how many
    of the kind its parent may have: both hold at the commit, whatever happens beside it.
    """
    if number is not None:
        # A number is locked before what is made of it, as it is where it is released.
        owners = yield Lookup(schema.numbers, ("account_id",), ("address",), [(number,)], lock=True)
        if owners != [(row.account_id,)]:
            return "number_gone"
    if row.parent_id is not None:
        keys = ("id", "account_id")
        parents = yield Lookup(schema.resources, ("id",), keys, [(row.parent_id, row.account_id)], lock=True)
        if not parents:
            return "parent_gone"
        if most is not None and (yield from count(row.account_id, row.kind, row.parent_id)) >= most:
            return "full"
    found = yield Lookup(schema.resources, ("id",), ("id",), [(row.id,)])
    if found:
        return "name_taken"
    yield Insert(schema.resources, [astuple(row)], ignore=True)
    # An id that follows from a name may have become another account's on another node since it was looked for.
    is_ours = (yield Lookup(schema.resources, COLUMNS, ("id",), [(row.id,)])) == [astuple(row)]
    yield Insert(schema.callbacks, [astuple(callback) for callback in owes] if is_ours else [])
    return "added" if is_ours else "name_taken"


def fetch(account_id: bytes, kind: str, resource_id: bytes) -> Operation[Row | None]:
    """The account's resource of that kind and id."""
    keys = ("id", "account_id", "kind")
    rows = yield Lookup(schema.resources, COLUMNS, keys, [(resource_id, account_id, kind)])
    return Row(*rows[0]) if rows else None


def by_name(account_id: bytes, kind: str, name: str) -> Operation[Row | None]:
    """The account's resource of that kind and name."""
    rows = yield Lookup(schema.resources, COLUMNS, ("account_id", "kind", "name"), [(account_id, kind, name)])
    return Row(*rows[0]) if rows else None


def page(
    account_id: bytes,
    kind: str,
    limit: int,
    after: bytes | None = None,
    *,
    parent_id: bytes | None = None,
    backwards: bool = False,
    skip: int = 0,
) -> Operation[list[Row]]:
    """At most `limit` resources (of one parent, when given) older than `after` (newer, when `backwards`), newest
    first.
    """
    query = select(*(_table[name] for name in COLUMNS)).where(and_(*_of(account_id, kind, parent_id)))
    rows = yield from paging.page(query, _table.id, limit, after, backwards=backwards, skip=skip)
    return [Row(*row) for row in rows]


def everything(account_id: bytes, kind: str, parent_id: bytes | None = None) -> Operation[list[Row]]:
    """All resources of a kind (of one parent, when given), the oldest first. For kinds of which accounts have few."""
    rows = yield Query(
        select(*(_table[name] for name in COLUMNS)).where(and_(*_of(account_id, kind, parent_id))).order_by(_table.id)
    )
    return [Row(*row) for row in rows]


def count(account_id: bytes, kind: str, parent_id: bytes | None = None) -> Operation[int]:
    """How many resources of a kind there are (of one parent, when given)."""
    where = and_(*_of(account_id, kind, parent_id))
    rows = yield Query(select(func.count()).select_from(schema.resources).where(where))
    return int(rows[0][0])


def due(kind: str, now: int, limit: int, after: tuple[int, bytes] | None = None) -> Operation[list[Row]]:
    """Up to `limit` resources of whichever account to which something is to happen by now, the longest due first; from
    behind a time and an id, when given.
    """
    conditions = [_table.kind == kind, _table.due_at <= now]
    if after is not None:
        conditions += [_table.due_at >= after[0], tuple_(_table.due_at, _table.id) > after]
    rows = yield Query(
        select(*(_table[name] for name in COLUMNS))
        .where(and_(*conditions))
        .order_by(_table.due_at, _table.id)
        .limit(limit)
    )
    return [Row(*row) for row in rows]


def change(row: Row, owes: Sequence[Callback] = ()) -> Operation[bool]:
    """Store a resource's new name, time and value, count its revision up, and owe callbacks for it.

    False when it is gone, was changed since `row` was read, or another has the name: then nothing changed.
    """
    if row.name is not None:
        keys = ("account_id", "kind", "name")
        rows = yield Lookup(schema.resources, ("id",), keys, [(row.account_id, row.kind, row.name)])
        if rows and rows[0][0] != row.id:
            return False
    values: dict[str, Any] = {name: getattr(row, name) for name in _CHANGING}
    where = and_(_table.id == row.id, _table.account_id == row.account_id, _table.revision == row.revision)
    changed = yield Execute(
        schema.resources.update().where(where).values(**values, revision=row.revision + 1).returning(_table.id)
    )
    yield Insert(schema.callbacks, [astuple(callback) for callback in owes] if changed else [])
    return bool(changed)


def alter(
    account_id: bytes, kind: str, resource_id: bytes, change_to: Callable[[Row], Row]
) -> Operation[Row | Literal["gone", "name_taken"]]:
    """Change a resource to what `change_to` makes of it, which nobody else changes meanwhile; what that raises passes,
    and nothing changes. The resource as it is then, or why there is none.
    """
    keys = ("id", "account_id", "kind")
    rows = yield Lookup(schema.resources, COLUMNS, keys, [(resource_id, account_id, kind)], lock=True)
    if not rows:
        return "gone"
    after = decided(change_to, Row(*rows[0]))
    if not (yield from change(after)):
        return "name_taken"
    return replace(after, revision=after.revision + 1)


def drop(account_id: bytes, kind: str, resource_id: bytes, *, with_children: Collection[str] = ()) -> Operation[bool]:
    """Remove a resource, and of what belongs to it, and to that, these kinds. False when the account has none of that
    id.
    """
    keys = ("id", "account_id", "kind")
    rows = yield Lookup(schema.resources, ("id",), keys, [(resource_id, account_id, kind)], lock=True)
    if rows and with_children:
        is_theirs = and_(_table.account_id == account_id, _table.kind.in_(sorted(with_children)))
        found = yield Query(select(_table.id).where(and_(is_theirs, _table.parent_id == resource_id)))
        parents = [resource_id, *(row[0] for row in found)]
        yield Execute(schema.resources.delete().where(and_(is_theirs, _table.parent_id.in_(parents))))
    yield Delete(schema.resources, ("id",), rows)
    return bool(rows)


def _of(account_id: bytes, kind: str, parent_id: bytes | None) -> list[ColumnElement[bool]]:
    conditions = [_table.account_id == account_id, _table.kind == kind]
    if parent_id is not None:
        conditions.append(_table.parent_id == parent_id)
    return conditions
