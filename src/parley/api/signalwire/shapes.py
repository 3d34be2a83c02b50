"""Messages and their logs as SignalWire's API spells them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from parley.api.signalwire import failures
from parley.lib.ids import to_uuid
from parley.model.message import Message, Status

STATUSES: Final[dict[Status, str]] = {
    "accepted": "queued",
    "scheduled": "queued",
    "queued": "queued",
    "sending": "initiated",
    "sent": "sent",
    "delivered": "delivered",
    "undelivered": "undelivered",
    "failed": "failed",
    "canceled": "failed",
    "receiving": "received",
    "received": "received",
    "read": "read",
}
"""SignalWire knows no schedule and no cancellation: what Twilio's API canceled has failed here, and says why."""

CANCELED: Final = ("message_canceled", "The message was canceled before it was sent")
MESSAGES: Final = "/api/messaging/messages"
LOGS: Final = "/api/messaging/logs"


class MessageBody(msgspec.Struct, frozen=True, rename={"sender": "from"}):
    """The object of create, update, fetch and list. Source: create-message page, schema Message."""

    id: str
    sender: str
    to: str
    body: str
    status: str
    direction: str
    kind: str
    media: Sequence[str]
    number_of_segments: int
    error_code: str | None
    error_message: str | None
    created_at: datetime
    project_id: str
    status_callback_url: str | None
    message_uri: str


class LogBody(msgspec.Struct, frozen=True, rename={"sender": "from"}):
    """The object of the message logs. Source: list-message-logs page, schema MessageLog."""

    id: str
    sender: str
    to: str
    status: str
    direction: str
    kind: str
    source: str
    type: str
    url: str | None
    number_of_segments: int
    charge: float
    charge_details: Sequence[Any]
    created_at: datetime
    error_message: str | None
    error_code: str | None


def message_body(message: Message, media: Sequence[str] = ()) -> MessageBody:
    """A message with its media's URLs."""
    id = to_uuid(message.id)
    code, text = problem_of(message)
    return MessageBody(
        id,
        message.sender or "",
        message.recipient,
        message.body,
        _status(message),
        "outbound" if message.is_outbound else "inbound",
        message.kind,
        media,
        message.segments,
        code,
        text,
        at(message.created_at),
        to_uuid(message.account_id),
        message.status_callback,
        f"{LOGS}/{id}",
    )


def log_body(message: Message) -> LogBody:
    """A message's log. It knows no `read`, and tells which API made a message; it is charged once it was sent.

    LaML's directions tell what made a message; of the others only those of calls do.
    """
    is_laml = message.dialect == "twilio"
    is_told = is_laml or message.direction == "outbound-call"
    code, text = problem_of(message)
    price = message.price if message.price is not None and message.sent_at is not None else 0
    charge = price / 1_000_000
    return LogBody(
        to_uuid(message.id),
        message.sender or "",
        message.recipient,
        "delivered" if message.status == "read" else _status(message),
        message.direction if is_told else "outbound" if message.is_outbound else "inbound",
        message.kind,
        "laml" if is_laml else "realtime_api",
        "laml_message" if is_laml else "relay_message",
        None,
        message.segments,
        charge,
        ({"description": f"{message.kind.upper()} {'sent' if message.is_outbound else 'received'}", "charge": charge},)
        if price
        else (),
        at(message.created_at),
        text,
        code,
    )


def _status(message: Message) -> str:
    """An inbound message has failed when its handler has; LaML's has not."""
    if not message.is_outbound and message.dialect == "signalwire" and message.error_code is not None:
        return "failed"
    return STATUSES[message.status]


def problem_of(message: Message) -> tuple[str, str] | tuple[None, None]:
    """A message's error code and text in SignalWire's words."""
    return problem(message, message.status, message.error_code)


def problem(message: Message, status: Status, code: int | None) -> tuple[str, str] | tuple[None, None]:
    """The error code and text of one state of a message, which may be older than the one it is in."""
    if status == "canceled":
        return CANCELED
    is_inbound = not message.is_outbound
    found = failures.word(code, is_inbound=is_inbound)
    known = message.error_message if code == message.error_code else None
    text = failures.text(code, known, is_inbound=is_inbound)
    return (found, text) if found is not None and text is not None else (None, None)


def at(time_us: int) -> datetime:
    """A time of the record for an answer: UTC, whole seconds, written as `2025-01-15T10:30:00Z`."""
    return datetime.fromtimestamp(time_us // 1_000_000, UTC)
