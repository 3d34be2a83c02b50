"""Who does what waits: each thing once, in order, and by somebody else when its node is gone."""

import asyncio
from typing import Any

from msgspec.structs import replace
from sqlalchemy import delete, text

from parley.model.callback import Callback
from parley.model.message import Pending
from parley.store import Engine, Operation, messages, queue, schema
from parley.store.accept import Intake
from parley.store.changes import Change, apply
from parley.store.connect import open_engine
from parley.store.engine.statements import Execute, Query
from tests.store.records import US, Records, take


async def _free(engine: Engine, records: Records, *due_at: int) -> list[bytes]:
    ids: list[bytes] = []
    for due in due_at:
        message = records.message()
        await take(engine, Intake(message, records.pending(message, node=None, due_at=due)))
        ids.append(message.id)
    return ids


async def _waits(engine: Engine, message_id: bytes) -> Pending:
    found = await engine.read(messages.waiting, message_id)
    assert found is not None
    return found


def _lose(message_id: bytes) -> Operation[None]:
    yield Execute(delete(schema.messages).where(schema.messages.c.id == message_id))


async def _owed(engine: Engine, records: Records, *values: dict[str, Any]) -> list[Callback]:
    message = records.message()
    owed = [records.callback(message, **each) for each in values]
    await take(engine, Intake(message, callbacks=tuple(owed)))
    return owed


async def test_a_message_is_claimed_once_the_longest_due_first(engine: Engine, records: Records) -> None:
    ids = await _free(engine, records, 30, 10, 20, 40)
    claimed = await engine.write(queue.claim_messages, b"n" * 16, 30, 2)
    assert [message.id for _, message in claimed] == [ids[1], ids[2]]
    assert all(waits.node == b"n" * 16 and waits.message_id == message.id for waits, message in claimed)
    assert claimed[0][1] == await engine.read(messages.fetch, records.account_id, ids[1])
    assert await engine.read(messages.waiting, ids[1]) == claimed[0][0]
    claimed = await engine.write(queue.claim_messages, b"m" * 16, 30, 10)
    assert [message.id for _, message in claimed] == [ids[0]]
    assert await engine.write(queue.claim_messages, b"n" * 16, 30, 10) == []


async def test_a_place_without_its_message_stands_in_nobodys_way(engine: Engine, records: Records) -> None:
    first, lost, named, last = await _free(engine, records, 10, 20, 30, 40)
    for gone in (lost, named):
        await engine.write(_lose, gone)
    claimed = await engine.write(queue.claim_messages, b"n" * 16, 20, 10)
    assert [message.id for _, message in claimed] == [first]
    claimed = await engine.write(queue.claim_named, b"n" * 16, 40, [named, last])
    assert [message.id for _, message in claimed] == [last]
    assert await engine.read(queue.next_due_message) == 20 + 3600 * US, "it is looked for again, and not all the time"
    assert (await engine.read(queue.depth))["reasons"] == {None: 2, queue.LOST: 2}


async def test_parked_callbacks_are_hastened_in_their_order_but_for_those_that_somebody_holds(
    engine: Engine, records: Records
) -> None:
    waits = await _owed(engine, records, *({"node": None, "due_at": due} for due in (100, 120, 140, 160)))
    [held] = await _owed(engine, records, {"node": b"n" * 16, "due_at": 130})
    found = await engine.read(queue.parked_callbacks, 120, 2)
    assert found == [(each.due_at, each.id, each.url) for each in waits[1:3]]
    await engine.write(queue.hasten, [each.id for each in (*waits[1:], held)], 50, 60)
    claimed = await engine.write(queue.claim_callbacks, b"n" * 16, 200, 10)
    assert [each.due_at for each in claimed if each.id == waits[0].id] == [100], "it was not named"
    named = [(each.id, each.due_at) for each in claimed if each.id != waits[0].id]
    assert named == [(waits[1].id, 50), (waits[2].id, 110), (waits[3].id, 160)], "none is put off"
    [unchanged] = [each for each in await engine.read(queue.callbacks_of, held.message_id) if each.id == held.id]
    assert unchanged == held


async def test_parked_callbacks_that_fall_due_together_are_all_found_page_by_page(
    engine: Engine, records: Records
) -> None:
    waits = await _owed(engine, records, *({"node": None, "due_at": due} for due in (100, 120, 120, 120, 140)))
    found: list[bytes] = []
    since, after = 110, b""
    while page := await engine.read(queue.parked_callbacks, since, 2, after):
        assert len(page) <= 2
        found += [id_ for _, id_, _ in page]
        since, after, _ = page[-1]
    assert found == [*sorted(each.id for each in waits[1:4]), waits[4].id]


