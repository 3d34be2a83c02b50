"""Group commit: what arrives while one transaction commits goes into the next one together."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import msgspec
import structlog

from parley.store.engine.statements import Operation, StoreUnavailable

T = TypeVar("T")
R = TypeVar("R")

log = structlog.get_logger(__name__)

MAX_BATCH = 1000
"""Items of one lane in one transaction; bounds its length and the memory of a burst."""


class Unit(msgspec.Struct):
    """One operation of a transaction, and who waits for it. A lane's unit has many waiters, one for each result."""

    make: Callable[[], Operation[Any]]
    waiters: list[asyncio.Future[Any]]
    is_lane: bool
    split: Callable[[], "list[Unit]"] | None = None
    committed: Callable[[Any], None] | None = None

    def parts(self) -> "list[Unit]":
        """The unit as the smallest units that can be tried apart, when the whole failed."""
        return self.split() if self.split is not None and len(self.waiters) > 1 else [self]

    def succeed(self, result: Any) -> None:
        """Hand each waiter its result."""
        results = result if self.is_lane else (result,)
        if len(results) != len(self.waiters):
            self.fail(TypeError(f"the operation has {len(results)} results for {len(self.waiters)} items"))
            return
        if self.committed is not None:
            try:
                self.committed(result)
            except Exception:  # it is durable all the same, and the writer goes on for everybody else
                log.exception("what follows from a commit failed")
        for waiter, value in zip(self.waiters, results, strict=True):
            if not waiter.done():
                waiter.set_result(value)

    def fail(self, error: BaseException) -> None:
        """Tell each waiter why it did not happen."""
        for waiter in self.waiters:
            if not waiter.done():
                waiter.set_exception(error)


class Lane(Generic[T, R]):
    """Many callers, one operation: items that arrive together are given to one run of it.

    The operation takes the items in order and returns one result for each, in order. `committed` is called with all of
    them on the event loop, whether or not their callers still wait: what must follow a commit belongs there.
    """

    def __init__(
        self,
        group: "Group",
        operation: Callable[[Sequence[T]], Operation[list[R]]],
        committed: Callable[[list[R]], None] | None,
    ) -> None:
        self._group = group
        self._operation = operation
        self._committed = committed
        self._items: list[T] = []
        self._waiters: list[asyncio.Future[R]] = []

    def put(self, item: T) -> "asyncio.Future[R]":
        """Add an item to the next transaction. The future is done once that has committed."""
        waiter: asyncio.Future[R] = self._group.loop.create_future()
        if self._group.is_closed:
            waiter.set_exception(StoreUnavailable("the store is closed"))
            return waiter
        self._items.append(item)
        self._waiters.append(waiter)
        self._group.wake()
        return waiter

    def take(self) -> Unit | None:
        """What has gathered, as one unit."""
        if not self._items:
            return None
        items, waiters = self._items[:MAX_BATCH], self._waiters[:MAX_BATCH]
        self._items, self._waiters = self._items[MAX_BATCH:], self._waiters[MAX_BATCH:]
        return self._unit(items, waiters)

    def _unit(self, items: list[T], waiters: "list[asyncio.Future[R]]") -> Unit:
        return Unit(
            lambda: self._operation(items),
            waiters,
            is_lane=True,
            split=lambda: [self._unit([i], [w]) for i, w in zip(items, waiters, strict=True)],
            committed=self._committed,
        )

    def __len__(self) -> int:
        return len(self._items)


class Group:
    """What waits for the next transaction: the lanes in the order they were made, then single operations."""

    def __init__(self, loop: asyncio.AbstractEventLoop, wake: Callable[[], None]) -> None:
        self.loop = loop
        self.wake = wake
        self._lanes: list[Lane[Any, Any]] = []
        self._singles: list[Unit] = []
        self.is_closed = False
        """Whether nothing more is taken."""

    def lane(
        self,
        operation: Callable[[Sequence[T]], Operation[list[R]]],
        committed: Callable[[list[R]], None] | None = None,
    ) -> Lane[T, R]:
        """A new lane for `operation`."""
        lane = Lane[T, R](self, operation, committed)
        self._lanes.append(lane)
        return lane

    @property
    def singles(self) -> int:
        """How many single operations wait."""
        return len(self._singles)

    def put(self, make: Callable[[], Operation[R]]) -> "asyncio.Future[R]":
        """Add one operation to the next transaction."""
        waiter: asyncio.Future[R] = self.loop.create_future()
        if self.is_closed:
            waiter.set_exception(StoreUnavailable("the store is closed"))
            return waiter
        self._singles.append(Unit(make, [waiter], is_lane=False))
        self.wake()
        return waiter

    def take(self) -> list[Unit]:
        """Everything for the next transaction; empty when nothing waits."""
        units = [unit for lane in self._lanes if (unit := lane.take()) is not None]
        units += self._singles[:MAX_BATCH]
        self._singles = self._singles[MAX_BATCH:]
        return units

    def __len__(self) -> int:
        return sum(map(len, self._lanes)) + len(self._singles)
