"""One history: clients, phones, faults and deaths as the seed has them; then peace, and the books."""

import asyncio
from typing import Final

from parley.store import queue
from tests.core.node import queued
from tests.simulation.check import check
from tests.simulation.clients import Clients
from tests.simulation.phones import Phones
from tests.simulation.subscribers import Subscribers
from tests.simulation.virtual import VirtualLoop
from tests.simulation.world import TURMOIL_S, World

_PEACE_S: Final = 400.0
"""The longest that anything may take once nothing fails any more."""
_LOOK_S: Final = 1.0


def live(seed: int) -> None:
    """Live through the history of a seed. Raises AssertionError for what must not be."""
    loop = VirtualLoop()
    world = World(loop, seed)
    try:
        loop.run_until_complete(_live(world))
    finally:
        loop.run_until_complete(_end(world))
        loop.close()


async def _live(world: World) -> None:
    await world.start()
    clients, phones, subscribers, plan = Clients(world), Phones(world), Subscribers(world), world.plan
    for n in range(plan.subscribers):
        world.keep_on(subscribers.subscribe(n))
    for n in range(plan.messages):
        world.begin(clients.send(n))
    for n in range(plan.inbound):
        world.begin(phones.write(n))
    for _ in range(plan.deaths):
        world.begin(world.death())
    for _ in range(plan.halts):
        world.begin(world.halt())
    if plan.clock_jumps:
        world.begin(world.jumps())
    if plan.outage:
        world.begin(world.outage())
    await asyncio.sleep(TURMOIL_S)
    world.make_peace()
    deadline = world.loop.time() + _PEACE_S
    while not _is_quiet(world):
        assert world.loop.time() < deadline, f"held for ever: {_unfinished(world)}"
        await asyncio.sleep(_LOOK_S)
    await world.nodes[-1].run(world.nodes[-1].usage.count())
    check(world, clients, phones)
    subscribers.check()


def _is_quiet(world: World) -> bool:
    """Whether nothing waits: all is final, or `sent` and no receipt will come.

    When all that is left waits for its time, the clocks are set ahead to that.
    """
    if not all(task.done() for task in world.tasks):
        return False
    waiting = world.database.waiting()
    if waiting and all(node is None for node, _ in waiting):
        first = min(due_at for _, due_at in waiting)
        world.clock.turn(max(0.0, (first - world.clock.now()) / 1_000_000))
    return not waiting and not world.database.telling()


def _unfinished(world: World) -> list[str]:
    waiting = world.look(queued())
    left = [f"message {waits.message_id.hex()} waits for {waits.waiting_for} at {waits.node!r}" for waits in waiting]
    callbacks = [each for id_ in world.database.owing() for each in world.look(queue.callbacks_of(id_))]
    left += [f"callback {each.id.hex()} of {each.status}, {each.node!r}" for each in callbacks]
    return [*left, f"{world.database.telling()} events of Relay's"]


async def _end(world: World) -> None:
    for node in world.nodes:
        await node.die(world.loop)
    tasks = world.tasks | world.endless
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
