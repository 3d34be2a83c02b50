"""The functions that an app gives to a client, called one task each, so that none waits for another."""

import asyncio
import inspect
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection
from typing import Any, Final, TypeVar

Handler = TypeVar("Handler", bound=Callable[..., Awaitable[None] | None])

_log: Final = logging.getLogger("parley.realtime")


class Handlers:
    """Functions by the event that they are for. One that raises is logged, and disturbs nobody."""

    def __init__(self) -> None:
        self._by_event: defaultdict[str, list[Callable[..., Awaitable[None] | None]]] = defaultdict(list)
        self._running: set[asyncio.Task[None]] = set()

    def on(self, event: str, known: Collection[str]) -> Callable[[Handler], Handler]:
        """A decorator that adds a function. Raises ValueError for an event that is not among the known."""
        if event not in known:
            raise ValueError(f"There is no event {event!r}; there are {', '.join(known)}")

        def add(handler: Handler) -> Handler:
            self._by_event[event].append(handler)
            return handler

        return add

    def call(self, event: str, *about: Any) -> None:
        """Call the functions for an event, in the order in which they were added."""
        for handler in self._by_event[event]:
            task = asyncio.create_task(_run(handler, event, about))
            self._running.add(task)
            task.add_done_callback(self._running.discard)


async def _run(handler: Callable[..., Awaitable[None] | None], event: str, about: tuple[Any, ...]) -> None:
    try:
        done = handler(*about)
        if inspect.isawaitable(done):
            await done
    except Exception:  # noqa: BLE001 - it is the app's own code
        _log.exception("the handler of %s failed", event)
