"""A handler: what becomes of the messages of the numbers that point to it. Source: SignalWire's fabric resources."""

from typing import Literal

import msgspec

from parley.lib.ids import parse_uuid, to_uuid

_SCHEME = "swml-script://"

HandlerKind = Literal["cxml_webhook", "relay_application", "swml_script", "swml_webhook"]
"""cxml_webhook: the Twilio-shaped form, answered by TwiML. swml_webhook: SignalWire's JSON. swml_script: a document
that is kept here. relay_application: the Relay clients of a topic."""


class MessageHandler(msgspec.Struct, frozen=True):
    """What is called, or run. What only calls need is kept and told again."""

    kind: HandlerKind
    name: str
    used_for: Literal["calling", "messaging"] = "calling"
    request_url: str | None = None
    request_method: str = "POST"
    fallback_url: str | None = None
    fallback_method: str = "POST"
    status_callback: str | None = None
    status_callback_method: str = "POST"
    contents: str = ""
    """A script's document, in JSON or YAML."""
    topic: str = ""


def url_of(script_id: bytes) -> str:
    """The URL that stands for a script, in place of an inbound webhook's."""
    return _SCHEME + to_uuid(script_id)


def script_of(url: str) -> bytes | None:
    """The script that a URL stands for; None for a URL to ask."""
    return parse_uuid(url.removeprefix(_SCHEME)) if url.startswith(_SCHEME) else None
