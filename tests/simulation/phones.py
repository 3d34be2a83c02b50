"""The phones: they write to our numbers, and their carrier brings each message until it is taken, and again."""

from typing import Final

import msgspec

from parley.core.carrier import Inbound
from tests.simulation.network import Network
from tests.simulation.plan import PHONES, PLAIN, POOL, SIGNALWIRES
from tests.simulation.world import World

PICTURE: Final = ("image/png", b"a picture")


class Written(msgspec.Struct):
    """One message of a phone's."""

    inbound: Inbound
    began_at: float
    """When it was brought first, in virtual seconds."""
    ids: set[bytes]
    """What it was named in the record; one id, however often it was brought."""


class Phones:
    """All of them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.written: list[Written] = []

    async def write(self, n: int) -> None:
        """Write one message at some moment."""
        world, chance = self.world, self.world.chance
        await world.moment()
        inbound = Inbound(
            Network.name,
            sender=chance.choice(PHONES[: world.plan.phones]),
            recipient=chance.choice((PLAIN, SIGNALWIRES, *POOL[: world.plan.pool])),
            body=chance.choices(("STOP", "START", "HELP", f"inbound {n}"), (4, 3, 1, 8))[0],
            media=(PICTURE,) * chance.choice((0, 0, 1, 2)),
            ref=f"inbound {n}",
        )
        written = Written(inbound, world.loop.time(), set())
        self.written.append(written)
        for _ in range(chance.choice((1, 1, 2, 3))):
            written.ids.add(await world.ask(lambda node: node.receiving.receive(inbound)))
            await world.sleep(chance.choice((0.0, 0.2, 4.0)))
