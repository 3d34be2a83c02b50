"""Dispatch: take what is due, submit it to the carrier, record what the carrier answered."""

import asyncio
from collections.abc import Sequence
from typing import Final, Literal

import structlog
from msgspec import json

from parley.core.backoff import Backoff
from parley.core.carrier import (
    Accepted,
    Attachment,
    Carrier,
    Outcome,
    Rejected,
    Submission,
    Throttled,
    Uncertain,
    Unreachable,
)
from parley.core.handoff import Handoff
from parley.core.media import MediaUnavailable, Outgoing
from parley.core.metrics import Metrics
from parley.core.record import Record
from parley.lib.clock import Clock
from parley.model.message import Message, Pending
from parley.store import StoreUnavailable
from parley.store.changes import Change, Requeue

log = structlog.get_logger(__name__)

Due = tuple[Pending, Message]

BATCH: Final = 256
"""Messages in one submit."""
_SUBMITS: Final = 32
"""Submits under way at once: what a slow carrier can hold up in memory."""
_SUBMITTING: Final = "submitting"
"""Marks, durably and before it leaves, a message whose carrier cannot tell a repeated submit."""

EXPIRED: Final = 30036
UNKNOWN: Final = 30008


class Dispatch:
    """The loop between the record and the carrier."""

    def __init__(
        self,
        record: Record,
        due: Handoff[Due],
        carrier: Carrier,
        outgoing: Outgoing,
        clock: Clock,
        backoff: Backoff,
        metrics: Metrics,
    ) -> None:
        self._record = record
        self._due = due
        self._carrier = carrier
        self._outgoing = outgoing
        self._clock = clock
        self._backoff = backoff
        self._metrics = metrics
        self._paused: dict[str, int] = {}
        self._free = asyncio.Semaphore(_SUBMITS)
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Submit until the handoff is closed, then wait for what is under way."""
        while batch := await self._due.take(BATCH):
            await self._free.acquire()
            task = asyncio.create_task(self._submit(batch))
            self._tasks.add(task)
            task.add_done_callback(self._finished)
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._free.release()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("dispatch failed", error=repr(error))

    async def _submit(self, batch: Sequence[Due]) -> None:
        try:
            await self._submit_now(batch)
        except Exception as error:  # a fault of ours must not leave messages in this node's hands for ever
            log.exception("dispatch failed", count=len(batch))
            now = self._clock.now()
            reason = f"internal error: {type(error).__name__}"
            changes: list[Change] = []
            for item in batch:
                # What was marked as leaving stays in doubt; a carrier that tells repeats may be asked again.
                outcome = Unreachable(reason) if self._carrier.deduplicates else Uncertain(reason)
                changes += self._changes(item, outcome, now)
            await self._keep(changes)

    async def _submit_now(self, batch: Sequence[Due]) -> None:
        ready, changes = self._sort(batch)
        with_media = [item for item in ready if item[1].num_media]
        attachments: dict[bytes, tuple[Attachment, ...]] = {}
        if with_media:
            ready = [item for item in ready if not item[1].num_media]
            fetched = await asyncio.gather(*(self._attach(item) for item in with_media))
            for item, result in zip(with_media, fetched, strict=True):
                if isinstance(result, Change):
                    changes.append(result)
                else:
                    attachments[item[1].id] = result
                    ready.append(item)
        if ready and not self._carrier.deduplicates:
            changes += [_mark(item, self._record.node, self._clock.now()) for item in ready]
        if changes:
            await self._keep(changes)
        if ready:
            await self._hand_over(ready, attachments)

    def _sort(self, batch: Sequence[Due]) -> tuple[list[Due], list[Change]]:
        """Part what can go now from what has expired, was in doubt, or whose sender is paused."""
        now = self._clock.now()
        ready: list[Due] = []
        changes: list[Change] = []
        for item in batch:
            waits, message = item
            if waits.waiting_for == _SUBMITTING:
                changes.append(_uncertain(item, now, "the node stopped while submitting"))
            elif message.uncertain:
                changes.append(_end(message, now, "undelivered", UNKNOWN, "No receipt came within the validity period"))
            elif waits.expires_at <= now:
                changes.append(_end(message, now, "failed", EXPIRED, "Validity period expired before it was sent"))
            elif self._paused and (until := self._pause(waits.sender, now)):
                changes.append(_requeue(item, now, until, waits.attempts, "throttled", None))
            else:
                ready.append(item)
        return ready, changes

    def _pause(self, sender: str, now: int) -> int | None:
        """Until when a sender is paused, or None."""
        until = self._paused.get(sender)
        if until is not None and until <= now:
            del self._paused[sender]
            return None
        return until

    async def _attach(self, item: Due) -> tuple[Attachment, ...] | Change:
        waits, message = item
        try:
            return await self._outgoing.attachments(message)
        except MediaUnavailable as error:
            now = self._clock.now()
            if not error.is_final:
                attempts = waits.attempts + 1
                until = min(now + self._backoff.delay_us(attempts), waits.expires_at)
                if attempts <= Outgoing.ATTEMPTS:
                    return _requeue(item, now, until, attempts, "media", {"outcome": "media", "reason": error.reason})
            return _end(message, now, "failed", error.code, error.reason)

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
        writes: list[asyncio.Future[object]] = []

        def answer(outcomes: Sequence[tuple[Submission, Outcome]]) -> None:
            now = self._clock.now()
            changes: list[Change] = []
            for submission, outcome in outcomes:
                item = items.pop(submission.key[1])
                changes += self._changes(item, outcome, now)
            self._count(outcomes)
            writes.append(asyncio.ensure_future(self._keep(changes)))

        await self._carrier.submit(batch, answer)
        if items:  # a carrier that broke its promise: what it did with these is not known
            now = self._clock.now()
            await self._keep([_uncertain(item, now, "the carrier gave no answer") for item in items.values()])
        if writes:
            await asyncio.gather(*writes)

    async def _keep(self, changes: Sequence[Change]) -> None:
        """Record, however long the database is away: these things have happened."""
        attempt = 0
        while True:
            try:
                await self._record.apply(changes)
            except StoreUnavailable as error:
                attempt += 1
                log.warning("outcomes wait for the database", count=len(changes), error=str(error))
                await self._backoff.wait(attempt)
            else:
                return

    def _changes(self, item: Due, outcome: Outcome, now: int) -> list[Change]:
        waits, message = item
        carrier = self._carrier.name
        match outcome:
            case Accepted(refs):
                data = f'{{"carrier":"{carrier}","outcome":"accepted","refs":{json.encode(refs).decode()}}}'
                account_id, message_id = message.account_id, message.id
                sent = Change(account_id, message_id, now, "sent", None, data, None, None, carrier, refs)
                if message.status == "sending":
                    return [sent]
                return [Change(account_id, message_id, now, "sending"), sent]
            case Rejected(code, reason):
                told = {"carrier": carrier, "outcome": "rejected", "code": code, "reason": reason}
                return [_end(message, now, "failed", code, reason or None, told, carrier)]
            case Throttled(after_s, reason):
                until = now + round(after_s * 1_000_000)
                self._paused[waits.sender] = until
                told = {"carrier": carrier, "outcome": "throttled", "reason": reason}
                return [_requeue(item, now, until, waits.attempts, "throttled", told)]
            case Unreachable(reason):
                attempts = waits.attempts + 1
                until = min(now + self._backoff.delay_us(attempts), waits.expires_at)
                told = {"carrier": carrier, "outcome": "unreachable", "reason": reason}
                return [_requeue(item, now, until, attempts, "carrier_down", told)]
            case Uncertain(reason):
                return [_uncertain(item, now, reason, carrier)]

    def _count(self, outcomes: Sequence[tuple[Submission, Outcome]]) -> None:
        kinds: dict[str, int] = {}
        for _, outcome in outcomes:
            kind = type(outcome).__name__.lower()
            kinds[kind] = kinds.get(kind, 0) + 1
        for kind, count in kinds.items():
            self._metrics.submitted(self._carrier.name, kind, count)


def _mark(item: Due, node: bytes, now: int) -> Change:
    waits, message = item
    terms = Requeue(node, waits.due_at, waits.attempts, _SUBMITTING)
    return Change(message.account_id, message.id, now, "sending", requeue=terms)


def _end(
    message: Message,
    now: int,
    status: Literal["failed", "undelivered"],
    code: int,
    reason: str | None,
    told: dict[str, object] | None = None,
    carrier: str | None = None,
) -> Change:
    data = json.encode(told or {"code": code, "reason": reason}).decode()
    return Change(
        message.account_id, message.id, now, status, data=data, error_code=code, error_message=reason, carrier=carrier
    )


def _requeue(
    item: Due, now: int, due_at: int, attempts: int, waiting_for: str, told: dict[str, object] | None
) -> Change:
    _, message = item
    return Change(
        message.account_id,
        message.id,
        now,
        kind="submit" if told else None,
        data=json.encode(told).decode() if told else None,
        requeue=Requeue(None, due_at, attempts, waiting_for),
    )


def _uncertain(item: Due, now: int, reason: str, carrier: str | None = None) -> Change:
    """It waits for a late receipt until it expires, and is never submitted again."""
    waits, message = item
    told = {"carrier": carrier, "outcome": "uncertain", "reason": reason}
    return Change(
        message.account_id,
        message.id,
        now,
        "sending",
        data=json.encode(told).decode(),
        carrier=carrier,
        uncertain=True,
        requeue=Requeue(None, waits.expires_at, waits.attempts, "receipt"),
    )
