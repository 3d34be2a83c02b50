"""Nodes that stop, die, or come back from the dead: nothing is lost, and nothing is sent twice."""

import asyncio

import pytest

from parley.core.backoff import Backoff
from parley.core.carrier import Unreachable
from parley.core.claim import LEASE_US, Claims, NameTaken
from parley.core.metrics import Metrics
from parley.store import Engine, queue
from tests.carriers.dice import Dice
from tests.carriers.scripted import ScriptedCarrier
from tests.clock import ManualClock
from tests.core.conftest import MakeNode
from tests.core.node import PHONE, queued

LEASE_OVER = 11.0


@pytest.mark.parametrize("deduplicates", [True, False])
async def test_a_node_that_dies_while_submitting(make_node: MakeNode, deduplicates: bool) -> None:
    carrier = ScriptedCarrier(deduplicates=deduplicates)
    dead, alive = await make_node(carrier), await make_node(carrier)
    carrier.plan(PHONE, "hold")
    message = await dead.send()
    await carrier.until_submitted(message.id)
    await dead.die()
    carrier.held.clear()
    await alive.after(5.0)
    assert len(carrier.submitted) == 1, "its lease is not over"
    await alive.after(LEASE_OVER)
    now = await alive.now(message)
    if deduplicates:
        assert (len(carrier.submitted), now.status, now.uncertain) == (2, "sent", 0)
        return
    assert (len(carrier.submitted), now.status, now.uncertain) == (1, "sending", 1)
    await alive.after(36_000.0)
    assert await alive.status(message) == ("undelivered", 30008)
    assert len(carrier.submitted) == 1


async def test_what_a_dead_node_had_not_submitted_is_sent_by_another(make_node: MakeNode) -> None:
    carrier = ScriptedCarrier()
    dead, alive = await make_node(carrier), await make_node(carrier)
    await dead.die()
    message = await dead.send()
    assert (waits := await dead.waits(message)) is not None
    assert waits.node == dead.id
    await alive.turn()
    assert carrier.submitted == []
    await alive.after(LEASE_OVER)
    assert await alive.status(message) == ("sent", None)
    assert len(carrier.submitted) == 1


async def test_a_node_that_was_taken_for_dead_does_not_send_what_another_has_sent(make_node: MakeNode) -> None:
    carrier = ScriptedCarrier()
    late, other = await make_node(carrier), await make_node(carrier)
    await late.die()  # it stands still, with a message in its memory
    message = await late.send()
    await other.after(LEASE_OVER)
    assert len(carrier.submitted) == 1
    revived = late.revived()
    await carrier.until_submitted((await late.send("+15557000002")).id)
    await late.quiet()
    assert len(carrier.submits_of(message.id)) == 1
    assert (await other.now(message)).uncertain == 0
    await late.die()
    assert revived.cancelled()


async def test_a_node_that_was_taken_for_dead_has_no_word_over_what_another_holds(make_node: MakeNode) -> None:
    carrier = ScriptedCarrier(deduplicates=True)
    late, other = await make_node(carrier), await make_node(carrier)
    carrier.plan(PHONE, "hold", "hold")
    message = await late.send()
    await carrier.until_submitted(message.id)
    answer_late = carrier.held.pop(message.id)
    late.clock.advance(LEASE_OVER)
    await other.turn()
    await carrier.until_submitted(message.id, 2)
    answer_late(Unreachable("no route"))
    await late.record.apply([])
    waits = await other.waits(message)
    assert waits is not None
    assert waits.node == other.id
    carrier.release(message.id, carrier.accepts(carrier.submitted[1]))
    await other.quiet()
    assert await other.status(message) == ("sent", None)


async def test_a_graceful_stop_finishes_what_is_under_way_and_frees_the_rest(
    make_node: MakeNode, engine: Engine
) -> None:
    carrier = ScriptedCarrier()
    node, other = await make_node(carrier), await make_node(carrier)
    carrier.plan(PHONE, "hold")
    under_way = await node.send()
    await carrier.until_submitted(under_way.id)
    node.due.is_closed = True
    after = await node.send("+15557000002")
    assert (waits := await node.waits(after)) is not None
    assert waits.node is None, "a node that stops holds nothing new"
    stopping = asyncio.create_task(node.stop())
    carrier.release(under_way.id, carrier.accepts(carrier.submitted[0]))
    await stopping
    assert await node.status(under_way) == ("sent", None)
    assert [waits.node for waits in await engine.read(queued)] == [None]
    await other.turn()
    assert await other.status(after) == ("sent", None)


async def test_what_a_stopping_node_held_in_memory_is_free_at_once(make_node: MakeNode) -> None:
    carrier = ScriptedCarrier()
    node, other = await make_node(carrier), await make_node(carrier)
    await node.die()
    held = await node.send()
    assert len(node.due.close()) == 1
    await node.engine.write(queue.leave, node.id)
    await other.turn()
    assert await other.status(held) == ("sent", None)
    assert len(carrier.submitted) == 1


@pytest.mark.parametrize(("is_alive", "silent_s", "waited_s"), [(True, 2.0, 1.0), (False, 2.0, 1.0), (False, 9.0, 0.0)])
async def test_a_name_is_taken_over_from_who_is_silent_and_never_from_who_lives(
    make_node: MakeNode, clock: ManualClock, is_alive: bool, silent_s: float, waited_s: float
) -> None:
    carrier = ScriptedCarrier(deduplicates=True)
    former, present = await make_node(carrier), await make_node(carrier)
    carrier.plan(PHONE, "hold")
    message = await former.send()
    await carrier.until_submitted(message.id)
    clock.advance(silent_s)
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(round(seconds, 3))
        clock.advance(seconds)
        if is_alive:
            assert await former.engine.write(queue.stay, former.id, clock.now() + LEASE_US)

    claims = Claims(
        present.engine, present.id, former.id.hex(), clock, present.due, present.owed, present.waiting,
        asyncio.Event(), Backoff(Dice()), present.breaker, Metrics(), sleep,
    )  # fmt: skip
    if is_alive:
        with pytest.raises(NameTaken):
            await claims.join()
    else:
        await claims.join()
    assert waited == [waited_s]
    waits = await present.waits(message)
    assert waits is not None
    assert waits.node == (former.id if is_alive else None)
    await former.die()
