"""Bounds on what is under way at once: so many exchanges with one host, so many in all."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Lanes:
    """Turns are first come, first served within a host. A slow host's queue waits in its own lane and holds at most
    `per_host` of the `overall` places.
    """

    def __init__(self, per_host: int, overall: int) -> None:
        self._per_host = per_host
        self._overall = asyncio.Semaphore(overall)
        self._lanes: dict[str, _Lane] = {}

    @asynccontextmanager
    async def hold(self, host: str) -> AsyncIterator[None]:
        """A place for one exchange with this host, from entering to leaving; waits for it as long as it takes."""
        lane = self._lanes.get(host)
        if lane is None:
            lane = self._lanes[host] = _Lane(self._per_host)
        lane.users += 1
        try:
            async with lane.places, self._overall:
                yield
        finally:
            lane.users -= 1
            if not lane.users:  # hosts come from clients' URLs: none is remembered
                del self._lanes[host]


class _Lane:
    def __init__(self, places: int) -> None:
        self.places = asyncio.Semaphore(places)
        self.users = 0
