"""Remember for a moment what the record said, so that the hot path does not ask for each message."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from parley.lib.clock import Clock

K = TypeVar("K")
V = TypeVar("V")

FRESH_S = 1.0
"""Another node's change of configuration is seen within this, or twice this by what was made of what was remembered."""


class Cache(Generic[K, V]):
    """A bounded map whose entries are good for a second; the least lately used goes first."""

    def __init__(self, clock: Clock, limit: int = 10_000) -> None:
        self._clock = clock
        self._limit = limit
        self._entries: OrderedDict[K, tuple[float, V]] = OrderedDict()
        self._asked: dict[K, asyncio.Future[V | None]] = {}

    def get(self, key: K) -> V | None:
        """What is known, while it is fresh."""
        entry = self._entries.get(key)
        if entry is None or entry[0] < self._clock.monotonic():
            return None
        return entry[1]

    async def ask(self, key: K, load: Callable[[], Awaitable[V | None]]) -> V | None:
        """What is known, or what `load` gives: called once, however many ask meanwhile. None is not remembered.

        What was forgotten while it was loaded is not remembered either, and who asks after that loads anew.
        """
        known = self.get(key)
        if known is not None:
            return known
        asked = self._asked.get(key)
        if asked is None:
            asked = self._asked[key] = asyncio.ensure_future(load())
            asked.add_done_callback(lambda told: self._told(key, told))
        return await asyncio.shield(asked)  # one who gives up does not take it from the others

    def _told(self, key: K, told: "asyncio.Future[V | None]") -> None:
        value = None if told.cancelled() or told.exception() is not None else told.result()
        if self._asked.get(key) is told:
            if value is not None:
                self.put(key, value)
            else:
                del self._asked[key]

    def put(self, key: K, value: V) -> None:
        """Know `value` for a second. What is being loaded meanwhile is older."""
        self._asked.pop(key, None)
        self._entries[key] = (self._clock.monotonic() + FRESH_S, value)
        self._entries.move_to_end(key)
        if len(self._entries) > self._limit:
            self._entries.popitem(last=False)

    def drop(self, key: K) -> None:
        """Forget, because this node changed it."""
        self._entries.pop(key, None)
        self._asked.pop(key, None)

    def clear(self) -> None:
        """Forget everything, because another node changed something."""
        self._entries.clear()
        self._asked.clear()
