"""Change messages' states: the only way a state moves, with its event, its callbacks and its place in the queue."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec.structs import astuple
from sqlalchemy import and_, select

from parley.model.callback import MAY_BE_UNTOLD, TELLS_BEGINNING, Callback
from parley.model.message import FINAL, Dialect, Status, may_move
from parley.model.receipt import Receipt
from parley.store import relay_owed, schema
from parley.store.accept import EVENT_COLUMNS
from parley.store.engine.statements import Delete, Insert, Lookup, Operation, Query, Row, Update


class Change(msgspec.Struct, frozen=True):
    """One thing that happened to a message. Whether its state moves is decided against the record."""

    account_id: bytes
    message_id: bytes
    at: int
    status: Status | None = None
    """The state it enters; None for what is told of without a move."""
    kind: str | None = None
    """The event's kind, when it is not the state's name."""
    data: str | None = None
    error_code: int | None = None
    error_message: str | None = None
    carrier: str | None = None
    refs: tuple[str, ...] = ()
    """The carrier's names of its segments."""
    uncertain: bool = False
    mends: bool = False
    """What its error tells of went well after all."""
    only_from: Collection[Status] | None = None
    """Happens only while the message is in one of these states."""
    only_if_free: bool = False
    """Happens only while no node holds the message: one that is held may be leaving this instant."""
    only_if_held_by: bytes | None = None
    """Happens only while this node holds the message: its lease may have ended, and another may have it."""
    requeue: "Requeue | None" = None
    """It waits on, under these terms. Without it a final state, or `sent`, takes the message off the queue."""


class Requeue(msgspec.Struct, frozen=True):
    """The terms under which a message waits on."""

    node: bytes | None
    due_at: int
    attempts: int
    waiting_for: str | None


class CallbackTerms(msgspec.Struct, frozen=True):
    """Which states each dialect calls back for, who holds the new callbacks, and where ids of a given time come from.

    A message's callbacks are made in the order of their ids, and its states may be entered by several nodes.
    """

    states: Mapping[Dialect, Collection[Status]]
    id_at: Callable[[int], bytes]
    node: bytes | None


class Applied(msgspec.Struct, frozen=True):
    """What became of the changes: those that moved their message, and the callbacks that are now owed."""

    moved: list[Change]
    callbacks: list[Callback]
    missed: list[Change] = []
    """Those whose `only_if_held_by` was not so."""
    has_requeued: bool = False
    """Whether any message waits on under new terms."""
    relayed: list[relay_owed.Target] = []
    """Who has Relay events to hear of now."""
    early: list[Change] = []
    """Those that moved a message, and that nobody brought now: receipts that waited for their submit."""


_STATE: Final = (
    "account_id", "id", "status", "dialect", "service_id", "status_callback", "sent_at", "carrier",
    "error_code", "error_message", "uncertain", "updated_at", "extras",
)  # fmt: skip
_SET: Final = ("status", "updated_at", "sent_at", "carrier", "error_code", "error_message", "uncertain")
_KEYS: Final = ("account_id", "id")
_LEAVES_QUEUE: Final = FINAL | {"sent"}
_AFTER_SENT: Final[frozenset[Status | None]] = frozenset({"delivered", "undelivered", "read"})


class _State:
    """A message's changing columns while changes are applied to it."""

    __slots__ = (
        "account_id", "carrier", "dialect", "error_code", "error_message", "extras", "id", "is_changed", "sent_at",
        "service_id", "status", "status_callback", "uncertain", "updated_at",
    )  # fmt: skip

    def __init__(self, row: Row) -> None:
        (
            self.account_id, self.id, self.status, self.dialect, self.service_id, self.status_callback, self.sent_at,
            self.carrier,
            self.error_code, self.error_message, self.uncertain, self.updated_at, self.extras,
        ) = row  # fmt: skip
        self.is_changed = False

    def is_before(self, at: int, terms: "CallbackTerms") -> bool:
        """Whether what happens at `at` comes after what is known, also by its callback's id.

        Ids of one microsecond keep their order only when one node made them.
        """
        is_told = self.status_callback is not None and self.status in terms.states[self.dialect]
        if self.status == "queued" and self.service_id is None:  # it began so
            is_told = is_told and self.dialect in TELLS_BEGINNING
        return at > self.updated_at or (at == self.updated_at and (self.is_changed or not is_told))

    def row(self) -> Row:
        return (
            self.status, self.updated_at, self.sent_at, self.carrier, self.error_code, self.error_message,
            self.uncertain, self.account_id, self.id,
        )  # fmt: skip


