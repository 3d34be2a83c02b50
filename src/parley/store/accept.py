"""Take messages into the record: the message, what waits, its event and its callbacks in one transaction."""

from collections.abc import Collection, Sequence
from typing import Any, Literal

import msgspec
from msgspec import json
from msgspec.structs import astuple, replace
from sqlalchemy import delete

from parley.model.callback import Callback
from parley.model.consent import ConsentChange
from parley.model.link import Link
from parley.model.message import Media, Message, Pending, Status
from parley.store import links, opt_outs, relay_owed, schema, stickies
from parley.store.engine.statements import Execute, Insert, Lookup, Operation, Row, Upsert
from parley.store.media import keep
from parley.store.stickies import Choice, Doom


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
    """Refuse it when the recipient opted out of the sender, or of `scope`, unless there is an `objection`."""
    objection: Doom | None = None
    """What becomes of it when the recipient opted out: it is taken, and ends so."""
    scope: str | None = None
    """The `MG...` SID of the service that the sender belongs to."""
    slot_us: int = 0
    """Microseconds of the sender's pace that it takes; 0 when the sender is not paced."""
    most_wait_us: int | None = None
    """Refuse it when its slot is further away than this, unless there is an `overflow`."""
    overflow: Doom | None = None
    """What becomes of it when its slot is too far away: it is taken, and ends so."""
    doom: Doom | None = None
    """It is taken, and ends so."""
    ending: Callback | None = None
    """What is owed should it be doomed; the status and code are put in."""
    choice: Choice | None = None
    """Who may send it. The message and its place in the queue name one of them, and get the one that is chosen."""
    passed: tuple[Status, ...] = ()
    """States that it goes through at once before the one it is in."""
    event_data: str | None = None
    consent: tuple[ConsentChange, ...] = ()
    """What the message says of its sender's consent. Noted with it, once."""
    links: tuple[Link, ...] = ()
    """The short links in its body."""
    forgets_from: int | None = None
    """When to look first whether it is over, and what is not kept of it may go; None when all is kept."""


class Taken(msgspec.Struct, frozen=True):
    """The message is in the record. `pending` has the slot that it was given; `callbacks` are owed from now."""

    message: Message
    pending: Pending | None
    callbacks: tuple[Callback, ...] = ()


class Repeated(msgspec.Struct, frozen=True):
    """A request with this key came before; this is the message that it made."""

    message_id: bytes


class Decision(msgspec.Struct, frozen=True):
    """A message as it is taken: with its sender, its slot, or its end, and all that tells of that."""

    message: Message
    pending: Pending | None
    callbacks: tuple[Callback, ...]
    events: tuple[Row, ...]
    """Of `EVENT_COLUMNS`."""


Refusal = Literal["opted_out", "queue_full", "key_reused", "code_taken"]
"""`code_taken`: one of its links has the code of another message's. With other codes it would be taken."""
Verdict = Taken | Repeated | Refusal


def accept(intakes: Sequence[Intake]) -> Operation[list[Verdict]]:
    """Take each intake or say why not; nothing of a refused one is kept. One verdict for each, in order."""
    verdicts: list[Verdict | None] = [None] * len(intakes)
    repeats: dict[int, int] = {}
    if any(intake.idempotency is not None for intake in intakes):
        repeats = yield from _recall(intakes, verdicts)
    decisions = yield from decide(intakes, verdicts)
    if linked := {n: intakes[n].links for n in decisions if intakes[n].links}:
        for n in (yield from links.keep(linked)):
            verdicts[n] = "code_taken"
            del decisions[n]
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
    forgetting: list[Row] = []
    relayed: list[Row] = []
    results: list[Verdict] = []
    for n, intake in enumerate(intakes):
        verdict = verdicts[n]
        if verdict is not None:
            results.append(verdict)
            continue
        decision = decisions[n]
        message, waits = decision.message, decision.pending
        messages.append(astuple(message))
        events += decision.events
        relayed += relay_owed.of_taken(message, decision.events)
        if waits is not None:
            pending.append(astuple(waits))
        media += map(astuple, intake.media)
        contents += intake.contents
        callbacks += map(astuple, decision.callbacks)
        if intake.idempotency is not None:
            key = intake.idempotency
            keys.append((message.account_id, key.key, message.id, key.fingerprint, message.created_at))
        consent += intake.consent
        if intake.forgets_from is not None:
            forgetting.append((message.id, message.account_id, intake.forgets_from))
        results.append(Taken(message, waits, decision.callbacks))

    yield Insert(schema.messages, messages)
    yield Insert(schema.events, events, EVENT_COLUMNS)
    yield Insert(schema.pending, pending)
    if contents:
        yield from keep(contents)
    yield Insert(schema.media, media)
    yield Insert(schema.callbacks, callbacks)
    yield Insert(schema.relay_events, relayed, relay_owed.COLUMNS)
    yield Insert(schema.idempotency, keys)
    yield from opt_outs.apply(consent)
    yield Insert(schema.forgetting, forgetting)
    return results


