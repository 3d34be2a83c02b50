"""Remember for a moment what the record said, so that the hot path does not ask for each message."""

from collections import OrderedDict
from typing import Generic, TypeVar

from parley.lib.clock import Clock

K = TypeVar("K")
V = TypeVar("V")

FRESH_S = 1.0
"""Another node's change of configuration is seen within this."""


class Cache(Generic[K, V]):
    """A bounded map whose entries are good for a second; the least lately used goes first."""

    def __init__(self, clock: Clock, limit: int = 10_000) -> None:
        self._clock = clock
        self._limit = limit
        self._entries: OrderedDict[K, tuple[float, V]] = OrderedDict()

    def get(self, key: K) -> V | None:
        """What is known, while it is fresh."""
        entry = self._entries.get(key)
        if entry is None or entry[0] < self._clock.monotonic():
            return None
        return entry[1]

    def put(self, key: K, value: V) -> None:
        """Know `value` for a second."""
        self._entries[key] = (self._clock.monotonic() + FRESH_S, value)
        self._entries.move_to_end(key)
        if len(self._entries) > self._limit:
            self._entries.popitem(last=False)

    def drop(self, key: K) -> None:
        """Forget, because this node changed it."""
        self._entries.pop(key, None)

    def clear(self) -> None:
        """Forget everything, because another node changed something."""
        self._entries.clear()
