"""What is not to be kept of a message goes once it is over and told of, and not before."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pytest
from msgspec import json
from sqlalchemy import select

from parley.model import retention
from parley.model.message import Message, Status
from parley.model.retention import Part
from parley.store import Engine, Operation, media, messages, schema
from parley.store.accept import Intake, accept
from parley.store.engine.statements import Query, Update
from parley.store.retention import forget_due
from tests.store.records import US, Records

BOTH: Sequence[Part] = ("content", "address")
DAY_US = 86_400 * US


def due() -> Operation[dict[bytes, int]]:
    rows = yield Query(select(schema.forgetting.c.message_id, schema.forgetting.c.due_at))
    return {row[0]: row[1] for row in rows}


async def taken(engine: Engine, records: Records, parts: Sequence[Part] = BOTH, **values: Any) -> Message:
    extras = retention.noted(values.pop("extras", None), parts)
    is_queued, owed = values.pop("is_queued", False), values.pop("owed", ())
    message = records.message(**{"status": "delivered", "extras": extras, **values})
    await engine.write(
        accept,
        [
            Intake(
                message,
                records.pending(message) if is_queued else None,
                (records.media(message, 0),) if message.num_media else (),
                callbacks=tuple(records.callback(message, **each) for each in owed),
                forgets_from=message.created_at,
            )
        ],
    )
    return message


async def kept(engine: Engine, message: Message) -> Message:
    found = await engine.read(messages.fetch_many, [(message.account_id, message.id)])
    return found[message.id]


async def test_it_goes_once_all_is_over(engine: Engine, records: Records) -> None:
    message = await taken(engine, records, num_media=1, extras='{"tags":{"a":"b"}}')
    now = message.created_at + US
    assert await engine.write(forget_due, now, 10) == 1
    after = await kept(engine, message)
    assert (after.body, after.recipient, after.updated_at) == ("", "+1555765XXXX", now)
    assert json.decode(after.extras or "")["tags"] == {"a": "b"}
    assert await engine.read(media.of_messages, [message.id]) == {}
    [_, event] = await engine.read(messages.history, message.id)
    assert (event.kind, event.data) == ("redacted", '{"forgotten":["content","address"]}')
    assert await engine.read(due) == {}
    assert await engine.write(forget_due, now, 10) == 0


async def test_a_node_whose_clock_is_behind_takes_no_time_back(engine: Engine, records: Records) -> None:
    ahead = records.clock.now() + US
    message = await taken(engine, records, updated_at=ahead)
    await engine.write(forget_due, ahead - 1, 10)
    after = await kept(engine, message)
    assert (after.body, after.updated_at) == ("", ahead)


@pytest.mark.parametrize(
    ("part", "body", "recipient"), [("content", "", "+15557654321"), ("address", "Hello", "+1555765XXXX")]
)
async def test_only_what_was_asked_goes(
    engine: Engine, records: Records, part: Part, body: str, recipient: str
) -> None:
    message = await taken(engine, records, [part])
    await engine.write(forget_due, message.created_at, 10)
    after = await kept(engine, message)
    assert (after.body, after.recipient) == (body, recipient)


@pytest.mark.parametrize(
    "values",
    [
        {"status": "queued", "is_queued": True},
        {"status": "sent"},
        {"status": "delivered", "owed": [{"state": "pending"}]},
        {"status": "delivered", "is_queued": True},
    ],
)
async def test_it_waits_for_what_is_still_to_come(engine: Engine, records: Records, values: dict[str, Any]) -> None:
    message = await taken(engine, records, **values)
    now = message.created_at + 3600 * US
    assert await engine.write(forget_due, now, 10) == 1
    assert await kept(engine, message) == message
    assert await engine.read(due) == {message.id: now + 450 * US}  # an eighth of its age later
    assert await engine.write(forget_due, now, 10) == 0


@pytest.mark.parametrize("status", ["sent", "delivered"])
async def test_it_waits_no_longer_than_a_day(engine: Engine, records: Records, status: Status) -> None:
    message = await taken(engine, records, status=status, owed=[{"state": "pending"}])
    await engine.write(forget_due, message.updated_at + DAY_US - 1, 10)
    assert (await kept(engine, message)).body == "Hello"
    await engine.write(forget_due, message.updated_at + 2 * DAY_US, 10)
    assert (await kept(engine, message)).body == ""
    assert await engine.read(due) == {}


async def test_a_text_that_is_redacted_meanwhile_stays_redacted(engine: Engine, records: Records) -> None:
    message = await taken(engine, records, ["address"])

    def beside_a_redaction() -> Operation[None]:
        """As another node's, on PostgreSQL, between what is read and what is written here."""
        forgetting = forget_due(message.created_at + US, 10)
        statement = next(forgetting)
        while not isinstance(statement, Update) or statement.table is not schema.messages:
            statement = forgetting.send((yield statement))
        yield from messages.redact(message.account_id, message.id, message.created_at + US)
        with suppress(StopIteration):
            while True:
                statement = forgetting.send((yield statement))

    await engine.write(beside_a_redaction)
    after = await kept(engine, message)
    assert (after.body, after.recipient) == ("", "+1555765XXXX")