def decide(intakes: Sequence[Intake], verdicts: list[Verdict | None]) -> Operation[dict[int, Decision]]:
    """Choose each message's sender, ask for consent, and give it its slot: the decisions by position.

    Those with a verdict already are passed over, and who is refused gets one.
    """
    if any(intake.choice is not None for intake in intakes):
        intakes = yield from _choose(intakes, verdicts)
    dooms = {n: intake.doom for n, intake in enumerate(intakes) if intake.doom is not None}
    if any(intake.must_consent for intake in intakes):
        yield from _refuse_opted_out(intakes, verdicts, dooms)
    slots: dict[int, Pending] = {}
    if any(intake.slot_us for intake in intakes):
        yield from _reserve(intakes, verdicts, slots, dooms)
    decisions: dict[int, Decision] = {}
    for n, intake in enumerate(intakes):
        if verdicts[n] is None:
            decisions[n] = _decided(intake, slots.get(n, intake.pending), dooms.get(n))
    return decisions


EVENT_COLUMNS = ("account_id", "message_id", "kind", "at", "data")
_PAIR = ("account_id", "sender", "recipient")


def recall(account_id: bytes, key: IdempotencyKey) -> Operation[bytes | None]:
    """The message that the same request with a key made before."""
    columns, keys = ("message_id", "fingerprint"), ("account_id", "key")
    rows = yield Lookup(schema.idempotency, columns, keys, [(account_id, key.key)])
    return next((message_id for message_id, fingerprint in rows if fingerprint == key.fingerprint), None)


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


def _choose(intakes: Sequence[Intake], verdicts: Sequence[Verdict | None]) -> Operation[list[Intake]]:
    """Give each message that anybody of several may send its sender, with the pace and the end that come with it."""
    asked = [(n, intake.choice) for n, intake in enumerate(intakes) if intake.choice is not None and not verdicts[n]]
    found = yield from stickies.choose(
        [(choice, intakes[n].message.account_id, intakes[n].message.recipient) for n, choice in asked]
    )
    made = list(intakes)
    for (n, choice), one in zip(asked, found, strict=True):
        intake = intakes[n]
        message, waits = intake.message, intake.pending
        made[n] = replace(
            intake,
            message=message if message.sender == one.sender else replace(message, sender=one.sender),
            pending=waits if waits is None or waits.sender == one.sender else replace(waits, sender=one.sender),
            slot_us=round(max(message.segments, 1) * one.option.segment_us),
            doom=intake.doom or choice.dooms.get(one.option.sort),
            event_data=json.encode({"sender": one.sender, "why": one.why}).decode(),
        )
    return made


def _decided(intake: Intake, waits: Pending | None, doom: Doom | None) -> Decision:
    message = intake.message
    key, at = (message.account_id, message.id), message.updated_at
    events: list[Row] = [(*key, status, at, None) for status in intake.passed]
    events.append((*key, message.status, at, intake.event_data))
    if doom is None:
        return Decision(message, waits, intake.callbacks, tuple(events))
    at += 1
    events.append((*key, doom.status, at, json.encode({"code": doom.code}).decode()))
    message = replace(message, status=doom.status, error_code=doom.code, updated_at=at)
    callbacks = intake.callbacks
    if intake.ending is not None:
        callbacks = (*callbacks, replace(intake.ending, status=doom.status, error_code=doom.code))
    return Decision(message, None, callbacks, tuple(events))


def _refuse_opted_out(
    intakes: Sequence[Intake], verdicts: list[Verdict | None], dooms: dict[int, Doom]
) -> Operation[None]:
    senders = {n: _senders(intake.message, intake.scope) for n, intake in enumerate(intakes) if intake.must_consent}
    pairs = {pair for asked in senders.values() for pair in asked}
    opted_out = set((yield Lookup(schema.opt_outs, _PAIR, _PAIR, list(pairs))))
    if not opted_out:
        return
    for n, asked in senders.items():
        if verdicts[n] is not None or opted_out.isdisjoint(asked):
            continue
        if (objection := intakes[n].objection) is None:
            verdicts[n] = "opted_out"
        else:
            dooms[n] = objection


def _senders(message: Message, scope: str | None) -> list[Row]:
    """Whom the recipient may have opted out of, so that the message is not sent."""
    own = (message.account_id, message.sender, message.recipient)
    return [own] if scope is None else [own, (message.account_id, scope, message.recipient)]


def _reserve(
    intakes: Sequence[Intake], verdicts: list[Verdict | None], slots: dict[int, Pending], dooms: dict[int, Doom]
) -> Operation[None]:
    """Give each paced message its sender's next free slot (GCRA: the sender is free again a message's cost later)."""
    paced = [
        (n, intake, intake.pending)
        for n, intake in enumerate(intakes)
        if intake.slot_us and intake.pending is not None and verdicts[n] is None and n not in dooms
    ]
    senders = {(intake.message.account_id, waits.sender) for _, intake, waits in paced}
    free_at = yield from _lock_paces(senders)
    if new := senders.difference(free_at):
        # A row that is not there cannot be locked: it is made, by whichever node is first, and then locked.
        yield Insert(schema.paces, [(*sender, 0) for sender in sorted(new)], ignore=True)
        free_at |= yield from _lock_paces(new)
    for n, intake, waits in paced:
        sender = (intake.message.account_id, waits.sender)
        now = intake.message.updated_at
        slot = max(waits.due_at, free_at[sender])
        if intake.most_wait_us is not None and slot - now > intake.most_wait_us:
            if intake.overflow is None:
                verdicts[n] = "queue_full"
            else:
                dooms[n] = intake.overflow
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
