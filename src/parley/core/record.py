"""Write to the record, and hand what each commit made due to the loops that do it: the way of every change."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from parley.core.handoff import Handoff
from parley.core.metrics import Metrics
from parley.lib.ids import Ids
from parley.model.callback import Callback
from parley.model.message import Dialect, Message, Pending, Status
from parley.model.receipt import Receipt
from parley.store import Engine, Operation, changes, relay_owed, scheduled
from parley.store import accept as intake
from parley.store.changes import Applied, CallbackTerms, Change
from parley.store.relay_owed import Target

_REMATCHED: Final = 1000


class Record:
    """This node's way of writing.

    `states` says, per dialect, which changes of state its callbacks tell of. `waiting` is set when a message was
    committed as nobody's, so that who claims them looks when it is due.
    """

    def __init__(
        self,
        engine: Engine,
        node: bytes,
        ids: Ids,
        states: Mapping[Dialect, Collection[Status]],
        due: Handoff[tuple[Pending, Message]],
        owed: Handoff[Callback],
        waiting: asyncio.Event,
        metrics: Metrics,
    ) -> None:
        self.engine = engine
        self.node = node
        self.ids = ids
        self._states = states
        self._due = due
        self._owed = owed
        self._waiting = waiting
        self._metrics = metrics
        self.relayed: set[Target] = set()
        """Who has Relay events to hear of; taken from here by who tells them."""
        self.relay_waits = asyncio.Event()
        self._accept = engine.lane(intake.accept, self._accepted)
        self._changes = engine.lane(self._apply, self._applied)

    @property
    def holder_of_messages(self) -> bytes | None:
        """Who holds a message that is accepted now and due at once: this node while it has room."""
        return self.node if self._due.has_room else None

    @property
    def holder_of_callbacks(self) -> bytes | None:
        """Who holds a callback that is owed from now."""
        return self.node if self._owed.has_room else None

    @property
    def waiting(self) -> int:
        """How much that a request may have asked for waits for a transaction."""
        return len(self._accept) + self.engine.group.singles

    def calls_back(self, dialect: Dialect, status: Status) -> bool:
        """Whether a dialect's callbacks tell of a state."""
        return status in self._states[dialect]

    async def accept(self, wanted: intake.Intake) -> intake.Verdict:
        """Take one message. Returns once it is durable, or with the reason why it was not taken."""
        return await self._accept.put(wanted)

    async def apply(self, happened: Sequence[Change]) -> Applied:
        """Apply changes of state. Returns once they are durable."""
        return await self._changes.put(happened)

    async def receive(self, receipts: Sequence[Receipt]) -> Applied:
        """Apply receipts. Returns once they are durable."""
        return await self._changes.put(receipts)

    async def release(self, intakes: Sequence[tuple[Message, intake.Intake]]) -> list[intake.Decision]:
        """Decide of messages that this node holds and that were put off, each as it was with what it is to be."""
        decisions = await self.engine.write(scheduled.release, self.node, intakes)
        for decision in decisions:
            self._hand_over(decision.callbacks)
            self._tell(relay_owed.of_message(decision.message))
            if decision.pending is not None and decision.pending.node is None:
                self._waiting.set()
        self._metrics.moved([decision.message for decision in decisions])
        return decisions

    async def rematch(self) -> int:
        """Apply receipts that came before another node recorded what they are about; how many moved a message."""
        applied = await self.engine.write(changes.rematch, _REMATCHED, self._terms())
        self._applied([applied])
        return len(applied.moved)

    def _accepted(self, verdicts: Sequence[intake.Verdict]) -> None:
        """Hand over what was just committed, though its callers may have gone away."""
        due: list[tuple[Pending, Message]] = []
        taken: list[Message] = []
        for verdict in verdicts:
            if isinstance(verdict, intake.Taken):
                taken.append(verdict.message)
                self._tell(relay_owed.of_message(verdict.message))
                self._hand_over(verdict.callbacks)
                if (waits := verdict.pending) is None:
                    continue
                if waits.node is not None:
                    due.append((waits, verdict.message))
                else:
                    self._waiting.set()
        if due:
            self._due.put(due)
        self._metrics.accepted(taken)

    def _apply(self, news: Sequence[Sequence[Change] | Sequence[Receipt]]) -> Operation[list[Applied]]:
        """Apply what several callers brought as one: a message submitted and delivered meanwhile is written once."""
        brought: list[list[Change]] = []
        for item in news:
            receipts = [told for told in item if isinstance(told, Receipt)]
            heard = (yield from changes.hear(receipts)) if receipts else []
            brought.append([*heard, *(told for told in item if isinstance(told, Change))])
        applied = yield from changes.apply([change for item in brought for change in item], self._terms())
        moved, missed = set(map(id, applied.moved)), set(map(id, applied.missed))
        results = [
            Applied([c for c in item if id(c) in moved], [], [c for c in item if id(c) in missed]) for item in brought
        ]
        asked = {id(change) for item in brought for change in item}
        early = [change for change in applied.moved if id(change) not in asked]  # receipts that waited for a submit
        # What belongs to no caller in particular goes with the first.
        results[0] = replace(
            results[0],
            callbacks=applied.callbacks,
            has_requeued=applied.has_requeued,
            relayed=applied.relayed,
            early=early,
        )
        return results

    def _applied(self, results: Sequence[Applied]) -> None:
        for applied in results:
            self._metrics.moved([*applied.moved, *applied.early])
            self._hand_over(applied.callbacks)
            self._tell(applied.relayed)
            if applied.has_requeued:
                self._waiting.set()

    def _terms(self) -> CallbackTerms:
        return CallbackTerms(self._states, self.ids.at, self.holder_of_callbacks)

    def _tell(self, targets: Sequence[Target]) -> None:
        if targets:
            self.relayed.update(targets)
            self.relay_waits.set()

    def _hand_over(self, callbacks: Sequence[Callback]) -> None:
        if callbacks and callbacks[0].node is not None:
            self._owed.put(callbacks)
