"""What every carrier must do, whatever is behind it: one list of cases, run against each carrier's rig.

A rig is a carrier with its far side in the test's hand. A case that the far side cannot bring about is skipped.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Literal, Protocol

import pytest

from parley.core.carrier import (
    Accepted,
    Attachment,
    Carrier,
    Inbound,
    Outcome,
    Rejected,
    Submission,
    Throttled,
    Uncertain,
    Unreachable,
)
from parley.model.receipt import Receipt

Mood = Literal["accept", "reject", "throttle", "refuse", "vanish", "deliver late", "duplicate"]
"""How the far side treats what comes: `refuse` lets nothing in, `vanish` takes it and never answers."""

ACCOUNT = b"\xac" * 16


class Far(Protocol):
    """The far side of a carrier."""

    moods: frozenset[Mood]
    """What it can be made to do."""
    secrets: tuple[str, ...]
    """What no repr may show."""

    async def be(self, mood: Mood) -> None:
        """Treat what comes so from now on."""
        ...

    async def arrived(self) -> list[tuple[str, str, int]]:
        """Recipient, body and number of attachments of all that got there, in any order."""
        ...

    async def report_late(self) -> None:
        """Bring about the receipts that were held back."""
        ...


class Reports:
    """What a carrier reported. Fails as often as it is told to, as a database that is away does."""

    def __init__(self) -> None:
        self.receipts: list[Receipt] = []
        self.failures = 0

    async def take(self, receipts: Sequence[Receipt]) -> None:
        if self.failures:
            self.failures -= 1
            raise ConnectionError("the record is away")
        self.receipts += receipts

    async def take_inbound(self, inbound: Inbound) -> bytes:
        return b"\1" * 16


Make = Callable[[Reports], AbstractAsyncContextManager[tuple[Carrier, Far]]]
"""A carrier, not started, and its far side; made again, it is the same far side after a restart of ours."""


class Rig:
    """One started carrier."""

    def __init__(self, carrier: Carrier, far: Far, reports: Reports) -> None:
        self.carrier = carrier
        self.far = far
        self.reports = reports

    async def submit(self, *batch: Submission) -> list[Outcome]:
        """The outcome of each submission, in order; each was answered once before submit returned."""
        answers: dict[bytes, list[Outcome]] = {each.key[1]: [] for each in batch}

        def answer(outcomes: Sequence[tuple[Submission, Outcome]]) -> None:
            for submission, outcome in outcomes:
                answers[submission.key[1]].append(outcome)

        await self.carrier.submit(batch, answer)
        assert {len(each) for each in answers.values()} <= {1}, "each submission is answered exactly once"
        return [answers[each.key[1]][0] for each in batch]

    def names(self, submission: Submission, outcome: Outcome) -> set[object]:
        """What its receipts may call a message."""
        refs = outcome.refs if isinstance(outcome, Accepted) else ()
        return {submission.key, *refs}


def message(n: int = 1, *, body: str = "Hello", segments: int = 1, media: int = 0) -> Submission:
    """A submission to a phone of its own."""
    attachments = tuple(Attachment("image/png", bytes([i]) * 32, 100) for i in range(media))
    recipient = f"+1555765{n:04}"
    return Submission((ACCOUNT, n.to_bytes(16)), "+15551234567", recipient, body, segments, attachments)


@asynccontextmanager
async def started(make: Make, reports: Reports | None = None) -> AsyncIterator[Rig]:
    reports = reports or Reports()
    async with make(reports) as (carrier, far):
        await carrier.start(reports.take, reports.take_inbound)
        try:
            yield Rig(carrier, far, reports)
        finally:
            await carrier.close()


async def accepts(make: Make) -> None:
    async with started(make) as rig:
        await rig.far.be("accept")
        batch = [message(n, segments=2) for n in range(1, 4)]
        outcomes = await rig.submit(*batch)
        assert all(isinstance(outcome, Accepted) for outcome in outcomes)
        assert all(len(o.refs) in (0, 2) for o in outcomes if isinstance(o, Accepted)), "a ref a segment, or none"
        assert sorted(await rig.far.arrived()) == [(each.recipient, "Hello", 0) for each in batch]
        assert await rig.carrier.check() is None


async def reports_delivery(make: Make) -> None:
    async with started(make) as rig:
        await rig.far.be("accept")
        batch = [message(n) for n in range(1, 4)]
        outcomes = await rig.submit(*batch)
        await rig.far.report_late()
        for submission, outcome in zip(batch, outcomes, strict=True):
            names = rig.names(submission, outcome)
            ours = [r for r in rig.reports.receipts if (r.key or r.ref) in names]
            assert [r.status for r in ours] == ["delivered"]
            assert all(r.carrier == rig.carrier.name for r in ours)


async def carries_media(make: Make) -> None:
    async with started(make) as rig:
        await rig.far.be("accept")
        await rig.submit(message(1, media=2))
        assert await rig.far.arrived() == [("+15557650001", "Hello", 2)]


async def carries_any_text(make: Make) -> None:
    bodies = ["", "a" * 1600, "Grüße €", "日本語 👩‍👩‍👧", "line\nline\r\n\ttab"]
    async with started(make) as rig:
        await rig.far.be("accept")
        await rig.submit(*(message(n, body=body, media=int(not body)) for n, body in enumerate(bodies, 1)))
        assert sorted(body for _, body, _ in await rig.far.arrived()) == sorted(bodies)


async def rejects(make: Make) -> None:
    async with started(make) as rig:
        await rig.far.be("reject")
        (outcome,) = await rig.submit(message())
        assert isinstance(outcome, Rejected)
        assert 30_000 <= outcome.code < 64_000
        await rig.far.report_late()
        assert (await rig.far.arrived(), rig.reports.receipts) == ([], [])


async def throttles(make: Make) -> None:
    async with started(make) as rig:
        await rig.far.be("throttle")
        (outcome,) = await rig.submit(message())
        assert isinstance(outcome, Throttled)
        assert outcome.after_s > 0
        await rig.far.be("accept")
        (outcome,) = await rig.submit(message())
        assert isinstance(outcome, Accepted)


async def cannot_reach(make: Make) -> None:
    async with started(make) as rig:
        await rig.far.be("refuse")
        outcomes = await rig.submit(message(1), message(2))
        assert all(isinstance(outcome, Unreachable) for outcome in outcomes)
        assert await rig.far.arrived() == []
        assert await rig.carrier.check()
        await rig.far.be("accept")
        assert [type(each) for each in await rig.submit(message(1), message(2))] == [Accepted, Accepted]
        assert await rig.carrier.check() is None


async def is_uncertain(make: Make) -> None:
    async with started(make) as rig:
        await rig.far.be("vanish")
        (outcome,) = await rig.submit(message())
        assert isinstance(outcome, Uncertain)


async def sends_a_key_once(make: Make) -> None:
    async with started(make) as rig:
        if not rig.carrier.deduplicates:
            pytest.skip("does not promise it")
        await rig.far.be("accept")
        for _ in range(2):
            (outcome,) = await rig.submit(message())
            assert isinstance(outcome, Accepted)
        assert len(await rig.far.arrived()) == 1


async def repeats_receipts_that_were_not_taken(make: Make) -> None:
    async with started(make) as rig:
        await rig.far.be("accept")
        rig.reports.failures = 1
        await rig.submit(message())
        await rig.far.report_late()
        assert {receipt.status for receipt in rig.reports.receipts} == {"delivered"}


async def keeps_receipts_across_a_restart(make: Make) -> None:
    reports = Reports()
    async with started(make, reports) as rig:
        await rig.far.be("deliver late")
        (outcome,) = await rig.submit(message())
        names = rig.names(message(), outcome)
        assert reports.receipts == []
    async with started(make, reports) as rig:
        await rig.far.report_late()
        assert {(r.key or r.ref) in names and r.status for r in reports.receipts} == {"delivered"}


async def passes_duplicates_on(make: Make) -> None:
    """Or drops them: the record can take both. What matters is that no other message is named."""
    async with started(make) as rig:
        await rig.far.be("duplicate")
        (outcome,) = await rig.submit(message())
        await rig.far.report_late()
        names = rig.names(message(), outcome)
        assert rig.reports.receipts
        assert all((r.key or r.ref) in names and r.status == "delivered" for r in rig.reports.receipts)


async def hides_its_secrets(make: Make) -> None:
    async with started(make) as rig:
        shown = f"{rig.carrier!r} {rig.carrier} {await rig.carrier.check()}"
        assert not [secret for secret in rig.far.secrets if secret in shown]


NEEDS: dict[Callable[[Make], Awaitable[None]], Mood] = {
    accepts: "accept",
    reports_delivery: "accept",
    carries_media: "accept",
    carries_any_text: "accept",
    rejects: "reject",
    throttles: "throttle",
    cannot_reach: "refuse",
    is_uncertain: "vanish",
    sends_a_key_once: "accept",
    repeats_receipts_that_were_not_taken: "accept",
    keeps_receipts_across_a_restart: "deliver late",
    passes_duplicates_on: "duplicate",
    hides_its_secrets: "accept",
}
CASES = tuple(NEEDS)


async def exercise(case: Callable[[Make], Awaitable[None]], make: Make) -> None:
    """Run one case against one carrier, or skip what its far side cannot do."""
    async with make(Reports()) as (_, far):
        moods = far.moods
    if NEEDS[case] not in moods:
        pytest.skip(f"nothing behind this carrier can {NEEDS[case]}")
    await case(make)
