"""Take messages into the record: the message, what waits, its event and its callbacks in one transaction."""

from collections.abc import Collection, Sequence
from typing import Any, Literal

import msgspec
from msgspec.structs import astuple, replace
from sqlalchemy import delete

from parley.model.callback import Callback
from parley.model.consent import ConsentChange
from parley.model.message import Media, Message, Pending
from parley.store import opt_outs, schema
from parley.store.engine.statements import Execute, Insert, Lookup, Operation, Row, Upsert
from parley.store.media import keep


class IdempotencyKey(msgspec.Struct, frozen=True):
    """A client's key for a request, and what the request was, so that a key used for another one is noticed."""

    key: str
    fingerprint: bytes


class Intake(msgspec.Struct, frozen=True):
    """One message to take, with all that its acceptance changes."""

    message: Message
    pending: Pending | None = None
    media: tuple[Media, ...] = ()
    contents: tuple[tuple[bytes, bytes], ...] = ()
    """SHA-256 and octets of media that are here already."""
    callbacks: tuple[Callback, ...] = ()
    idempotency: IdempotencyKey | None = None
    must_consent: bool = False
    """Refuse it when the recipient opted out of the sender."""
    slot_us: int = 0
    """Microseconds of the sender's pace that it takes; 0 when the sender is not paced."""
    most_wait_us: int | None = None
    """Refuse it when its slot is further away than this."""
    event_data: str | None = None
    consent: tuple[ConsentChange, ...] = ()
    """What the message says of its sender's consent. Noted with it, once."""


class Taken(msgspec.Struct, frozen=True):
    """The message is in the record. `pending` has the slot that it was given; `callbacks` are owed from now."""

    message: Message
    pending: Pending | None
    callbacks: tuple[Callback, ...] = ()


class Repeated(msgspec.Struct, frozen=True):
    """A request with this key came before; this is the message that it made."""

    message_id: bytes


Refusal = Literal["opted_out", "queue_full", "key_reused"]
Verdict = Taken | Repeated | Refusal


def accept(intakes: Sequence[Intake]) -> Operation[list[Verdict]]:
    """Take each intake or say why not; nothing of a refused one is kept. One verdict for each, in order."""
    verdicts: list[Verdict | None] = [None] * len(intakes)
    repeats: dict[int, int] = {}
    if any(intake.idempotency is not None for intake in intakes):
        repeats = yield from _recall(intakes, verdicts)
    if any(intake.must_consent for intake in intakes):
        yield from _refuse_opted_out(intakes, verdicts)
    slots: dict[int, Pending] = {}
    if any(intake.slot_us for intake in intakes):
        yield from _reserve(intakes, verdicts, slots)
    for n, original in repeats.items():
        verdicts[n] = verdicts[original] or verdicts[n]  # the same request is refused for the same reason

    messages: list[Row] = []
    pending: list[Row] = []
    events: list[Row] = []
    media: list[Row] = []
    contents: list[Row] = []
    callbacks: list[Row] = []
    keys: list[Row] = []
    consent: list[ConsentChange] = []
    results: list[Verdict] = []
    for n, intake in enumerate(intakes):
        verdict = verdicts[n]
        if verdict is not None:
            results.append(verdict)
            continue
        message = intake.message
        messages.append(astuple(message))
        events.append((message.account_id, message.id, message.status, message.created_at, intake.event_data))
        waits = slots.get(n, intake.pending)
        if waits is not None:
            pending.append(astuple(waits))
        media += map(astuple, intake.media)
        contents += intake.contents
        callbacks += map(astuple, intake.callbacks)
        if intake.idempotency is not None:
            key = intake.idempotency
            keys.append((message.account_id, key.key, message.id, key.fingerprint, message.created_at))
        consent += intake.consent
        results.append(Taken(message, waits, intake.callbacks))

    yield Insert(schema.messages, messages)
    yield Insert(schema.events, events, EVENT_COLUMNS)
    yield Insert(schema.pending, pending)
    if contents:
        yield from keep(contents)
    yield Insert(schema.media, media)
    yield Insert(schema.callbacks, callbacks)
    yield Insert(schema.idempotency, keys)
    yield from opt_outs.apply(consent)
    return results