async def test_what_is_due_is_found_but_for_some_senders(engine: Engine, records: Records) -> None:
    ids = await _free(engine, records, 30, 10, 20, 40)
    [sender] = {(await _waits(engine, id_)).sender for id_ in ids}
    found = await engine.read(queue.due_messages, 30, 10, 0, ())
    assert found == [(10, ids[1]), (20, ids[2]), (30, ids[0])]
    assert await engine.read(queue.due_messages, 30, 2, 0, ()) == found[:2]
    assert await engine.read(queue.due_messages, 30, 10, 20, ()) == found[1:]
    many = {f"+1555{n:07}" for n in range(2_000)}
    assert await engine.read(queue.due_messages, 30, 10, 0, many - {sender}) == found
    assert await engine.read(queue.due_messages, 30, 10, 0, many | {sender}) == []
    assert await engine.read(queue.next_due_message, 30) == 40


async def test_what_was_named_is_claimed_while_it_is_free(engine: Engine, records: Records) -> None:
    ids = await _free(engine, records, 30, 10, 20)
    claimed = await engine.write(queue.claim_named, b"n" * 16, 30, [ids[0], ids[1]])
    assert [(waits.node, message.id) for waits, message in claimed] == [(b"n" * 16, ids[1]), (b"n" * 16, ids[0])]
    claimed = await engine.write(queue.claim_named, b"m" * 16, 30, ids)
    assert [message.id for _, message in claimed] == [ids[2]]


async def test_what_has_ended_is_found_among_what_waits(engine: Engine, records: Records) -> None:
    ids = await _free(engine, records, 10, 20, 30)
    expires_at = (await _waits(engine, ids[0])).expires_at
    assert await engine.read(queue.ended_messages, 30, 10, "submitting") == []
    assert await engine.read(queue.ended_messages, expires_at, 10, "submitting") == ids[:1]
    doubted = records.message()
    waits = records.pending(doubted, node=None, due_at=20, waiting_for="submitting")
    await take(engine, Intake(doubted, waits))
    assert await engine.read(queue.ended_messages, 30, 10, "submitting") == [doubted.id]
    assert await engine.read(queue.ended_messages, 10, 10, "submitting") == []


async def test_two_nodes_never_claim_the_same(url: str, engine: Engine, records: Records) -> None:
    ids = await _free(engine, records, *range(60))
    other = open_engine(url)
    await other.open()
    try:
        turns = await asyncio.gather(
            *(each.write(queue.claim_messages, bytes([n]) * 16, 100, 7) for n in range(6) for each in (engine, other))
        )
    finally:
        await other.close()
    claimed = [message.id for turn in turns for _, message in turn]
    assert len(claimed) == len(set(claimed))
    rest = await engine.write(queue.claim_messages, b"r" * 16, 100, 100)
    assert sorted(claimed + [message.id for _, message in rest]) == ids


async def test_what_a_node_holds_is_not_claimed_and_what_it_gives_back_is(engine: Engine, records: Records) -> None:
    message = await records.sent_off(engine)
    late = records.clock.now() + 3600 * US
    assert await engine.write(queue.claim_messages, b"n" * 16, late, 10) == []
    assert await engine.read(queue.next_due_message) is None
    [waits] = [await engine.read(messages.waiting, message.id)]
    assert waits is not None
    assert waits.node is not None
    assert await engine.read(queue.held_messages, waits.node) == {message.id}
    await engine.write(queue.let_go, b"another's id.....", {message.id}, set())
    assert await engine.read(queue.held_messages, waits.node) == {message.id}
    await engine.write(queue.let_go, waits.node, {message.id}, set())
    assert await engine.read(queue.held_messages, waits.node) == set()
    assert await engine.read(queue.next_due_message) == waits.due_at
    assert await engine.write(queue.claim_messages, b"n" * 16, waits.due_at - 1, 10) == []
    [(waits, claimed)] = await engine.write(queue.claim_messages, b"n" * 16, late, 10)
    assert (waits.message_id, claimed.id) == (message.id, message.id)


