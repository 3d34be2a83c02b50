"""Time that passes only when nothing is left to do: an event loop whose waits take none, and its wall clock."""

import asyncio
import selectors
from collections import defaultdict
from collections.abc import Coroutine
from contextvars import Context, ContextVar
from typing import Any, Final
from weakref import WeakSet

WORLD: Final = 0
owner: ContextVar[int] = ContextVar("owner", default=WORLD)
"""Which node a task belongs to, if it is not the world outside."""


class Deadlock(AssertionError):
    """Everybody waits, and nothing will happen."""


class _Selector(selectors.SelectSelector):
    """Selects nothing, and lets the time pass that the loop wanted to wait."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Deadlock("everybody waits, and nothing will happen")
        self.now += max(0.0, timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """Runs what is due at once, and knows each node's tasks, so that a node can die at an instant."""

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)
        self.tasks: defaultdict[int, WeakSet[asyncio.Task[Any]]] = defaultdict(WeakSet)
        self.set_task_factory(self._owned)  # type: ignore[arg-type]  # the stub knows no context

    def time(self) -> float:
        """Virtual seconds."""
        return self._virtual.now

    def _owned(
        self, loop: asyncio.AbstractEventLoop, coro: Coroutine[Any, Any, Any], **options: Any
    ) -> "asyncio.Task[Any]":
        task = asyncio.Task(coro, loop=loop, **options)
        context: Context | None = options.get("context")
        self.tasks[owner.get() if context is None else context.get(owner, WORLD)].add(task)
        return task


class WorldClock:
    """The wall clock of all nodes, which an operator may set; durations follow the loop."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self._offset_us = 1_750_000_000_000_000
        self._latest = 0

    def now(self) -> int:
        """Wall time in microseconds since the epoch."""
        return self._offset_us + round(self._loop.time() * 1_000_000)

    @property
    def latest(self) -> int:
        """The latest that it ever was."""
        return max(self._latest, self.now())

    def turn(self, seconds: float) -> None:
        """Set it ahead, or back."""
        self._latest = self.latest
        self._offset_us += round(seconds * 1_000_000)

    def monotonic(self) -> float:
        """Virtual seconds."""
        return self._loop.time()
