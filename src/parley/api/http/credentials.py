"""Say which account a request comes from, by HTTP Basic credentials, and what it may ask."""

import hashlib
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping

import msgspec

from parley.api.http.fault import Fault
from parley.core.accounts import Accounts
from parley.core.cache import Cache
from parley.core.limits import Limits
from parley.core.refusal import Refused
from parley.lib import ids
from parley.lib.clock import Clock
from parley.model.account import Account
from parley.model.token import Permission

_MAX_HEADER = 2048


class _Known(msgspec.Struct, frozen=True):
    """A header that was right: whose it is, and what it was held against. `until` in microseconds, None for no end."""

    account_id: bytes
    changes: int
    until: int | None


class Credentials:
    """Checks Basic credentials against the accounts. A header that was right is known again for a second,
    unless an account, a key or a token has changed since: what this node revokes is revoked at once.

    With `for_test`, test credentials are taken too, for operations that know what to do with a test account. Tokens are
    taken for operations that need one of the permissions `needs` that they have. A suspended account only reads, but
    for operations that are `for_suspended` ones too.
    """

    def __init__(
        self,
        accounts: Accounts,
        clock: Clock,
        pepper: bytes,
        limits: Limits,
        *,
        for_test: bool = False,
        for_suspended: bool = False,
        needs: frozenset[Permission] = frozenset(),
    ) -> None:
        self._accounts = accounts
        self._clock = clock
        self._pepper = pepper
        self.limits = limits
        """How much each account may ask."""
        self._for_test = for_test
        self._for_suspended = for_suspended
        self._needs = needs
        self._known: Cache[bytes, _Known] = Cache(clock)

    def and_test(self) -> "Credentials":
        """The same credentials, and test credentials."""
        return self._copy(for_test=True)

    def and_suspended(self) -> "Credentials":
        """The same credentials, and those of suspended accounts also for what writes."""
        return self._copy(for_suspended=True)

    def needing(self, *permissions: Permission) -> "Credentials":
        """The same credentials, and tokens that have one of these permissions."""
        return self._copy(needs=frozenset(permissions))

    def _copy(
        self, *, for_test: bool = False, for_suspended: bool = False, needs: frozenset[Permission] | None = None
    ) -> "Credentials":
        return Credentials(
            self._accounts,
            self._clock,
            self._pepper,
            self.limits,
            for_test=for_test or self._for_test,
            for_suspended=for_suspended or self._for_suspended,
            needs=self._needs if needs is None else needs,
        )

    def known(self, headers: Mapping[bytes, bytes]) -> Account | None:
        """The request's account, when its header was right a moment ago."""
        header = headers.get(b"authorization")
        if header is None or len(header) > _MAX_HEADER:
            return None
        known = self._known.get(self._key(header))
        if known is None or known.changes != self._accounts.changes:
            return None
        if known.until is not None and known.until <= self._clock.now():
            return None
        # The account as it is now: it may have been suspended since.
        account = self._accounts.remembered(known.account_id)
        return None if account is None or account.status == "closed" else account

    async def account(self, headers: Mapping[bytes, bytes]) -> Account:
        """The request's account. Raises Fault: unauthorized, test_credentials, forbidden."""
        changes = self._accounts.changes  # as it was before: what is revoked meanwhile must not be known after
        identity = await self._accounts.authenticate(*basic(headers))
        if identity is None:
            raise Fault("unauthorized")
        account, permissions = identity.account, identity.permissions
        if permissions is not None and not permissions & self._needs:
            raise Fault("forbidden", "This token's permissions do not allow it")
        if account.status == "test" and not self._for_test:
            raise Fault("test_credentials")
        self._known.put(self._key(headers[b"authorization"]), _Known(account.id, changes, identity.until))
        return account

    def check_writes(self, account: Account) -> None:
        """Hold an account against a request that writes. Raises Refused(account_suspended)."""
        if account.status == "suspended" and not self._for_suspended:
            raise Refused("account_suspended")

    def _key(self, header: bytes) -> bytes:
        # Not the header itself: a dump of this process's memory should not be a list of secrets.
        return hashlib.blake2b(header, key=self._pepper, digest_size=16).digest()


async def check_manages(headers: Mapping[bytes, bytes], accounts: Accounts) -> None:
    """Hold a request that sees to accounts or keys against its credentials. Raises Fault(unauthorized) where
    `may_manage` says no.
    """
    if not await may_manage(headers, accounts):
        raise Fault("unauthorized", "A standard API key cannot see to accounts and keys; a main key can")


async def may_manage(headers: Mapping[bytes, bytes], accounts: Accounts) -> bool:
    """Whether a request's credentials may see to accounts and keys: the auth token or a main key may, a standard key
    not, and of SignalWire's tokens those with the permission `management`.
    """
    username, password = basic(headers)
    key_id = ids.parse_sid(username, ("SK",))
    if key_id is None:
        identity = await accounts.authenticate(username, password)
        return identity is not None and (identity.permissions is None or "management" in identity.permissions)
    key = await accounts.key(key_id)
    return key is not None and key.kind == "main"


def basic(headers: Mapping[bytes, bytes]) -> tuple[str, str]:
    """The user name and password that a request gives, right or not. Raises Fault(unauthorized)."""
    header = headers.get(b"authorization")
    if header is None or len(header) > _MAX_HEADER:
        raise Fault("unauthorized")
    scheme, _, encoded = header.partition(b" ")
    if scheme.lower() != b"basic":
        raise Fault("unauthorized")
    try:
        username, colon, password = b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (Base64Error, ValueError):
        raise Fault("unauthorized") from None
    if not colon:
        raise Fault("unauthorized")
    return username, password
