"""What becomes of a message by what its carrier answers, on the record and towards the carrier."""

import asyncio
from collections.abc import Sequence
from typing import Literal

import pytest
from msgspec import json

from parley.core.breaker import LONGEST_S
from parley.core.carrier import Rejected, Throttled, Uncertain, Unreachable
from parley.core.refusal import Refused
from parley.model.message import Message
from parley.store.changes import Change
from tests.carriers.scripted import ScriptedCarrier
from tests.core.conftest import MakeNode
from tests.core.node import OURS, PHONE, Node

LONG = "x" * 200
"""Two segments."""
HOUR = 3600.0
CALLBACK = "http://127.0.0.1:9/status"


async def submits(node: Node, message: Message) -> list[str]:
    """The outcomes that the record shows."""
    told = [json.decode(event.data) for event in await node.history(message) if event.data is not None]
    return [each["outcome"] for each in told if "outcome" in each]


async def test_accepted_is_sent_and_its_receipt_delivers_it(node: Node) -> None:
    message = await node.send(status_callback=CALLBACK)
    assert message.status == "queued"
    await node.quiet()
    now = await node.now(message)
    assert (now.status, now.carrier, now.sent_at) == ("sent", "scripted", node.clock.now())
    assert await node.waits(message) is None
    [submission] = node.carrier.submitted
    assert (submission.key, submission.attempt) == ((message.account_id, message.id), 1)
    assert (submission.sender, submission.recipient, submission.body) == (OURS, PHONE, "Hello")
    await node.carrier.report(submission, "delivered")
    assert await node.status(message) == ("delivered", None)
    assert await node.kinds(message) == ["queued", "sending", "sent", "delivered"]
    assert await node.callbacks(message) == ["sent", "delivered"]


async def test_a_receipt_by_key_does_as_well_as_one_by_ref(make_node: MakeNode) -> None:
    node = await make_node(ScriptedCarrier(refs=False))
    message = await node.send(body=LONG)
    await node.quiet()
    [submission] = node.carrier.submitted
    assert submission.segments == 2
    await node.carrier.report(submission, "undelivered", error_code=30003)
    assert await node.status(message) == ("undelivered", 30003)


async def test_a_message_is_delivered_when_all_its_segments_are(node: Node) -> None:
    message = await node.send(body=LONG)
    await node.quiet()
    [submission] = node.carrier.submitted
    await node.carrier.report(submission, "delivered", segment=1)
    assert await node.status(message) == ("sent", None)
    await node.carrier.report(submission, "delivered", segment=1)
    assert await node.status(message) == ("sent", None)
    await node.carrier.report(submission, "delivered", segment=0)
    assert await node.status(message) == ("delivered", None)


async def test_a_message_fails_with_any_of_its_segments(node: Node) -> None:
    message = await node.send(body=LONG)
    await node.quiet()
    [submission] = node.carrier.submitted
    await node.carrier.report(submission, "delivered", segment=0)
    await node.carrier.report(submission, "undelivered", segment=1, error_code=30005)
    assert await node.status(message) == ("undelivered", 30005)
    await node.carrier.report(submission, "delivered", segment=1)
    assert await node.status(message) == ("undelivered", 30005)


@pytest.mark.parametrize("has_refs", [True, False])
async def test_a_receipt_may_come_before_the_submit_is_answered(make_node: MakeNode, has_refs: bool) -> None:
    node = await make_node(ScriptedCarrier(refs=has_refs))
    node.carrier.plan(PHONE, "hold")
    message = await node.send(status_callback=CALLBACK)
    await node.carrier.until_submitted(message.id)
    [submission] = node.carrier.submitted
    await node.carrier.report(submission, "delivered")
    node.carrier.release(message.id, node.carrier.accepts(submission))
    await node.quiet()
    assert await node.status(message) == ("delivered", None)
    assert await node.waits(message) is None
    told = await node.callbacks(message)
    assert told == ["sent", "delivered"]
    assert "receipt" not in await node.kinds(message)
    while not (answered := await submits(node, message)):  # its receipt took it off the queue: nothing waits for this
        await node.engine.wait_for_change(0.05)
    assert answered == ["accepted"]


