"""Deliver callbacks: in order per message, bounded per host, again after a failure, and each attempt recorded.

What goes wrong at one host neither delays nor displaces another's callbacks.
"""

import asyncio
from collections import deque
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, Final

import structlog

from parley.core.accounts import Accounts
from parley.core.backoff import Backoff
from parley.core.handoff import Handoff
from parley.core.metrics import Metrics
from parley.lib.clock import Clock
from parley.model.callback import Callback
from parley.model.message import Dialect, Message
from parley.store import Engine, News, StoreUnavailable, queue
from parley.webhooks.attempt import Attempts
from parley.webhooks.hosts import Hosts, host_of
from parley.webhooks.keeping import Keeping
from parley.webhooks.lines import Chain, Line
from parley.webhooks.parking import Parking, url_at
from parley.webhooks.render import Renderer
from parley.webhooks.reply import Replies
from parley.webhooks.retries import Retries, put_off
from parley.webhooks.telling import Telling

log = structlog.get_logger(__name__)

_BATCH: Final = 256
_HOST_ACTIVE: Final = 200
"""Messages whose callbacks to one host are under way at once; more wait their turn in memory."""
_TROUBLED_ACTIVE: Final = 4
"""The same, of a host whose last exchange failed."""
_SHARE: Final = 1
_TROUBLED_SHARE: Final = 4
"""A host may have this part of what memory others left: one has at most half, a fifth when its last exchange failed,
and there is always room for more."""
_BEHIND_US: Final = 1_000_000
"""How long a callback waits at least whose turn has not come because an earlier one is not done."""


