"""Services beneath the API: what is brought twice, what a carrier gets, who takes turns."""

from collections import Counter
from typing import Any

import pytest

from parley.core.pacing import Paces
from parley.core.refusal import Refused
from parley.model.consent import Replies
from parley.model.message import Message
from parley.model.resource import Resource
from parley.model.service import PoolSender, Service
from parley.store import messages
from tests.carriers.scripted import ScriptedCarrier
from tests.core.conftest import MakeNode
from tests.core.node import PHONE, Node

TOLL_FREE = "+18005550101"
NUMBERS = ["+12125550101", "+12125550102", TOLL_FREE]


async def service(node: Node, *numbers: str, **settings: Any) -> Resource[Service]:
    """A service of numbers, which the account then owns."""
    account_id = (await node.account()).id
    made = await node.outbound.services.add(account_id, Service("Test", **settings))
    for address in numbers:
        await node.numbers.own(node.numbers.blank(account_id, address, "twilio"))
        sender = PoolSender("phone_number", address, "US")
        await node.outbound.pool_senders.add(account_id, sender, parent_id=made.id, name=address)
    return made


async def send(node: Node, through: Resource[Service], recipient: str = PHONE) -> Message:
    return await node.send(recipient, sender="", service_id=through.id)


async def test_what_is_not_kept_is_answered_once_though_it_is_brought_twice(make_node: MakeNode) -> None:
    node = await make_node(replies=Replies(stop="Stopped."))
    through = await service(node, *NUMBERS[:2])
    for _ in range(2):
        message_id = await node.carrier.bring(PHONE, NUMBERS[0], "STOP", "ref-1")
        await node.quiet()
    account_id = (await node.account()).id
    assert await node.engine.read(messages.fetch, account_id, message_id) is None
    assert [submission.body for submission in node.carrier.submitted] == ["Stopped."]
    with pytest.raises(Refused, match="opted_out"):
        await node.send(sender=NUMBERS[1])
    taken = await node.send(sender="", service_id=through.id)
    ended = await node.engine.read(messages.fetch, account_id, taken.id)
    assert ended is not None
    assert (taken.status, ended.status, ended.error_code) == ("queued", "failed", 21610)
    assert len(node.carrier.submitted) == 1


async def test_what_is_not_kept_says_its_word_once_though_it_is_brought_again_later(make_node: MakeNode) -> None:
    node = await make_node(replies=Replies(stop="Stopped.", start="Started."))
    await service(node, *NUMBERS[:2])
    for body, ref in (("STOP", "ref-1"), ("START", "ref-2"), ("STOP", "ref-1")):
        await node.carrier.bring(PHONE, NUMBERS[0], body, ref)
        await node.quiet()
    assert [submission.body for submission in node.carrier.submitted] == ["Stopped.", "Started."]
    await node.send(sender=NUMBERS[1])  # the phone is back
    for body in ("STOP", "START", "STOP"):  # without names they are messages of their own
        await node.carrier.bring(PHONE, NUMBERS[0], body)
    with pytest.raises(Refused, match="opted_out"):
        await node.send(sender=NUMBERS[1])


async def test_the_carrier_gets_the_sender_that_was_chosen_and_turns_go_by_pace(make_node: MakeNode) -> None:
    carrier = ScriptedCarrier()
    node = await make_node(carrier, paces=Paces(long_code=1.0, toll_free=2.0), hands_over=False)
    through = await service(node, *NUMBERS, area_code_geomatch=False)
    sent = [await send(node, through, f"+1303555{n:04d}") for n in range(40)]
    assert Counter(message.sender for message in sent) == {NUMBERS[0]: 10, NUMBERS[1]: 10, TOLL_FREE: 20}
    for _ in range(25):
        await node.after(1.0)
    assert {submission.key[1]: submission.sender for submission in carrier.submitted} == {
        message.id: message.sender for message in sent
    }


async def test_turns_go_on_where_they_were_when_what_was_remembered_is_read_again(node: Node) -> None:
    through = await service(node, *NUMBERS[:2], sticky_sender=False)
    senders: list[str | None] = []
    for _ in range(4):
        senders.append((await send(node, through)).sender)
        node.clock.advance(2.0)
    assert senders == [*NUMBERS[:2], *NUMBERS[:2]]
    await node.outbound.services.drop((await node.account()).id, through.id)
    with pytest.raises(Refused, match="service_unknown"):
        await send(node, through)


async def test_a_number_that_was_released_sends_no_more(node: Node) -> None:
    through = await service(node, *NUMBERS[:2])
    released = await node.numbers.by_address(NUMBERS[0])
    assert released is not None
    await node.numbers.release(released)
    node.clock.advance(2.0)
    assert {(await send(node, through)).sender for _ in range(3)} == {NUMBERS[1]}
