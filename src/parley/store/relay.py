"""Keep what Relay's clients are owed, and their sessions.

An event is inserted with the change that it tells of, claimed by a node that has a client for it, and gone once a
client has it.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Final

import msgspec
from msgspec import json
from msgspec.structs import astuple, fields
from sqlalchemy import and_, delete, func, or_, select, update

from parley.model.message import Media, Message
from parley.model.relay import MOST_CONTEXTS, RelayEvent, RelaySession
from parley.store import media, schema
from parley.store.accept import EVENT_COLUMNS
from parley.store.engine.statements import Delete, Execute, Insert, Lookup, Operation, Query, Row, Update, Upsert
from parley.store.messages import fetch_many
from parley.store.relay_owed import COLUMNS, Target

Claimed = tuple[RelayEvent, Message | None, Sequence[Media]]
"""An event with its message, None when that is gone, and the message's attachments."""

_events: Final = schema.relay_events.c
_sessions: Final = schema.relay_sessions.c
_ALL: Final = tuple(_events[field.name] for field in fields(RelayEvent))
_FREE_STRAYS: Final = (
    update(schema.relay_events)
    .where(and_(_events.node.is_not(None), _events.node.not_in(select(schema.nodes.c.id))))
    .values(node=None)
)


def fresh(limit: int) -> Operation[set[Target]]:
    """Whom the last free events are for."""
    rows = yield Query(
        select(_events.account_id, _events.target)
        .where(_events.node.is_(None))
        .order_by(_events.seq.desc())
        .limit(limit)
    )
    return {(row[0], row[1]) for row in rows}


def waiting(account_id: bytes, targets: Collection[str], limit: int) -> Operation[list[tuple[int, str]]]:
    """The first free events of an account for some targets: `seq` and target."""
    free = and_(_events.account_id == account_id, _events.target.in_(tuple(targets)), _events.node.is_(None))
    rows = yield Query(select(_events.seq, _events.target).where(free).order_by(_events.seq).limit(limit))
    return [(row[0], row[1]) for row in rows]


def turn(
    node: bytes, told: Sequence[int], back: Sequence[int], wanted: Sequence[int], *, to_all: bool
) -> Operation[tuple[list[Claimed], list[Target]]]:
    """Forget what clients have, give back what none took, and claim those of `wanted` that are free.

    With `to_all` an event for a context is not claimed: it becomes one for each session that receives the context,
    whose targets are returned beside what was claimed. Without any such session it stays.
    """
    yield Delete(schema.relay_events, ("seq",), [(seq,) for seq in told])
    yield Update(schema.relay_events, ("node",), ("seq", "node"), [(None, seq, node) for seq in back])
    if not wanted:
        return [], []
    rows = yield Query(
        select(*_ALL)
        .where(and_(_events.seq.in_(tuple(wanted)), _events.node.is_(None)))
        .order_by(_events.seq)
        .with_for_update(skip_locked=True)
    )
    found = [RelayEvent(*row) for row in rows]
    targets: list[Target] = []
    if to_all:
        found, targets = yield from _fan_out(found)
    yield Update(schema.relay_events, ("node",), ("seq",), [(node, event.seq) for event in found])
    messages = yield from fetch_many([(event.account_id, event.message_id) for event in found])
    attached = yield from media.of_messages([each.id for each in messages.values() if each.num_media])
    return [(e, messages.get(e.message_id), attached.get(e.message_id, ())) for e in found], targets


def _fan_out(found: Sequence[RelayEvent]) -> Operation[tuple[list[RelayEvent], list[Target]]]:
    mine = [event for event in found if event.target != event.context]
    shared = [event for event in found if event.target == event.context]
    receivers: dict[Target, list[str]] = {}
    for account_id, context in sorted({(event.account_id, event.context) for event in shared}):
        receivers[account_id, context] = yield from _receivers(account_id, context)
    copies: list[Row] = []
    gone: list[Row] = []
    for event in shared:
        if event.target in (known := receivers.get((event.account_id, event.context), [])):
            mine.append(event)  # a session's own context
        elif known:
            gone.append((event.seq,))
            copies += [
                (event.account_id, each, event.context, event.message_id, event.status, event.error_code, event.at)
                for each in known
            ]
    yield Insert(schema.relay_events, copies, COLUMNS)
    yield Delete(schema.relay_events, ("seq",), gone)
    return sorted(mine, key=lambda event: event.seq), [(row[0], row[1]) for row in copies]


