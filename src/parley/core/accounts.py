"""The accounts: find one, make the first, and say whose credentials a request carries."""

import asyncio
import hashlib
import hmac
from base64 import b64decode, b64encode
from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from parley.core.cache import Cache
from parley.core.refusal import Refused
from parley.core.resources import Resources
from parley.core.tokens import Tokens
from parley.lib import ids
from parley.lib.clock import Clock
from parley.lib.redaction import Secret
from parley.model.account import Account, AccountStatus, ApiKey, KeyKind
from parley.model.token import Permission, Token
from parley.store import Engine, accounts, settings
from parley.store.vault import Vault

_SCRYPT = {"n": 2**14, "r": 8, "p": 1, "dklen": 32}
TOKEN_GRACE_US = 24 * 3600 * 1_000_000
"""A rotated token still authenticates for a day."""
SIGNING_GRACE_US = 60 * 1_000_000
"""A rotated signing key is used after a minute. Source: SignalWire's rotate-signing-key page."""
_GIVEN = "auth_token.given"
"""Under which setting a mark of the operator's token is kept."""
_OTHER_SIDE = bytes([0xFF]) * 16


class Identity(msgspec.Struct, frozen=True):
    """Whose credentials they are, and what those may do; None: all."""

    account: Account
    permissions: frozenset[Permission] | None = None
    until: int | None = None
    """When they hold no more, microseconds; None: nobody has said so yet."""


