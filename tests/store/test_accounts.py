"""Accounts and the vault: secrets come back to who has the key, and to nobody else."""

import asyncio
import stat
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import select
from structlog.testing import capture_logs

from parley.lib.redaction import Secret
from parley.model.account import Account, ApiKey
from parley.model.link import domain_id
from parley.model.resource import Row
from parley.store import Engine, Operation, accounts, links, numbers, resources, schema
from parley.store.connect import open_engine
from parley.store.engine.statements import Query
from parley.store.vault import KEY_BYTES, Vault, VaultError, key_from_text, load_or_create_key
from tests.store.records import Records

VAULT = Vault(b"k" * KEY_BYTES)


def _account(records: Records, **values: Any) -> Account:
    records.clock.advance(1)
    now = records.clock.now()
    token, key = Secret("token-of-the-account"), Secret("PSK_signing")
    plain = Account(records.ids.new(), "Acme", "active", "number", token, key, None, None, now, now)
    return replace(plain, **values)


async def test_an_account_comes_back_with_its_secrets(engine: Engine, records: Records) -> None:
    account = _account(records)
    await engine.write(accounts.add, account, VAULT)
    found = await engine.read(accounts.fetch, account.id, VAULT)
    assert found == account
    assert found is not None
    assert found.auth_token.reveal() == "token-of-the-account"
    assert await engine.read(accounts.fetch, records.ids.new(), VAULT) is None


async def test_a_changed_account_is_replaced_as_a_whole(engine: Engine, records: Records) -> None:
    account = _account(records)
    assert await engine.write(accounts.change, account.id, lambda it: it, VAULT) is None
    await engine.write(accounts.add, account, VAULT)
    changed = replace(
        account,
        name="Acme 2",
        status="suspended",
        auth_token=Secret("new"),
        previous_auth_token=account.auth_token,
        previous_valid_until=77,
    )
    assert await engine.write(accounts.change, account.id, lambda _: changed, VAULT) == changed
    assert await engine.read(accounts.fetch, account.id, VAULT) == changed


async def test_what_a_change_objects_to_changes_nothing(engine: Engine, records: Records) -> None:
    account = _account(records)
    await engine.write(accounts.add, account, VAULT)

    def object_to(_: Account) -> Account:
        raise LookupError

    with pytest.raises(LookupError), capture_logs() as logged:
        await engine.write(accounts.change, account.id, object_to, VAULT)
    assert logged == [], "it is no fault of the database"
    assert await engine.read(accounts.fetch, account.id, VAULT) == account


async def test_nodes_that_change_an_account_at_once_lose_no_change(engine: Engine, url: str, records: Records) -> None:
    account = _account(records)
    await engine.write(accounts.add, account, VAULT)
    other = open_engine(url)
    await other.open()
    try:
        for n in range(20):
            name, token = f"Acme {n}", Secret(f"token {n}")
            await asyncio.gather(
                engine.write(accounts.change, account.id, partial(replace, name=name), VAULT),
                other.write(accounts.change, account.id, partial(replace, auth_token=token), VAULT),
            )
            found = await engine.read(accounts.fetch, account.id, VAULT)
            assert found is not None
            assert (found.name, found.auth_token) == (name, token)
    finally:
        await other.close()


async def test_everyone_is_listed_the_oldest_first(engine: Engine, records: Records) -> None:
    made = [_account(records) for _ in range(3)]
    for account in (made[1], made[0], made[2]):
        await engine.write(accounts.add, account, VAULT)
    assert await engine.read(accounts.everyone, VAULT) == made


async def test_nodes_that_start_together_make_one_first_account(engine: Engine, url: str, records: Records) -> None:
    other = open_engine(url)
    await other.open()
    try:
        wanted = [_account(records) for _ in range(2)]
        stood = await asyncio.gather(
            *(
                each.write(accounts.add_first, account, VAULT, is_named=False)
                for each, account in zip((engine, other), wanted, strict=True)
            )
        )
    finally:
        await other.close()
    assert await engine.read(accounts.everyone, VAULT) == [stood[0]]
    assert stood[0] == stood[1]
    assert stood[0] in wanted


