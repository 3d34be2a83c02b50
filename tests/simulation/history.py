"""One history: senders, faults and deaths as the seed has them; then peace, and the books."""

import asyncio
import random
from collections.abc import Coroutine, Sequence
from contextvars import copy_context
from typing import Any, Final, TypeVar

import msgspec
from msgspec.structs import replace
from sqlalchemy import select

from parley.core.outcomes import UncertainPolicy
from parley.core.pacing import UNLIMITED, Paces
from parley.core.refusal import Refused
from parley.core.send import Draft
from parley.model.account import Account
from parley.model.callback import TELLS_BEGINNING
from parley.model.event import Event
from parley.model.message import FINAL, Message
from parley.model.receipt import Receipt
from parley.model.service import PoolSender, Service
from parley.store import Operation, StoreUnavailable, messages, queue, schema, usage
from parley.store.accept import IdempotencyKey
from parley.store.audit import audit
from parley.store.engine.sqlite import _drive
from parley.store.engine.statements import Query
from tests.core.node import OURS, STATES, queued
from tests.sending import Outbound
from tests.simulation.database import Database
from tests.simulation.network import HOSTS, Apps, Network
from tests.simulation.node import SimulatedNode
from tests.simulation.virtual import WORLD, VirtualLoop, WorldClock, owner

R = TypeVar("R")

VALIDITY_S: Final = 30
_TURMOIL_S: Final = 15.0
_LATER_S: Final = 10.0
"""How far ahead messages are scheduled."""
_LAST_DAY: Final = 2**31 - 1
_PEACE_S: Final = 400.0
"""The longest that anything may take once nothing fails any more."""


class Plan(msgspec.Struct, frozen=True):
    """What a seed decides from the start."""

    deduplicates: bool
    refs: bool
    policy: UncertainPolicy
    nodes: int
    messages: int
    faults: float
    """How often a transaction fails, before its commit or after."""
    clock_jumps: bool
    deaths: int
    paced: bool
    held: int


def plan(chance: random.Random) -> Plan:
    """Draw a plan."""
    return Plan(
        deduplicates=chance.random() < 0.4,
        refs=chance.random() < 0.7,
        policy="resend" if chance.random() < 0.3 else "hold",
        nodes=chance.choice((1, 1, 2, 2, 3)),
        messages=chance.randint(1, 10),
        faults=chance.choice((0.0, 0.0, 0.05, 0.2)),
        clock_jumps=chance.random() < 0.3,
        deaths=chance.choice((0, 0, 1, 1, 2)),
        paced=chance.random() < 0.2,
        held=chance.choice((2, 100, 100)),
    )


def live(seed: int) -> None:
    """Live through the history of a seed. Raises AssertionError for what must not be."""
    loop = VirtualLoop()
    try:
        loop.run_until_complete(_History(loop, seed).run())
    finally:
        loop.close()


