"""Deliver callbacks: in order per message, bounded per host, again after a failure, and each attempt recorded.

What goes wrong at one host neither delays nor displaces another's callbacks.
"""

import asyncio
from collections import deque
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from typing import Any, Final

import structlog
from prometheus_client import Counter

from parley.core.accounts import Accounts
from parley.core.backoff import Backoff
from parley.core.handoff import Handoff
from parley.core.metrics import Metrics
from parley.lib.clock import Clock
from parley.model.account import Account
from parley.model.callback import Callback
from parley.model.message import Dialect, Message
from parley.store import Engine, News, StoreUnavailable, queue
from parley.webhooks import notice
from parley.webhooks.attempt import HTTP_ERROR, REFUSED_ATTEMPTS, Attempts, Failed, Held
from parley.webhooks.hosts import Hosts, host_of
from parley.webhooks.parking import Parking
from parley.webhooks.render import Renderer
from parley.webhooks.reply import Replies
from parley.webhooks.retries import Retries, put_off

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
_CROWDED_US: Final = (250_000, 5_000_000)
"""How long at least and at most a callback waits in the record whose host has its share of memory."""
_CROWDED_STEP_US: Final = (50, 400)
"""What waits so falls due one after the other, about as fast as the host has taken callbacks of late."""
_OF_LATE_S: Final = 4.0
_BEHIND_US: Final = 1_000_000
"""How long a callback waits at least whose turn has not come because an earlier one is not done."""


class _Chain:
    """One message's callbacks in this node's hands. `pending` come before its first one, here or elsewhere."""

    __slots__ = ("callbacks", "is_probe", "known", "message", "message_id", "pending")

    def __init__(self, callback: Callback, message: Message | None, pending: Sequence[tuple[bytes, int]]) -> None:
        self.message_id = callback.message_id
        self.callbacks = deque((callback,))
        self.known = {callback.id}
        self.message = message
        self.pending = [each for each in pending if each[0] < callback.id]
        self.is_probe = False

    def lacks(self, callback: Callback, pending: Iterable[tuple[bytes, int]]) -> int | None:
        """When the first of those pending is due that has to come before `callback` and never was here, if any has."""
        return next((due_at for id_, due_at in pending if id_ < callback.id and id_ not in self.known), None)

    def join(self, callback: Callback) -> None:
        """Take a later callback, in its place: what was claimed may be older than what was handed over."""
        self.known.add(callback.id)
        if self.callbacks and callback.id < self.callbacks[-1].id:
            self.callbacks = deque(sorted((*self.callbacks, callback), key=lambda each: each.id))
        else:
            self.callbacks.append(callback)


