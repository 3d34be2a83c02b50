"""How states move: every legal move, no other, and what each leaves behind."""

from typing import Any

import pytest

from parley.model.message import FINAL, INITIAL, MOVES, Dialect, Message, Status, may_move
from parley.store import Engine, messages, queue
from parley.store.accept import Intake
from parley.store.changes import Applied, Change, Requeue, apply
from tests.store.records import CALLBACK_STATES, US, Records, take


async def _change(engine: Engine, records: Records, message: Message, *changes: dict[str, Any]) -> Applied:
    at = records.clock.now()
    made = [Change(message.account_id, message.id, at + n, **each) for n, each in enumerate(changes)]
    return await engine.write(apply, made, records.terms)


async def _stored(engine: Engine, message: Message) -> Message:
    found = await engine.read(messages.fetch, message.account_id, message.id)
    assert found is not None
    return found


async def _kinds(engine: Engine, message: Message) -> list[str]:
    return [event.kind for event in await engine.read(messages.history, message.id)]


async def test_every_legal_move_is_made_and_every_other_leaves_an_event_only(engine: Engine, records: Records) -> None:
    pairs = [(before, after) for before in MOVES for after in MOVES]
    made = {pair: records.message(status=pair[0]) for pair in pairs}
    await take(engine, *(Intake(message, records.pending(message)) for message in made.values()))
    at = records.clock.now() + 5
    changes = [Change(m.account_id, m.id, at, after, data="{}") for (_, after), m in made.items()]
    applied = await engine.write(apply, changes, records.terms)
    moved = {change.message_id for change in applied.moved}
    found = await engine.read(messages.fetch_many, [(m.account_id, m.id) for m in made.values()])
    for (before, after), message in made.items():
        stored = found[message.id]
        kinds = await _kinds(engine, message)
        waits = await engine.read(messages.waiting, message.id)
        if may_move(before, after):
            assert (stored.status, stored.updated_at) == (after, at)
            assert message.id in moved
            assert kinds == [before, after]
            assert (waits is None) == (after in FINAL or after == "sent"), (before, after)
        else:
            assert (stored.status, stored.updated_at) == (before, message.updated_at)
            assert message.id not in moved
            assert kinds == [before] if before == after else [before, "receipt"]
            assert waits is not None


async def test_sent_at_is_when_it_first_left(engine: Engine, records: Records) -> None:
    message = await records.sent_off(engine)
    at = records.clock.now()
    await _change(engine, records, message, {"status": "sending"}, {"status": "sent"}, {"status": "delivered"})
    assert (await _stored(engine, message)).sent_at == at + 1
    overtaken = await records.sent_off(engine)
    at = records.clock.now()
    await _change(engine, records, overtaken, {"status": "delivered"}, {"status": "sent"})
    stored = await _stored(engine, overtaken)
    assert (stored.sent_at, stored.status) == (at, "delivered")


async def test_a_failure_keeps_its_code_and_success_has_none(engine: Engine, records: Records) -> None:
    failed = await records.sent_off(engine)
    await _change(engine, records, failed, {"status": "failed", "error_code": 30003, "error_message": "Unreachable"})
    stored = await _stored(engine, failed)
    assert (stored.error_code, stored.error_message, stored.sent_at) == (30003, "Unreachable", None)
    delivered = await records.sent_off(engine)
    await _change(engine, records, delivered, {"status": "delivered", "error_code": 0})
    assert (await _stored(engine, delivered)).error_code is None


async def test_a_fault_that_does_not_end_a_message_is_seen_on_it(engine: Engine, records: Records) -> None:
    message = await records.sent_off(engine, status="received", direction="inbound")
    fault = {"kind": "webhook", "error_code": 11200, "error_message": "HTTP retrieval failure", "data": "{}"}
    applied = await _change(engine, records, message, fault)
    assert applied.moved == []
    stored = await _stored(engine, message)
    assert (stored.status, stored.error_code, stored.error_message) == ("received", 11200, "HTTP retrieval failure")
    assert await _kinds(engine, message) == ["received", "webhook"]


