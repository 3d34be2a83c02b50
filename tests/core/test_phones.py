"""The simulated phones: what one node records, others see; what is told to one is known at once, and kept."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

from parley.core.limits import Stopping
from parley.core.phones import Phones
from parley.lib.ids import Ids
from parley.model.behaviour import CALM, Behaviour, Faults
from parley.model.phone import Arrival
from parley.store import Engine, Operation, StoreUnavailable, settings
from parley.store.accept import Intake
from tests.clock import ManualClock
from tests.store.records import Records, take

T = TypeVar("T")

ACCOUNT = b"\xac" * 16
PHONE = "+15557650001"


def arrival(clock: ManualClock, body: str = "Hello", phone: str = PHONE) -> Arrival:
    clock.advance(0.001)
    return Arrival(Ids(clock).new(), ACCOUNT, phone, "+15551234567", body, None, clock.now())


async def arrive(phones: Phones, engine: Engine, *arrivals: Arrival) -> None:
    """Put messages on phones that were sent to them."""
    records = Records(ManualClock())
    sent = {
        each.message_id: records.message(id=each.message_id, account_id=ACCOUNT, recipient=each.phone)
        for each in arrivals
    }
    await take(engine, *map(Intake, sent.values()))
    await phones.record(arrivals, ())


async def begun(asked: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
    """A task whose first read is under way."""
    task = asyncio.create_task(asked)
    await asyncio.sleep(0)
    return task


async def test_who_waits_is_woken_by_a_match_only(engine: Engine, clock: ManualClock) -> None:
    phones = Phones(engine, clock)
    waiting = await begun(phones.inbox(ACCOUNT, PHONE, 10, contains="code", wait_s=60))
    await arrive(phones, engine, arrival(clock, "code 1", "+15557650002"), arrival(clock, "nothing"))
    await arrive(phones, engine, arrival(clock, "code 2"))
    assert [each.body for each in await waiting] == ["code 2"]


async def test_what_arrived_through_another_node_is_found(engine: Engine, clock: ManualClock) -> None:
    here, there = Phones(engine, clock), Phones(engine, clock)
    waiting = await begun(here.inbox(ACCOUNT, PHONE, 10, wait_s=60))
    await arrive(there, engine, arrival(clock))
    assert len(await waiting) == 1


async def test_who_waits_is_let_go_when_the_process_stops(engine: Engine, clock: ManualClock) -> None:
    phones = Phones(engine, clock)
    waiting = await begun(phones.inbox(ACCOUNT, PHONE, 10, wait_s=60))
    phones.stop_waiting()
    with pytest.raises(Stopping):
        await waiting


async def test_the_wait_ends_when_its_time_has_passed(engine: Engine, clock: ManualClock) -> None:
    phones = Phones(engine, clock)
    waiting = await begun(phones.inbox(ACCOUNT, PHONE, 10, wait_s=60))
    clock.advance(61)
    assert await waiting == []


async def test_what_is_told_here_is_known_at_once_and_elsewhere_after_a_refresh(
    engine: Engine, clock: ManualClock
) -> None:
    here, there = Phones(engine, clock), Phones(engine, clock)
    slow, faults = Behaviour(delay_s=5), Faults(latency_s=1)
    await here.tell(PHONE, slow)
    await here.disturb(faults)
    assert (here.behaviour(PHONE), here.faults) == (slow, faults)
    assert (there.behaviour(PHONE), there.faults) == (Behaviour(), CALM)
    await there.refresh()
    assert (there.behaviour(PHONE), there.faults) == (slow, faults)
    await there.forget()
    await here.refresh()
    assert (here.behaviour(PHONE), here.faults) == (Behaviour(), CALM)


async def test_what_cannot_be_forgotten_as_a_whole_stays_as_it_was(
    engine: Engine, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    phones, other = Phones(engine, clock), Phones(engine, clock)
    slow, faults = Behaviour(delay_s=3), Faults(disconnect=True)
    await phones.tell(PHONE, slow)
    await phones.disturb(faults)

    def away(*_: object) -> Operation[None]:
        yield from ()
        raise StoreUnavailable("away")

    monkeypatch.setattr(settings, "put", away)
    with pytest.raises(StoreUnavailable):
        await phones.forget()
    await other.refresh()
    for each in (phones, other):
        assert (each.behaviour(PHONE), each.faults) == (slow, faults)


async def test_what_is_told_while_a_refresh_reads_is_not_undone_by_it(engine: Engine, clock: ManualClock) -> None:
    phones = Phones(engine, clock)
    refreshing = await begun(phones.refresh())
    await phones.tell(PHONE, Behaviour(reads=True))
    await refreshing
    assert phones.behaviour(PHONE) == Behaviour(reads=True)


async def test_a_message_arrives_once(engine: Engine, clock: ManualClock) -> None:
    phones = Phones(engine, clock)
    same = arrival(clock)
    await arrive(phones, engine, same)
    await phones.record([same], ())
    await arrive(phones, engine, arrival(clock))
    assert len(await phones.inbox(ACCOUNT, PHONE, 10)) == 2