async def test_rejected_fails_with_its_code(node: Node) -> None:
    node.carrier.plan(PHONE, Rejected(30006, "a landline"))
    message = await node.send(status_callback=CALLBACK)
    await node.quiet()
    now = await node.now(message)
    assert (now.status, now.error_code, now.error_message) == ("failed", 30006, "a landline")
    assert await node.waits(message) is None
    assert await submits(node, message) == ["rejected"]
    await node.after(11 * HOUR)
    assert len(node.carrier.submitted) == 1


async def test_throttled_pauses_its_sender_only_and_keeps_the_order(make_node: MakeNode) -> None:
    carrier = ScriptedCarrier(deduplicates=True)
    node = await make_node(carrier, hands_over=False)
    carrier.plan(PHONE, Throttled(5.0), Throttled(1.0))
    first, second = await _one_batch(node, [PHONE, PHONE])
    third = await node.send(body="3")
    await node.send(body="other", sender="+15550009999")
    await node.turn()
    assert len(carrier.submitted) == 3
    assert carrier.submitted[2].body == "other"
    waiting = [await node.waits(message) for message in (first, second, third)]
    assert [(w.waiting_for, w.attempts) for w in waiting if w is not None] == [("throttled", 0)] * 3
    await node.after(4.9)
    assert len(carrier.submitted) == 3
    node.clock.advance(0.1)
    late = await node.send(body="4")  # comes as the pause ends, and must not overtake
    await node.turn()
    await node.after(0.2)
    went = [submission.key[1] for submission in carrier.submitted[3:]]
    assert went == [message.id for message in (first, second, third, late)]
    assert [submission.attempt for submission in carrier.submitted] == [1] * 7
    assert await submits(node, first) == ["throttled", "accepted"]
    assert await submits(node, third) == ["accepted"]


async def test_a_new_message_does_not_overtake_what_a_pause_put_off(make_node: MakeNode) -> None:
    carrier = ScriptedCarrier(deduplicates=True)
    node = await make_node(carrier)
    carrier.plan(PHONE, Throttled(5.0))
    first = await node.send()
    await node.quiet()
    node.clock.advance(5.0)
    second = await node.send()  # held in memory, while the first waits to be claimed
    await node.quiet()
    assert len(carrier.submitted) == 1
    await node.turn()
    await node.after(0.1)
    assert [submission.key[1] for submission in carrier.submitted[1:]] == [first.id, second.id]


async def test_unreachable_backs_off_with_jitter_until_it_works(make_node: MakeNode) -> None:
    node = await make_node(ScriptedCarrier(deduplicates=True))
    node.carrier.plan(PHONE, *[Unreachable("no route")] * 9)
    message = await node.send()
    await node.quiet()
    pauses: list[float] = []
    for _ in range(9):
        assert await node.status(message) == ("queued", None)
        waits = await node.waits(message)
        assert waits is not None
        assert waits.waiting_for == "carrier_down"
        pauses.append((waits.due_at - node.clock.now()) / 1_000_000)
        count = len(node.carrier.submitted)
        await node.after(pauses[-1] - 0.001)
        assert len(node.carrier.submitted) == count
        await node.after(0.001)
    assert await node.status(message) == ("sent", None)
    assert [s.attempt for s in node.carrier.submitted] == list(range(1, 11))
    for attempt, pause in enumerate(pauses):
        whole = min(LONGEST_S, 2.0**attempt)
        assert whole / 2 <= pause <= whole
    assert len({pause / min(LONGEST_S, 2.0**n) for n, pause in enumerate(pauses)}) == 9


async def test_a_message_that_cannot_be_sent_in_time_fails_with_30036(node: Node) -> None:
    node.carrier.plan(PHONE, *[Unreachable("no route")] * 100)
    message = await node.send(validity_s=20, status_callback=CALLBACK)
    await node.quiet()
    for _ in range(40):
        await node.after(0.5)
    assert await node.status(message) == ("failed", 30036)
    assert await node.waits(message) is None
    assert await node.callbacks(message) == ["failed"]
    count = len(node.carrier.submitted)
    await node.after(HOUR)
    assert len(node.carrier.submitted) == count


