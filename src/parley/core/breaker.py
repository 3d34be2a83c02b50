"""The breaker: stop taking messages off the queue that the carrier would not take, and begin again by small trials.

    closed ── nobody was reached in a row, or a sender was throttled ─────> open
      ^                                                                     │ its time is over
      └── a trial took all that was due, or a whole claim ── half-open <────┘
                                                              └── the trial fails ──> open, for longer

There is one circuit for the carrier as a whole and one for each sender that it throttles. What waits behind an open
circuit stays in the record as it is: it is neither claimed nor written, keeps its place, and is told of by `seen`.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final, Literal

import msgspec
from msgspec.structs import replace

from parley.core.backoff import FIRST_S, Backoff
from parley.core.outcomes import IN_DOUBT
from parley.lib.randomness import Randomness
from parley.model.message import Pending

CLAIM: Final = 500
"""Messages in one claim."""
RECIPIENTS: Final = 2
"""So many of them, and nobody between them, are not reached before the carrier is taken to be down: one may be a bad
address, which must not hold up everybody else's messages."""
TRIAL: Final = 10
"""Messages in a circuit's first trial; each that succeeds doubles the next."""
LONGEST_S: Final = 5.0
"""How long the carrier is left alone at most: a trial costs little, and people wait for what waits."""

Reason = Literal["carrier_down", "throttled"]


class Plan(msgspec.Struct, frozen=True):
    """What may be claimed now: at most `limit` messages, `without` those of some senders."""

    limit: int
    without: frozenset[str]


class _Circuit:
    """Exists while it is not closed."""

    __slots__ = ("failures", "has_failed", "is_drained", "trial", "until", "window")

    def __init__(self) -> None:
        self.until = 0
        self.has_failed = True
        """Whether the last trial did; the first is what opened it."""
        self.window = TRIAL
        self.failures = 0
        self.trial: set[bytes] = set()
        """The messages of the trial under way."""
        self.is_drained = False
        """Whether the trial is all that was due, and nothing has come since."""

    def is_open(self, now: int) -> bool:
        """Whether nothing may be claimed: its time is not over, or a trial is under way."""
        return self.until > now or bool(self.trial)

    def begin(self, trial: set[bytes], *, is_all: bool) -> None:
        """Begin a trial."""
        self.trial = trial
        self.has_failed = False
        self.is_drained = is_all

    def stops(self, message_id: bytes) -> bool:
        """Whether a message is in no trial, or in one that has failed."""
        if message_id in self.trial and not self.has_failed:
            return False
        self.is_drained = False
        return True

    def end(self, messages: Collection[bytes]) -> bool:
        """End a trial's part; whether it was the last of it. Without a failure the next trial is larger."""
        if self.trial.isdisjoint(messages):
            return False
        self.trial.difference_update(messages)
        if self.trial:
            return False
        if not self.has_failed:
            self.failures = 0
            self.window *= 2
        return True

    @property
    def is_proven(self) -> bool:
        """Whether it can close: a trial took all that was due, or as much as one claim."""
        return not self.has_failed and (self.is_drained or self.window > CLAIM)


