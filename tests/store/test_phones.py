"""The simulator's phones: each message arrives once, an inbox is newest first, receipts owed survive."""

import asyncio
from typing import Any

from msgspec.structs import replace

from parley.model.phone import Arrival, DueReceipt, Phone
from parley.store import Engine, numbers, phones
from parley.store.accept import Intake
from parley.store.connect import open_engine
from tests.store.records import Records, take

PHONE = "+15557654321"


def _arrival(records: Records, at: int, **values: Any) -> Arrival:
    plain = Arrival(records.ids.new(), records.account_id, PHONE, "+15551234567", "Hello", None, at)
    return replace(plain, **values)


async def _arrive(engine: Engine, records: Records, *arrivals: Arrival) -> None:
    """Put messages on phones that were sent to them."""
    sent = (
        records.message(id=arrival.message_id, account_id=arrival.account_id, recipient=arrival.phone)
        for arrival in arrivals
    )
    await take(engine, *map(Intake, sent))
    await engine.write(phones.record, arrivals)


async def test_a_message_arrives_once(engine: Engine, records: Records) -> None:
    arrival = _arrival(records, 5, media='[{"type":"image/png"}]')
    await _arrive(engine, records, arrival)
    await engine.write(phones.record, [arrival, arrival])
    await engine.write(phones.record, [replace(arrival, received_at=9)])
    assert await engine.read(phones.inbox, PHONE, records.account_id, 10) == [arrival]


async def test_an_inbox_is_newest_first_and_of_the_account_asked_for(engine: Engine, records: Records) -> None:
    arrivals = [_arrival(records, at, body=f"Your code is {at}") for at in (10, 40, 30, 20)]
    other = _arrival(records, 50, account_id=b"o" * 16)
    elsewhere = _arrival(records, 60, phone="+15550000000")
    await _arrive(engine, records, *arrivals, other, elsewhere)
    newest = sorted(arrivals, key=lambda arrival: -arrival.received_at)
    inbox, mine = phones.inbox, records.account_id
    assert await engine.read(inbox, PHONE, mine, 10) == newest
    assert await engine.read(inbox, PHONE, b"o" * 16, 10) == [other]
    assert await engine.read(inbox, PHONE, b"n" * 16, 10) == []
    assert await engine.read(inbox, PHONE, mine, 2) == newest[:2]
    assert await engine.read(inbox, PHONE, mine, 10, since=30) == newest[:2]
    assert await engine.read(inbox, PHONE, mine, 10, contains="code is 2") == newest[2:3]
    assert await engine.read(inbox, PHONE, mine, 10, contains="CODE") == []
    assert await engine.read(inbox, PHONE, mine, 10, contains="") == newest
    assert await engine.read(inbox, PHONE, mine, 10, 20, "code") == newest[:3]


async def test_an_inbox_has_what_came_over_whatsapp(engine: Engine, records: Records) -> None:
    over, plain = _arrival(records, 10), _arrival(records, 20)
    await take(engine, Intake(records.message(id=over.message_id, recipient=f"whatsapp:{PHONE}")))
    await engine.write(phones.record, [over])
    await _arrive(engine, records, plain)
    assert await engine.read(phones.inbox, PHONE, records.account_id, 10) == [plain, over]


async def test_an_inbox_keeps_thousands_of_messages(engine: Engine, records: Records) -> None:
    arrivals = [_arrival(records, at) for at in range(3_000)]
    await _arrive(engine, records, *arrivals)
    assert await engine.read(phones.inbox, PHONE, records.account_id, 3) == arrivals[:-4:-1]
    assert await engine.read(phones.inbox, PHONE, records.account_id, 20_000) == arrivals[::-1]


async def test_receipts_are_owed_until_settled(engine: Engine, records: Records) -> None:
    assert await engine.read(phones.next_due) is None
    arrival = _arrival(records, 5)
    account_id, message_id = arrival.account_id, arrival.message_id
    owed = [
        DueReceipt(30, account_id, message_id, "read"),
        DueReceipt(10, account_id, message_id, "delivered"),
        DueReceipt(10, account_id, message_id, "undelivered", 30005),
    ]
    await engine.write(phones.record, [arrival], owed)
    await engine.write(phones.record, [arrival], owed)
    assert await engine.read(phones.next_due) == 10
    assert await engine.write(phones.take_due, 9, 10, 50) == []
    taken = await engine.write(phones.take_due, 10, 10, 50)
    assert taken == [replace(owed[1], due_at=50), replace(owed[2], due_at=51)]
    assert await engine.write(phones.take_due, 10, 10, 50) == []
    assert await engine.read(phones.next_due) == 30
    await engine.write(phones.settle, taken[:1])
    assert await engine.write(phones.take_due, 99, 1, 200) == [replace(owed[0], due_at=200)]
    assert await engine.write(phones.take_due, 99, 9, 200) == [replace(owed[2], due_at=200)], "nobody reported it"


