"""One node's core over a real store, whose time and carrier are the test's: it does what is due when it is told to."""

import asyncio
import random
from typing import Any, Final

from sqlalchemy import select

from parley.core.accounts import Accounts
from parley.core.amend import Amending
from parley.core.backoff import Backoff
from parley.core.breaker import Breaker
from parley.core.claim import LEASE_US, Claims
from parley.core.consent import Consent
from parley.core.dispatch import Dispatch
from parley.core.handoff import Handoff
from parley.core.media import Fetched, MediaUnavailable, Outgoing
from parley.core.metrics import Metrics
from parley.core.outcomes import UncertainPolicy
from parley.core.pacing import UNLIMITED, Paces
from parley.core.receive import Receiving
from parley.core.record import Record
from parley.core.send import Draft
from parley.lib.ids import Ids
from parley.model.account import Account
from parley.model.callback import Callback
from parley.model.consent import Replies
from parley.model.event import Event
from parley.model.message import Dialect, Message, Pending, Status
from parley.store import Engine, Operation, messages, queue, schema
from parley.store.engine.statements import Query
from parley.store.vault import Vault
from tests.carriers.dice import Dice
from tests.carriers.scripted import ScriptedCarrier
from tests.clock import ManualClock
from tests.sending import Outbound

OURS: Final = "+15551234567"
PHONE: Final = "+15557000001"
STATES: Final[dict[Dialect, frozenset[Status]]] = {
    "twilio": frozenset({"queued", "sent", "delivered", "undelivered", "failed", "canceled", "read"}),
    "signalwire": frozenset({"queued", "sending", "sent", "delivered", "undelivered", "failed", "canceled", "read"}),
}
_PATIENCE_S: Final = 30
_HANDS: Final = 1000
"""What a node holds at most."""


