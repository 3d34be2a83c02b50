"""Verify caller ids: call the phone, which hears a code, and compare what is told back. Source: SignalWire's pages on
verified caller ids.
"""

import hmac
from collections.abc import Awaitable, Callable
from typing import Final

from msgspec.structs import replace

from parley.core.resources import Resources
from parley.lib.clock import Clock
from parley.model.caller_id import CallerId
from parley.model.resource import Resource

ATTEMPTS: Final = 5
"""Codes that may be told back for one call."""
MOST_CALLS: Final = 10
"""Calls of one number in a week."""
_WEEK_US: Final = 7 * 86_400_000_000
_BETWEEN_US: Final = 60_000_000


class NotCalled(Exception):
    """The phone may not be called again now. `reason` is a sentence."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class CallerIds:
    """The caller ids of all accounts. `say` calls a phone of an account's, which hears a text; `code` makes six digits.

    With `answers` (the dev profile) whoever is called tells the code back at once.
    """

    def __init__(
        self,
        kept: Resources[CallerId],
        say: Callable[[bytes, str, str], Awaitable[None]],
        code: Callable[[], str],
        clock: Clock,
        *,
        answers: bool,
    ) -> None:
        self.kept = kept
        self._say = say
        self._code = code
        self._clock = clock
        self._answers = answers

    async def add(self, account_id: bytes, number: str, name: str) -> Resource[CallerId]:
        """Make a caller id, and call its phone. Raises Refused(name_taken)."""
        value = CallerId(number, name)
        if not self._answers:
            value = self._called(value)
        made = await self.kept.add(account_id, value, name=number)
        await self._tell(made)
        return made

    async def call_again(self, account_id: bytes, id: bytes) -> Resource[CallerId]:
        """Call a phone that is not verified once more, with another code. Raises Refused(not_found), NotCalled."""
        code = self._code()

        def called(before: Resource[CallerId]) -> Resource[CallerId]:
            return before if before.value.is_verified else replace(before, value=self._called(before.value, code))

        changed = await self.kept.change(account_id, id, called)
        await self._tell(changed)
        return changed

    async def check(self, account_id: bytes, id: bytes, code: str) -> Resource[CallerId] | None:
        """The caller id, which is verified now, or was; None when the code is not the phone's, or comes after too many.

        Raises Refused(not_found).
        """

        def tried(before: Resource[CallerId]) -> Resource[CallerId]:
            value = before.value
            if value.code is None or not value.attempts_left:
                return before
            if hmac.compare_digest(value.code.encode(), code.encode("utf-8", "surrogateescape")):
                return replace(before, value=replace(value, code=None, verified_at=self._clock.now()))
            return replace(before, value=replace(value, attempts_left=value.attempts_left - 1))

        changed = await self.kept.change(account_id, id, tried)
        return changed if changed.value.is_verified else None

    def _called(self, value: CallerId, code: str | None = None) -> CallerId:
        """A caller id whose phone is called now."""
        now = self._clock.now()
        lately = tuple(at for at in value.called_at if at > now - _WEEK_US)
        if lately and lately[-1] > now - _BETWEEN_US:
            raise NotCalled("The phone was called within the last minute")
        if len(lately) >= MOST_CALLS:
            raise NotCalled(f"The phone was called {MOST_CALLS} times within a week")
        return replace(value, code=code or self._code(), attempts_left=ATTEMPTS, called_at=(*lately, now))

    async def _tell(self, caller_id: Resource[CallerId]) -> None:
        value = caller_id.value
        if value.code is not None:
            await self._say(caller_id.account_id, value.phone_number, f"Your verification code is {value.code}")