async def test_a_throttled_message_expires_on_time(node: Node) -> None:
    node.carrier.plan(PHONE, Throttled(600.0))
    message = await node.send(validity_s=20)
    await node.quiet()
    await node.after(20.0)
    assert await node.status(message) == ("failed", 30036)


@pytest.mark.parametrize("deduplicates", [True, False])
async def test_uncertain_is_marked_never_repeated_and_a_late_receipt_settles_it(
    make_node: MakeNode, deduplicates: bool
) -> None:
    node = await make_node(ScriptedCarrier(deduplicates=deduplicates, refs=False))
    node.carrier.plan(PHONE, Uncertain("the line died"))
    message = await node.send()
    await node.quiet()
    now = await node.now(message)
    assert (now.status, now.uncertain) == ("sending", 1)
    assert await submits(node, message) == ["uncertain"]
    await node.after(9 * HOUR)
    assert len(node.carrier.submitted) == 1
    await node.carrier.report(node.carrier.submitted[0], "delivered")
    now = await node.now(message)
    assert (now.status, now.uncertain) == ("delivered", 1)
    assert await node.waits(message) is None


async def test_uncertain_without_a_receipt_is_undelivered_when_it_expires(node: Node) -> None:
    node.carrier.plan(PHONE, Uncertain("the line died"))
    message = await node.send(validity_s=60, status_callback=CALLBACK)
    await node.quiet()
    await node.after(59.0)
    assert await node.status(message) == ("sending", None)
    await node.after(1.0)
    assert await node.status(message) == ("undelivered", 30008)
    assert len(node.carrier.submitted) == 1
    assert await node.callbacks(message) == ["undelivered"]


@pytest.mark.parametrize("deduplicates", [True, False])
@pytest.mark.parametrize("fault", ["raise", "forget"])
async def test_a_carrier_that_breaks_its_promise_leaves_in_doubt_only_what_it_did_not_answer(
    make_node: MakeNode, deduplicates: bool, fault: Literal["raise", "forget"]
) -> None:
    carrier = ScriptedCarrier(deduplicates=deduplicates)
    node = await make_node(carrier, hands_over=False)
    carrier.plan("+15557000002", fault)
    first, second = await _one_batch(node, [PHONE, "+15557000002"])
    assert len(carrier.submitted) == 2
    assert await node.status(first) == ("sent", None)
    assert (await node.now(first)).uncertain == 0
    now = await node.now(second)
    if deduplicates:
        assert (now.status, now.uncertain) == ("sending", 0)
        with pytest.raises(Refused, match="not_cancelable"):
            await node.amending.cancel(now)
        await node.after(2.0)
        assert await node.status(second) == ("sent", None)
    else:
        assert (now.status, now.uncertain) == ("sending", 1)
        await node.after(11 * HOUR)
        assert await node.status(second) == ("undelivered", 30008)
    assert len(carrier.submits_of(first.id)) == 1
    assert len(carrier.submits_of(second.id)) == (2 if deduplicates else 1)


async def test_an_answer_that_is_given_twice_counts_once(node: Node) -> None:
    node.carrier.plan(PHONE, "twice")
    message = await node.send()
    await node.quiet()
    assert await node.status(message) == ("sent", None)
    assert await submits(node, message) == ["accepted"]


async def test_no_state_regresses_whatever_order_receipts_come_in(node: Node) -> None:
    message = await node.send(status_callback=CALLBACK)
    await node.quiet()
    [submission] = node.carrier.submitted
    await node.carrier.report(submission, "delivered")
    for late in ("sent", "undelivered", "failed", "delivered"):
        await node.carrier.report(submission, late, error_code=30003 if late in ("undelivered", "failed") else None)
        assert await node.status(message) == ("delivered", None)
    assert await node.callbacks(message) == ["sent", "delivered"]
    assert [k for k in await node.kinds(message) if k == "receipt"], "what came too late is visible"


async def _one_batch(node: Node, recipients: Sequence[str]) -> list[Message]:
    """Messages that go out in one submit, of a node that keeps none in memory."""
    made = [await node.send(recipient) for recipient in recipients]
    await node.turn()
    return made