def _receivers(account_id: bytes, context: str) -> Operation[list[str]]:
    """The connected sessions that receive a context, or are named so themselves."""
    name = json.encode(context).decode()
    first, later = f"[{name}", f",{name}"  # of a list, in which a quotation mark within a name is escaped
    contexts = _sessions.contexts
    listed = or_(contexts.startswith(first, autoescape=True), contexts.contains(later, autoescape=True))
    connected = and_(_sessions.account_id == account_id, _sessions.node.is_not(None))
    rows = yield Query(
        select(_sessions.protocol, contexts).where(and_(connected, or_(listed, _sessions.protocol == context)))
    )
    # One engine's LIKE takes capitals for small letters.
    found = [protocol for protocol, text in rows if text.startswith(first) or later in text]
    return [context] if any(protocol == context for protocol, _ in rows) else found


def enter(session: RelaySession, *, is_named: bool) -> Operation[list[str] | None]:
    """Connect a session. When `is_named`, one of the account's that was there before under this name is restored: what
    it received is joined to the new contexts, as far as there is room. Returns all that it receives; None when it is
    not restored, and new.
    """
    contexts: list[str] = json.decode(session.contexts)
    columns = ("account_id", "contexts", "node")
    rows = yield Lookup(schema.relay_sessions, columns, ("protocol",), [(session.protocol,)], lock=True)
    is_restored = is_named and bool(rows) and rows[0][0] == session.account_id
    if is_named and not is_restored:
        return None
    if is_restored:
        contexts = list(dict.fromkeys((*contexts, *json.decode(rows[0][1]))))[:MOST_CONTEXTS]
    entered = msgspec.structs.replace(session, contexts=json.encode(contexts).decode())
    yield Upsert(schema.relay_sessions, [astuple(entered)])
    before = rows[0][2] if is_restored else None
    is_taken = before is not None and before != session.node
    yield Update(
        schema.relay_sessions, ("taken_from",), ("protocol",), [(before, session.protocol)] if is_taken else []
    )
    return contexts


def connected(node: bytes) -> Operation[set[str]]:
    """The sessions that are connected to a node, as far as the record knows."""
    rows = yield Query(select(_sessions.protocol).where(_sessions.node == node))
    return {row[0] for row in rows}


def count(node: bytes) -> Operation[int]:
    """How many sessions are connected to a node, as far as the record knows."""
    rows = yield Query(select(func.count()).where(_sessions.node == node))
    return int(rows[0][0])


def adopt(sessions: Sequence[RelaySession]) -> Operation[None]:
    """Connect sessions again that are connected nowhere, or not there any more, though their clients are."""
    keys = [(session.protocol,) for session in sessions]
    rows = yield Lookup(schema.relay_sessions, ("protocol", "node"), ("protocol",), keys, lock=True)
    elsewhere = {protocol for protocol, node in rows if node is not None}
    yield Upsert(schema.relay_sessions, [astuple(each) for each in sessions if each.protocol not in elsewhere])


def taken(node: bytes) -> Operation[list[str]]:
    """The sessions whose old connections a node is to end."""
    rows = yield Query(select(_sessions.protocol).where(_sessions.taken_from == node))
    return [row[0] for row in rows]


def part(node: bytes, protocols: Sequence[str]) -> Operation[list[str]]:
    """Note that a node ends the old connections of these sessions: those that are still to be ended."""
    table = schema.relay_sessions
    where = and_(_sessions.protocol.in_(tuple(protocols)), _sessions.taken_from == node)
    rows = yield Execute(update(table).where(where).values(taken_from=None).returning(_sessions.protocol))
    return [row[0] for row in rows]


