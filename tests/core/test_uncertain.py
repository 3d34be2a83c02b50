"""What becomes of a message that may have been sent, by the policy: held for a receipt, or sent again."""

import asyncio
from collections.abc import Sequence

import pytest
from msgspec import json

from parley.core.carrier import Rejected, Throttled, Uncertain, Unreachable
from parley.core.claim import LEASE_US
from parley.core.outcomes import UncertainPolicy
from parley.model.message import Message
from parley.store import queue
from parley.store.changes import Applied, Change
from tests.carriers.scripted import ScriptedCarrier, Step
from tests.core.conftest import MakeNode
from tests.core.node import PHONE, Node

LEASE_OVER = 11.0


async def uncertain(node: Node) -> int:
    """How many messages the gauge tells of."""
    depth = await node.engine.read(queue.depth)
    found: int = depth["uncertain"]
    return found


async def in_doubt(node: Node, *steps: Step) -> Message:
    node.carrier.plan(PHONE, Uncertain("the line died"), *steps)
    message = await node.send(validity_s=600)
    await node.quiet()
    return message


@pytest.mark.parametrize("policy", ["hold", "resend"])
async def test_a_late_receipt_settles_it(make_node: MakeNode, policy: UncertainPolicy) -> None:
    node = await make_node(ScriptedCarrier(refs=False), uncertain_policy=policy)
    message = await in_doubt(node)
    assert await uncertain(node) == 1
    await node.carrier.report(node.carrier.submitted[0], "delivered")
    assert (await node.now(message)).status == "delivered"
    assert await uncertain(node) == 0
    await node.after(300.0)
    assert len(node.carrier.submitted) == 1


async def test_it_is_sent_again_where_the_policy_says_so(make_node: MakeNode) -> None:
    node = await make_node(uncertain_policy="resend")
    message = await in_doubt(node)
    waits = await node.waits(message)
    assert waits is not None
    assert (waits.waiting_for, waits.attempts, waits.due_at > node.clock.now()) == ("resend", 1, True)
    await node.after(3.0)
    assert [submission.attempt for submission in node.carrier.submitted] == [1, 2]
    now = await node.now(message)
    assert (now.status, now.uncertain) == ("sent", 1)
    assert await uncertain(node) == 0
    await node.carrier.report(node.carrier.submitted[1], "delivered")
    assert await node.status(message) == ("delivered", None)


@pytest.mark.parametrize("step", [Throttled(1.0), Unreachable("down"), Uncertain("again")])
async def test_it_stays_in_doubt_while_it_cannot_be_sent_again(make_node: MakeNode, step: Step) -> None:
    node = await make_node(uncertain_policy="resend")
    message = await in_doubt(node, step)
    await node.after(3.0)
    assert (await node.now(message)).status == "sending"
    assert await uncertain(node) == 1
    await node.after(10.0)
    assert (len(node.carrier.submitted), (await node.now(message)).status) == (3, "sent")


async def test_a_refusal_of_the_second_submit_says_nothing_of_the_first(make_node: MakeNode) -> None:
    node = await make_node(ScriptedCarrier(refs=False), uncertain_policy="resend")
    message = await in_doubt(node, Rejected(30007, "seen before"))
    await node.after(3.0)
    waits = await node.waits(message)
    assert waits is not None
    assert (waits.waiting_for, waits.due_at) == ("receipt", waits.expires_at)
    told = [json.decode(event.data) for event in await node.history(message) if event.data is not None]
    assert [each["outcome"] for each in told] == ["uncertain", "rejected"]
    await node.after(600.0)
    assert await node.status(message) == ("undelivered", 30008)
    assert len(node.carrier.submitted) == 2


@pytest.mark.parametrize("policy", ["hold", "resend"])
async def test_what_a_dead_node_was_submitting(make_node: MakeNode, policy: UncertainPolicy) -> None:
    carrier = ScriptedCarrier()
    dead = await make_node(carrier, uncertain_policy=policy)
    alive = await make_node(carrier, uncertain_policy=policy)
    carrier.plan(PHONE, "hold")
    message = await dead.send(validity_s=600)
    await carrier.until_submitted(message.id)
    await dead.die()
    carrier.held.clear()
    await alive.after(LEASE_OVER)
    now = await alive.now(message)
    assert (now.status, now.uncertain, await uncertain(alive)) == ("sending", 1, 1)
    await alive.after(10.0)
    assert len(carrier.submitted) == (1 if policy == "hold" else 2)
    assert (await alive.now(message)).status == ("sending" if policy == "hold" else "sent")


async def test_what_expires_in_doubt_is_not_sent_again(make_node: MakeNode) -> None:
    node = await make_node(uncertain_policy="resend")
    message = await in_doubt(node)
    await node.after(601.0)
    assert await node.status(message) == ("undelivered", 30008)
    assert len(node.carrier.submitted) == 1


async def test_what_another_node_submitted_meanwhile_is_not_sent_beside_it(
    make_node: MakeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One node stands still before a submit; another makes it, and dies; the first one has the message again."""
    carrier, goes_on = ScriptedCarrier(), asyncio.Event()
    node, other = await make_node(carrier), await make_node(carrier)
    apply = node.record.apply

    async def late(happened: Sequence[Change]) -> Applied:
        await goes_on.wait()
        return await apply(happened)

    monkeypatch.setattr(node.record, "apply", late)
    carrier.plan(PHONE, "hold")
    message = await node.send()
    node.clock.advance(LEASE_OVER)
    await other.turn()
    await carrier.until_submitted(message.id)
    await other.die()
    node.clock.advance(LEASE_OVER)
    await node.engine.write(queue.rejoin, node.id, node.id.hex(), node.clock.now() + LEASE_US)
    await node.engine.write(queue.rescue, node.clock.now())
    await node.claims.claim_due_messages()
    goes_on.set()
    carrier.held.clear()
    await node.quiet()
    assert len(carrier.submitted) == 1
    now = await node.now(message)
    assert (now.status, now.uncertain) == ("sending", 1)
