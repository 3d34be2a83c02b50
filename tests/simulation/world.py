"""Where a history happens: nodes over one database, a carrier, apps and clocks; and what goes wrong with them."""

import asyncio
import random
from collections.abc import Callable, Coroutine, Sequence
from contextvars import copy_context
from typing import Any, Final, TypeVar

from msgspec.structs import replace

from parley.core.pacing import UNLIMITED, Paces
from parley.model.account import Account
from parley.model.receipt import Receipt
from parley.model.service import PoolSender, Service
from parley.store import Operation, StoreUnavailable
from parley.store.engine.sqlite import drive
from tests.simulation.apps import HOSTS, Apps
from tests.simulation.database import Database
from tests.simulation.network import Network
from tests.simulation.node import SimulatedNode
from tests.simulation.plan import PLAIN, POOL, SIGNALWIRES, draw
from tests.simulation.virtual import WORLD, VirtualLoop, WorldClock, owner

T = TypeVar("T")

TURMOIL_S: Final = 10.0
_HALT_S: Final = 20.0
"""How long a node stands still at most: twice its lease."""


class World:
    """All that there is. What it does outlives any node."""

    account: Account
    service_id: bytes

    def __init__(self, loop: VirtualLoop, seed: int) -> None:
        self.loop = loop
        self.chance = random.Random(seed)
        self.plan = draw(self.chance)
        self.clock = WorldClock(loop)
        self.database = Database(self.chance)
        self.network = Network(self.chance, self.clock, deduplicates=self.plan.deduplicates, refs=self.plan.refs)
        self.network.report, self.network.begin = self._report, self.begin
        self.apps = Apps(self.chance)
        self.nodes: list[SimulatedNode] = []
        self.tasks: set[asyncio.Task[None]] = set()
        self.endless: set[asyncio.Task[None]] = set()
        """What goes on until the end."""
        self.is_peace = False
        self._lives = 0

    async def start(self) -> None:
        """Let the nodes join, and set up the account, before anything goes wrong."""
        for n in range(self.plan.nodes):
            await self.join(f"node {n}")
        node = self.nodes[0]
        self.account = await node.run(node.accounts.add("Test"))
        self.service_id = await node.run(self._own(node))
        self.database.faults = self.plan.faults

    async def _own(self, node: SimulatedNode) -> bytes:
        """The account's numbers, some of them a messaging service's, each with an app for what comes in."""
        account_id, chance, outbound = self.account.id, self.chance, node.outbound
        first, second, inbound = (f"http://{chance.choice(HOSTS)}/in" for _ in range(3))
        fallback = f"http://{chance.choice(HOSTS)}/fallback" if chance.random() < 0.3 else None
        plain = replace(outbound.numbers.blank(account_id, PLAIN, "twilio"), request_url=first, fallback_url=fallback)
        json = replace(
            outbound.numbers.blank(account_id, SIGNALWIRES, "signalwire"), handler="json_webhook", request_url=second
        )
        settings = Service("Test", inbound_request_url=inbound, sticky_sender=self.plan.is_sticky)
        service = await outbound.services.add(account_id, settings)
        pool = [outbound.numbers.blank(account_id, address, "twilio") for address in POOL[: self.plan.pool]]
        await asyncio.gather(*map(outbound.numbers.own, (plain, json, *pool)))
        for number in pool:
            sender = PoolSender("phone_number", number.address, "US")
            await outbound.pool_senders.add(account_id, sender, id=number.id, parent_id=service.id, name=number.address)
        return service.id

    def begin(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Let something happen outside all nodes, whoever begins it."""
        context = copy_context()
        context.run(owner.set, WORLD)
        task = self.loop.create_task(work, context=context)
        self.tasks.add(task)
        return task

    def keep_on(self, work: Coroutine[Any, Any, None]) -> None:
        """Let something go on outside all nodes until the end."""
        task = self.begin(work)
        self.tasks.remove(task)
        self.endless.add(task)

    def some_node(self) -> SimulatedNode:
        """Any that is alive."""
        return self.chance.choice(self.nodes)

    async def moment(self) -> None:
        """Wait for some moment of the turmoil."""
        await self.sleep(TURMOIL_S * 0.9)

    async def sleep(self, most_s: float) -> None:
        """Wait for so many virtual seconds at most."""
        await asyncio.sleep(self.chance.random() * most_s)

    async def over(self, task: "asyncio.Task[Any]") -> None:
        """Wait until a node has answered, or died over it."""
        await asyncio.wait([task])

    async def ask(self, work: Callable[[SimulatedNode], Coroutine[Any, Any, T]]) -> T:
        """Have some node do something, and any again that gives no answer; what it says."""
        while True:
            node = self.some_node()
            task = node.run(work(node))
            await self.over(task)
            if not task.cancelled() and not isinstance(task.exception(), StoreUnavailable):
                result: T = task.result()
                return result
            await asyncio.sleep(0.5)

    def look(self, operation: Operation[T]) -> T:
        """What the record says, whether or not it answers nodes."""
        return drive(self.database.connection, operation)

    async def join(self, name: str) -> None:
        """Start a node."""
        self._lives += 1
        node = SimulatedNode(
            self._lives,
            name,
            self.database,
            self.network,
            self.apps,
            self.clock,
            paces=Paces() if self.plan.paced else UNLIMITED,
            policy=self.plan.policy,
            held=self.plan.held,
        )
        self.nodes.append(node)
        await self.over(node.run(node.start()))

    async def death(self) -> None:
        """A node dies, and perhaps comes back."""
        await self.moment()
        if not self.nodes:
            return
        victim = self.nodes.pop(self.chance.randrange(len(self.nodes)))
        is_same = self.chance.random() < 0.5
        await victim.die(self.loop)
        if is_same or not self.nodes:
            await self.join(victim.name if is_same else f"another {self._lives}")

    async def halt(self) -> None:
        """A node stands still for a time, and goes on as if none had passed."""
        await self.moment()
        number = self.some_node().number
        self.loop.halt(number)
        await self.sleep(_HALT_S)
        self.loop.release(number)

    async def jumps(self) -> None:
        """Somebody sets the clocks."""
        for _ in range(2):
            await self.moment()
            self.clock.turn(self.chance.choice((-1, 1)) * self.chance.choice((0.5, 5, 20)))

    async def outage(self) -> None:
        """The database is away for a time."""
        await self.moment()
        self.database.is_away = True
        await self.sleep(5)
        self.database.is_away = False

    def make_peace(self) -> None:
        """From now on nothing fails."""
        self.database.faults = self.apps.doubtful = self.network.doubtful = 0.0
        self.database.is_away = False
        self.is_peace = True

    async def _report(self, receipts: Sequence[Receipt]) -> None:
        await self.ask(lambda node: node.record.receive(receipts))