def apply(changes: Sequence[Change], terms: CallbackTerms) -> Operation[Applied]:
    """Apply changes in order. One that its message's state does not allow leaves an event, and nothing else."""
    wanted = list({(change.account_id, change.message_id): None for change in changes})
    found = yield Lookup(schema.messages, _STATE, _KEYS, wanted, lock=True)
    states = {row[1]: _State(row) for row in found}
    holders: dict[bytes, bytes | None] = {}
    if asked := [(c.message_id,) for c in changes if c.only_if_free or c.only_if_held_by is not None]:
        rows = yield Lookup(schema.pending, ("message_id", "node"), ("message_id",), asked, lock=True)
        holders = {row[0]: row[1] for row in rows}
    refs: list[Row] = []
    if any(change.refs for change in changes):
        changes, refs = yield from _join_early_receipts(changes)

    moved: list[Change] = []
    missed: list[Change] = []
    events: list[Row] = []
    callbacks: list[Callback] = []
    off_queue: list[Row] = []
    requeued: dict[bytes, Row] = {}
    relayed: list[Row] = []
    for change in changes:
        state = states.get(change.message_id)
        if state is None or (change.only_from is not None and state.status not in change.only_from):
            continue
        if change.only_if_free and holders.get(change.message_id, b"") is not None:
            continue
        if change.only_if_held_by is not None and holders.get(change.message_id) != change.only_if_held_by:
            missed.append(change)
            continue
        # One message's times follow its order, though a carrier's clock or a slower path may say otherwise.
        at = change.at if state.is_before(change.at, terms) else state.updated_at + 1
        status = change.status
        moves = status is not None and may_move(state.status, status)
        _note(state, change, at)
        # A receipt that says what we know leaves no trace, nor does a step that was overtaken and tells nothing.
        is_news = change.data is not None and (status != state.status or change.uncertain)
        if moves or change.kind is not None or is_news:
            is_submit = change.carrier is not None or change.uncertain
            kind = change.kind or (status if moves and status else "submit" if is_submit else "receipt")
            data = _untold(change.data) if moves and _is_withheld(state, status, terms) else change.data
            events.append((change.account_id, change.message_id, kind, at, data))
        if moves and status is not None:
            _enter(state, change, status, at)
            moved.append(change)
            callback = _callback(state, change, status, at, terms)
            if callback is not None:
                callbacks.append(callback)
            relayed += relay_owed.owed((state.account_id, state.id), state.extras, status, change.error_code, at)
        if (terms_ := change.requeue) is not None:
            key = change.message_id
            requeued[key] = (terms_.node, terms_.due_at, terms_.attempts, terms_.waiting_for, key)
        elif change.uncertain or (moves and status in _LEAVES_QUEUE):
            off_queue.append((change.message_id,))

    yield Update(schema.messages, _SET, _KEYS, [state.row() for state in states.values() if state.is_changed])
    yield Insert(schema.events, events, EVENT_COLUMNS)
    yield Delete(schema.pending, ("message_id",), off_queue)
    yield Update(
        schema.pending, ("node", "due_at", "attempts", "waiting_for"), ("message_id",), list(requeued.values())
    )
    yield Insert(schema.refs, refs, ignore=True)
    yield Insert(schema.callbacks, [astuple(callback) for callback in callbacks])
    yield Insert(schema.relay_events, relayed, relay_owed.COLUMNS)
    return Applied(moved, callbacks, missed, has_requeued=bool(requeued), relayed=[(row[0], row[1]) for row in relayed])


