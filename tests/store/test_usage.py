"""Usage on both engines: each message counts once, on its day, whoever counts."""

import asyncio

import pytest

from parley.core.usage import Usage
from parley.model.message import Status
from parley.model.usage import DAY_US, Amount, Used
from parley.store import Engine, usage
from parley.store.accept import Intake
from parley.store.changes import Change, apply
from parley.store.connect import open_engine
from tests.store.records import Records, take

LAST_DAY = 2**31 - 1
PRICE = 7_900


@pytest.fixture
def counting(engine: Engine, records: Records) -> Usage:
    return Usage(engine, records.clock)


async def sent(engine: Engine, records: Records, *statuses: Status, **values: object) -> None:
    """Take a message and move it through states."""
    message = await records.sent_off(engine, price=PRICE, **values)
    for status in statuses:
        records.clock.advance(0.001)
        change = Change(message.account_id, message.id, records.clock.now(), status)
        await engine.write(apply, [change], records.terms)


async def received(engine: Engine, records: Records, **values: object) -> None:
    """Take an inbound message."""
    message = records.message(direction="inbound", status="received", sent_at=1, price=PRICE, **values)
    await take(engine, Intake(message))


async def test_what_was_sent_or_received_counts_and_nothing_else(
    engine: Engine, records: Records, counting: Usage
) -> None:
    await sent(engine, records, "sent", "delivered", segments=3)
    await sent(engine, records, "sent", "failed")
    await sent(engine, records, "failed")
    await sent(engine, records, "canceled")
    await sent(engine, records, "sent", sender="12345")
    await sent(engine, records, "sent", kind="mms", segments=2)
    await received(engine, records, recipient="12345")
    await received(engine, records, kind="whatsapp", recipient="whatsapp:+15551234567", segments=4)
    day = counting.today
    found = await counting.used([records.account_id], 0, LAST_DAY)
    assert {(one.category, one.amount) for one in found} == {
        ("sms-outbound-longcode", Amount(2, 4, 2 * PRICE)),
        ("sms-outbound-shortcode", Amount(1, 1, PRICE)),
        ("mms-outbound-longcode", Amount(1, 1, PRICE)),
        ("sms-inbound-shortcode", Amount(1, 1, PRICE)),
        ("channels-whatsapp-inbound", Amount(1, 1, PRICE)),
    }
    assert {one.day for one in found} == {day}
    assert await counting.spent([records.account_id]) == 6 * PRICE
    assert await counting.spent([b"o" * 16]) == 0


async def test_each_day_and_account_has_its_own(engine: Engine, records: Records, counting: Usage) -> None:
    first = counting.today
    await sent(engine, records, "sent")
    await counting.count()
    await sent(engine, records, "sent")
    records.clock.advance(DAY_US / 1_000_000)
    await sent(engine, records, "sent")
    await sent(engine, records, "sent", account_id=b"o" * 16)
    one, leaf = Amount(1, 1, PRICE), "sms-outbound-longcode"
    assert await counting.used([records.account_id], 0, LAST_DAY) == [
        Used(first, leaf, one + one),
        Used(first + 1, leaf, one),
    ]
    assert await counting.used([records.account_id], first + 1, first + 1) == [Used(first + 1, leaf, one)]
    both = [records.account_id, b"o" * 16]
    assert await counting.used(both, first + 1, LAST_DAY) == [Used(first + 1, leaf, one + one)]


async def test_two_nodes_count_each_message_once(engine: Engine, url: str, records: Records, counting: Usage) -> None:
    other = open_engine(url)
    await other.open()
    try:
        for _ in range(3):
            await sent(engine, records, "sent")
            await sent(other, records, "sent")
            await asyncio.gather(counting.count(), Usage(other, records.clock).count())
    finally:
        await other.close()
    [found] = await counting.used([records.account_id], 0, LAST_DAY)
    assert found.amount == Amount(6, 6, 6 * PRICE)


async def test_what_was_counted_in_meanwhile_is_not_counted_again(engine: Engine, records: Records) -> None:
    await sent(engine, records, "sent")
    amounts = await engine.read(usage.tally, 0, 100)
    assert await engine.write(usage.add, 0, 100, amounts)
    assert not await engine.write(usage.add, 0, 100, amounts)
    assert await engine.read(usage.watermark) == 100
    [found] = await engine.read(usage.used, [records.account_id], 0, LAST_DAY)
    assert found.amount == Amount(1, 1, PRICE)
