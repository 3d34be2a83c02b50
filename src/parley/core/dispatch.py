"""Dispatch: take what is due, submit it to the carrier, record what the carrier answered."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from typing import Any, Final, TypeVar

import structlog

from parley.core import outcomes
from parley.core.backoff import Backoff
from parley.core.breaker import Breaker
from parley.core.carrier import Attachment, Carrier, Outcome, Submission, Throttled, Uncertain, Unreachable
from parley.core.handoff import Handoff
from parley.core.media import MediaUnavailable, Outgoing
from parley.core.metrics import Metrics
from parley.core.outcomes import Due, UncertainPolicy
from parley.core.record import Record
from parley.core.release import Release
from parley.lib.clock import Clock
from parley.store import StoreUnavailable
from parley.store.changes import Applied, Change

log = structlog.get_logger(__name__)

T = TypeVar("T")

BATCH: Final = 256
"""Messages in one submit."""
_SUBMITS: Final = 32
"""Submits under way at once: what a slow carrier can hold up in memory."""
_FETCHES: Final = 1000
"""Messages whose media are being fetched at once; a slow host of media holds up no other message."""
_CROWDED_US: Final = 1_000_000
_SHORTEST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 3600.0
_SOON: Final = 60
"""Submits of one message that may go astray before it is its recipient's fault rather than an outage's: for about four
minutes they follow as fast as the breaker's trials do, then more slowly."""