async def test_what_a_node_holds_that_is_not_entered_comes_free(engine: Engine, records: Records) -> None:
    entered, stray = records.ids.new(), records.ids.new()
    await engine.write(queue.join, entered, "a", records.clock.now() + US)
    held = [records.message() for _ in range(2)]
    for message, node in zip(held, (entered, stray), strict=True):
        await take(engine, Intake(message, records.pending(message, node=node)))
    owed = await _owed(engine, records, {"node": entered}, {"node": stray})
    await engine.write(queue.free_strays)
    assert await engine.read(queue.held_messages, entered) == {held[0].id}
    assert await engine.read(queue.held_messages, stray) == set()
    assert await engine.read(queue.held_callbacks, entered) == {owed[0].id}
    assert await engine.read(queue.held_callbacks, stray) == set()


async def test_a_node_enters_again_beside_who_has_its_name(engine: Engine, records: Records) -> None:
    first, second = records.ids.new(), records.ids.new()
    now = records.clock.now()
    await engine.write(queue.join, first, "a", now + US)
    await engine.write(queue.join, second, "a", now + US, now + US)
    assert not await engine.write(queue.stay, first, now + 2 * US)
    await engine.write(queue.rejoin, first, "a", now + 2 * US)
    assert await engine.write(queue.stay, first, now + 3 * US)
    assert await engine.write(queue.stay, second, now + 3 * US)


async def test_the_work_of_a_dead_node_comes_free(engine: Engine, records: Records) -> None:
    dead, alive = records.ids.new(), records.ids.new()
    now = records.clock.now()
    await engine.write(queue.join, dead, "a", now + 10)
    await engine.write(queue.join, alive, "b", now + 20)
    held = [records.message() for _ in range(2)]
    for message, node in zip(held, (dead, alive), strict=True):
        callback = records.callback(message, node=node)
        done = records.callback(message, node=node, state="delivered")
        await take(engine, Intake(message, records.pending(message, node=node), callbacks=(callback, done)))
    assert await engine.write(queue.rescue, now + 10) == 0
    assert await engine.write(queue.rescue, now + 15) == 1
    assert not await engine.write(queue.stay, dead, now + 100)
    assert await engine.write(queue.stay, alive, now + 100)
    assert await engine.write(queue.rescue, now + 50) == 0
    claimed = await engine.write(queue.claim_messages, alive, now + 3600 * US, 10)
    assert [message.id for _, message in claimed] == [held[0].id]
    callbacks = await engine.write(queue.claim_callbacks, alive, now + 3600 * US, 10)
    assert [callback.message_id for callback in callbacks] == [held[0].id]
    assert [callback.state for callback in callbacks] == ["pending"]


async def test_a_node_that_comes_back_frees_what_its_former_life_held(engine: Engine, records: Records) -> None:
    former, present, other = (records.ids.new() for _ in range(3))
    now = records.clock.now()
    await engine.write(queue.join, former, "a", now + 10 * US)
    await engine.write(queue.join, other, "b", now + 10 * US)
    held = [records.message() for _ in range(2)]
    for message, node in zip(held, (former, other), strict=True):
        await take(engine, Intake(message, records.pending(message, node=node)))
    assert await engine.read(queue.lease_of, "a") == now + 10 * US
    assert not await engine.write(queue.join, present, "a", now + 20 * US, now + 9 * US), "it renewed its lease since"
    assert not await engine.write(queue.join, present, "a", now + 20 * US)
    assert await engine.write(queue.stay, former, now + 10 * US)
    assert await engine.write(queue.join, present, "a", now + 20 * US, now + 10 * US)
    assert await engine.write(queue.join, present, "a", now + 20 * US), "as when the answer to the first was lost"
    assert not await engine.write(queue.stay, former, now + 30 * US)
    claimed = await engine.write(queue.claim_messages, present, now + US, 10)
    assert [message.id for _, message in claimed] == [held[0].id]


async def test_a_node_that_leaves_gives_everything_back(engine: Engine, records: Records) -> None:
    await engine.write(queue.join, records.node, "a", records.clock.now() + US)
    message = await records.sent_off(engine)
    await engine.write(queue.leave, records.node)
    waits = await engine.read(messages.waiting, message.id)
    assert waits is not None
    assert waits.node is None


async def test_callbacks_are_claimed_when_due_and_free(engine: Engine, records: Records) -> None:
    owed = await _owed(
        engine,
        records,
        {"due_at": 30},
        {"due_at": 20},
        {"due_at": 90},
        {"due_at": 10, "node": b"x" * 16},
        {"due_at": 10, "state": "delivered"},
    )
    assert await engine.read(queue.next_due_callback) == 20
    claimed = await engine.write(queue.claim_callbacks, b"n" * 16, 50, 10)
    assert claimed == [replace(callback, node=b"n" * 16) for callback in owed[:2]]
    assert await engine.write(queue.claim_callbacks, b"n" * 16, 50, 10) == []
    assert await engine.read(queue.next_due_callback) == 90


