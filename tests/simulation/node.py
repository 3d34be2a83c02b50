"""One node's whole core, composed as the app composes it, over the simulated world."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import copy_context
from typing import Any, Final, cast

from parley.core.accounts import Accounts
from parley.core.amend import Amending
from parley.core.backoff import Backoff
from parley.core.breaker import Breaker
from parley.core.claim import Claims
from parley.core.consent import Consent
from parley.core.dispatch import Dispatch
from parley.core.handoff import Handoff
from parley.core.maintain import Maintenance
from parley.core.media import Outgoing
from parley.core.metrics import Metrics
from parley.core.outcomes import UncertainPolicy
from parley.core.pacing import Paces
from parley.core.receive import Receiving
from parley.core.record import Record
from parley.core.relay import Relay
from parley.core.resources import Resources
from parley.core.schedule import Window
from parley.core.usage import Usage
from parley.lib.ids import Ids
from parley.model.callback import Callback
from parley.model.consent import Replies as KeywordReplies
from parley.model.handler import MessageHandler
from parley.model.message import Dialect, Message, Pending
from parley.store.vault import Vault
from parley.webhooks.attempt import Attempts
from parley.webhooks.deliver import Delivery
from parley.webhooks.hosts import Hosts
from parley.webhooks.render import Renderer
from parley.webhooks.reply import Replies
from parley.webhooks.retries import Retries
from tests.carriers.dice import Dice
from tests.core.node import STATES
from tests.sending import Outbound
from tests.simulation.apps import Apps, Plain, Requests
from tests.simulation.database import Database, SimulatedEngine
from tests.simulation.network import Line, Network
from tests.simulation.virtual import VirtualLoop, WorldClock, owner

GIVE_UP_S: Final = 40.0
_RELAY_GIVES_UP_S: Final = 100_000.0
"""Beyond whatever the clocks are set ahead: no event of Relay's may be lost."""


class SimulatedNode:
    """A life of one node, from `start` until it dies or stops."""

    def __init__(
        self,
        number: int,
        name: str,
        database: Database,
        network: Network,
        apps: Apps,
        clock: WorldClock,
        *,
        paces: Paces,
        policy: UncertainPolicy,
        held: int,
    ) -> None:
        self.number, self.name, self.is_alive = number, name, True
        seed = database.chance.getrandbits(32)
        dice, metrics = Dice(seed), Metrics()
        backoff = Backoff(dice, most_s=8.0)
        self.ids = Ids(clock, random.Random(seed).randbytes)
        self.engine = engine = SimulatedEngine(database)
        self.id = self.ids.new()
        messages_wait, callbacks_wait = asyncio.Event(), asyncio.Event()
        breaker = Breaker(dice)
        self.due: Handoff[tuple[Pending, Message]] = Handoff(
            held, key=lambda due: due[1].id, takes_new=lambda: breaker.takes_new
        )
        self.owed: Handoff[Callback] = Handoff(held, key=lambda callback: callback.id)
        self.record = Record(engine, self.id, self.ids, STATES, self.due, self.owed, messages_wait, metrics)
        self.accounts = Accounts(engine, Vault(b"v" * 32), clock, self.ids, lambda: dice.token(16))
        self.outbound = Outbound(self.record, clock, paces)
        self.outbound.schedule.window = Window(min_s=-1000)  # clocks jump, and clients ask again
        self.sending = self.outbound.sending
        self.amending = Amending(self.record, clock)
        self.receiving = Receiving(
            self.record,
            self.outbound.numbers,
            self.outbound.channels,
            self.outbound.pools,
            self.accounts,
            Consent(clock, self.sending, KeywordReplies()),
            self.outbound.prices,
            clock,
            metrics,
        )
        outgoing = Outgoing(engine, apps.fetch)
        release = self.outbound.release(self.accounts)
        dispatch = Dispatch(
            self.record, self.due, release, Line(network), outgoing, clock, backoff, breaker, metrics, policy
        )
        hosts = Hosts(clock, dice)
        renderers = dict.fromkeys(cast("tuple[Dialect, ...]", ("twilio", "signalwire")), cast("Renderer", Plain()))
        attempts = cast("Attempts", Requests(apps, hosts))
        handlers = Resources(engine, clock, self.ids, "handler", MessageHandler)
        replies = Replies(engine, self.record, self.sending.send, renderers, attempts, handlers, clock)
        delivery = Delivery(
            engine,
            self.owed,
            self.accounts,
            renderers,
            attempts,
            hosts,
            Retries(clock, backoff, None, GIVE_UP_S),
            replies,
            clock,
            backoff,
            self.id,
            callbacks_wait,
            metrics,
            held,
        )
        self.claims = Claims(
            engine, self.id, name, clock, self.due, self.owed, messages_wait, callbacks_wait, backoff, breaker, metrics
        )
        self.usage = Usage(engine, clock)
        self.relay = relay = Relay(self.record, clock, metrics.registry, _RELAY_GIVES_UP_S, to_all=False)
        self._loops: list[Callable[[], Awaitable[None]]] = [
            dispatch.run,
            delivery.run,
            self.claims.claim_messages,
            self.claims.claim_callbacks,
            self.claims.keep_lease,
            self.claims.inspect,
            lambda: self.claims.repeat("relay", relay.turn, relay.nudge),
            Maintenance(self.record, clock, self.claims, self.usage).run,
        ]

    def run(self, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        """Do something as this node: it ends when the node dies."""
        context = copy_context()
        context.run(owner.set, self.number)
        return asyncio.get_running_loop().create_task(work, context=context)

    async def start(self) -> None:
        """Connect, join, and start every loop. To be run as this node."""
        await self.engine.open()
        while True:
            try:
                await self.claims.join()
                break
            except Exception as error:  # noqa: BLE001  # the database is away: its supervisor starts it again
                del error
                await asyncio.sleep(0.5)
        for loop in self._loops:
            self.run(_forever(loop))

    async def die(self, loop: VirtualLoop) -> None:
        """Be gone, at this instant."""
        self.is_alive = False
        self.engine.is_dead = True
        loop.release(self.number)
        mine = list(loop.tasks[self.number])
        while left := [task for task in mine if not task.done()]:
            for task in left:
                task.cancel()
            await asyncio.wait(left)
            mine = list(loop.tasks[self.number])


async def _forever(loop: Callable[[], Awaitable[None]]) -> None:
    await loop()
