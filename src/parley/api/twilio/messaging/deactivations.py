"""Numbers out of service: those that an account wrote to on a day, and whose carrier said that nobody has them.

Twilio lists what US carriers report of all their numbers; a server of one's own knows what its carriers tell it.
Source: messaging v1, Deactivations; twilio.com/docs/messaging/api/deactivated-phone-numbers.
"""

import asyncio
from collections.abc import Collection
from typing import Final

from parley.api.http.endpoint import Call, Reply, json_reply
from parley.api.http.fault import Fault
from parley.api.http.signed import Signer
from parley.api.twilio.parameters import time_of
from parley.api.twilio.problems import Invalid
from parley.lib.clock import Clock
from parley.lib.phone import region
from parley.store import Engine, messages

PATH: Final = "/messaging/v1/Deactivations"
_GOOD_FOR_US: Final = 120_000_000
_DAY_US: Final = 86_400_000_000
_UNKNOWN: Final = 30005
"""The code of messages to a number that nobody has."""
_COUNTRY: Final = "US"


class Deactivations:
    """Leads to the list of a day, at `origin`, for two minutes. Whoever has `key` can make the links."""

    def __init__(self, engine: Engine, clock: Clock, origin: str, key: bytes) -> None:
        self._engine = engine
        self._clock = clock
        self._origin = origin
        self._signer = Signer(key, b"deactivations")

    async def fetch(self, call: Call) -> Reply:
        """307 to the list of `Date`, a day in UTC that has begun. Raises Invalid: 30113, 30114, 30115."""
        form = call.arguments()
        form.allow(frozenset({"Date"}))
        text = form.one("Date") or ""
        begins, now = time_of(f"{text}T00:00"), self._clock.now()
        if begins is None:
            raise Invalid(30115, "Date must be a day, as YYYY-MM-DD", "Date")
        if begins > now:
            raise Invalid(30114, "Date must be a day that has begun", "Date")
        if begins < 0:
            raise Invalid(30113, "Date must be a day since 1970", "Date")
        said = call.account.id + begins.to_bytes(8) + (now + _GOOD_FOR_US).to_bytes(8)
        url = f"{self._origin}{PATH}/{self._signer.token(said)}"
        return json_reply(307, {"redirect_to": url}, ((b"location", url.encode()),))

    async def listed(self, token: str) -> Reply:
        """What a link leads to: a number a line. The link is the right to it. Raises Fault(not_found)."""
        named = self._read(token)
        if named is None:
            raise Fault("not_found")
        account_id, begins = named
        found = await self._engine.read(messages.ended_by, account_id, _UNKNOWN, begins, begins + _DAY_US)
        # A day's numbers may be many, and telling a number's country takes a while.
        text = await asyncio.to_thread(_text, found)
        return Reply(200, text.encode(), b"text/plain; charset=utf-8", ((b"cache-control", b"no-store"),))

    def _read(self, token: str) -> tuple[bytes, int] | None:
        """Account and day of a link; None when it is not ours, or no longer good."""
        said = self._signer.read(token)
        if said is None:
            return None
        account_id, begins, until = said[:16], int.from_bytes(said[16:24]), int.from_bytes(said[24:])
        return (account_id, begins) if self._clock.now() < until else None


def _text(found: Collection[str]) -> str:
    """A country's numbers, one a line."""
    numbers = sorted(number for number in found if number[1:].isdecimal() and region(number) == _COUNTRY)
    return "".join(f"{number}\n" for number in numbers)
