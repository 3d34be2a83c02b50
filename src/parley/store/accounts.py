"""Keep accounts and their API keys. What signs webhooks is sealed before it gets here; see vault."""

from collections.abc import Callable
from typing import Any, Final

from msgspec.structs import astuple, fields
from sqlalchemy import ColumnElement, and_, or_, select

from parley.lib.redaction import Secret
from parley.model.account import Account, AccountStatus, ApiKey
from parley.store import links, paging, schema
from parley.store.engine.declined import Declined, decided
from parley.store.engine.statements import Delete, Execute, Insert, Lookup, Operation, Query, Row
from parley.store.locking import lock
from parley.store.vault import Vault, VaultError

_COLUMNS: Final = tuple(field.name for field in fields(Account))
_SEALED: Final = ("auth_token", "signing_key", "previous_auth_token", "next_signing_key")
_FIRST: Final = "accounts.first"
"""The row of the settings that is locked while the first account is made."""
_KEY_COLUMNS: Final = tuple(field.name for field in fields(ApiKey))


def add(account: Account, vault: Vault) -> Operation[None]:
    """Add an account. Fails when its id is taken."""
    yield Insert(schema.accounts, [tuple(_row(account, vault).values())], _COLUMNS)


def add_first(account: Account, vault: Vault, *, is_named: bool) -> Operation[Account]:
    """Add an account unless there is one already (with `is_named`, one of its id); the one that stands then: of
    several the oldest. Of nodes that start together on an empty database, one adds it. Raises VaultError.
    """
    yield from lock(schema.settings, ("key",), ("key",), (_FIRST, "{}", account.created_at))
    try:
        found = yield from everyone(vault)
    except VaultError as problem:  # the operator's to mend, and no fault of the operation
        raise Declined(problem) from problem
    stands = next((each for each in found if not is_named or each.id == account.id), None)
    if stands is None:
        yield from add(account, vault)
    return stands or account


def exist() -> Operation[bool]:
    """Whether there is any account."""
    return bool((yield Query(select(schema.accounts.c.id).limit(1))))


def fetch(account_id: bytes, vault: Vault) -> Operation[Account | None]:
    """An account with its secrets. Raises VaultError when they were sealed under another key."""
    rows = yield Lookup(schema.accounts, _COLUMNS, ("id",), [(account_id,)])
    return _account(rows[0], vault) if rows else None


def everyone(vault: Vault) -> Operation[list[Account]]:
    """All accounts, the oldest first. Raises VaultError."""
    table = schema.accounts.c
    rows = yield Query(select(*(table[name] for name in _COLUMNS)).order_by(table.created_at, table.id))
    return [_account(row, vault) for row in rows]


def page(
    owner_id: bytes,
    vault: Vault,
    limit: int,
    after: bytes | None = None,
    *,
    backwards: bool = False,
    skip: int = 0,
    name: str | None = None,
    status: AccountStatus | None = None,
    but_status: AccountStatus | None = None,
) -> Operation[list[Account]]:
    """At most `limit` of an account itself and its subaccounts, older than `after` (newer, when `backwards`), newest
    first; those of `status` alone, or all but those of `but_status`. Raises VaultError.
    """
    table = schema.accounts.c
    conditions: list[ColumnElement[bool]] = [or_(table.owner_id == owner_id, table.id == owner_id)]
    if name is not None:
        conditions.append(table.name == name)
    if status is not None:
        conditions.append(table.status == status)
    if but_status is not None:
        conditions.append(table.status != but_status)
    query = select(*(table[name] for name in _COLUMNS)).where(and_(*conditions))
    rows = yield from paging.page(query, table.id, limit, after, backwards=backwards, skip=skip)
    return [_account(row, vault) for row in rows]


def family(owner_id: bytes) -> Operation[list[bytes]]:
    """The ids of an account itself and its subaccounts."""
    table = schema.accounts.c
    rows = yield Query(select(table.id).where(or_(table.owner_id == owner_id, table.id == owner_id)))
    return [row[0] for row in rows]