async def test_a_limited_claim_takes_the_longest_due(engine: Engine, records: Records) -> None:
    owed = await _owed(engine, records, {"due_at": 30}, {"due_at": 20}, {"due_at": 25})
    claimed = await engine.write(queue.claim_callbacks, b"n" * 16, 50, 2)
    assert [callback.id for callback in claimed] == [owed[1].id, owed[2].id]


async def test_the_callbacks_of_a_message_go_one_after_the_other(engine: Engine, records: Records) -> None:
    message = await records.sent_off(engine, status_callback="https://example.com/")
    now = records.clock.now()
    for status in ("sending", "sent", "delivered", "read"):
        await engine.write(apply, [Change(message.account_id, message.id, now, status)], records.terms)
    other = (await _owed(engine, records, {}))[0]
    owed = await engine.read(queue.callbacks_of, message.id)
    assert [callback.status for callback in owed] == ["sent", "delivered", "read"]
    about, waits = await engine.read(queue.prepare, [owed[0], other])
    assert waits == {
        message.id: [(callback.id, callback.due_at) for callback in owed],
        other.message_id: [(other.id, other.due_at)],
    }
    assert about[message.id].status == "read"
    assert set(about) == {message.id, other.message_id}

    delivered = replace(owed[0], state="delivered", node=None, attempts=1, outcome="200", finished_at=now)
    other_node = records.ids.new()
    gave_up_by_other = replace(delivered, state="gave_up")
    again = replace(owed[1], node=None, attempts=1, outcome="HTTP 500", due_at=now + US)
    node = records.node
    assert await engine.write(queue.finish_each, [(gave_up_by_other, other_node)]) == [None]
    assert (await engine.read(queue.callbacks_of, message.id))[0] == owed[0]
    assert await engine.write(queue.finish_each, [(delivered, node), (again, node)]) == [None, None]
    assert await engine.read(queue.callbacks_of, message.id) == [delivered, again, owed[2]]
    _, waits = await engine.read(queue.prepare, owed)
    assert waits == {message.id: [(again.id, again.due_at), (owed[2].id, owed[2].due_at)]}
    claimed = await engine.write(queue.claim_callbacks, node, again.due_at, 10)
    assert again.id in {callback.id for callback in claimed}
    gave_up = replace(again, state="gave_up", finished_at=now)
    await engine.write(queue.finish_each, [(gave_up, node)])
    _, waits = await engine.read(queue.prepare, owed)
    assert waits == {message.id: [(owed[2].id, owed[2].due_at)]}


async def test_depth_counts_what_waits(engine: Engine, records: Records) -> None:
    nothing = {"messages": 0, "oldest_due_at": None, "uncertain": 0, "callbacks": 0}
    assert (await engine.read(queue.depth)).items() >= nothing.items()
    await _free(engine, records, 30, 10)
    await _owed(engine, records, {}, {"state": "gave_up"}, {"node": b"n" * 16})
    two = {"messages": 2, "oldest_due_at": 10, "uncertain": 0, "callbacks": 2}
    assert (await engine.read(queue.depth)).items() >= two.items()
    message = records.message(status="scheduled")
    await take(engine, Intake(message, records.pending(message, node=None, due_at=40, waiting_for="schedule")))
    assert (await engine.read(queue.depth))["reasons"] == {None: 2, "schedule": 1}


def _plan(sql: str) -> Operation[str]:
    rows = yield Query(text(sql))  # type: ignore[arg-type]
    return "\n".join(str(part) for row in rows for part in row)


async def test_finding_work_reads_what_is_unfinished_only(engine: Engine) -> None:
    explain = "EXPLAIN QUERY PLAN" if engine.name == "sqlite" else "EXPLAIN"
    free = "SELECT id FROM callbacks WHERE state = 'pending' AND node IS NULL AND due_at <= 5 ORDER BY node, due_at"
    held = "SELECT id FROM callbacks WHERE state = 'pending' AND node IN ('a')"
    for sql, index in (
        (free, "callbacks_waiting"),
        (held, "callbacks_waiting"),
        ("SELECT count(*) FROM callbacks WHERE state = 'pending'", "callbacks_waiting"),
        ("SELECT message_id FROM pending WHERE node IS NULL AND due_at <= 5 ORDER BY due_at", "pending_due"),
    ):
        plan = await engine.write(_plan, f"{explain} {sql}")
        assert index in plan
        assert "Sort" not in plan
        assert "TEMP B-TREE" not in plan
