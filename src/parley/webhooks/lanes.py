"""Bounds on what is under way at once: so many exchanges with one host, so many in all."""

import asyncio


class Lanes:
    """Turns are first come, first served within a host. A slow host's queue waits in its own lane and holds at most
    `per_host` of the `overall` places.
    """

    def __init__(self, per_host: int, overall: int) -> None:
        self._per_host = per_host
        self._overall = asyncio.Semaphore(overall)
        self._lanes: dict[str, _Lane] = {}

    async def enter(self, host: str) -> None:
        """Take a place for one exchange with this host; waits for it as long as it takes. `leave` gives it back."""
        lane = self._lanes.get(host)
        if lane is None:
            lane = self._lanes[host] = _Lane(self._per_host)
        lane.users += 1
        try:
            await lane.places.acquire()
            try:
                await self._overall.acquire()
            except BaseException:
                lane.places.release()
                raise
        except BaseException:
            self._forget(host, lane)
            raise

    def leave(self, host: str) -> None:
        """Give a place back."""
        lane = self._lanes[host]
        self._overall.release()
        lane.places.release()
        self._forget(host, lane)

    def _forget(self, host: str, lane: "_Lane") -> None:
        lane.users -= 1
        if not lane.users:  # hosts come from clients' URLs: none is remembered
            del self._lanes[host]


class _Lane:
    def __init__(self, places: int) -> None:
        self.places = asyncio.Semaphore(places)
        self.users = 0
