"""Change messages' states: the only way a state moves, with its event, its callbacks and its place in the queue."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec.structs import astuple

from parley.model.callback import Callback
from parley.model.message import FINAL, Dialect, Status, may_move
from parley.model.receipt import Receipt
from parley.store import schema
from parley.store.accept import EVENT_COLUMNS
from parley.store.engine.statements import Delete, Insert, Lookup, Operation, Row, Update


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
    only_from: Collection[Status] | None = None
    """Happens only while the message is in one of these states."""
    requeue: "Requeue | None" = None
    """It waits on, under these terms. Without it a final state, or `sent`, takes the message off the queue."""


class Requeue(msgspec.Struct, frozen=True):
    """The terms under which a message waits on."""

    node: bytes | None
    due_at: int
    attempts: int
    waiting_for: str | None


class CallbackTerms(msgspec.Struct, frozen=True):
    """Which states each dialect calls back for, who holds the new callbacks, and where their ids come from."""

    states: Mapping[Dialect, Collection[Status]]
    new_id: Callable[[], bytes]
    node: bytes | None


class Applied(msgspec.Struct, frozen=True):
    """What became of the changes: those that moved their message, and the callbacks that are now owed."""

    moved: list[Change]
    callbacks: list[Callback]


_STATE: Final = (
    "account_id", "id", "status", "dialect", "status_callback", "sent_at", "carrier",
    "error_code", "error_message", "uncertain",
)  # fmt: skip
_SET: Final = ("status", "updated_at", "sent_at", "carrier", "error_code", "error_message", "uncertain")
_KEYS: Final = ("account_id", "id")
_LEAVES_QUEUE: Final = FINAL | {"sent"}


class _State:
    """A message's changing columns while changes are applied to it."""

    __slots__ = (
        "account_id", "carrier", "dialect", "error_code", "error_message", "id", "is_changed", "sent_at",
        "status", "status_callback", "uncertain", "updated_at",
    )  # fmt: skip

    def __init__(self, row: Row) -> None:
        (
            self.account_id, self.id, self.status, self.dialect, self.status_callback, self.sent_at, self.carrier,
            self.error_code, self.error_message, self.uncertain,
        ) = row  # fmt: skip
        self.updated_at = 0
        self.is_changed = False

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
    if any(change.refs for change in changes):
        changes = yield from _join_early_receipts(changes)

    moved: list[Change] = []
    events: list[Row] = []
    callbacks: list[Callback] = []
    off_queue: list[Row] = []
    requeued: list[Row] = []
    refs: list[Row] = []
    for change in changes:
        state = states.get(change.message_id)
        if state is None or (change.only_from is not None and state.status not in change.only_from):
            continue
        moves = change.status is not None and may_move(state.status, change.status)
        _note(state, change)
        if moves:
            assert change.status is not None
            _enter(state, change, change.status)
            moved.append(change)
            callback = _callback(state, change, change.status, terms)
            if callback is not None:
                callbacks.append(callback)
        if moves or change.status != state.status:  # a receipt that says what we know leaves no trace
            kind = change.kind or (change.status if moves and change.status else "receipt")
            events.append((change.account_id, change.message_id, kind, change.at, change.data))
        if change.refs:
            refs += ((change.carrier, ref, change.account_id, change.message_id, None) for ref in change.refs)
        if change.requeue is not None:
            terms_ = change.requeue
            requeued.append((terms_.node, terms_.due_at, terms_.attempts, terms_.waiting_for, change.message_id))
        elif moves and change.status in _LEAVES_QUEUE:
            off_queue.append((change.message_id,))

    changed = [state.row() for state in states.values() if state.is_changed]
    if changed:
        yield Update(schema.messages, _SET, _KEYS, changed)
    if events:
        yield Insert(schema.events, events, EVENT_COLUMNS)
    if off_queue:
        yield Delete(schema.pending, ("message_id",), off_queue)
    if requeued:
        yield Update(schema.pending, ("node", "due_at", "attempts", "waiting_for"), ("message_id",), requeued)
    if refs:
        yield Insert(schema.refs, refs, ignore=True)
    if callbacks:
        yield Insert(schema.callbacks, [astuple(callback) for callback in callbacks])
    return Applied(moved, callbacks)


def _note(state: _State, change: Change) -> None:
    """Take over what does not depend on a move."""
    if change.carrier is not None and state.carrier is None:
        state.carrier = change.carrier
        state.updated_at = change.at
        state.is_changed = True
    if change.uncertain and not state.uncertain:
        state.uncertain = 1
        state.updated_at = change.at
        state.is_changed = True
    if change.status is None and change.error_code is not None:  # a fault that does not end it: a webhook's, a reply's
        state.error_code = change.error_code
        state.error_message = change.error_message
        state.updated_at = change.at
        state.is_changed = True


