"""Hand work that this node holds from the commit that made it to the loop that does it, without asking the store."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

T = TypeVar("T")


class Handoff(Generic[T]):
    """A bounded queue in memory. What finds no room is committed as nobody's, and claimed later: never lost.

    `key` names a piece of work by its row. Work is in this node's hands from `put` until `done`, and once only: what is
    put off and claimed again before that is said is given out after it. `takes_new` says whether new work may come here
    straight from its commit; what is claimed always may.
    """

    def __init__(self, limit: int, key: Callable[[T], bytes], takes_new: Callable[[], bool] = lambda: True) -> None:
        self._limit = limit
        self._key = key
        self._takes_new = takes_new
        self._items: deque[T] = deque()
        self._held: dict[bytes, tuple[T, ...]] = {}
        """By key, what is in this node's hands: what was put beside it meanwhile, which is nearly always nothing."""
        self._arrived = asyncio.Event()
        self.is_closed = False
        self.turns = 0
        """How often work was taken."""

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, key: bytes) -> bool:
        return key in self._held

    @property
    def has_room(self) -> bool:
        """Whether work may be committed as held by this node."""
        return len(self._held) < self._limit and not self.is_closed and self._takes_new()

    @property
    def room(self) -> int:
        """How much more may be claimed."""
        return 0 if self.is_closed else max(0, self._limit - len(self._held))

    def put(self, items: Iterable[T]) -> None:
        """Add work that is committed as held by this node."""
        for item in items:
            key = self._key(item)
            if key in self._held:
                self._held[key] += (item,)
            else:
                self._held[key] = ()
                self._items.append(item)
        self._arrived.set()

    async def take(self, limit: int) -> list[T]:
        """Wait for work and take at most `limit` of it; empty once closed."""
        while not self._items:
            if self.is_closed:
                return []
            self._arrived.clear()
            await self._arrived.wait()
        self.turns += 1
        return [self._items.popleft() for _ in range(min(limit, len(self._items)))]

    def is_overtaken(self, item: T) -> bool:
        """Whether it was claimed again since it came here, so that another may have had it in between."""
        return bool(self._held.get(self._key(item)))

    def done(self, items: Iterable[T]) -> None:
        """These are finished, or nobody's again."""
        for key in map(self._key, items):
            if behind := self._held.pop(key, ()):
                self._held[key] = behind[1:]
                self._items.append(behind[0])
                self._arrived.set()

    def close(self) -> list[T]:
        """Take no more, wake who waits, and give back what nobody took."""
        self.is_closed = True
        left = list(self._items)
        self._items.clear()
        self._held = dict.fromkeys(self._held, ())
        self.done(left)
        self._arrived.set()
        return left
