"""A commit whose answer is lost: its message is not in any hands, and is taken up again soon."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from parley.store import Engine, StoreUnavailable
from parley.store.connect import open_engine
from tests.carriers.scripted import ScriptedCarrier
from tests.clock import ManualClock
from tests.core.node import Node, queued
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