def _enter(state: _State, change: Change, status: Status) -> None:
    state.status = status
    state.updated_at = change.at
    state.is_changed = True
    if status in ("undelivered", "failed"):
        state.error_code = change.error_code
        state.error_message = change.error_message
    if state.sent_at is None and status in ("sent", "delivered", "undelivered", "read"):
        state.sent_at = change.at


def _callback(state: _State, change: Change, status: Status, terms: CallbackTerms) -> Callback | None:
    if state.status_callback is None or status not in terms.states[state.dialect]:
        return None
    return Callback(
        id=terms.new_id(),
        account_id=change.account_id,
        message_id=change.message_id,
        kind="status",
        dialect=state.dialect,
        url=state.status_callback,
        method="POST",
        fallback_url=None,
        fallback_method="POST",
        status=status,
        error_code=change.error_code,
        data=None,
        created_at=change.at,
        state="pending",
        node=terms.node,
        due_at=change.at,
        attempts=0,
        outcome=None,
        finished_at=None,
    )


def _join_early_receipts(changes: Sequence[Change]) -> Operation[list[Change]]:
    """Follow each recorded submit by the receipts that came before it, which were kept as orphans."""
    keys = [(change.carrier, ref) for change in changes for ref in change.refs]
    found = yield Lookup(
        schema.orphans, ("carrier", "ref", "status", "at", "error_code", "seq"), ("carrier", "ref"), keys, lock=True
    )
    if not found:
        return list(changes)
    yield Delete(schema.orphans, ("seq",), [(row[5],) for row in found])
    early: dict[tuple[Any, Any], Row] = {(row[0], row[1]): row for row in found}
    joined: list[Change] = []
    for change in changes:
        joined.append(change)
        rows = [row for ref in change.refs if (row := early.get((change.carrier, ref))) is not None]
        status = fold([row[2] for row in rows] + [None] * (len(change.refs) - len(rows)))
        if rows and status is not None:
            code = next((row[4] for row in rows if row[4] is not None), None)
            joined.append(
                Change(change.account_id, change.message_id, max(row[3] for row in rows), status, error_code=code)
            )
    return joined


def fold(statuses: Sequence[Status | None]) -> Status | None:
    """What a message's receipts say together, one a segment: it fails with any, is delivered with all."""
    for bad in ("failed", "undelivered"):
        if bad in statuses:
            return bad
    if all(status in ("delivered", "read") for status in statuses):
        return "read" if "read" in statuses else "delivered"
    return None


def receive(receipts: Sequence[Receipt], terms: CallbackTerms) -> Operation[Applied]:
    """Apply receipts. Those that match no message yet are kept as orphans."""
    changes: list[Change] = []
    by_ref = [receipt for receipt in receipts if receipt.key is None]
    matched: dict[tuple[Any, Any], Row] = {}
    segments: dict[bytes, dict[str, Status | None]] = {}
    if by_ref:
        columns = ("carrier", "ref", "account_id", "message_id")
        keys = list({(receipt.carrier, receipt.ref): None for receipt in by_ref})
        rows = yield Lookup(schema.refs, columns, ("carrier", "ref"), keys, lock=True)
        matched = {(row[0], row[1]): row for row in rows}
        siblings = yield Lookup(
            schema.refs, ("message_id", "ref", "status"), ("message_id",), list({(row[3],): None for row in rows})
        )
        for message_id, ref, status in siblings:
            segments.setdefault(message_id, {})[ref] = status
    orphans: list[Row] = []
    said: list[Row] = []
    for receipt in receipts:
        if receipt.key is not None:
            account_id, message_id = receipt.key
            status: Status | None = receipt.status
        else:
            row = matched.get((receipt.carrier, receipt.ref))
            if row is None:
                orphans.append((receipt.carrier, receipt.ref, receipt.status, receipt.at, receipt.error_code))
                continue
            account_id, message_id = row[2], row[3]
            parts = segments[message_id]
            assert receipt.ref is not None
            parts[receipt.ref] = receipt.status
            said.append((receipt.status, receipt.carrier, receipt.ref))
            status = receipt.status if len(parts) == 1 else fold(list(parts.values()))
        data = {"carrier": receipt.carrier, "status": receipt.status, "ref": receipt.ref, "code": receipt.error_code}
        changes.append(
            Change(
                account_id,
                message_id,
                receipt.at,
                status,
                data=msgspec.json.encode({k: v for k, v in data.items() if v is not None}).decode(),
                error_code=receipt.error_code,
            )
        )
    if orphans:
        yield Insert(schema.orphans, orphans, ("carrier", "ref", "status", "at", "error_code"))
    if said:
        yield Update(schema.refs, ("status",), ("carrier", "ref"), said)
    if not changes:
        return Applied([], [])
    return (yield from apply(changes, terms))
