"""Keep the background loops going, and know which one does not."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from parley.core.backoff import Backoff

log = structlog.get_logger(__name__)


class Supervisor:
    """Runs loops for the life of the process. One that raises is started again, after a growing pause."""

    def __init__(self, backoff: Backoff) -> None:
        self._backoff = backoff
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._faults: dict[str, str] = {}

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
        failures = 0
        while True:
            try:
                await loop()
            except Exception as error:
                failures += 1
                self._faults[name] = repr(error)
                log.exception("a background loop failed and starts again", loop=name)
                await self._backoff.wait(failures)
            else:
                self._faults.pop(name, None)
                return