async def test_a_message_that_is_scheduled_is_left_alone_for_as_long_as_it_waits(
    engine: Engine, records: Records
) -> None:
    message = await taken(engine, records, status="scheduled", is_queued=True)
    await engine.write(forget_due, message.created_at + 30 * DAY_US, 10)
    assert (await kept(engine, message)).body == "Hello"


async def test_a_deleted_message_is_looked_at_no_more(engine: Engine, records: Records) -> None:
    message = await taken(engine, records, ["content"])
    await engine.write(messages.forget, message.account_id, message.id, message.created_at + 1)
    await engine.write(forget_due, message.created_at + 2, 10)
    assert await engine.read(due) == {}
    assert len(await engine.read(messages.history, message.id)) == 2


async def test_a_deleted_message_s_address_goes_in_its_time_and_is_not_shown_before(
    engine: Engine, records: Records
) -> None:
    message = await taken(engine, records, status="sent")
    await engine.write(messages.forget, message.account_id, message.id, message.created_at + 1)
    deleted = messages.Filter(include_deleted=True)
    [shown] = await engine.read(messages.page, message.account_id, deleted, 5)
    assert shown.recipient == "+1555765XXXX"
    await engine.write(forget_due, message.created_at + 2, 10)
    assert (await kept(engine, message)).recipient == message.recipient, "its receipt is still to be told"
    await engine.write(forget_due, message.created_at + 2 * DAY_US, 10)
    after = await kept(engine, message)
    assert (after.recipient, after.deleted_at) == ("+1555765XXXX", message.created_at + 1)
    assert await engine.read(due) == {}


async def test_they_are_looked_at_a_part_at_a_time(engine: Engine, records: Records) -> None:
    found = [await taken(engine, records) for _ in range(3)]
    now = found[-1].created_at
    assert await engine.write(forget_due, now, 2) == 2
    assert await engine.write(forget_due, now, 2) == 1
    assert [(await kept(engine, each)).body for each in found] == ["", "", ""]


@pytest.mark.parametrize(
    ("status", "body", "recipient"),
    [
        ("queued", "Hello", "+15557654321"),
        ("sending", "Hello", "+15557654321"),
        ("sent", "", "+1555765XXXX"),
        ("undelivered", "", "+1555765XXXX"),
    ],
)
async def test_it_is_not_shown_from_when_it_was_sent(
    engine: Engine, records: Records, status: Status, body: str, recipient: str
) -> None:
    message = await taken(engine, records, status=status)
    shown = await engine.read(messages.fetch, message.account_id, message.id)
    assert shown is not None
    assert (shown.body, shown.recipient) == (body, recipient)
    assert await engine.read(messages.page, message.account_id, messages.Filter(), 5) == [shown]
