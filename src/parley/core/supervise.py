"""Keep the background loops going, and know which one does not."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from parley.core.backoff import Backoff

log = structlog.get_logger(__name__)

WELL_S: Final = 60.0
"""A loop that was started again and has run for so long is well."""


class Supervisor:
    """Runs loops for the life of the process. One that raises is started again, after a growing pause."""

    def __init__(self, backoff: Backoff, well_s: float = WELL_S) -> None:
        self._backoff = backoff
        self._well_s = well_s
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._faults: dict[str, str] = {}
        self._failures: Counter[str] = Counter()

    def start(self, name: str, loop: Callable[[], Awaitable[None]]) -> None:
        """Start a loop; it ends by returning."""
        self._tasks[name] = asyncio.create_task(self._keep(name, loop), name=name)

    async def ended(self) -> None:
        """Wait for every loop to return."""
        if self._tasks:
            await asyncio.wait(self._tasks.values())

    def cancel(self) -> None:
        """End the loops that did not return in time."""
        for task in self._tasks.values():
            task.cancel()

    def fault(self) -> str | None:
        """The loops that failed and have not run well since, in a sentence; None when all is well."""
        return "; ".join(f"{name}: {error}" for name, error in self._faults.items()) or None

    async def _keep(self, name: str, loop: Callable[[], Awaitable[None]]) -> None:
        while True:
            mended = asyncio.get_running_loop().call_later(self._well_s, self._forgive, name)
            try:
                await loop()
            except Exception as error:
                self._failures[name] += 1
                self._faults[name] = repr(error)
                log.exception("a background loop failed and starts again", loop=name)
            else:
                self._forgive(name)
                return
            finally:
                mended.cancel()
            await self._backoff.wait(self._failures[name])

    def _forgive(self, name: str) -> None:
        self._faults.pop(name, None)
        del self._failures[name]
