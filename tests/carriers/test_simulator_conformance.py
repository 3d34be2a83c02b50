"""The simulator is held to what every carrier must do, over a real store."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import msgspec
import pytest
from sqlalchemy import select

from parley.carriers.simulator import Simulator
from parley.core.carrier import Carrier
from parley.core.phones import Phones
from parley.model.behaviour import Behaviour, Faults
from parley.model.phone import DueReceipt
from parley.store import Engine, Operation, schema
from parley.store.connect import open_engine
from parley.store.engine.statements import Query, Row
from parley.store.migrate import migrate
from tests.carriers import conformance
from tests.carriers.conformance import Far, Make, Mood, Reports
from tests.carriers.dice import Dice
from tests.clock import ManualClock

PHONES = [f"+1555765{n:04}" for n in range(1, 10)]


class WatchedPhones(Phones):
    """Phones that say when a receipt was settled."""

    def __init__(self, engine: Engine, clock: ManualClock) -> None:
        super().__init__(engine, clock)
        self.settled = asyncio.Event()

    async def settle(self, receipts: Sequence[DueReceipt]) -> None:
        await super().settle(receipts)
        self.settled.set()
        self.settled = asyncio.Event()


class Handsets:
    """The phones as a far side."""

    moods: frozenset[Mood] = frozenset({"accept", "reject", "throttle", "refuse", "deliver late", "duplicate"})
    secrets: tuple[str, ...] = ()

    def __init__(self, engine: Engine, phones: WatchedPhones, clock: ManualClock, reports: Reports) -> None:
        self._engine = engine
        self._phones = phones
        self._clock = clock
        self._reports = reports

    async def be(self, mood: Mood) -> None:
        faults = {
            "reject": Faults(reject_rate=1),
            "throttle": Faults(throttle_rate=1),
            "refuse": Faults(disconnect=True),
            "duplicate": Faults(duplicate_receipt_rate=1),
        }
        await self._phones.disturb(faults.get(mood, Faults()))
        if mood == "deliver late":
            for phone in PHONES:
                await self._phones.tell(phone, Behaviour(delay_s=30))

    async def arrived(self) -> list[tuple[str, str, int]]:
        # From the table itself: an inbox is found by messages, of which there are none here.
        found = await self._engine.read(_arrivals)
        return [(phone, body, len(msgspec.json.decode(described or "[]"))) for phone, body, described in found]

    async def report_late(self) -> None:
        """The clock passes what is owed; the carrier's own loop has to find it."""
        self._clock.advance(60)
        while await self._phones.next_due() is not None:
            await self._phones.settled.wait()


def _arrivals() -> Operation[list[Row]]:
    table = schema.arrivals.c
    return (yield Query(select(table.phone, table.body, table.media)))


@pytest.fixture
async def make(sqlite_store_url: str, clock: ManualClock) -> Make:
    await migrate(sqlite_store_url)

    @asynccontextmanager
    async def make(reports: Reports) -> AsyncIterator[tuple[Carrier, Far]]:
        engine = open_engine(sqlite_store_url)
        await engine.open()
        try:
            phones = WatchedPhones(engine, clock)
            yield Simulator(phones, clock, Dice()), Handsets(engine, phones, clock, reports)
        finally:
            await engine.close()

    return make


@pytest.mark.parametrize("case", conformance.CASES, ids=lambda case: case.__name__)
async def test_it_conforms(case: Callable[[Make], Awaitable[None]], make: Make) -> None:
    await conformance.exercise(case, make)
