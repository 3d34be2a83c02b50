"""Two nodes on one database: what both do at once comes out as if one had done it after the other."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from parley.model.message import Media, Message
from parley.store import Engine, Operation, media, messages, numbers
from parley.store.accept import IdempotencyKey, Intake, Repeated, Taken, accept
from parley.store.changes import Change, apply
from parley.store.connect import open_engine
from tests.store.records import US, Records, take


@pytest.fixture
async def other(url: str, engine: Engine) -> AsyncIterator[Engine]:
    node = open_engine(url)
    await node.open()
    try:
        yield node
    finally:
        await node.close()


async def test_a_key_used_on_both_makes_one_message(engine: Engine, other: Engine, records: Records) -> None:
    for n in range(10):
        key = IdempotencyKey(f"k{n}", b"same request")
        made = [records.message(), records.message()]
        writes = [
            node.write(accept, [Intake(message, idempotency=key)])
            for node, message in zip((engine, other), made, strict=True)
        ]
        verdicts = [(await write)[0] for write in writes]
        [taken] = [verdict for verdict in verdicts if isinstance(verdict, Taken)]
        assert Repeated(taken.message.id) in verdicts


async def test_a_slot_is_given_once(engine: Engine, other: Engine, records: Records) -> None:
    start = records.clock.now()
    writes = []
    for _ in range(10):
        for node in (engine, other):
            message = records.message(created_at=start)
            writes.append(node.write(accept, [Intake(message, records.pending(message), slot_us=US)]))
    verdicts = [(await write)[0] for write in writes]
    slots = [verdict.pending.due_at for verdict in verdicts if isinstance(verdict, Taken) and verdict.pending]
    assert sorted(slots) == [start + n * US for n in range(20)]


async def test_an_address_has_one_owner(engine: Engine, other: Engine, records: Records) -> None:
    for n in range(10):
        claims = [records.number(f"+1555000000{n}", account_id=owner) for owner in (b"a" * 16, b"b" * 16)]
        owners = await asyncio.gather(
            *(node.write(numbers.own, claim) for node, claim in zip((engine, other), claims, strict=True))
        )
        assert owners[0] == owners[1]


async def test_changes_of_the_same_messages_in_any_order_end_the_same(
    engine: Engine, other: Engine, records: Records
) -> None:
    made = [await records.sent_off(engine) for _ in range(20)]

    def changes(order: Sequence[Message]) -> list[Change]:
        return [Change(message.account_id, message.id, 9, "delivered") for message in order]

    writes = [
        node.write(apply, changes(order), records.terms)
        for _ in range(3)
        for node, order in ((engine, made), (other, made[::-1]))
    ]
    moved = [change.message_id for write in writes for change in (await write).moved]
    assert sorted(moved) == [message.id for message in made]
    for message in made:
        kinds = [event.kind for event in await engine.read(messages.history, message.id)]
        assert kinds == ["queued", "delivered"]


async def test_octets_in_use_outlive_a_use_that_ends_elsewhere(engine: Engine, other: Engine, records: Records) -> None:
    digest, octets = b"h" * 32, b"octets"
    for _ in range(10):
        old, new = records.message(), records.message()
        attached = [records.media(message, content_hash=digest) for message in (old, new)]
        await take(engine, Intake(old, media=(attached[0],), contents=((digest, octets),)))

        def add(message: Message = new, added: Media = attached[1]) -> Operation[object]:
            return accept([Intake(message, media=(added,), contents=((digest, octets),))])

        await asyncio.gather(
            engine.write(messages.forget, old.account_id, old.id, 9),
            other.write(add),
        )
        assert await engine.read(media.content, digest) == octets
        await engine.write(messages.forget, new.account_id, new.id, 9)
        assert await engine.read(media.content, digest) is None
