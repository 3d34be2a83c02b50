"""Bound how long tasks work, with one timer for all of them: `asyncio.timeout` makes one for each."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

R = TypeVar("R")


class Patience:
    """One bound on many tasks, each of which is under it once at a time."""

    def __init__(self) -> None:
        self._until: dict[asyncio.Task[Any], float] = {}
        """When each task's time is over, in the event loop's time: the first to end stands first."""
        self._timer: asyncio.TimerHandle | None = None

    async def within(self, seconds: float, work: Coroutine[Any, Any, R]) -> R:
        """Do `work` in this task. `seconds` is the same each time. Raises TimeoutError when they have passed."""
        task = asyncio.current_task()
        assert task is not None, "called from a coroutine"
        loop = asyncio.get_running_loop()
        self._until[task] = loop.time() + seconds
        if self._timer is None:
            self._timer = loop.call_later(seconds, self._end, loop)
        try:
            return await work
        except asyncio.CancelledError:
            if task in self._until or task.uncancel():  # somebody else's doing
                raise
            raise TimeoutError from None
        finally:
            self._until.pop(task, None)

    def _end(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        while self._until:
            task, until = next(iter(self._until.items()))
            if until > loop.time():
                self._timer = loop.call_at(until, self._end, loop)
                return
            del self._until[task]
            task.cancel()
