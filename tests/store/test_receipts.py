"""Receipts: early, late, twice, out of order, one a segment. States never regress, and nothing is dropped unseen."""

import asyncio
from itertools import pairwise
from typing import Final

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from parley.model.message import FINAL, MOVES, Message, Status, may_move
from parley.model.receipt import Orphan, Receipt
from parley.store import Engine, Operation, messages, schema
from parley.store.changes import Applied, Change, Requeue, apply, fold, receive, rematch
from parley.store.connect import open_engine
from parley.store.engine.statements import Insert, Query
from tests.store.records import US, Records

CARRIER: Final = "smpp"


def _orphans() -> Operation[list[Orphan]]:
    table = schema.orphans.c
    rows = yield Query(select(table.carrier, table.ref, table.status, table.at, table.error_code).order_by(table.seq))
    return [Orphan(*row) for row in rows]


def _heard(ref: str, status: Status = "delivered", at: int = 5, code: int | None = None) -> Receipt:
    return Receipt(CARRIER, status, at, ref, error_code=code)


async def _receive(engine: Engine, records: Records, *receipts: Receipt) -> Applied:
    return await engine.write(receive, receipts, records.terms)


async def _submitted(engine: Engine, records: Records, message: Message, *refs: str) -> Applied:
    change = Change(message.account_id, message.id, records.clock.now(), "sent", carrier=CARRIER, refs=refs)
    return await engine.write(apply, [change], records.terms)


async def _status(engine: Engine, message: Message) -> Status:
    found = await engine.read(messages.fetch, message.account_id, message.id)
    assert found is not None
    return found.status


async def _kinds(engine: Engine, message: Message) -> list[str]:
    return [event.kind for event in await engine.read(messages.history, message.id)]


async def test_a_receipt_finds_its_message_by_the_carriers_name_of_it(engine: Engine, records: Records) -> None:
    message, other = await records.sent_off(engine), await records.sent_off(engine)
    await _submitted(engine, records, message, "r1")
    await _submitted(engine, records, other, "r2")
    applied = await _receive(engine, records, _heard("r1", "undelivered", code=30005))
    assert [change.message_id for change in applied.moved] == [message.id]
    found = await engine.read(messages.fetch, message.account_id, message.id)
    assert found is not None
    assert (found.status, found.error_code) == ("undelivered", 30005)
    assert await _status(engine, other) == "sent"
    event = (await engine.read(messages.history, message.id))[-1]
    assert event.data == '{"carrier":"smpp","status":"undelivered","ref":"r1","code":30005}'


async def test_a_receipt_finds_its_message_by_our_key(engine: Engine, records: Records) -> None:
    message = await records.sent_off(engine)
    await _receive(engine, records, Receipt(CARRIER, "delivered", 5, key=(message.account_id, message.id)))
    assert await _status(engine, message) == "delivered"
    assert await engine.read(messages.waiting, message.id) is None


async def test_names_of_one_carrier_are_not_anothers(engine: Engine, records: Records) -> None:
    message = await records.sent_off(engine)
    await _submitted(engine, records, message, "r1")
    await _receive(engine, records, Receipt("other", "delivered", 5, "r1"))
    assert await _status(engine, message) == "sent"
    assert await engine.read(_orphans) == [Orphan("other", "r1", "delivered", 5, None)]


async def test_a_receipt_said_twice_leaves_no_trace(engine: Engine, records: Records) -> None:
    message = await records.sent_off(engine)
    await _submitted(engine, records, message, "r1")
    await _receive(engine, records, _heard("r1"), _heard("r1"))
    applied = await _receive(engine, records, _heard("r1"))
    assert applied == Applied([], [])
    assert await _kinds(engine, message) == ["queued", "sent", "delivered"]


async def test_a_late_receipt_changes_nothing_but_is_seen(engine: Engine, records: Records) -> None:
    message = await records.sent_off(engine)
    await _submitted(engine, records, message, "r1")
    await _receive(engine, records, _heard("r1"))
    await _receive(engine, records, _heard("r1", "sent"), _heard("r1", "failed"))
    assert await _status(engine, message) == "delivered"
    assert await _kinds(engine, message) == ["queued", "sent", "delivered", "receipt", "receipt"]
    await _receive(engine, records, _heard("r1", "read"))
    assert await _status(engine, message) == "read"


