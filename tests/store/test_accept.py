"""Taking messages: what is kept, what is answered from the record, what is refused."""

import asyncio
from typing import Any, Literal

from msgspec.structs import replace

from parley.model.consent import ConsentChange, OptOut
from parley.store import Engine, media, messages, opt_outs, queue
from parley.store.accept import IdempotencyKey, Intake, Repeated, Taken, Verdict, accept, purge_idempotency
from parley.store.stickies import Choice, Doom, Option
from tests.clock import ManualClock
from tests.store.records import US, Records, take


async def test_all_that_belongs_to_a_message_is_kept_at_once(engine: Engine, records: Records) -> None:
    message = records.message(num_media=2, extras='{"tags":["a"]}', body="Grüße 👋")
    pending = records.pending(message)
    callback = records.callback(message)
    attached = records.media(message, 0, content_type="image/png", size=3, content_hash=b"h" * 32, source_url=None)
    linked = records.media(message, 1)
    verdicts = await engine.write(
        accept,
        [Intake(message, pending, (attached, linked), ((b"h" * 32, b"png"),), (callback,), event_data='{"by":"test"}')],
    )
    assert verdicts == [Taken(message, pending, (callback,))]
    assert await engine.read(messages.fetch, message.account_id, message.id) == message
    assert await engine.read(messages.waiting, message.id) == pending
    assert await engine.read(media.of_messages, [message.id]) == {message.id: [attached, linked]}
    assert await engine.read(media.content, b"h" * 32) == b"png"
    assert await engine.read(queue.callbacks_of, message.id) == [callback]
    [event] = await engine.read(messages.history, message.id)
    assert (event.kind, event.at, event.data) == ("queued", message.created_at, '{"by":"test"}')


async def test_no_other_account_sees_it(engine: Engine, records: Records) -> None:
    message = await records.sent_off(engine)
    assert await engine.read(messages.fetch, records.ids.new(), message.id) is None


async def test_a_repeated_key_gives_the_message_that_it_made(engine: Engine, records: Records) -> None:
    first, second = records.message(), records.message()
    key = IdempotencyKey("k1", b"same request")
    await take(engine, Intake(first, records.pending(first), idempotency=key))
    verdicts = await engine.write(accept, [Intake(second, records.pending(second), idempotency=key)])
    assert verdicts == [Repeated(first.id)]
    assert await engine.read(messages.fetch, second.account_id, second.id) is None
    assert await engine.read(messages.waiting, second.id) is None


async def test_a_key_belongs_to_its_account(engine: Engine, records: Records) -> None:
    first, other = records.message(), records.message(account_id=records.ids.new())
    key = IdempotencyKey("k1", b"same request")
    await take(engine, Intake(first, idempotency=key), Intake(other, idempotency=key))


async def test_a_key_repeated_within_one_batch_makes_one_message(engine: Engine, records: Records) -> None:
    key = IdempotencyKey("k1", b"same request")
    intakes = [Intake(records.message(), idempotency=key) for _ in range(3)]
    first = intakes[0].message
    assert await engine.write(accept, intakes) == [Taken(first, None), Repeated(first.id), Repeated(first.id)]


async def test_a_key_used_for_another_request_is_refused(engine: Engine, records: Records) -> None:
    first, other = records.message(), records.message()
    await take(engine, Intake(first, idempotency=IdempotencyKey("k1", b"one")))
    assert await engine.write(accept, [Intake(other, idempotency=IdempotencyKey("k1", b"two"))]) == ["key_reused"]
    assert await engine.read(messages.fetch, other.account_id, other.id) is None


async def test_a_request_that_is_refused_and_repeated_in_one_batch_is_refused_twice(
    engine: Engine, records: Records
) -> None:
    first, again = records.message(), records.message()
    await engine.write(opt_outs.apply, [_says((first.account_id, str(first.sender), first.recipient), "opt_out")])
    key = IdempotencyKey("k1", b"same request")
    intakes = [Intake(message, idempotency=key, must_consent=True) for message in (first, again)]
    assert await engine.write(accept, intakes) == ["opted_out", "opted_out"]


