"""The books: what a message and all that belongs to it must look like, which class it counts in, and what is wrong."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from typing import Final

import msgspec

from parley.model.callback import TELLS_BEGINNING
from parley.model.message import FINAL, INITIAL, MOVES, Dialect, Direction, Status, may_move

EXAMPLES: Final = 1000
"""Messages named for each kind of fault; the others are counted."""
_REASONS: Final = 100
_AHEAD_US: Final = 60 * 86_400_000_000
"""Nothing waits longer: a schedule's 35 days, its queue and its quiet hours, or a callback's 30 days."""
_CONFIGURATION_US: Final = 60_000_000
"""A number's change is taken to be known everywhere after this."""


class Books(msgspec.Struct):
    """One account's, or everybody's. Outbound messages, each in one class; then what is owed to apps."""

    accepted: int = 0
    """Outbound messages whose acceptance is among the events."""
    delivered: int = 0
    undelivered: int = 0
    failed: int = 0
    canceled: int = 0
    read: int = 0
    pending: int = 0
    """Not final, and on the queue or `sent`, which waits for a receipt."""
    uncertain: int = 0
    """Not final, and on the queue after a submit whose outcome is not known."""
    sent: int = 0
    """Those of `pending` that a carrier has, and only a receipt can end."""
    received: int = 0
    """Inbound messages."""
    callbacks: int = 0
    """Status callbacks and inbound webhooks that the events demand."""
    callbacks_delivered: int = 0
    callbacks_pending: int = 0
    callbacks_given_up: int = 0

    @property
    def is_balanced(self) -> bool:
        """Accepted = delivered + undelivered + failed + canceled + read + pending + uncertain."""
        ended = self.delivered + self.undelivered + self.failed + self.canceled + self.read
        return self.accepted == ended + self.pending + self.uncertain

    @property
    def has_all_callbacks(self) -> bool:
        """Callbacks = delivered + pending + given up."""
        return self.callbacks == self.callbacks_delivered + self.callbacks_pending + self.callbacks_given_up


class Fault(msgspec.Struct, frozen=True):
    """One thing that must not be: of which kind, and with which message (its id in hex)."""

    kind: str
    message_id: str
    said: str


class Audit(msgspec.Struct):
    """What an audit found."""

    total: Books
    accounts: dict[str, Books]
    """By the account's id in hex."""
    faults: dict[str, int]
    """How many of each kind."""
    examples: list[Fault]
    """At most `EXAMPLES` of each kind."""
    given_up: dict[str, int]
    """Why callbacks were given up, and how many; rarer reasons together as `other`."""
    refs: int = 0
    orphans: int = 0
    """Receipts that belong to no message that is known."""

    @property
    def is_clean(self) -> bool:
        """Whether the books of each account balance, and nothing is wrong."""
        books = (self.total, *self.accounts.values())
        return not self.faults and all(each.is_balanced and each.has_all_callbacks for each in books)


class Entry(msgspec.Struct, frozen=True):
    """The columns of one message that the books turn on."""

    account_id: bytes
    id: bytes
    direction: Direction
    dialect: Dialect
    status: Status
    recipient: str
    num_media: int
    status_callback: str | None
    created_at: int
    uncertain: int
    deleted_at: int | None


class Owed(msgspec.Struct, frozen=True):
    """The columns of one callback that the books turn on."""

    kind: str
    status: str
    state: str
    due_at: int
    attempts: int
    outcome: str | None
    finished_at: int | None


class Waits(msgspec.Struct, frozen=True):
    """The columns of a message's place in the queue that the books turn on."""

    due_at: int
    expires_at: int


class Belongings(msgspec.Struct, frozen=True):
    """What else the record holds of one message."""

    kinds: Sequence[str]
    """Of its events, in order."""
    untold: Collection[str]
    """Those of its states that nobody was to hear of."""
    waits: Waits | None
    """Its place in the queue."""
    callbacks: Sequence[Owed]
    media: Sequence[tuple[bytes | None, int | None, bool]]
    """Of each attachment: content hash, deleted_at, and whether that content is stored."""
    webhook_since: int | None
    """Inbound: since when the number it came to, the account's, has named a URL for it. None: not that is known."""