class Accounts:
    """Accounts and their credentials. Verified ones are remembered: scrypt is too dear for each request.

    `forget_others` is called when one was closed: its numbers went with it.
    """

    def __init__(
        self,
        engine: Engine,
        vault: Vault,
        clock: Clock,
        id_source: ids.Ids,
        token: Callable[[], str],
        forget_others: Callable[[], None] | None = None,
    ) -> None:
        self._engine = engine
        self._vault = vault
        self._clock = clock
        self._ids = id_source
        self._token = token
        self._forget_others = forget_others
        self._accounts: Cache[bytes, Account] = Cache(clock)
        self._keys: Cache[bytes, ApiKey] = Cache(clock)
        self._changes = 0
        self._verified: dict[bytes, str] = {}
        self._test_key = vault.derive(b"test credentials")
        self._given_key = vault.derive(b"the token that was given")
        self.on_rotated: Callable[[Account], None] = lambda _: None
        """Hears of each new auth token that is made through this node, once it is durable."""
        self.tokens = Tokens(Resources(engine, clock, id_source, "token", Token), vault.derive(b"tokens"))

    @property
    def changes(self) -> int:
        """Grows with each change of an account, a key or a token that is known of: who was let in may be so no more."""
        return self._changes + self.tokens.changes

    def forget(self) -> None:
        """Ask the record again, because another node changed it."""
        self._changes += 1
        self._accounts.clear()
        self._keys.clear()
        self.tokens.forget()

    async def by_id(self, account_id: bytes) -> Account | None:
        """An account."""
        return self._accounts.get(account_id) or await self._accounts.ask(account_id, lambda: self._fetch(account_id))

    async def _fetch(self, account_id: bytes) -> Account | None:
        """An account, with the signing key that holds now."""
        account = await self._engine.read(accounts.fetch, account_id, self._vault)
        return None if account is None else _in_force(account, self._clock.now())

    def remembered(self, account_id: bytes) -> Account | None:
        """An account, when it was asked for within the last second."""
        return self._accounts.get(account_id)

    async def fresh(self, account_id: bytes) -> Account:
        """An account as the record has it now. Raises Refused(not_found)."""
        account = await self._fetch(account_id)
        if account is None:
            raise Refused("not_found")
        return account

    async def everyone(self) -> list[Account]:
        """All accounts, the oldest first."""
        return await self._engine.read(accounts.everyone, self._vault)

    async def add(self, name: str, account_id: bytes | None = None, auth_token: str | None = None) -> Account:
        """Make an account; its id and token are made too unless given."""
        account = self._new(name, account_id, auth_token)
        await self._engine.write(accounts.add, account, self._vault)
        return account

    async def add_subaccount(self, owner: Account, name: str) -> Account:
        """Make an account that `owner` sees to."""
        account = replace(self._new(name, None, None), owner_id=owner.id)
        await self._engine.write(accounts.add, account, self._vault)
        return account

    async def page(
        self,
        owner_id: bytes,
        limit: int,
        after: bytes | None = None,
        *,
        backwards: bool = False,
        skip: int = 0,
        name: str | None = None,
        status: AccountStatus | None = None,
        but_status: AccountStatus | None = None,
    ) -> list[Account]:
        """At most `limit` of an account itself and its subaccounts, older than `after` (newer, when `backwards`),
        newest first; those of `status` alone, or all but those of `but_status`.
        """
        return await self._engine.read(
            accounts.page,
            owner_id,
            self._vault,
            limit,
            after,
            backwards=backwards,
            skip=skip,
            name=name,
            status=status,
            but_status=but_status,
        )

    async def family(self, owner_id: bytes) -> list[bytes]:
        """The ids of an account itself and its subaccounts."""
        return await self._engine.read(accounts.family, owner_id)

    async def first(self, name: str, account_id: bytes | None, auth_token: str | None) -> tuple[Account, bool]:
        """The account of that id, or the oldest when none is given; made when there is none, and whether it was."""
        wanted = self._new(name, account_id, auth_token)
        stands = await self._engine.write(accounts.add_first, wanted, self._vault, is_named=account_id is not None)
        return stands, stands is wanted

    def _new(self, name: str, account_id: bytes | None, auth_token: str | None) -> Account:
        now = self._clock.now()
        return Account(
            id=account_id or self._ids.new(),
            name=name,
            status="active",
            opt_out_handling="number",
            auth_token=Secret(auth_token or self._token()),
            signing_key=Secret("PSK_" + self._token()),
            previous_auth_token=None,
            previous_valid_until=None,
            created_at=now,
            updated_at=now,
        )

    async def change(self, account_id: bytes, change: Callable[[Account], Account]) -> Account:
        """Replace an account by what `change` makes of it as it stands; what it raises passes. The account as it is
        then. One that is closed by this loses its numbers, keys and domains; its messages stay. Raises
        Refused(not_found).
        """
        now = self._clock.now()

        def changed(stands: Account) -> Account:
            before = _in_force(stands, now)
            after = change(before)
            return stands if after == before else replace(after, updated_at=now)

        account = await self._engine.write(accounts.change, account_id, changed, self._vault)
        if account is None:
            raise Refused("not_found")
        account = _in_force(account, now)
        self._changes += 1
        self._accounts.put(account_id, account)
        if account.status == "closed":
            self._keys.clear()
            if self._forget_others is not None:
                self._forget_others()
        return account

    async def rotate(self, account: Account, auth_token: Secret | None = None) -> Account:
        """Give an account a new auth token, made here unless given; the former one still authenticates for a day."""
        until = self._clock.now() + TOKEN_GRACE_US
        token = auth_token or Secret(self._token())
        rotated = await self.change(
            account.id,
            lambda it: replace(it, auth_token=token, previous_auth_token=it.auth_token, previous_valid_until=until),
        )
        self.on_rotated(rotated)
        return rotated

    async def given(self, account: Account, auth_token: Secret) -> Account:
        """Give an account the token that its operator set, once: when it is another than the one given before. A token
        that was rotated since stands.
        """
        noted = await self._engine.read(settings.fetch, _GIVEN)
        digest = hmac.digest(self._given_key, account.id + auth_token.reveal().encode(), "sha256")
        mark = msgspec.json.encode(digest.hex()).decode()
        if noted == mark:
            return account
        # Before anything was noted, the token that was set was the account's until it was rotated.
        if auth_token != account.auth_token and (noted is not None or auth_token != account.previous_auth_token):
            account = await self.rotate(account, auth_token)
        await self._engine.write(settings.put, _GIVEN, mark, self._clock.now())
        return account

    async def rotate_signing_key(self, account: Account) -> tuple[Account, Secret]:
        """Give an account a new signing key, which is used after a minute."""
        key = Secret("PSK_" + self._token())
        starts = self._clock.now() + SIGNING_GRACE_US
        changed = await self.change(account.id, lambda it: replace(it, next_signing_key=key, next_signs_from=starts))
        return changed, key

    async def add_key(self, account_id: bytes, name: str, kind: KeyKind = "standard") -> tuple[ApiKey, str]:
        """Make an API key; its secret is told only now."""
        secret = self._token()
        salt = self._token()[:16].encode()
        digest = await asyncio.to_thread(_scrypt, secret, salt)
        now = self._clock.now()
        key = ApiKey(self._ids.new(), account_id, name, _format(salt, digest), now, kind, now)
        await self._engine.write(accounts.add_key, key)
        return key, secret

    async def keys_of(self, account_id: bytes) -> list[ApiKey]:
        """An account's API keys, the oldest first."""
        return await self._engine.read(accounts.keys_of, account_id)

    async def page_of_keys(
        self, account_id: bytes, limit: int, after: bytes | None = None, *, backwards: bool = False, skip: int = 0
    ) -> list[ApiKey]:
        """At most `limit` of an account's API keys older than `after` (newer, when `backwards`), newest first."""
        return await self._engine.read(accounts.page_of_keys, account_id, limit, after, backwards=backwards, skip=skip)

    async def key(self, key_id: bytes) -> ApiKey | None:
        """An API key of whichever account, as it was within the last second."""
        return self._keys.get(key_id) or await self._keys.ask(key_id, lambda: self._fetch_key(key_id))

    async def _fetch_key(self, key_id: bytes) -> ApiKey | None:
        return await self._engine.read(accounts.fetch_key, key_id)

    async def rename_key(self, account_id: bytes, key_id: bytes, name: str) -> ApiKey:
        """Give an API key another name. Raises Refused(not_found)."""
        renamed = await self._engine.write(accounts.rename_key, account_id, key_id, name, self._clock.now())
        if renamed is None:
            raise Refused("not_found")
        self._keys.put(key_id, renamed)
        return renamed

    async def drop_key(self, account_id: bytes, key_id: bytes) -> bool:
        """Take an API key away. False when the account has none of that id."""
        dropped = await self._engine.write(accounts.drop_key, account_id, key_id)
        self._changes += 1
        self._keys.drop(key_id)
        return dropped

    async def authenticate(self, username: str, password: str) -> Identity | None:
        """Whose a user name (AC sid, project UUID or SK sid) and secret are, and what they may do, or None."""
        if (key_id := ids.parse_sid(username, ("SK",))) is not None:
            of_key = await self._by_key(key_id, password)
            return None if of_key is None else Identity(of_key)
        account_id = ids.parse_sid(username, ("AC",)) or ids.parse_uuid(username)
        if account_id is None:
            return None
        account = await self.by_id(account_id)
        if account is None:
            of_test = await self.by_id(_other_side(account_id))
            account = None if of_test is None else self.test_double(of_test)
        if account is None or account.status == "closed":
            return None
        given = password.encode("utf-8", "surrogateescape")
        if hmac.compare_digest(account.auth_token.reveal().encode(), given):
            return Identity(account)
        former, until = account.previous_auth_token, account.previous_valid_until
        is_in_grace = until is not None and self._clock.now() < until
        if former is not None and is_in_grace and hmac.compare_digest(former.reveal().encode(), given):
            return Identity(account, until=until)
        permissions = await self.tokens.permissions(account.id, password)
        return None if permissions is None else Identity(account, permissions)

    def test_double(self, account: Account) -> Account:
        """What an account's test credentials stand for: an account of its own, which is made from this one and the
        server's key each time, and kept nowhere.
        """
        other_id = _other_side(account.id)
        token = hmac.digest(self._test_key, account.id, "sha256").hex()[:32]
        return replace(
            account,
            id=other_id,
            status=account.status if account.status == "closed" else "test",
            auth_token=Secret(token),
            previous_auth_token=None,
            previous_valid_until=None,
        )

    async def _by_key(self, key_id: bytes, secret: str) -> Account | None:
        key = await self.key(key_id)
        if key is None:
            return None
        seen = hashlib.blake2b(key_id + secret.encode("utf-8", "surrogateescape"), digest_size=16).digest()
        # Remembered with the hash that it matched: a rotated secret is not the one remembered.
        if self._verified.get(seen) != key.secret_hash:
            if not await asyncio.to_thread(_matches, secret, key.secret_hash):
                return None
            if len(self._verified) > 1000:
                self._verified.clear()
            self._verified[seen] = key.secret_hash
        account = await self.by_id(key.account_id)
        return account if account is not None and account.status != "closed" else None


def _in_force(account: Account, now: int) -> Account:
    """An account with the signing key that holds by now."""
    if account.next_signing_key is None or account.next_signs_from is None or now < account.next_signs_from:
        return account
    return replace(account, signing_key=account.next_signing_key, next_signing_key=None, next_signs_from=None)


def _other_side(account_id: bytes) -> bytes:
    """The id of an account's test double, and of a test double's account."""
    return bytes(a ^ b for a, b in zip(account_id, _OTHER_SIDE, strict=True))


def _scrypt(secret: str, salt: bytes) -> bytes:
    return hashlib.scrypt(secret.encode("utf-8", "surrogateescape"), salt=salt, **_SCRYPT)


def _format(salt: bytes, digest: bytes) -> str:
    return f"scrypt${b64encode(salt).decode()}${b64encode(digest).decode()}"


def _matches(secret: str, stored: str) -> bool:
    _, salt, digest = stored.split("$")
    return hmac.compare_digest(_scrypt(secret, b64decode(salt)), b64decode(digest))