async def test_keys_are_forgotten_with_age(engine: Engine, records: Records) -> None:
    first, second = records.message(), records.message()
    key = IdempotencyKey("k1", b"same request")
    await take(engine, Intake(first, idempotency=key))
    await engine.write(purge_idempotency, first.created_at)
    assert await engine.write(accept, [Intake(second, idempotency=key)]) == [Repeated(first.id)]
    await engine.write(purge_idempotency, first.created_at + 1)
    await take(engine, Intake(second, idempotency=key))


async def test_who_opted_out_is_not_written_to(engine: Engine, records: Records) -> None:
    message = records.message()
    sender, recipient = str(message.sender), message.recipient
    pair = (message.account_id, sender, recipient)
    await engine.write(opt_outs.apply, [_says(pair, "opt_out")])
    others = [records.message(sender="+15550000001"), records.message(recipient="+15550000002")]
    intakes = [Intake(each, records.pending(each), must_consent=True) for each in (message, *others)]
    verdicts = await engine.write(accept, intakes)
    assert verdicts[0] == "opted_out"
    assert all(isinstance(verdict, Taken) for verdict in verdicts[1:])
    assert await engine.read(messages.history, message.id) == []
    await take(engine, Intake(message))  # what need not ask, such as the confirmation itself, passes
    assert await engine.write(opt_outs.lift, _says(pair, "opt_in"))
    again = records.message()
    await take(engine, Intake(again, must_consent=True))


def _slots(verdicts: list[Verdict], start: int) -> list[tuple[float, str | None, bytes | None]]:
    taken = [verdict.pending for verdict in verdicts if isinstance(verdict, Taken)]
    return [((p.due_at - start) / US, p.waiting_for, p.node) for p in taken if p is not None]


async def test_a_paced_sender_gives_one_slot_after_the_other(engine: Engine, records: Records) -> None:
    start = records.clock.now()
    paced = [records.message(created_at=start) for _ in range(3)]
    intakes = [Intake(m, records.pending(m), slot_us=US) for m in paced]
    verdicts = await engine.write(accept, intakes)
    assert _slots(verdicts, start) == [(0, None, records.node), (1, "pace", None), (2, "pace", None)]

    message = records.message(created_at=start)
    verdicts = await engine.write(accept, [Intake(message, records.pending(message), slot_us=3 * US)])
    assert _slots(verdicts, start) == [(3, "pace", None)]  # the next batch goes on where this one ended

    message = records.message(created_at=start)
    verdicts = await engine.write(accept, [Intake(message, records.pending(message), slot_us=US)])
    assert _slots(verdicts, start) == [(6, "pace", None)]  # three segments took three seconds
    stored = await engine.read(messages.waiting, message.id)
    assert stored is not None
    assert (stored.due_at - start, stored.waiting_for, stored.node) == (6 * US, "pace", None)


async def test_senders_are_paced_apart_and_an_idle_one_is_free_at_once(
    engine: Engine, records: Records, clock: ManualClock
) -> None:
    start = clock.now()
    one, other = records.message(created_at=start), records.message(created_at=start, sender="+15550000009")
    verdicts = await engine.write(accept, [Intake(m, records.pending(m), slot_us=US) for m in (one, other)])
    assert [slot[0] for slot in _slots(verdicts, start)] == [0, 0]
    later = records.message(created_at=start + 60 * US)
    verdicts = await engine.write(accept, [Intake(later, records.pending(later), slot_us=US)])
    assert _slots(verdicts, start) == [(60, None, records.node)]


async def test_a_scheduled_message_takes_its_slot_when_it_is_due(engine: Engine, records: Records) -> None:
    start = records.clock.now()
    message = records.message(created_at=start, status="scheduled")
    waits = records.pending(message, due_at=start + 900 * US, node=None, waiting_for="schedule")
    verdicts = await engine.write(accept, [Intake(message, waits, slot_us=US)])
    assert _slots(verdicts, start) == [(900, "schedule", None)]


