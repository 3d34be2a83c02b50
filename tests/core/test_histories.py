"""Whatever carriers, receipts, owners and deaths do, in whatever order: the books balance and nothing goes twice."""

import asyncio
import tempfile
from collections.abc import Sequence
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from parley.core.carrier import Rejected, Throttled, Uncertain, Unreachable
from parley.core.refusal import Refused
from parley.model.message import FINAL, Message, Pending, Status
from parley.store import Operation, messages
from parley.store.connect import open_engine
from tests.carriers.scripted import ScriptedCarrier, Step
from tests.clock import ManualClock
from tests.core.node import Node, queued
from tests.store.tables import create

STEPS: Final[Sequence[Step | None]] = (
    None,
    None,
    Rejected(30006),
    Throttled(3.0),
    Unreachable("down"),
    Unreachable("down"),
    Uncertain("lost"),
    "hold",
    "raise",
    "forget",
    "twice",
)
RECEIPTS: Final[tuple[Status, ...]] = ("sent", "delivered", "delivered", "undelivered", "failed", "read")
OUTCOMES: Final = (Unreachable("down"), Rejected(30008), Throttled(1.0), Uncertain("lost"))

small = st.integers(0, 30)
deeds = st.one_of(
    st.tuples(st.just("send"), small, st.sampled_from(STEPS)),
    st.tuples(st.just("send"), small, st.sampled_from(STEPS)),
    st.tuples(st.just("receipt"), small, st.sampled_from(RECEIPTS)),
    st.tuples(st.just("cancel"), small, st.none()),
    st.tuples(st.just("release"), small, st.sampled_from((None, *OUTCOMES))),
    st.tuples(st.just("die"), small, st.none()),
    st.tuples(st.just("pass"), st.sampled_from([0, 1, 3, 20]), st.none()),
)


@settings(max_examples=30)
@given(history=st.lists(deeds, max_size=30), deduplicates=st.booleans(), refs=st.booleans())
def test_the_books_balance(history: list[tuple[str, int, object]], deduplicates: bool, refs: bool) -> None:
    # Logs are caught: a carrier that breaks its promises is told of at length.
    with tempfile.TemporaryDirectory() as directory, capture_logs():
        asyncio.run(_live(f"sqlite:///{directory}/parley.db", history, deduplicates, refs))


async def _live(url: str, history: list[tuple[str, int, object]], deduplicates: bool, refs: bool) -> None:
    carrier = ScriptedCarrier(deduplicates=deduplicates, refs=refs)
    await create(url)
    engine = open_engine(url)
    await engine.open()
    try:
        book = _Book(carrier, await Node(engine, ManualClock(), carrier).start())
        for deed in history:
            await book.do(*deed)
            await book.check()
        await book.settle()
    finally:
        await engine.close()


def _snapshot(wanted: Sequence[Message]) -> Operation[tuple[list[Pending], dict[bytes, Message]]]:
    waiting = yield from queued()
    found = yield from messages.fetch_many([(message.account_id, message.id) for message in wanted])
    return waiting, found


class _Book:
    def __init__(self, carrier: ScriptedCarrier, node: Node) -> None:
        self.carrier = carrier
        self.node = node
        self.lives = 1
        self.messages: list[Message] = []
        self.known: dict[bytes, Status] = {}

    async def do(self, what: str, which: int, how: object) -> None:
        carrier, node = self.carrier, self.node
        match what:
            case "send":
                recipient = f"+1555700{len(self.messages):04}"
                if how is not None:
                    carrier.plan(recipient, how)  # type: ignore[arg-type]
                body = "x" * (200 if which % 3 == 0 else 5)
                sender = f"+1555123{which % 2:04}"
                self.messages.append(await node.send(recipient, body, sender=sender, validity_s=600))
                if which % 2:
                    await node.quiet()
            case "receipt" if carrier.submitted:
                submission = carrier.submitted[which % len(carrier.submitted)]
                code = 30003 if how in ("undelivered", "failed") else None
                segment = which % submission.segments
                await carrier.report(submission, how, segment=segment, error_code=code)  # type: ignore[arg-type]
            case "cancel" if self.messages:
                try:
                    await node.amending.cancel(await node.now(self.messages[which % len(self.messages)]))
                except Refused as refused:
                    assert refused.reason == "not_cancelable"  # noqa: PT017 - either may happen
            case "release" if carrier.held:
                message_id = sorted(carrier.held)[which % len(carrier.held)]
                accepted = carrier.accepts(carrier.submits_of(message_id)[0])
                carrier.release(message_id, how or accepted)  # type: ignore[arg-type]
            case "die":
                await node.die()
                carrier.held.clear()
                if carrier.deduplicates:  # sent again as a matter of course, so nobody knows that it may have left
                    carrier.left.clear()
                self.lives += 1
                self.node = await Node(node.engine, node.clock, carrier, seed=self.lives).start()
            case "pass":
                await node.after(float(which))

    async def check(self) -> None:
        """No state regresses, nothing that is over waits, and nothing leaves that must not."""
        queue, found = await self.node.engine.read(_snapshot, self.messages)
        waiting = {row.message_id for row in queue}
        for message in self.messages:
            now = found[message.id]
            before = self.known.get(message.id, "queued")
            if before in FINAL:
                assert now.status == before or (before, now.status) == ("delivered", "read")
            if now.status in FINAL or now.status == "sent":
                assert message.id not in waiting, now.status
            else:
                assert message.id in waiting, now.status
            if now.status == "canceled":
                assert message.id not in self.carrier.left
            self.known[message.id] = now.status
        if not self.carrier.deduplicates:
            assert self.carrier.repeated == []

    async def settle(self) -> None:
        """Everything ends within its validity period."""
        for _ in range(12):
            await self.node.after(61.0)
            for message_id in sorted(self.carrier.held):
                self.carrier.release(message_id, Uncertain("the end"))
            await self.check()
        ends = [self.known[message.id] for message in self.messages]
        assert set(ends) <= FINAL | {"sent"}
        assert await self.node.engine.read(queued) == []
        for message in self.messages:
            now = await self.node.now(message)
            events = [event.kind for event in await self.node.history(message)]
            assert events[0] == "queued"
            assert events.count(now.status) == 1
            assert len({kind for kind in events if kind in FINAL} - {"read", "delivered"}) <= 1
        await self.node.stop()
