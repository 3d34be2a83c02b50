"""What happens, as it happens: the feed behind `parley tail`, and the receipts that no message was found for."""

import asyncio
from typing import Any, Final

import msgspec

from parley.api.admin.times import iso, seconds
from parley.api.http.endpoint import Call, Reply, json_reply
from parley.api.http.fault import Fault
from parley.api.http.paging import whole_number
from parley.core.limits import Stopping
from parley.lib import ids
from parley.lib.clock import Clock
from parley.model.event import Event
from parley.model.message import Message
from parley.store import Engine, messages, orphans

_GATHER_S: Final = 0.05
"""A busy server commits hundreds of times a second; who waits for news looks this often."""
_POLL_S: Final = 1.0
"""An event of another node is seen within this, also where its news are not heard."""
_LIMIT: Final = 100
_MOST: Final = 1000
_LAST: Final = 2**63 - 1


class EventsApi:
    """Handlers of /admin/events and /admin/orphans."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._stopping = asyncio.Event()

    def stop_waiting(self) -> None:
        """Let everybody go who waits for an event, because the process stops."""
        self._stopping.set()

    async def feed(self, call: Call) -> Reply:
        """GET /admin/events: the account's events after position `after`, oldest first, and where to go on.

        Without `after` (or with -1) the feed begins now. `wait` waits for the first event.
        """
        asked = call.arguments()
        asked.allow(frozenset({"after", "wait", "limit"}))
        limit = whole_number(asked.one("limit"), "limit", _LIMIT, 1, _MOST)
        deadline = self._clock.monotonic() + seconds(asked.one("wait"))
        after = _position(asked.one("after"))
        if after is None:
            after = await self._engine.read(messages.feed_end)
        while True:
            # Begun before the read, so that a commit between the two is not missed.
            left = deadline - self._clock.monotonic()
            wakes = (
                asyncio.ensure_future(self._engine.wait_for_change(min(_POLL_S, max(0.0, left)))),
                asyncio.ensure_future(self._stopping.wait()),
            )
            try:
                found = await messages.follow(self._engine, call.account.id, after, limit)
                if not found and left > 0 and self._stopping.is_set():
                    raise Stopping
                if found or left <= 0:
                    return json_reply(200, {"events": await self._told(found), "next": _next(found, after)})
                await asyncio.wait(wakes, return_when=asyncio.FIRST_COMPLETED)
                await asyncio.sleep(_GATHER_S)
            finally:
                for wake in wakes:
                    wake.cancel()

    async def _told(self, events: list[Event]) -> list[dict[str, Any]]:
        keys = [(event.account_id, event.message_id) for event in events]
        about = await self._engine.read(messages.fetch_many, keys) if keys else {}
        return [_event(event, about.get(event.message_id)) for event in events]

    async def list_orphans(self, call: Call) -> Reply:
        """GET /admin/orphans: receipts that matched no message, the last come first. They belong to no account."""
        asked = call.arguments()
        asked.allow(frozenset({"limit"}))
        found = await self._engine.read(orphans.newest, whole_number(asked.one("limit"), "limit", _LIMIT, 1, _MOST))
        return json_reply(
            200,
            {
                "orphans": [
                    {
                        "carrier": each.carrier,
                        "ref": each.ref,
                        "status": each.status,
                        "at": iso(each.at),
                        "error_code": each.error_code,
                    }
                    for each in found
                ]
            },
        )


def _position(given: str | None) -> int | None:
    if given is None or given in ("", "-1"):
        return None
    if not (given.isascii() and given.isdigit() and len(given) < 20) or int(given) > _LAST:
        raise Fault("invalid_parameter", "after must be a position that this feed gave, or -1 for now", "after")
    return int(given)


def _next(events: list[Event], after: int) -> int:
    return events[-1].seq if events else after


def _event(event: Event, message: Message | None) -> dict[str, Any]:
    return {
        "seq": event.seq,
        "message_id": ids.to_uuid(event.message_id),
        "kind": event.kind,
        "at": iso(event.at),
        "from": message.sender if message is not None else None,
        "to": message.recipient if message is not None else None,
        "direction": message.direction if message is not None else None,
        "data": msgspec.json.decode(event.data) if event.data else None,
    }