async def test_a_receipt_before_its_submit_is_kept_and_matched(engine: Engine, records: Records) -> None:
    message = await records.sent_off(engine, status_callback="https://example.com/")
    assert await _receive(engine, records, _heard("r1", at=7)) == Applied([], [])
    assert await engine.read(_orphans) == [Orphan(CARRIER, "r1", "delivered", 7, None)]
    applied = await _submitted(engine, records, message, "r1")
    assert [change.status for change in applied.moved] == ["sent", "delivered"]
    assert [callback.status for callback in applied.callbacks] == ["sent", "delivered"]
    assert await _status(engine, message) == "delivered"
    assert await engine.read(_orphans) == []
    await _receive(engine, records, _heard("r1"))  # once more, now that it is known
    assert await _kinds(engine, message) == ["queued", "sent", "delivered"]


async def test_early_receipts_are_matched_in_the_order_in_which_they_came(engine: Engine, records: Records) -> None:
    message = await records.sent_off(engine)
    await _receive(engine, records, _heard("r1"), _heard("r1", "read"), _heard("r1", "undelivered"))
    await _submitted(engine, records, message, "r1")
    assert await _kinds(engine, message) == ["queued", "sent", "delivered", "read", "receipt"]


async def test_a_message_is_delivered_with_its_last_segment(engine: Engine, records: Records) -> None:
    message = await records.sent_off(engine, segments=3)
    await _submitted(engine, records, message, "a", "b", "c")
    await _receive(engine, records, _heard("a"), _heard("c"))
    assert await _status(engine, message) == "sent"
    await _receive(engine, records, _heard("c"), _heard("a", "sent"))
    assert await _status(engine, message) == "sent"
    await _receive(engine, records, _heard("b"))
    assert await _status(engine, message) == "delivered"


async def test_a_message_fails_with_its_first_segment(engine: Engine, records: Records) -> None:
    message = await records.sent_off(engine, segments=3)
    await _submitted(engine, records, message, "a", "b", "c")
    await _receive(engine, records, _heard("a"), _heard("b", "undelivered", code=30006))
    found = await engine.read(messages.fetch, message.account_id, message.id)
    assert found is not None
    assert (found.status, found.error_code) == ("undelivered", 30006)
    await _receive(engine, records, _heard("b"), _heard("c"))
    assert await _status(engine, message) == "undelivered"


async def test_segments_heard_early_count_with_those_heard_late(engine: Engine, records: Records) -> None:
    message = await records.sent_off(engine, segments=2)
    await _receive(engine, records, _heard("a"))
    await _submitted(engine, records, message, "a", "b")
    assert await _status(engine, message) == "sent"
    await _receive(engine, records, _heard("b"))
    assert await _status(engine, message) == "delivered"


def test_segments_fold() -> None:
    assert fold(["delivered", None]) is None
    assert fold(["delivered", "sent"]) is None
    assert fold(["delivered", "delivered"]) == "delivered"
    assert fold(["delivered", "read"]) == "read"
    assert fold([None, "undelivered"]) == "undelivered"
    assert fold(["undelivered", "failed", "delivered"]) == "failed"


async def test_an_orphan_that_another_node_left_is_matched_later(engine: Engine, records: Records) -> None:
    message = await records.sent_off(engine)
    await _submitted(engine, records, message, "r1")

    def left() -> Operation[None]:  # as if both nodes had looked before either committed
        rows = [(CARRIER, ref, "delivered", 5, None) for ref in ("r1", "r1", "nobody's")]
        yield Insert(schema.orphans, rows, ("carrier", "ref", "status", "at", "error_code"))

    await engine.write(left)
    applied = await engine.write(rematch, 10, records.terms)
    assert [change.status for change in applied.moved] == ["delivered"]
    assert await _status(engine, message) == "delivered"
    assert [orphan.ref for orphan in await engine.read(_orphans)] == ["nobody's"]
    assert await engine.write(rematch, 10, records.terms) == Applied([], [])


