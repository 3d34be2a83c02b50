"""The clients of the API: they send, at once or for later, ask again until they are answered, and cancel."""

from typing import Final

import msgspec
from msgspec import json
from msgspec.structs import replace

from parley.core.refusal import Refused
from parley.core.send import Draft
from parley.model.message import Message
from parley.model.relay import KEY, Told
from parley.store.accept import IdempotencyKey
from tests.simulation.apps import HOSTS
from tests.simulation.plan import CONTEXT, PHONES, PLAIN, POOL, SIGNALWIRES
from tests.simulation.world import World

VALIDITY_S: Final = 30
_LATER_S: Final = 10.0
"""How far ahead messages are scheduled."""


class Refusal(msgspec.Struct, frozen=True):
    """A message that was not taken."""

    draft: Draft
    reason: str
    at: float
    """Virtual seconds."""


class Clients:
    """All of them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.sent: dict[str, Message] = {}
        """What a sender was answered, by the message's text."""
        self.asked: dict[str, Draft] = {}
        self.refused: list[Refusal] = []
        self.canceled: dict[bytes, float] = {}
        """When a cancel was confirmed, in virtual seconds."""

    async def send(self, n: int) -> None:
        """Send one message at some moment, and perhaps cancel it."""
        world, chance = self.world, self.world.chance
        await world.moment()
        draft = self._draft(n)
        self.asked[draft.body] = draft
        try:
            message: Message = await world.ask(lambda node: node.sending.send(draft))
        except Refused as refused:
            self.refused.append(Refusal(draft, refused.reason, world.loop.time()))
            return
        self.sent[draft.body] = message
        if chance.random() < 0.2:
            await world.sleep(3)
            await self._cancel(message)

    def _draft(self, n: int) -> Draft:
        chance, plan = self.world.chance, self.world.plan
        text = f"message {n} " + "x" * (200 if chance.random() < 0.3 else 0)
        host = chance.choice((None, *HOSTS))
        pool = POOL[: plan.pool]
        draft = Draft(
            account=self.world.account,
            dialect=chance.choice(("twilio", "signalwire")),
            recipient=chance.choice(PHONES[: plan.phones]),
            sender=chance.choice((PLAIN, PLAIN, SIGNALWIRES, pool[0])),
            body=text,
            status_callback=None if host is None else f"http://{host}/",
            validity_s=VALIDITY_S if chance.random() < 0.8 else chance.randint(1, 8),
            idempotency=IdempotencyKey(text, b""),
        )
        if plan.subscribers and draft.dialect == "signalwire" and chance.random() < 0.7:
            draft = replace(draft, extras=json.encode({KEY: Told(CONTEXT)}).decode())
        if chance.random() < 0.2:
            names = [f"http://{chance.choice(HOSTS)}/{n}/{k}.png" for k in range(chance.randint(1, 2))]
            draft = replace(draft, media_urls=tuple(names))
        if draft.dialect == "twilio" and chance.random() < 0.6:
            named = chance.choice(pool) if chance.random() < 0.15 else ""
            later = self.world.clock.now() + round(chance.random() * _LATER_S * 1_000_000)
            send_at = later if chance.random() < 0.6 else None
            draft = replace(draft, service_id=self.world.service_id, sender=named, send_at=send_at)
        return draft

    async def _cancel(self, message: Message) -> None:
        node = self.world.some_node()
        task = node.run(node.amending.cancel(message))
        await self.world.over(task)
        if not task.cancelled() and task.exception() is None:
            self.canceled[message.id] = self.world.loop.time()