class Node:
    """Sends, receives and dispatches. Nodes that share an engine are nodes of one installation."""

    def __init__(
        self,
        engine: Engine,
        clock: ManualClock,
        carrier: ScriptedCarrier,
        *,
        paces: Paces = UNLIMITED,
        replies: Replies | None = None,
        hands_over: bool = True,
        seed: int = 1,
        uncertain_policy: UncertainPolicy = "hold",
    ) -> None:
        self.engine, self.clock, self.carrier = engine, clock, carrier
        self.ids = Ids(clock, random.Random(seed).randbytes)
        self.id = self.ids.new()
        self.waiting = asyncio.Event()
        randomness, metrics = Dice(seed), Metrics()
        backoff = Backoff(randomness)
        self.breaker = Breaker(randomness)
        self.due: Handoff[tuple[Pending, Message]] = Handoff(
            _HANDS, key=lambda due: due[1].id, takes_new=lambda: hands_over and self.breaker.takes_new
        )
        self.owed: Handoff[Callback] = Handoff(0, key=lambda callback: callback.id)
        self.media: dict[str, Fetched | MediaUnavailable | asyncio.Future[Fetched]] = {}
        """What each URL gives."""
        self.fetched: list[str] = []
        self.record = Record(engine, self.id, self.ids, STATES, self.due, self.owed, self.waiting, metrics)
        self.outbound = Outbound(self.record, clock, paces)
        self.sending = self.outbound.sending
        vault = Vault(b"v" * 32)
        self.accounts = Accounts(engine, vault, clock, self.ids, lambda: randomness.token(16))
        consent = Consent(clock, self.sending, replies or Replies())
        numbers = self.numbers = self.outbound.numbers
        self.receiving = Receiving(
            self.record,
            numbers,
            self.outbound.channels,
            self.outbound.pools,
            self.accounts,
            consent,
            self.outbound.prices,
            clock,
            metrics,
        )
        self.amending = Amending(self.record, clock)
        outgoing = Outgoing(engine, self._fetch)
        self.dispatch = Dispatch(
            self.record,
            self.due,
            self.outbound.release(self.accounts),
            carrier,
            outgoing,
            clock,
            backoff,
            self.breaker,
            metrics,
            uncertain_policy,
        )
        self.claims = Claims(
            engine, self.id, self.id.hex(), clock, self.due, self.owed, self.waiting, asyncio.Event(), backoff,
            self.breaker, metrics,
        )  # fmt: skip
        self._running: asyncio.Task[None] | None = None

    async def start(self) -> "Node":
        """Join, and begin to submit what is handed over."""
        await self.engine.write(queue.join, self.id, self.id.hex(), self.clock.now() + LEASE_US)
        await self.carrier.start(self.record.receive, self.receiving.receive)
        self._running = asyncio.create_task(self.dispatch.run())
        return self

    async def stop(self) -> None:
        """Stop gracefully: finish what is under way, and free the rest."""
        self.due.close()
        if self._running is not None:
            async with asyncio.timeout(_PATIENCE_S):
                await self._running
        await self.engine.write(queue.leave, self.id)

    async def die(self) -> None:
        """Be gone, at this instant. What it held stays held until its lease is over."""
        assert self._running is not None
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)

    def revived(self) -> asyncio.Task[None]:
        """Go on where it died, as if it had only stood still."""
        self._running = asyncio.create_task(self.dispatch.run())
        return self._running

    async def account(self, **values: Any) -> Account:
        """The installation's one account."""
        found = await self.accounts.everyone()
        return found[0] if found else await self.accounts.add("Test")

    async def send(self, recipient: str = PHONE, body: str = "Hello", **values: Any) -> Message:
        """Send a message of the account's."""
        plain: dict[str, Any] = {"dialect": "twilio", "sender": OURS, "account": await self.account()}
        return await self.sending.send(Draft(recipient=recipient, body=body, **(plain | values)))

    async def turn(self) -> None:
        """Free what dead nodes held, take what is due, and see it through."""
        now = self.clock.now()
        await self.engine.write(queue.stay, self.id, now + LEASE_US)
        await self.engine.write(queue.rescue, now)
        while not await self.claims.claim_due_messages():
            await self.quiet()
        await self.quiet()

    async def after(self, seconds: float) -> None:
        """A turn later."""
        self.clock.advance(seconds)
        await self.turn()

    async def quiet(self) -> None:
        """Wait until all that this node took is done, but for what the carrier holds."""
        async with asyncio.timeout(_PATIENCE_S):
            while True:
                if set(await self.engine.read(_held_by, self.id)) - self.carrier.held.keys():
                    await self.engine.wait_for_change(0.05)
                elif self._in_hand > sum(message_id in self.due for message_id in self.carrier.held):
                    await asyncio.sleep(0)  # it was recorded, and is let go of next
                else:
                    return

    @property
    def _in_hand(self) -> int:
        return 0 if self.due.is_closed else _HANDS - self.due.room

    async def now(self, message: Message) -> Message:
        """The message as it stands."""
        found = await self.engine.read(messages.fetch_many, [(message.account_id, message.id)])
        return found[message.id]

    async def status(self, message: Message) -> tuple[Status, int | None]:
        """Its state and error code."""
        found = await self.now(message)
        return found.status, found.error_code

    async def waits(self, message: Message) -> Pending | None:
        """Its place in the queue, as this node sees it."""
        waits = await self.engine.read(messages.waiting, message.id)
        return None if waits is None else self.breaker.seen(waits, self.clock.now())

    async def history(self, message: Message) -> list[Event]:
        """Its events."""
        return await self.engine.read(messages.history, message.id)

    async def kinds(self, message: Message) -> list[str]:
        """The kinds of its events."""
        return [event.kind for event in await self.history(message)]

    async def callbacks(self, message: Message) -> list[Status]:
        """The states that callbacks tell of."""
        return [callback.status for callback in await self.engine.read(queue.callbacks_of, message.id)]

    async def _fetch(self, url: str, most: int) -> Fetched:
        self.fetched.append(url)
        given = self.media[url]
        if isinstance(given, MediaUnavailable):
            raise given
        return given if isinstance(given, Fetched) else await given

    def slow(self, url: str) -> asyncio.Future[Fetched]:
        """Let a URL give nothing until the test says what."""
        given: asyncio.Future[Fetched] = asyncio.get_running_loop().create_future()
        self.media[url] = given
        return given


def _held_by(node: bytes) -> Operation[list[bytes]]:
    table = schema.pending.c
    rows = yield Query(select(table.message_id).where(table.node == node))
    return [row[0] for row in rows]


def queued() -> Operation[list[Pending]]:
    """Every row of the queue, the one due first at the head."""
    rows = yield Query(select(schema.pending).order_by(schema.pending.c.due_at, schema.pending.c.message_id))
    return [Pending(*row) for row in rows]