class _History:
    def __init__(self, loop: VirtualLoop, seed: int) -> None:
        self.loop = loop
        self.chance = chance = random.Random(seed)
        self.plan = plan(chance)
        self.clock = WorldClock(loop)
        self.database = Database(chance)
        self.network = Network(chance, self.clock, deduplicates=self.plan.deduplicates, refs=self.plan.refs)
        self.network.report, self.network.begin = self._report, self._begin
        self.apps = Apps(chance)
        self.nodes: list[SimulatedNode] = []
        self.lives = 0
        self.sent: dict[str, Message] = {}
        """What a sender was answered, by the message's text."""
        self.refused: set[str] = set()
        self.asked: set[str] = set()
        self.canceled: set[bytes] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        for n in range(self.plan.nodes):
            await self._join(f"node {n}")
        self.account: Account = await self.nodes[0].run(self.nodes[0].accounts.add("Test"))
        self.service_id: bytes = await self.nodes[0].run(self._service(self.nodes[0].outbound))
        self.database.faults = self.plan.faults
        for n in range(self.plan.messages):
            self._begin(self._send(n))
        for _ in range(self.plan.deaths):
            self._begin(self._death())
        if self.plan.clock_jumps:
            self._begin(self._jump())
        if self.chance.random() < 0.3:
            self._begin(self._outage())
        await asyncio.sleep(_TURMOIL_S)
        self.database.faults = self.apps.doubtful = self.network.doubtful = 0.0
        self.database.is_away = False
        deadline = self.loop.time() + _PEACE_S
        while not await self._is_quiet():
            assert self.loop.time() < deadline, f"held for ever: {self._look(_unfinished())}"
            await asyncio.sleep(3.0)
        await self.nodes[-1].run(self.nodes[-1].usage.count())
        self._check()
        for node in self.nodes:
            await node.die(self.loop)
        await self._nothing_more()

    def _begin(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        context = copy_context()
        context.run(owner.set, WORLD)  # whoever begins it: what the world does outlives the node that it answers
        task = self.loop.create_task(work, context=context)
        self._tasks.add(task)
        return task

    async def _nothing_more(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _join(self, name: str) -> None:
        self.lives += 1
        node = SimulatedNode(
            self.lives,
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
        await asyncio.wait([node.run(node.start())])  # it may die at that

    async def _service(self, outbound: Outbound) -> bytes:
        """A messaging service with the one number."""
        service = await outbound.services.add(self.account.id, Service("Test"))
        number = await outbound.numbers.own(outbound.numbers.blank(self.account.id, OURS, "twilio"))
        sender = PoolSender("phone_number", OURS, "US")
        await outbound.pool_senders.add(self.account.id, sender, id=number.id, parent_id=service.id, name=OURS)
        return service.id

    def _some_node(self) -> SimulatedNode:
        return self.chance.choice(self.nodes)

    async def _moment(self) -> None:
        await asyncio.sleep(self.chance.random() * _TURMOIL_S * 0.9)

    async def _send(self, n: int) -> None:
        chance = self.chance
        await self._moment()
        text = f"message {n} " + "x" * (200 if chance.random() < 0.3 else 0)
        host = chance.choice((None, *HOSTS))
        draft = Draft(
            account=self.account,
            dialect=chance.choice(("twilio", "signalwire")),
            recipient=f"+1555700{n:04}",
            sender=OURS,
            body=text,
            status_callback=None if host is None else f"http://{host}/",
            validity_s=VALIDITY_S,
            idempotency=IdempotencyKey(text, b""),
        )
        if draft.dialect == "twilio" and chance.random() < 0.5:
            later = self.clock.now() + round(chance.random() * _LATER_S * 1_000_000)
            draft = replace(
                draft, service_id=self.service_id, sender="", send_at=later if chance.random() < 0.7 else None
            )
        self.asked.add(text)
        while text not in self.sent:
            node = self._some_node()
            task = node.run(node.sending.send(draft))
            await asyncio.wait([task])
            if task.cancelled() or isinstance(task.exception(), StoreUnavailable):
                await asyncio.sleep(0.5)  # no answer, or a 503: the client asks again, by the same key
                continue
            if isinstance(task.exception(), Refused):
                self.refused.add(text)
                return
            self.sent[text] = task.result()
        if chance.random() < 0.2:
            await asyncio.sleep(chance.random() * 3)
            await self._cancel(self.sent[text])

    async def _cancel(self, message: Message) -> None:
        node = self._some_node()
        task = node.run(node.amending.cancel(message))
        await asyncio.wait([task])
        if not task.cancelled() and task.exception() is None:
            self.canceled.add(message.id)

    async def _death(self) -> None:
        await self._moment()
        if not self.nodes:
            return
        victim = self.nodes.pop(self.chance.randrange(len(self.nodes)))
        is_same = self.chance.random() < 0.5
        await victim.die(self.loop)
        if is_same or not self.nodes:
            await self._join("node 0" if is_same else f"another {self.lives}")

    async def _jump(self) -> None:
        for _ in range(2):
            await self._moment()
            self.clock.offset_us += round(self.chance.choice((-1, 1)) * self.chance.choice((0.5, 5, 20)) * 1_000_000)

    async def _outage(self) -> None:
        await self._moment()
        self.database.is_away = True
        await asyncio.sleep(self.chance.random() * 5)
        self.database.is_away = False

    async def _report(self, receipts: Sequence[Receipt]) -> None:
        while True:
            if self.nodes:
                node = self._some_node()
                task = node.run(node.record.receive(receipts))
                await asyncio.wait([task])
                if not task.cancelled() and task.exception() is None:
                    return
            await asyncio.sleep(1.0)

    async def _is_quiet(self) -> bool:
        """Whether nothing waits: all is final, or `sent` and no receipt will come."""
        return all(task.done() for task in self._tasks) and self._look(_unfinished()) == []

    def _look(self, operation: Operation[R]) -> R:
        return _drive(self.database.connection, operation)

    def _check(self) -> None:
        for task in self._tasks:
            task.result()
        books = self._look(audit(STATES))
        assert books.is_clean, msgspec.json.encode(books).decode()
        found = self._look(_everything())
        by_text = {message.body: message for message in found}
        assert len(by_text) == len(found), "a message was accepted twice for one key"
        assert by_text.keys() == self.sent.keys(), "a message was lost, or came from nowhere"
        assert {text: message.id for text, message in self.sent.items()} == {t: m.id for t, m in by_text.items()}
        if not self.plan.deduplicates and self.plan.policy == "hold":
            assert not self.network.repeated, "submitted though it may have been sent"
            assert all(count == 1 for count in self.network.taken.values()), "sent twice"
        for message in found:
            self._check_message(message)
        self._check_usage(found)

    def _check_usage(self, found: Sequence[Message]) -> None:
        """Hold the usage that nodes counted between their deaths against each message's history."""
        charged = [
            message
            for message in found
            if any(event.kind in ("sent", "received") for event in self._look(messages.history(message.id)))
        ]
        amounts = [one.amount for one in self._look(usage.used({m.account_id for m in found}, 0, _LAST_DAY))]
        assert sum(amount.count for amount in amounts) == len(charged), "usage was counted twice, or not at all"
        assert sum(amount.price for amount in amounts) == sum(message.price or 0 for message in charged)

    def _check_message(self, message: Message) -> None:
        taken = self.network.taken.get(message.id, 0)
        assert taken <= 1 or message.uncertain or self.plan.deduplicates, "sent twice, and not marked uncertain"
        if message.id in self.canceled or message.status == "canceled":
            assert message.status == "canceled", "a cancel that was confirmed did not hold"
            assert not taken, "canceled, and sent all the same"
        if message.status in ("sent", "delivered", "read"):
            assert taken, f"{message.status}, and never sent"
        if message.id in self.network.acknowledged:
            assert message.status in FINAL, f"its receipts were taken, and it is {message.status}"
        history: list[Event] = self._look(messages.history(message.id))
        moves = history if message.dialect in TELLS_BEGINNING else history[1:]
        order = [event.kind for event in moves if event.kind in STATES[message.dialect]]
        owed = self._look(queue.callbacks_of(message.id))
        heard = self.apps.heard.get(message.id, [])
        if message.status_callback is not None:
            assert [callback.status for callback in owed] == order, "callbacks out of order, or missing"
        first = list(dict.fromkeys(request.status for request in heard))
        assert first == [status for status in order if status in first], f"told in the order {first} of {order}"
        told = {request.callback_id for request in heard}
        for callback in owed:
            assert callback.state != "delivered" or callback.id in told, "delivered, and nobody heard"


def _everything() -> Operation[list[Message]]:
    rows = yield Query(select(schema.messages))
    return [Message(*row) for row in rows]


def _unfinished() -> Operation[list[str]]:
    waiting = yield from queued()
    found = yield from _everything()
    left = [f"message {waits.message_id.hex()} waits for {waits.waiting_for} at {waits.node!r}" for waits in waiting]
    for message in found:
        owed = yield from queue.callbacks_of(message.id)
        left += [
            f"callback {each.id.hex()} of {each.status}, {each.node!r}" for each in owed if each.state == "pending"
        ]
    return left
