"""After a crash: wait until nothing moves any more, then compare what was promised with what is there."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

import aiohttp
import msgspec
from sqlalchemy import select

from parley.lib import ids
from parley.store import Operation, schema
from parley.store.connect import open_engine
from parley.store.engine.statements import Query, Row
from tests.crash.callbacks import Callbacks
from tests.crash.creates import AUTH, MESSAGES, Create, Creates
from tests.node import Node

SETTLED_WITHIN_S: Final = 45.0
_AGAIN_S: Final = 0.05
_FINAL: Final = frozenset({"delivered", "undelivered", "failed", "canceled"})


class Accounting(msgspec.Struct, frozen=True):
    """What became of what was asked for. `unanswered` are in the record although their 201 never arrived: allowed."""

    accepted: int
    final: int
    lost: int
    unfinished: int
    duplicates: int
    absent: int
    """Messages of the record that their handset does not show."""
    strangers: int
    """Messages at a handset that the record does not have."""
    wrong: int
    """Messages whose body or recipient is not what was asked for."""
    called_back: int
    callbacks_missing: int
    callbacks_repeated: int
    unanswered: int

    @property
    def is_clean(self) -> bool:
        """Whether every promise was kept."""
        return self.final == self.accepted and not any(
            (
                self.lost,
                self.unfinished,
                self.duplicates,
                self.absent,
                self.strangers,
                self.wrong,
                self.callbacks_missing,
            )
        )


async def inspect(
    node: Node,
    creates: Creates,
    callbacks: Callbacks,
    within_s: float = SETTLED_WITHIN_S,
) -> Accounting:
    """Wait for everything to settle, within bounds, and count."""
    async with aiohttp.ClientSession(node.base_url, headers=AUTH) as session:
        until = time.monotonic() + within_s
        found = await _settled(session, creates.accepted, until)
        record = await _recorded(session, until)
        called = {sid for sid, message in record.items() if _asked(message, creates).callback is not None}
        called |= {sid for sid, create in creates.accepted.items() if create.callback is not None}
        await callbacks.complete(called, max(0.0, until - time.monotonic()))
    at_handset = Counter[str]()
    shown: dict[str, Create] = {}
    # From the table itself: the API finds what arrived by the record, which is what it is held against.
    for message_id, phone, body in await _arrived(node.database_url):
        sid = ids.sid("SM", message_id)
        at_handset[sid] += 1
        shown[sid] = Create(phone, body, None)
    wrong = sum(not _is_like(found[sid], create) for sid, create in creates.accepted.items() if sid in found)
    wrong += sum(not _is_like(message, _asked(message, creates)) for message in record.values())
    wrong += sum(
        not _is_like(record[sid], Create(at.recipient, at.body, None)) for sid, at in shown.items() if sid in record
    )
    return Accounting(
        accepted=len(creates.accepted),
        final=sum(message["status"] in _FINAL for message in found.values()),
        lost=len(creates.accepted.keys() - (found.keys() & record.keys())),
        unfinished=sum(message["status"] != "delivered" for message in record.values()),
        duplicates=sum(at_handset.values()) - len(at_handset),
        absent=len(record.keys() - at_handset.keys()),
        strangers=len(at_handset.keys() - record.keys()),
        wrong=wrong,
        called_back=len(called),
        callbacks_missing=len(callbacks.missing(called)),
        callbacks_repeated=callbacks.repeated(called),
        unanswered=len(record.keys() - creates.accepted.keys()),
    )


async def _arrived(url: str) -> list[Row]:
    engine = open_engine(url)
    await engine.open()
    try:
        return await engine.read(_arrivals)
    finally:
        await engine.close()


def _arrivals() -> Operation[list[Row]]:
    table = schema.arrivals.c
    return (yield Query(select(table.message_id, table.phone, table.body)))


async def _settled(session: aiohttp.ClientSession, accepted: Iterable[str], until: float) -> dict[str, Any]:
    """Fetch each accepted message, again until it is final or the time is over; leaves out those that are not there."""
    found: dict[str, Any] = {}
    waiting = list(accepted)
    while waiting:
        answers = await asyncio.gather(*(_fetched(session, sid) for sid in waiting))
        found |= {sid: message for sid, message in zip(waiting, answers, strict=True) if message is not None}
        waiting = [sid for sid in waiting if sid in found and found[sid]["status"] not in _FINAL]
        if time.monotonic() > until:
            break
        if waiting:
            await asyncio.sleep(_AGAIN_S)
    return found


async def _recorded(session: aiohttp.ClientSession, until: float) -> dict[str, Any]:
    """List the whole record, again until all of it is final or the time is over."""
    while True:
        messages: dict[str, Any] = {}
        page = f"{MESSAGES}.json?PageSize=1000"
        while page:
            listed = await _json(session, page)
            messages |= {message["sid"]: message for message in listed["messages"]}
            page = listed["next_page_uri"]
        if all(message["status"] in _FINAL for message in messages.values()) or time.monotonic() > until:
            return messages
        await asyncio.sleep(_AGAIN_S)


def _asked(message: dict[str, Any], creates: Creates) -> Create:
    """What a message of the record was asked for as: by its body, which is its own."""
    asked = creates.by_body.get(message["body"])
    return asked if asked is not None else Create("", "", None)


def _is_like(message: dict[str, Any], create: Create) -> bool:
    return bool(message["body"] == create.body and message["to"] == create.recipient)


async def _fetched(session: aiohttp.ClientSession, sid: str) -> dict[str, Any] | None:
    async with session.get(f"{MESSAGES}/{sid}.json") as answer:
        if answer.status == 404:
            return None
        answer.raise_for_status()
        message: dict[str, Any] = await answer.json()
        return message


async def _json(session: aiohttp.ClientSession, path: str) -> Any:
    async with session.get(path) as answer:
        answer.raise_for_status()
        return await answer.json()
