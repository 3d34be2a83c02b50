"""A carrier that does whatever carriers do."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from parley.core.carrier import (
    Accepted,
    Answer,
    Outcome,
    Rejected,
    ReportInbound,
    ReportReceipts,
    Submission,
    Throttled,
    Uncertain,
    Unreachable,
)
from parley.model.message import Status
from parley.model.receipt import Receipt
from tests.simulation.virtual import WorldClock


class Report(Protocol):
    """Bring receipts to any living node, until one took them."""

    async def __call__(self, receipts: Sequence[Receipt]) -> None: ...


class Submit(msgspec.Struct, frozen=True):
    """One submit as it came. Times in virtual seconds, and by the wall clock."""

    submission: Submission
    at: float
    wall_at: int
    latest: int
    """The latest that the wall clock ever was."""


class Network:
    """The carrier's side, which outlives every node. `doubtful` is how often things go wrong there."""

    name = "network"

    def __init__(self, chance: random.Random, clock: WorldClock, *, deduplicates: bool, refs: bool) -> None:
        self.chance, self.clock = chance, clock
        self.deduplicates, self._refs = deduplicates, refs
        self.doubtful = 0.5
        self.report: Report | None = None
        self.begin: Callable[..., asyncio.Task[None]] | None = None
        self.submits: dict[bytes, list[Submit]] = defaultdict(list)
        """By message."""
        self.left: set[bytes] = set()
        """What was submitted, but for what was surely not sent."""
        self.taken: dict[bytes, int] = defaultdict(int)
        """How often each message was sent to its handset."""
        self.repeated: list[bytes] = []
        """What was submitted though it may have been sent."""
        self.acknowledged: set[bytes] = set()
        """Messages whose last receipts, final ones, were taken by a node."""

    async def submit(self, submission: Submission) -> Outcome | None:
        """One submit; None when the answer is lost."""
        message_id, clock = submission.key[1], self.clock
        self.submits[message_id].append(Submit(submission, clock.monotonic(), clock.now(), clock.latest))
        if message_id in self.left:
            self.repeated.append(message_id)
        self.left.add(message_id)
        await asyncio.sleep(self.chance.random() * 0.5)
        if self.chance.random() >= self.doubtful:
            return await self._take(submission)
        match self.chance.randrange(7):
            case 0:
                outcome: Outcome = Rejected(30007, "no")
            case 1:
                outcome = Throttled(self.chance.random() * 3)
            case 2:
                outcome = Unreachable("down")
            case 3:
                return Uncertain("the line died before it was taken")
            case 4:
                await self._take(submission)
                return Uncertain("the line died after it was taken")
            case 5:
                return None
            case _:
                await self._take(submission)
                return None
        if not self.deduplicates:  # of one that does, an earlier submit may be on its way
            self.left.discard(message_id)
        return outcome

    async def _take(self, submission: Submission) -> Accepted:
        message_id = submission.key[1]
        refs = tuple(f"{message_id.hex()}/{n}" for n in range(submission.segments)) if self._refs else ()
        if self.deduplicates and self.taken[message_id]:
            return Accepted(refs)
        self.taken[message_id] += 1
        assert self.begin is not None
        self.begin(self._receipts(submission, refs))
        return Accepted(refs)

    async def _receipts(self, submission: Submission, refs: Sequence[str]) -> None:
        """Bring the receipts: late, twice, in any order, or before the submit is answered."""
        chance = self.chance
        if chance.random() < 0.1 * self.doubtful:
            return  # never
        end: Status = chance.choices(("delivered", "undelivered", "failed"), (8, 1, 1))[0]
        code = None if end == "delivered" else 30003
        said: list[Receipt] = []
        for ref in refs or (None,):
            key = submission.key if ref is None else None
            said.append(Receipt(self.name, end, self.clock.now(), ref, key, code))
            if chance.random() < self.doubtful:
                said.append(Receipt(self.name, "sent", self.clock.now(), ref, key))
            if chance.random() < self.doubtful:
                said.append(said[0])
            if end == "delivered" and chance.random() < 0.2:
                said.append(Receipt(self.name, "read", self.clock.now(), ref, key))
        chance.shuffle(said)
        assert self.report is not None
        while said:
            await asyncio.sleep(chance.choice((0.0, 0.1, 1.0, 8.0)) * chance.random())
            count = chance.randint(1, len(said))
            await self.report(said[:count])
            said = said[count:]
        self.acknowledged.add(submission.key[1])


class Line:
    """One node's connection to the carrier."""

    name = Network.name

    def __init__(self, network: Network) -> None:
        self._network = network
        self.deduplicates = network.deduplicates

    async def start(self, receipts: ReportReceipts, inbound: ReportInbound) -> None:
        """Receipts come through the network."""

    async def submit(self, batch: Sequence[Submission], answer: Answer) -> None:
        """Submit all at once; those whose answer is lost are answered never, or by an exception."""

        async def one(submission: Submission) -> bool:
            outcome = await self._network.submit(submission)
            if outcome is not None:
                answer([(submission, outcome)])
            return outcome is not None

        answered = await asyncio.gather(*map(one, batch))
        if not all(answered) and self._network.chance.random() < 0.5:
            raise ConnectionResetError("the far side went away")

    async def check(self) -> str | None:
        return None

    async def close(self) -> None:
        """Nothing is held."""
