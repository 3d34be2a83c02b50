"""Short links: kept with their messages or not at all, found, counted, forgotten."""

import asyncio
from collections import Counter
from typing import Any

from msgspec.structs import replace
from sqlalchemy import func, select

from parley.model.link import LIFE_US, Link
from parley.model.message import Message
from parley.store import Engine, Operation, links, messages, queue, schema
from parley.store.accept import Intake, Taken, accept
from parley.store.engine.statements import Query
from parley.store.links import Click
from tests.store.records import US, Records


def link(message: Message, code: str, **values: Any) -> Link:
    at = message.created_at
    plain = Link(code, message.account_id, message.id, f"https://example.com/{code}", None, at, at + LIFE_US, 0, None)
    return replace(plain, **values)


async def sent_with(engine: Engine, message: Message, *found: Link) -> None:
    assert await engine.write(accept, [Intake(message, links=found)]) == [Taken(message, None)]


def count() -> Operation[int]:
    rows = yield Query(select(func.count()).select_from(schema.links))
    return int(rows[0][0])


async def test_they_are_kept_with_their_message(engine: Engine, records: Records) -> None:
    message, other = records.message(), records.message()
    first, second = link(message, "aaaaaaaaaa"), link(message, "bbbbbbbbbb")
    await sent_with(engine, message, second, first)
    await sent_with(engine, other, link(other, "cccccccccc"))
    assert await engine.read(links.of_message, message.id) == [first, second]
    assert await engine.read(links.find, "bbbbbbbbbb") == second
    assert await engine.read(links.find, "BBBBBBBBBB") is None


async def test_a_code_of_another_keeps_its_message_from_being_taken(engine: Engine, records: Records) -> None:
    holder = records.message()
    held = link(holder, "aaaaaaaaaa")
    await sent_with(engine, holder, held)
    late, good, twin = records.message(), records.message(), records.message()
    verdicts = await engine.write(
        accept,
        [
            Intake(late, records.pending(late), links=(link(late, "dddddddddd"), link(late, "aaaaaaaaaa"))),
            Intake(good, links=(link(good, "eeeeeeeeee"),)),
            Intake(twin, links=(link(twin, "eeeeeeeeee"),)),
        ],
    )
    assert verdicts == ["code_taken", Taken(good, None), "code_taken"]
    assert await engine.read(links.find, "aaaaaaaaaa") == held
    assert await engine.read(links.find, "dddddddddd") is None
    assert await engine.read(links.of_message, good.id)
    for gone in (late, twin):
        assert await engine.read(messages.fetch, gone.account_id, gone.id) is None
        assert await engine.read(messages.waiting, gone.id) is None
        assert await engine.read(messages.history, gone.id) == []


async def test_nodes_that_draw_one_code_at_once_share_no_link(engine: Engine, records: Records) -> None:
    wanted = [records.message() for _ in range(8)]
    asked = [engine.write(accept, [Intake(each, links=(link(each, "aaaaaaaaaa"),))]) for each in wanted]
    verdicts = [verdict for [verdict] in await asyncio.gather(*asked)]
    assert Counter(verdict == "code_taken" for verdict in verdicts) == {True: 7, False: 1}
    assert await engine.read(count) == 1


async def test_what_is_refused_leaves_no_link(engine: Engine, records: Records) -> None:
    message = records.message()
    intake = Intake(message, records.pending(message), slot_us=1, most_wait_us=-1, links=(link(message, "aaaaaaaaaa"),))
    assert await engine.write(accept, [intake]) == ["queue_full"]
    assert await engine.read(count) == 0


async def test_each_click_counts_though_many_come_at_once(engine: Engine, records: Records) -> None:
    message = records.message()
    await sent_with(engine, message, link(message, "aaaaaaaaaa"), link(message, "bbbbbbbbbb"))
    lane = engine.lane(links.click)
    at = message.created_at
    owed = records.callback(message, kind="notice", message_id=records.ids.new())
    clicks = [Click("aaaaaaaaaa", at + n) for n in (5, 1, 3)]
    clicks += [Click("bbbbbbbbbb", at + 2, owed), Click("nowherenow", at)]
    await asyncio.gather(*map(lane.put, clicks))
    found = await engine.read(links.of_message, message.id)
    assert [(each.clicks, each.last_click_at) for each in found] == [(3, at + 5), (1, at + 2)]
    assert await engine.read(queue.callbacks_of, owed.message_id) == [owed]


async def test_what_has_expired_is_forgotten_a_part_at_a_time(engine: Engine, records: Records) -> None:
    message = records.message()
    now = message.created_at
    ends = {"aaaaaaaaaa": now, "bbbbbbbbbb": now - US, "cccccccccc": now + 1}
    await sent_with(engine, message, *(link(message, code, expires_at=at) for code, at in ends.items()))
    assert await engine.write(links.purge, now, 1) == 1
    assert [each.code for each in await engine.read(links.of_message, message.id)] == ["aaaaaaaaaa", "cccccccccc"]
    assert await engine.write(links.purge, now, 5) == 1
    assert await engine.write(links.purge, now, 5) == 0
    assert [each.code for each in await engine.read(links.of_message, message.id)] == ["cccccccccc"]