class Breaker:
    """One node's circuits. Times are microseconds since the epoch."""

    def __init__(self, randomness: Randomness) -> None:
        self.backoff = Backoff(randomness, FIRST_S, LONGEST_S)
        self._carrier: _Circuit | None = None
        self._senders: dict[str, _Circuit] = {}
        self._changed: list[Callable[[], None]] = []
        self._missed: set[str] = set()
        """Recipients that were not reached since anybody was."""

    def on_change(self, changed: Callable[[], None]) -> None:
        """Have `changed` called when more may be claimed, as after a trial."""
        self._changed.append(changed)

    def ask_again(self) -> None:
        """Try the carrier at once: there is word that it changed."""
        if self._carrier is not None:
            self._carrier.until = 0
            self._carrier.failures = 0
            self._tell_of_change()

    @property
    def is_calm(self) -> bool:
        """Whether every circuit is closed."""
        return self._carrier is None and not self._senders

    @property
    def takes_new(self) -> bool:
        """Whether what is accepted now may go to the carrier at once, past the record."""
        return self._carrier is None

    def plan(self, now: int) -> Plan | None:
        """What may be claimed; None while the carrier is left alone."""
        limit = CLAIM
        if self._carrier is not None:
            if self._carrier.is_open(now):
                return None
            limit = self._carrier.window
        without: set[str] = set()
        for sender, circuit in self._senders.items():
            if circuit.is_open(now):
                without.add(sender)
            else:
                limit = min(limit, circuit.window)
        return Plan(limit, frozenset(without))

    def opens_at(self, now: int) -> int | None:
        """When the next open circuit's time is over; None when none waits for a time."""
        circuits = [*self._senders.values(), *([self._carrier] if self._carrier else ())]
        return min((circuit.until for circuit in circuits if circuit.until > now), default=None)

    def claimed(self, plan: Plan, now: int, claimed: Sequence[Pending], *, is_all: bool) -> None:
        """Begin trials with what was claimed by `plan`. `is_all`: nothing more was due."""
        if (carrier := self._carrier) is not None and not carrier.is_open(now):
            carrier.begin({waits.message_id for waits in claimed}, is_all=is_all)
        if not self._senders:
            return
        trials: dict[str, set[bytes]] = {}
        for waits in claimed:
            trials.setdefault(waits.sender, set()).add(waits.message_id)
        for sender, circuit in list(self._senders.items()):
            if sender in plan.without or circuit.is_open(now):
                continue
            circuit.begin(trials.get(sender, set()), is_all=is_all)
            if is_all and not circuit.trial:
                del self._senders[sender]

    def stops(self, waits: Pending) -> Reason | None:
        """Why a message that this node holds is not submitted: its circuit is not closed, and it is in no trial."""
        if self._carrier is not None and self._carrier.stops(waits.message_id):
            return "carrier_down"
        circuit = self._senders.get(waits.sender)
        if circuit is not None and circuit.stops(waits.message_id):
            return "throttled"
        return None

    def reached(self) -> None:
        """The carrier answered for something of a submit, be it by a refusal."""
        self._missed.clear()

    def unreachable(self, recipients: Mapping[bytes, str], now: int) -> None:
        """Nothing of a submit was taken, nor could have been: its messages, by id, were for these."""
        circuit = self._carrier
        if circuit is None:
            self._missed.update(recipients.values())
            if len(self._missed) < RECIPIENTS:
                return
            self._missed.clear()
            circuit = self._carrier = _Circuit()
        elif circuit.trial.isdisjoint(recipients):
            return  # it left before the circuit opened, and says nothing new
        circuit.has_failed = True
        circuit.failures += 1
        circuit.window = TRIAL
        circuit.until = now + self.backoff.delay_us(circuit.failures)

    def throttled(self, sender: str, until: int) -> None:
        """The carrier wants a sender to wait until then."""
        circuit = self._senders.get(sender)
        if circuit is None:
            circuit = self._senders[sender] = _Circuit()
        elif not circuit.has_failed:
            circuit.has_failed = True
            circuit.window = max(TRIAL, circuit.window // 2)
        circuit.until = max(circuit.until, until)

    def done(self, messages: Collection[bytes]) -> None:
        """These have left this node's hands. A trial that ends without a failure closes its circuit, or grows."""
        if self.is_calm:
            return
        has_ended = False
        if (carrier := self._carrier) is not None and carrier.end(messages):
            has_ended = True
            if carrier.is_proven:
                self._carrier = None
        for sender, circuit in list(self._senders.items()):
            if circuit.end(messages):
                has_ended = True
                if circuit.is_proven:
                    del self._senders[sender]
        if has_ended:
            self._tell_of_change()

    def _tell_of_change(self) -> None:
        for changed in self._changed:
            changed()

    def seen(self, waits: Pending, now: int) -> Pending:
        """A place in the queue as it is: what waits behind an open circuit says so, though nobody wrote it there."""
        if waits.node is not None or waits.waiting_for in IN_DOUBT:
            return waits
        for circuit, reason in ((self._carrier, "carrier_down"), (self._senders.get(waits.sender), "throttled")):
            if circuit is not None and waits.due_at <= max(now, circuit.until):
                return replace(waits, waiting_for=reason, due_at=min(max(now, circuit.until), waits.expires_at))
        return waits
