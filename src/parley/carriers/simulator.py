"""The simulator carrier: phones that exist only here, and behave as they are told.

Each submitted batch is one durable write (what arrived, and the receipts that are owed), then one answer, then one
report of the receipts that are due at once. Whatever a crash leaves unreported, or is due later, a loop reports.

A phone may be a number of this server. What arrives there comes in as well, before it is answered and before a receipt
is owed, which would end it: should this fail, or the node die, all of it is tried again, and comes in once.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Final, Protocol

import msgspec
import structlog

from parley.core.carrier import (
    Accepted,
    Answer,
    Attachment,
    Inbound,
    Outcome,
    Rejected,
    ReportInbound,
    ReportReceipts,
    Submission,
    Throttled,
    Unreachable,
)
from parley.lib.clock import Clock
from parley.lib.randomness import Randomness
from parley.model.behaviour import CALM, Behaviour, Faults
from parley.model.message import Status
from parley.model.phone import CARRIER, Arrival, DueReceipt
from parley.model.receipt import Receipt

log = structlog.get_logger(__name__)

UNREACHABLE_HANDSET: Final = 30003
UNKNOWN_HANDSET: Final = 30005
UNKNOWN_ERROR: Final = 30008

MOST_EXCHANGED: Final = 1000
"""Messages that come in between two numbers of this server, both ways together, in one minute: two apps that answer
each other would never end.
"""

_WHATSAPP: Final = "whatsapp:"
_MINUTE_S: Final = 60.0
_THROTTLED_S: Final = 1.0
_GRACE_US: Final = 3_000_000
"""A receipt that is being reported stays owed until that is durable; a loop repeats it only after so long."""
_BATCH: Final = 1000
_POLL_S: Final = 1.0
_LEAST_S: Final = 0.01

_TAKEN: Final = Accepted()


class Handsets(Protocol):
    """Where the simulator keeps what its phones received and owe. Raises when it cannot be reached."""

    @property
    def behaviours(self) -> Mapping[str, Behaviour]:
        """How phones behave that do not behave as usual."""
        ...

    @property
    def faults(self) -> Faults:
        """What goes wrong with the carrier as a whole."""
        ...

    async def refresh(self) -> None:
        """Learn of behaviours and faults that were set elsewhere."""
        ...

    async def record(self, arrivals: Sequence[Arrival], due: Sequence[DueReceipt]) -> Collection[str]:
        """Put messages on phones, once each, with the receipts that are owed; returns once durable.

        Returns those of the phones that are numbers of this server. For what arrived there nothing is owed yet.
        """
        ...

    async def owe(self, due: Sequence[DueReceipt]) -> None:
        """Note receipts that are owed; returns once durable."""
        ...

    async def content(self, content_hash: bytes) -> bytes | None:
        """The octets of an attachment; None when they are gone."""
        ...

    async def take_due(self, now: int, limit: int, again_at: int) -> list[DueReceipt]:
        """Receipts to report now, the longest due first; nobody else reports them before `again_at`."""
        ...

    async def next_due(self) -> int | None:
        """When the next receipt is to be reported."""
        ...

    async def settle(self, receipts: Sequence[DueReceipt]) -> None:
        """Note that these were reported for good."""
        ...


class Simulator:
    """Phones that exist only here."""

    name = CARRIER
    deduplicates = True

    def __init__(
        self,
        handsets: Handsets,
        clock: Clock,
        randomness: Randomness,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._handsets = handsets
        self._clock = clock
        self._randomness = randomness
        self._sleep = sleep
        self._exchanges = _Exchanges(clock)
        self._report: ReportReceipts | None = None
        self._inbound: ReportInbound | None = None
        self._loop: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._closing = False
        self.turns = 0
        """How often it looked for receipts that are due."""
        self._trouble: str | None = None

    async def start(self, receipts: ReportReceipts, inbound: ReportInbound) -> None:
        """Learn how the phones behave, and begin to report what they owe. What people send from phones comes by the API
        instead.
        """
        self._report, self._inbound = receipts, inbound
        await self._handsets.refresh()
        self._loop = asyncio.create_task(self._report_due(), name="simulator-receipts")

    async def check(self) -> str | None:
        """Say what keeps it from sending."""
        if self._handsets.faults.disconnect:
            return "the simulator's faults say disconnect: set that to false to go on"
        if self._loop is None or self._loop.done():
            return "the simulator is not running"
        return self._trouble

    async def close(self) -> None:
        """Stop reporting. What is owed is kept, and reported after the next start."""
        self._closing = True
        self._wake.set()
        if self._loop is not None:
            await self._loop

    async def submit(self, batch: Sequence[Submission], answer: Answer) -> None:
        """Put each message on its phone, as that phone and the faults have it."""
        faults = self._handsets.faults
        if faults.latency_s:
            await self._sleep(faults.latency_s)
            faults = self._handsets.faults
        if faults.disconnect:
            down = Unreachable("the simulator is disconnected")
            answer([(submission, down) for submission in batch])
            return
        plan = _Plan(self._clock.now(), self._handsets.behaviours, faults, self._randomness)
        outcomes = [(submission, plan.take(submission)) for submission in batch]
        if plan.arrivals or plan.owed:
            try:
                if ours := await self._handsets.record(plan.arrivals, plan.owed):
                    came = {arrival.message_id for arrival in plan.arrivals if arrival.phone in ours}
                    await asyncio.gather(*(self._bring_in(each) for each in batch if each.key[1] in came))
                    await self._handsets.owe([each for each in plan.owed if each.message_id in came])
            except Exception as error:  # noqa: BLE001  # whatever it is, all of it is tried again, and is on a phone once
                log.warning("the simulator's record is away", error=repr(error))
                answer([(submission, Unreachable("the simulator cannot record")) for submission in batch])
                return
        answer(outcomes)
        if plan.is_deferring:
            self._wake.set()
        if plan.receipts:
            # The answers' own write is begun by a task: let it go first, so that `sent` is recorded before `delivered`.
            await asyncio.sleep(0)
            await self._tell(plan.receipts, plan.now_owed)

    async def _bring_in(self, sent: Submission) -> None:
        """Bring in what came to a number of this server, as if it were from a carrier beyond."""
        assert self._inbound is not None, "started before the first submit"
        if not self._exchanges.takes(sent.sender, sent.recipient):
            log.warning("two numbers of this server answer each other", sender=sent.sender, recipient=sent.recipient)
            return
        octets = [(each.content_type, await self._handsets.content(each.content_hash)) for each in sent.media]
        media = tuple((kind, content) for kind, content in octets if content is not None)
        ref = b"".join(sent.key).hex()
        await self._inbound(Inbound(CARRIER, sent.sender, sent.recipient, sent.body, media, ref))

    async def _tell(self, receipts: Sequence[Receipt], owed: Sequence[DueReceipt]) -> bool:
        """Report receipts, then settle what was owed for them; what fails stays owed, and the loop repeats it."""
        assert self._report is not None, "started before the first submit"
        try:
            await self._report(receipts)
            await self._handsets.settle(owed)
        except Exception as error:  # noqa: BLE001  # kept and repeated, so none of it is lost
            log.warning("receipts wait", count=len(receipts), error=repr(error))
            self._trouble = "receipts cannot be recorded"
            return False
        self._trouble = None
        return True

    async def _report_due(self) -> None:
        """Report what falls due, until closed. Each is one node's: it comes twice only when a node died over it."""
        while not self._closing:
            self._wake.clear()
            pause = await self._turn()
            self.turns += 1
            if pause and not self._closing:
                try:
                    async with asyncio.timeout(pause):
                        await self._wake.wait()
                except TimeoutError:
                    pass

    async def _turn(self) -> float:
        try:
            await self._handsets.refresh()
            faults = self._handsets.faults
            if faults.disconnect:
                return _POLL_S
            now = self._clock.now()
            due_at = await self._handsets.next_due()
            if due_at is None or due_at > now:
                return _POLL_S if due_at is None else min(_POLL_S, max(_LEAST_S, (due_at - now) / 1_000_000))
            owed = await self._handsets.take_due(now, _BATCH, now + _GRACE_US)
        except Exception as error:  # noqa: BLE001  # it outlives whatever keeps the record away
            log.warning("the simulator's record is away", error=repr(error))
            self._trouble = "its record is away"
            return _POLL_S
        receipts = []
        for each in owed:
            receipt = Receipt(CARRIER, each.status, now, None, (each.account_id, each.message_id), each.error_code)
            receipts.append(receipt)
            if _happens(faults.duplicate_receipt_rate, self._randomness):
                receipts.append(receipt)
        return 0.0 if await self._tell(receipts, owed) else _POLL_S


