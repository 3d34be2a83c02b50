"""Bounds on what is under way at once: so many exchanges with one host, so many in all that are not slow."""

import asyncio
from typing import Final

SLOW_S: Final = 2.0
"""An exchange that takes longer is slow, and stands aside."""


class Lanes:
    """Turns are first come, first served within a host. A slow host's queue waits in its own lane, and its exchanges
    keep only its own `per_host` places: after two seconds each gives its place of the `overall` ones to others.
    """

    def __init__(self, per_host: int, overall: int) -> None:
        self._per_host = per_host
        self._overall = asyncio.Semaphore(overall)
        self._lanes: dict[str, _Lane] = {}

    def __len__(self) -> int:
        """How many hosts have an exchange under way, or one that waits."""
        return len(self._lanes)

    async def enter(self, host: str) -> "Place":
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
        return Place(self._overall)

    def leave(self, host: str, place: "Place") -> None:
        """Give a place back."""
        lane = self._lanes[host]
        place.free()
        lane.places.release()
        self._forget(host, lane)

    def _forget(self, host: str, lane: "_Lane") -> None:
        lane.users -= 1
        if not lane.users:  # hosts come from clients' URLs: none is remembered
            del self._lanes[host]


class Place:
    """One of the overall places, until it is free or its exchange turns out to be slow."""

    __slots__ = ("_overall", "_timer")

    def __init__(self, overall: asyncio.Semaphore) -> None:
        self._overall: asyncio.Semaphore | None = overall
        self._timer = asyncio.get_running_loop().call_later(SLOW_S, self._stand_aside)

    def free(self) -> None:
        """Give it to whoever waits."""
        self._timer.cancel()
        self._stand_aside()

    def _stand_aside(self) -> None:
        overall, self._overall = self._overall, None
        if overall is not None:
            overall.release()


class _Lane:
    def __init__(self, places: int) -> None:
        self.places = asyncio.Semaphore(places)
        self.users = 0
