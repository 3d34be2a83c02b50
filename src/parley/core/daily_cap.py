"""What brands may send in a day: counted here, and read from the record again each second, where all nodes count."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from parley.core.cache import FRESH_S
from parley.lib.clock import Clock
from parley.store import Engine, registry

UNREGISTERED: Final = 30034
"""A long code of no approved campaign. Source: twilio.com/docs/api/errors/30034, as developers tell of it."""
CAP_REACHED: Final = 30023
"""A brand sent what it may send in a day. Source: twilio.com/docs/api/errors/30023, as developers tell of it."""

_DAYS_OF: Final = ZoneInfo("America/Los_Angeles")
"""Whose midnight begins a brand's day: T-Mobile's."""
_IDLE: Final = 20
"""Counting takes at most one part in so many of a reader's time."""


class _Day:
    """What a brand has sent in its present day, as this node knows it."""

    __slots__ = ("ends_at", "fresh_until", "spent")

    def __init__(self, spent: int, ends_at: int, fresh_until: float) -> None:
        self.spent = spent
        self.ends_at = ends_at
        self.fresh_until = fresh_until


class DailyCaps:
    """Segments a day of each brand, at most `cap`, or any number when it is 0. `senders_of` tells an account's brand's
    numbers. What is sent within a second may come on top: it is not in the record yet.
    """

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        cap: int,
        senders_of: Callable[[bytes, bytes], Awaitable[Collection[str]]],
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._cap = cap
        self._senders_of = senders_of
        self._days: dict[bytes, _Day] = {}
        self._reading: defaultdict[bytes, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def spend(self, account_id: bytes, brand_id: bytes, segments: int) -> bool:
        """Count segments as sent by a brand today; False, with nothing counted, when that would be too many."""
        if not self._cap:
            return True
        day = self._known(brand_id)
        if day is None:
            # One asks for all who want to know at once: each answer of its own would lack what the others let go.
            async with self._reading[brand_id]:
                day = self._known(brand_id) or await self._today(account_id, brand_id)
                self._days[brand_id] = day
        if day.spent + max(segments, 1) > self._cap:
            return False
        day.spent += segments
        return True

    def _known(self, brand_id: bytes) -> _Day | None:
        day = self._days.get(brand_id)
        if day is None or day.fresh_until < self._clock.monotonic() or day.ends_at <= self._clock.now():
            return None
        return day

    async def _today(self, account_id: bytes, brand_id: bytes) -> _Day:
        began = self._clock.monotonic()
        begins = datetime.fromtimestamp(self._clock.now() / 1_000_000, _DAYS_OF).replace(
            hour=0, minute=0, second=0, microsecond=0
        )
        spent = await self._engine.read(
            registry.segments_since,
            account_id,
            await self._senders_of(account_id, brand_id),
            _us(begins),
            (UNREGISTERED, CAP_REACHED),
        )
        ended = self._clock.monotonic()
        return _Day(spent, _us(begins + timedelta(days=1)), ended + max(FRESH_S, (ended - began) * _IDLE))


def _us(at: datetime) -> int:
    return round(at.timestamp() * 1_000_000)
