"""Verify that somebody has a phone: send a code there, and compare what is told back."""

import hmac
from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from parley.core.refusal import Refused
from parley.core.resources import Resources
from parley.core.send import Draft, Sending
from parley.lib.clock import Clock
from parley.lib.randomness import Randomness
from parley.model.resource import Resource
from parley.model.verification import Verification

DIGITS: Final = "0123456789"
DIGITS_AND_LETTERS: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Without those that are easily taken for one another."""
_EVERY_S: Final = 60.0
_TOGETHER: Final = 100


class Verify:
    """The codes of all accounts. `key` is what they are kept by: the record alone does not tell them."""

    def __init__(
        self, kept: Resources[Verification], sending: Sending, clock: Clock, randomness: Randomness, key: bytes
    ) -> None:
        self.kept = kept
        self._sending = sending
        self._clock = clock
        self._randomness = randomness
        self._key = key

    async def begin(
        self, draft: Callable[[str], Draft], *, alphabet: str, size: int, valid_s: int, attempts: int
    ) -> Resource[Verification]:
        """Send a code of `size` characters by the message that `draft` makes of it. Raises Refused as sending does."""
        code = "".join(self._randomness.choice(alphabet) for _ in range(size))
        message = draft(code)
        account_id = message.account.id
        value = Verification(message.recipient, self._hash(account_id, message.recipient, code), attempts)
        made = await self.kept.add(account_id, value, due_at=self._clock.now() + valid_s * 1_000_000)
        try:
            await self._sending.send(message)
        except Refused:
            await self.kept.drop(account_id, made.id)
            raise
        return made

    async def check(self, account_id: bytes, id: bytes, code: str) -> bool:
        """Whether a code is the one that was sent. It is good once.

        Raises Refused(not_found) for one that is over: told before, expired, or asked for too often.
        """
        is_right = False

        def tried(before: Resource[Verification]) -> Resource[Verification]:
            nonlocal is_right
            if before.value.attempts_left <= 0 or before.due_at is None or before.due_at <= self._clock.now():
                raise Refused("not_found")
            given = self._hash(account_id, before.value.to, code)
            is_right = hmac.compare_digest(before.value.code_hash, given)
            left = 0 if is_right else before.value.attempts_left - 1
            return replace(before, value=replace(before.value, attempts_left=left))

        await self.kept.change(account_id, id, tried)
        return is_right

    async def turn(self) -> float:
        """Forget codes that are over; seconds until there may be more. Raises StoreUnavailable."""
        over = await self.kept.due(_TOGETHER)
        for each in over:
            try:
                await self.kept.drop(each.account_id, each.id)
            except Refused:  # forgotten by another node
                continue
        return 0.0 if len(over) == _TOGETHER else _EVERY_S

    def _hash(self, account_id: bytes, to: str, code: str) -> bytes:
        text = account_id + to.encode() + b"\0" + code.upper().encode("utf-8", "surrogateescape")
        return hmac.digest(self._key, text, "sha256")
