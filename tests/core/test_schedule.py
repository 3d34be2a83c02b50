"""Messages that go later: at their SendAt, at the end of quiet hours, once, and only if they still may."""

import asyncio
from collections import Counter
from typing import Any

import pytest
from msgspec.structs import replace

from parley.core import quiet_hours
from parley.core.claim import LEASE_US
from parley.core.metrics import Metrics
from parley.core.pacing import Paces
from parley.core.refusal import Refused
from parley.core.schedule import Window
from parley.lib import ids
from parley.model.consent import ConsentChange
from parley.model.message import Message
from parley.model.service import PoolSender, QuietHours, Service
from parley.store import opt_outs, queue, scheduled
from parley.store.accept import IdempotencyKey
from tests.carriers.scripted import ScriptedCarrier
from tests.core.conftest import MakeNode
from tests.core.node import OURS, PHONE, Node

HOUR = 3600
US = 1_000_000
CALLBACK = "https://app.example/status"
HONOLULU, NEW_YORK = "+18085550100", "+12125550100"
# The tests' clock begins on 2025-06-15 at 15:06:40 UTC: 11:06 in New York, 05:06 in Honolulu.
HONOLULU_S = 3 * HOUR - 400
"""Seconds until it is 08:00 there."""
MORNING = QuietHours("21:00", "08:00")


class Pool:
    """A service with senders, and sending through it."""

    def __init__(self, node: Node, service_id: bytes) -> None:
        self.node, self.id = node, service_id

    async def send(self, recipient: str = PHONE, in_s: float | None = HOUR, **values: Any) -> Message:
        at = None if in_s is None else self.node.clock.now() + round(in_s * US)
        return await self.node.send(recipient, **{"service_id": self.id, "sender": "", "send_at": at, **values})


async def pool(node: Node, *senders: str, **settings: Any) -> Pool:
    account = await node.account()
    made = await node.outbound.services.add(account.id, Service("Test", **settings))
    for address in senders or (OURS,):
        number = node.numbers.blank(account.id, address, "twilio")
        await node.numbers.own(number)
        await node.outbound.pool_senders.add(
            account.id, PoolSender("phone_number", address, "US"), id=number.id, parent_id=made.id, name=address
        )
    return Pool(node, made.id)


async def waits(node: Node, message: Message) -> tuple[str | None, float] | None:
    """Why it waits, and for how many seconds more."""
    found = await node.waits(message)
    return None if found is None else (found.waiting_for, (found.due_at - node.clock.now()) / US)


async def stop(node: Node, sender: str, recipient: str = PHONE) -> None:
    """The recipient wants no more."""
    said = ConsentChange(
        (await node.account()).id, sender, recipient, node.clock.now(), "opt_out", "STOP", "inbound", ""
    )
    await node.engine.write(opt_outs.apply, [said])


async def test_a_message_waits_for_its_time_and_gets_its_sender_then(node: Node) -> None:
    service = await pool(node)
    message = await service.send(status_callback=CALLBACK)
    assert (message.status, message.sender) == ("scheduled", None)
    assert await waits(node, message) == ("schedule", HOUR)
    await node.after(HOUR - 1)
    assert await node.kinds(message) == ["scheduled"]
    assert (node.carrier.submitted, await node.callbacks(message)) == ([], [])
    await node.after(1)
    assert await node.kinds(message) == ["scheduled", "queued", "sending", "sent"]
    assert await node.callbacks(message) == ["queued", "sent"]
    assert ((await node.now(message)).sender, await waits(node, message)) == (OURS, None)
    assert [submission.sender for submission in node.carrier.submitted] == [OURS]