async def test_an_account_that_is_named_is_made_beside_others(engine: Engine, records: Records) -> None:
    first, named = _account(records), _account(records)
    for _ in range(2):
        assert await engine.write(accounts.add_first, first, VAULT, is_named=False) == first
        assert await engine.write(accounts.add_first, named, VAULT, is_named=True) == named
    assert await engine.read(accounts.everyone, VAULT) == [first, named]


async def test_no_secret_is_readable_in_the_database(engine: Engine, records: Records) -> None:
    account = _account(records, previous_auth_token=Secret("previous"))
    await engine.write(accounts.add, account, VAULT)

    def stored() -> Operation[str]:
        rows = yield Query(select(schema.accounts))
        return repr(rows)

    text = await engine.read(stored)
    for secret in (account.auth_token, account.signing_key, account.previous_auth_token):
        assert secret is not None
        assert secret.reveal() not in text


async def test_another_key_opens_nothing_and_says_what_to_do(engine: Engine, records: Records) -> None:
    account = _account(records)
    await engine.write(accounts.add, account, VAULT)
    other = Vault(b"x" * KEY_BYTES)
    with pytest.raises(VaultError, match="PARLEY_SECRET_KEY"):
        await engine.read(accounts.fetch, account.id, other)
    assert await engine.read(accounts.fetch, account.id, VAULT) == account


async def test_api_keys_belong_to_an_account(engine: Engine, records: Records) -> None:
    account_id, other = records.ids.new(), records.ids.new()
    keys = [ApiKey(records.ids.new(), owner, "ci", "scrypt$...", 5) for owner in (account_id, account_id, other)]
    for key in keys:
        await engine.write(accounts.add_key, key)
    assert await engine.read(accounts.fetch_key, keys[0].id) == keys[0]
    assert await engine.read(accounts.keys_of, account_id) == keys[:2]
    assert not await engine.write(accounts.drop_key, other, keys[0].id)
    assert await engine.write(accounts.drop_key, account_id, keys[0].id)
    assert not await engine.write(accounts.drop_key, account_id, keys[0].id)
    assert await engine.read(accounts.fetch_key, keys[0].id) is None
    assert await engine.read(accounts.keys_of, account_id) == keys[1:2]


async def test_subaccounts_stand_with_their_owner(engine: Engine, records: Records) -> None:
    owner = _account(records)
    children = [_account(records, owner_id=owner.id, name=f"child {n % 2}") for n in range(4)]
    family = [owner, *children]
    for account in [*family, _account(records), _account(records, owner_id=children[0].id)]:
        await engine.write(accounts.add, account, VAULT)
    newest_first = family[::-1]
    assert await engine.read(accounts.page, owner.id, VAULT, 9) == newest_first
    assert await engine.read(accounts.page, owner.id, VAULT, 2, newest_first[1].id) == newest_first[2:4]
    back = await engine.read(accounts.page, owner.id, VAULT, 2, newest_first[3].id, backwards=True)
    assert back == newest_first[1:3]
    assert await engine.read(accounts.page, owner.id, VAULT, 2, skip=1) == newest_first[1:3]
    assert await engine.read(accounts.page, owner.id, VAULT, 9, name="child 1") == [children[3], children[1]]
    await engine.write(accounts.change, children[2].id, lambda it: replace(it, status="suspended"), VAULT)
    [suspended] = await engine.read(accounts.page, owner.id, VAULT, 9, status="suspended")
    assert suspended.id == children[2].id


async def test_the_domain_of_what_is_closed_may_be_anothers(engine: Engine, records: Records) -> None:
    account, other = _account(records), records.ids.new()
    await engine.write(accounts.add, account, VAULT)
    taken = domain_id("l.example.com")
    of_whom = [
        Row(taken, owner, links.DOMAIN, None, None, None, '{"domain":"l.example.com"}', 1, 1, 0)
        for owner in (account.id, other)
    ]
    assert await engine.write(resources.add, of_whom[0]) == "added"
    assert await engine.write(resources.add, of_whom[1]) == "name_taken"
    await engine.write(accounts.change, account.id, partial(replace, status="suspended"), VAULT)
    assert await engine.write(resources.add, of_whom[1]) == "name_taken"
    await engine.write(accounts.change, account.id, partial(replace, status="closed"), VAULT)
    assert await engine.write(resources.add, of_whom[1]) == "added"


