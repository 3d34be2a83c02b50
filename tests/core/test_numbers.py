"""Whose number a message may go from."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from parley.core.magic_numbers import GOOD
from parley.core.refusal import Refused
from parley.model.caller_id import CallerId
from parley.model.message import Dialect
from parley.model.service import PoolSender, QuietHours, Service
from tests.core.node import OURS, PHONE, Node


async def test_a_number_in_use_is_its_first_users(node: Node) -> None:
    await node.send()
    other = await node.accounts.add("Other")
    with pytest.raises(Refused) as raised:
        await node.send(account=other, sender=OURS)
    assert raised.value.reason == "sender_of_another_account"


async def test_everybody_sends_from_the_good_test_number_and_nobody_owns_it(node: Node) -> None:
    for account in (await node.account(), await node.accounts.add("Other")):
        message = await node.send(account=account, sender=GOOD)
        assert (message.status, message.sender) == ("queued", GOOD)
    assert await node.numbers.by_address(GOOD) is None


@pytest.mark.parametrize("dialect", ["twilio", "signalwire"])
async def test_a_caller_id_sends_nothing_until_it_is_a_number_of_the_account(node: Node, dialect: Dialect) -> None:
    account, caller_ids = await node.account(), node.outbound.caller_ids
    await caller_ids.add(account.id, CallerId(OURS, "Desk", code="123456"), name=OURS)
    await node.send(dialect=dialect)  # one that is not verified says nothing of the number
    number = await node.numbers.by_address(OURS)
    assert number is not None
    await node.numbers.release(number)
    [caller_id] = await caller_ids.family(account.id)
    await caller_ids.change(account.id, caller_id.id, lambda it: replace(it, value=CallerId(OURS, "Desk")))
    for direction in ("outbound-api", "outbound-reply"):
        with pytest.raises(Refused, match="sender_is_caller_id"):
            await node.send(dialect=dialect, direction=direction)
    assert await node.numbers.by_address(OURS) is None
    await node.numbers.own(node.numbers.blank(account.id, OURS, dialect))
    await node.send(dialect=dialect)


async def test_what_is_remembered_of_a_sender_ends_with_each_change(node: Node) -> None:
    account, other = await node.account(), await node.accounts.add("Other")
    await node.send()
    number = await node.numbers.by_address(OURS)
    assert number is not None
    service = await node.outbound.services.add(account.id, Service("Test"))
    member = PoolSender("phone_number", OURS, "US")
    await node.outbound.pool_senders.add(account.id, member, parent_id=service.id, name=OURS)
    await node.carrier.bring(PHONE, OURS, "STOP", "ref-1")
    with pytest.raises(Refused, match="opted_out"):  # which counts for the whole service
        await node.send()
    await node.outbound.services.drop(account.id, service.id)
    await node.numbers.change(number, replace(number, can_mms=0))
    with pytest.raises(Refused, match="sender_cannot_mms"):
        await node.send("+15557000002", media_urls=("https://app.example/a.png",))
    await node.numbers.change(number, replace(number, can_sms=0))
    with pytest.raises(Refused, match="sender_cannot_sms"):
        await node.send("+15557000002")
    await node.numbers.release(number)
    await node.numbers.own(node.numbers.blank(other.id, OURS, "twilio"))
    with pytest.raises(Refused, match="sender_of_another_account"):
        await node.send("+15557000002")


async def test_a_number_that_changes_while_it_is_read_is_as_it_was_changed(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    await node.send()
    before = await node.numbers.by_address(OURS)
    assert before is not None
    node.clock.advance(2)
    read, has_read, goes_on = node.engine.read, asyncio.Event(), asyncio.Event()

    async def slow(*asked: Any, **values: Any) -> Any:
        answer = await read(*asked, **values)
        has_read.set()
        await goes_on.wait()
        return answer

    monkeypatch.setattr(node.engine, "read", slow)
    reading = asyncio.create_task(node.numbers.by_address(OURS))
    await has_read.wait()
    await node.numbers.change(before, replace(before, name="new"))
    goes_on.set()
    await reading
    found = await node.numbers.by_address(OURS)
    assert found is not None
    assert found.name == "new"


async def test_quiet_hours_hold_from_when_they_are_set(node: Node) -> None:
    account = await node.account()
    await node.send()
    await node.outbound.quiet.set_for_account(account.id, QuietHours("00:00", "23:00", "refuse"))
    with pytest.raises(Refused, match="quiet_hours"):
        await node.send()
    for hours in (None, QuietHours("00:00", "23:00", "refuse"), None):  # each asked for by many at once
        await asyncio.gather(*(node.outbound.quiet.set_for_account(account.id, hours) for _ in range(3)))
    await node.send()