def _note(state: _State, change: Change, at: int) -> None:
    """Take over what does not depend on a move."""
    if change.carrier is not None and state.carrier is None:
        state.carrier = change.carrier
        state.updated_at = at
        state.is_changed = True
    if change.uncertain and not state.uncertain:
        state.uncertain = 1
        state.updated_at = at
        state.is_changed = True
    if change.mends and state.error_code is not None:
        state.error_code = state.error_message = None
        state.updated_at = at
        state.is_changed = True
    if change.status is None and change.error_code is not None:  # a fault that does not end it: a webhook's, a reply's
        state.error_code = change.error_code
        state.error_message = change.error_message
        state.updated_at = at
        state.is_changed = True


def _enter(state: _State, change: Change, status: Status, at: int) -> None:
    state.status = status
    state.updated_at = at
    state.is_changed = True
    if status in ("undelivered", "failed"):
        state.error_code = change.error_code
        state.error_message = change.error_message
    if state.sent_at is None and status in ("sent", "delivered", "undelivered", "read"):
        state.sent_at = at


def _callback(state: _State, change: Change, status: Status, at: int, terms: CallbackTerms) -> Callback | None:
    if state.status_callback is None or status not in terms.states[state.dialect]:
        return None
    return Callback.owed(
        terms.id_at(at),
        (change.account_id, change.message_id),
        state.dialect,
        state.status_callback,
        status,
        at=at,
        node=terms.node,
        error_code=change.error_code,
    )


def _is_withheld(state: _State, status: Status | None, terms: CallbackTerms) -> bool:
    """Whether an app asked to hear of this state, and does not because the operator chose so."""
    if state.status_callback is None or status not in MAY_BE_UNTOLD.get(state.dialect, ()):
        return False
    return status not in terms.states[state.dialect]


def _untold(data: str | None) -> str:
    """An event's data with the word that nobody is told: the choice may be another when the books are audited."""
    return msgspec.json.encode({**(msgspec.json.decode(data) if data else {}), "told": False}).decode()


def is_untold(data: str | None) -> bool:
    """Whether an event's data says that the app was not told by the operator's choice."""
    return data is not None and '"told"' in data and msgspec.json.decode(data).get("told") is False


def _join_early_receipts(changes: Sequence[Change]) -> Operation[tuple[list[Change], list[Row]]]:
    """Follow each recorded submit by the receipts that came before it, which were kept as orphans.

    Returns the changes, and the rows of the new refs with what is known of each.
    """
    keys = [(change.carrier, ref) for change in changes for ref in change.refs]
    found = yield Lookup(
        schema.orphans, ("seq", "carrier", "ref", "status", "at", "error_code"), ("carrier", "ref"), keys, lock=True
    )
    yield Delete(schema.orphans, ("seq",), [(row[0],) for row in found])
    early: dict[tuple[Any, Any], list[Receipt]] = {}
    for _, carrier, ref, status, at, code in sorted(found, key=lambda row: row[0]):
        early.setdefault((carrier, ref), []).append(Receipt(carrier, status, at, ref, error_code=code))
    joined: list[Change] = []
    rows: list[Row] = []
    for change in changes:
        joined.append(change)
        parts: dict[str, Status | None] = dict.fromkeys(change.refs)
        for ref in change.refs:
            for receipt in early.get((change.carrier, ref), ()):
                joined += _hear(parts, receipt, change.account_id, change.message_id)
        rows += [(change.carrier, ref, change.account_id, change.message_id, said) for ref, said in parts.items()]
    return joined, rows


def fold(statuses: Collection[Status | None]) -> Status | None:
    """What a message's receipts say together, one a segment: it fails with any, is delivered with all."""
    for bad in ("failed", "undelivered"):
        if bad in statuses:
            return bad
    if all(status in ("delivered", "read") for status in statuses):
        return "read" if "read" in statuses else "delivered"
    return None


def _hear(
    parts: dict[str, Status | None], receipt: Receipt, account_id: bytes, message_id: bytes
) -> tuple[Change] | tuple[()]:
    """Take one receipt into what is known of its message's segments, and say what it does to the message, if anything.

    A segment's state regresses as little as a message's does.
    """
    assert receipt.ref is not None
    before = parts[receipt.ref]
    if before == receipt.status:
        return ()
    if before is None or may_move(before, receipt.status):
        parts[receipt.ref] = receipt.status
    return (_told(receipt, account_id, message_id, receipt.status if len(parts) == 1 else fold(parts.values())),)


