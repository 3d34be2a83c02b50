"""Relay's clients: they come, go, lose their node, and come back by their session's name; each hears of messages."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from sqlalchemy import select

from parley.model.message import Media, Message
from parley.model.relay import RelayEvent, told_of
from parley.store import Operation, StoreUnavailable, schema
from parley.store.engine.statements import Query
from tests.core.node import STATES
from tests.simulation.node import SimulatedNode
from tests.simulation.plan import CONTEXT
from tests.simulation.world import World

_STAYS_S: Final = 6.0
_TAKES_S: Final = 0.5


class Connection:
    """One connection of a client's to a node, until either is gone. It takes what it is told a while later."""

    def __init__(self, subscribers: "Subscribers", node: SimulatedNode, account_id: bytes) -> None:
        self.protocol, self.account_id, self.contexts, self.held = "", account_id, set[str](), 0
        self.is_open = True
        self._subscribers, self._node = subscribers, node
        self._told: dict[int, RelayEvent] = {}

    @property
    def is_lost(self) -> bool:
        """Whether its client has to connect again."""
        return not self.is_open or not self._node.is_alive

    def tell(self, event: RelayEvent, message: Message, media: Sequence[Media]) -> None:
        """Hear of a state, and say so soon."""
        self._told[event.seq] = event
        self._node.run(self._take(event))

    async def _take(self, event: RelayEvent) -> None:
        await self._subscribers.world.sleep(_TAKES_S)
        if self.is_open and self._told.pop(event.seq, None) is not None:
            self._subscribers.heard[event.message_id, event.status] += 1
            self._node.relay.took(self, [event.seq])

    def end(self, reason: str) -> None:
        """Be closed by the node."""
        self.is_open = False
        self._return()

    def close(self) -> None:
        """Go away, with what was told and not taken."""
        self.is_open = False
        self._return()
        self._node.relay.leave(self)

    def _return(self) -> None:
        left, self._told = list(self._told.values()), {}
        self._node.relay.returned(self, left)


class Subscribers:
    """All of them, in one context, and what they heard."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.heard: Counter[tuple[bytes, str]] = Counter()
        """How often a client took word of a message's state."""

    async def subscribe(self, n: int) -> None:
        """Be a client: connected most of the time, and at last for good, until the world ends."""
        world, protocol, lives = self.world, None, 0
        while True:
            node = world.some_node()
            connection = Connection(self, node, world.account.id)
            lives += 1
            entering = node.run(node.relay.enter(connection, [CONTEXT], protocol, f"session {n} {lives}"))
            await world.over(entering)
            if entering.cancelled() or isinstance(entering.exception(), StoreUnavailable):
                await world.sleep(1.0)
                continue
            entering.result()
            protocol = connection.protocol
            until = world.loop.time() + world.chance.random() * _STAYS_S
            while not connection.is_lost and (world.is_peace or world.loop.time() < until):
                await world.sleep(5.0 if world.is_peace else 1.0)
            if not connection.is_lost:
                connection.close()
                await world.sleep(2.0)

    def check(self) -> None:
        """Each state of each message that is told by Relay was taken by a client; once, where nothing went wrong."""
        for task in self.world.endless:
            assert not task.done(), task.exception()
        owed = self.world.look(_owed())
        assert self.heard.keys() == owed, "Relay's clients were not told of a state, or of one that never was"
        plan = self.world.plan
        if not (plan.deaths or plan.halts or plan.faults or plan.outage or plan.clock_jumps):
            assert all(count == 1 for count in self.heard.values()), "told twice"


def _owed() -> Operation[set[tuple[bytes, str]]]:
    """The states that messages with Relay's mark entered."""
    marked = schema.messages.c
    rows = yield Query(select(marked.id, marked.extras))
    told = {id_ for id_, extras in rows if told_of(extras) is not None}
    events = yield Query(select(schema.events.c.message_id, schema.events.c.kind))
    return {(id_, kind) for id_, kind in events if id_ in told and kind in STATES["signalwire"]}
