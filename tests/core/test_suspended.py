"""What was taken of an account that is suspended before it could go: error 30002, and nothing leaves."""

import pytest
from msgspec.structs import replace

from parley.core.pacing import Paces
from parley.core.refusal import Refused
from parley.model.account import AccountStatus
from tests.carriers.scripted import ScriptedCarrier
from tests.core.conftest import MakeNode
from tests.core.node import Node


async def put(node: Node, status: AccountStatus) -> None:
    await node.accounts.change((await node.account()).id, lambda it: replace(it, status=status))


@pytest.mark.parametrize("status", ["suspended", "closed"])
async def test_what_waits_fails_and_what_left_stays(make_node: MakeNode, status: AccountStatus) -> None:
    carrier = ScriptedCarrier()
    node = await make_node(carrier, paces=Paces(long_code=1.0), hands_over=False)
    callback = "https://app.example/status"
    first, second = await node.send(), await node.send(status_callback=callback)
    await node.turn()
    await put(node, status)
    await node.after(1.0)
    assert [submitted.key[1] for submitted in carrier.submitted] == [first.id]
    assert await node.status(first) == ("sent", None)
    assert await node.status(second) == ("failed", 30002)
    assert await node.callbacks(second) == ["failed"]
    with pytest.raises(Refused, match="account_suspended"):
        await node.send()


async def test_an_account_that_is_active_again_sends(make_node: MakeNode) -> None:
    node = await make_node(paces=Paces(long_code=1.0), hands_over=False)
    await put(node, "suspended")
    await put(node, "active")
    message = await node.send()
    await node.turn()
    assert await node.status(message) == ("sent", None)
