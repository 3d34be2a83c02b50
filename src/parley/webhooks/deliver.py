"""Deliver callbacks: in order per message, bounded per host, again after a failure, and each attempt recorded."""

import asyncio
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from typing import Final, Literal
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
_CHAINS: Final = 2000
"""Messages whose callbacks are under way at once."""
_CHAINS_A_HOST: Final = 500
"""Of those, for one host: a host that hangs must not hold up the others'."""
_CROWDED_US: Final = 5_000_000
"""How long a callback waits in the record whose host has that many under way."""
_BEHIND_US: Final = 1_000_000
"""How long a callback waits at least whose turn has not come because an earlier one is not done."""


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
        self._waiting = waiting
        self._metrics = metrics
        self._finish = engine.lane(queue.finish_each)
        self._chains: dict[bytes, deque[Callback]] = {}
        self._hosts: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self._free = asyncio.Semaphore(_CHAINS)

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
            for callback in batch:
                await self._start(callback, messages.get(callback.message_id), blocked)
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _start(
        self, callback: Callback, message: Message | None, blocked: Mapping[bytes, tuple[bytes, int]]
    ) -> None:
        chain = self._chains.get(callback.message_id)
        if chain is not None:  # its turn comes when those before it are done
            chain.append(callback)
            return
        host = urlsplit(callback.url).netloc
        if self._hosts[host] >= _CHAINS_A_HOST:
            await self._put_back([callback], self._clock.now() + _CROWDED_US)
            return
        await self._free.acquire()
        self._hosts[host] += 1
        chain = self._chains[callback.message_id] = deque((callback,))
        first = blocked.get(callback.message_id)
        task = asyncio.create_task(self._deliver_all(callback.message_id, host, chain, message, first))
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._free.release()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("callback delivery failed", error=repr(error))

    async def _deliver_all(
        self,
        message_id: bytes,
        host: str,
        chain: deque[Callback],
        message: Message | None,
        first: tuple[bytes, int] | None,
    ) -> None:
        """Deliver one message's callbacks in turn. `first` is its earliest that is pending anywhere, and its time."""
        try:
            while chain:
                callback = chain.popleft()
                if first is not None and first[0] < callback.id:
                    chain.appendleft(callback)
                    await self._put_all_back(chain, max(self._clock.now() + _BEHIND_US, first[1] + 1))
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
                    await self._put_all_back(chain, after.due_at + 1)
        finally:
            del self._chains[message_id]
            self._hosts[host] -= 1
            if not self._hosts[host]:
                del self._hosts[host]

    async def _put_all_back(self, chain: deque[Callback], due_at: int) -> None:
        while chain:  # more may be claimed, and join the chain, while these are written
            left = list(chain)
            chain.clear()
            await self._put_back(left, due_at)

    async def _put_back(self, callbacks: Sequence[Callback], due_at: int) -> None:
        for callback in callbacks:
            await self._keep(replace(callback, node=None, due_at=max(callback.due_at, due_at)))

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
        if attempts >= failure.worth_attempts:
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
                await self._finish.put(callback)
            except StoreUnavailable:
                attempt += 1
                await self._backoff.wait(attempt)
            else:
                if callback.state == "pending":
                    self._waiting.set()
                return

    def _count(self, callback: Callback, outcome: str, started: float) -> None:
        self._metrics.callbacks.labels(callback.kind, outcome).inc()
        self._metrics.callback_seconds.observe(self._clock.monotonic() - started)
