"""Short links where codes meet, clocks pass, and the record is away."""

from typing import Any
from unittest.mock import AsyncMock

import pytest

from parley.core.maintain import Maintenance
from parley.core.usage import Usage
from parley.lib.web_links import links as urls_in
from parley.model.link import LIFE_US
from parley.model.message import Message
from parley.model.service import PoolSender, Service
from parley.store import StoreUnavailable, links
from parley.store.accept import IdempotencyKey
from tests.core.conftest import MakeNode
from tests.core.node import OURS, Node

LONG = "https://example.com/a"


async def pool(node: Node) -> bytes:
    """Make a service with one sender; its id."""
    account = await node.account()
    service = await node.outbound.services.add(account.id, Service("Links"))
    await node.numbers.own(node.numbers.blank(account.id, OURS, "twilio"))
    sender = PoolSender("phone_number", OURS, "US")
    await node.outbound.pool_senders.add(account.id, sender, parent_id=service.id, name=OURS)
    return service.id


async def send(node: Node, service: bytes, body: str = LONG, **values: Any) -> Message:
    return await node.send(body=body, service_id=service, sender="", shorten_urls=True, **values)


async def test_a_code_that_is_taken_gives_way_to_another(node: Node, make_node: MakeNode) -> None:
    service = await pool(node)
    first = await send(node, service)
    other_node = await make_node()  # which draws what the first one drew
    second = await send(other_node, service, idempotency=IdempotencyKey("k", b"f"))
    assert first.body != second.body
    [one] = await node.engine.read(links.of_message, first.id)
    [other] = await node.engine.read(links.of_message, second.id)
    assert (first.body, second.body) == (f"https://short.test/{one.code}", f"https://short.test/{other.code}")


async def test_a_repeated_request_gets_the_links_that_it_got(node: Node) -> None:
    service = await pool(node)
    key = IdempotencyKey("k", b"f")
    first = await send(node, service, idempotency=key)
    again = await send(node, service, idempotency=key)
    assert again.body == first.body
    assert len(await node.engine.read(links.of_message, first.id)) == 1


async def test_a_body_is_what_it_was_around_its_links(node: Node) -> None:
    service = await pool(node)
    body = f"“{LONG}” ({LONG}) 👋 {LONG}?b. HTTP://EXAMPLE.com, example.com"
    message = await send(node, service, body, smart_encoded=False)
    short = urls_in(message.body)
    assert len(set(short)) == 3
    assert all(len(each) == len("https://short.test/") + 10 for each in short)
    for each in short:
        link = await node.engine.read(links.find, each[-10:])
        assert link is not None
        body = body.replace(link.url, each, 1)
    assert message.body == f"“{short[0]}” ({short[0]}) 👋 {short[2]}. {short[3]}, example.com"


async def test_a_click_leads_on_though_it_cannot_be_counted(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    message = await send(node, await pool(node))
    [link] = await node.engine.read(links.of_message, message.id)
    found = node.outbound.links
    monkeypatch.setattr("parley.store.engine.group.Lane.put", AsyncMock(side_effect=StoreUnavailable("away")))
    assert await found.follow(link.code, "", is_click=True) == LONG
    monkeypatch.undo()
    assert await found.follow(link.code, "", is_click=True) == LONG
    [link] = await node.engine.read(links.of_message, message.id)
    assert link.clicks == 1


async def test_whoever_leads_forgets_what_has_served_its_time(node: Node) -> None:
    service = await pool(node)
    message = await send(node, service, forgets=("content",))
    [link] = await node.engine.read(links.of_message, message.id)
    await node.turn()
    node.clock.advance(LIFE_US / 1_000_000 + 1)
    assert await node.outbound.links.follow(link.code, "", is_click=True) is None
    maintenance = Maintenance(node.record, node.clock, node.claims, Usage(node.engine, node.clock))
    await maintenance.turn()
    assert await node.engine.read(links.of_message, message.id) == []
    assert (await node.now(message)).body == ""