async def test_the_carrier_that_took_it_is_kept(engine: Engine, records: Records) -> None:
    message = await records.sent_off(engine)
    await _change(engine, records, message, {"status": "sent", "carrier": "one"}, {"carrier": "two"})
    assert (await _stored(engine, message)).carrier == "one"


async def test_a_change_bound_to_a_state_happens_in_no_other(engine: Engine, records: Records) -> None:
    message = await records.sent_off(engine)
    canceled = {"status": "canceled", "only_from": ("accepted", "scheduled")}
    assert (await _change(engine, records, message, canceled)).moved == []
    assert await _kinds(engine, message) == ["queued"]
    assert len((await _change(engine, records, message, canceled | {"only_from": ("queued",)})).moved) == 1
    assert (await _stored(engine, message)).status == "canceled"


async def test_a_change_for_a_free_message_leaves_one_alone_that_a_node_holds(engine: Engine, records: Records) -> None:
    held, free = records.message(), records.message()
    await take(engine, Intake(held, records.pending(held)), Intake(free, records.pending(free, node=None)))
    for message, moved in ((held, 0), (free, 1)):
        applied = await _change(engine, records, message, {"status": "canceled", "only_if_free": True})
        assert len(applied.moved) == moved
    assert (await _stored(engine, held)).status == "queued"
    assert await engine.read(messages.waiting, held.id) is not None


async def test_a_change_by_the_holder_misses_when_another_node_has_it(engine: Engine, records: Records) -> None:
    message = await records.sent_off(engine)
    changes = [
        Change(message.account_id, message.id, records.clock.now(), "sending", only_if_held_by=node)
        for node in (b"o" * 16, records.node)
    ]
    applied = await engine.write(apply, changes, records.terms)
    assert (applied.missed, applied.moved) == (changes[:1], changes[1:])
    await _change(engine, records, message, {"status": "delivered"})
    gone = await engine.write(apply, changes[1:], records.terms)
    assert (gone.missed, gone.moved) == (changes[1:], [])


async def test_a_step_that_was_overtaken_and_tells_nothing_leaves_no_trace(engine: Engine, records: Records) -> None:
    message = await records.sent_off(engine)
    await _change(engine, records, message, {"status": "delivered"}, {"status": "sending"})
    assert await _kinds(engine, message) == ["queued", "delivered"]


async def test_of_two_changes_at_once_the_second_sees_the_first(engine: Engine, records: Records) -> None:
    message = await records.sent_off(engine)
    at = records.clock.now()
    queued: tuple[Status, ...] = ("queued",)
    canceled = Change(message.account_id, message.id, at, "canceled", only_from=queued)
    sending = Change(message.account_id, message.id, at, "sending", only_from=queued)
    writes = [engine.write(apply, [change], records.terms) for change in (canceled, sending)]
    first, second = [await write for write in writes]
    assert (len(first.moved), len(second.moved)) == (1, 0)


async def test_a_requeued_message_waits_on_its_new_terms(engine: Engine, records: Records) -> None:
    message = await records.sent_off(engine)
    later = records.clock.now() + 60 * US
    terms = Requeue(None, later, 1, "carrier_down")
    await _change(engine, records, message, {"kind": "submit", "data": '{"outcome":"unreachable"}', "requeue": terms})
    waits = await engine.read(messages.waiting, message.id)
    assert waits is not None
    assert (waits.node, waits.due_at, waits.attempts, waits.waiting_for) == (None, later, 1, "carrier_down")
    assert (await _stored(engine, message)).status == "queued"
    assert await _kinds(engine, message) == ["queued", "submit"]


async def test_a_final_message_is_not_requeued(engine: Engine, records: Records) -> None:
    message = await records.sent_off(engine)
    terms = Requeue(None, 1, 1, "throttled")
    await _change(engine, records, message, {"requeue": terms}, {"status": "delivered"}, {"requeue": terms})
    assert await engine.read(messages.waiting, message.id) is None
    await _change(engine, records, message, {"requeue": terms})
    assert await engine.read(messages.waiting, message.id) is None


