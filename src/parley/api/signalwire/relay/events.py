"""Word Relay's events: what a message's change of state, or its arrival, looks like to a client."""

from collections.abc import Sequence
from typing import Any

from msgspec import json

from parley.api.signalwire import shapes
from parley.lib.ids import to_uuid
from parley.model.message import Message, Status
from parley.model.relay import RelayEvent

STATE = "messaging.state"
RECEIVE = "messaging.receive"


def event_type(message: Message) -> str:
    """What an event about a message is called."""
    return STATE if message.is_outbound else RECEIVE


def envelope(event: RelayEvent, message: Message, media: Sequence[str]) -> dict[str, Any]:
    """The event's parameters in both generations; `media` are the URLs of its attachments."""
    project_id = to_uuid(event.account_id)
    return {
        "event_type": event_type(message),
        "timestamp": event.at / 1_000_000,
        "space_id": project_id,
        "project_id": project_id,
        "context": event.context,
        "params": _message(event, message, media),
    }


def _message(event: RelayEvent, message: Message, media: Sequence[str]) -> dict[str, Any]:
    direction = "outbound" if message.is_outbound else "inbound"
    status: Status = event.status  # type: ignore[assignment]  # as the record spells it
    told: dict[str, Any] = {
        "message_id": to_uuid(message.id),
        "context": event.context,
        "direction": direction,
        "tag": None,
        "tags": _tags(event, message, direction),
        "from_number": message.sender,
        "to_number": message.recipient,
        "body": message.body,
        "media": list(media),
        "segments": message.segments,
        "message_state": shapes.STATUSES[status],
    }
    _, reason = shapes.problem(message, status, event.error_code)
    if reason is not None and told["message_state"] in ("undelivered", "failed"):
        told["reason"] = reason
    return told


def _tags(event: RelayEvent, message: Message, direction: str) -> list[str]:
    own: list[str] = (json.decode(message.extras).get("tags") or []) if message.extras else []
    kept = ["message", direction, message.kind.upper(), event.context, message.recipient, message.sender or ""]
    return [*kept, "relay-client", *own]