STEPS = st.one_of(
    st.tuples(
        st.just("receipt"),
        st.sampled_from(["delivered", "undelivered", "failed", "sent", "read"]),
        st.sampled_from(["key", "a", "b", "elsewhere"]),
    ),
    st.tuples(st.just("answer"), st.sampled_from(["sending", "sent", "failed", "canceled"]), st.just("")),
    st.tuples(st.just("submitted"), st.just("sent"), st.sampled_from(["a", "ab"])),
    st.tuples(st.just("requeue"), st.just("queued"), st.just("")),
)
Step = tuple[str, Status, str]


@given(st.lists(st.lists(STEPS, max_size=4), max_size=6))
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_sequence_of_what_may_happen_makes_a_state_regress(
    engine: Engine, records: Records, batches: list[list[Step]]
) -> None:
    message = await records.sent_off(engine, segments=2)
    for batch in batches:
        before = await _status(engine, message)
        for step in batch:
            await _happen(engine, records, message, step)
        after = await _status(engine, message)
        waits = await engine.read(messages.waiting, message.id)
        assert before == after or _reaches(before, after)
        assert waits is None or after not in FINAL | {"sent"}
    states = [kind for kind in await _kinds(engine, message) if kind not in ("receipt", "submit")]
    assert states[0] == "queued"
    assert states[-1] == await _status(engine, message)
    for earlier, later in pairwise(states):
        assert may_move(earlier, later)  # type: ignore[arg-type]


def _reaches(before: Status, after: Status) -> bool:
    seen, ahead = set(), [before]
    while ahead:
        state = ahead.pop()
        if state not in seen:
            seen.add(state)
            ahead += MOVES[state]
    return after in seen - {before}


async def _happen(engine: Engine, records: Records, message: Message, step: Step) -> None:
    what, status, where = step
    now = records.clock.now()
    if what == "receipt":
        by_key = where == "key"
        ref = None if by_key else f"{where}-{message.id.hex()}"
        key = (message.account_id, message.id) if by_key else None
        await _receive(engine, records, Receipt(CARRIER, status, now, ref, key))
        return
    change = Change(message.account_id, message.id, now, status)
    if what == "submitted":
        refs = tuple(f"{ref}-{message.id.hex()}" for ref in where)
        change = Change(message.account_id, message.id, now, status, carrier=CARRIER, refs=refs)
    elif what == "requeue":
        terms = Requeue(None, now + US, 1, "throttled")
        change = Change(message.account_id, message.id, now, None, "submit", requeue=terms)
    await engine.write(apply, [change], records.terms)


_GATE: Final = 7
_AT_A_LOCK: Final = """
    SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


async def test_two_nodes_that_hear_of_one_segment_each_miss_neither(
    engine: Engine, url: str, records: Records, engine_name: str
) -> None:
    """The first node's transaction is held open before its commit, until the second's has seen what there is."""
    if engine_name == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    message = await records.sent_off(engine)
    await _submitted(engine, records, message, "r1", "r2")

    def receive_and_wait() -> Operation[Applied]:
        applied = yield from receive([_heard("r1")], records.terms)
        yield Query(select(func.pg_advisory_xact_lock(_GATE)))
        return applied

    other, watch = open_engine(url), await asyncpg.connect(url)
    await other.open()
    try:
        await watch.execute(f"SELECT pg_advisory_lock({_GATE})")
        first = engine.write(receive_and_wait)
        while await watch.fetchval(_AT_A_LOCK) < 1:
            assert not first.done()
        second = other.write(receive, [_heard("r2")], records.terms)
        while not second.done() and await watch.fetchval(_AT_A_LOCK) < 2:
            pass
        await watch.execute(f"SELECT pg_advisory_unlock({_GATE})")
        await asyncio.gather(first, second)
    finally:
        await watch.close()
        await other.close()
    assert await _status(engine, message) == "delivered"
