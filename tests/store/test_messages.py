"""Reading messages: pages by every filter in both directions, what redaction and deletion leave, and the feed."""

import pytest
from msgspec import json
from msgspec.structs import replace

from parley.model.laml import is_laml
from parley.model.message import Message
from parley.model.phone import Arrival
from parley.model.relay import Told, told_of
from parley.store import Engine, media, messages, phones
from parley.store.accept import Intake
from parley.store.messages import Filter
from tests.store.records import US, Records, take

DAY = 86_400 * US
MIDNIGHT = 1_750_032_000 * US


@pytest.fixture
async def days(engine: Engine, records: Records) -> list[Message]:
    """Messages of four days, three a day at 0:00, 8:00 and 16:00, the oldest first; and some of another account."""
    made: list[Message] = []
    for day in range(4):
        for part in range(3):
            records.clock.set(MIDNIGHT + day * DAY + part * DAY // 3)
            message = records.message(
                recipient=f"+1555765432{part}",
                sender="+15550000001" if day % 2 else "+15550000002",
                sent_at=records.clock.now() + 2 * US,
            )
            made.append(message)
    await take(engine, *(Intake(message) for message in made))
    await take(engine, *(Intake(records.message(account_id=b"o" * 16)) for _ in range(3)))
    return made


FILTERS = {
    "all": Filter(),
    "recipient": Filter(recipient="+15557654321"),
    "sender": Filter(sender="+15550000001"),
    "both": Filter(sender="+15550000001", recipient="+15557654320"),
    "sent on a day": Filter(sent_from=MIDNIGHT + DAY, sent_before=MIDNIGHT + 2 * DAY),
    "sent from": Filter(sent_from=MIDNIGHT + DAY * 2),
    "sent before": Filter(sent_before=MIDNIGHT + DAY),
    "created from": Filter(created_from=MIDNIGHT + DAY + 1),
    "created before": Filter(created_before=MIDNIGHT + DAY),
    "none": Filter(recipient="+1"),
}


def _wants(wanted: Filter, message: Message) -> bool:
    return (
        wanted.recipient in (None, message.recipient)
        and wanted.sender in (None, message.sender)
        and (wanted.created_from or 0) <= message.created_at < (wanted.created_before or 2**62)
        and (wanted.sent_from or 0) <= (message.sent_at or 0) < (wanted.sent_before or 2**62)
    )


@pytest.mark.parametrize("wanted", FILTERS.values(), ids=FILTERS)
async def test_pages_forwards_and_back_hold_each_message_once(
    engine: Engine, records: Records, days: list[Message], wanted: Filter
) -> None:
    expected = [message for message in reversed(days) if _wants(wanted, message)]
    seen: list[Message] = []
    while page := await engine.read(messages.page, records.account_id, wanted, 2, seen[-1].id if seen else None):
        assert len(page) <= 2
        seen += page
    assert seen == expected
    back: list[Message] = []
    while page := await engine.read(
        messages.page, records.account_id, wanted, 2, back[0].id if back else None, backwards=True
    ):
        back = page + back
    assert back == expected
    assert await engine.read(messages.page, records.account_id, wanted, 3, skip=2) == expected[2:5]


async def test_a_scheduled_message_is_found_by_the_day_it_was_sent(engine: Engine, records: Records) -> None:
    sent_at = records.clock.now() + 35 * DAY + 34 * 3600 * US  # for quiet hours and ten hours of retries
    message = records.message(sent_at=sent_at)
    await take(engine, Intake(message))
    wanted = Filter(sent_from=sent_at, sent_before=sent_at + US)
    assert await engine.read(messages.page, records.account_id, wanted, 5) == [message]


async def test_redaction_empties_the_text_wherever_it_stands(engine: Engine, records: Records) -> None:
    message = await records.sent_off(engine, status="delivered", body="code 123456")
    await engine.write(phones.record, [_arrival(message)])
    await engine.write(messages.redact, message.account_id, message.id, message.created_at + 9)
    found = await engine.read(messages.fetch, message.account_id, message.id)
    assert found == replace(message, body="", updated_at=message.created_at + 9)
    [arrival] = await engine.read(phones.inbox, message.recipient, message.account_id, 5)
    assert arrival.body == ""
    assert [event.kind for event in await engine.read(messages.history, message.id)] == ["delivered", "redacted"]


def _arrival(message: Message) -> Arrival:
    sender, body = str(message.sender), message.body
    return Arrival(message.id, message.account_id, message.recipient, sender, body, None, message.created_at)


async def test_a_node_whose_clock_is_behind_takes_no_time_back(engine: Engine, records: Records) -> None:
    """What the message enters next has to come after what it entered last, and so have its callbacks."""
    message = await records.sent_off(engine, status="sent")
    key, behind = (message.account_id, message.id), message.updated_at - US
    for write in (
        engine.write(messages.redact, *key, behind),
        engine.write(messages.annotate, *key, {"a": 1}, behind),
        engine.write(messages.forget, *key, behind),
    ):
        await write
        assert (await engine.read(messages.fetch_many, [key]))[message.id].updated_at == message.updated_at


async def test_a_deleted_message_leaves_a_row_for_the_books_only(engine: Engine, records: Records) -> None:
    message = records.message(status="delivered", num_media=1, extras='{"tags":[]}')
    attached = records.media(message, content_hash=b"h" * 32)
    other = records.message()
    await take(engine, Intake(message, None, (attached,), ((b"h" * 32, b"octets"),)), Intake(other))
    await engine.write(phones.record, [_arrival(message)])
    at = message.created_at + 9
    await engine.write(messages.forget, message.account_id, message.id, at)
    assert await engine.read(messages.fetch, message.account_id, message.id) is None
    assert await engine.read(messages.page, message.account_id, Filter(), 5) == [other]
    [_, left] = await engine.read(messages.page, message.account_id, Filter(include_deleted=True), 5)
    assert left == replace(message, body="", extras=None, updated_at=at, deleted_at=at)
    assert await engine.read(media.of_messages, [message.id]) == {}
    assert await engine.read(media.content, b"h" * 32) is None
    [arrival] = await engine.read(phones.inbox, message.recipient, message.account_id, 5)
    assert arrival.body == ""
    assert [event.kind for event in await engine.read(messages.history, message.id)] == ["delivered", "deleted"]


async def test_a_deleted_message_s_states_are_told_as_before(engine: Engine, records: Records) -> None:
    extras = json.encode({"laml": True, "relay": {"context": "office"}, "tags": ["secret"]}).decode()
    message = await records.sent_off(engine, status="sent", extras=extras)
    for at in (message.created_at + 9, message.created_at + 10):
        await engine.write(messages.forget, message.account_id, message.id, at)
    left = (await engine.read(messages.fetch_many, [(message.account_id, message.id)]))[message.id]
    assert (is_laml(left.extras), told_of(left.extras)) == (True, Told("office"))
    assert "secret" not in str(left.extras)
    assert left.deleted_at == message.created_at + 9
    assert [event.kind for event in await engine.read(messages.history, message.id)] == ["sent", "deleted"]


async def test_notes_are_added_to_the_extras_of_a_message_that_is_there(engine: Engine, records: Records) -> None:
    message = await records.sent_off(engine, extras='{"a":1,"b":1}')
    key, at = (message.account_id, message.id), message.created_at + 3
    assert await engine.write(messages.annotate, *key, {"b": 2}, at) == '{"a":1,"b":2}'
    found = await engine.read(messages.fetch, *key)
    assert found == replace(message, extras='{"a":1,"b":2}', updated_at=at)
    await engine.write(messages.forget, *key, at)
    assert await engine.write(messages.annotate, *key, {"b": 3}, at) is None
    assert (await engine.read(messages.fetch_many, [key]))[message.id].extras is None


async def test_the_feed_gives_an_accounts_events_in_order_from_any_place(engine: Engine, records: Records) -> None:
    assert await engine.read(messages.feed_end) == 0
    first = await records.sent_off(engine)
    await records.sent_off(engine, account_id=b"o" * 16)
    start = await engine.read(messages.feed_end)
    second = await records.sent_off(engine)
    await engine.write(messages.redact, first.account_id, first.id, 5)
    events = await engine.read(messages.feed, records.account_id, 0, 10)
    assert [(event.message_id, event.kind) for event in events] == [
        (first.id, "queued"),
        (second.id, "queued"),
        (first.id, "redacted"),
    ]
    assert await engine.read(messages.feed, records.account_id, start, 10) == events[1:]
    assert await engine.read(messages.feed, records.account_id, start, 1) == events[1:2]
    assert await engine.read(messages.feed_end) == events[-1].seq