async def test_an_uncertain_submit_is_marked_and_never_repeated(engine: Engine, records: Records) -> None:
    message = await records.sent_off(engine)
    await _change(engine, records, message, {"status": "sending", "uncertain": True})
    stored = await _stored(engine, message)
    assert (stored.status, stored.uncertain) == ("sending", 1)
    assert await engine.read(messages.waiting, message.id) is None
    await _change(engine, records, message, {"status": "delivered"})
    stored = await _stored(engine, message)
    assert (stored.status, stored.uncertain) == ("delivered", 1)


async def test_an_uncertain_submit_may_wait_for_its_receipt(engine: Engine, records: Records) -> None:
    message = await records.sent_off(engine)
    terms = Requeue(None, records.clock.now() + US, 1, "receipt")
    await _change(engine, records, message, {"status": "sending", "uncertain": True, "requeue": terms})
    waits = await engine.read(messages.waiting, message.id)
    assert waits is not None
    assert waits.waiting_for == "receipt"


@pytest.mark.parametrize("dialect", ["twilio", "signalwire"])
async def test_callbacks_are_owed_for_the_states_of_the_dialect(
    engine: Engine, records: Records, dialect: Dialect
) -> None:
    url = "https://example.com/status#rc=2"
    message = await records.sent_off(engine, dialect=dialect, status_callback=url)
    path: list[Status] = ["sending", "sent", "delivered", "read", "read"]
    applied = await _change(engine, records, message, *({"status": status} for status in path))
    owed = await engine.read(queue.callbacks_of, message.id)
    assert owed == applied.callbacks
    assert [c.status for c in owed] == [status for status in path[:4] if status in CALLBACK_STATES[dialect]]
    for callback in owed:
        assert (callback.url, callback.node, callback.state, callback.kind) == (url, records.node, "pending", "status")
        assert callback.dialect == dialect


async def test_a_failures_callback_tells_its_code(engine: Engine, records: Records) -> None:
    message = await records.sent_off(engine, status_callback="https://example.com/")
    await _change(engine, records, message, {"status": "undelivered", "error_code": 30005})
    [callback] = await engine.read(queue.callbacks_of, message.id)
    assert (callback.status, callback.error_code) == ("undelivered", 30005)


async def test_without_a_url_nothing_is_owed(engine: Engine, records: Records) -> None:
    message = await records.sent_off(engine)
    applied = await _change(engine, records, message, {"status": "delivered"})
    assert applied.callbacks == []
    assert await engine.read(queue.callbacks_of, message.id) == []


async def test_a_message_that_is_not_there_changes_nothing(engine: Engine, records: Records) -> None:
    applied = await _change(engine, records, records.message(), {"status": "sent", "refs": ("r",), "carrier": "c"})
    assert applied == Applied([], [])


async def test_every_initial_state_has_its_event(engine: Engine, records: Records) -> None:
    for status in sorted(INITIAL):
        message = await records.sent_off(engine, status=status)
        assert await _kinds(engine, message) == [status]


async def test_a_node_that_lost_a_message_has_no_word_over_it(engine: Engine, records: Records) -> None:
    message = await records.sent_off(engine)
    now, other = records.clock.now(), records.ids.new()
    terms = Requeue(None, now, 1, "carrier_down")
    late = Change(message.account_id, message.id, now, kind="submit", only_if_held_by=other, requeue=terms)
    applied = await engine.write(apply, [late], records.terms)
    assert (applied.moved, applied.missed, applied.has_requeued) == ([], [late], False)
    assert (waits := await engine.read(messages.waiting, message.id)) is not None
    assert waits.node == records.node
    assert [event.kind for event in await engine.read(messages.history, message.id)] == ["queued"]
    in_time = Change(message.account_id, message.id, now, kind="submit", only_if_held_by=records.node, requeue=terms)
    applied = await engine.write(apply, [in_time], records.terms)
    assert (applied.missed, applied.has_requeued) == ([], True)
    assert (waits := await engine.read(messages.waiting, message.id)) is not None
    assert (waits.node, waits.attempts, waits.waiting_for) == (None, 1, "carrier_down")
    gone = Change(message.account_id, message.id, now, "sending", only_if_held_by=records.node, requeue=terms)
    assert (await engine.write(apply, [gone], records.terms)).missed == [gone]
