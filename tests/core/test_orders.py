"""Orders of numbers for campaigns: what each step leaves, however many nodes take it, and who is told."""

import asyncio
from typing import Any
from unittest.mock import AsyncMock

import pytest

from parley.core.numbers import Numbers
from parley.core.orders import Orders
from parley.core.refusal import Refused
from parley.core.registration import Registration, Terms
from parley.core.resources import Resources
from parley.core.review import Registry, Reviewing
from parley.lib.ids import Ids
from parley.model.address import parse_sender, read
from parley.model.application import Application
from parley.model.callback import Callback
from parley.model.channel import ChannelSender
from parley.model.handler import MessageHandler
from parley.model.number import Number
from parley.model.registry import Assignment, Brand, Campaign, Order, Reviewers, TollFreeVerification, Vetting
from parley.model.resource import Resource
from parley.model.service import PoolSender
from parley.store import Engine
from tests.clock import ManualClock

ACCOUNT = b"A" * 16
OURS, OTHER = "+14155550100", "+14155550101"
DELAY_S = 5


class Node:
    """What one node has of the registry. What it owes is noted, and not sent."""

    def __init__(self, engine: Engine, clock: ManualClock) -> None:
        self.ids = Ids(clock)
        self.engine, self.clock = engine, clock
        self.told: list[str] = []
        self.registry = Registry(
            self.kind("brand", Brand),
            self.kind("vetting", Vetting),
            self.kind("campaign", Campaign),
            self.kind("toll_free_verification", TollFreeVerification),
            self.kind("order", Order),
            self.kind("assignment", Assignment),
            self.kind("channel_sender", ChannelSender),
        )
        self.numbers = Numbers(
            engine,
            clock,
            self.ids,
            self.kind("application", Application),
            self.kind("handler", MessageHandler),
            own_on_use=False,
        )
        reviewing = Reviewing(engine, clock, self.registry, Reviewers(delay_s=DELAY_S), lambda _: (), lambda: None)
        self.orders = Orders(reviewing, self.numbers, clock, self.owed, lambda: self.told.append("woken"))
        self.senders = self.kind("pool_sender", PoolSender)
        self.registration = Registration(
            engine, clock, self.senders, self.registry, Terms(needs_campaign=True, needs_verification=False)
        )

    def kind(self, name: str, type_: type[Any]) -> Resources[Any]:
        return Resources(self.engine, self.clock, self.ids, name, type_)

    def owed(self, changed: Resource[Any]) -> tuple[Callback, ...]:
        owner = (changed.account_id, changed.id)
        at = changed.updated_at
        return (Callback.owed(self.ids.new(), owner, "signalwire", "https://app.example", "sent", at=at, node=None),)

    async def own(self, address: str) -> Number:
        return await self.numbers.own(self.numbers.blank(ACCOUNT, address, "signalwire"))

    async def campaign(self, verdict: Any = "approved") -> Resource[Campaign]:
        brand = await self.registry.brands.add(ACCOUNT, Brand(verdict="approved", score=60))
        return await self.registry.campaigns.add(ACCOUNT, Campaign(brand.id, verdict=verdict))

    async def states(self, campaign: Resource[Campaign]) -> list[tuple[str, str]]:
        found = await self.registry.assignments.family(ACCOUNT, campaign.id)
        return [(each.value.address, each.value.state) for each in found]


@pytest.fixture
def nodes(engine: Engine, clock: ManualClock) -> tuple[Node, Node]:
    return Node(engine, clock), Node(engine, clock)


async def test_two_nodes_take_each_step_once(nodes: tuple[Node, Node], clock: ManualClock) -> None:
    here, there = nodes
    campaign, numbers = await here.campaign(), [await here.own(OURS), await here.own(OTHER)]
    order = await here.orders.place(campaign, numbers, None)
    await asyncio.gather(here.orders.turn(), there.orders.turn())
    clock.advance(2)
    assert sorted(await here.states(campaign)) == [(OURS, "pending"), (OTHER, "pending")]
    clock.advance(DELAY_S)
    await asyncio.gather(here.orders.turn(), there.orders.turn())
    clock.advance(2)
    assert sorted(await there.states(campaign)) == [(OURS, "completed"), (OTHER, "completed")]
    settled = await there.registry.orders.fetch(ACCOUNT, order.id)
    assert (settled.value.state, settled.due_at) == ("processed", None)
    assert len(here.told + there.told) == 6, "two states of each number, two of the order, each told once"


async def test_who_is_assigned_may_send(nodes: tuple[Node, Node], clock: ManualClock) -> None:
    node = nodes[0]
    campaign, sender, recipient = await node.campaign(), parse_sender(OURS), read("+14155559999")
    await node.orders.place(campaign, [await node.own(OURS)], None)
    await node.orders.turn()
    assert await node.registration.block(ACCOUNT, sender, recipient) is not None
    clock.advance(DELAY_S)
    await node.orders.turn()
    assert await node.registration.block(ACCOUNT, sender, recipient) is None
    assert await node.registration.pace(ACCOUNT, sender) == Terms(needs_campaign=True, needs_verification=False).rate(
        "medium"
    )


async def test_a_number_is_in_one_campaign(nodes: tuple[Node, Node], clock: ManualClock) -> None:
    node = nodes[0]
    first, second, number = await node.campaign(), await node.campaign(), await node.own(OURS)
    await node.orders.place(first, [number], None)
    await node.orders.place(second, [number], None)  # nothing is assigned yet
    await node.orders.turn()
    clock.advance(DELAY_S)
    await node.orders.turn()
    assert (await node.states(first), await node.states(second)) == ([(OURS, "completed")], [(OURS, "failed")])
    with pytest.raises(Refused, match="number_taken"):
        await node.orders.place(second, [number], None)


async def test_what_goes_as_its_order_begins_leaves_nothing_behind(
    nodes: tuple[Node, Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    node, other = nodes
    campaign, number = await node.campaign(), await node.own(OURS)
    await node.orders.place(campaign, [number, await node.own(OTHER)], None)
    assert await node.numbers.by_address(OURS) is not None
    await other.numbers.release(number)  # which this node does not know yet
    await node.orders.turn()
    assert sorted(await node.states(campaign)) == [(OURS, "failed"), (OTHER, "pending")]
    again = await node.own(OURS)
    order = await node.orders.place(campaign, [again], None)
    await other.registry.campaigns.drop(ACCOUNT, campaign.id)
    monkeypatch.setattr(node.registry.orders, "due", AsyncMock(return_value=[order]))  # it was read before it went
    await node.orders.turn()
    assert await other.registry.assignments.named(ACCOUNT, OURS) is None


async def test_an_order_waits_for_its_campaign(nodes: tuple[Node, Node], clock: ManualClock) -> None:
    node = nodes[0]
    campaign = await node.campaign("pending")
    order = await node.orders.place(campaign, [await node.own(OURS)], None)
    await node.orders.turn()
    for _ in range(3):
        clock.advance(DELAY_S)
        await node.orders.turn()
    assert await node.states(campaign) == [(OURS, "pending")]
    rejected = Campaign(campaign.value.brand_id, verdict="rejected")
    await node.registry.campaigns.put(Resource(campaign.id, ACCOUNT, rejected, campaign.created_at, clock.now()))
    clock.advance(DELAY_S)
    await node.orders.turn()
    assert await node.states(campaign) == [(OURS, "failed")]
    assert (await node.registry.orders.fetch(ACCOUNT, order.id)).value.state == "failed"
