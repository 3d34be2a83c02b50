"""Release what was put off: as acceptance decides, once, in one transaction, on both engines."""

from typing import Any

from msgspec.structs import replace

from parley.model.consent import ConsentChange
from parley.model.message import Message
from parley.store import Engine, messages, opt_outs, queue, scheduled
from parley.store.accept import Intake
from parley.store.stickies import Choice, Doom, Option
from tests.store.records import US, Records, take

SENDER, OTHER = "+15551234567", "+15551234568"
SERVICE = b"s" * 16
REFUSED = Doom("failed", 21610)


async def put_off(engine: Engine, records: Records, status: str = "scheduled", **values: Any) -> Message:
    """A message that is due now and nobody's."""
    message = records.message(status=status, sender=None, service_id=SERVICE, **values)
    waits = records.pending(message, node=None, due_at=records.clock.now(), waiting_for="schedule")
    await take(engine, Intake(message, waits))
    return message


async def claim(engine: Engine, records: Records) -> None:
    await engine.write(queue.claim_messages, records.node, records.clock.now(), 100)


def to_go(records: Records, before: Message, **values: Any) -> tuple[Message, Intake]:
    """What the message is to be."""
    now = max(records.clock.now(), before.updated_at + 1)
    message = replace(before, status="queued", sender=SENDER, updated_at=now)
    waits = records.pending(message, due_at=now)
    plain: dict[str, Any] = {"must_consent": True, "objection": REFUSED}
    plain["ending"] = records.callback(message, status="failed")
    return before, Intake(message, waits, **(plain | values))


async def release(engine: Engine, records: Records, *going: tuple[Message, Intake]) -> list[Message]:
    return [decision.message for decision in await engine.write(scheduled.release, records.node, going)]


async def kinds(engine: Engine, message: Message) -> list[str]:
    return [event.kind for event in await engine.read(messages.history, message.id)]


async def test_what_is_released_is_queued_with_its_sender_and_told_of(engine: Engine, records: Records) -> None:
    message = await put_off(engine, records)
    await claim(engine, records)
    told = records.callback(message, status="queued")
    before, intake = to_go(records, message, callbacks=(told,))
    assert await release(engine, records, (before, intake)) == [intake.message]
    assert await engine.read(messages.fetch, message.account_id, message.id) == intake.message
    assert await engine.read(messages.waiting, message.id) == intake.pending
    assert await kinds(engine, message) == ["scheduled", "queued"]
    assert await engine.read(queue.callbacks_of, message.id) == [told]


async def test_a_message_is_released_once_and_only_by_who_holds_it(engine: Engine, records: Records) -> None:
    message = await put_off(engine, records)
    assert await release(engine, records, to_go(records, message)) == []
    await claim(engine, records)
    going = to_go(records, message)
    assert await engine.write(scheduled.release, b"o" * 16, [going]) == []
    assert await release(engine, records, going) == [going[1].message]
    assert await release(engine, records, going) == [], "the answer to the first was lost"
    assert await kinds(engine, message) == ["scheduled", "queued"]


async def test_consent_pace_and_the_last_sender_decide_of_each(engine: Engine, records: Records) -> None:
    account_id = records.account_id
    paced, again, stopped, doomed = [await put_off(engine, records, recipient=f"+1555765000{n}") for n in range(4)]
    said = ConsentChange(account_id, SENDER, stopped.recipient, 1, "opt_out", "STOP", "inbound", "")
    await engine.write(opt_outs.apply, [said])
    choice = Choice(SERVICE, SENDER, "country", {SENDER: Option(1.0 * US), OTHER: Option()}, is_sticky=True)
    await claim(engine, records)
    going = [to_go(records, message, choice=choice) for message in (paced, again, stopped)]
    going.append(to_go(records, doomed, doom=Doom("undelivered", 30006)))
    found = await release(engine, records, *going)
    assert [(m.status, m.error_code) for m in found] == [
        ("queued", None), ("queued", None), ("failed", 21610), ("undelivered", 30006)
    ]  # fmt: skip
    first, second = [await engine.read(messages.waiting, message.id) for message in (paced, again)]
    assert first is not None
    assert second is not None
    assert (first.waiting_for, second.waiting_for, second.node) == (None, "pace", None)
    for ended in (stopped, doomed):
        assert await engine.read(messages.waiting, ended.id) is None
        assert [callback.status for callback in await engine.read(queue.callbacks_of, ended.id)][-1] in (
            "failed",
            "undelivered",
        )
    assert await kinds(engine, stopped) == ["scheduled", "queued", "failed"]


async def test_one_that_was_queued_and_left_alone_does_not_become_it_again(engine: Engine, records: Records) -> None:
    message = await put_off(engine, records, status="queued")
    await claim(engine, records)
    await release(engine, records, to_go(records, message))
    assert await kinds(engine, message) == ["queued"]


async def test_an_account_s_scheduled_messages_are_counted(engine: Engine, records: Records) -> None:
    for _ in range(3):
        await put_off(engine, records)
    message = records.message()
    await take(engine, Intake(message, records.pending(message)))
    assert await engine.read(scheduled.count, records.account_id) == 3
    assert await engine.read(scheduled.count, b"o" * 16) == 0
