"""What both engines share: the writer that turns waiting operations into transactions, and the signal of change."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar

import structlog

from parley.store.engine.declined import Declined
from parley.store.engine.group import Group, Lane, Unit
from parley.store.engine.news import News
from parley.store.engine.statements import Operation, StoreUnavailable

P = ParamSpec("P")
T = TypeVar("T")
R = TypeVar("R")

log = structlog.get_logger(__name__)

_TURNS_BETWEEN = 2
"""Turns of the event loop between two transactions: one in which callers wake, one in which they write."""


class Engine(ABC):
    """One database. Operations are given as a function and its arguments: `await engine.read(messages.fetch, a, b)`.

    A function may run again after a transaction that failed because of a neighbour, so it must have no other effects.
    """

    name: str

    def __init__(self) -> None:
        self._group: Group | None = None
        self._work = asyncio.Event()
        self._changed = asyncio.Event()
        self._writer: asyncio.Task[None] | None = None
        self._closing = False
        self._has_given_up = False
        self._hears: list[Callable[[News], None]] = []
        self._doubts: list[Callable[[], None]] = []
        self.commits = 0
        """Transactions committed, for metrics."""
        self.turns = 0
        """Transactions tried and ended, well or not."""
        self._is_writing = False
        self.last_commit_failed: str | None = None
        """Why the last transaction could not commit, or None: what /readyz tells."""

    async def open(self) -> None:
        """Connect and start writing. Raises StoreUnavailable."""
        await self._connect()
        self._writer = asyncio.create_task(self._write(), name="store-writer")

    async def close(self) -> None:
        """Commit what waits, then disconnect."""
        self._closing = True
        self.group.is_closed = True
        self._work.set()
        if self._writer is not None:
            await self._writer
        await self._disconnect()

    def give_up(self) -> None:
        """Take nothing more and wait for nobody's lock: for a process that ends, whatever the database does."""
        self._has_given_up = True
        self.group.is_closed = True

    @property
    def group(self) -> Group:
        """What waits for the next transaction."""
        if self._group is None:
            self._group = Group(asyncio.get_running_loop(), self._work.set)
        return self._group

    @property
    def has_work(self) -> bool:
        """Whether anything waits for the writer, or is in its hands."""
        return self._is_writing or len(self.group) > 0

    def lane(
        self,
        operation: Callable[[Sequence[T]], Operation[list[R]]],
        committed: Callable[[list[R]], None] | None = None,
    ) -> Lane[T, R]:
        """A lane of the writer: items put into it by many callers share one run of `operation`.

        `committed` is told all results of a run once they are durable, before their callers are.
        """
        return self.group.lane(operation, committed)

    def write(self, operation: Callable[P, Operation[R]], *args: P.args, **kwargs: P.kwargs) -> "asyncio.Future[R]":
        """Run an operation in the next transaction. The future is done once that has committed."""
        return self.group.put(lambda: operation(*args, **kwargs))

    @abstractmethod
    async def read(self, operation: Callable[P, Operation[R]], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run an operation that changes nothing, on a connection apart from the writer's, in one snapshot."""

    @property
    def listens(self) -> bool:
        """Whether another node's change wakes this one now; else it has to poll."""
        return False

    def on_news(self, hear: Callable[[News], None]) -> None:
        """Have `hear` called on the event loop with what other nodes committed."""
        self._hears.append(hear)

    def on_doubt(self, doubt: Callable[[], None]) -> None:
        """Have `doubt` called when a commit's answer was lost: it may stand, though its callers were told it failed."""
        self._doubts.append(doubt)

    @abstractmethod
    async def settle(self) -> None:
        """Return once everything has ended, on any node, that was writing events at the call.

        Where several write at once, events get their numbers as they are written, not as they are committed: until
        then one may come in below those that are there already. Raises StoreUnavailable.
        """

    async def wait_for_change(self, timeout_s: float) -> None:
        """Return after the next commit here, another node's events where those are heard, or `timeout_s`."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._changed.wait()
        except TimeoutError:
            pass

    @abstractmethod
    async def _connect(self) -> None: ...

    @abstractmethod
    async def _disconnect(self) -> None: ...

    @abstractmethod
    async def _transact(self, units: Sequence[Unit]) -> list[Any]:
        """Run the units in one transaction and commit; their results, or raise with nothing changed."""

    async def _write(self) -> None:
        group = self.group
        while True:
            await self._work.wait()
            self._work.clear()
            while units := group.take():
                self._is_writing = True
                await self._commit(units)
                self._is_writing = False
                self.turns += 1
                # Who was just told has its turn first, and what it writes next goes into the next transaction together:
                # under load that is fewer commits, and an app's answers are read before more callbacks are made.
                for _ in range(_TURNS_BETWEEN):
                    await asyncio.sleep(0)
            if self._closing and not len(group):
                return

    async def _commit(self, units: list[Unit]) -> None:
        try:
            results = await self._transact(units)
        except StoreUnavailable as error:
            if self.last_commit_failed is None:
                log.error("the database is away", error=str(error))
            self.last_commit_failed = str(error)
            for unit in units:
                unit.fail(error)
        except Exception as error:  # noqa: BLE001  # whatever it is, its caller is told, and the writer lives on
            parts = [part for unit in units for part in unit.parts()]
            if len(parts) == 1:
                if isinstance(error, Declined):
                    parts[0].fail(error.error)
                    return
                log.error("operation failed", error=type(error).__name__)
                parts[0].fail(error)
                return
            # One of them broke the transaction for all: halve until it is alone, so that only the guilty one fails.
            middle = len(parts) // 2
            await self._commit(parts[:middle])
            await self._commit(parts[middle:])
        else:
            self.commits += 1
            if self.last_commit_failed is not None:
                log.info("the database is back")
            self.last_commit_failed = None
            for unit, result in zip(units, results, strict=True):
                unit.succeed(result)
            self._wake()

    def _heard(self, news: News) -> None:
        if News.EVENTS in news:
            self._wake()
        for hear in self._hears:
            hear(news)

    def _is_in_doubt(self) -> None:
        for doubt in self._doubts:
            doubt()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
