"""Deliver callbacks: in order per message, bounded per host, again after a failure, and each attempt recorded."""

import asyncio
from collections import deque
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import structlog
from msgspec.structs import replace

from parley.core.accounts import Accounts
from parley.core.backoff import Backoff
from parley.core.handoff import Handoff
from parley.core.metrics import Metrics
from parley.lib.clock import Clock
from parley.model.account import Account
from parley.model.callback import Callback
from parley.model.message import Dialect, Message
from parley.store import Engine, StoreUnavailable, queue
from parley.webhooks.attempt import HTTP_ERROR, REFUSED_ATTEMPTS, Attempts, Failed
from parley.webhooks.render import Renderer
from parley.webhooks.reply import Replies

log = structlog.get_logger(__name__)

_BATCH: Final = 256
_HOST_ACTIVE: Final = 200
"""Messages whose callbacks to one host are under way at once; more wait their turn in memory."""
_HOST_HELD: Final = 2_000
"""Messages whose callbacks to one host are in memory: a host that hangs must leave room for the others'."""
_CROWDED_US: Final = 5_000_000
"""How long a callback waits in the record whose host has that many in memory."""
_BEHIND_US: Final = 1_000_000
"""How long a callback waits at least whose turn has not come because an earlier one is not done."""


class _Chain:
    """One message's callbacks in this node's hands. `first` is its earliest that is pending anywhere, and its time."""

    __slots__ = ("callbacks", "first", "message", "message_id")

    def __init__(self, callback: Callback, message: Message | None, first: tuple[bytes, int] | None) -> None:
        self.message_id = callback.message_id
        self.callbacks = deque((callback,))
        self.message = message
        self.first = first


class _Host:
    """What is under way to one host, and what waits for its turn."""

    __slots__ = ("active", "waiting")

    def __init__(self) -> None:
        self.active = 0
        self.waiting: deque[_Chain] = deque()


