"""Whose number a message may go from."""

import pytest

from parley.core.magic_numbers import GOOD
from parley.core.refusal import Refused
from tests.core.node import OURS, Node


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