class Auditor:
    """Turns the messages' pages, one message after another. `states` says what each dialect's callbacks tell of."""

    def __init__(self, states: Mapping[Dialect, Collection[Status]], now: int) -> None:
        self._states = states
        self._furthest = now + _AHEAD_US
        self._faults: Counter[str] = Counter()
        self._given_up: Counter[str] = Counter()
        self.result = Audit(Books(), {}, {}, [], {})

    def finish(self) -> Audit:
        """The result."""
        result = self.result
        result.faults = dict(sorted(self._faults.items()))
        result.given_up = dict(self._given_up.most_common())
        for name in Books.__struct_fields__:
            setattr(result.total, name, sum(getattr(books, name) for books in result.accounts.values()))
        return result

    def fault(self, kind: str, message_id: bytes | None, said: str, count: int = 1) -> None:
        """Note what must not be. Without an id it is only counted."""
        if message_id is not None and self._faults[kind] < EXAMPLES:
            self.result.examples.append(Fault(kind, message_id.hex(), said))
        self._faults[kind] += count

    def books(self, account_id: bytes) -> Books:
        """An account's books."""
        return self.result.accounts.setdefault(account_id.hex(), Books())

    def turn(self, message: Entry, has: Belongings) -> None:
        """Account for one message."""
        books = self.books(message.account_id)
        entered = [kind for kind in has.kinds if kind in MOVES]
        self._history(message, entered)
        if message.direction == "inbound":
            books.received += 1
            if has.waits is not None:
                self.fault("queued in vain", message.id, "an inbound message waits to be submitted")
        else:
            books.accepted += bool(entered) and entered[0] in INITIAL
            self._classify(books, message, is_queued=has.waits is not None)
            self._due(message, has.waits)
        self._callbacks(books, message, entered, has)
        self._media(message, entered, has)

    def _history(self, message: Entry, entered: Sequence[str]) -> None:
        if not entered or entered[0] not in INITIAL:
            self.fault("no acceptance", message.id, "no event tells that it was taken")
            return
        for before, after in pairwise(entered):
            if not may_move(before, after):  # type: ignore[arg-type]  # both are keys of MOVES
                self.fault("illegal move", message.id, f"it went from {before} to {after}")
        if entered[-1] != message.status:
            self.fault("state without event", message.id, f"it is {message.status}; its events end at {entered[-1]}")

    def _classify(self, books: Books, message: Entry, *, is_queued: bool) -> None:
        status = message.status
        if status in FINAL or status == "sent":
            if is_queued:
                self.fault("queued in vain", message.id, f"it is {status}, and still on the queue")
            if status == "sent":
                books.pending += 1
                books.sent += 1
            else:
                setattr(books, status, getattr(books, status) + 1)
        elif not is_queued:
            self.fault("stuck", message.id, f"it is {status}, and not on the queue")
        elif message.uncertain:
            books.uncertain += 1
        else:
            books.pending += 1

    def _due(self, message: Entry, waits: Waits | None) -> None:
        if waits is not None and (waits.due_at > waits.expires_at or waits.expires_at > self._furthest):
            self.fault("due never", message.id, f"it waits until {waits.due_at}, and is valid until {waits.expires_at}")

    def _callbacks(self, books: Books, message: Entry, entered: Sequence[str], has: Belongings) -> None:
        told: list[tuple[str, str]] = []
        if message.direction != "inbound":
            if message.status_callback is not None:
                states = set(self._states[message.dialect]).difference(has.untold)
                moved = entered if message.dialect in TELLS_BEGINNING else entered[1:]
                told = [("status", status) for status in moved if status in states]
        elif has.webhook_since is not None and has.webhook_since + _CONFIGURATION_US <= message.created_at:
            told = [("inbound", message.status)]
        found = Counter((owed.kind, owed.status) for owed in has.callbacks)
        notices = sum(count for (kind, _), count in found.items() if kind == "notice")
        books.callbacks += notices + sum(kind != "notice" for kind, _ in {*found, *told})
        for (kind, status), count in found.items():
            if kind != "notice" and count > 1:
                self.fault("told twice", message.id, f"{count} callbacks tell of {status}")
        for kind, status in told:
            if (kind, status) not in found:
                self.fault(
                    f"no {'callback' if kind == 'status' else 'webhook'}", message.id, f"nobody is told {status}"
                )
        for owed in has.callbacks:
            if owed.kind == "status" and owed.status not in entered:
                self.fault("false callback", message.id, f"it tells of {owed.status}, which the message never was")
            self._end(books, message, owed)

    def _end(self, books: Books, message: Entry, owed: Owed) -> None:
        match owed.state:
            case "pending":
                books.callbacks_pending += 1
                if owed.due_at > self._furthest:
                    self.fault("due never", message.id, f"the callback of {owed.status} waits until {owed.due_at}")
                return
            case "delivered":
                books.callbacks_delivered += 1
                if owed.attempts < 1 or not owed.outcome:
                    said = f"the callback of {owed.status} is delivered by {owed.attempts} attempts: {owed.outcome}"
                    self.fault("no attempt", message.id, said)
            case "gave_up":
                books.callbacks_given_up += 1
                reason = owed.outcome or ""
                known = reason in self._given_up or len(self._given_up) < _REASONS
                self._given_up[reason if known else "other"] += 1
                if not reason:
                    self.fault("no reason", message.id, f"the callback of {owed.status} was given up without a reason")
            case _:
                self.fault("unknown end", message.id, f"the callback of {owed.status} is {owed.state}")
        if owed.finished_at is None:
            self.fault("no end", message.id, f"the callback of {owed.status} is {owed.state}, at no time")

    def _media(self, message: Entry, entered: Sequence[str], has: Belongings) -> None:
        if message.deleted_at is not None:
            return
        if len(has.media) != message.num_media:
            self.fault("media missing", message.id, f"it has {len(has.media)} of {message.num_media} media")
        # Who refuses a message before any carrier has it fetches nothing for it, though it ends as undelivered.
        needs_all = message.direction == "inbound" or "sent" in entered
        for content_hash, deleted_at, is_stored in has.media:
            if deleted_at is None and not is_stored and (needs_all or content_hash is not None):
                self.fault("content missing", message.id, "a medium's octets are not there")