def _told(receipt: Receipt, account_id: bytes, message_id: bytes, status: Status | None) -> Change:
    data = {"carrier": receipt.carrier, "status": receipt.status, "ref": receipt.ref, "code": receipt.error_code}
    return Change(
        account_id,
        message_id,
        receipt.at,
        status,
        data=msgspec.json.encode({key: value for key, value in data.items() if value is not None}).decode(),
        error_code=receipt.error_code,
    )


def receive(receipts: Sequence[Receipt], terms: CallbackTerms) -> Operation[Applied]:
    """Apply receipts. Those that match no message yet are kept as orphans."""
    changes = yield from hear(receipts)
    return (yield from apply(changes, terms))


def hear(receipts: Sequence[Receipt]) -> Operation[list[Change]]:
    """Note receipts of segments, keep those that match nothing, and say what the rest do to their messages."""
    owners: dict[tuple[str, str | None], tuple[bytes, bytes]] = {}
    segments: dict[bytes, dict[str, Status | None]] = {}
    by_ref = list({(receipt.carrier, receipt.ref): None for receipt in receipts if receipt.key is None})
    if by_ref:
        columns = ("carrier", "ref", "account_id", "message_id")
        rows = yield Lookup(schema.refs, columns, ("carrier", "ref"), by_ref)
        owners = {(row[0], row[1]): (row[2], row[3]) for row in rows}
        messages = list({(row[3],): None for row in rows})
        # All of a message's segments are locked, or two nodes that hear of one each would both miss the other's.
        siblings = yield Lookup(schema.refs, ("message_id", "ref", "status"), ("message_id",), messages, lock=True)
        for message_id, ref, status in siblings:
            segments.setdefault(message_id, {})[ref] = status
    changes: list[Change] = []
    orphans: list[Row] = []
    said: dict[tuple[str, str], Status | None] = {}
    for receipt in receipts:
        if receipt.key is not None:
            changes.append(_told(receipt, *receipt.key, receipt.status))
            continue
        owner = owners.get((receipt.carrier, receipt.ref))
        if owner is None or receipt.ref is None:
            orphans.append((receipt.carrier, receipt.ref, receipt.status, receipt.at, receipt.error_code))
            continue
        parts = segments[owner[1]]
        changes += _hear(parts, receipt, *owner)
        said[receipt.carrier, receipt.ref] = parts[receipt.ref]
    yield Insert(schema.orphans, orphans, ("carrier", "ref", "status", "at", "error_code"))
    yield Update(schema.refs, ("status",), ("carrier", "ref"), [(status, *ref) for ref, status in said.items()])
    return [
        step for change in changes for step in ((_sent(change), change) if change.status in _AFTER_SENT else (change,))
    ]


def _sent(change: Change) -> Change:
    """What a handset's receipt implies. When the submit's answer died with its node, it is told of all the same."""
    return Change(change.account_id, change.message_id, change.at, "sent")


def rematch(limit: int, terms: CallbackTerms) -> Operation[Applied]:
    """Apply at most `limit` orphans whose message is known by now.

    A receipt that comes to one node while another records the submit finds no message, nor does the submit find it.
    """
    orphan, ref = schema.orphans.c, schema.refs.c
    rows = yield Query(
        select(orphan.seq, orphan.carrier, orphan.status, orphan.at, orphan.ref, orphan.error_code)
        .join(schema.refs, and_(ref.carrier == orphan.carrier, ref.ref == orphan.ref))
        .order_by(orphan.seq)
        .limit(limit)
        .with_for_update(skip_locked=True, of=schema.orphans)
    )
    if not rows:
        return Applied([], [])
    yield Delete(schema.orphans, ("seq",), [(row[0],) for row in rows])
    return (yield from receive([Receipt(row[1], row[2], row[3], row[4], error_code=row[5]) for row in rows], terms))