async def test_what_becomes_of_another_message_beside_it_cancels_nothing(node: Node) -> None:
    """A cancel that comes too late shares its commit with a submit whose receipt was there before."""
    node.carrier.plan(PHONE, "hold", "hold")
    late, other = await node.send(), await node.send()
    await node.carrier.until_submitted(other.id)
    [submission] = node.carrier.submits_of(other.id)
    await node.carrier.report(submission, "delivered")
    refs = node.carrier.refs_of(submission)
    sent = Change(other.account_id, other.id, node.clock.now(), "sent", carrier=node.carrier.name, refs=refs)
    canceled, _ = await asyncio.gather(
        node.amending.cancel(await node.now(late)), node.record.apply([sent]), return_exceptions=True
    )
    assert isinstance(canceled, Refused)
    assert await node.status(other) == ("delivered", None)
    assert await node.status(late) == ("sending", None)


async def test_a_message_that_is_held_cannot_be_canceled_and_one_that_waits_can(make_node: MakeNode) -> None:
    node = await make_node(ScriptedCarrier(deduplicates=True))
    node.carrier.plan(PHONE, "hold")
    message = await node.send(status_callback=CALLBACK)
    await node.carrier.until_submitted(message.id)
    with pytest.raises(Refused, match="not_cancelable"):
        await node.amending.cancel(await node.now(message))
    node.carrier.release(message.id, Unreachable("no route"))
    await node.quiet()
    assert (await node.amending.cancel(await node.now(message))).status == "canceled"
    assert await node.waits(message) is None
    assert await node.callbacks(message) == ["canceled"]
    with pytest.raises(Refused, match="not_cancelable"):
        await node.amending.cancel(await node.now(message))
    await node.after(11 * HOUR)
    assert len(node.carrier.submitted) == 1
    assert await node.status(message) == ("canceled", None)


async def test_a_message_is_redacted_and_deleted_only_once_it_is_sent(node: Node) -> None:
    node.carrier.plan(PHONE, "hold")
    message = await node.send()
    await node.carrier.until_submitted(message.id)
    for amend in (node.amending.redact, node.amending.delete):
        with pytest.raises(Refused, match="in_progress"):
            await amend(await node.now(message))
    node.carrier.release(message.id, node.carrier.accepts(node.carrier.submitted[0]))
    await node.quiet()
    assert (await node.amending.redact(await node.now(message))).body == ""
    now = await node.now(message)
    assert (now.body, now.status, now.segments, now.recipient) == ("", "sent", 1, PHONE)
    await node.amending.delete(now)
    with pytest.raises(Refused, match="not_found"):
        await node.amending.fetch(message.account_id, message.id)
    await node.carrier.report(node.carrier.submitted[0], "delivered")
    assert (await node.now(message)).deleted_at == node.clock.now()
    assert (await node.kinds(message))[-2:] == ["deleted", "delivered"]


async def test_notes_are_kept_beside_each_other_and_not_with_a_deleted_message(node: Node) -> None:
    message = await node.send(extras='{"tags":{"name":"Ann"}}')
    await node.quiet()
    await asyncio.gather(node.amending.annotate(message, one=1), node.amending.annotate(message, two=2))
    now = await node.now(message)
    assert json.decode(now.extras or "") == {"tags": {"name": "Ann"}, "one": 1, "two": 2}
    await node.amending.delete(now)
    with pytest.raises(Refused, match="not_found"):
        await node.amending.annotate(now, three=3)
    assert (await node.now(message)).extras is None


async def test_a_wait_that_ends_after_the_validity_period_ends_with_it(make_node: MakeNode) -> None:
    node = await make_node(ScriptedCarrier(deduplicates=True))
    node.carrier.plan(PHONE, *[Unreachable("no route")] * 6)
    message = await node.send(validity_s=5)
    await node.quiet()
    for _ in range(6):
        waits = await node.waits(message)
        if waits is None:
            break
        assert waits.due_at <= waits.expires_at
        node.clock.set(waits.due_at)
        await node.turn()
    assert await node.status(message) == ("failed", 30036)
    assert node.clock.now() == message.created_at + 5_000_000