def change(account_id: bytes, change: Callable[[Account], Account], vault: Vault) -> Operation[Account | None]:
    """Replace an account by what `change` makes of it; what it raises passes, and nothing changes. The account as it is
    then, None when there is none. One that is closed by this releases its numbers, its keys and its domains. Raises
    VaultError.
    """
    # Locked, so that no two changes are made of the same account: one would bring back what the other took away.
    rows = yield Lookup(schema.accounts, _COLUMNS, ("id",), [(account_id,)], lock=True)
    if not rows:
        return None
    before = _account(rows[0], vault)
    after = decided(change, before)
    if after == before:
        return before
    values = _row(after, vault)
    del values["id"]
    yield Execute(schema.accounts.update().where(schema.accounts.c.id == account_id).values(values))
    if after.status == "closed" != before.status:
        for table in (schema.numbers, schema.api_keys):
            yield Execute(table.delete().where(table.c.account_id == account_id))
        its = and_(schema.resources.c.account_id == account_id, schema.resources.c.kind == links.DOMAIN)
        yield Execute(schema.resources.delete().where(its))
    return after


def add_key(key: ApiKey) -> Operation[None]:
    """Add an API key."""
    yield Insert(schema.api_keys, [astuple(key)], _KEY_COLUMNS)


def fetch_key(key_id: bytes) -> Operation[ApiKey | None]:
    """An API key of whichever account."""
    rows = yield Lookup(schema.api_keys, _KEY_COLUMNS, ("id",), [(key_id,)])
    return ApiKey(*rows[0]) if rows else None


def keys_of(account_id: bytes) -> Operation[list[ApiKey]]:
    """An account's API keys, the oldest first."""
    rows = yield Lookup(schema.api_keys, _KEY_COLUMNS, ("account_id",), [(account_id,)])
    return sorted((ApiKey(*row) for row in rows), key=lambda key: key.id)


def page_of_keys(
    account_id: bytes, limit: int, after: bytes | None = None, *, backwards: bool = False, skip: int = 0
) -> Operation[list[ApiKey]]:
    """At most `limit` of an account's API keys older than `after` (newer, when `backwards`), newest first."""
    table = schema.api_keys.c
    query = select(*(table[name] for name in _KEY_COLUMNS)).where(table.account_id == account_id)
    rows = yield from paging.page(query, table.id, limit, after, backwards=backwards, skip=skip)
    return [ApiKey(*row) for row in rows]


def rename_key(account_id: bytes, key_id: bytes, name: str, now: int) -> Operation[ApiKey | None]:
    """Give an API key another name; the key as it is then, None when the account has none of that id."""
    table = schema.api_keys
    where = and_(table.c.id == key_id, table.c.account_id == account_id)
    columns = (table.c[column] for column in _KEY_COLUMNS)
    rows = yield Execute(table.update().where(where).values(name=name, updated_at=now).returning(*columns))
    return ApiKey(*rows[0]) if rows else None


def drop_key(account_id: bytes, key_id: bytes) -> Operation[bool]:
    """Take an API key away. False when the account has none of that id."""
    rows = yield Lookup(schema.api_keys, ("id",), ("id", "account_id"), [(key_id, account_id)], lock=True)
    yield Delete(schema.api_keys, ("id",), rows)
    return bool(rows)


def _row(account: Account, vault: Vault) -> dict[str, Any]:
    values: dict[str, Any] = {name: getattr(account, name) for name in _COLUMNS}
    for name in _SEALED:
        secret = values[name]
        values[name] = None if secret is None else vault.seal(secret.reveal(), _purpose(account.id, name))
    return values


def _account(row: Row, vault: Vault) -> Account:
    values: dict[str, Any] = dict(zip(_COLUMNS, row, strict=True))
    for name in _SEALED:
        sealed = values[name]
        values[name] = None if sealed is None else Secret(vault.open(sealed, _purpose(values["id"], name)))
    return Account(**values)


def _purpose(account_id: bytes, column: str) -> bytes:
    """Binds a sealed value to its place, so that it cannot be moved to another account or column."""
    return b"accounts." + column.encode() + b":" + account_id