async def test_nothing_is_owed_for_what_came_to_a_number_of_the_server_before_it_came_in(
    engine: Engine, records: Records
) -> None:
    await engine.write(numbers.own, records.number(address="+15557650009"))
    ours, other = _arrival(records, 5, phone="+15557650009"), _arrival(records, 6)
    owed = [DueReceipt(10, each.account_id, each.message_id, "delivered") for each in (ours, other)]
    assert await engine.write(phones.record, [ours, other], owed) == {ours.phone}
    assert await engine.write(phones.take_due, 10, 9, 50) == [replace(owed[1], due_at=50)]
    await engine.write(phones.owe, owed[:1])
    assert await engine.write(phones.take_due, 10, 9, 50) == [replace(owed[0], due_at=50)]


async def test_each_receipt_is_one_nodes_to_report(url: str, engine: Engine, records: Records) -> None:
    owed = [DueReceipt(n, records.account_id, bytes([n]) * 16, "delivered") for n in range(60)]
    await engine.write(phones.record, [], owed)
    other = open_engine(url)
    await other.open()
    try:
        turns = await asyncio.gather(
            *(each.write(phones.take_due, 99, 7, 1000 * (n + 1)) for n in range(6) for each in (engine, other))
        )
    finally:
        await other.close()
    taken = [receipt.message_id for turn in turns for receipt in turn]
    assert len(taken) == len(set(taken))
    rest = await engine.write(phones.take_due, 99, 60, 9000)
    assert sorted(taken + [receipt.message_id for receipt in rest]) == [each.message_id for each in owed]


async def test_a_phone_behaves_as_it_was_last_told(engine: Engine) -> None:
    assert await engine.read(phones.behaviours) == {}
    await engine.write(phones.put_behaviour, PHONE, '{"reachable":false}')
    await engine.write(phones.put_behaviour, "+15550000000", "{}")
    await engine.write(phones.put_behaviour, PHONE, '{"delay_s":3}')
    assert await engine.read(phones.behaviours) == {PHONE: '{"delay_s":3}', "+15550000000": "{}"}


async def test_the_phones_of_an_account_are_those_it_talked_with(engine: Engine, records: Records) -> None:
    talk = [
        records.message(recipient="+1001", carrier="simulator", updated_at=10),
        records.message(recipient="+1002", carrier="simulator", updated_at=20),
        records.message(recipient="+1001", carrier="simulator", updated_at=40),
        records.message(direction="inbound", sender="+1003", carrier="simulator", updated_at=30),
        records.message(recipient="+1004", carrier="smpp", updated_at=50),
        records.message(recipient="+1005", updated_at=60),
        records.message(recipient="+1006", carrier="simulator", account_id=b"o" * 16),
    ]
    await take(engine, *(Intake(message) for message in talk))
    expected = [Phone("+1001", 40), Phone("+1003", 30), Phone("+1002", 20)]
    assert await engine.read(phones.list_phones, records.account_id, 10) == expected
    assert await engine.read(phones.list_phones, records.account_id, 2) == expected[:2]


async def test_everything_is_forgotten_at_once(engine: Engine, records: Records) -> None:
    arrival = _arrival(records, 5)
    await _arrive(engine, records, arrival)
    await engine.write(phones.record, [], [DueReceipt(1, arrival.account_id, arrival.message_id, "delivered")])
    await engine.write(phones.put_behaviour, PHONE, "{}")
    await engine.write(phones.forget_all)
    assert await engine.read(phones.behaviours) == {}
    assert await engine.read(phones.next_due) is None
    assert await engine.read(phones.inbox, PHONE, records.account_id, 10) == []


async def test_a_redacted_message_is_empty_on_its_phone(engine: Engine, records: Records) -> None:
    arrival = _arrival(records, 5, media='[{"content_type":"image/png"}]')
    await _arrive(engine, records, arrival)
    await engine.write(phones.redact, arrival.message_id)
    emptied = replace(arrival, body="", media=None)
    assert await engine.read(phones.inbox, PHONE, records.account_id, 10) == [emptied]
