"""Hand work that this node holds from the commit that made it to the loop that does it, without asking the store."""

import asyncio
from collections import deque
from collections.abc import Iterable
from typing import Generic, TypeVar

T = TypeVar("T")


class Handoff(Generic[T]):
    """A bounded queue in memory. What finds no room is committed as nobody's, and claimed later: never lost."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._items: deque[T] = deque()
        self._arrived = asyncio.Event()
        self._in_hand = 0
        self.is_closed = False

    def __len__(self) -> int:
        return len(self._items)

    @property
    def has_room(self) -> bool:
        """Whether work may be committed as held by this node."""
        return len(self._items) + self._in_hand < self._limit and not self.is_closed

    @property
    def room(self) -> int:
        """How much more may be claimed."""
        return 0 if self.is_closed else max(0, self._limit - len(self._items) - self._in_hand)

    def put(self, items: Iterable[T]) -> None:
        """Add work that is committed as held by this node."""
        self._items.extend(items)
        self._arrived.set()

    async def take(self, limit: int) -> list[T]:
        """Wait for work and take at most `limit` of it; empty once closed. It counts as room taken until `done`."""
        while not self._items:
            if self.is_closed:
                return []
            self._arrived.clear()
            await self._arrived.wait()
        taken = [self._items.popleft() for _ in range(min(limit, len(self._items)))]
        self._in_hand += len(taken)
        return taken

    def done(self, count: int) -> None:
        """So many that were taken are finished, or nobody's again."""
        self._in_hand -= count

    def close(self) -> list[T]:
        """Take no more, wake who waits, and give back what nobody took."""
        self.is_closed = True
        left = list(self._items)
        self._items.clear()
        self._arrived.set()
        return left