class _Host:
    """What is under way to one host, and what waits for its turn."""

    __slots__ = ("_crowded_until", "_since", "active", "name", "served", "waiting")

    def __init__(self, name: str, monotonic: float) -> None:
        self.name = name
        self.active = 0
        self.waiting: deque[_Chain] = deque()
        self.served = 0.0
        self._since = monotonic
        self._crowded_until = 0

    def crowded_until(self, now: int, monotonic: float) -> int:
        """When a callback that finds no place may come back: about when half of what is here is done."""
        elapsed = monotonic - self._since
        if elapsed > _OF_LATE_S:
            self.served, self._since = self.served / 2, monotonic - elapsed / 2
        each_us = round(elapsed * 1_000_000 / self.served) if self.served else _CROWDED_STEP_US[1]
        here_us = each_us * (self.active + len(self.waiting)) // 2
        step_us = min(max(each_us, _CROWDED_STEP_US[0]), _CROWDED_STEP_US[1])
        earliest = now + min(max(here_us, _CROWDED_US[0]), _CROWDED_US[1])
        self._crowded_until = max(self._crowded_until + step_us, earliest)
        return self._crowded_until


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
        self._accounts = accounts
        self._renderers = renderers
        self._attempts = attempts
        self._breakers = hosts
        self._retries = retries
        self._replies = replies
        self._clock = clock
        self._backoff = backoff
        self._node = node
        self._waiting = waiting
        self._metrics = metrics
        self._most = most
        self._finish = engine.lane(queue.finish_each)
        self._chains: dict[bytes, _Chain] = {}
        self._hosts: dict[str, _Host] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._counted: dict[tuple[str, str], Counter] = {}
        self._parking = Parking(engine, hosts, clock, waiting, self._begin)
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
                    self._begin(self._put_back(back))
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _heard(self, news: News) -> None:
        """Another node has found a host well."""
        if News.HOSTS in news:
            self._breakers.ask_again()

    def held_of(self, host: str) -> int:
        """How many messages' callbacks to a host are in memory."""
        found = self._hosts.get(host)
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
                back.append(self._parked(name, callback))
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

    def _parked(self, name: str, callback: Callback) -> Callback:
        return self._retries.parked(callback, self._parking.park(name, callback), self._breakers.reason(name))

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
        host = self._hosts.get(name) or _Host(name, self._clock.monotonic())
        share = _TROUBLED_SHARE if self._breakers.is_troubled(name) else _SHARE
        if host.active + len(host.waiting) >= max(1, (self._most - len(self._chains)) // share):
            return put_off(callback, host.crowded_until(self._clock.now(), self._clock.monotonic()))
        if not self._breakers.admit(name):
            return self._parked(name, callback)
        chain = _Chain(callback, message, pending)
        chain.is_probe = self._breakers.is_probed(name)
        self._chains[callback.message_id] = chain
        self._hosts[name] = host
        if chain.is_probe or host.active < self._places(name):
            self._start(host, chain)
        else:
            host.waiting.append(chain)
        return callback

    def _places(self, name: str) -> int:
        return _TROUBLED_ACTIVE if self._breakers.is_troubled(name) else _HOST_ACTIVE

    def _start(self, host: _Host, chain: _Chain) -> None:
        host.active += 1
        self._begin(self._serve(host, chain))

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("callback delivery failed", error=repr(error))

    async def _serve(self, host: _Host, chain: _Chain) -> None:
        """Deliver one chain after another to a host, until none waits or the host has fewer places."""
        try:
            await self._deliver_all(host.name, chain)
            host.served += 1
            while host.waiting:
                if self._breakers.is_held(host.name):
                    await self._put_back(self._give_way(host))
                elif host.active > (places := self._places(host.name)):
                    return
                else:
                    chain = host.waiting.popleft()
                    while host.waiting and host.active < places:  # it has come out of trouble
                        self._start(host, host.waiting.popleft())
                    await self._deliver_all(host.name, chain)
                    host.served += 1
        finally:
            host.active -= 1
            if not host.active and not host.waiting:
                self._hosts.pop(host.name, None)

    def _give_way(self, host: _Host) -> list[Callback]:
        """Take everything that waits for a host which is left alone, as it goes back to the record."""
        back: list[Callback] = []
        for chain in host.waiting:
            del self._chains[chain.message_id]
            back += (self._parked(host.name, callback) for callback in chain.callbacks)
        host.waiting.clear()
        return back

    async def _deliver_all(self, name: str, chain: _Chain) -> None:
        """Deliver one message's callbacks in turn."""
        message = chain.message
        try:
            while chain.callbacks:
                callback = chain.callbacks.popleft()
                # Asked of each: an earlier one may have joined in front, and those between the two have not.
                if (due_at := chain.lacks(callback, chain.pending)) is not None:
                    chain.callbacks.appendleft(callback)
                    await self._put_all_back(chain, max(self._clock.now() + _BEHIND_US, due_at + 1))
                    return
                if (message is None or message.deleted_at is not None) and callback.kind != "notice":
                    await self._keep(self._retries.ended(callback, "gave_up", "the message was deleted"))
                    continue
                if (wait_us := callback.due_at - self._clock.now()) > 0:
                    await asyncio.sleep(wait_us / 1_000_000)
                try:
                    after = await self._deliver(name, callback, message, is_probe=chain.is_probe)
                except Held:
                    after = self._parked(name, callback)
                self._settle(name, chain)
                await self._keep(after)
                if after.state == "pending":  # what comes later must not overtake it
                    await self._put_all_back(chain, after.due_at + 1)
        finally:
            self._settle(name, chain)
            del self._chains[chain.message_id]

    def _settle(self, name: str, chain: _Chain) -> None:
        """A probe that never came to ask leaves its place to another."""
        if chain.is_probe:
            chain.is_probe = False
            self._breakers.settle(name)

    async def _put_all_back(self, chain: _Chain, due_at: int) -> None:
        while chain.callbacks:  # more may be claimed, and join the chain, while these are written
            left = [put_off(callback, due_at) for callback in chain.callbacks]
            chain.callbacks.clear()
            await self._put_back(left)

    async def _put_back(self, callbacks: Sequence[Callback]) -> None:
        """Record many at once, however long the database is away."""
        attempt = 0
        while True:
            try:
                await self._engine.write(queue.finish_each, [(callback, self._node) for callback in callbacks])
            except StoreUnavailable:
                attempt += 1
                await self._backoff.wait(attempt)
            else:
                self._owed.done(callbacks)
                self._waiting.set()
                self._parking.recorded(callbacks)
                return

    async def _deliver(self, name: str, callback: Callback, message: Message | None, *, is_probe: bool) -> Callback:
        """One attempt; the callback as it is afterwards. Raises Held when none was made."""
        account = await self._account(callback.account_id)
        if account is None:
            return self._retries.ended(callback, "gave_up", "the account is gone")
        started = self._clock.monotonic()
        try:
            if callback.kind == "inbound" and message is not None:
                said = await self._replies.inbound(account, message, callback, is_probe=is_probe)
            else:
                rendered = (
                    notice.rendered(account, callback)
                    if message is None or callback.kind == "notice"
                    else self._renderers[callback.dialect].status(account, message, callback)
                )
                said = await self._attempts.status(
                    callback, rendered, lambda: is_probe or not self._breakers.is_held(name)
                )
        except Held:
            raise
        except Failed as failure:
            self._count(callback, "failed", started)
            return self._after(name, callback, failure)
        except Exception as error:  # a fault of ours must not leave it in this node's hands for ever
            log.exception("callback delivery failed", message=callback.message_id.hex())
            self._count(callback, "failed", started)
            outcome = f"internal error: {type(error).__name__}"
            return self._after(name, callback, Failed(HTTP_ERROR, outcome, outcome, REFUSED_ATTEMPTS))
        self._count(callback, "delivered", started)
        return self._retries.ended(callback, "delivered", said)

    def _after(self, name: str, callback: Callback, failure: Failed) -> Callback:
        self._breakers.note(name, callback.account_id)
        not_before = self._parking.park(name, callback) if self._breakers.is_held(name) else 0
        return self._retries.after(callback, failure, not_before)

    async def _account(self, account_id: bytes) -> Account | None:
        while True:
            try:
                return await self._accounts.by_id(account_id)
            except StoreUnavailable:
                await self._backoff.wait(1)

    async def _keep(self, callback: Callback) -> None:
        """Record, however long the database is away."""
        attempt = 0
        while True:
            try:
                await self._finish.put((callback, self._node))
            except StoreUnavailable:
                attempt += 1
                await self._backoff.wait(attempt)
            else:
                self._owed.done((callback,))
                self._parking.recorded((callback,))
                if callback.state == "pending":
                    self._waiting.set()
                return

    def _count(self, callback: Callback, outcome: str, started: float) -> None:
        counted = self._counted.get((callback.kind, outcome))
        if counted is None:  # finding a child by its labels costs more than counting
            counted = self._counted[callback.kind, outcome] = self._metrics.callbacks.labels(callback.kind, outcome)
        counted.inc()
        self._metrics.callback_seconds.observe(self._clock.monotonic() - started)
