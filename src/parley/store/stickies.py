"""Keep from which sender a service last wrote to each recipient, and choose the sender of what it writes now."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal

import msgspec
from sqlalchemy import and_, delete, literal, select, tuple_

from parley.store import schema
from parley.store.engine.statements import Execute, Lookup, Operation, Query, Row, Upsert

_KEYS: Final = ("service_id", "recipient")
_COLUMNS: Final = (*_KEYS, "sender", "used_at")
_table: Final = schema.stickies.c
_FRESH_US: Final = 86_400_000_000
"""A use is noted once a day: what is not used for long is forgotten."""


class Doom(msgspec.Struct, frozen=True):
    """How a message ends that is taken, and will surely not arrive: without a submit."""

    status: Literal["failed", "undelivered"]
    code: int


class Option(msgspec.Struct, frozen=True):
    """What sending from one address takes: microseconds of its pace for each segment. `sort` says what it is."""

    segment_us: float = 0.0
    sort: str = "long_code"


class Choice(msgspec.Struct, frozen=True):
    """From whom a service writes: from `sender`, unless it is sticky and `options` have the recipient's last one."""

    service_id: bytes
    sender: str
    why: str
    options: Mapping[str, Option]
    """The sender itself, and who else may go on writing to the recipient, by address."""
    is_sticky: bool
    dooms: Mapping[str, Doom] = {}
    """How the message is sure to end, by the sort of its sender."""


class Chosen(msgspec.Struct, frozen=True):
    """The sender of one message, and why. `note` is the row to keep, should the message be taken."""

    sender: str
    why: str
    option: Option
    note: Row | None


def choose(asked: Sequence[tuple[Choice, str, int]]) -> Operation[list[Chosen]]:
    """The sender of each message, given as a choice, the recipient and the time; one for each, in order.

    The first message to a recipient decides for those behind it. When two nodes write to one for the first time in
    the same moment, the later commit is what stays.
    """
    pairs = list({(choice.service_id, to): None for choice, to, _ in asked if choice.is_sticky})
    known: dict[tuple[bytes, str], tuple[str, int | None]] = {}
    if pairs:
        rows = yield Lookup(schema.stickies, _COLUMNS, _KEYS, pairs)
        known = {(row[0], row[1]): (row[2], row[3]) for row in rows}
    chosen: list[Chosen] = []
    for choice, to, at in asked:
        if not choice.is_sticky:
            chosen.append(Chosen(choice.sender, choice.why, choice.options[choice.sender], None))
            continue
        pair = (choice.service_id, to)
        before, used_at = known.get(pair, ("", None))
        option = choice.options.get(before)
        if option is not None:
            note = (*pair, before, at) if used_at is None or at - used_at > _FRESH_US else None
            chosen.append(Chosen(before, "sticky", option, note))
        else:
            known[pair] = (choice.sender, None)  # whoever of them is taken notes it
            chosen.append(Chosen(choice.sender, choice.why, choice.options[choice.sender], (*pair, choice.sender, at)))
    return chosen


def purge(after: tuple[bytes, str], before: int, limit: int) -> Operation[tuple[bytes, str] | None]:
    """Of the `limit` next senders in the order of their keys, forget those that were last used before a time.

    Returns the key to go on after, None at the end. There is no index of times, which each message would have to keep.
    """
    key = tuple_(_table.service_id, _table.recipient)
    following = select(_table.service_id, _table.recipient).where(key > tuple_(*map(literal, after)))
    rows = yield Query(following.order_by(_table.service_id, _table.recipient).offset(limit - 1).limit(1))
    last = (rows[0][0], rows[0][1]) if rows else None
    stale = and_(key > tuple_(*map(literal, after)), _table.used_at < before)
    if last is not None:
        stale = and_(stale, key <= tuple_(*map(literal, last)))
    yield Execute(delete(schema.stickies).where(stale))
    return last


def keep(chosen: Sequence[Chosen]) -> Operation[None]:
    """Keep the senders of messages that were taken."""
    notes = {each.note[:2]: each.note for each in chosen if each.note is not None}
    if notes:
        # In one order everywhere, or two nodes might each wait for a row that the other has written.
        yield Upsert(schema.stickies, [notes[pair] for pair in sorted(notes)])
