"""Claim: take what is due and nobody's, keep this node's lease, and free the work of dead nodes."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from parley.core.backoff import Backoff
from parley.core.breaker import CLAIM, Breaker, Plan
from parley.core.handoff import Handoff
from parley.core.metrics import Metrics
from parley.core.outcomes import SUBMITTING
from parley.lib.clock import Clock
from parley.model.callback import Callback
from parley.model.message import Message, Pending
from parley.store import Engine, News, StoreUnavailable, queue

log = structlog.get_logger(__name__)

LEASE_US = 10_000_000
"""A node that did not renew for so long is dead to the others."""
_RENEW_S = 2.0
_COUNT_SHARE = 20.0
"""What waits is counted again after so many times what counting took: a backlog of a million is read whole."""
_SILENT_S = 3.0
"""A node that did not renew for so long is dead to one that starts under its name."""
_POLL_S = 1.0
_SLACK_S = 30.0
"""A loop that is so much later than it meant to be is stuck."""
_GATHER_S = 0.05
"""Pause after a claim that took all that was due."""
_FULL_S = 0.05
"""Pause while this node's hands are full."""
_NUDGED_S = 0.02
"""Let what was put off together gather before it is looked for."""
_INSPECT_S = 30.0
"""How often the record is asked whether this node holds what it does not know of."""
_AGAIN_S = 1.0
"""How soon it is asked again when something was missing, or a commit's answer was lost."""
_LATE_US = 5_000_000
"""What is accepted is committed, and another node's clock agrees with this one's, within so long."""
_AFRESH_S = 10.0
"""How often all that is due is looked through while some of it is passed over: old work may have come free."""
_IDLE = 10
"""Looking for what has ended among what waits takes at most one part in so many of a reader's time."""
_DOUBTFUL_TURNS = 10
"""A commit whose answer was lost may land while the server is still at it: for so many turns after."""


class NameTaken(Exception):
    """Another node of this name is alive."""