class Dispatch:
    """The loop between the record and the carrier."""

    def __init__(
        self,
        record: Record,
        due: Handoff[Due],
        release: Release,
        carrier: Carrier,
        outgoing: Outgoing,
        clock: Clock,
        backoff: Backoff,
        breaker: Breaker,
        metrics: Metrics,
        uncertain_policy: UncertainPolicy = "hold",
    ) -> None:
        self._policy = uncertain_policy
        self._record = record
        self._due = due
        self._release = release
        self._carrier = carrier
        self._outgoing = outgoing
        self._clock = clock
        self._backoff = backoff
        self._breaker = breaker
        self._metrics = metrics
        self._free = asyncio.Semaphore(_SUBMITS)
        self._tasks: set[asyncio.Task[None]] = set()
        self._fetching = 0

    async def run(self) -> None:
        """Submit until the handoff is closed, then wait for what is under way."""
        try:
            while batch := await self._due.take(BATCH):
                await self._free.acquire()
                self._begin(self._submit(batch)).add_done_callback(lambda _: self._free.release())
            while self._tasks:
                await asyncio.wait(self._tasks)
        finally:
            for task in self._tasks:
                task.cancel()

    def _begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("dispatch failed", error=repr(error))

    async def _submit(self, batch: Sequence[Due]) -> None:
        apart: set[bytes] = set()
        try:
            going, put_off = await self._insist(lambda: self._release.admit(batch), len(batch))
            ready, changes, with_media = self._sort(going)
            apart = {message.id for _, message in with_media}
            await self._leave(ready, put_off + changes, {})
        finally:
            self._done([item for item in batch if item[1].id not in apart])

    def _done(self, items: Sequence[Due]) -> None:
        """These are out of this node's hands."""
        self._due.done(items)
        self._breaker.done([message.id for _, message in items])

    def _sort(self, batch: Sequence[Due]) -> tuple[list[Due], list[Change], list[Due]]:
        """Part what can go now from what cannot, and from what goes apart because its media are fetched first."""
        now, node = self._clock.now(), self._record.node
        is_calm = self._breaker.is_calm
        ready: list[Due] = []
        changes: list[Change] = []
        apart: list[Due] = []
        for item in batch:
            waits, message = item
            again_at = now if waits.waiting_for is None else self._again_at(item, now)
            change = outcomes.without_submit(item, node, now, again_at, self._policy)
            if change is not None:
                changes.append(change)
            elif not is_calm and (reason := self._breaker.stops(waits)):
                changes.append(outcomes.again(item, node, now, waits.due_at, waits.attempts, reason))
            elif not message.num_media:
                ready.append(item)
            elif self._fetching < _FETCHES:
                self._fetching += 1
                apart.append(item)
                self._begin(self._submit_with_media(item))
            else:
                changes.append(outcomes.again(item, node, now, now + _CROWDED_US, waits.attempts, "media"))
        return ready, changes, apart

    async def _submit_with_media(self, item: Due) -> None:
        try:
            try:
                result = await self._attach(item)
            finally:
                self._fetching -= 1
            if isinstance(result, Change):
                await self._keep([result])
            else:
                await self._leave([item], [], {item[1].id: result})
        finally:
            self._done([item])

    async def _attach(self, item: Due) -> tuple[Attachment, ...] | Change:
        waits, message = item
        node = self._record.node
        try:
            return await self._insist(lambda: self._outgoing.attachments(message), 1)
        except MediaUnavailable as error:
            now, attempts = self._clock.now(), waits.attempts + 1
            if not error.is_final and attempts < Outgoing.ATTEMPTS:
                told: dict[str, object] = {"outcome": "media", "reason": error.reason}
                return outcomes.again(item, node, now, now + self._backoff.delay_us(attempts), attempts, "media", told)
            return outcomes.end(item, now, "failed", error.code, error.reason)
        except Exception as error:  # a fault of ours must not leave a message in this node's hands for ever
            log.exception("media could not be attached", message=message.id.hex())
            return self._missed(item, error)

    async def _leave(
        self, ready: Sequence[Due], changes: list[Change], attachments: dict[bytes, tuple[Attachment, ...]]
    ) -> None:
        """Record `changes`, and that `ready` leaves where a repeated submit would not be noticed; then submit that."""
        try:
            if ready and not self._carrier.deduplicates:
                now = self._clock.now()
                changes += [outcomes.mark(item, self._record.node, now) for item in ready]
            if changes:
                applied = await self._keep(changes)
                missed = {change.message_id for change in applied.missed}
                ready = [item for item in ready if item[1].id not in missed]
        except Exception as error:  # as above; nothing has left yet
            log.exception("dispatch failed", count=len(ready))
            await self._keep([self._missed(item, error) for item in ready])
        else:
            # The database, or a host of media, may have taken so long that this node was taken for dead.
            ready = [item for item in ready if not self._due.is_overtaken(item)]
            now = self._clock.now()
            in_time = [item for item in ready if item[0].expires_at > now]
            if in_time:
                await self._hand_over(in_time, attachments)
            if len(in_time) < len(ready):
                await self._keep([outcomes.expired(item, now) for item in ready if item[0].expires_at <= now])

    def _missed(self, item: Due, error: Exception) -> Change:
        """It surely did not leave, for a fault of ours."""
        now, attempts = self._clock.now(), item[0].attempts + 1
        told: dict[str, object] = {"outcome": "unreachable", "reason": f"internal error: {type(error).__name__}"}
        again_at = now + self._backoff.delay_us(attempts)
        return outcomes.again(item, self._record.node, now, again_at, attempts, "carrier_down", told)

    async def _hand_over(self, ready: Sequence[Due], attachments: dict[bytes, tuple[Attachment, ...]]) -> None:
        items: dict[bytes, Due] = {}
        batch: list[Submission] = []
        for item in ready:
            waits, message = item
            items[message.id] = item
            batch.append(
                Submission(
                    (message.account_id, message.id),
                    waits.sender,
                    message.recipient,
                    message.body,
                    message.segments,
                    attachments.get(message.id, ()) if message.num_media else (),
                    waits.attempts + 1,
                )
            )
        writes: list[asyncio.Future[Applied]] = []
        is_reached = False

        def answer(answers: Sequence[tuple[Submission, Outcome]]) -> None:
            nonlocal is_reached
            now = self._clock.now()
            changes: list[Change] = []
            for submission, outcome in answers:
                item = items.pop(submission.key[1], None)
                if item is None:
                    log.error("answered twice", carrier=self._carrier.name, message=submission.key[1].hex())
                    continue
                is_reached = is_reached or not isinstance(outcome, Unreachable)
                changes += self._changes(item, outcome, now)
            self._count(answers)
            writes.append(asyncio.ensure_future(self._keep(changes)))

        reason = "the carrier gave no answer"
        try:
            await self._carrier.submit(batch, answer)
        except Exception as error:
            log.exception("the carrier failed", carrier=self._carrier.name, count=len(items))
            reason = f"the carrier failed: {type(error).__name__}"
        if items:  # a broken promise: what it did with these is not known
            is_reached = is_reached or not self._carrier.deduplicates
            writes.append(asyncio.ensure_future(self._keep(self._unanswered(items.values(), reason))))
        if is_reached:
            self._breaker.reached()
        else:
            self._breaker.unreachable({message.id: message.recipient for _, message in ready}, self._clock.now())
        await asyncio.gather(*writes)

    def _unanswered(self, items: Iterable[Due], reason: str) -> list[Change]:
        """Only a carrier that tells repeats is asked again. Either way they may have left: no one can cancel them."""
        now = self._clock.now()
        if not self._carrier.deduplicates:
            return [change for item in items for change in self._changes(item, Uncertain(reason), now)]
        changes: list[Change] = []
        for item in items:
            changes.append(Change(item[1].account_id, item[1].id, now, "sending"))
            changes += self._changes(item, Unreachable(reason), now)
        return changes

    async def _keep(self, changes: Sequence[Change]) -> Applied:
        """Record: these things have happened."""
        return await self._insist(lambda: self._record.apply(changes), len(changes))

    async def _insist(self, act: Callable[[], Awaitable[T]], count: int) -> T:
        """Have the record do something with so many messages, however long the database is away."""
        attempt = 0
        while True:
            try:
                return await act()
            except StoreUnavailable as error:
                attempt += 1
                log.warning("messages wait for the database", count=count, error=str(error))
                await self._backoff.wait(attempt)

    def _changes(self, item: Due, outcome: Outcome, now: int) -> list[Change]:
        waits, _ = item
        again_at = now
        if isinstance(outcome, Throttled):
            pause_us = round(min(max(outcome.after_s, _SHORTEST_PAUSE_S), _LONGEST_PAUSE_S) * 1_000_000)
            self._breaker.throttled(waits.sender, now + pause_us)
            again_at = waits.due_at  # it keeps its place among its sender's messages
        elif isinstance(outcome, Unreachable | Uncertain):
            again_at = self._again_at(item, now)
        return outcomes.of_outcome(item, outcome, self._carrier.name, self._record.node, now, again_at, self._policy)

    def _again_at(self, item: Due, now: int) -> int:
        attempts = item[0].attempts + 1
        return now + (self._breaker.backoff if attempts <= _SOON else self._backoff).delay_us(attempts)

    def _count(self, answers: Sequence[tuple[Submission, Outcome]]) -> None:
        kinds: dict[str, int] = {}
        for _, outcome in answers:
            kind = type(outcome).__name__.lower()
            kinds[kind] = kinds.get(kind, 0) + 1
        for kind, count in kinds.items():
            self._metrics.submitted(self._carrier.name, kind, count)
