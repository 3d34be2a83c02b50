"""Write to the record, and hand what each commit made due to the loops that do it: the way of every change."""

import asyncio
from collections.abc import Collection, Mapping, Sequence

from parley.core.handoff import Handoff
from parley.core.metrics import Metrics
from parley.lib.ids import Ids
from parley.model.callback import Callback
from parley.model.message import Dialect, Message, Pending, Status
from parley.model.receipt import Receipt
from parley.store import Engine, accept, changes
from parley.store.changes import Applied, CallbackTerms, Change


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
        self._accept = engine.lane(accept.accept)

    @property
    def holder_of_messages(self) -> bytes | None:
        """Who holds a message that is accepted now and due at once: this node while it has room."""
        return self.node if self._due.has_room else None

    @property
    def holder_of_callbacks(self) -> bytes | None:
        """Who holds a callback that is owed from now."""
        return self.node if self._owed.has_room else None

    def calls_back(self, dialect: Dialect, status: Status) -> bool:
        """Whether a dialect's callbacks tell of a state."""
        return status in self._states[dialect]

    async def accept(self, intake: accept.Intake) -> accept.Verdict:
        """Take one message. Returns once it is durable, or with the reason why it was not taken."""
        verdict = await self._accept.put(intake)
        if isinstance(verdict, accept.Taken):
            self._metrics.accepted(verdict.message)
            waits = verdict.pending
            if waits is not None:
                if waits.node is not None:
                    self._due.put(((waits, verdict.message),))
                else:
                    self._waiting.set()
            self._hand_over(intake.callbacks)
        return verdict

    async def apply(self, happened: Sequence[Change]) -> Applied:
        """Apply changes of state. Returns once they are durable."""
        applied = await self.engine.write(changes.apply, happened, self._terms())
        if any(change.requeue is not None for change in happened):
            self._waiting.set()
        return self._told(applied)

    async def receive(self, receipts: Sequence[Receipt]) -> Applied:
        """Apply receipts. Returns once they are durable."""
        applied = await self.engine.write(changes.receive, receipts, self._terms())
        return self._told(applied)

    def _terms(self) -> CallbackTerms:
        return CallbackTerms(self._states, self.ids.new, self.holder_of_callbacks)

    def _told(self, applied: Applied) -> Applied:
        self._metrics.moved(applied.moved)
        self._hand_over(applied.callbacks)
        return applied

    def _hand_over(self, callbacks: Sequence[Callback]) -> None:
        if callbacks and callbacks[0].node is not None:
            self._owed.put(callbacks)
