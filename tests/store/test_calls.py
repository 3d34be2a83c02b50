"""Calls: one a request, told of by the node that holds it, and ended once by another when that node is gone."""

from typing import Any

from msgspec.structs import replace

from parley.lib.ids import to_uuid
from parley.model.call import Call, Placed, text_key
from parley.store import Engine, calls, messages, phones, queue
from parley.store.accept import IdempotencyKey, Intake, accept
from tests.store.records import US, Records

OTHER = b"another node's id"[:16]


def placed(records: Records, *transcript: dict[str, Any]) -> Placed:
    now = records.clock.now()
    call = Call("inbound", "+15550000001", "+15551234567", "in-progress", now, None, transcript)
    return Placed(records.ids.new(), call)


async def begin(engine: Engine, records: Records, call: Placed, key: IdempotencyKey | None = None) -> bytes | None:
    return await engine.write(calls.begin, call, records.account_id, records.node, key)


async def test_a_request_with_a_key_begins_one_call(engine: Engine, records: Records) -> None:
    first, second = placed(records), placed(records)
    key = IdempotencyKey("k", b"a")
    assert await begin(engine, records, first, key) == first.id
    assert await begin(engine, records, second, key) == first.id
    assert await begin(engine, records, second, IdempotencyKey("k", b"b")) is None
    assert await begin(engine, records, second) == second.id
    assert await engine.read(calls.fetch, records.account_id, first.id) == first
    assert await engine.read(calls.fetch, OTHER, first.id) is None


async def test_only_who_carries_a_call_out_tells_of_it(engine: Engine, records: Records) -> None:
    call = placed(records)
    await begin(engine, records, call)
    further = replace(call, call=replace(call.call, transcript=({"method": "answer"},)))
    assert not await engine.write(calls.tell, further, OTHER)
    assert await engine.write(calls.tell, further, records.node)
    ended = replace(further, call=replace(further.call, status="completed", ended_at=5))
    assert await engine.write(calls.tell, ended, records.node)
    assert not await engine.write(calls.tell, further, records.node)
    assert await engine.read(calls.fetch, records.account_id, call.id) == ended


async def test_a_dead_nodes_calls_are_ended_with_the_text_that_nobody_told_of(engine: Engine, records: Records) -> None:
    now = records.clock.now()
    await engine.write(queue.join, records.node, "a", now + 10 * US)
    refused = {"method": "send_sms", "to": "x", "from": "y", "body": "z", "message_id": None}
    call, quiet = placed(records, refused), placed(records)
    for each in (call, quiet):
        await begin(engine, records, each)
    sent = records.message(body="Sent")
    await engine.write(accept, [Intake(sent, idempotency=IdempotencyKey(text_key(call.id, 2), b""))])
    assert await engine.read(calls.cut_off, 10) == []
    assert await engine.read(calls.held, records.node) == {call.id, quiet.id}
    assert await engine.write(calls.end, [call.id], OTHER, now) == 0
    await engine.write(queue.leave, records.node)
    found = await engine.read(calls.cut_off, 10)
    assert sorted(found) == [call.id, quiet.id]
    assert await engine.write(calls.end, found, OTHER, now + 1) == 2
    assert await engine.read(calls.cut_off, 10) == []
    cut = await engine.read(calls.fetch, records.account_id, call.id)
    assert cut is not None
    assert (cut.call.status, cut.call.ended_at) == ("failed", now + 1)
    first, text, last = cut.call.transcript
    assert (first, text["body"], last["code"]) == (refused, "Sent", "call_cut_off")
    assert not await engine.write(calls.tell, call, records.node)


async def test_what_is_redacted_or_forgotten_is_so_in_calls(engine: Engine, records: Records) -> None:
    sent = records.message(body="Secret", status="delivered")
    await engine.write(accept, [Intake(sent)])
    told = {"method": "send_sms", "to": "x", "from": "y", "message_id": to_uuid(sent.id)}
    call = placed(records, told)
    await begin(engine, records, call)
    bodies = []
    for _ in range(2):
        shown = await engine.read(calls.fetch, records.account_id, call.id)
        assert shown is not None
        bodies.append(shown.call.transcript[0]["body"])
        await engine.write(messages.redact, records.account_id, sent.id, records.clock.now())
    assert bodies == ["Secret", ""]
    await engine.write(phones.forget_all)
    assert await engine.read(calls.fetch, records.account_id, call.id) is None