async def test_a_slot_too_far_away_is_refused_and_costs_nothing(engine: Engine, records: Records) -> None:
    start = records.clock.now()
    paced = [records.message(created_at=start) for _ in range(4)]
    intakes = [Intake(m, records.pending(m), slot_us=2 * US, most_wait_us=3 * US) for m in paced]
    verdicts = await engine.write(accept, intakes)
    assert _slots(verdicts, start) == [(0, None, records.node), (2, "pace", None)]
    assert verdicts[2:] == ["queue_full", "queue_full"]
    assert await engine.read(messages.fetch, records.account_id, paced[2].id) is None
    patient = records.message(created_at=start)
    verdicts = await engine.write(accept, [Intake(patient, records.pending(patient), slot_us=US)])
    assert [slot[0] for slot in _slots(verdicts, start)] == [4]


async def test_items_put_into_a_lane_together_share_a_transaction(engine: Engine, records: Records) -> None:
    lane = engine.lane(accept)
    before = engine.commits
    taken = [records.message() for _ in range(50)]
    verdicts = await asyncio.gather(*(lane.put(Intake(m, records.pending(m))) for m in taken))
    assert [v.message.id for v in verdicts if isinstance(v, Taken)] == [m.id for m in taken]
    assert engine.commits == before + 1


async def test_a_bad_item_fails_alone(engine: Engine, records: Records) -> None:
    lane = engine.lane(accept)
    good = [records.message() for _ in range(20)]
    twin = replace(records.message(), id=good[3].id)  # the same id twice
    unfit = replace(records.message(), segments="many")
    items = [*good[:10], twin, *good[10:], unfit]
    single = engine.write(opt_outs.is_out, records.account_id, "a", "b")
    results = await asyncio.gather(*(lane.put(Intake(m)) for m in items), return_exceptions=True)
    failed = [n for n, result in enumerate(results) if isinstance(result, BaseException)]
    expected = [10] if engine.name == "sqlite" else [10, 21]  # SQLite keeps what it is given
    assert failed == expected
    assert await single is None
    found = await engine.read(messages.fetch_many, [(m.account_id, m.id) for m in good])
    assert set(found) == {m.id for m in good}
    assert found[good[3].id] == good[3]


async def test_what_a_message_says_of_consent_is_noted_with_it_in_order_and_once(
    engine: Engine, records: Records
) -> None:
    plain = records.message()
    pair = (plain.account_id, str(plain.sender), plain.recipient)
    out = OptOut(*pair, "STOP", 1)

    def said(key: str, out: OptOut | None) -> Intake:
        change = _says(pair, "opt_in" if out is None else "opt_out")
        return Intake(records.message(), idempotency=IdempotencyKey(key, b""), consent=(change,))

    await take(engine, said("1", out), said("2", None), said("3", out))
    assert await engine.read(opt_outs.is_out, *pair) == out
    await take(engine, said("4", None))
    assert await engine.read(opt_outs.is_out, *pair) is None
    assert await engine.write(accept, [said("3", out)]) != []
    assert await engine.read(opt_outs.is_out, *pair) is None


def _says(pair: tuple[bytes, str, str], kind: Literal["opt_out", "opt_in"]) -> ConsentChange:
    return ConsentChange(*pair, 1, kind, "STOP", "inbound", pair[2])


SERVICE = b"s" * 16
ONE, OTHER, THIRD = "+15550000011", "+15550000012", "+15550000013"


def _through(records: Records, sender: str, *others: str, segment_us: float = 0.0, **values: Any) -> Intake:
    """A message through a service, whose turn it is to be sent from `sender`."""
    message = records.message(service_id=SERVICE, sender=sender)
    choice = Choice(SERVICE, sender, "country", dict.fromkeys((sender, *others), Option(segment_us)), is_sticky=True)
    plain = Intake(message, records.pending(message), choice=choice, passed=("accepted",))
    return replace(plain, **values)


async def _senders(engine: Engine, *intakes: Intake) -> list[str | None]:
    verdicts = await engine.write(accept, intakes)
    taken = [verdict for verdict in verdicts if isinstance(verdict, Taken)]
    kept = await engine.read(messages.fetch_many, [(t.message.account_id, t.message.id) for t in taken])
    waits = [await engine.read(messages.waiting, taking.message.id) for taking in taken]
    assert [wait.sender for wait in waits if wait is not None] == [taking.message.sender for taking in taken]
    assert [kept[taking.message.id] for taking in taken] == [taking.message for taking in taken]
    return [taking.message.sender for taking in taken]


