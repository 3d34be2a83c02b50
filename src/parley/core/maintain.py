"""Maintain: forget what has served its time or is not to be kept, match receipts that came early, count usage. One node
leads in it.
"""

from typing import Final

from parley.core.claim import Claims
from parley.core.record import Record
from parley.core.usage import Usage
from parley.lib.clock import Clock
from parley.store import accept, cookies, leases, links, retention

KEYS_KEPT_US: Final = 7 * 86_400_000_000
"""An idempotency key names its message for a week: longer than any retry of the same request."""
EVERY_S: Final = 30.0
_BATCH: Final = 1000
LEADS_US: Final = 90_000_000
"""A leader that did not say so for so long is followed by another node."""


class Maintenance:
    """The loop that keeps small tables small."""

    def __init__(self, record: Record, clock: Clock, claims: Claims, usage: Usage) -> None:
        self._record = record
        self._clock = clock
        self._usage = usage
        self._claims = claims

    async def run(self) -> None:
        """Forget now and then, until the node stops."""
        await self._claims.repeat("maintenance", self.turn)

    async def turn(self) -> float:
        """Forget once, if this node leads; seconds until the next time. Raises StoreUnavailable."""
        now = self._clock.now()
        engine = self._record.engine
        if not await engine.write(leases.lead, "maintenance", self._record.node, now, now + LEADS_US):
            return EVERY_S
        await self._record.rematch()
        await self._usage.count()
        await engine.write(accept.purge_idempotency, now - KEYS_KEPT_US)
        await engine.write(cookies.purge, now - cookies.IDLE_US)
        while await engine.write(retention.forget_due, now, _BATCH) == _BATCH:
            pass
        while await engine.write(links.purge, now, _BATCH) == _BATCH:
            pass
        return EVERY_S