class Claims:
    """One node's claims. `due` and `owed` take what it claimed; the events are set when work was put off to later."""

    def __init__(
        self,
        engine: Engine,
        node: bytes,
        name: str,
        clock: Clock,
        due: Handoff[tuple[Pending, Message]],
        owed: Handoff[Callback],
        messages_wait: asyncio.Event,
        callbacks_wait: asyncio.Event,
        backoff: Backoff,
        breaker: Breaker,
        metrics: Metrics,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._engine = engine
        self._sleep = sleep
        self._node = node
        self._name = name
        self._clock = clock
        self._due = due
        self._owed = owed
        self._backoff = backoff
        self._metrics = metrics
        self._is_stopping = False
        self.nodes = 1
        """Nodes that are alive, as this one saw it last."""
        self._missing: set[bytes] = set()
        self._lost = 0
        self._counts_at = 0.0
        self._messages_wait = messages_wait
        self._callbacks_wait = callbacks_wait
        self._breaker = breaker
        self._passed: frozenset[str] = frozenset()
        self._since = 0
        self._afresh_at = self._ended_at = 0.0
        self._doubt = asyncio.Event()
        self._doubtful = 0
        self._looks = [messages_wait, callbacks_wait]
        self._wakes = [messages_wait, callbacks_wait, self._doubt]
        breaker.on_change(messages_wait.set)
        engine.on_doubt(self._doubted)
        engine.on_news(self._heard)

    async def join(self) -> None:
        """Enter this node; whatever a former life of it held is free again. Raises NameTaken while another one lives.

        Whether it does, its lease says, which it renews every two seconds.
        """
        former = await self._engine.read(queue.lease_of, self._name)
        if former is not None:
            silent_s = (self._clock.now() - (former - LEASE_US)) / 1_000_000
            await self._sleep(min(max(_SILENT_S - silent_s, 0.0), _SILENT_S))
        now = self._clock.now()
        if not await self._engine.write(queue.join, self._node, self._name, now + LEASE_US, former):
            raise NameTaken(
                f"node_name: a node that runs has the name {self._name!r} already: give each node its own, or stop that"
            )

    async def leave(self) -> None:
        """Take this node out; whatever it still holds is free at once."""
        await self._engine.write(queue.leave, self._node)

    def stop(self) -> None:
        """End the loops after their present turn."""
        self._is_stopping = True
        for event in self._wakes:
            event.set()

    def look(self) -> None:
        """Look at once for what is due, as after the wall clock was set."""
        for event in self._looks:
            event.set()

    async def claim_messages(self) -> None:
        """Claim messages as they fall due, until stopped."""
        await self._forever("claim-messages", self.claim_due_messages, self._messages_wait)

    async def claim_callbacks(self) -> None:
        """Claim callbacks as they fall due, until stopped."""
        await self._forever("claim-callbacks", self._claim_callbacks, self._callbacks_wait)

    async def repeat(self, name: str, turn: Callable[[], Awaitable[float]], nudge: asyncio.Event | None = None) -> None:
        """Take turns until stopped; each says how many seconds to wait for the next. `nudge` and `look` end a wait."""
        event = nudge or asyncio.Event()
        self._wakes.append(event)
        if nudge is not None:
            self._looks.append(nudge)
        await self._forever(name, turn, event)

    async def keep_lease(self) -> None:
        """Renew this node's lease and free dead nodes' work, until stopped."""
        await self.repeat("lease", self._keep_lease)

    async def claim_due_messages(self) -> float:
        """Claim once what is due and what the carrier may take; seconds until there may be more."""
        room = min(self._due.room, CLAIM)
        if not room:
            return _FULL_S
        if not self._breaker.is_calm:
            return await self._claim_carefully(room)
        now = self._clock.now()
        pause = self._until(await self._engine.read(queue.next_due_message), now)
        if pause:
            return pause
        self._due.put(await self._engine.write(queue.claim_messages, self._node, now, room))
        return 0.0

    async def _claim_carefully(self, room: int) -> float:
        """Claim what the breaker lets pass, and what has ended meanwhile. What waits on is read, and never written."""
        now = self._clock.now()
        await self._claim_ended(room, now)
        plan = self._breaker.plan(now)
        limit = min(self._due.room, plan.limit) if plan is not None else 0
        if plan is not None and limit:
            found = await self._look_for(plan, limit, now)
            taken = await self._claim(found)
            self._breaker.claimed(plan, self._clock.now(), [waits for waits, _ in taken], is_all=len(found) < limit)
            self._due.put(taken)
            if found:
                return 0.0
        due_at = await self._engine.read(queue.next_due_message, now) if plan is not None else None
        opens_at = self._breaker.opens_at(now)
        return min(self._until(due_at, now), self._until(opens_at, now))

    async def _look_for(self, plan: Plan, limit: int, now: int) -> list[bytes]:
        """The first messages that are due, but for those of the senders that are passed over.

        Nearly all that is due may be theirs, so the next look begins where this one ends.
        """
        if not self._passed <= plan.without or self._clock.monotonic() >= self._afresh_at:
            self._since, self._afresh_at = 0, self._clock.monotonic() + _AFRESH_S
        self._passed = plan.without
        found = await self._engine.read(queue.due_messages, now, limit, self._since, plan.without)
        self._since = max(self._since, min(now - _LATE_US, found[-1][0] if len(found) == limit else now))
        return [message_id for _, message_id in found]

    async def _claim_ended(self, room: int, now: int) -> None:
        """Claim what needs no carrier: what has expired while it waited, or is in doubt since its node died."""
        began = self._clock.monotonic()
        if began < self._ended_at:
            return
        ended = await self._engine.read(queue.ended_messages, now, room, SUBMITTING)
        took = self._clock.monotonic() - began
        self._ended_at = began + took * _IDLE
        self._due.put(await self._claim(ended))

    async def _claim(self, messages: list[bytes]) -> list[tuple[Pending, Message]]:
        if not messages:
            return []
        return await self._engine.write(queue.claim_named, self._node, self._clock.now(), messages)

    async def _claim_callbacks(self) -> float:
        room = min(self._owed.room, CLAIM)
        if not room:
            return _FULL_S
        now = self._clock.now()
        pause = self._until(await self._engine.read(queue.next_due_callback), now)
        if pause:
            return pause
        claimed = await self._engine.write(queue.claim_callbacks, self._node, now, room)
        self._owed.put(claimed)
        # What falls due one by one is claimed together: each claim costs a look, a commit and the way to the delivery.
        return 0.0 if len(claimed) == room else _GATHER_S

    async def _keep_lease(self) -> float:
        now = self._clock.now()
        if not await self._engine.write(queue.stay, self._node, now + LEASE_US):
            log.warning("the lease had ended; joining again", node=self._name)
            await self._engine.write(queue.rejoin, self._node, self._name, now + LEASE_US)
        rescued = await self._engine.write(queue.rescue, now)
        if rescued:
            log.warning("freed the work of dead nodes", nodes=rescued)
        self.nodes = await self._engine.read(queue.nodes)
        if self._clock.monotonic() >= self._counts_at:
            await self._count()
        return _RENEW_S

    async def _count(self) -> None:
        """Count what waits, for the metrics; again only when that will have taken a small part of the time."""
        began = self._clock.monotonic()
        depth = await self._engine.read(queue.depth)
        ended = self._clock.monotonic()
        self._counts_at = ended + _COUNT_SHARE * (ended - began)
        self._note_lost(depth["reasons"].get(queue.LOST, 0))
        self._metrics.pending.set(depth["messages"])
        self._metrics.waiting(depth["reasons"], "dispatch" if self._breaker.takes_new else "carrier_down")
        self._metrics.uncertain.set(depth["uncertain"])
        self._metrics.owed.set(depth["callbacks"])

    def _note_lost(self, count: int) -> None:
        """Say once of each place in the queue that its message is gone: nothing else would, since all others go on."""
        if count > self._lost:
            log.error(
                "the queue has messages that are not in the record; `parley doctor --audit` names them: restore them"
                " from a backup, or delete their rows from the table pending",
                count=count,
            )
        self._lost = count

    async def inspect(self) -> None:
        """Free what was lost from this node's hands, until stopped; soon after a commit whose answer was lost."""
        await self._forever("inspect", self._inspect, self._doubt)

    async def _inspect(self) -> float:
        is_doubtful = self._doubtful > 0
        await self.let_go_of_lost()
        if is_doubtful:
            self._doubtful -= 1
        return _AGAIN_S if self._missing or self._doubtful else _INSPECT_S

    async def let_go_of_lost(self) -> None:
        """Free what the record says this node holds and what is not in its hands, twice in a row.

        A commit whose answer was lost, or a fault of ours, must not keep a message for as long as this node lives.
        """
        messages = await self._engine.read(queue.held_messages, self._node)
        callbacks = await self._engine.read(queue.held_callbacks, self._node)
        missing = {id_ for id_ in messages if id_ not in self._due} | {
            id_ for id_ in callbacks if id_ not in self._owed
        }
        lost, self._missing = missing & self._missing, missing
        if lost:
            log.warning("freeing what was lost from this node's hands", count=len(lost))
            await self._engine.write(queue.let_go, self._node, lost & messages, lost & callbacks)
            self.look()
        await self._engine.write(queue.free_strays)

    def _doubted(self) -> None:
        self._doubtful = _DOUBTFUL_TURNS
        self._doubt.set()

    def _heard(self, news: News) -> None:
        """Another node let go of work, or took more than it can hold."""
        if News.MESSAGES in news:
            self._messages_wait.set()
        if News.CALLBACKS in news:
            self._callbacks_wait.set()

    def _until(self, due_at: int | None, now: int) -> float:
        """Seconds to wait for what is due next: another node's commit may be seen only by polling."""
        if due_at is None:
            return _POLL_S
        return min(_POLL_S, max(0.0, (due_at - now) / 1_000_000))

    async def _forever(self, loop: str, turn: Callable[[], Awaitable[float]], nudge: asyncio.Event) -> None:
        failures = 0
        while not self._is_stopping:
            nudge.clear()
            try:
                pause = await turn()
                failures = 0
                self._metrics.progressed(loop, self._clock, pause + _SLACK_S)
            except StoreUnavailable as error:
                failures += 1
                pause = self._backoff.delay_us(failures) / 1_000_000
                log.warning("the database is away", loop=loop, error=str(error))
            if pause:
                try:
                    async with asyncio.timeout(pause):
                        await nudge.wait()
                except TimeoutError:
                    continue
                await asyncio.sleep(min(pause, _NUDGED_S))
