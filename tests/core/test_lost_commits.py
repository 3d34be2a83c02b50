"""A commit whose answer is lost: its message is not in any hands, and is taken up again soon."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from parley.core.backoff import Backoff
from parley.core.carrier import Unreachable
from parley.core.claim import LEASE_US
from parley.store import Engine, StoreUnavailable, queue
from parley.store.connect import open_engine
from tests.carriers.scripted import ScriptedCarrier
from tests.clock import ManualClock
from tests.core.node import PHONE, Node, queued
from tests.store.proxy import Proxy, proxied

PATIENCE_S = 30


@pytest.fixture
async def proxy(postgres_store_url: str) -> AsyncIterator[Proxy]:
    async with proxied(postgres_store_url) as proxy:
        yield proxy


@pytest.fixture
async def engine(proxy: Proxy) -> AsyncIterator[Engine]:
    engine = open_engine(proxy.url)
    await engine.open()
    try:
        yield engine
    finally:
        await engine.close()


async def test_what_was_committed_without_an_answer_is_sent_once_within_seconds(
    proxy: Proxy, engine: Engine, clock: ManualClock
) -> None:
    carrier = ScriptedCarrier()
    node = await Node(engine, clock, carrier).start()
    claims = node.claims
    loops = [asyncio.create_task(claims.inspect()), asyncio.create_task(claims.claim_messages())]
    try:
        before = await node.send()
        await carrier.until_submitted(before.id)
        await node.quiet()
        proxy.swallows = 1
        with pytest.raises(StoreUnavailable):
            await node.send("+15557000002")
        [waits] = await engine.read(queued)
        assert waits.node == node.id
        assert proxy.swallowed == 1
        async with asyncio.timeout(PATIENCE_S):
            await carrier.until_submitted(waits.message_id)
        await node.quiet()
        assert len(carrier.submits_of(waits.message_id)) == 1
        assert await engine.read(queued) == []
    finally:
        claims.stop()
        await asyncio.gather(*loops)
        await node.die()


async def test_what_is_claimed_before_its_node_knows_that_it_let_go_leaves_once(
    proxy: Proxy, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer to the commit that puts it off is lost. It is due again before the node has recorded that anew."""
    goes_on = asyncio.Event()
    monkeypatch.setattr(Backoff, "wait", lambda *_: goes_on.wait())
    node.carrier.plan(PHONE, "hold", "hold")
    message = await node.send()
    await node.carrier.until_submitted(message.id)
    proxy.swallows = 1
    node.carrier.release(message.id, Unreachable("down"))
    while (waits := await node.waits(message)) is None or waits.node is not None:
        await node.engine.wait_for_change(0.05)
    assert proxy.swallowed == 1
    node.clock.advance(60.0)
    await node.claims.claim_due_messages()
    for _ in range(20):  # in which it would leave
        await node.engine.write(queue.stay, node.id, node.clock.now() + LEASE_US)
        await node.waits(message)
    goes_on.set()
    await node.quiet()
    await node.after(60.0)
    node.carrier.release(message.id, node.carrier.accepts(node.carrier.submitted[-1]))
    await node.quiet()
    assert node.carrier.repeated == []
    assert len(node.carrier.submitted) == 2
    assert await node.status(message) == ("sent", None)