async def test_what_falls_due_together_is_released_together(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    service = await pool(node)
    sent = await asyncio.gather(*(service.send(f"+1212555{n:04}") for n in range(500)))
    operations: Counter[str] = Counter()
    write = node.engine.write

    async def counted(operation: Any, *args: Any, **kwargs: Any) -> Any:
        operations[operation.__name__] += 1
        return await write(operation, *args, **kwargs)

    monkeypatch.setattr(node.engine, "write", counted)
    await node.after(HOUR)
    assert len(node.carrier.submitted) == len(sent)
    assert operations["release"] <= 4
    assert operations["claim_messages"] <= 3


async def test_the_window_and_the_number_of_scheduled_messages_are_bounded(node: Node) -> None:
    service = await pool(node)
    node.outbound.schedule.window = Window(300, 3000, limit=2)
    for seconds in (299.999, 3001.0, -5.0):
        with pytest.raises(Refused, match="send_at_out_of_window"):
            await service.send(in_s=seconds)
    await service.send(in_s=300)
    second = await service.send(in_s=3000)
    with pytest.raises(Refused, match="schedule_full"):
        await service.send(in_s=1000)
    await node.amending.cancel(second)
    node.clock.advance(10)  # the count is looked at again
    await service.send(in_s=1000)
    account = await node.account()
    assert await node.engine.read(scheduled.count, account.id) == 2


async def test_the_window_counts_whole_seconds_as_clients_write_them(node: Node) -> None:
    service = await pool(node)
    whole = node.clock.now() // US * US
    node.clock.advance((whole + US - node.clock.now() - 100_000) / US)
    assert (await service.send(send_at=whole + 300 * US)).status == "scheduled"
    with pytest.raises(Refused, match="send_at_out_of_window"):
        await service.send(send_at=whole + 299 * US)


async def test_who_asks_again_gets_what_was_scheduled_though_its_time_is_too_near_by_now(node: Node) -> None:
    service = await pool(node)
    at = node.clock.now() + 300 * US
    key = IdempotencyKey("create:1", b"the same")
    message = await service.send(send_at=at, idempotency=key)
    node.clock.advance(1)
    assert await service.send(send_at=at, idempotency=key) == message
    for other in (IdempotencyKey("create:1", b"another"), IdempotencyKey("create:2", b"the same")):
        with pytest.raises(Refused, match="send_at_out_of_window"):
            await service.send(send_at=at, idempotency=other)


async def test_a_canceled_message_never_goes_and_one_that_went_cannot_be_canceled(node: Node) -> None:
    service = await pool(node)
    first, second = await service.send(status_callback=CALLBACK), await service.send(in_s=2 * HOUR)
    assert (await node.amending.cancel(first)).status == "canceled"
    await node.after(HOUR)
    assert (await node.status(first), await node.callbacks(first)) == (("canceled", None), ["canceled"])
    assert node.carrier.submitted == []
    await node.after(HOUR)
    with pytest.raises(Refused, match="not_cancelable"):
        await node.amending.cancel(await node.now(second))


@pytest.mark.parametrize("is_of_service", [True, False])
async def test_consent_is_asked_for_when_it_goes(node: Node, is_of_service: bool) -> None:
    service = await pool(node)
    message = await service.send(status_callback=CALLBACK)
    await stop(node, ids.sid("MG", service.id) if is_of_service else OURS)
    other = await service.send(NEW_YORK)
    early = await service.send()  # the recipient may be back by then
    assert early.status == "scheduled"
    await node.after(HOUR)
    assert await node.status(message) == await node.status(early) == ("failed", 21610)
    assert await node.callbacks(message) == ["queued", "failed"]
    assert (await node.status(other))[0] == "sent"
    assert [submission.recipient for submission in node.carrier.submitted] == [NEW_YORK]


async def test_it_takes_its_place_in_the_pace_when_it_goes(make_node: MakeNode) -> None:
    node = await make_node(paces=Paces(long_code=1.0))
    service = await pool(node)
    first, second = await service.send(), await service.send(NEW_YORK)
    now = await node.send()  # does not wait for what goes later
    await node.turn()
    assert (await node.status(now))[0] == "sent"
    await node.after(HOUR)
    assert await waits(node, first) is None
    assert await waits(node, second) == ("pace", 1.0)
    assert (await node.status(second))[0] == "queued"
    await node.after(1)
    assert (await node.status(second))[0] == "sent"


async def test_a_full_pace_and_a_service_that_is_gone_fail_it(make_node: MakeNode) -> None:
    node = await make_node(paces=Paces(long_code=0.0001))
    service, gone = await pool(node), await pool(node, "+13125550101")
    sent = [await service.send(f"+1212555{n:04}", HOUR + n) for n in range(6)]
    orphan = await gone.send(status_callback=CALLBACK)
    account = await node.account()
    for sender in await node.outbound.pool_senders.family(account.id, gone.id):
        await node.outbound.pool_senders.drop(account.id, sender.id)
    await node.after(HOUR + 6)
    ends = Counter([await node.status(message) for message in sent])
    assert ends == {("sent", None): 1, ("queued", None): 3, ("failed", 30001): 2}
    assert await node.status(orphan) == ("failed", 21704)
    assert await node.callbacks(orphan) == ["queued", "failed"]


async def test_a_node_that_dies_with_what_is_due_leaves_it_to_others(make_node: MakeNode) -> None:
    carrier = ScriptedCarrier()
    one = await make_node(carrier)
    service = await pool(one)
    message = await service.send()
    other = await make_node(carrier)
    await one.die()
    one.clock.advance(HOUR)
    await one.engine.write(queue.stay, one.id, one.clock.now() + LEASE_US)
    await one.claims.claim_due_messages()
    await other.turn()
    assert carrier.submitted == []
    await other.after(11)  # its lease is over
    assert await other.kinds(message) == ["scheduled", "queued", "sending", "sent"]
    assert len(carrier.submitted) == 1
    one.revived()  # what it believes it holds is another's by now
    await one.turn()
    assert len(carrier.submitted) == 1
    assert await other.kinds(message) == ["scheduled", "queued", "sending", "sent"]


async def test_validity_counts_from_the_time_it_is_scheduled_for(make_node: MakeNode) -> None:
    node = await make_node(paces=Paces(long_code=0.01))
    service = await pool(node)
    first = await service.send(validity_s=60)
    second = await service.send(NEW_YORK, validity_s=60, status_callback=CALLBACK)
    assert first.expires_at == node.clock.now() + (HOUR + 60) * US
    await node.after(HOUR)
    assert await waits(node, second) == ("pace", 60.0)
    await node.after(60)
    assert (await node.status(first), await node.status(second)) == (("sent", None), ("failed", 30036))
    assert await node.callbacks(second) == ["queued", "failed"]


async def test_the_service_says_for_how_long_its_messages_are_valid(node: Node) -> None:
    service = await pool(node, validity_period=120)
    message = await service.send()
    assert message.expires_at == node.clock.now() + (HOUR + 120) * US
    node.clock.advance(HOUR + 121)
    await node.turn()
    assert await node.status(message) == ("failed", 30036)


async def test_quiet_hours_of_an_account_hold_its_messages_by_the_recipient_s_clock(node: Node) -> None:
    await node.outbound.quiet.set_for_account((await node.account()).id, MORNING)
    awake, asleep = await node.send(NEW_YORK), await node.send(HONOLULU, status_callback=CALLBACK)
    await node.turn()
    assert (await node.status(awake))[0] == "sent"
    assert await waits(node, asleep) == ("quiet_hours", HONOLULU_S)
    await node.after(HONOLULU_S - 1)
    assert (await node.status(asleep), len(node.carrier.submitted)) == (("queued", None), 1)
    await node.after(1)
    assert await node.kinds(asleep) == ["queued", "sending", "sent"]
    assert await node.callbacks(asleep) == ["sent"]


async def test_those_of_a_service_stand_in_for_its_account_s(node: Node) -> None:
    account = await node.account()
    await node.outbound.quiet.set_for_account(account.id, MORNING)
    service = await pool(node, quiet_hours=QuietHours("10:00", "12:00"))
    asleep, awake = await service.send(NEW_YORK, None), await service.send(HONOLULU, None)
    await node.turn()
    assert (asleep.status, asleep.sender) == ("accepted", None)
    assert await waits(node, asleep) == ("quiet_hours", 53 * 60 + 20)
    assert (await node.status(awake))[0] == "sent"
    await node.after(53 * 60 + 20)
    assert await node.kinds(asleep) == ["accepted", "queued", "sending", "sent"]


async def test_what_is_held_goes_as_soon_as_the_hours_let_it(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quiet_hours, "_TOGETHER", 2)
    account, quiet = await node.account(), node.outbound.quiet
    await quiet.set_for_account(account.id, QuietHours("04:00", "12:00"))
    other = await node.accounts.add("Other")
    await quiet.set_for_account(other.id, QuietHours("04:00", "12:00"))
    service = await pool(node, quiet_hours=QuietHours("04:00", "14:00"))
    own = [await node.send(HONOLULU) for _ in range(5)]
    of_service, scheduled_one = await service.send(HONOLULU, None), await service.send(HONOLULU)
    others = await node.send(HONOLULU, account=other, sender="+13125550102")

    async def seen() -> list[Any]:
        await node.after(2)
        return [await node.status(own[0]), await node.status(of_service)]

    await quiet.set_for_account(account.id, MORNING)  # it is 05:06 there
    assert await seen() == [("queued", None), ("accepted", None)]
    assert {await waits(node, each) for each in own} == {("quiet_hours", HONOLULU_S - 2)}
    await quiet.set_for_account(account.id, None)
    assert await seen() == [("sent", None), ("accepted", None)]
    assert {await node.status(each) for each in own} == {("sent", None)}
    await quiet.set_for_service(account.id, service.id, None)
    assert await seen() == [("sent", None), ("sent", None)]
    assert await waits(node, scheduled_one) == ("schedule", HOUR - 6)
    assert (await waits(node, others) or ("", 0.0))[0] == "quiet_hours"


async def test_they_refuse_where_they_are_to_refuse(node: Node) -> None:
    account = await node.account()
    await node.outbound.quiet.set_for_account(account.id, QuietHours("21:00", "08:00", "refuse"))
    service = await pool(node)
    for asked in (node.send(HONOLULU), service.send(HONOLULU, None), service.send(HONOLULU, 24 * HOUR)):
        with pytest.raises(Refused, match="quiet_hours"):
            await asked
    assert (await service.send(HONOLULU, 3 * HOUR)).status == "scheduled"
    assert (await node.send(HONOLULU, direction="outbound-reply")).status == "queued", "an answer is expected"


async def test_what_waits_for_another_reason_is_held_when_its_turn_comes_in_quiet_hours(make_node: MakeNode) -> None:
    node = await make_node(paces=Paces(long_code=1 / (20 * 60)))
    account = await node.account()
    await node.outbound.quiet.set_for_account(account.id, QuietHours("11:20", "13:00"))
    service = await pool(node, "+13125550101")
    now, paced = await node.send("+12125550101"), await node.send(NEW_YORK)
    later = await service.send(NEW_YORK, 30 * 60)
    await node.turn()
    assert (await node.status(now))[0] == "sent"
    assert await waits(node, paced) == ("pace", 20 * 60)
    await node.after(20 * 60)  # 11:26 in New York
    assert await waits(node, paced) == ("quiet_hours", 93 * 60 + 20)
    await node.after(10 * 60)
    assert await waits(node, later) == ("quiet_hours", 83 * 60 + 20)
    assert (await node.status(later))[0] == "scheduled"
    await stop(node, OURS, NEW_YORK)  # in the night, too
    await node.after(83 * 60 + 20)
    assert await node.status(paced) == ("failed", 21610)
    assert (await node.status(later))[0] == "sent"


async def test_the_longest_validity_counts_from_the_end_of_quiet_hours_and_any_other_from_now(node: Node) -> None:
    await node.outbound.quiet.set_for_account((await node.account()).id, QuietHours("04:00", "02:00"))
    usual, short = await node.send(NEW_YORK), await node.send(NEW_YORK, validity_s=9 * HOUR)
    free_in = 14 * HOUR + 53 * 60 + 20
    assert await waits(node, usual) == ("quiet_hours", free_in)
    assert await waits(node, short) == ("quiet_hours", 9 * HOUR)
    await node.after(9 * HOUR)
    assert await node.status(short) == ("failed", 30036)
    await node.after(free_in - 9 * HOUR)
    assert (await node.status(usual))[0] == "sent"


async def test_what_is_scheduled_into_quiet_hours_goes_at_their_end_even_where_clocks_jump_over_it(node: Node) -> None:
    node.clock.set(1_741_496_400 * US)  # 2025-03-09, midnight in New York, where 02:00 is 03:00
    service = await pool(node, quiet_hours=QuietHours("22:00", "02:30"))
    message, scheduled_one = await service.send(NEW_YORK, None), await service.send(NEW_YORK)
    assert scheduled_one.expires_at == node.clock.now() + (2 + 10) * HOUR * US
    await node.after(HOUR)
    assert await waits(node, message) == await waits(node, scheduled_one) == ("quiet_hours", HOUR)
    await node.after(HOUR - 1)
    assert node.carrier.submitted == []
    await node.after(1)
    assert [(await node.status(each))[0] for each in (message, scheduled_one)] == ["sent", "sent"]


async def test_what_the_account_may_no_more_fails_when_it_would_go(node: Node) -> None:
    service = await pool(node)
    account = await node.account()
    abroad, message = await service.send("+447700900170"), await service.send(in_s=2 * HOUR)
    await node.outbound.allowances.change(account.id, lambda it: replace(it, countries=("US",)))
    await node.after(HOUR)
    assert await node.status(abroad) == ("failed", 21408)
    await node.accounts.change(account.id, lambda it: replace(it, status="suspended"))
    await node.after(HOUR)
    assert await node.status(message) == ("failed", 30002)
    assert node.carrier.submitted == []


async def test_an_account_s_hours_that_two_set_at_once_are_one_s(node: Node) -> None:
    account = await node.account()
    await asyncio.gather(
        *(node.outbound.quiet.set_for_account(account.id, QuietHours("21:00", f"0{n}:00")) for n in range(5))
    )
    hours = await node.outbound.quiet.of(account.id)
    assert hours is not None
    assert hours.start == "21:00"


def test_what_messages_wait_for_is_counted() -> None:
    metrics = Metrics()

    def value(reason: str) -> float | None:
        return metrics.registry.get_sample_value("parley_waiting_messages", {"reason": reason})

    metrics.waiting({"schedule": 3, "carrier_down": 2, None: 1}, "carrier_down")
    assert (value("schedule"), value("carrier_down"), value("dispatch")) == (3, 3, None)
    metrics.waiting({None: 1}, "dispatch")
    assert (value("schedule"), value("dispatch")) == (None, 1)
