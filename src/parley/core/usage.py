"""Usage: what accounts sent and received. It is counted behind the messages' backs, which therefore pay nothing."""

import asyncio
from collections.abc import Collection
from typing import Final

from parley.lib.clock import Clock
from parley.model.usage import DAY_US, Used
from parley.store import Engine, messages, usage

_AT_ONCE: Final = 5000
"""Events that are counted in by one transaction: few enough for an index to serve them, whatever the planner thinks."""


class Usage:
    """What was used, up to the moment of the question."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._counting = asyncio.Lock()

    @property
    def today(self) -> int:
        """The present day, counted from 1970-01-01."""
        return self._clock.now() // DAY_US

    async def count(self) -> None:
        """Count in everything that happened until now, on any node. Each message counts once, whoever counts."""
        async with self._counting:
            end = await self._engine.read(messages.feed_end)
            after = await self._engine.read(usage.watermark)
            if after < end:
                await self._engine.settle()  # what is numbered and not committed yet would be passed over for ever
            while after < end:
                until = min(after + _AT_ONCE, end)
                amounts = await self._engine.read(usage.tally, after, until)
                await self._engine.write(usage.add, after, until, amounts)
                after = await self._engine.read(usage.watermark)

    async def used(self, accounts: Collection[bytes], first_day: int, last_day: int) -> list[Used]:
        """What accounts together used in a range of days, both ends included, the oldest first."""
        await self.count()
        return await self._engine.read(usage.used, accounts, first_day, last_day)

    async def spent(self, accounts: Collection[bytes]) -> int:
        """What accounts' usage cost since they were made, in millionths of a US dollar."""
        await self.count()
        return await self._engine.read(usage.spent, accounts)
