"""Write back to the record what became of callbacks, however long the database is away, and let go of them."""

import asyncio
from collections.abc import Sequence

from parley.core.backoff import Backoff
from parley.core.handoff import Handoff
from parley.model.callback import Callback
from parley.store import Engine, StoreUnavailable, queue
from parley.webhooks.parking import Parking


class Keeping:
    """The way out of this node's hands. `waiting` is told of what was put off to later."""

    def __init__(
        self,
        engine: Engine,
        owed: Handoff[Callback],
        parking: Parking,
        backoff: Backoff,
        node: bytes,
        waiting: asyncio.Event,
    ) -> None:
        self._engine = engine
        self._owed = owed
        self._parking = parking
        self._backoff = backoff
        self._node = node
        self._waiting = waiting
        self._finish = engine.lane(queue.finish_each)

    async def keep(self, callback: Callback) -> None:
        """Record one as it is after its turn, in one transaction with others whose turn ends just then."""
        attempt = 0
        while True:
            try:
                await self._finish.put((callback, self._node))
            except StoreUnavailable:
                attempt += 1
                await self._backoff.wait(attempt)
            else:
                self._let_go((callback,))
                return

    async def put_back(self, callbacks: Sequence[Callback]) -> None:
        """Record many at once."""
        attempt = 0
        while True:
            try:
                await self._engine.write(queue.finish_each, [(callback, self._node) for callback in callbacks])
            except StoreUnavailable:
                attempt += 1
                await self._backoff.wait(attempt)
            else:
                self._let_go(callbacks)
                return

    def _let_go(self, callbacks: Sequence[Callback]) -> None:
        self._owed.done(callbacks)
        self._parking.recorded(callbacks)
        if any(callback.state == "pending" for callback in callbacks):
            self._waiting.set()
