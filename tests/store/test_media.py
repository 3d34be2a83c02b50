"""Attachments: octets once for each content, for as long as anybody has them."""

from msgspec.structs import replace

from parley.model.message import Media
from parley.store import Engine, media, messages
from parley.store.accept import Intake
from tests.store.records import Records, take

HASH = b"h" * 32
OCTETS = bytes(range(256)) * 40


async def _attached(engine: Engine, records: Records, number: int = 1) -> list[Media]:
    message = records.message(num_media=number)
    attached = [records.media(message, n) for n in range(number)]
    await take(engine, Intake(message, media=tuple(attached)))
    return attached


async def _fill(engine: Engine, *attached: Media) -> None:
    for each in attached:
        await engine.write(media.fill, each.id, "image/png", len(OCTETS), HASH, OCTETS)


async def test_what_was_fetched_is_stored(engine: Engine, records: Records) -> None:
    [attached] = await _attached(engine, records)
    assert await engine.read(media.content, HASH) is None
    await _fill(engine, attached)
    found = await engine.read(media.fetch, attached.account_id, attached.message_id, attached.id)
    assert found == replace(attached, content_type="image/png", size=len(OCTETS), content_hash=HASH)
    assert await engine.read(media.content, HASH) == OCTETS


async def test_an_attachment_is_found_through_its_own_message_and_account_only(
    engine: Engine, records: Records
) -> None:
    [attached] = await _attached(engine, records)
    [other] = await _attached(engine, records)
    assert await engine.read(media.fetch, b"o" * 16, attached.message_id, attached.id) is None
    assert await engine.read(media.fetch, attached.account_id, other.message_id, attached.id) is None
    assert not await engine.write(media.forget, attached.account_id, other.message_id, attached.id, 9)


async def test_octets_that_several_have_stay_until_the_last_one_goes(engine: Engine, records: Records) -> None:
    one, two = await _attached(engine, records, 2)
    [three] = await _attached(engine, records)
    await _fill(engine, one, two, three)
    assert await engine.write(media.forget, one.account_id, one.message_id, one.id, 9)
    assert await engine.read(media.content, HASH) == OCTETS
    assert await engine.write(media.forget, two.account_id, two.message_id, two.id, 9)
    assert await engine.read(media.content, HASH) == OCTETS
    await engine.write(messages.forget, three.account_id, three.message_id, 9)
    assert await engine.read(media.content, HASH) is None


async def test_a_forgotten_attachment_is_gone_and_forgetting_it_again_is_told(engine: Engine, records: Records) -> None:
    one, two = await _attached(engine, records, 2)
    assert await engine.write(media.forget, one.account_id, one.message_id, one.id, 9)
    assert not await engine.write(media.forget, one.account_id, one.message_id, one.id, 9)
    assert await engine.read(media.fetch, one.account_id, one.message_id, one.id) is None
    assert await engine.read(media.of_messages, [one.message_id]) == {one.message_id: [two]}


async def test_what_is_fetched_for_an_attachment_that_was_deleted_meanwhile_is_not_kept(
    engine: Engine, records: Records
) -> None:
    [one] = await _attached(engine, records)
    await engine.write(media.forget, one.account_id, one.message_id, one.id, 9)
    await _fill(engine, one)
    assert await engine.read(media.content, HASH) is None
    [two] = await _attached(engine, records)
    await _fill(engine, two)
    await _fill(engine, one)
    assert await engine.read(media.content, HASH) == OCTETS


async def test_octets_come_back_with_a_new_use(engine: Engine, records: Records) -> None:
    [one] = await _attached(engine, records)
    await _fill(engine, one)
    await engine.write(media.forget, one.account_id, one.message_id, one.id, 9)
    [two] = await _attached(engine, records)
    await _fill(engine, two)
    assert await engine.read(media.content, HASH) == OCTETS


async def test_attachments_of_several_messages_are_by_position(engine: Engine, records: Records) -> None:
    message, plain = records.message(num_media=3), records.message()
    attached = [records.media(message, position) for position in (2, 0, 1)]
    await take(engine, Intake(message, media=tuple(attached)), Intake(plain))
    found = await engine.read(media.of_messages, [message.id, plain.id, message.id])
    assert found == {message.id: [attached[1], attached[2], attached[0]]}


async def test_pages_of_a_messages_attachments(engine: Engine, records: Records) -> None:
    attached = await _attached(engine, records, 5)
    await _attached(engine, records, 2)
    await engine.write(media.forget, attached[1].account_id, attached[1].message_id, attached[1].id, 9)
    live = [attached[n] for n in (0, 2, 3, 4)]
    message_id = attached[0].message_id
    page = await engine.read(media.page, message_id, 2)
    assert page == live[:2]
    assert await engine.read(media.page, message_id, 5, page[-1].id) == live[2:]
    assert await engine.read(media.page, message_id, 1, live[2].id, backwards=True) == live[1:2]
    assert await engine.read(media.page, message_id, 5, skip=3) == live[3:]
    at = records.clock.now()
    assert await engine.read(media.page, message_id, 5, created_from=at - 1_000_000, created_before=at + 1) == live
    assert await engine.read(media.page, message_id, 5, created_from=at + 1_000_000) == []