class Delivery:
    """The loop between the callbacks that are owed and the hosts that they are owed to.

    `most` is how many callbacks the node holds in memory. A host that is left alone has none of them: its callbacks
    wait in the record.
    """

    def __init__(
        self,
        engine: Engine,
        owed: Handoff[Callback],
        accounts: Accounts,
        renderers: Mapping[Dialect, Renderer],
        attempts: Attempts,
        hosts: Hosts,
        retries: Retries,
        replies: Replies,
        clock: Clock,
        backoff: Backoff,
        node: bytes,
        waiting: asyncio.Event,
        metrics: Metrics,
        most: int,
    ) -> None:
        self._engine = engine
        self._owed = owed
        self._breakers = hosts
        self._clock = clock
        self._backoff = backoff
        self._most = most
        self._chains: dict[bytes, Chain] = {}
        self._lines: dict[str, Line] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._parking = Parking(engine, hosts, retries, clock, waiting, self._begin)
        self._keeping = Keeping(engine, owed, self._parking, backoff, node, waiting)
        self._telling = Telling(
            accounts, renderers, attempts, hosts, self._parking, retries, replies, clock, backoff, metrics
        )
        engine.on_news(self._heard)

    async def run(self) -> None:
        """Deliver until the handoff is closed, then finish the attempts under way."""
        while taken := deque(await self._owed.take(_BATCH)):
            ready: deque[Callback] = deque()
            back: list[Callback] = []
            try:
                self._part(taken, ready, back)
                await self._place(ready, back)
            except Exception:  # a fault of ours must not leave the rest in this node's hands for ever
                later = self._clock.now() + _BEHIND_US
                back += [put_off(callback, later) for callback in (*taken, *ready)]
                raise
            finally:
                if back:
                    self._begin(self._keeping.put_back(back))
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _heard(self, news: News) -> None:
        """Another node has found a host well."""
        if News.HOSTS in news:
            self._breakers.ask_again()

    def held_of(self, host: str) -> int:
        """How many messages' callbacks to a host are in memory."""
        found = self._lines.get(host)
        return 0 if found is None else found.active + len(found.waiting)

    def _part(self, taken: deque[Callback], ready: deque[Callback], back: list[Callback]) -> None:
        """Part those to look at from those that go back to the record, because their host is left alone."""
        if not len(self._breakers):
            ready.extend(taken)
            taken.clear()
        while taken:
            callback = taken[0]
            name = self._route(callback)
            if callback.message_id not in self._chains and self._breakers.is_held(name):
                back.append(self._parking.parked(name, callback))
            else:
                ready.append(callback)
            taken.popleft()

    async def _place(self, ready: deque[Callback], back: list[Callback]) -> None:
        """Give each its place at its host; what finds none goes back to the record."""
        while ready:
            try:
                messages, waits = await self._engine.read(queue.prepare, ready)
            except StoreUnavailable as error:
                log.warning("callbacks wait for the database", count=len(ready), error=str(error))
                await self._backoff.wait(1)
                continue
            while ready:
                callback = ready[0]
                placed = self._queue(callback, messages.get(callback.message_id), waits)
                if placed is not callback:
                    back.append(placed)
                ready.popleft()

    def _route(self, callback: Callback) -> str:
        """The host by whose places a callback goes: that of its fallback, while the first is left alone."""
        name = host_of(callback.url)
        if callback.fallback_url is not None and self._breakers.is_held(name):
            other = host_of(callback.fallback_url)
            return name if self._breakers.is_held(other) else other
        return name

    def _queue(
        self, callback: Callback, message: Message | None, waits: Mapping[bytes, Sequence[tuple[bytes, int]]]
    ) -> Callback:
        """Give a callback its place behind the others of its message, and return it; or as it goes back to the record,
        when its host's places are taken or it is left alone, or an earlier one is in no hands of ours.
        """
        pending = waits.get(callback.message_id, ())
        chain = self._chains.get(callback.message_id)
        if chain is not None:  # its turn comes when those before it are done
            if (due_at := chain.lacks(callback, pending)) is not None:
                return put_off(callback, max(self._clock.now() + _BEHIND_US, due_at + 1))
            chain.join(callback)
            return callback
        name = self._route(callback)
        line = self._lines.get(name) or Line(name, self._clock.monotonic())
        share = _TROUBLED_SHARE if self._breakers.is_troubled(name) else _SHARE
        if line.active + len(line.waiting) >= max(1, (self._most - len(self._chains)) // share):
            return put_off(callback, line.crowded_until(self._clock.now(), self._clock.monotonic()))
        if not self._breakers.admit(name, url_at(name, callback)):
            return self._parking.parked(name, callback)
        chain = Chain(callback, message, pending)
        chain.is_probe = self._breakers.is_probed(name)
        self._chains[callback.message_id] = chain
        self._lines[name] = line
        if chain.is_probe or line.active < self._places(name):
            self._start(line, chain)
        else:
            line.waiting.append(chain)
        return callback

    def _places(self, name: str) -> int:
        return _TROUBLED_ACTIVE if self._breakers.is_troubled(name) else _HOST_ACTIVE

    def _start(self, line: Line, chain: Chain) -> None:
        line.active += 1
        self._begin(self._serve(line, chain))

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("callback delivery failed", error=repr(error))

    async def _serve(self, line: Line, chain: Chain) -> None:
        """Deliver one chain after another to a host, until none waits or the host has fewer places."""
        try:
            await self._deliver_all(line.name, chain)
            line.served += 1
            while line.waiting:
                if self._breakers.is_held(line.name):
                    await self._keeping.put_back(self._give_way(line))
                elif line.active > (places := self._places(line.name)):
                    return
                else:
                    chain = line.waiting.popleft()
                    while line.waiting and line.active < places:  # it has come out of trouble
                        self._start(line, line.waiting.popleft())
                    await self._deliver_all(line.name, chain)
                    line.served += 1
        finally:
            line.active -= 1
            if not line.active and not line.waiting:
                self._lines.pop(line.name, None)

    def _give_way(self, line: Line) -> list[Callback]:
        """Take everything that waits for a host which is left alone, as it goes back to the record."""
        back: list[Callback] = []
        for chain in line.waiting:
            del self._chains[chain.message_id]
            back += (self._parking.parked(line.name, callback) for callback in chain.callbacks)
        line.waiting.clear()
        return back

    async def _deliver_all(self, name: str, chain: Chain) -> None:
        """Deliver one message's callbacks in turn."""
        try:
            while chain.callbacks:
                # Asked of each: an earlier one may have joined in front, and those between the two have not.
                if back_at := self._too_early(chain):
                    await self._put_all_back(chain, back_at)
                    return
                callback = chain.callbacks.pop(0)
                try:
                    after = await self._turn(name, chain, callback)
                except Exception:  # a fault of ours must not leave them in this node's hands for ever
                    log.exception("callback delivery failed", message=callback.message_id.hex())
                    chain.callbacks.insert(0, callback)
                    await self._put_all_back(chain, self._clock.now() + _BEHIND_US)
                    return
                if after.state == "pending":  # what comes later must not overtake it
                    await self._put_all_back(chain, after.due_at + 1)
        finally:
            self._settle(name, chain)
            del self._chains[chain.message_id]

    def _too_early(self, chain: Chain) -> int:
        """When a chain may come back whose turn has not come; 0 when it has."""
        callback, now = chain.callbacks[0], self._clock.now()
        if (due_at := chain.lacks(callback, chain.pending)) is not None:
            return max(now + _BEHIND_US, due_at + 1)
        # The clock was set back since this one came.
        return callback.due_at if callback.due_at - now > _BEHIND_US else 0

    async def _turn(self, name: str, chain: Chain, callback: Callback) -> Callback:
        """One callback's turn; the callback as it is in the record then."""
        if (wait_us := callback.due_at - self._clock.now()) > 0:
            await asyncio.sleep(wait_us / 1_000_000)
        after = await self._telling.tell(name, callback, chain.message, is_probe=chain.is_probe)
        self._settle(name, chain)
        await self._keeping.keep(after)
        return after

    def _settle(self, name: str, chain: Chain) -> None:
        """A probe that never came to ask leaves its place to another."""
        if chain.is_probe:
            chain.is_probe = False
            self._breakers.settle(name)

    async def _put_all_back(self, chain: Chain, due_at: int) -> None:
        while chain.callbacks:  # more may be claimed, and join the chain, while these are written
            left = [put_off(callback, due_at) for callback in chain.callbacks]
            chain.callbacks.clear()
            await self._keeping.put_back(left)