class Delivery:
    """The loop between the callbacks that are owed and the hosts that they are owed to."""

    def __init__(
        self,
        engine: Engine,
        owed: Handoff[Callback],
        accounts: Accounts,
        renderers: Mapping[Dialect, Renderer],
        attempts: Attempts,
        replies: Replies,
        clock: Clock,
        backoff: Backoff,
        node: bytes,
        waiting: asyncio.Event,
        metrics: Metrics,
    ) -> None:
        self._engine = engine
        self._owed = owed
        self._accounts = accounts
        self._renderers = renderers
        self._attempts = attempts
        self._replies = replies
        self._clock = clock
        self._backoff = backoff
        self._node = node
        self._waiting = waiting
        self._metrics = metrics
        self._finish = engine.lane(queue.finish_each)
        self._chains: dict[bytes, _Chain] = {}
        self._hosts: dict[str, _Host] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Deliver until the handoff is closed, then finish the attempts under way."""
        while batch := await self._owed.take(_BATCH):
            while True:
                try:
                    messages, blocked = await self._engine.read(queue.prepare, batch)
                except StoreUnavailable as error:
                    log.warning("callbacks wait for the database", count=len(batch), error=str(error))
                    await self._backoff.wait(1)
                else:
                    break
            crowded = [c for c in batch if not self._queue(c, messages.get(c.message_id), blocked)]
            if crowded:
                self._begin(self._put_back(crowded, self._clock.now() + _CROWDED_US))
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _queue(self, callback: Callback, message: Message | None, blocked: Mapping[bytes, tuple[bytes, int]]) -> bool:
        """Give a callback its place behind the others of its message; False when its host's places are taken."""
        chain = self._chains.get(callback.message_id)
        if chain is not None:  # its turn comes when those before it are done
            chain.callbacks.append(callback)
            return True
        name = urlsplit(callback.url).netloc
        host = self._hosts.get(name)
        if host is None:
            host = self._hosts[name] = _Host()
        if host.active + len(host.waiting) >= _HOST_HELD:
            return False
        chain = _Chain(callback, message, blocked.get(callback.message_id))
        self._chains[callback.message_id] = chain
        if host.active < _HOST_ACTIVE:
            host.active += 1
            self._begin(self._serve(name, host, chain))
        else:
            host.waiting.append(chain)
        return True

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("callback delivery failed", error=repr(error))

    async def _serve(self, name: str, host: "_Host", chain: "_Chain") -> None:
        """Deliver one chain after another to a host, until none waits."""
        try:
            await self._deliver_all(chain)
            while host.waiting:
                await self._deliver_all(host.waiting.popleft())
        finally:
            host.active -= 1
            if not host.active and not host.waiting:
                self._hosts.pop(name, None)

    async def _deliver_all(self, chain: "_Chain") -> None:
        """Deliver one message's callbacks in turn."""
        callbacks, message, first = chain.callbacks, chain.message, chain.first
        try:
            while callbacks:
                callback = callbacks.popleft()
                if first is not None and first[0] < callback.id:
                    callbacks.appendleft(callback)
                    await self._put_all_back(callbacks, max(self._clock.now() + _BEHIND_US, first[1] + 1))
                    return
                first = None
                if message is None or message.deleted_at is not None:
                    await self._keep(self._ended(callback, "gave_up", "the message was deleted"))
                    continue
                if (wait_us := callback.due_at - self._clock.now()) > 0:
                    await asyncio.sleep(wait_us / 1_000_000)
                after = await self._deliver(callback, message)
                await self._keep(after)
                if after.state == "pending":  # what comes later must not overtake it
                    await self._put_all_back(callbacks, after.due_at + 1)
        finally:
            del self._chains[chain.message_id]

    async def _put_all_back(self, chain: deque[Callback], due_at: int) -> None:
        while chain:  # more may be claimed, and join the chain, while these are written
            left = list(chain)
            chain.clear()
            await self._put_back(left, due_at)

    async def _put_back(self, callbacks: Sequence[Callback], due_at: int) -> None:
        later = (replace(callback, node=None, due_at=max(callback.due_at, due_at)) for callback in callbacks)
        await asyncio.gather(*map(self._keep, later))

    async def _deliver(self, callback: Callback, message: Message) -> Callback:
        """One attempt; the callback as it is afterwards."""
        account = await self._account(callback.account_id)
        if account is None:
            return self._ended(callback, "gave_up", "the account is gone")
        started = self._clock.monotonic()
        try:
            if callback.kind == "inbound":
                said = await self._replies.inbound(account, message, callback)
            else:
                renderer = self._renderers[callback.dialect]
                said = await self._attempts.status(callback, renderer.status(account, message, callback))
        except Failed as failure:
            self._count(callback, "failed", started)
            return self._after(callback, failure)
        except Exception as error:  # a fault of ours must not leave it in this node's hands for ever
            log.exception("callback delivery failed", message=message.id.hex())
            self._count(callback, "failed", started)
            outcome = f"internal error: {type(error).__name__}"
            return self._after(callback, Failed(HTTP_ERROR, outcome, outcome, REFUSED_ATTEMPTS))
        self._count(callback, "delivered", started)
        return self._ended(callback, "delivered", said)

    async def _account(self, account_id: bytes) -> Account | None:
        while True:
            try:
                return await self._accounts.by_id(account_id)
            except StoreUnavailable:
                await self._backoff.wait(1)

    def _after(self, callback: Callback, failure: Failed) -> Callback:
        attempts = callback.attempts + 1
        # An app that answered an inbound webhook by an error has been asked, and so was its fallback.
        is_final = callback.kind == "inbound" and failure.code == HTTP_ERROR
        if is_final or attempts >= failure.worth_attempts:
            log.info(
                "callback given up",
                message=callback.message_id.hex(),
                kind=callback.kind,
                attempts=attempts,
                outcome=failure.outcome,
            )
            return self._ended(callback, "gave_up", failure.outcome)
        due_at = self._clock.now() + self._backoff.delay_us(attempts)
        return replace(callback, node=None, due_at=due_at, attempts=attempts, outcome=failure.outcome)

    def _ended(self, callback: Callback, state: Literal["delivered", "gave_up"], outcome: str) -> Callback:
        now = self._clock.now()
        attempts = callback.attempts + 1
        return replace(callback, state=state, node=None, attempts=attempts, outcome=outcome, finished_at=now)

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
                if callback.state == "pending":
                    self._waiting.set()
                return

    def _count(self, callback: Callback, outcome: str, started: float) -> None:
        self._metrics.callbacks.labels(callback.kind, outcome).inc()
        self._metrics.callback_seconds.observe(self._clock.monotonic() - started)
