"""A number: an address that an account owns, and what happens to messages that reach it."""

from typing import Any, Final, Literal

import msgspec
from msgspec import json
from msgspec.structs import replace

from parley.model.message import Dialect

Handler = Literal["laml_webhooks", "json_webhook", "relay_context", "relay_topic", "relay_application"]
"""laml_webhooks: the Twilio-shaped form, answered by TwiML. json_webhook: SignalWire's JSON. The others, three
names of one thing: the Relay clients that receive `relay_context`."""


RESOURCE: Final = "messaging_handler_resource_id"
"""Where a number's extras name the SignalWire resource that stands for it, whose id is its `application_id` then."""
RELAY_HANDLERS: Final[frozenset[Handler | None]] = frozenset({"relay_context", "relay_topic", "relay_application"})


class Number(msgspec.Struct, frozen=True):
    """One owned address: long code, toll-free, short code or alphanumeric sender."""

    id: bytes
    account_id: bytes
    address: str
    name: str
    dialect: Dialect
    """The API that last configured it: decides who honours STOP, and the shape of a webhook without a handler."""
    handler: Handler | None
    request_url: str | None
    request_method: str
    fallback_url: str | None
    fallback_method: str
    status_callback: str | None
    status_callback_method: str
    can_sms: int
    can_mms: int
    can_whatsapp: int
    created_at: int
    updated_at: int
    extras: str | None
    """JSON object: voice settings and others that are kept and echoed, not acted on."""
    application_id: bytes | None = None
    """The application, or SignalWire's resource, whose webhooks are called for its messages in place of its own."""
    relay_context: str | None = None
    """The context whose Relay clients are told of its messages, while `handler` says so."""


def application_of(number: Number) -> bytes | None:
    """The id of the application that stands for a number; None where none does, or a resource."""
    return None if number.extras and RESOURCE in json.decode(number.extras) else number.application_id


def led_nowhere(number: Number) -> Number:
    """A number that no resource stands for."""
    kept: dict[str, Any] = json.decode(number.extras) if number.extras else {}
    if kept.pop(RESOURCE, None) is None:
        return number
    return replace(number, application_id=None, extras=json.encode(kept).decode() if kept else None)