def written(node: bytes, events: Sequence[tuple[int, str]]) -> Operation[bool]:
    """Forget the events, each with its session, that `node` wrote to clients which acknowledge nothing. Those of
    sessions that are another node's by now were written to nobody: they are given back. Whether there were any.
    """
    protocols = sorted({protocol for _, protocol in events})
    rows = yield Lookup(schema.relay_sessions, ("protocol", "node"), ("protocol",), [(each,) for each in protocols])
    elsewhere = {protocol for protocol, connected in rows if connected not in (node, None)}
    back = [(None, seq, node) for seq, protocol in events if protocol in elsewhere]
    yield Delete(schema.relay_events, ("seq",), [(seq,) for seq, protocol in events if protocol not in elsewhere])
    yield Update(schema.relay_events, ("node",), ("seq", "node"), back)
    return bool(back)


def receive(protocol: str, node: bytes, contexts: Sequence[str], now: int) -> Operation[None]:
    """Note what a session of a node's receives: one that another took over stays as it is."""
    row = (json.encode(contexts).decode(), now, protocol, node)
    yield Update(schema.relay_sessions, ("contexts", "updated_at"), ("protocol", "node"), [row])


def leave(node: bytes, left: Sequence[str], now: int) -> Operation[None]:
    """Note that sessions are connected to a node no more: those that another took over stay as they are."""
    rows = [(None, now, protocol, node) for protocol in left]
    yield Update(schema.relay_sessions, ("node", "updated_at"), ("protocol", "node"), rows)


def sweep(now: int, sessions_before: int, events_before: int, limit: int, *, to_all: bool) -> Operation[int]:
    """Forget sessions that did not come back, give to others of its context what one of them left, and give up the
    events that nobody took since `events_before`: their messages' records say so. Returns how many.
    """
    table, entered = schema.relay_sessions, select(schema.nodes.c.id)
    lost = and_(_sessions.node.is_not(None), _sessions.node.not_in(entered))
    yield Execute(update(table).where(lost).values(node=None, updated_at=now))
    yield Execute(delete(table).where(and_(_sessions.node.is_(None), _sessions.updated_at < sessions_before)))
    connected = select(_sessions.protocol).where(_sessions.node.is_not(None))
    events = schema.relay_events
    alone = and_(_events.node.is_(None), _events.target != _events.context)
    if to_all:
        known = select(_sessions.protocol)
        yield Execute(delete(events).where(and_(alone, _events.target.not_in(known))))
    else:
        left = and_(alone, _events.target.not_in(connected))
        yield Execute(update(events).where(left).values(target=_events.context))
    oldest = yield Query(
        select(_events.seq, _events.account_id, _events.message_id, _events.context, _events.status, _events.at)
        .where(_events.node.is_(None))
        .order_by(_events.seq)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    given_up = [row for row in oldest if row[5] < events_before]
    yield Delete(events, ("seq",), [(row[0],) for row in given_up])
    yield Insert(schema.events, list(_gave_up(given_up, now)), EVENT_COLUMNS)
    return len(given_up)


def _gave_up(rows: Iterable[Row], now: int) -> Iterable[Row]:
    for _, account_id, message_id, context, status, _ in rows:
        reason = f"no Relay client of context {context} took it in time"
        told = json.encode({"reason": reason, "context": context, "status": status}).decode()
        yield account_id, message_id, "relay", now, told


def free(dead: Collection[bytes]) -> Operation[None]:
    """Make nobody's what these nodes were telling. The next sweep sees that their sessions are connected nowhere."""
    yield Execute(update(schema.relay_events).where(_events.node.in_(tuple(dead))).values(node=None))


def free_strays() -> Operation[None]:
    """Make nobody's what nodes were telling that are not entered."""
    yield Execute(_FREE_STRAYS)