def _happens(rate: float, randomness: Randomness) -> bool:
    """Whether something this likely happens now."""
    return rate > 0 and randomness.uniform(0.0, 1.0) < rate


class _Exchanges:
    """What passes between any two numbers of this server, counted minute by minute."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._counts: Counter[frozenset[str]] = Counter()
        self._ends_at = 0.0

    def takes(self, sender: str, recipient: str) -> bool:
        """Whether one more message comes in; it is counted."""
        now = self._clock.monotonic()
        if now >= self._ends_at:
            self._counts.clear()
            self._ends_at = now + _MINUTE_S
        pair = frozenset((sender, recipient))
        self._counts[pair] += 1
        return self._counts[pair] <= MOST_EXCHANGED


class _Plan:
    """What becomes of one batch: outcomes, and what they leave to record and to report. On every message's path."""

    __slots__ = (
        "_behaviours", "_faults", "_is_calm", "_now", "_randomness", "arrivals", "is_deferring", "now_owed", "owed",
        "receipts",
    )  # fmt: skip

    def __init__(self, now: int, behaviours: Mapping[str, Behaviour], faults: Faults, randomness: Randomness) -> None:
        self._now = now
        self._behaviours = behaviours
        self._faults = faults
        self._is_calm = faults == CALM
        self._randomness = randomness
        self.arrivals: list[Arrival] = []
        self.owed: list[DueReceipt] = []
        self.now_owed: list[DueReceipt] = []
        """Of those, what is reported as soon as the batch was answered."""
        self.receipts: list[Receipt] = []
        self.is_deferring = False

    def take(self, submission: Submission) -> Outcome:
        """Decide on one message."""
        recipient = submission.recipient
        is_whatsapp = recipient.startswith(_WHATSAPP)
        phone = recipient[len(_WHATSAPP) :] if is_whatsapp else recipient
        if not self._is_calm:
            faults = self._faults
            if _happens(faults.throttle_rate, self._randomness):
                return Throttled(_THROTTLED_S, "the simulator was told to throttle")
            if _happens(faults.reject_rate, self._randomness):
                return Rejected(UNKNOWN_ERROR, "the simulator was told to reject")
        behaviour = self._behaviours.get(phone)
        if behaviour is None:
            self._arrive(submission, phone)
            self._owe(submission.key, "delivered", None, 0)
            return _TAKEN
        delay_us = round(behaviour.delay_s * 1_000_000)
        if not behaviour.reachable:
            self._owe(submission.key, "undelivered", behaviour.error_code or UNREACHABLE_HANDSET, delay_us)
        elif behaviour.outcome == "failed":
            return Rejected(behaviour.error_code or UNKNOWN_ERROR, "the phone was told to fail messages")
        elif behaviour.outcome == "undelivered":
            self._owe(submission.key, "undelivered", behaviour.error_code or UNKNOWN_HANDSET, delay_us)
        else:
            self._arrive(submission, phone)
            if behaviour.outcome == "delivered":
                self._owe(submission.key, "delivered", None, delay_us)
                if is_whatsapp and behaviour.reads:
                    # Later by the least there is, so that what is owed is read back in this order.
                    self._owe(submission.key, "read", None, delay_us, 1)
        return _TAKEN

    def _arrive(self, submission: Submission, phone: str) -> None:
        account_id, message_id = submission.key
        media = _describe(submission.media) if submission.media else None
        self.arrivals.append(
            Arrival(message_id, account_id, phone, submission.sender, submission.body, media, self._now)
        )

    def _owe(
        self, key: tuple[bytes, bytes], status: Status, error_code: int | None, delay_us: int, order: int = 0
    ) -> None:
        faults = self._faults
        if _happens(faults.drop_receipt_rate, self._randomness):
            return
        if delay_us:
            self.owed.append(DueReceipt(self._now + delay_us + order, key[0], key[1], status, error_code))
            self.is_deferring = True
            return
        owed = DueReceipt(self._now + _GRACE_US + order, key[0], key[1], status, error_code)
        self.owed.append(owed)
        self.now_owed.append(owed)
        receipt = Receipt(CARRIER, status, self._now, None, key, error_code)
        self.receipts.append(receipt)
        if _happens(faults.duplicate_receipt_rate, self._randomness):
            self.receipts.append(receipt)


def _describe(media: Sequence[Attachment]) -> str:
    """The attachments as a phone lists them, in JSON."""
    return msgspec.json.encode([{"content_type": each.content_type, "size": each.size} for each in media]).decode()
