"""Say which account a request comes from, by HTTP Basic credentials, and what it may ask."""

import hashlib
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping

from parley.api.http.fault import Fault
from parley.core.accounts import Accounts
from parley.core.cache import Cache
from parley.core.limits import Limits
from parley.lib.clock import Clock
from parley.model.account import Account

_MAX_HEADER = 2048


class Credentials:
    """Checks Basic credentials against the accounts. A header that was right is known again for a second."""

    def __init__(self, accounts: Accounts, clock: Clock, pepper: bytes, limits: Limits) -> None:
        self._accounts = accounts
        self._pepper = pepper
        self.limits = limits
        """How much each account may ask."""
        self._known: Cache[bytes, Account] = Cache(clock)

    def known(self, headers: Mapping[bytes, bytes]) -> Account | None:
        """The request's account, when its header was right a moment ago."""
        header = headers.get(b"authorization")
        return None if header is None or len(header) > _MAX_HEADER else self._known.get(self._key(header))

    async def account(self, headers: Mapping[bytes, bytes]) -> Account:
        """The request's account. Raises Fault(unauthorized)."""
        header = headers.get(b"authorization")
        if header is None or len(header) > _MAX_HEADER:
            raise Fault("unauthorized")
        account = await self._accounts.authenticate(*_parse(header))
        if account is None:
            raise Fault("unauthorized")
        self._known.put(self._key(header), account)
        return account

    def _key(self, header: bytes) -> bytes:
        # Not the header itself: a dump of this process's memory should not be a list of secrets.
        return hashlib.blake2b(header, key=self._pepper, digest_size=16).digest()


def _parse(header: bytes) -> tuple[str, str]:
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