async def test_a_service_goes_on_with_the_sender_that_a_recipient_knows(engine: Engine, records: Records) -> None:
    assert await _senders(engine, _through(records, ONE, OTHER), _through(records, OTHER, ONE)) == [ONE, ONE]
    later = _through(records, OTHER, ONE)
    assert await _senders(engine, later) == [ONE]
    history = await engine.read(messages.history, later.message.id)
    assert [(event.kind, event.data) for event in history] == [
        ("accepted", None),
        ("queued", f'{{"sender":"{ONE}","why":"sticky"}}'),
    ]
    assert await _senders(engine, _through(records, OTHER, THIRD)) == [OTHER]  # the known one is not among them now
    assert await _senders(engine, _through(records, ONE, OTHER)) == [OTHER]
    apart = Choice(b"t" * 16, THIRD, "any", dict.fromkeys((THIRD, OTHER), Option()), is_sticky=True)
    assert await _senders(engine, _through(records, THIRD, choice=apart)) == [THIRD]


async def test_a_message_that_is_not_taken_leaves_no_sender_behind(engine: Engine, records: Records) -> None:
    refused = _through(records, ONE, OTHER, must_consent=True, scope="MG" + SERVICE.hex())
    pair = (refused.message.account_id, "MG" + SERVICE.hex(), refused.message.recipient)
    out = ConsentChange(*pair, 1, "opt_out", "STOP", "inbound", pair[2])
    await engine.write(opt_outs.apply, [out])
    assert await engine.write(accept, [refused]) == ["opted_out"]
    assert await _senders(engine, _through(records, OTHER, ONE)) == [OTHER]


async def test_a_message_takes_the_pace_and_the_end_of_the_sender_that_it_gets(
    engine: Engine, records: Records
) -> None:
    await _senders(engine, _through(records, ONE))
    options = {OTHER: Option(), ONE: Option(2.0 * US)}
    choice = Choice(SERVICE, OTHER, "any", options, is_sticky=True)
    start = records.clock.now()
    slow = [_through(records, OTHER, choice=choice) for _ in range(2)]
    verdicts = await engine.write(accept, slow)
    assert _slots(verdicts, start) == [(0.001, None, records.node), (2.001, "pace", None)]

    options = {OTHER: Option(sort="toll_free"), ONE: Option()}
    dooms = {"long_code": Doom("undelivered", 30034)}
    owed = records.callback(slow[0].message, status="failed")
    choice = Choice(SERVICE, OTHER, "any", options, is_sticky=True, dooms=dooms)
    doomed = _through(records, OTHER, choice=choice, ending=owed)
    [verdict] = await engine.write(accept, [doomed])
    assert isinstance(verdict, Taken)
    assert (verdict.message.sender, verdict.message.status, verdict.message.error_code) == (ONE, "undelivered", 30034)
    assert verdict.pending is None
    assert [(callback.status, callback.error_code) for callback in verdict.callbacks] == [("undelivered", 30034)]
    assert await engine.read(messages.waiting, doomed.message.id) is None
    kinds = [event.kind for event in await engine.read(messages.history, doomed.message.id)]
    assert kinds == ["accepted", "queued", "undelivered"]


async def test_an_overflow_ends_a_message_instead_of_refusing_it(engine: Engine, records: Records) -> None:
    start = records.clock.now()
    paced = [records.message(created_at=start, updated_at=start) for _ in range(3)]
    plain = [Intake(m, records.pending(m, due_at=start), slot_us=2 * US, most_wait_us=2 * US) for m in paced]
    verdicts = await engine.write(accept, [replace(each, overflow=Doom("failed", 30001)) for each in plain])
    ends = [(v.message.status, v.message.error_code) for v in verdicts if isinstance(v, Taken)]
    assert ends == [("queued", None), ("queued", None), ("failed", 30001)]
    kept = await engine.read(messages.fetch, records.account_id, paced[2].id)
    assert kept is not None
    assert (kept.status, kept.error_code) == ("failed", 30001)
