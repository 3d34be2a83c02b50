"""Time that passes only when nothing is left to do: an event loop whose waits take none, and its wall clock."""

import asyncio
import selectors
from collections import defaultdict, deque
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar
from typing import Any, Final, TypeVarTuple, Unpack
from weakref import WeakSet

Ts = TypeVarTuple("Ts")

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
        self._still: dict[int, list[asyncio.Handle]] = {}
        """What each node that stands still would do."""
        self.set_task_factory(self._owned)  # type: ignore[arg-type]  # the stub knows no context

    def time(self) -> float:
        """Virtual seconds."""
        return self._virtual.now

    def halt(self, node: int) -> None:
        """Let a node stand still: its time passes, and it does nothing."""
        self._still.setdefault(node, [])

    def release(self, node: int) -> None:
        """Let it go on where it stood."""
        self._ready: deque[asyncio.Handle]  # of the base class
        self._ready.extend(self._still.pop(node, ()))

    def call_soon(
        self, callback: Callable[[Unpack[Ts]], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """Have something done next, if whoever does it does not stand still."""
        if self._still and (waits := self._still.get(_owner_of(context))) is not None:
            handle = asyncio.Handle(callback, args, self, context)
            waits.append(handle)
            return handle
        return super().call_soon(callback, *args, context=context)

    def _owned(
        self, loop: asyncio.AbstractEventLoop, coro: Coroutine[Any, Any, Any], **options: Any
    ) -> "asyncio.Task[Any]":
        task = asyncio.Task(coro, loop=loop, **options)
        self.tasks[_owner_of(options.get("context"))].add(task)
        return task


def _owner_of(context: Context | None) -> int:
    return owner.get() if context is None else context.get(owner, WORLD)


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