EVENT_COLUMNS = ("account_id", "message_id", "kind", "at", "data")
_PAIR = ("account_id", "sender", "recipient")


def purge_idempotency(before: int) -> Operation[None]:
    """Forget the keys of requests that were made before a time."""
    yield Execute(delete(schema.idempotency).where(schema.idempotency.c.created_at < before))


def _recall(intakes: Sequence[Intake], verdicts: list[Verdict | None]) -> Operation[dict[int, int]]:
    """Answer requests whose key was seen before. Returns those that repeat another of this batch, and which."""
    keyed = [(n, intake.message, intake.idempotency) for n, intake in enumerate(intakes) if intake.idempotency]
    found = yield Lookup(
        schema.idempotency,
        ("account_id", "key", "message_id", "fingerprint"),
        ("account_id", "key"),
        list({(message.account_id, key.key): None for _, message, key in keyed}),
    )
    seen: dict[tuple[Any, Any], tuple[int | None, bytes, bytes]] = {
        (account_id, key): (None, message_id, fingerprint) for account_id, key, message_id, fingerprint in found
    }
    repeats: dict[int, int] = {}
    for n, message, key in keyed:
        before = seen.setdefault((message.account_id, key.key), (n, message.id, key.fingerprint))
        original, message_id, fingerprint = before
        if original == n:
            continue
        if fingerprint != key.fingerprint:
            verdicts[n] = "key_reused"
            continue
        verdicts[n] = Repeated(message_id)
        if original is not None:
            repeats[n] = original
    return repeats


def _refuse_opted_out(intakes: Sequence[Intake], verdicts: list[Verdict | None]) -> Operation[None]:
    pairs = {
        (intake.message.account_id, intake.message.sender, intake.message.recipient)
        for intake in intakes
        if intake.must_consent
    }
    opted_out = set((yield Lookup(schema.opt_outs, _PAIR, _PAIR, list(pairs))))
    if not opted_out:
        return
    for n, intake in enumerate(intakes):
        message = intake.message
        is_out = (message.account_id, message.sender, message.recipient) in opted_out
        if intake.must_consent and is_out and verdicts[n] is None:
            verdicts[n] = "opted_out"


def _reserve(intakes: Sequence[Intake], verdicts: list[Verdict | None], slots: dict[int, Pending]) -> Operation[None]:
    """Give each paced message its sender's next free slot (GCRA: the sender is free again a message's cost later)."""
    paced = [
        (n, intake, intake.pending)
        for n, intake in enumerate(intakes)
        if intake.slot_us and intake.pending is not None and verdicts[n] is None
    ]
    senders = {(intake.message.account_id, waits.sender) for _, intake, waits in paced}
    free_at = yield from _lock_paces(senders)
    if new := senders.difference(free_at):
        # A row that is not there cannot be locked: it is made, by whichever node is first, and then locked.
        yield Insert(schema.paces, [(*sender, 0) for sender in sorted(new)], ignore=True)
        free_at |= yield from _lock_paces(new)
    for n, intake, waits in paced:
        sender = (intake.message.account_id, waits.sender)
        now = intake.message.created_at
        slot = max(waits.due_at, free_at[sender])
        if intake.most_wait_us is not None and slot - now > intake.most_wait_us:
            verdicts[n] = "queue_full"
            continue
        free_at[sender] = slot + intake.slot_us
        if slot > waits.due_at:
            # Not held in memory: whoever is free when the slot comes claims it. It may expire before.
            slots[n] = replace(waits, due_at=min(slot, waits.expires_at), node=None, waiting_for="pace")
    yield Upsert(schema.paces, [(*sender, at) for sender, at in free_at.items()])


def _lock_paces(senders: Collection[tuple[bytes, str]]) -> Operation[dict[tuple[bytes, str], int]]:
    columns = ("account_id", "sender", "free_at")
    rows = yield Lookup(schema.paces, columns, columns[:2], sorted(senders), lock=True)
    return {(row[0], row[1]): row[2] for row in rows}
