"""Tokens: passwords of a project that may do some things and not others."""

import hmac
from collections.abc import Collection, Iterable

from msgspec.structs import replace

from parley.core.refusal import Refused
from parley.core.resources import Resources
from parley.lib import ids
from parley.model.resource import Resource
from parley.model.token import Permission, Token

_PREFIX = "PT"
_SID_SIZE = 34


class Tokens:
    """The tokens of all accounts. `key` is what their secrets are made with: the record alone yields none of them."""

    def __init__(self, kept: Resources[Token], key: bytes) -> None:
        self._kept = kept
        self._key = key

    @property
    def changes(self) -> int:
        """Grows with each change that is known of."""
        return self._kept.changes

    def forget(self) -> None:
        """Ask the record again, because another node changed something."""
        self._kept.forget()

    async def add(self, account_id: bytes, name: str, permissions: Collection[Permission]) -> Resource[Token]:
        """Make a token."""
        return await self._kept.add(account_id, Token(name, tuple(permissions)))

    async def holder(self, account_ids: Iterable[bytes], token_id: bytes) -> bytes:
        """Which of some accounts a token acts for. Raises Refused(not_found) when it is none of theirs."""
        for account_id in account_ids:
            if await self._kept.find(account_id, token_id) is not None:
                return account_id
        raise Refused("not_found")

    async def change(
        self, account_id: bytes, token_id: bytes, name: str | None, permissions: Collection[Permission] | None
    ) -> Resource[Token]:
        """Give a token another name or other permissions; None leaves them. Raises Refused(not_found)."""

        def changed(before: Resource[Token]) -> Resource[Token]:
            value = before.value
            kept = value.permissions if permissions is None else tuple(permissions)
            return replace(before, value=Token(value.name if name is None else name, kept))

        return await self._kept.change(account_id, token_id, changed)

    async def drop(self, account_id: bytes, token_id: bytes) -> None:
        """Take a token away. Raises Refused(not_found)."""
        await self._kept.drop(account_id, token_id)

    def spelled(self, token: Resource[Token]) -> str:
        """The token as clients give it: its id, and what only this server can have made of that."""
        return f"{ids.sid(_PREFIX, token.id)}{self._secret(token.account_id, token.id)}"

    async def permissions(self, account_id: bytes, text: str) -> frozenset[Permission] | None:
        """What a password of an account may do; None when it is none of its tokens."""
        token_id = ids.parse_sid(text[:_SID_SIZE], (_PREFIX,))
        if token_id is None:
            return None
        given = text[_SID_SIZE:].encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(self._secret(account_id, token_id).encode(), given):
            return None
        token = await self._kept.find(account_id, token_id)
        return None if token is None else frozenset(token.value.permissions)

    def _secret(self, account_id: bytes, token_id: bytes) -> str:
        return hmac.digest(self._key, account_id + token_id, "sha256").hex()[:40]