async def test_what_is_closed_has_neither_numbers_nor_keys(engine: Engine, records: Records) -> None:
    account = _account(records)
    closed = replace(account, status="closed")
    await engine.write(accounts.add, account, VAULT)
    await engine.write(accounts.add_key, ApiKey(records.ids.new(), account.id, "ci", "scrypt$...", 5))
    await engine.write(numbers.own, records.number("+15551234567", account_id=account.id))
    kept = await engine.write(numbers.own, records.number("+15551234568"))
    assert await engine.write(accounts.change, account.id, lambda _: closed, VAULT) == closed
    assert await engine.read(accounts.fetch, account.id, VAULT) == closed
    assert await engine.read(accounts.keys_of, account.id) == []
    assert await engine.read(numbers.by_address, "+15551234567") is None
    assert await engine.read(numbers.by_address, "+15551234568") == kept


async def test_keys_are_renamed_and_listed_by_pages(engine: Engine, records: Records) -> None:
    account_id = records.ids.new()
    keys = [ApiKey(records.ids.new(), account_id, f"key {n}", "scrypt$...", 5, "main", 5) for n in range(3)]
    for key in keys:
        await engine.write(accounts.add_key, key)
    renamed = replace(keys[1], name="build", updated_at=9)
    assert await engine.write(accounts.rename_key, records.ids.new(), keys[1].id, "no", 9) is None
    assert await engine.write(accounts.rename_key, account_id, keys[1].id, "build", 9) == renamed
    assert await engine.read(accounts.fetch_key, keys[1].id) == renamed
    newest_first = [keys[2], renamed, keys[0]]
    assert await engine.read(accounts.page_of_keys, account_id, 2) == newest_first[:2]
    assert await engine.read(accounts.page_of_keys, account_id, 2, renamed.id) == newest_first[2:]
    assert await engine.read(accounts.page_of_keys, account_id, 2, renamed.id, backwards=True) == newest_first[:1]
    assert await engine.read(accounts.page_of_keys, account_id, 2, skip=1) == newest_first[1:]


@pytest.mark.parametrize("text", ["", "token", "Grüße 👋", "x" * 5000])
def test_what_is_sealed_opens(text: str) -> None:
    sealed = VAULT.seal(text, b"here")
    assert VAULT.open(sealed, b"here") == text
    assert not text or text.encode() not in sealed


def test_nothing_opens_elsewhere_or_changed() -> None:
    sealed = VAULT.seal("secret", b"here")
    with pytest.raises(VaultError):
        VAULT.open(sealed, b"there")
    for position in range(len(sealed)):
        broken = bytearray(sealed)
        broken[position] ^= 1
        with pytest.raises(VaultError):
            VAULT.open(bytes(broken), b"here")
    for part in (b"", sealed[:5], sealed[:20]):
        with pytest.raises(VaultError):
            VAULT.open(part, b"here")


def test_sealing_twice_looks_different() -> None:
    assert VAULT.seal("secret", b"here") != VAULT.seal("secret", b"here")


def test_a_vault_shows_no_key() -> None:
    assert repr(Vault(b"k" * KEY_BYTES)) == "Vault(***)"
    with pytest.raises(VaultError, match="5 bytes") as refused:
        Vault(b"short")
    assert "short" not in str(refused.value)


def test_a_key_from_text_is_the_same_each_time() -> None:
    text = "a long enough secret"
    assert key_from_text(text) == key_from_text(text) != key_from_text(text + "!")
    assert len(key_from_text(text)) == KEY_BYTES
    with pytest.raises(VaultError, match="at least 16") as refused:
        key_from_text("hunter2")
    assert "hunter2" not in str(refused.value)


def test_a_key_file_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "var" / "parley.key"
    key = load_or_create_key(path)
    assert len(key) == KEY_BYTES
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_or_create_key(path) == key
    assert list(path.parent.iterdir()) == [path]


def test_a_broken_key_file_is_told_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "parley.key"
    for content in ("", "zz", "00" * 31):
        path.write_text(content)
        with pytest.raises(VaultError, match=r"parley\.key"):
            load_or_create_key(path)
        assert path.read_text() == content
    with pytest.raises(VaultError, match="cannot be used"):
        load_or_create_key(path / "below")
