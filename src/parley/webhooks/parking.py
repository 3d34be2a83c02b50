"""Callbacks that wait in the record for a host that is left alone, and follow at once when it answers again."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Final

import structlog

from parley.lib.clock import Clock
from parley.model.callback import Callback
from parley.store import Engine, StoreUnavailable, queue
from parley.webhooks.hosts import STEP_US, Hosts, host_of
from parley.webhooks.retries import Retries

log = structlog.get_logger(__name__)

_HASTENED: Final = 1000
"""Waiting callbacks that are looked through at once for those of a host that is well again."""


def url_at(name: str, callback: Callback) -> str:
    """Which of a callback's URLs is at a host: its fallback's, where it goes by the places of that."""
    is_fallback = callback.fallback_url is not None and host_of(callback.url) != name
    return callback.fallback_url or "" if is_fallback else callback.url


class Parking:
    """What is on its way there, and out of it. `begin` has work done beside, `waiting` tells that something is due."""

    def __init__(
        self,
        engine: Engine,
        hosts: Hosts,
        retries: Retries,
        clock: Clock,
        waiting: asyncio.Event,
        begin: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._engine = engine
        self._hosts = hosts
        self._retries = retries
        self._clock = clock
        self._waiting = waiting
        self._begin = begin
        self._on_the_way: dict[bytes, str] = {}
        hosts.on_heal(lambda name: begin(self._hasten(name)))

    def park(self, name: str, callback: Callback) -> int:
        """When a callback to a host that is left alone falls due again. `recorded` is told once it waits."""
        self._on_the_way[callback.id] = name
        return self._hosts.park(name, callback.account_id, url_at(name, callback))

    def parked(self, name: str, callback: Callback) -> Callback:
        """A callback to a host that is left alone, as it goes back to the record."""
        return self._retries.parked(callback, self.park(name, callback), self._hosts.reason(name))

    def recorded(self, callbacks: Iterable[Callback]) -> None:
        """These are in the record now; a host that came back while they were on the way there gets them at once."""
        names = {self._on_the_way.pop(callback.id, None) for callback in callbacks}
        for name in names:
            if name is not None and not self._hosts.is_troubled(name):
                self._begin(self._hasten(name))

    async def _hasten(self, name: str) -> None:
        """Have what waits in the record for a host that is well again fall due from now on, in its order."""
        at = self._clock.now()
        since, after = at + 1, b""
        try:
            while found := await self._engine.read(queue.parked_callbacks, since, _HASTENED, after):
                if theirs := [id_ for _, id_, url in found if host_of(url) == name]:
                    await self._engine.write(queue.hasten, theirs, at, STEP_US)
                    self._waiting.set()
                    at += len(theirs) * STEP_US
                since, after, _ = found[-1]
        except StoreUnavailable as error:
            log.warning("callbacks wait though their host is well again", host=name, error=str(error))
