"""The whole record of a message, in our own words: GET /admin/messages/{id}."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from msgspec import json

from parley.api.admin import named
from parley.api.admin.links import shown
from parley.api.admin.times import iso
from parley.api.http.endpoint import Call, Reply, json_reply
from parley.api.http.fault import Fault
from parley.core.links import ShortLinks
from parley.lib import ids
from parley.lib.redaction import mask_url
from parley.model.callback import Callback
from parley.model.event import Event
from parley.model.message import Media, Message, Pending
from parley.store import Engine, media, messages, queue

OUTCOMES: Final = frozenset({"accepted", "rejected", "throttled", "unreachable", "uncertain"})
_NOT_WAITING: Final = frozenset({"submitting"})
"""What the queue notes for itself, while a carrier has the message."""


class RecordApi:
    """Handlers of the paths under /admin/messages. `seen` says of a place in the queue what nobody wrote there."""

    def __init__(self, engine: Engine, seen: Callable[[Pending], Pending], short_links: ShortLinks) -> None:
        self._engine = engine
        self._seen = seen
        self._short_links = short_links

    async def show(self, call: Call) -> Reply:
        """GET /admin/messages/{message}: by UUID or by SID."""
        message, engine = await self._named(call), self._engine
        events = await engine.read(messages.history, message.id)
        waits = await engine.read(messages.waiting, message.id)
        waits = self._seen(waits) if waits is not None else None
        callbacks = await engine.read(queue.callbacks_of, message.id)
        attached = await engine.read(media.of_messages, [message.id])
        told = whole(message, events, waits, callbacks, attached.get(message.id, ()))
        return json_reply(200, told | {"links": await self._links(message)})

    async def show_links(self, call: Call) -> Reply:
        """GET /admin/messages/{message}/links: the short links in its body, and who followed them."""
        return json_reply(200, {"links": await self._links(await self._named(call))})

    async def _links(self, message: Message) -> list[dict[str, Any]]:
        return [shown(short_url, link) for short_url, link in await self._short_links.of_message(message)]

    async def _named(self, call: Call) -> Message:
        call.arguments().allow(frozenset())
        message_id = named.message_id(call.path["message"])
        message = await self._engine.read(messages.fetch, call.account.id, message_id)
        if message is None:
            raise Fault("not_found", "There is no such message")
        return message


def whole(
    message: Message,
    events: Sequence[Event],
    waits: Pending | None,
    callbacks: Sequence[Callback],
    attached: Sequence[Media],
) -> dict[str, Any]:
    """Everything that is known of a message."""
    waiting_for = waits.waiting_for if waits is not None and waits.waiting_for not in _NOT_WAITING else None
    told = [(event, _data(event)) for event in events]
    extras: Mapping[str, Any] = json.decode(message.extras) if message.extras else {}
    return {
        "message_id": ids.to_uuid(message.id),
        "status": message.status,
        "direction": message.direction,
        "dialect": message.dialect,
        "kind": message.kind,
        "from": message.sender,
        "to": message.recipient,
        "body": message.body,
        "segments": message.segments,
        "media": [_medium(each) for each in attached],
        "created_at": iso(message.created_at),
        "updated_at": iso(message.updated_at),
        "sent_at": iso(message.sent_at),
        "expires_at": iso(message.expires_at),
        "carrier": message.carrier,
        "error_code": message.error_code,
        "error_message": message.error_message,
        "events": [_event(event, data) for event, data in told],
        "submits": [_submit(event, data) for event, data in told if data.get("outcome") in OUTCOMES],
        "uncertain": bool(message.uncertain),
        "waiting_for": waiting_for,
        "until": iso(waits.due_at) if waits is not None and waiting_for is not None else None,
        "sender_choice": next((data for event, data in told if event.kind == "queued" and "why" in data), None),
        "callbacks": [_callback(each) for each in callbacks],
        "tags": extras.get("tags"),
        "persistent_actions": extras.get("persistent_action", []),
        "feedback": extras["feedback"]["outcome"] if "feedback" in extras else None,
    }


def _data(event: Event) -> Mapping[str, Any]:
    data = json.decode(event.data) if event.data else {}
    return data if isinstance(data, dict) else {}


def _event(event: Event, data: Mapping[str, Any]) -> dict[str, Any]:
    return {"seq": event.seq, "kind": event.kind, "at": iso(event.at), "data": data or None}


def _submit(event: Event, data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "carrier": data.get("carrier"),
        "at": iso(event.at),
        "outcome": data["outcome"],
        "refs": data.get("refs") or [],
        "code": data.get("code"),
        "reason": data.get("reason"),
    }


def _medium(media: Media) -> dict[str, Any]:
    return {
        "media_id": ids.to_uuid(media.id),
        "content_type": media.content_type,
        "size": media.size,
        "source_url": mask_url(media.source_url) if media.source_url is not None else None,
    }


def _callback(callback: Callback) -> dict[str, Any]:
    is_pending = callback.state == "pending"
    return {
        "callback_id": ids.to_uuid(callback.id),
        "kind": callback.kind,
        "status": callback.status,
        "method": callback.method,
        "url": mask_url(callback.url),
        "fallback_url": mask_url(callback.fallback_url) if callback.fallback_url is not None else None,
        "state": callback.state,
        "attempts": callback.attempts,
        "outcome": callback.outcome,
        "next_at": iso(callback.due_at) if is_pending else None,
        "finished_at": None if is_pending else iso(callback.finished_at),
    }
